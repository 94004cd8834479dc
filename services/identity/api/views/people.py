"""People, links and what humans make of them, as identity's answers show them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from contracts.values import Consent, ConsentChannel, IdentifierKind, Strength
from people_kernel.consent import answers
from services.identity.api.views import (
    IdentifierView,
    LinkView,
    NamedIdentifier,
    PartView,
    PersonView,
    RegroupingView,
)
from services.identity.domain.consent import FragmentConsent
from services.identity.domain.fragments import Fragment, Link, account_of, is_test_person, person_of
from services.identity.domain.links import Regrouping


def person_view(
    fragments: Sequence[Fragment], links: Iterable[Link], consents: Iterable[FragmentConsent] | None
) -> PersonView:
    """`fragments` are one person's, oldest first; `links` at least those that held at the moment;
    `consents` None for a moment in the past.
    """
    best: dict[str, Strength] = {}
    for link in links:
        for end in link.pair:
            best[end] = max(best.get(end, Strength.CLAIMED), link.strength, key=_BELIEF.__getitem__)
    return PersonView(
        person_id=person_of(fragments[0].fragment_id),
        identifiers=[
            IdentifierView(
                kind=IdentifierKind(one.kind),
                value=one.value,
                strength=best.get(one.fragment_id),
                first_seen_at=one.created_at,
                fragment_id=one.fragment_id,
            )
            for one in sorted(fragments, key=_by_kind)
            if one.kind is not None and one.value is not None
        ],
        fragments=[one.fragment_id for one in fragments],
        account_id=account_of(fragments),
        graph_version=None if consents is None else fragments[0].graph_version,
        created_at=fragments[0].created_at,
        is_test=is_test_person(fragments),
        consent=None if consents is None else consent_told(consents),
    )


def consent_told(consents: Iterable[FragmentConsent]) -> dict[ConsentChannel, Consent]:
    """What holds for one person, by channel."""
    return {channel: one.consent for channel, one in answers(consents).items()}


def link_view(link: Link) -> LinkView:
    return LinkView(**{name: getattr(link, name) for name in LinkView.model_fields})


def regrouping_view(came: Regrouping, *, dry_run: bool) -> RegroupingView:
    named = {one.fragment_id: one for one in came.fragments}
    said = [str(getattr(event, "sentence", "")) for event in came.said]
    parts = [
        PartView(
            person_id=part.person_id,
            fragments=list(part.fragment_ids),
            identifiers=[
                NamedIdentifier(kind=IdentifierKind(kind), value=str(named[one].value))
                for one in part.fragment_ids
                if (kind := named[one].kind)
            ],
            graph_version=part.graph_version,
        )
        for part in came.people
    ]
    return RegroupingView(
        dry_run=dry_run,
        people=parts,
        new_link_ids=[] if dry_run else [link.link_id for link in came.new_links],
        cut_link_ids=[link.link_id for link in came.cut_links],
        changed=bool(came.said),
        sentence=said[0] if said else "Other links still hold this person together.",
    )


_BELIEF = {Strength.CLAIMED: 0, Strength.INFERRED: 1, Strength.VERIFIED: 2, Strength.MANUAL: 3}
_KIND_ORDER = {kind.value: rank for rank, kind in enumerate(IdentifierKind)}


def _by_kind(fragment: Fragment) -> tuple[int, str]:
    return _KIND_ORDER.get(fragment.kind or "", len(_KIND_ORDER)), fragment.fragment_id
