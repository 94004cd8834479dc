"""Who may be written to or called."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import AwareDatetime, ConfigDict, Field

from chassis.auth import Caller, require
from chassis.context import Context
from chassis.errors import problem_responses
from chassis.routes import Read, Write
from contracts.ids import with_prefix
from contracts.values import Consent, ConsentChannel, Strength
from services.identity import domain, handlers, store
from services.identity.api.people import current_id
from services.identity.api.views import LookupRequest, PersonId, View, consent_told

router = APIRouter(tags=["consent"])

_ROLES = ("marketing", "sales", "manager", "agent", "admin")


class ConsentItem(View):
    """What was said last about a channel."""

    channel: ConsentChannel
    consent: Consent
    occurred_at: AwareDatetime
    source_id: str = Field(description="The source of the capture, or `api:` and who said it", examples=["src_01JNQ5M0E8K3V7ZJ4T9XW2RBCD", "api:ada"])
    interaction_id: str = Field(description="The capture that said it; `cns_...` when a human did")
    wording: str | None = Field(description="What was agreed to, as far as it was told")
    fragment_id: str = Field(description="What the statement hangs on; a split takes it along")
    strength: Strength = Field(description="How far it is believed: claimed by a visitor, verified by a server, manual by a human")


class ConsentView(View):
    """What somebody said about being reached. A statement about `any` is about all channels; a channel that is not listed goes by it."""

    person_id: str
    items: list[ConsentItem]


class ConsentRequest(View):
    model_config = ConfigDict(extra="forbid")

    channel: ConsentChannel
    consent: Consent
    wording: str | None = Field(default=None, max_length=domain.LONGEST_WORDING, description="What was said or agreed to, in their words")


class PersonConsent(View):
    """One person's answer."""

    person_id: str
    consent: dict[ConsentChannel, Consent] = Field(description="A channel that is missing goes by `any`; without either nothing was said")


class ConsentLookup(View):
    """Answers by person."""

    items: list[PersonConsent] = Field(description="Each person once, by id")
    current: dict[str, str] = Field(description="Asked id -> the id it answers with now; unknown ids are missing")


@router.get("/v1/people/{person_id}/consent", responses=problem_responses(404))
async def consent(reading: Read, person_id: PersonId) -> ConsentView:
    """What this person said about being written to or called, per channel the latest word. An absorbed id answers with the survivor."""
    return await _view(reading, await current_id(reading, person_id))


@router.put("/v1/people/{person_id}/consent", responses=problem_responses(403, 404))
async def state_consent(person_id: PersonId, body: ConsentRequest, context: Write, caller: Caller) -> ConsentView:
    """Record what somebody said to a human: on the phone, at a fair, in a letter. It counts from now on, and is kept with who recorded it."""
    require(caller, *_ROLES)
    statement = domain.Statement(body.channel, body.consent, domain.tidy_wording(body.wording or ""))
    word = domain.Word(statement, by=caller.subject, at=context.now)
    return await _view(context, await handlers.state_consent(person_id, word, context))


@router.post("/v1/people:consent-lookup")
async def look_consent_up(reading: Read, body: LookupRequest) -> ConsentLookup:
    """Up to 200 people by id, in one go: to be asked just before anything is sent."""
    asked = {with_prefix("frg", person_id): person_id for person_id in body.person_ids if person_id.startswith("per_")}
    found = await store.people_of(reading.session, asked)
    answers = await _answers(reading, set(found.values()))
    return ConsentLookup(
        items=[PersonConsent(person_id=person_id, consent=consent_told(answers[person_id])) for person_id in sorted(answers)],
        current={asked[fragment_id]: person_id for fragment_id, person_id in sorted(found.items())},
    )


async def _view(reading: Context, person_id: str) -> ConsentView:
    settled = domain.settle((await _answers(reading, {person_id}))[person_id])
    items = [
        ConsentItem(
            channel=channel,
            consent=answer.consent,
            occurred_at=answer.occurred_at,
            source_id=answer.source_id,
            interaction_id=answer.interaction_id,
            wording=answer.wording,
            fragment_id=answer.fragment_id,
            strength=answer.strength,
        )
        for channel, answer in settled.items()
    ]
    return ConsentView(person_id=person_id, items=items)


async def _answers(reading: Context, person_ids: set[str]) -> dict[str, list[domain.Answer]]:
    """Person id -> what was answered on any of their fragments."""
    fragments = await store.fragments_of(reading.session, person_ids)
    person_at = {one.fragment_id: person_id for person_id, own in fragments.items() for one in own}
    found: dict[str, list[domain.Answer]] = {person_id: [] for person_id in person_ids}
    for answer in await store.answers_on(reading.session, person_at):
        found[person_at[answer.fragment_id]].append(answer)
    return found
