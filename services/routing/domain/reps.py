"""The people who can be asked to take care of a lead."""

from __future__ import annotations

from dataclasses import dataclass

ANY = "any"
"""Everybody, whatever their teams; no team may be called so."""


@dataclass(frozen=True, slots=True)
class Rep:
    """`weight` is their share of a rotation, 0: none. `capacity`: so many open referrals at most, None: without limit."""

    rep_id: str
    name: str
    email: str | None = None
    weight: int = 1
    capacity: int | None = None
    teams: tuple[str, ...] = ()
    is_active: bool = True
    external_id: str | None = None

    def belongs_to(self, team: str) -> bool:
        return team == ANY or team in self.teams
