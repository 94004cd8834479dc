"""What humans change about people: merge two, split one, mark a test, record consent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chassis.context import Context
from chassis.errors import BadInput, Conflict, FieldError, NotFound
from contracts.ids import with_prefix
from people_kernel.errors import PersonNotFound
from services.identity.domain.consent import RecordedConsent, record_consent
from services.identity.domain.fragments import Fragment, Link, mark_as_test
from services.identity.domain.links import (
    AlreadyOne,
    HumanDecision,
    NothingToPart,
    Regrouping,
    TooManyFragments,
    merge_by_hand,
    part_off,
    split_by_hand,
)
from services.identity.domain.workspace import IdentifierKey
from services.identity.store import load, queries, write


class AccountNotFound(NotFound):
    """No company has this id."""

    slug = "account-not-found"


class AlreadyOnePerson(Conflict):
    """Both ids are one person's."""

    slug = "already-one-person"


class TooManyIdentifiers(Conflict):
    """One person would have more first-seen identities than events about them can list."""

    slug = "too-many-identifiers"


class NotOfThisPerson(BadInput):
    """A link, an identifier or a fragment that the person does not have."""

    slug = "not-of-this-person"


class NothingToSplit(BadInput):
    """What was chosen is none or all of the person."""

    slug = "nothing-to-split"


@dataclass(frozen=True, slots=True)
class SplitChoice:
    """What a human wants cut: links by their ids, or all that ties fragments to the rest.

    `field` is where they came from in the request.
    """

    field: str
    link_ids: Sequence[str] = ()
    fragment_ids: Sequence[str] = ()
    identifiers: Sequence[IdentifierKey] = ()


async def merge_people(
    person_id: str, with_person_id: str, decision: HumanDecision, context: Context, *, dry_run: bool
) -> Regrouping:
    """Make one person of two, or say what would come of it.

    Raises PersonNotFound, AlreadyOnePerson, TooManyIdentifiers.
    """
    fragments = await load.lock_people(
        context.session, [with_prefix("frg", person_id), with_prefix("frg", with_person_id)]
    )
    one, other = _person(fragments, person_id), _person(fragments, with_person_id)
    try:
        came = merge_by_hand(one, other, decision)
    except AlreadyOne:
        raise AlreadyOnePerson(f"{person_id} and {with_person_id} are one person, {one[0].person_id}") from None
    except TooManyFragments as error:
        raise TooManyIdentifiers(
            str(error), remedy="Split off what is not theirs, or mark what is a kiosk's as a test"
        ) from None
    return await _save(came, context, dry_run=dry_run)


async def split_person(
    person_id: str, choice: SplitChoice, decision: HumanDecision, context: Context, *, dry_run: bool
) -> Regrouping:
    """Cut links of one person, or say what would come of it. Raises PersonNotFound, NotOfThisPerson, NothingToSplit."""
    fragments = _person(await load.lock_people(context.session, [with_prefix("frg", person_id)]), person_id)
    links = await queries.links_of(context.session, [one.fragment_id for one in fragments], live_only=True)
    cut = _chosen_links(fragments, links, choice)
    return await _save(split_by_hand(fragments, links, cut, decision), context, dry_run=dry_run)


async def mark_person(person_id: str, context: Context, *, is_test: bool, by: str) -> str:
    """This person is a test, or is none after all; answers the id of the person. Raises PersonNotFound."""
    fragments = _person(await load.lock_people(context.session, [with_prefix("frg", person_id)]), person_id)
    came = mark_as_test(fragments, is_test=is_test, by=by, at=context.now)
    await write.marks(context.session, came)
    context.say(*came.said)
    return fragments[0].person_id


async def state_consent(person_id: str, recorded: RecordedConsent, context: Context) -> str:
    """What a human says about a person's consent; answers the id of the person. Raises PersonNotFound."""
    fragments = _person(await load.lock_people(context.session, [with_prefix("frg", person_id)]), person_id)
    known = await queries.consents_on(context.session, [one.fragment_id for one in fragments])
    stated, said = record_consent(fragments, known, recorded)
    await write.consents(context.session, [stated])
    context.say(*said)
    return fragments[0].person_id


async def _save(came: Regrouping, context: Context, *, dry_run: bool) -> Regrouping:
    if not dry_run:
        await write.regrouping(context.session, came)
        context.say(*came.said)
    return came


def _person(fragments: Sequence[Fragment], person_id: str) -> list[Fragment]:
    """All fragments of whoever `person_id` stands for now: its own person, or the one that absorbed it."""
    own = with_prefix("frg", person_id)
    current = next((one.person_id for one in fragments if one.fragment_id == own), None)
    if current is None or not person_id.startswith("per_"):
        raise PersonNotFound(f"There is no person {person_id}")
    return [one for one in fragments if one.person_id == current]


def _chosen_links(fragments: Sequence[Fragment], links: Sequence[Link], choice: SplitChoice) -> list[Link]:
    if choice.link_ids:
        by_id = {link.link_id: link for link in links}
        _refuse_strangers(
            choice, [link_id in by_id for link_id in choice.link_ids], "is not a live link of this person"
        )
        return [by_id[link_id] for link_id in dict.fromkeys(choice.link_ids)]
    known = {one.fragment_id for one in fragments}
    by_key = {(one.kind, one.value): one.fragment_id for one in fragments}
    _refuse_strangers(choice, [one in known for one in choice.fragment_ids], "is not a fragment of this person")
    _refuse_strangers(choice, [one in by_key for one in choice.identifiers], "is not an identifier of this person")
    try:
        return part_off(fragments, links, [*choice.fragment_ids, *(by_key[one] for one in choice.identifiers)])
    except NothingToPart:
        raise NothingToSplit(
            "This is all of the person; nobody would be left", field=choice.field, remedy="Leave one out"
        ) from None


def _refuse_strangers(choice: SplitChoice, found: Sequence[bool], reason: str) -> None:
    strangers = [FieldError(f"{choice.field}.{index}", reason) for index, is_found in enumerate(found) if not is_found]
    if strangers:
        raise NotOfThisPerson(
            f"{strangers[0].field} {reason}", errors=strangers, remedy="GET the person's links to see what it has"
        )
