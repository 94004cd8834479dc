"""Rows and the values they stand for. Canonical: equal states give equal rows.

A fact's interaction is packed: its JSON without what is empty and without its id, deflated with a dictionary of what
interactions look like. A page view of 900 bytes of JSON takes about 300.
"""

from __future__ import annotations

import zlib
from dataclasses import replace
from functools import lru_cache
from typing import Any

import orjson
from pydantic_core import to_json

from contracts.events.identity import InteractionRecognized
from contracts.limits import VALUE_BYTES
from contracts.values import Interaction, NamedBy
from people_kernel.profile import Attributes, attributes_from_text, attributes_to_text
from services.scoring.domain.accounts import AccountName, belongs_to
from services.scoring.domain.claims import (
    Claims,
    RecognizedIds,
    TraitFact,
    browser_named,
    claims_anew,
    recognized_ids,
    stored_trait_fact,
)
from services.scoring.domain.profile import Fit, Knowledge, fitting
from services.scoring.domain.receipts import ENGAGEMENT, FIT, StoredReceipt
from services.scoring.domain.score_decay import Accumulators
from services.scoring.domain.workspace import Fragment, Person, ScoreSnapshot

Row = dict[str, Any]

_SAID = ("said_fit_e4", "said_engagement_e4", "said_cell", "said_at")  # the fields of a snapshot
_WORTH_COUNTING = 4  # zeros
_SUMS_AT_HAND = 1_024  # a batch has at most 500 people; a text is some 60 bytes, and 1,200 where half-lives are short


def to_text(value: Any) -> str:
    """Canonical JSON."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


def sums_to_text(sums: Accumulators) -> str:
    return _text_of(tuple(sums.items()))


@lru_cache(maxsize=_SUMS_AT_HAND)  # most people have one fragment, and its sums
def _text_of(sums: tuple[tuple[int, int], ...]) -> str:
    return to_text({str(half_life): _hexadecimal(total) for half_life, total in sums})


# equal texts are one object: then what a person earns is added once, and not to their fragment as well
@lru_cache(maxsize=_SUMS_AT_HAND)
def sums_from_text(text: str) -> Accumulators:
    return {int(half_life): _integer(total) for half_life, total in orjson.loads(text).items()}


def _hexadecimal(total: int) -> str:
    """A weight is 80 bits with zeros behind, one for each half-life since the epoch: these are counted."""
    zeros = ((total & -total).bit_length() - 1) // 4
    return f"{total >> 4 * zeros:x}@{zeros}" if zeros > _WORTH_COUNTING else f"{total:x}"


def _integer(digits: str) -> int:
    bare, _, zeros = digits.partition("@")
    return int(bare, 16) << 4 * int(zeros or 0)


def fragment_row(fragment: Fragment) -> Row:
    known, key = fragment.knowledge, fragment.knowledge.last_key
    return {
        "fragment_id": fragment.fragment_id,
        "person_id": fragment.person_id,
        "graph_version": fragment.graph_version,
        "sums": sums_to_text(fragment.sums),
        "latest_at": fragment.latest_at,
        "is_test": fragment.is_test,
        "is_marked": fragment.is_marked,
        "attributes": attributes_to_text(known.attributes) if known.attributes else None,
        "fit_version": known.version,
        "last_trait_at": None if key is None else key[0],
        "last_trait_id": None if key is None else key[1],
        "written": to_text(dict(fragment.written)) if fragment.written else None,
        "counted": orjson.dumps(fragment.counted).decode() if fragment.counted else None,
        "is_complete": fragment.is_complete,
    }


def fragment_of(row: Any) -> Fragment:
    key = None if row.last_trait_at is None else (row.last_trait_at, row.last_trait_id)
    return Fragment(
        fragment_id=row.fragment_id,
        person_id=row.person_id,
        graph_version=row.graph_version,
        sums=sums_from_text(row.sums),
        latest_at=row.latest_at,
        is_test=row.is_test,
        is_marked=row.is_marked,
        knowledge=Knowledge(_attributes_of(row.attributes), row.fit_version, key),
        written={} if row.written is None else orjson.loads(row.written),
        counted=() if row.counted is None else tuple((at, key) for at, key in orjson.loads(row.counted)),
        is_complete=row.is_complete,
    )


def person_row(person: Person) -> Row:
    key = person.fit.last_key
    return {
        "person_id": person.person_id,
        "graph_version": person.graph_version,
        "evaluated_at": person.evaluated_at,
        "latest_at": person.latest_at,
        "is_test": person.is_from_tests,
        "is_marked": person.is_marked,
        "attributes": attributes_to_text(person.fit.attributes),
        "held": to_text(dict(person.fit.held)),
        "fit_version": person.fit.version,
        "last_trait_at": None if key is None else key[0],
        "last_trait_id": None if key is None else key[1],
        "sums": sums_to_text(person.sums),
        **_said_columns(person.said),
        "fades_at": person.fades_at,
        "account_id": belongs_to(person.fit.attributes),
        "shared": attributes_to_text(person.fit.shared) if person.fit.shared else None,
    }


def person_of(row: Any) -> Person:
    key = None if row.last_trait_at is None else (row.last_trait_at, row.last_trait_id)
    return Person(
        person_id=row.person_id,
        graph_version=row.graph_version,
        evaluated_at=row.evaluated_at,
        fit=Fit(
            _profile_of(row.attributes),
            orjson.loads(row.held),
            row.fit_version,
            key,
            attributes_from_text(row.shared or "{}"),
        ),
        sums=sums_from_text(row.sums),
        latest_at=row.latest_at,
        is_from_tests=row.is_test,
        is_marked=row.is_marked,
        said=_said_of(row),
        fades_at=row.fades_at,
    )


def _attributes_of(text: str | None) -> Attributes:
    return {} if text is None else attributes_from_text(text)


def _profile_of(text: str) -> Attributes:
    """A profile of before there were sizes may be larger than there is room."""
    attributes = attributes_from_text(text)
    return fitting(attributes) if len(text) > VALUE_BYTES else attributes


def _said_columns(said: ScoreSnapshot | None) -> Row:
    return dict(zip(_SAID, said or (None,) * len(_SAID), strict=True))


def _said_of(row: Any) -> ScoreSnapshot | None:
    return None if row.said_at is None else ScoreSnapshot(*(getattr(row, name) for name in _SAID))


def fact_row(event: InteractionRecognized, version: int, claims: Claims | None) -> Row:
    """`claims`: what the interaction says of the person, if anything."""
    interaction, recognition = event.interaction, recognized_ids(event)
    return {
        "interaction_id": interaction.interaction_id,
        "fragment_id": event.fragment_id,
        "occurred_at": interaction.occurred_at,
        "heard_at": event.meta.at,
        "kind": interaction.kind.value,
        "name": None if interaction.name is None else interaction.name.replace("\0", ""),
        "has_traits": claims is not None,
        "strength": event.strength.value,
        "rulebook_version": version,
        "body": "",
        "account_id": recognition.account_id,
        "user_id": recognition.user_id,
        "packed": packed(interaction),
        "claims": None if claims is None else to_text(claims),
        "account_named_by": None if recognition.account_named_by is None else recognition.account_named_by.value,
        "anonymous_id": browser_named(event),
    }


def interaction_of(row: Any) -> Interaction:
    """The interaction of a fact's row."""
    return Interaction.model_validate_json(row.body) if row.packed is None else unpacked(row.interaction_id, row.packed)


def trait_fact_of(row: Any) -> TraitFact:
    """What a fact claims; of before claims were kept with it, it is read again."""
    interaction = interaction_of(row)
    ids = RecognizedIds(row.account_id, row.user_id)
    claims = claims_anew(interaction, ids) if row.claims is None else orjson.loads(row.claims)
    fact = stored_trait_fact(interaction, row.fragment_id, row.strength, row.rulebook_version, claims)
    return fact if row.account_named_by is None else replace(fact, account_named_by=NamedBy(row.account_named_by))


def account_row(account: AccountName) -> Row:
    return {**account._asdict(), "facts": attributes_to_text(account.facts) if account.facts else None}


def account_of(row: Any) -> AccountName:
    return AccountName(row.account_id, row.current_id, row.version, _attributes_of(row.facts))


def receipt_row(receipt: StoredReceipt) -> Row:
    # in their order: what is told from the store is told to the byte as it was at first
    return {**receipt._asdict(), "inputs": orjson.dumps(receipt.inputs).decode()}


def receipt_of(row: Any) -> StoredReceipt:
    return StoredReceipt(
        receipt_id=row.receipt_id,
        fragment_id=row.fragment_id,
        at=row.at,
        measure=FIT if row.measure == FIT else ENGAGEMENT,
        rule=row.rule,
        rulebook=row.rulebook,
        points_e4=row.points_e4,
        half_life=row.half_life,
        cause_id=row.cause_id,
        inputs=orjson.loads(row.inputs),
        sentence=row.sentence,
    )


_FIRST = 1  # the dictionary that bytes were packed with; one that was used once is kept for ever

# what comes last is nearest, and cheapest to refer to
DICTIONARIES = {
    _FIRST: (
        b'"traits":{"firstName":"lastName":"name":"title":"company":{"name":"employees":"industry":"email":"phone":"country":"account":'
        b'{"group_id":"name":"domain":"traits":{"budget":"timeline":"authority":"need":"plan":"website":"city":"extra":{"integrations":{'
        b'"category":"label":"value":"currency":"EUR""USD""revenue":"products":["flags":["clock_corrected","time_missing","future_clamped"],'
        b'"kind":"identify"'
        b'"kind":"form"'
        b'"kind":"track","name":"Form Submitted""Demo Requested""Signed Up""Button Clicked"'
        b"Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Mobile/15E148 Safari/604.1 (Windows NT 10.0; Win64;"
        b" x64) Gecko/20100101 Firefox/"
        b'"campaign":{"name":"source":"google","medium":"cpc","term":"content":"referrer":{"type":"search","url":"https://www.google.com/"'
        b'"os":{"name":"device":{"type":"screen":{"width":1920,"height":1080,"density":'
        b'"context":{"ip":"127.0.0.1","library":{"name":"analytics.js","version":"userAgentData":{"brands":[{"brand":"Chromium","version":"12'
        b'"mobile":false,"platform":"Windows"},"timezone":"Europe/Berlin","locale":"en-US","userAgent":"Mozilla/5.0'
        b" (Macintosh; Intel Mac OS X "
        b"10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0"
        b' Safari/537.36","page":{"path":"/pricing","referrer":"","search":"",'
        b'"title":"Pricing","url":"https://www.example.com/"},'
        b'"properties":{"path":"/pricing","referrer":"https://www.google.com/","search":"?utm_source=&utm_medium=&utm_campaign=","title":'
        b'"Pricing","url":"https://www.example.com/pricing"},'
        b'{"kind":"page","name":"source_id":"src_01J","source_kind":"server","source_kind":"web","is_test":true,"message_id":"ajs-next-'
        b'"occurred_at":"2026-01-01T00:00:00.000000Z","received_at":"2026-01-01T00:00:00.000000Z"'
    )
}


# bytes: with the dictionary they fit a window of 4 KB, so that a small state finds all that a large one would
_SHORT = 2_000
_small = zlib.compressobj(6, wbits=-12, memLevel=5, zdict=DICTIONARIES[_FIRST])


def packed(interaction: Interaction) -> bytes:
    """The bytes of `interaction`."""
    text = interaction.model_dump_json(exclude_defaults=True, exclude={"interaction_id"}).encode()
    return bytes([_FIRST]) + deflated(text)


def deflated(text: bytes) -> bytes:
    """`text`, smaller.

    Most of what is captured is short: then a small state that has read the dictionary is copied. A fresh one of 260 KB
    that is to read it first takes twice the time, and is cold in every cache.
    """
    deflate = _small.copy() if len(text) <= _SHORT else zlib.compressobj(6, wbits=-15, zdict=DICTIONARIES[_FIRST])
    return deflate.compress(text) + deflate.flush()


def unpacked(interaction_id: str, data: bytes) -> Interaction:
    """The interaction that `packed` took."""
    text = zlib.decompressobj(wbits=-15, zdict=DICTIONARIES[data[0]]).decompress(data[1:])
    return Interaction.model_validate_json(b'{"interaction_id":%s,%s' % (to_json(interaction_id), text[1:]))
