"""What humans change about companies: two accounts are one, or one is several.

What was said of a company hangs on the name it was said with, so that a split gives each part what came by its names,
and a merge that is cut leaves what would have been without it. Names that a human parted no machine joins again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from contracts.envelope import Event, beginning
from contracts.events.identity import AccountMerged, AccountSplit
from contracts.ids import derive_id
from contracts.limits import ACCOUNT_NAMES
from contracts.values import Strength
from services.identity.domain.account_claims import AccountKey
from services.identity.domain.accounts import Account, WholeAccount, refreshed, united
from services.identity.domain.links import HumanDecision


class AlreadyOneAccount(Exception):
    """The two are one company already."""


class TooManyNames(Exception):
    """The two together would have more names than one company may have."""


class NothingToPartOff(Exception):
    """The chosen names are none or all of the company's, or cannot be told apart from the rest."""


@dataclass(frozen=True, slots=True)
class AccountRegrouping:
    """What came of it: the companies that result, with all of their rows, and what is to be said."""

    wholes: tuple[WholeAccount, ...]
    said: Event
    sentence: str

    @property
    def accounts(self) -> tuple[Account, ...]:
        return tuple(part for whole in self.wholes for part in whole.parts)


def merge_accounts(one: WholeAccount, other: WholeAccount, decision: HumanDecision) -> AccountRegrouping:
    """Make one company of two, whatever machines would say. Raises AlreadyOneAccount, TooManyNames."""
    if one.account_id == other.account_id:
        raise AlreadyOneAccount(one.account_id)
    if len(one.parts) + len(other.parts) > ACCOUNT_NAMES:
        raise TooManyNames(
            f"{len(one.parts)} and {len(other.parts)} names are more than the {ACCOUNT_NAMES} that one company may have"
        )
    ids = {*one.account_ids, *other.account_ids}
    parts = (replace(part, parted=tuple(sorted(set(part.parted) - ids))) for part in (*one.parts, *other.parts))
    whole = _as_whole(united(parts), one.parts[0].version, other.parts[0].version)
    (absorbed,) = {one.account_id, other.account_id} - {whole.account_id}
    sentence = f"{decision.by} merged the two: {decision.reason}"
    event_id = derive_id("evt", decision.at, AccountMerged.wire_name, whole.account_id, absorbed, decision.by)
    said = AccountMerged(
        meta=beginning(event_id, decision.at),
        account_id=whole.account_id,
        absorbed_account_ids=(absorbed,),
        whole=whole.as_part(),
        strength=Strength.MANUAL,
        sentence=sentence,
    )
    return AccountRegrouping((whole,), said, sentence)


def split_account(whole: WholeAccount, keys: Collection[AccountKey], decision: HumanDecision) -> AccountRegrouping:
    """Make a company of its own of these names. Raises NothingToPartOff."""
    chosen = [part for part in whole.parts if not set(keys).isdisjoint(part.keys)]
    rest = [part for part in whole.parts if part not in chosen]
    if not chosen or not rest or any(not set(part.keys) <= set(keys) for part in chosen):
        raise NothingToPartOff
    version = whole.parts[0].version
    wholes = tuple(_as_whole(united(_parted(own, others)), version) for own, others in ((rest, chosen), (chosen, rest)))
    sentence = f"{decision.by} split them into 2: {decision.reason}"
    event_id = derive_id("evt", decision.at, AccountSplit.wire_name, whole.account_id, str(version), decision.by)
    said = AccountSplit(
        meta=beginning(event_id, decision.at),
        account_id=whole.account_id,
        parts=tuple(one.as_part() for one in wholes),
        sentence=sentence,
    )
    return AccountRegrouping(wholes, said, sentence)


def _as_whole(parts: tuple[Account, ...], *versions: int) -> WholeAccount:
    whole = WholeAccount(parts)
    return WholeAccount((refreshed(whole, max(versions) + 1), *parts[1:]))


def _parted(own: Iterable[Account], others: Iterable[Account]) -> list[Account]:
    ids = {one.account_id for one in others}
    return [replace(one, parted=tuple(sorted({*one.parted, *ids}))) for one in own]
