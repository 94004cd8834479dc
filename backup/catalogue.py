"""What an archive may name: the streams, stores and migrations of our own catalogue, and nothing beside them.

Names in an archive are looked up here and lead nowhere else: no module is imported by them, no file is opened by them,
and a stream is made as our services make it, not as the archive says.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from backup.manifest import ArchiveRefused, Manifest, StorePart, StreamPart
from backup.streams import STREAMS
from chassis.bus.streams import KEPT_DAYS, stream_config
from chassis.store.revisions import CHASSIS, newest, revisions
from deployment.catalogue import PROCESSES

_MIGRATIONS: Final = {process.name: process.migrations for process in PROCESSES}
_ELSEWHERE: Final = ("mirror", "sources", "republish", "subject_transform")
"""By these a stream takes messages from, or gives them to, subjects that are not its own."""
_MOST_REPLICAS: Final = 5
_SAME: Final = ("name", "retention", "storage")


def refuse_unknown(manifest: Manifest) -> None:
    """Raises ArchiveRefused for what is not of the catalogue, or newer than this version."""
    for name, stream in manifest.streams.items():
        if name not in STREAMS:
            raise ArchiveRefused(f"it has a stream {name}, which this version does not have")
        _refuse_other(name, stream.config)
    for name, store in manifest.stores.items():
        if name not in _MIGRATIONS:
            raise ArchiveRefused(f"it has a store {name}, which no service of this version has")
        _refuse_newer(manifest.version, name, store)


def restored_config(name: str, part: StreamPart, replicas: int | None) -> dict[str, Any]:
    """The configuration that stream `name` is brought back with: the catalogue's, and for how long the installation
    kept what is no fact.
    """
    kept = part.config.get("num_replicas")
    config = stream_config(name, replicas or (kept if isinstance(kept, int) and 1 <= kept <= _MOST_REPLICAS else 1))
    age = part.config.get("max_age")
    if name in KEPT_DAYS and isinstance(age, int) and (age == 0 or age >= config["max_age"] // KEPT_DAYS[name]):
        config["max_age"] = age
    return config


def _refuse_other(name: str, config: Mapping[str, Any]) -> None:
    ours = stream_config(name, 1)
    subjects = config.get("subjects")
    is_ours = isinstance(subjects, list) and all(subject in ours["subjects"] for subject in subjects)
    differing = [key for key in _SAME if config.get(key) != ours[key]] + [key for key in _ELSEWHERE if config.get(key)]
    if differing or not is_ours:
        raise ArchiveRefused(
            f"its stream {name} is configured otherwise than ours: {', '.join(differing) or 'its subjects'} differ"
        )


def _refuse_newer(version: str, name: str, store: StorePart) -> None:
    for chain, revision in store.revisions.items():
        if chain not in (CHASSIS, _MIGRATIONS[name]):
            raise ArchiveRefused(f"its store of {name} follows migrations of {chain}, which are none of its own")
        if revision > newest(chain):
            raise ArchiveRefused(
                f"it was taken by version {version}: its store of {name} is at revision {revision} of {chain}, and this"
                f" version knows {newest(chain)}. Restore it with a version that is as new"
            )
        if revision not in revisions(chain):
            raise ArchiveRefused(f"its store of {name} is at revision {revision} of {chain}, which does not exist")
