"""Identity's use cases: recognize what was captured; merge, split, mark and state consent by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chassis.context import Context
from chassis.errors import BadInput, Conflict, FieldError, NotFound
from chassis.subscriptions import on
from contracts.events.gateway import InteractionReceived
from contracts.ids import with_prefix
from services.identity import domain, store


class PersonNotFound(NotFound):
    """Nobody has this id, nor had it before a merge."""


class AccountNotFound(NotFound):
    """No company has this id."""


class AlreadyOnePerson(Conflict):
    """Both ids are one person's."""


class TooManyIdentifiers(Conflict):
    """One person would have more first-seen identities than events about them can list."""


class NotOfThisPerson(BadInput):
    """A link, an identifier or a fragment that the person does not have."""


class NothingToSplit(BadInput):
    """What was chosen is none or all of the person."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What a human wants cut: links by their ids, or all that ties fragments to the rest. `field` is where they came from in the request."""

    field: str
    link_ids: Sequence[str] = ()
    fragment_ids: Sequence[str] = ()
    identifiers: Sequence[domain.Key] = ()


async def on_interactions_received(captures: Sequence[InteractionReceived], context: Context[domain.Rules]) -> None:
    rules = context.service
    claims = domain.read_claims(captures, rules.region)
    known = await store.load_known(context.session, claims)
    came = domain.recognize(known, claims, rules)
    await store.save_recognition(context.session, came)
    context.say(*came.said)


async def merge_people(person_id: str, with_person_id: str, act: domain.Act, context: Context, *, dry_run: bool) -> domain.Regrouping:
    """Make one person of two, or say what would come of it. Raises PersonNotFound, AlreadyOnePerson, TooManyIdentifiers."""
    fragments = await store.lock_people(context.session, [with_prefix("frg", person_id), with_prefix("frg", with_person_id)])
    one, other = _person(fragments, person_id), _person(fragments, with_person_id)
    try:
        came = domain.merge(one, other, act)
    except domain.AlreadyOne:
        raise AlreadyOnePerson(f"{person_id} and {with_person_id} are one person, {one[0].person_id}") from None
    except domain.TooManyFragments as error:
        raise TooManyIdentifiers(str(error), remedy="Split off what is not theirs, or mark what is a kiosk's as a test") from None
    return await _settle(came, context, dry_run=dry_run)


async def split_person(person_id: str, choice: Choice, act: domain.Act, context: Context, *, dry_run: bool) -> domain.Regrouping:
    """Cut links of one person, or say what would come of it. Raises PersonNotFound, NotOfThisPerson, NothingToSplit."""
    fragments = _person(await store.lock_people(context.session, [with_prefix("frg", person_id)]), person_id)
    links = await store.links_of(context.session, [one.fragment_id for one in fragments], live_only=True)
    cut = _chosen_links(fragments, links, choice)
    return await _settle(domain.split(fragments, links, cut, act), context, dry_run=dry_run)


async def mark_person(person_id: str, context: Context, *, is_test: bool, by: str) -> str:
    """This person is a test, or is none after all; answers the id of the person. Raises PersonNotFound."""
    fragments = _person(await store.lock_people(context.session, [with_prefix("frg", person_id)]), person_id)
    came = domain.mark(fragments, is_test=is_test, by=by, at=context.now)
    await store.save_marking(context.session, came)
    context.say(*came.said)
    return fragments[0].person_id


async def state_consent(person_id: str, word: domain.Word, context: Context) -> str:
    """What a human says about a person's consent; answers the id of the person. Raises PersonNotFound."""
    fragments = _person(await store.lock_people(context.session, [with_prefix("frg", person_id)]), person_id)
    known = await store.answers_on(context.session, [one.fragment_id for one in fragments])
    answer, said = domain.state_consent(fragments, known, word)
    await store.save_answers(context.session, [answer])
    context.say(*said)
    return fragments[0].person_id


async def _settle(came: domain.Regrouping, context: Context, *, dry_run: bool) -> domain.Regrouping:
    if not dry_run:
        await store.save_regrouping(context.session, came)
        context.say(*came.said)
    return came


def _person(fragments: Sequence[domain.Fragment], person_id: str) -> list[domain.Fragment]:
    """All fragments of whoever `person_id` stands for now: its own person, or the one that absorbed it."""
    own = with_prefix("frg", person_id)
    current = next((one.person_id for one in fragments if one.fragment_id == own), None)
    if current is None or not person_id.startswith("per_"):
        raise PersonNotFound(f"There is no person {person_id}")
    return [one for one in fragments if one.person_id == current]


def _chosen_links(fragments: Sequence[domain.Fragment], links: Sequence[domain.Link], choice: Choice) -> list[domain.Link]:
    if choice.link_ids:
        by_id = {link.link_id: link for link in links}
        _refuse_strangers(choice, [link_id in by_id for link_id in choice.link_ids], "is not a live link of this person")
        return [by_id[link_id] for link_id in dict.fromkeys(choice.link_ids)]
    known = {one.fragment_id for one in fragments}
    by_key = {(one.kind, one.value): one.fragment_id for one in fragments}
    _refuse_strangers(choice, [one in known for one in choice.fragment_ids], "is not a fragment of this person")
    _refuse_strangers(choice, [one in by_key for one in choice.identifiers], "is not an identifier of this person")
    try:
        return domain.part_off(fragments, links, [*choice.fragment_ids, *(by_key[one] for one in choice.identifiers)])
    except domain.NothingToPart:
        raise NothingToSplit("This is all of the person; nobody would be left", field=choice.field, remedy="Leave one out") from None


def _refuse_strangers(choice: Choice, found: Sequence[bool], reason: str) -> None:
    strangers = [FieldError(f"{choice.field}.{index}", reason) for index, is_found in enumerate(found) if not is_found]
    if strangers:
        raise NotOfThisPerson(f"{strangers[0].field} {reason}", errors=strangers, remedy="GET the person's links to see what it has")


SUBSCRIPTIONS = [on(InteractionReceived, on_interactions_received)]
