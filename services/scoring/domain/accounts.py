"""Companies as identity tells of them: by which ids each was known, and what all its people share.

What is known of a company counts for everybody who belongs to it, as one source more, and is believed no more than that
they belong there. It is copied onto the person when they come to belong and when it changes, so that no event about a
person has to look it up.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

from contracts.events.identity import AccountChanged, AccountMerged, AccountPart, AccountSplit
from contracts.events.scoring import Attribute
from contracts.values import Strength
from people_kernel.beliefs import believed, join, weakened
from people_kernel.profile import Attributes
from people_kernel.workspace import Cause, Pages, heard

AccountTold = AccountChanged | AccountMerged | AccountSplit
ACCOUNT: Final = "account_id"
"""The attribute that says to which account somebody belongs."""
_NOTHING: Attributes = {}
_NAMES: Final = frozenset(("company", "company_domain", "website"))
_TRUSTED: Final = frozenset((Strength.VERIFIED, Strength.MANUAL))


class AccountName(NamedTuple):
    """One id that a company was ever known by; what is known of it is kept with the id that it answers with today."""

    account_id: str
    current_id: str
    version: int
    facts: Attributes = _NOTHING


class KnownAccounts(Pages[str, AccountName]):
    """Accounts by id; those that nothing was heard of are companies of their own."""

    __slots__ = ()

    def shared_with(self, attributes: Attributes) -> Attributes:
        """What whoever has this profile shares with the company they belong to; with the id it answers with."""
        belongs = attributes.get(ACCOUNT)
        named = None if belongs is None or not isinstance(belongs.value, str) else self.get(belongs.value)
        if belongs is None or named is None:
            return _NOTHING
        current = self.get(named.current_id, named)
        return {
            **weakened(_of_all(current.facts), belongs.strength),
            ACCOUNT: belongs.model_copy(update={"value": named.current_id}),
        }

    def hear(self, event: AccountTold) -> list[str]:
        """The accounts whose people may know something else now, by the ids they answer with."""
        return [part.account_id for part in parts_of(event) if self._place(part)]

    def _place(self, part: AccountPart) -> bool:
        is_news = False
        for account_id in part.account_ids:
            known = self.get(account_id)
            if known is None or known.version < part.version:
                is_root = account_id == part.account_id
                facts = dict(part.facts) if is_root else _NOTHING
                self[account_id] = AccountName(account_id, part.account_id, part.version, facts)
                is_news = True
        return is_news


def _of_all(facts: Attributes) -> Attributes:
    """What counts for each of its people: what a company is, by whoever told it; what it is called, where that is sure.
    How a visitor spells their employer is no word of their colleagues'.
    """
    return {name: one for name, one in facts.items() if name not in _NAMES or one.strength in _TRUSTED}


def parts_of(event: AccountTold) -> tuple[AccountPart, ...]:
    """The accounts that an event tells of, each with all its ids."""
    if isinstance(event, AccountSplit):
        return event.parts
    return () if event.whole is None else (event.whole,)


def ids_in(events: Iterable[AccountTold]) -> set[str]:
    return {account_id for event in events for part in parts_of(event) for account_id in part.account_ids}


def belongs_to(attributes: Attributes) -> str | None:
    """The id of the account that somebody belongs to, as it was named."""
    belongs = attributes.get(ACCOUNT)
    return belongs.value if belongs is not None and isinstance(belongs.value, str) else None


def shown(attributes: Attributes, shared: Attributes) -> Attributes:
    """What is believed of a person: their own profile and what they share with their company, without what was taken
    back, and without what is believed less than what means the same.
    """
    if not shared:
        return believed(attributes)
    whole: Mapping[str, Attribute] = join(attributes, {name: one for name, one in shared.items() if name != ACCOUNT})
    return believed({**whole, ACCOUNT: shared[ACCOUNT]})


def cause_told(event: AccountTold) -> dict[str, Any]:
    """What a timer keeps of why people are to be judged anew."""
    cause = heard(event)
    correction = event.sentence if isinstance(event, AccountSplit) else None
    return {
        "cause": [cause.cause_id, cause.at.isoformat(), cause.correlation_id],
        "correction": None if correction is None else f"the account was split: {correction}",
    }


def cause_of(payload: Mapping[str, Any]) -> tuple[Cause, str | None]:
    """The same read back, and why it is a correction, if it is one."""
    cause_id, at, correlation_id = payload["cause"]
    moment = datetime.fromisoformat(at)
    return Cause(cause_id, moment, moment, correlation_id, cause_id), payload.get("correction")
