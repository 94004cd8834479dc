"""The vocabulary of lifecycle's tests: what identity, scoring and routing say, and lifecycle without a store."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any

from contracts.envelope import Event, Meta
from contracts.events.identity import PersonCreated, PersonMerged, PersonPart, PersonSplit
from contracts.events.lifecycle import StageCorrected, StageEntered
from contracts.events.routing import ReferralAccepted, ReferralExpired, ReferralReturned
from contracts.events.scoring import Attribute, ProfileChanged, ProfileChangedV1, ScoreChanged, ScoreCorrected
from contracts.ids import derive_id, with_prefix
from contracts.values import Contribution, Receipt, Scores, Strength
from people_kernel.cards import Card
from services.lifecycle.domain.book import Book, Cause, Standing
from services.lifecycle.domain.clocks import BREACH, REMIND, breach, remind
from services.lifecycle.domain.hearing import Heard, hear
from services.lifecycle.domain.process import Process
from services.lifecycle.domain.rules import compile_lifecycle
from services.lifecycle.domain.verdicts import WAKE, Verdict, give, wake

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
DEFAULT = (Path(__file__).parents[3] / "services" / "lifecycle" / "rulebooks" / "default.yaml").read_text()


@lru_cache(maxsize=32)
def process(text: str = DEFAULT, version: int = 1) -> Process:
    return Process(compile_lifecycle(text, version))


def at(days: float = 0, **delta: float) -> datetime:
    return START + timedelta(days=days, **delta)


def frg(number: int) -> str:
    return f"frg_{number:0>26}"


def per(number: int) -> str:
    return f"per_{number:0>26}"


def meta(when: datetime, *cause: object) -> Meta:
    event_id = derive_id("evt", when, *map(str, cause))
    return Meta(event_id=event_id, at=when, correlation_id=f"cap_{event_id[4:]}")


def about(person: str, version: int = 1) -> dict[str, Any]:
    return {"person_id": person, "fragment_id": with_prefix("frg", person), "graph_version": version}


def created(person: str, when: datetime = START, *, is_test: bool = False, occurred: datetime | None = None) -> PersonCreated:
    return PersonCreated(meta=meta(when, "created", person), **about(person), is_test=is_test, occurred_at=occurred)


def profile(person: str, when: datetime = START, *, version: int = 1, occurred: datetime | None = None, **values: Any) -> ProfileChangedV1:
    attributes = {name: _attribute(value, when) for name, value in values.items() if name != "is_test"}
    return ProfileChangedV1(
        meta=meta(when, "profile", person, sorted(values)),
        **about(person, version),
        occurred_at=occurred or when,
        attributes=attributes,
        is_test=values.get("is_test", False),
    )


def told_whole(card: Card, when: datetime, version: int, **values: str) -> ProfileChanged:
    """The profile of whoever the card is of, with what scoring said before."""
    return ProfileChanged(
        meta=meta(when, "profile", card.person_id, sorted(values)),
        **about(card.person_id, version),
        occurred_at=when,
        attributes={name: attribute for name, value in values.items() if (attribute := _attribute(value, when)) is not None},
        scores=card.scores,
        highlights=card.highlights,
    )


def _attribute(value: Any, when: datetime) -> Attribute | None:
    if value is None:
        return None
    return Attribute(value=value, strength=Strength.VERIFIED, source_id="src_web", interaction_id="int_1", occurred_at=when)


def scores(cell: str, when: datetime = START) -> Scores:
    fit = {"A": 70, "B": 40, "C": 20, "D": 0}[cell[0]]
    engagement = {"1": 70, "2": 40, "3": 15, "4": 0}[cell[1]]
    return Scores(fit=Decimal(fit), engagement=Decimal(engagement), cell=cell, at=when)


def points(amount: int, when: datetime, rule: str = "demo_requested") -> Receipt:
    return Receipt(
        receipt_id=derive_id("rcp", when, rule, str(amount)),
        at=when,
        owner="scoring",
        kind="score.engagement",
        person_id=per(1),
        fragment_id=frg(1),
        cause_id="int_1",
        rule=rule,
        rulebook="scoring@1",
        contribution=Contribution(measure="engagement", points=Decimal(amount), half_life_days=Decimal(30)),
        sentence="Asked for a demo.",
    )


def scored(person: str, cell: str, when: datetime = START, *, version: int = 1, **more: Any) -> ScoreChanged:
    """`earned`: receipts; `occurred`: when it happened; `is_test`."""
    return ScoreChanged(
        meta=meta(when, "scored", person, cell),
        **about(person, version),
        occurred_at=more.get("occurred", when),
        scores=scores(cell, when),
        receipts=tuple(more.get("earned", ())),
        is_test=more.get("is_test", False),
    )


def corrected(person: str, cell: str, when: datetime = START, version: int = 1) -> ScoreCorrected:
    return ScoreCorrected(meta=meta(when, "corrected", person, cell), **about(person, version), scores=scores(cell, when), reason="merged")


def referral(person: str, when: datetime = START, version: int = 1) -> dict[str, Any]:
    receipt = points(0, when, "round_robin").model_copy(update={"owner": "routing"})
    common = {"referral_id": "ref_1", "rep_id": "rep_ines", "attempt": 1, "stage": "mql", "occurred_at": when, "by": "rep_ines", "receipt": receipt}
    return {**about(person, version), **common}


def accepted(person: str, when: datetime = START, version: int = 1) -> ReferralAccepted:
    return ReferralAccepted(meta=meta(when, "accepted", person), **referral(person, when, version))


def returned(person: str, reason: str, when: datetime = START, version: int = 1) -> ReferralReturned:
    return ReferralReturned(meta=meta(when, "returned", person, reason), **referral(person, when, version), reason=reason, note="Call in autumn.")


def expired(person: str, when: datetime = START, *, is_exhausted: bool) -> ReferralExpired:
    return ReferralExpired(meta=meta(when, "expired", person), **referral(person, when), is_exhausted=is_exhausted)


def merged(into: str, away: str, fragments: Iterable[str], version: int, when: datetime = START) -> PersonMerged:
    return PersonMerged(
        meta=meta(when, "merged", into, away, version),
        person_id=into,
        absorbed_person_ids=(away,),
        fragment_ids=tuple(sorted(fragments)),
        graph_version=version,
        strength=Strength.MANUAL,
        sentence="They are one.",
    )


def split(person: str, parts: Iterable[Iterable[str]], version: int, when: datetime = START) -> PersonSplit:
    people = tuple(
        PersonPart(person_id=with_prefix("per", min(part)), fragment_ids=tuple(sorted(part)), graph_version=version) for part in map(list, parts)
    )
    return PersonSplit(meta=meta(when, "split", person, version), person_id=person, parts=people, graph_version=version, sentence="They are several.")


def ready(person: str, when: datetime = START, **more: Any) -> list[Heard]:
    """Everything that makes somebody a lead for sales."""
    known = profile(person, when, email="ada@acme.example", title="VP Marketing", account_id="acc_acme", is_test=more.get("is_test", False))
    return [created(person, when, is_test=more.get("is_test", False)), known, scored(person, "A2", when, **more)]


@dataclass
class World:
    """All pages open: what a store would keep, in memory. Hears events as the service does, each once."""

    rules: Process = field(default_factory=process)
    book: Book = field(init=False)
    heard: set[str] = field(default_factory=set)
    timers: dict[tuple[str, str], tuple[datetime, str]] = field(default_factory=dict)
    verdicts: int = 0

    def __post_init__(self) -> None:
        self.book = Book(self.rules)

    def hear(self, *events: Event) -> World:
        for event in events:
            if event.meta.event_id not in self.heard:
                self.heard.add(event.meta.event_id)
                hear(self.book, event)  # type: ignore[arg-type]  # one of those it hears
                self._set()
        return self

    def verdict(self, person: str, verb: str, when: datetime = START, **fields: Any) -> bool:
        self.verdicts += 1
        given = Verdict(f"vrd_{self.verdicts}", verb, "usr_ines", when, fields.pop("occurred_at", when), **fields)
        is_news = give(self.book, person, given)
        self._set()
        return is_news

    def pass_time(self, until: datetime) -> World:
        """Fires what is due, as a clock does."""
        while due := sorted((due_at, kind, key) for (kind, key), (due_at, _) in self.timers.items() if due_at <= until):
            due_at, kind, key = due[0]
            _, fragment_id = self.timers.pop((kind, key))
            cause = Cause(derive_id("tmr", due_at, kind, key), due_at, due_at, "tmr")
            if kind == WAKE:
                wake(self.book, key, fragment_id, cause)
            else:
                {REMIND: remind, BREACH: breach}[kind](self.book, key, cause)
            self._set()
        return self

    def _set(self) -> None:
        for alarm in self.book.alarms:
            if alarm.due_at is None:
                self.timers.pop((alarm.kind, alarm.key), None)
            else:
                self.timers[alarm.kind, alarm.key] = (alarm.due_at, alarm.payload.get("fragment_id", ""))
        self.book.alarms.clear()

    def stage(self, person: str) -> str | None:
        return self.book.standing(person).stage

    def standings(self) -> dict[str, Standing]:
        """Of everybody who is there."""
        return {key: one for key, one in self.book.standings.items() if one.is_present}

    def told(self, kind: type[Event], person: str | None = None) -> list[Any]:
        return [event for event in self.book.said if type(event) is kind and (person is None or event.person_id == person)]  # type: ignore[attr-defined]

    def way(self, person: str) -> list[str]:
        """The stages that were said of a person, corrections in brackets."""
        steps = [event for event in self.book.said if isinstance(event, StageEntered | StageCorrected) and event.person_id == person]
        return [event.stage if isinstance(event, StageEntered) else f"({event.stage})" for event in steps]
