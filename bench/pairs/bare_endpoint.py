"""The bare endpoint as a process: FastAPI with a pydantic model of an event, alone (/v1/track) or in a batch
(/v1/batch); stores nothing.

python -m bench.pairs.bare_endpoint PORT
"""

from __future__ import annotations

import sys

import uvicorn

from bench.bare_endpoint import bare


def main() -> None:
    uvicorn.run(
        bare(),
        host="127.0.0.1",
        port=int(sys.argv[1]),
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_level="warning",
    )


if __name__ == "__main__":
    main()
