"""Who was who at a moment in the past: the links that were recorded and not yet cut by then."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from contracts.values import Strength
from services.identity.domain.graph import Fragment, Link, components


def links_at(links: Iterable[Link], moment: datetime) -> list[Link]:
    """The links that held at `moment`, each as strong as it was believed then."""
    return [_as_believed(link, moment) for link in links if link.created_at <= moment and (link.cut_at is None or link.cut_at > moment)]


def partition_at(fragments: Iterable[Fragment], links: Iterable[Link], moment: datetime) -> list[tuple[str, ...]]:
    """The people of `moment`, each as its fragments, oldest first; fragments seen later are left out."""
    known = [one.fragment_id for one in fragments if one.created_at <= moment]
    nodes = set(known)
    return components(known, (link.pair for link in links_at(links, moment) if nodes.issuperset(link.pair)))


def _as_believed(link: Link, moment: datetime) -> Link:
    if link.verified_at is None or link.verified_at <= moment:
        return link
    return replace(link, strength=Strength.CLAIMED, verified_by=None, verified_at=None)
