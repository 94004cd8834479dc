"""Who may be written to or called."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from fastapi import APIRouter
from pydantic import AwareDatetime, Field

from chassis.context import Context
from chassis.web.auth import Caller, require
from chassis.web.problems import problem_responses
from chassis.web.routes import Read, Write
from contracts.ids import with_prefix
from contracts.limits import CONSENT_SHOWN, REASON_CHARACTERS
from contracts.values import Consent, ConsentChannel, JsonObject, Strength
from people_kernel.consent import ChannelAnswer, answers
from semantics.consent import LONGEST_WORDING, ConsentClaim, tidy_wording
from services.identity.api.routes_people import current_id
from services.identity.api.views import LookupRequest, PersonId, RequestBody, View
from services.identity.api.views.people import consent_told
from services.identity.commands import people as commands
from services.identity.domain.consent import FragmentConsent, RecordedConsent
from services.identity.store import queries

router = APIRouter(tags=["consent"])

_BELIEVED = {
    Strength.CLAIMED: "whoever filled in a form or holds a public key",
    Strength.INFERRED: "a rule",
    Strength.VERIFIED: "a server, or a link that they confirmed",
    Strength.MANUAL: "a human",
}
_PERSON = "per_01JNQ5M0E8K3V7ZJ4T9XW2RBCD"
_WORDING = "Yes, send me the monthly newsletter"
_REASON = "Asked for the newsletter again at the fair, 12 May, stand 4"
_REMEDY = "Send them a consent link, let your server vouch for it, or record it with a reason"
_ROLES = ("marketing", "sales", "manager", "agent", "admin")


class ConsentStatementView(View):
    """What was said once about being reached by a channel."""

    channel: ConsentChannel
    consent: Consent
    occurred_at: AwareDatetime = Field(description="When it was said, in UTC", examples=["2026-03-02T09:30:00Z"])
    source_id: str = Field(
        description="The source of the capture, or `api:` and who said it",
        examples=["src_01JNQ5M0E8K3V7ZJ4T9XW2RBCD", "api:ada"],
    )
    interaction_id: str = Field(
        description="The capture that said it; `cns_...` when a human or a signed link did",
        examples=["int_01JNQ5M0E8K3V7ZJ4T9XW2RBCD"],
    )
    wording: str | None = Field(
        description="What was agreed to, as far as it was told; null: it was not", examples=[_WORDING]
    )
    fragment_id: str = Field(
        description="What the statement hangs on; a split takes it along", examples=["frg_01JNQ5M0E8K3V7ZJ4T9XW2RBCD"]
    )
    strength: Strength = Field(
        description="How far it is believed: claimed by a visitor, verified by a server or a signed link, manual by a"
        " human"
    )
    by: str | None = Field(
        description="Who recorded it, where it was a human or a key; null: a capture said it", examples=["ada"]
    )
    reason: str | None = Field(
        description="Why a human lifted a withdrawal; null: none was lifted by hand", examples=[_REASON]
    )
    evidence: JsonObject = Field(
        description="By what it was said, as far as it is known: `kind`, `name`, `form_id`, `page`",
        examples=[{"kind": "form", "form_id": "default", "page": "https://example.com/contact"}],
    )


class ConsentItem(ConsentStatementView):
    """What holds for a channel: the statement that decides, and why it does."""

    why: str = Field(
        description="Why this statement decides, in plain words",
        examples=["Granted by a server, or a link that they confirmed; no withdrawal stands."],
    )


class PendingConsent(ConsentStatementView):
    """A grant that came after a withdrawal and lifts nothing."""

    state: Literal["pending"] = Field(default="pending", description="It waits for a trusted grant")
    remedy: str = Field(description="What would let it count", examples=[_REMEDY])


class ConsentView(View):
    """What somebody said about being reached. A statement about `any` is about all channels;
    a channel that is not listed goes by it.
    """

    person_id: str = Field(description="Who it is now; the survivor of every merge", examples=[_PERSON])
    items: list[ConsentItem] = Field(description="What holds, by channel")
    pending: list[PendingConsent] = Field(description="Grants that wait for a trusted word, as a withdrawal stands")
    history: list[ConsentStatementView] = Field(
        description=f"What was ever said, newest first; the newest {CONSENT_SHOWN} of what is kept"
    )
    history_kept: int = Field(description="How many statements are kept", examples=[3])


class ConsentRequest(RequestBody):
    channel: ConsentChannel
    consent: Consent
    wording: str | None = Field(
        default=None,
        max_length=LONGEST_WORDING,
        description="What was said or agreed to, in their words",
        examples=[_WORDING],
    )
    reason: str | None = Field(
        default=None,
        min_length=3,
        max_length=REASON_CHARACTERS,
        description="How they took a withdrawal back: needed to lift one, and kept as proof",
        examples=[_REASON],
    )


class ConsentConfirmation(RequestBody):
    """What a signed link says; `reference` is the statement's id."""

    channel: ConsentChannel
    consent: Consent
    reference: str = Field(
        pattern=r"^cns_[0-9A-Z]{26}$",
        description="The statement's own id; saying it again changes nothing",
        examples=["cns_01JNQ5M0E8K3V7ZJ4T9XW2RBCD"],
    )


class PersonConsent(View):
    """One person's answer."""

    person_id: str = Field(description="Whose answer it is", examples=[_PERSON])
    consent: dict[ConsentChannel, Consent] = Field(
        description="A channel that is missing goes by `any`; without either nothing was said",
        examples=[{"email": "granted"}],
    )


class ConsentLookup(View):
    """Answers by person."""

    items: list[PersonConsent] = Field(description="Each person once, by id")
    current: dict[str, str] = Field(
        description="Asked id -> the id it answers with now; unknown ids are missing", examples=[{_PERSON: _PERSON}]
    )


@router.get("/v1/people/{person_id}/consent", responses=problem_responses(404))
async def read_consent(reading: Read, person_id: PersonId) -> ConsentView:
    """What this person said about being written to or called: what holds for each channel and why, what waits, and the
    whole history with its proof. An absorbed id answers with the survivor.
    """
    return await _view(reading, await current_id(reading, person_id))


@router.put("/v1/people/{person_id}/consent", responses=problem_responses(403, 404, 422))
async def state_consent(person_id: PersonId, body: ConsentRequest, context: Write, caller: Caller) -> ConsentView:
    """Record what somebody said to a human: on the phone, at a fair, in a letter. It counts from
    now on, and is kept with who recorded it. To lift a withdrawal it needs a `reason`.
    """
    require(caller, *_ROLES)
    statement = ConsentClaim(body.channel, body.consent, tidy_wording(body.wording or ""))
    reason = tidy_wording(body.reason or "")
    recorded = RecordedConsent(statement, by=caller.subject, at=context.now, reason=reason)
    return await _view(context, await commands.state_consent(person_id, recorded, context))


@router.post("/v1/people/{person_id}:confirm-consent", responses=problem_responses(403, 404))
async def confirm_consent(
    person_id: PersonId, body: ConsentConfirmation, context: Write, caller: Caller
) -> ConsentView:
    """What the person confirmed by a signed link that the gateway has verified: once, however often it is sent."""
    require(caller, "link")
    statement = ConsentClaim(body.channel, body.consent)
    recorded = RecordedConsent(statement, by=caller.subject, at=context.now, reference=body.reference)
    return await _view(context, await commands.state_consent(person_id, recorded, context))


@router.post("/v1/people:consent-lookup")
async def look_consent_up(reading: Read, body: LookupRequest) -> ConsentLookup:
    """Up to 200 people by id, in one go: to be asked just before anything is sent."""
    asked = {with_prefix("frg", person_id): person_id for person_id in body.person_ids if person_id.startswith("per_")}
    found = await queries.people_of(reading.session, asked)
    consents = await _consents(reading, set(found.values()))
    return ConsentLookup(
        items=[
            PersonConsent(person_id=person_id, consent=consent_told(consents[person_id]))
            for person_id in sorted(consents)
        ],
        current={asked[fragment_id]: person_id for fragment_id, person_id in sorted(found.items())},
    )


async def _view(reading: Context, person_id: str) -> ConsentView:
    fragments = (await queries.fragments_of(reading.session, {person_id}))[person_id]
    own = [one.fragment_id for one in fragments]
    known = await queries.consents_on(reading.session, own)
    history, kept = await queries.consent_history(reading.session, own, CONSENT_SHOWN)
    return consent_view(person_id, known.values(), history, kept)


async def _consents(reading: Context, person_ids: set[str]) -> dict[str, list[FragmentConsent]]:
    """Person id -> what was answered on any of their fragments."""
    fragments = await queries.fragments_of(reading.session, person_ids)
    person_at = {one.fragment_id: person_id for person_id, own in fragments.items() for one in own}
    found: dict[str, list[FragmentConsent]] = {person_id: [] for person_id in person_ids}
    for one in (await queries.consents_on(reading.session, person_at)).values():
        found[person_at[one.fragment_id]].append(one)
    return found


def consent_view(
    person_id: str, known: Iterable[FragmentConsent], history: Sequence[FragmentConsent], kept: int
) -> ConsentView:
    """`known` is all that is kept as the latest on the person's fragments; `history` what the store holds of before."""
    latest = list(known)
    settled = answers(latest)
    waiting = {one.pending.interaction_id: one.pending for one in settled.values() if one.pending is not None}
    # what was said before there was a history stands in what decides alone
    said = {(one.fragment_id, one.interaction_id, one.channel): _fields(one) for one in history}
    older = [one for one in latest if one.origin_id == one.fragment_id]
    missing = [one for one in older if (one.fragment_id, one.interaction_id, one.channel) not in said]
    told = [*said.values(), *map(_fields, missing)] if len(history) == kept else list(said.values())
    views = [ConsentStatementView(**one) for one in told]
    views.sort(key=lambda one: (one.occurred_at, one.interaction_id, one.channel), reverse=True)
    return ConsentView(
        person_id=person_id,
        items=[ConsentItem(**_fields(one.deciding, channel), why=_why(one)) for channel, one in settled.items()],
        pending=[PendingConsent(**_fields(one), remedy=_REMEDY) for one in waiting.values()],
        history=views[:CONSENT_SHOWN],
        history_kept=max(kept, len(views)),
    )


def _why(answer: ChannelAnswer[FragmentConsent]) -> str:
    deciding = answer.deciding
    by = _BELIEVED[deciding.strength]
    if deciding.consent is Consent.GRANTED:
        return f"Granted by {by}; no withdrawal stands."
    waits = " A grant that came since waits until it is." if answer.pending is not None else ""
    return f"Withdrawn by {by}; that stands until a server, a human with a reason or a signed link lifts it.{waits}"


def _fields(one: FragmentConsent, channel: ConsentChannel | None = None) -> dict[str, object]:
    return {
        "channel": channel or one.channel,
        "consent": one.consent,
        "occurred_at": one.occurred_at,
        "source_id": one.source_id,
        "interaction_id": one.interaction_id,
        "wording": one.wording,
        "fragment_id": one.origin_id,
        "strength": one.strength,
        "by": one.source_id.removeprefix("api:") if one.source_id.startswith("api:") else None,
        "reason": one.reason,
        "evidence": one.evidence,
    }
