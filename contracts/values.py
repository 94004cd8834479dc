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
    value: Annotated[
        str,
        Field(
            min_length=1,
            max_length=512,
            description="The name itself: an address, a number, a user id, a browser's id",
            examples=["ada@example.com"],
        ),
    ]


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

    group_id: str | None = Field(
        default=None, description="The id that the source groups by; null: it told none", examples=["grp-77"]
    )
    name: str | None = Field(
        default=None, description="What the company is called; null: nobody said", examples=["Example Ltd."]
    )
    domain: str | None = Field(
        default=None, description="Its domain on the web; null: nobody said", examples=["example.com"]
    )
    traits: JsonObject = Field(
        default_factory=dict, description="What else was told of the company, as it came", examples=[{"employees": 120}]
    )


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

    amount: Annotated[
        Decimal,
        Field(
            ge=-(10**12),
            le=10**12,
            max_digits=16,
            decimal_places=4,
            description="Units of the currency, as decimal text with a point",
            examples=["12500.00"],
        ),
    ]
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

    measure: Literal["fit", "engagement"] = Field(description="Which score it adds to", examples=["engagement"])
    points: Points = Field(description="What it was worth when it was made; below 0 it takes away", examples=[40.0])
    half_life_days: Points | None = Field(
        default=None, description="Days after which half of it is left; null: it does not fade", examples=[30.0]
    )


class Receipt(Value):
    """Why a decision came out as it did.

    `inputs` are the values the rule read; `rejected` names the alternatives and why not;
    `sentence` says it in plain words. Each has a size (`contracts.limits`), and what is longer is
    cut, so that whatever carries receipts can be sent.
    """

    receipt_id: str = Field(description="Which receipt", examples=["rcp_01J8Z0"])
    at: AwareDatetime = Field(
        description="The moment that the decision is of, in UTC", examples=["2026-03-01T08:00:00Z"]
    )
    owner: str = Field(description="The service that decided", examples=["scoring"])
    kind: str = Field(
        description="What was decided on: `score.fit`, `score.engagement`, `stage.move`, `treatment.choice`, ...",
        examples=["score.engagement"],
    )
    person_id: str = Field(description="Whom it is about", examples=["per_01J8Z0"])
    fragment_id: str = Field(description="What it hangs on; a split takes it along", examples=["frg_01J8Z0"])
    cause_id: str = Field(
        description="What brought it about: an interaction, an event, a timer, a request", examples=["int_01J8Z0"]
    )
    rule: str = Field(description="The rule that decided", examples=["demo_requested"])
    rulebook: str = Field(description="The version that the rule stands in", examples=["scoring@1"])
    inputs: Annotated[JsonObject, AfterValidator(quoted)] = Field(
        default_factory=dict,
        description="The values that the rule read, by name; long ones are cut",
        examples=[{"interaction.name": "Demo request"}],
    )
    contribution: Contribution | None = Field(
        default=None, description="What it added to a score; null: it is about no score"
    )
    outcome: str | None = Field(
        default=None,
        description="What was decided: a stage, a treatment, a rep; null for points, or where nothing was chosen",
        examples=["mql"],
    )
    rejected: Annotated[tuple[str, ...], AfterValidator(counted)] = Field(
        default=(),
        description="The alternatives, each with why not; the last line counts those that are left out",
        examples=[["accepted: waits for a rep"]],
    )
    sentence: Annotated[str, AfterValidator(shortened)] = Field(
        description="Why, in plain words", examples=["Asked for a demo."]
    )


class Scores(Value):
    """How well a person fits and how engaged they are, at `at`: points and the grid cell (`B2`)."""

    fit: Points = Field(description="How well person and company match whom we sell to, in points", examples=[55.0])
    engagement: Points = Field(description="How much the person does, in points that fade", examples=[40.0])
    cell: str = Field(description="The cell of the grid: fit A-D, engagement 1-4", examples=["B2"])
    at: datetime = Field(description="The moment that the points are of, in UTC", examples=["2026-03-01T08:00:00Z"])
