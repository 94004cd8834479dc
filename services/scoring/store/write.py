"""What comes of a unit of work: written in a few statements, however many events there were."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import delete

from chassis.store import search
from chassis.store.batch import among, insert_all, insert_or_skip, upsert
from chassis.store.session import Session
from contracts.events.identity import InteractionRecognized
from services.scoring.domain.accounts import KnownAccounts
from services.scoring.domain.claims import TraitFacts
from services.scoring.domain.profile import search_text
from services.scoring.domain.workspace import Person, ScoringWorkspace
from services.scoring.store.rows import account_row, fact_row, fragment_row, person_row, receipt_row
from services.scoring.store.tables import ACCOUNT, FACT, FRAGMENT, PERSON, PERSON_SEARCH, RECEIPT

_GONE = delete(PERSON).where(among(PERSON.c.person_id, "keys"))


async def claim_facts(
    session: Session, events: Sequence[InteractionRecognized], version: int, claimed: TraitFacts
) -> list[InteractionRecognized]:
    """Writes the facts that are not there yet, with what they claim; answers their events, in order."""
    rows = {}
    for event in events:
        fact = claimed.get(event.interaction.interaction_id)
        rows[event.interaction.interaction_id] = fact_row(event, version, None if fact is None else fact.claims)
    new = {row.interaction_id for row in await insert_or_skip(session, FACT, list(rows.values()))}
    fresh = []
    for event in events:
        if event.interaction.interaction_id in new:
            new.discard(event.interaction.interaction_id)
            fresh.append(event)
    return fresh


async def workspace(session: Session, workspace: ScoringWorkspace) -> None:
    """The fragments, people and receipts of `workspace` that are new or others than were loaded."""
    people = workspace.people
    changed = people.changed.values()
    await upsert(session, FRAGMENT, [fragment_row(fragment) for fragment in workspace.fragments.changed.values()])
    await upsert(session, PERSON, [person_row(person) for person in changed])
    gone = workspace.gone & people.loaded.keys()
    if gone:
        await session.execute(_GONE, {"keys": gone})
    await search.keep(session, PERSON_SEARCH, _search_changes(people.loaded, changed) | dict.fromkeys(gone, ""))
    await insert_all(session, RECEIPT, [receipt_row(receipt) for receipt in workspace.receipts])


async def accounts(session: Session, accounts: KnownAccounts) -> None:
    """What became of accounts."""
    await upsert(session, ACCOUNT, [account_row(account) for account in accounts.changed.values()])


def _search_changes(known: Mapping[str, Person], changed: Iterable[Person]) -> dict[str, str]:
    """By what those people are found from now on who are found by something else than before; by nothing, if nothing is
    known of them any more.
    """
    texts = {}
    for person in changed:
        before = known.get(person.person_id)
        if before is None or before.fit is not person.fit:
            was = "" if before is None else search_text(before.fit.shown)
            if (text := search_text(person.fit.shown)) != was:
                texts[person.person_id] = text
    return texts
