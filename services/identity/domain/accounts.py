"""Which company: the account that is named, else the one that the e-mail's domain stands for.

A group id, a domain and a bare name are to an account what identifiers are to a person: each has a row of its own, and
what is said of the company hangs on the row of the name it was said with. Rows that turned out to be one company have
one survivor, the oldest; what is known of the company is what all of them know. So a merge can be cut.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final, NamedTuple

from contracts.envelope import Event, following
from contracts.events.gateway import InteractionReceived
from contracts.events.identity import AccountChanged, AccountCreated, AccountMerged, AccountPart
from contracts.ids import hash_id
from contracts.values import JsonObject, Strength
from people_kernel.profile import RANK, Attributes
from people_kernel.workspace import Pages
from semantics.capture import CaptureReading
from semantics.identifiers import email_domain
from services.identity.domain.account_claims import (
    AccountKey,
    AccountNaming,
    all_facts,
    facts_told,
    name_in,
    registrable_domain,
    shared,
    tells_apart,
    traits_in,
)

_KINDS: Final = ("group_id", "domain", "name")


@dataclass(frozen=True, slots=True)
class Account:
    """One name of a company. `survivor_id` is set when it turned out to be another one that was known already; of a
    survivor, `name` and `traits` are those of the whole. `parted` are those that a human said it is not.
    """

    account_id: str
    created_at: datetime
    group_id: str | None = None
    domain: str | None = None
    name_key: str | None = None
    name: str | None = None
    traits: JsonObject = field(default_factory=dict)
    survivor_id: str | None = None
    facts: Attributes = field(default_factory=dict)
    version: int = 0
    parted: tuple[str, ...] = ()

    @property
    def keys(self) -> tuple[AccountKey, ...]:
        kinds = (("group_id", self.group_id), ("domain", self.domain), ("name", self.name_key))
        return tuple((kind, value) for kind, value in kinds if value is not None)


class WholeAccount(NamedTuple):
    """All that one company was known as, oldest first; the first is the one that all answer with."""

    parts: tuple[Account, ...]

    @property
    def account_id(self) -> str:
        return self.parts[0].account_id

    @property
    def account_ids(self) -> tuple[str, ...]:
        return tuple(one.account_id for one in self.parts)

    @property
    def keys(self) -> tuple[AccountKey, ...]:
        return tuple(key for one in self.parts for key in one.keys)

    @property
    def facts(self) -> Attributes:
        return all_facts(one.facts for one in self.parts)

    @property
    def is_vouched_for(self) -> bool:
        """Whether a server said anything of it."""
        return any(RANK[fact.strength] >= RANK[Strength.VERIFIED] for one in self.parts for fact in one.facts.values())

    def first(self, kind: str) -> str | None:
        return next((value for each, value in self.keys if each == kind), None)

    def as_part(self) -> AccountPart:
        return AccountPart(
            account_id=self.account_id,
            account_ids=self.account_ids,
            facts=shared(self.facts),
            version=self.parts[0].version,
        )


class AccountPages(Pages[str, Account]):
    """Accounts by id, and by what they are known; of each, all that it is known as."""

    __slots__ = ("_by_key", "_parts")

    def __init__(self, accounts: Iterable[Account] = ()) -> None:
        super().__init__({account.account_id: account for account in accounts})
        self._by_key = {key: one.account_id for one in self.values() for key in one.keys}
        self._parts: dict[str, set[str]] = {}
        for one in self.values():
            self._parts.setdefault(self.current(one.account_id), set()).add(one.account_id)

    def current(self, account_id: str) -> str:
        """The account that `account_id` stands for today."""
        while (known := self.get(account_id)) and known.survivor_id:
            account_id = known.survivor_id
        return account_id

    def whole(self, account_id: str) -> WholeAccount:
        return WholeAccount(oldest_first(self[one] for one in self._parts[self.current(account_id)]))

    def of_address(self, email: str, reading: CaptureReading) -> tuple[str | None, list[Event]]:
        """The account of a business address, created when it is new."""
        domain = registrable_domain(email_domain(email))
        if domain is None:
            return None, []
        return self._take((("domain", domain),), {}, reading)

    def of_naming(self, naming: AccountNaming, reading: CaptureReading) -> tuple[str, list[Event]]:
        """The row of the strongest name, with what is said of the company; and what is to be told of it."""
        return self._take(naming.keys, facts_told(reading), reading)

    def _take(self, keys: Sequence[AccountKey], facts: Attributes, reading: CaptureReading) -> tuple[str, list[Event]]:
        known = dict.fromkeys(self.current(self._by_key[key]) for key in keys if key in self._by_key)
        before = {one: self.whole(one) for one in known}
        named = [self._row_of(key, reading) for key in keys]
        for other in named[1:]:
            self._join(named[0], other, reading.strength)
        if facts:
            row = self[named[0]]
            self[named[0]] = replace(row, facts=all_facts((row.facts, facts)))
        if len(known) == 1 and not facts and len(keys) == 1:  # as of most: an address, seen again
            return named[0], []
        return named[0], [event for one in dict.fromkeys(named) for event in self._tell(one, before, reading)]

    def _row_of(self, key: AccountKey, reading: CaptureReading) -> str:
        if key not in self._by_key:
            kind, value = key
            names = {"name_key" if kind == "name" else kind: value}
            account = Account(hash_id("acc", *key), reading.capture.meta.at, **names)  # type: ignore[arg-type]  # one of three names
            self[account.account_id] = account
            self._by_key[key] = account.account_id
            self._parts[account.account_id] = {account.account_id}
        return self._by_key[key]

    def _join(self, one_id: str, other_id: str, strength: Strength) -> None:
        """Two names that were given together are one company's, unless that contradicts what is known."""
        one, other = self.whole(one_id), self.whole(other_id)
        if one.account_id == other.account_id or not may_join(one, other, strength):
            return
        for part in united((*one.parts, *other.parts)):
            self[part.account_id] = part
        self._parts[self.current(one_id)] = {*self._parts.pop(one.account_id), *self._parts.pop(other.account_id)}

    def _tell(self, named: str, before: dict[str, WholeAccount], reading: CaptureReading) -> list[Event]:
        """What became of the account that `named` is part of; `before` are those that were known."""
        after, capture = self.whole(named), reading.capture
        olds = [one for one in before if self.current(one) == after.account_id]
        if len(olds) == 1 and olds[0] == after.account_id and not _is_news(before[olds[0]], after):
            return []
        after = self._refreshed(after, max((before[one].parts[0].version for one in olds), default=0) + 1)
        for one in olds:
            before.pop(one)  # told
        before[after.account_id] = after
        said: list[Event] = []
        if after.account_id not in olds:
            said.append(_created(after, capture))
        absorbed = tuple(one for one in olds if one != after.account_id)
        if absorbed:
            said.append(_merged(after, absorbed, reading))
        if olds or after.facts or len(after.parts) > 1:
            said.append(_changed(after, capture))
        return said

    def _refreshed(self, whole: WholeAccount, version: int) -> WholeAccount:
        root = refreshed(whole, version)
        self[root.account_id] = root
        return WholeAccount((root, *whole.parts[1:]))


def oldest_first(accounts: Iterable[Account]) -> tuple[Account, ...]:
    return tuple(sorted(accounts, key=_age))


def united(accounts: Iterable[Account]) -> tuple[Account, ...]:
    """These as one company: the oldest survives."""
    first, *others = oldest_first(accounts)
    return replace(first, survivor_id=None), *(replace(one, survivor_id=first.account_id) for one in others)


def may_join(one: WholeAccount, other: WholeAccount, strength: Strength) -> bool:
    """Whether machines may take the two for one: two group ids, or two domains, are two companies until a human says
    otherwise; and what servers vouch for apart, no claim joins.
    """
    for kind in ("group_id", "domain"):
        if one.first(kind) is not None and other.first(kind) is not None:
            return False
    if any(not set(part.parted).isdisjoint(other.account_ids) for part in one.parts):
        return False
    return strength is not Strength.CLAIMED or not (one.is_vouched_for and other.is_vouched_for)


def refreshed(whole: WholeAccount, version: int) -> Account:
    """The survivor with what is known of the whole."""
    facts = whole.facts
    return replace(whole.parts[0], name=name_in(facts), traits=traits_in(facts), version=version)


def search_text_of(whole: WholeAccount) -> str:
    """By what an account is searched."""
    return "\n".join(dict.fromkeys(text for text in (whole.parts[0].name, *(value for _, value in whole.keys)) if text))


def _age(account: Account) -> tuple[datetime, int, str]:
    """Of one moment the strongest name is the oldest."""
    kinds = [kind for kind, _ in account.keys[:1]]
    return account.created_at, _KINDS.index(kinds[0]) if kinds else len(_KINDS), account.account_id


def _is_news(before: WholeAccount, after: WholeAccount) -> bool:
    return before.account_ids != after.account_ids or tells_apart(before.facts, after.facts)


def _created(whole: WholeAccount, capture: InteractionReceived) -> Event:
    return AccountCreated(
        meta=following(capture, AccountCreated.wire_name, whole.account_id),
        account_id=whole.account_id,
        domain=whole.first("domain"),
        group_id=whole.first("group_id"),
        name=whole.parts[0].name,
    )


def _changed(whole: WholeAccount, capture: InteractionReceived) -> Event:
    root = whole.parts[0]
    return AccountChanged(
        meta=following(capture, AccountChanged.wire_name, root.account_id),
        account_id=root.account_id,
        domain=whole.first("domain"),
        group_id=whole.first("group_id"),
        name=root.name,
        traits=root.traits,
        whole=whole.as_part(),
    )


def _merged(whole: WholeAccount, absorbed: tuple[str, ...], reading: CaptureReading) -> Event:
    interaction = reading.capture.interaction
    return AccountMerged(
        meta=following(reading.capture, AccountMerged.wire_name, whole.account_id),
        account_id=whole.account_id,
        absorbed_account_ids=absorbed,
        whole=whole.as_part(),
        strength=reading.strength,
        sentence=(
            f"{interaction.kind.value.capitalize()} {interaction.interaction_id} named both ({reading.strength.value})."
        ),
    )
