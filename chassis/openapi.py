"""Write each service's OpenAPI document to contracts/openapi/: `python -m chassis.openapi`; `--check` fails on drift.

The services are found by name (services/*, gateway) and imported by it, so that the chassis depends on none of them.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "contracts" / "openapi"


def main() -> int:
    check = "--check" in sys.argv[1:]
    drifted = []
    for name, module in service_modules():
        path, text = FOLDER / f"{name}.json", document(name, module)
        if path.exists() and path.read_text() == text:
            continue
        drifted.append(path)
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    if check:
        for path in drifted:
            sys.stderr.write(
                f"{path.relative_to(ROOT)} is not what the code says; run `make contracts` and commit it\n"
            )
    return 1 if check and drifted else 0


def service_modules() -> list[tuple[str, str]]:
    """Names and composition roots; the gateway last, because its document contains the others'."""
    names = sorted(path.parent.name for path in (ROOT / "services").glob("*/main.py"))
    return [*((name, f"services.{name}.main") for name in names), ("gateway", "gateway.main")]


def document(name: str, module: str) -> str:
    """The OpenAPI document of one service as JSON text; settings that have no default get a placeholder."""
    signs = {"TOKEN_PRIVATE_KEY"} if name == "gateway" else set()
    for setting in {"DATABASE_URL", "NATS_URL", "TOKEN_PUBLIC_KEY"} | signs:
        os.environ.setdefault(f"{name.upper()}_{setting}", _PLACEHOLDERS[setting])
    service = importlib.import_module(module).create_service()
    return json.dumps(service.app().openapi(), indent=2, ensure_ascii=False) + "\n"


_PLACEHOLDERS = {
    "DATABASE_URL": "sqlite:///unused.db",
    "NATS_URL": "nats://127.0.0.1:4222",
    "TOKEN_PUBLIC_KEY": "A" * 43 + "=",
    "TOKEN_PRIVATE_KEY": "A" * 43 + "=",
}

if __name__ == "__main__":
    sys.exit(main())
