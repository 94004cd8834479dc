"""What one person was shown, over all their fragments."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from services.nurture.domain.selection import Shown


def shown_to(shown: Mapping[tuple[str, str, bool], Shown], fragment_ids: Collection[str], *, with_tests: bool) -> dict[str, Shown]:
    """Treatment -> how often, over all fragments of a person. What a test saw counts for tests alone."""
    counted: dict[str, Shown] = {}
    for (fragment_id, treatment_id, is_test), one in shown.items():
        if fragment_id in fragment_ids and (with_tests or not is_test):
            before = counted.get(treatment_id)
            counted[treatment_id] = one if before is None else Shown(before.times + one.times, max(before.last_at, one.last_at))
    return counted
