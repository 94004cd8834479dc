"""The bare endpoint as a process: FastAPI with a pydantic model of an event, alone (/v1/track) or in a batch (/v1/batch); stores nothing.

python -m bench.pairs.bare PORT
"""

from __future__ import annotations

import sys

import uvicorn
from pydantic import BaseModel

from bench.capture import Event, bare


class Batch(BaseModel):
    """What an SDK sends at once."""

    batch: list[Event]


def main() -> None:
    app = bare()

    @app.post("/v1/batch")
    async def batch(body: Batch) -> dict[str, bool]:
        return {"success": all(event.messageId for event in body.batch)}

    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), loop="uvloop", http="httptools", access_log=False, log_level="warning")


if __name__ == "__main__":
    main()
