"""What was done in one browser, whoever is behind it: all that a public key is answered from."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import bindparam, select

from chassis.store.batch import rows_by
from chassis.store.session import Session
from contracts.limits import BROWSER_FACTS
from semantics.anew import campaign_anew
from services.scoring.domain.receipts import Judges
from services.scoring.store.queries import PersonHistory, trait_facts_of
from services.scoring.store.rows import fragment_of, interaction_of, trait_fact_of
from services.scoring.store.tables import FACT, FRAGMENT

_OF_BROWSER = (
    select(FACT)
    .where(FACT.c.anonymous_id == bindparam("browser"))
    .order_by(FACT.c.occurred_at.desc())
    .limit(BROWSER_FACTS)
)
_TOLD_BY_BROWSER = _OF_BROWSER.where(FACT.c.has_traits)


class NamedBrowser(NamedTuple):
    """The name a browser goes by, and the fragment of it."""

    anonymous_id: str
    fragment_id: str


async def browser_history(session: Session, browser: NamedBrowser, until: datetime, judges: Judges) -> PersonHistory:
    """What was done in one browser: on its own fragment, and where it was named beside a stronger name; nothing of what
    the people behind these names did elsewhere, nor which company identity takes them for: others had a word in that.
    """
    history = PersonHistory(until)
    for row in await session.execute(rows_by(FRAGMENT.c.fragment_id), {"keys": [browser.fragment_id]}):
        own = fragment_of(row)
        history.knowledge, history.sums = own.knowledge, own.sums
        if not own.is_complete:
            async for facts in trait_facts_of(session, [own.fragment_id], until):
                history.learn(facts)
    named = {"browser": browser.anonymous_id}
    history.learn([trait_fact_of(row) for row in await session.execute(_TOLD_BY_BROWSER, named)])
    for row in await session.execute(_OF_BROWSER, named):
        interaction = interaction_of(row)
        awards = judges.of(row.rulebook_version).engagement(interaction, campaign_anew(interaction))
        history.earn((one.points_e4, one.half_life, row.occurred_at) for one in awards if one.half_life is not None)
        history.is_named = True
    known = history.knowledge
    told = {name: claim for name, claim in known.attributes.items() if name != "account_id"}
    history.knowledge = replace(known, attributes=told)
    return history
