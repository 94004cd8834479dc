"""The values that events, rules and answers share."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, PlainSerializer

from contracts.texts import counted, quoted, shortened

JsonObject = dict[str, Any]
"""A JSON object as it came: keys and values are the sender's."""

Points = Annotated[Decimal, PlainSerializer(float, return_type=float, when_used="json")]
"""Points of a score: decimal inside, so that sums and rounding are exact; a JSON number outside
(at most 4 decimals, so exact there too).
"""


class Value(BaseModel):
    """An immutable value."""

    model_config = ConfigDict(frozen=True)


class IdentifierKind(StrEnum):
    """What an identifier is, strongest first; the order decides which one an interaction hangs on."""

    USER_ID = "user_id"
    EMAIL = "email"
    PHONE = "phone"
    ANONYMOUS_ID = "anonymous_id"


class Strength(StrEnum):
    """How far a link between identities is believed."""

    CLAIMED = "claimed"  # a visitor typed it
    INFERRED = "inferred"  # a rule or a model guessed it
    VERIFIED = "verified"  # a server with a secret key, or a tokenised link, vouched for it
    MANUAL = "manual"  # a human decided


class SourceKind(StrEnum):
    """Who is speaking: a public write key (its identifiers are claims) or a secret one (it verifies)."""

    WEB = "web"
    SERVER = "server"


class InteractionKind(StrEnum):
    """What was done."""

    IDENTIFY = "identify"
    TRACK = "track"
    PAGE = "page"
    SCREEN = "screen"
    GROUP = "group"
    ALIAS = "alias"
    FORM = "form"


class Flag(StrEnum):
    """What was odd about a capture, and what was done about it."""

    FUTURE_CLAMPED = "future_clamped"  # occurred_at lay in the future and was set to received_at
    CLOCK_CORRECTED = "clock_corrected"  # the sender's clock was off; sentAt gave the correction
    HONEYPOT = "honeypot"  # a field no human sees was filled in
    TIME_MISSING = "time_missing"  # no occurred_at was claimed
    TIME_UNREADABLE = "time_unreadable"  # a claimed time could not be read
    FILES_DROPPED = "files_dropped"  # file parts of a form were not kept; their names are in context.files
    EMAIL_UNREADABLE = "email_unreadable"  # what stands where an address should is none; it is kept as it came
    PHONE_UNREADABLE = "phone_unreadable"  # likewise for a telephone number


class CandidateStatus(StrEnum):
    """What became of two people who may be one."""

    OPEN = "open"  # nobody has decided yet
    CONFIRMED = "confirmed"  # a human joined them
    REJECTED = "rejected"  # a human says that they are two; machines do not ask again


class WithheldReason(StrEnum):
    """Why an interaction is kept apart from people: nobody did it."""

    HONEYPOT = "honeypot"  # a field no human sees was filled in
    CRAWLER = "crawler"  # reads pages for a search engine, an archive, a model
    LINK_SCANNER = "link_scanner"  # opens links to look for harm, or to draw a preview
    MONITOR = "monitor"  # asks whether a site is up


class Identifier(Value):
    """One name a person goes by."""

    kind: IdentifierKind
    value: Annotated[str, Field(min_length=1, max_length=512)]


class NamedBy(StrEnum):
    """How an account was named, the least direct first."""

    EMAIL = "email"  # by the domain of an address
    NAME = "name"
    DOMAIN = "domain"
    GROUP_ID = "group_id"
    GROUP_CALL = "group_call"  # a call that says nothing else


class Belonging(Value):
    """To which account an interaction says that the person belongs. `account_id` is as it was named: it may have turned
    out to be another.
    """

    account_id: str
    named_by: NamedBy


class AccountClaim(Value):
    """The company an interaction says the person belongs to."""

    group_id: str | None = None
    name: str | None = None
    domain: str | None = None
    traits: JsonObject = Field(default_factory=dict)


class Interaction(Value):
    """One thing a person did, as it was captured; never rewritten."""

    interaction_id: str
    kind: InteractionKind
    name: str | None = None  # event, page, screen or form name
    source_id: str
    source_kind: SourceKind
    is_test: bool = False
    message_id: str
    occurred_at: AwareDatetime
    received_at: AwareDatetime
    flags: tuple[Flag, ...] = ()
    traits: JsonObject = Field(default_factory=dict)  # claims about the person
    properties: JsonObject = Field(default_factory=dict)  # of the interaction itself
    context: JsonObject = Field(default_factory=dict)  # page, campaign, ip, userAgent, locale, timezone, ...
    account: AccountClaim | None = None
    extra: JsonObject = Field(default_factory=dict)  # unknown fields are kept, not refused


class Money(Value):
    """An amount in a currency; a decimal string in JSON, so that nobody rounds it."""

    amount: Annotated[Decimal, Field(ge=-(10**12), le=10**12, max_digits=16, decimal_places=4, examples=["12500.00"])]
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$", description="ISO 4217", examples=["EUR"])]


class Consent(StrEnum):
    """What somebody said about being written to or called."""

    GRANTED = "granted"
    WITHDRAWN = "withdrawn"


class ConsentChannel(StrEnum):
    """By which way somebody may be reached; a statement about `any` is about all of them."""

    ANY = "any"
    EMAIL = "email"
    PHONE = "phone"
    POST = "post"


class Contribution(Value):
    """What a decision added to a measure: `points` at `at`, halving every `half_life_days` (None: does not fade)."""

    measure: Literal["fit", "engagement"]
    points: Points
    half_life_days: Points | None = None


class Receipt(Value):
    """Why a decision came out as it did.

    `inputs` are the values the rule read; `rejected` names the alternatives and why not;
    `sentence` says it in plain words. Each has a size (`contracts.limits`), and what is longer is
    cut, so that whatever carries receipts can be sent.
    """

    receipt_id: str
    at: AwareDatetime
    owner: str  # the service that decided
    kind: str  # e.g. score.engagement, score.fit, stage.move, treatment.choice, referral.assignment
    person_id: str
    fragment_id: str
    cause_id: str  # the interaction or event that brought it about
    rule: str
    rulebook: str  # e.g. scoring@1
    inputs: Annotated[JsonObject, AfterValidator(quoted)] = Field(default_factory=dict)
    contribution: Contribution | None = None
    outcome: str | None = None  # what was decided: a stage, a treatment, a rep
    rejected: Annotated[tuple[str, ...], AfterValidator(counted)] = ()
    sentence: Annotated[str, AfterValidator(shortened)]


class Scores(Value):
    """How well a person fits and how engaged they are, at `at`: points and the grid cell (`B2`)."""

    fit: Points
    engagement: Points
    cell: str
    at: datetime
