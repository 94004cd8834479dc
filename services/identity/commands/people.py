"""What humans change about people: merge two, split one, mark a test, record consent, release what was no robot's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from chassis.context import Context
from chassis.errors import BadInput, Conflict, FieldError, NotFound
from contracts.events.identity import InteractionRecognized
from contracts.ids import with_prefix
from people_kernel.errors import PersonNotFound
from semantics.capture import read_captures
from services.identity.domain import account_groups
from services.identity.domain.account_claims import AccountKey
from services.identity.domain.account_groups import AccountRegrouping
from services.identity.domain.accounts import WholeAccount
from services.identity.domain.consent import RecordedConsent, record_consent, would_lift
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
from services.identity.domain.recognition import RecognitionRules, recognize
from services.identity.domain.workspace import (
    IdentifierKey,
    Release,
    WithheldInteraction,
    released_capture,
    say_released,
    told_late,
)
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


class NotWithheld(NotFound):
    """Nothing of this id is kept apart: it was somebody's from the start, or it is forgotten by now."""

    slug = "not-withheld"


class AlreadyOneCompany(Conflict):
    """Both ids are one account's."""

    slug = "already-one-account"


class TooManyAccountNames(Conflict):
    """One account would have more names than events about it can list."""

    slug = "too-many-account-names"


class NothingToSplitOff(BadInput):
    """The names are not this account's, are all of it, or were given as one."""

    slug = "nothing-to-split-off"


class WithdrawalStands(BadInput):
    """Somebody withdrew their consent, and a human who lifts that says why."""

    slug = "withdrawal-stands"


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


async def merge_accounts(
    account_id: str, with_account_id: str, decision: HumanDecision, context: Context, *, dry_run: bool
) -> AccountRegrouping:
    """Make one company of two, or say what would come of it.

    Raises AccountNotFound, AlreadyOneCompany, TooManyAccountNames.
    """
    one, other = await _account(account_id, context), await _account(with_account_id, context)
    try:
        came = account_groups.merge_accounts(one, other, decision)
    except account_groups.AlreadyOneAccount:
        raise AlreadyOneCompany(f"{account_id} and {with_account_id} are one account, {one.account_id}") from None
    except account_groups.TooManyNames as error:
        raise TooManyAccountNames(str(error), remedy="Split off what is another company's") from None
    return await _save_accounts(came, context, dry_run=dry_run)


async def split_account(
    account_id: str, keys: Sequence[AccountKey], decision: HumanDecision, context: Context, *, dry_run: bool
) -> AccountRegrouping:
    """Make a company of its own of these names of an account, or say what would come of it.

    Raises AccountNotFound, NothingToSplitOff.
    """
    whole = await _account(account_id, context)
    strangers = [index for index, key in enumerate(keys) if key not in whole.keys]
    if strangers:
        field = f"body.keys.{strangers[0]}"
        raise NothingToSplitOff("This is not a name of the account", field=field, remedy="GET the account to see them")
    try:
        came = account_groups.split_account(whole, keys, decision)
    except account_groups.NothingToPartOff:
        raise NothingToSplitOff(
            "These are all of the account's names, or some that were given together as one",
            field="body.keys",
            remedy="Leave one out, or name those with the same account_id together",
        ) from None
    return await _save_accounts(came, context, dry_run=dry_run)


async def _account(account_id: str, context: Context) -> WholeAccount:
    found = await queries.load_accounts(context.session, [account_id])
    if account_id not in found:
        raise AccountNotFound(f"There is no account {account_id}")
    return found[account_id]


async def _save_accounts(came: AccountRegrouping, context: Context, *, dry_run: bool) -> AccountRegrouping:
    if not dry_run:
        await write.account_regrouping(context.session, came)
        context.say(came.said)
    return came


async def mark_person(person_id: str, context: Context, *, is_test: bool, by: str) -> str:
    """This person is a test, or is none after all; answers the id of the person. Raises PersonNotFound."""
    fragments = _person(await load.lock_people(context.session, [with_prefix("frg", person_id)]), person_id)
    came = mark_as_test(fragments, is_test=is_test, by=by, at=context.now)
    await write.marks(context.session, came)
    context.say(*came.said)
    return fragments[0].person_id


async def state_consent(person_id: str, recorded: RecordedConsent, context: Context) -> str:
    """What a human says about a person's consent, or a signed link does (once, however often it is opened); answers the
    id of the person. Raises PersonNotFound, WithdrawalStands.
    """
    fragments = _person(await load.lock_people(context.session, [with_prefix("frg", person_id)]), person_id)
    own = [one.fragment_id for one in fragments]
    known = await queries.consents_on(context.session, own)
    if recorded.reference is not None:
        if await queries.is_stated(context.session, own, recorded.reference):
            return fragments[0].person_id
    elif recorded.reason is None and (channel := would_lift(known.values(), recorded.statement)) is not None:
        raise WithdrawalStands(
            f"They withdrew their consent ({channel.value}); a grant lifts that only with a reason",
            field="body.reason",
            remedy="Say in `reason` how they took it back: when, where and to whom; or send them a consent link",
        )
    stated, said = record_consent(fragments, known, recorded)
    await write.consents(context.session, known, [stated])
    context.say(*said)
    return fragments[0].person_id


async def release_interaction(
    interaction_id: str, decision: HumanDecision, context: Context[RecognitionRules]
) -> WithheldInteraction:
    """Somebody did it after all: it is recognized as it would have been then. Once released it stays so, and who did it
    first is answered. Raises NotWithheld.
    """
    kept = await load.withheld(context.session, interaction_id)
    if kept is None:
        raise NotWithheld(
            f"No interaction {interaction_id} is kept apart", remedy="GET /v1/interactions/withheld lists what is"
        )
    if kept.release is not None:
        return kept
    claims = read_captures([released_capture(kept)], context.service.region)
    workspace = await load.for_claims(context.session, claims)
    recognize(workspace, claims, context.service)
    person_id = next(event.person_id for event in workspace.said if isinstance(event, InteractionRecognized))
    released = replace(kept, release=(release := Release(decision.by, decision.at, decision.reason, person_id)))
    await write.workspace(context.session, workspace)
    await write.released(context.session, released)
    context.say(say_released(kept, release), *told_late(workspace.said, decision.at))
    return released


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
