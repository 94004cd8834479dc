"""Archives as somebody would forge them: of a good one, changed at will, with checksums that fit."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from backup.archive import CHECKSUM, MANIFEST

Change = Callable[["Forgery"], None]


@dataclass
class Forgery:
    """What is to be in it. `manifest` is parsed; `entries` come first, as they are."""

    members: dict[str, bytes]
    manifest: Any
    entries: list[tarfile.TarInfo] = field(default_factory=list)

    def put(self, name: str, content: bytes, size: int | None = None) -> None:
        """Another content, described as it is; `size`: what is said of it unpacked."""
        self.members[name] = content
        for one in self.manifest["members"]:
            if one["name"] == name:
                one |= {"stored": len(content), "sha256": hashlib.sha256(content).hexdigest()}
                one["size"] = len(content) if size is None else size

    def write(self, path: Path) -> Path:
        with tarfile.open(path, "w", format=tarfile.GNU_FORMAT) as tar:
            for entry in self.entries:
                tar.addfile(entry)
            text = self.manifest if isinstance(self.manifest, bytes) else json.dumps(self.manifest).encode()
            last = {MANIFEST: text, CHECKSUM: hashlib.sha256(text).hexdigest().encode()}
            for name, content in {**self.members, **last}.items():
                entry = tarfile.TarInfo(name)
                entry.size = len(content)
                tar.addfile(entry, io.BytesIO(content))
        return path


def forged(good: Path, path: Path, change: Change) -> Path:
    """`good`, with `change`, in the file `path`."""
    members: dict[str, bytes] = {}
    with tarfile.open(good) as tar:
        for one in tar:
            content = tar.extractfile(one)
            assert content is not None
            members[one.name] = content.read()
    manifest = json.loads(members.pop(MANIFEST))
    members.pop(CHECKSUM)
    forgery = Forgery(members, manifest)
    change(forgery)
    return forgery.write(path)
