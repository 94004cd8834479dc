"""A client of the field in Python: sends events, one every so often, and says what it believes of each.

python python_client.py <segment or rudder> <gateway> <key> <count> <pause in seconds>
"""

from __future__ import annotations

import importlib
import json
import re
import sys
import time
from typing import Any

MARK = re.compile(r"number-(\d+)")


def main(sdk: str, host: str, key: str, count: int, pause: float) -> None:
    """Every event is delivered or told to have failed when this ends."""
    failed: set[int] = set()

    def on_error(_error: Any, items: Any) -> None:
        failed.update(int(found) for found in MARK.findall(json.dumps(items, default=str)))

    module = "segment.analytics.client" if sdk == "segment" else "rudderstack.analytics.client"
    client: Any = importlib.import_module(module).Client(
        key, host=host, on_error=on_error, max_retries=20, upload_size=5, upload_interval=0.1
    )
    for number in range(count):
        client.track("u-1", "Counted", {"mark": f"number-{number}"})
        time.sleep(pause)
    client.flush()
    client.join()
    sys.stdout.write(json.dumps({"delivered": sorted(set(range(count)) - failed), "failed": sorted(failed)}) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), float(sys.argv[5]))
