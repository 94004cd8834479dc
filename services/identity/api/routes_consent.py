"""Who may be written to or called."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import AwareDatetime, Field

from chassis.context import Context
from chassis.web.auth import Caller, require
from chassis.web.problems import problem_responses
from chassis.web.routes import Read, Write
from contracts.ids import with_prefix
from contracts.values import Consent, ConsentChannel, Strength
from semantics.consent import LONGEST_WORDING, ConsentClaim, tidy_wording
from services.identity import commands
from services.identity.api.routes_people import current_id
from services.identity.api.views import LookupRequest, PersonId, RequestBody, View, consent_told
from services.identity.domain.consent import FragmentConsent, RecordedConsent, consent_by_channel
from services.identity.store import queries

router = APIRouter(tags=["consent"])

_ROLES = ("marketing", "sales", "manager", "agent", "admin")


class ConsentItem(View):
    """What was said last about a channel."""

    channel: ConsentChannel
    consent: Consent
    occurred_at: AwareDatetime
    source_id: str = Field(
        description="The source of the capture, or `api:` and who said it",
        examples=["src_01JNQ5M0E8K3V7ZJ4T9XW2RBCD", "api:ada"],
    )
    interaction_id: str = Field(description="The capture that said it; `cns_...` when a human did")
    wording: str | None = Field(description="What was agreed to, as far as it was told")
    fragment_id: str = Field(description="What the statement hangs on; a split takes it along")
    strength: Strength = Field(
        description="How far it is believed: claimed by a visitor, verified by a server, manual by a human"
    )


class ConsentView(View):
    """What somebody said about being reached. A statement about `any` is about all channels;
    a channel that is not listed goes by it.
    """

    person_id: str
    items: list[ConsentItem]


class ConsentRequest(RequestBody):
    channel: ConsentChannel
    consent: Consent
    wording: str | None = Field(
        default=None, max_length=LONGEST_WORDING, description="What was said or agreed to, in their words"
    )


class PersonConsent(View):
    """One person's answer."""

    person_id: str
    consent: dict[ConsentChannel, Consent] = Field(
        description="A channel that is missing goes by `any`; without either nothing was said"
    )


class ConsentLookup(View):
    """Answers by person."""

    items: list[PersonConsent] = Field(description="Each person once, by id")
    current: dict[str, str] = Field(description="Asked id -> the id it answers with now; unknown ids are missing")


@router.get("/v1/people/{person_id}/consent", responses=problem_responses(404))
async def consent(reading: Read, person_id: PersonId) -> ConsentView:
    """What this person said about being written to or called, per channel the latest word.
    An absorbed id answers with the survivor.
    """
    return await _view(reading, await current_id(reading, person_id))


@router.put("/v1/people/{person_id}/consent", responses=problem_responses(403, 404))
async def state_consent(person_id: PersonId, body: ConsentRequest, context: Write, caller: Caller) -> ConsentView:
    """Record what somebody said to a human: on the phone, at a fair, in a letter. It counts from
    now on, and is kept with who recorded it.
    """
    require(caller, *_ROLES)
    statement = ConsentClaim(body.channel, body.consent, tidy_wording(body.wording or ""))
    recorded = RecordedConsent(statement, by=caller.subject, at=context.now)
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
    settled = consent_by_channel((await _consents(reading, {person_id}))[person_id])
    items = [
        ConsentItem(
            channel=channel,
            consent=one.consent,
            occurred_at=one.occurred_at,
            source_id=one.source_id,
            interaction_id=one.interaction_id,
            wording=one.wording,
            fragment_id=one.fragment_id,
            strength=one.strength,
        )
        for channel, one in settled.items()
    ]
    return ConsentView(person_id=person_id, items=items)


async def _consents(reading: Context, person_ids: set[str]) -> dict[str, list[FragmentConsent]]:
    """Person id -> what was answered on any of their fragments."""
    fragments = await queries.fragments_of(reading.session, person_ids)
    person_at = {one.fragment_id: person_id for person_id, own in fragments.items() for one in own}
    found: dict[str, list[FragmentConsent]] = {person_id: [] for person_id in person_ids}
    for one in await queries.consents_on(reading.session, person_at):
        found[person_at[one.fragment_id]].append(one)
    return found
