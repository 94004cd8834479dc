"""The vocabulary of scoring's tests: interactions, recognized events, and a rulebook made of functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from contracts.campaigns import CampaignTag
from contracts.envelope import Meta
from contracts.events.identity import InteractionRecognized
from contracts.ids import derive_id
from contracts.values import (
    AccountClaim,
    Belonging,
    Identifier,
    IdentifierKind,
    Interaction,
    InteractionKind,
    JsonObject,
    NamedBy,
    SourceKind,
    Strength,
)
from people_kernel.profile import Attributes
from semantics.campaign import campaign_of
from semantics.facts import facts_of
from services.scoring.domain.claims import TraitFacts, trait_facts
from services.scoring.domain.incoming_events import record
from services.scoring.domain.receipts import DAY, POINT, Award, Grid, Judge, Judges
from services.scoring.domain.workspace import ScoringWorkspace
from tests.support.people import START, frg, per

GRID = Grid(fit=(10 * POINT, 30 * POINT, 60 * POINT), engagement=(10 * POINT, 30 * POINT, 60 * POINT))


def an_interaction(name: str = "Pricing", *, when: datetime = START, number: int = 0, **fields: Any) -> Interaction:
    defaults: dict[str, Any] = {
        "interaction_id": f"int_{number:0>26}",
        "kind": InteractionKind.TRACK,
        "name": name,
        "source_id": "src_web",
        "source_kind": SourceKind.WEB,
        "message_id": f"m{number}",
        "occurred_at": when,
        "received_at": when,
    }
    return Interaction(**(defaults | fields))


def recognized(
    interaction: Interaction, fragment: int = 1, person: int | None = None, **fields: Any
) -> InteractionRecognized:
    heard_at = fields.pop("heard_at", interaction.received_at)
    defaults: dict[str, Any] = {
        "meta": Meta(
            event_id=derive_id("evt", START, interaction.interaction_id),
            at=heard_at,
            correlation_id=interaction.message_id,
        ),
        "fragment_id": frg(fragment),
        "person_id": per(fragment if person is None else person),
        "graph_version": 1,
        "strength": Strength.CLAIMED,
        "identifiers": (),
        "interaction": interaction,
        "facts": dict(facts_of(interaction)),
        "campaign": campaign_of(interaction),
    }
    return InteractionRecognized(**(defaults | fields))


def as_known(interaction: Interaction, fragment: int) -> dict[str, Any]:
    """What identity adds to an interaction: odd fragments are user ids, and whoever names a company belongs to one."""
    identifiers = (Identifier(kind=IdentifierKind.USER_ID, value=f"u{fragment}"),) if fragment % 2 else ()
    if interaction.account is None:
        return {"identifiers": identifiers}
    account_id = f"acc_{interaction.account.name}"
    belonging = Belonging(account_id=account_id, named_by=NamedBy.NAME)
    return {"identifiers": identifiers, "account_id": account_id, "belonging": belonging}


def identified(traits: JsonObject, *, when: datetime = START, number: int = 0, **fields: Any) -> Interaction:
    return an_interaction("identify", when=when, number=number, kind=InteractionKind.IDENTIFY, traits=traits, **fields)


def of_company(name: str, **traits: Any) -> AccountClaim:
    return AccountClaim(name=name, traits=traits)


@dataclass(frozen=True)
class PlainJudge:
    """A rulebook of two tables: interaction name -> (points e4, half-life days), and (attribute, value) -> points
    e4.
    """

    version: int = 1
    interactions: Mapping[str, Sequence[tuple[int, int]]] = field(default_factory=dict)
    profile: Mapping[tuple[str, Any], int] = field(default_factory=dict)
    grid: Grid = GRID

    @property
    def label(self) -> str:
        return f"scoring@{self.version}"

    def engagement(self, interaction: Interaction, campaign: CampaignTag | None = None) -> tuple[Award, ...]:
        awards = self.interactions.get(interaction.name or "", ())
        return tuple(
            Award(f"{interaction.name}-{i}", points, days * DAY, {}, "did it")
            for i, (points, days) in enumerate(awards)
        )

    def fit(self, attributes: Attributes) -> tuple[Award, ...]:
        return tuple(
            Award(f"{name}-is-{value}", points, None, {name: value}, "it fits")
            for (name, value), points in self.profile.items()
            if name in attributes and attributes[name].value == value
        )

    def withdrawal(self, rule: str, attributes: Attributes) -> tuple[JsonObject, str]:
        return {}, f"{rule} holds no more"


JUDGE = PlainJudge(
    interactions={
        "Pricing": [(12 * POINT, 14)],
        "Demo": [(40 * POINT, 30), (25_000, 7)],
        "Careers": [(-15 * POINT, 90)],
        "Blog": [(POINT, 14)],
    },
    profile={
        ("title", "CEO"): 30 * POINT,
        ("title", "Intern"): -20 * POINT,
        ("employees", 250): 25 * POINT,
        ("company", "Acme"): 75_000,
    },
)


def a_workspace(judge: Judge = JUDGE, *older: Judge) -> ScoringWorkspace:
    return ScoringWorkspace(judges=Judges({each.version: each for each in (judge, *older)}, judge))


def record_all(
    workspace: ScoringWorkspace, events: Sequence[InteractionRecognized], claimed: TraitFacts | None = None
) -> None:
    """Each event must be new; `claimed` is what `trait_facts` gave."""
    facts = trait_facts(events, workspace.judges.active.version) if claimed is None else claimed
    for event in events:
        record(workspace, event, facts.get(event.interaction.interaction_id))


def after(*events: InteractionRecognized, judge: PlainJudge = JUDGE) -> ScoringWorkspace:
    """A workspace in which the events were recorded."""
    workspace = a_workspace(judge)
    record_all(workspace, events)
    return workspace
