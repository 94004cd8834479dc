"""Which company: the account that was claimed, else the one the e-mail's domain stands for."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from typing import Final

import orjson

from contracts.envelope import Event, following
from contracts.events.gateway import InteractionReceived
from contracts.events.identity import AccountChanged, AccountCreated
from contracts.ids import hash_id
from contracts.limits import ACCOUNT_TRAITS, NAME_CHARACTERS, VALUE_BYTES
from contracts.maildomains import company_domain
from contracts.values import AccountClaim, JsonObject
from people_kernel.workspace import Pages
from semantics.identifiers import domain_spelling, email_domain

AccountKey = tuple[str, str]
"""("group_id" | "domain" | "name", normalised value); the strongest kind comes first."""

_LONGEST_KEY: Final = 255


@dataclass(frozen=True, slots=True)
class Account:
    """A company. `survivor_id` is set when it turned out to be another one that was known already."""

    account_id: str
    created_at: datetime
    group_id: str | None = None
    domain: str | None = None
    name_key: str | None = None  # only of accounts of which no more than a name is known
    name: str | None = None
    traits: JsonObject = field(default_factory=dict)
    survivor_id: str | None = None


@lru_cache(maxsize=65_536)
def registrable_domain(domain: str) -> str | None:
    """What a company registered (acme.co.uk of mail.acme.co.uk); None for a public suffix and for free mail."""
    spelling = domain_spelling(domain)
    return company_domain(spelling) if spelling else None


def account_keys(claim: AccountClaim | None, emails: Iterable[str] = ()) -> list[AccountKey]:
    """What an account claim and normalised e-mail addresses could be known by, strongest first."""
    keys = [] if claim is None else _claimed_keys(claim)
    return keys + [("domain", domain) for email in emails if (domain := registrable_domain(email_domain(email)))]


class AccountPages(Pages[str, Account]):
    """Accounts by id, and by what they are known."""

    __slots__ = ("_by_key",)

    def __init__(self, accounts: Iterable[Account] = ()) -> None:
        super().__init__({account.account_id: account for account in accounts})
        self._by_key: dict[AccountKey, str] = {}
        for account in self.values():
            self._index(account)

    def current(self, account_id: str | None) -> str | None:
        """The account that `account_id` stands for today."""
        while account_id and (known := self.get(account_id)) and known.survivor_id:
            account_id = known.survivor_id
        return account_id

    def of_email(self, email: str, cause: InteractionReceived) -> tuple[str | None, list[Event]]:
        """The account of a business address, created when it is new."""
        keys = account_keys(None, (email,))
        return self._settle(keys, AccountClaim(), cause, is_verified=False) if keys else (None, [])

    def of_claim(
        self, claim: AccountClaim, emails: Iterable[str], cause: InteractionReceived, *, is_verified: bool
    ) -> tuple[str | None, list[Event]]:
        """The account that is claimed. A bare name beside a business address names that address's company."""
        keys = _claimed_keys(claim)
        if keys and keys[0][0] == "name":
            keys = account_keys(None, emails)[:1] or keys
        return self._settle(keys, claim, cause, is_verified=is_verified) if keys else (None, [])

    def _settle(
        self, keys: list[AccountKey], claim: AccountClaim, cause: InteractionReceived, *, is_verified: bool
    ) -> tuple[str, list[Event]]:
        said: list[Event] = []
        found = self._find(keys)
        if found is None:
            found = self._create(keys, claim, cause.meta.at)
            meta = following(cause, AccountCreated.wire_name, found.account_id)
            said.append(
                AccountCreated(
                    meta=meta,
                    account_id=found.account_id,
                    domain=found.domain,
                    group_id=found.group_id,
                    name=found.name,
                )
            )
        account = self._absorb(found, keys)
        account = _with_keys(account, self._free(keys))
        account = _with_claims(account, claim, is_verified=is_verified)
        if account != found:
            self._keep(account)
            said.append(_changed(account, cause))
        return account.account_id, said

    def _find(self, keys: list[AccountKey]) -> Account | None:
        """The account of the strongest key; a weaker key's if that one lacks the stronger key (else it is somebody
        else's).
        """
        for key in keys:
            held = self.get(self._by_key.get(key, ""))
            if held is not None and (key == keys[0] or getattr(held, keys[0][0]) is None):
                return held
        return None

    def _create(self, keys: list[AccountKey], claim: AccountClaim, at: datetime) -> Account:
        account = replace(
            _with_keys(Account(hash_id("acc", *keys[0]), at), self._free(keys)), name=_clean_name(claim.name)
        )
        self._keep(account)
        return account

    def _free(self, keys: list[AccountKey]) -> list[AccountKey]:
        return [key for key in keys if key not in self._by_key]

    def _absorb(self, account: Account, keys: list[AccountKey]) -> Account:
        """Group id and domain, claimed together, were known apart: the older account takes over what the younger was
        known by.
        """
        for other in [self[self._by_key[key]] for key in keys if key in self._by_key]:
            if other.account_id == account.account_id or _contradict(account, other):
                continue
            survivor, absorbed = sorted((account, other), key=lambda one: (one.created_at, one.account_id))
            account = replace(
                survivor,
                group_id=survivor.group_id or absorbed.group_id,
                domain=survivor.domain or absorbed.domain,
                name=survivor.name or absorbed.name,
                traits=_filled(survivor.traits, absorbed.traits, ACCOUNT_TRAITS),
            )
            self[absorbed.account_id] = replace(
                absorbed, group_id=None, domain=None, name_key=None, survivor_id=account.account_id
            )
        return account

    def _keep(self, account: Account) -> None:
        self[account.account_id] = account
        self._index(account)

    def _index(self, account: Account) -> None:
        for kind, value in (("group_id", account.group_id), ("domain", account.domain), ("name", account.name_key)):
            if value is not None:
                self._by_key[kind, value] = account.account_id


def search_text_of(account: Account) -> str:
    """By what an account is searched; by nothing, when it turned out to be another."""
    parts = () if account.survivor_id else (account.name, account.domain, account.group_id)
    return "\n".join(part for part in parts if part)


def _changed(account: Account, cause: InteractionReceived) -> Event:
    return AccountChanged(
        meta=following(cause, AccountChanged.wire_name, account.account_id),
        account_id=account.account_id,
        domain=account.domain,
        group_id=account.group_id,
        name=account.name,
        traits=account.traits,
    )


def _contradict(one: Account, other: Account) -> bool:
    """Two group ids, or two domains, are two companies until a human says otherwise."""
    return bool((one.group_id and other.group_id) or (one.domain and other.domain))


def _claimed_keys(claim: AccountClaim) -> list[AccountKey]:
    keys: list[AccountKey] = []
    if group_id := _plain(claim.group_id):
        keys.append(("group_id", group_id))
    if claim.domain and (domain := registrable_domain(claim.domain.strip()[: _LONGEST_KEY + 1])):
        keys.append(("domain", domain))
    if not keys and (name := _clean_name(claim.name)):
        keys.append(("name", unicodedata.normalize("NFKC", name.casefold())[:_LONGEST_KEY]))
    return keys


def _with_keys(account: Account, keys: Iterable[AccountKey]) -> Account:
    """Add the keys that the account lacks; what it is known by already is not overwritten."""
    for kind, value in keys:
        attribute = "name_key" if kind == "name" else kind
        if getattr(account, attribute) is None:
            account = replace(account, **{attribute: value})  # type: ignore[arg-type]  # one of the three names above
    return account


def _with_claims(account: Account, claim: AccountClaim, *, is_verified: bool) -> Account:
    """A claim fills what is not known; a server's word replaces what is."""
    name, traits = _clean_name(claim.name), _bounded(claim.traits)
    if is_verified:
        return replace(account, name=name or account.name, traits=_filled(traits, account.traits, ACCOUNT_TRAITS))
    most = max(len(account.traits), ACCOUNT_TRAITS // 2)
    return replace(account, name=account.name or name, traits=_filled(account.traits, traits, most))


def _bounded(traits: JsonObject) -> JsonObject:
    """What can be kept on an account; the interaction keeps the rest."""
    return {
        name: value
        for name, value in traits.items()
        if len(name) <= NAME_CHARACTERS and len(orjson.dumps(value)) <= VALUE_BYTES
    }


def _filled(first: JsonObject, then: JsonObject, most: int) -> JsonObject:
    """All of `first`, and as much of `then` as there is room; in the order of names, which every store keeps alike."""
    kept = {name: first[name] for name in sorted(first)[:most]}
    others = [name for name in sorted(then) if name not in kept]
    return kept | {name: then[name] for name in others[: most - len(kept)]}


def _plain(text: str | None) -> str | None:
    """Trimmed, printable and bounded, or nothing."""
    cleaned = (text or "").strip()
    return cleaned if 0 < len(cleaned) <= _LONGEST_KEY and cleaned.isprintable() else None


def _clean_name(name: str | None) -> str | None:
    return _plain(" ".join(unicodedata.normalize("NFKC", name).split())) if name else None
