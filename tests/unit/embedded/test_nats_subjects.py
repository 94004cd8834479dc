"""Whoever may connect to NATS tries every form of subject on everybody's things, on the real server."""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Iterator, Mapping

import orjson
import pytest

from deployment.nats_accounts import OBSERVER
from deployment.nats_config import OPERATOR, static_users
from services.routing.effects.keys import DOMAIN, alerts_of, durable_of, live_user_of
from tests.support.eventually import eventually
from tests.unit.embedded.subject_forms import Attempt, of_consumer, of_stream, of_the_server, of_two, to_hear
from tests.unit.embedded.town import ANNA, BERT, PASSWORDS, PULL, Town, alert, furnish, left

HEARS = {
    "identity": ("CAPTURE",),
    "scoring": ("IDENTITY",),
    "lifecycle": ("IDENTITY", "SCORING", "ROUTING"),
    "nurture": ("IDENTITY", "SCORING", "LIFECYCLE"),
    "routing": ("IDENTITY", "LIFECYCLE"),
    "metrics": ("IDENTITY", "LIFECYCLE", "ROUTING", "NURTURE"),
}
OWNED = {"CAPTURE", "IDENTITY", "SCORING", "LIFECYCLE", "NURTURE", "ROUTING", "METRICS", "ALERTS"}
STREAMS = tuple(sorted(OWNED | {"DEAD", "ROOM"}))
ANNAS, BERTS = f"ALERTS/{durable_of(ANNA)}", f"ALERTS/{durable_of(BERT)}"
OWN = "CAPTURE/looking-glass"  # nobody's durable: a reader's own
DURABLES = {
    *(f"{stream}/{service}" for service, streams in HEARS.items() for stream in streams),
    ANNAS,
    BERTS,
}
USERS = (*static_users(), ANNA, live_user_of(ANNA), BERT)
INBOXES = (*static_users(), ANNA, BERT)
LAST = "refused.to.everybody"
ALL = {*STREAMS, "streams"}

Table = Mapping[str, set[str]]


def a_service(name: str, *, more: Table | None = None) -> Table:
    """Its own stream and its own durables, to the streams' sizes a look, and nothing of anybody else."""
    durables = {f"{stream}/{name}" for stream in HEARS[name]}
    own = {name.upper(), "DEAD"}
    table = {
        **dict.fromkeys(("acknowledge", "pull", "make", "remove", "take over"), durables),
        "look": ALL | durables,
        "read": set(HEARS[name]),
        "lay": own | {"ROOM", *HEARS[name]},
        "say": own,
        "try": own,
        "hear": {f"answers to {name}"},
    }
    return {deed: table.get(deed, set()) | (more or {}).get(deed, set()) for deed in {*table, *(more or {})}}


def a_rep(rep_id: str) -> Table:
    """Who pulls."""
    own = {f"ALERTS/{durable_of(rep_id)}"}
    return {"acknowledge": own, "pull": own, "look": own, "hear": {f"answers to {rep_id}"}}


ALLOWED: Mapping[str, Table] = {
    "identity": a_service("identity"),
    "scoring": a_service("scoring"),
    "lifecycle": a_service("lifecycle"),
    "nurture": a_service("nurture"),
    "metrics": a_service("metrics"),
    # hosts the reps' durables, and answers who may come in; that it hears the passwords of those who ask needs a
    # queue, which is not tried here
    "routing": a_service(
        "routing",
        more={
            "look": {ANNAS, BERTS},
            "make": {ANNAS, BERTS},
            "remove": {ANNAS, BERTS},
            "lay": {"ALERTS"},
            "say": {"ALERTS"},
            "try": {"ALERTS"},
            "answer": {"callout"},
        },
    ),
    # reads alerts for all reps, through consumers whose names are made up as they come: a permission has no way to
    # say "any but those of reps". It acknowledges nothing
    "gateway": {
        "say": {"CAPTURE", "DEAD", "gateway.rejected"},
        "read": {*STREAMS} - {"ALERTS", "DEAD", "ROOM"},
        "try": {"CAPTURE", "DEAD"},
        "lay": {"CAPTURE", "DEAD", "ROOM"},
        "look": ALL | {ANNAS, BERTS},
        "pull": {ANNAS, BERTS},
        "make": {ANNAS, BERTS},
        "remove": {ANNAS, BERTS},
        "hear": {"CAPTURE", "answers to gateway", "gateway.rejected"},
    },
    OBSERVER: {
        "look": ALL | DURABLES | {OWN},
        "read": {*STREAMS},
        "hear": {
            *STREAMS,
            "everything",
            "the API",
            "gateway.rejected",
            f"alerts of {ANNA}",
            f"alerts of {BERT}",
            *(f"answers to {user}" for user in INBOXES),  # in its account, where nobody else is
        },
    },
    OPERATOR: {
        "look": ALL | DURABLES | {OWN},
        "read": {*STREAMS},
        "say": OWNED,
        "cut": {"DEAD"},
        "pull": {OWN},
        "make": {OWN},
        "remove": {OWN},
        "hear": {
            *STREAMS,
            "everything",
            "the API",
            "gateway.rejected",
            f"alerts of {ANNA}",
            f"alerts of {BERT}",
            # in the services' account: neither their answers nor those to a back-up; the others are not in it
            *(f"answers to {user}" for user in (OBSERVER, OPERATOR, "revoker", ANNA, BERT)),
        },
    },
    "backup": {
        **{deed: {*STREAMS} for deed in ("copy", "bring back", "cut", "drop", "read")},
        "look": ALL,
        "hear": {"answers to backup"},
    },
    "revoker": {
        "list": {"connections of REPS", "connections of REPS_LIVE"},
        "end": {"connections"},
        "hear": {"answers to revoker"},
    },
    ANNA: a_rep(ANNA),
    live_user_of(ANNA): {"hear": {f"alerts of {ANNA}"}},
    BERT: a_rep(BERT),
}


@pytest.fixture(scope="module")
def there() -> Iterator[Town]:
    """A town for the whole file: nobody changes anything in it, or should not be able to."""

    async def prepare(town: Town) -> None:
        async with town.service("routing") as routing:
            await furnish(town, routing)

    town = Town()
    with town.server:
        asyncio.run(prepare(town))
        yield town


def attempts() -> Iterator[Attempt]:
    """Everything that somebody could publish. What is asked for is never readable, so that nothing happens to those who
    are let through.
    """
    consumers = [(stream, name) for stream, _, name in (durable.partition("/") for durable in sorted(DURABLES))]
    for stream in STREAMS:
        yield from of_stream(stream)
    for consumer in (*consumers, ("CAPTURE", "looking-glass")):
        yield from of_consumer(*consumer)
    for one in consumers:
        for another in consumers:
            if one != another:
                yield from of_two(one, another)
    yield from of_the_server(INBOXES)


@pytest.mark.parametrize("user", USERS)
async def test_everybody_is_let_through_to_their_own_things_and_to_nothing_else(there: Town, user: str) -> None:
    said, heard = list(attempts()), list(to_hear(STREAMS, INBOXES, (ANNA, BERT)))
    password = PASSWORDS.get(user) or user.removesuffix(".live")
    async with there.callout(), there.visitor(user, password) as stranger:
        for attempt in said:
            await stranger.client.publish(attempt.subject, b"?")
        for attempt in heard:
            await stranger.client.subscribe(attempt.subject)
        await stranger.client.publish(LAST, b"")
        await eventually(lambda: any(LAST in complaint for complaint in stranger.complaints))
        refused = {complaint.split('"')[1] for complaint in stranger.complaints if "violation" in complaint}
        assert stranger.client.is_connected
    found = defaultdict(set)
    for attempt in (*said, *heard):
        if attempt.subject.lower() not in refused:
            found[attempt.deed].add(attempt.thing)
    assert dict(found) == {deed: things for deed, things in ALLOWED[user].items() if things}


def test_the_table_has_everybody_who_has_a_password() -> None:
    assert set(ALLOWED) == set(USERS)


@pytest.mark.parametrize("who", [{}, {"user": ""}, {"user": OBSERVER}, {"user": "revoker", "password": "guessed"}])
async def test_whoever_says_no_name_or_no_password_is_not_let_in(there: Town, who: dict[str, str]) -> None:
    async with there.callout():
        assert await there.is_refused(who.get("user", ""), who.get("password", ""))


@pytest.mark.parametrize(
    "subject",
    [
        f"$JS.ACK.ALERTS.{durable_of(BERT)}.ALERTS.{durable_of(ANNA)}.1.1.1",
        f"$JS.ACK._.x.ALERTS.{durable_of(BERT)}.1.1.1.1.{durable_of(ANNA)}",
    ],
)
async def test_a_rep_gets_no_next_alert_of_another_by_an_acknowledgement_that_names_both(
    there: Town, subject: str
) -> None:
    async with there.callout(), there.service("routing") as routing, there.rep(ANNA) as anna:
        before = await left(routing, BERT)
        loot = await anna.client.subscribe(f"_INBOX_{ANNA}.loot")
        await anna.client.publish(subject, b'+NXT {"batch": 5, "expires": 300000000}', reply=f"_INBOX_{ANNA}.loot")
        await anna.client.flush()
        await eventually(lambda: len(anna.complaints) == 1)
        assert loot.pending_msgs == 0
        assert await left(routing, BERT) == before


async def test_what_a_rep_has_their_alerts_answered_to_reaches_nobody_who_listens(there: Town) -> None:
    async with there.callout(), there.listener(BERT) as bert, there.rep(ANNA) as anna:
        live = await bert.client.subscribe(alerts_of(BERT))
        await bert.client.flush()
        await anna.client.publish(PULL, b'{"batch": 1, "expires": 100000000}', reply=f"alerts.rep.{BERT}.offered")
        await anna.client.jetstream(domain=DOMAIN).consumer_info("ALERTS", durable_of(ANNA))  # its turn comes after
        async with there.service("routing") as routing:
            await alert(routing, BERT, "live")
        assert (await live.next_msg(timeout=30)).data == b"live for rep_bert"


async def test_an_observer_has_no_answer_sent_into_the_house(there: Town) -> None:
    async with there.service("scoring") as scoring, there.visitor(OBSERVER, PASSWORDS[OBSERVER]) as observer:
        jetstream = observer.client.jetstream()
        before = (await scoring.request("STREAM.INFO.SCORING"))["state"]
        for reply in ("scoring.score.changed.v1.0", "$JS.API.STREAM.PURGE.SCORING", "$JS.API.STREAM.DELETE.SCORING"):
            await observer.client.publish("$JS.API.STREAM.MSG.GET.SCORING", b'{"seq": 1}', reply=reply)
        assert (await jetstream.get_msg("SCORING", 1)).data == b"fact"  # its turn comes after theirs
        assert (await jetstream.stream_info("SCORING")).state.messages == before["messages"]
        assert (await scoring.request("STREAM.INFO.SCORING"))["state"] == before
        assert observer.complaints == []


async def test_a_consumer_of_another_is_not_changed_by_its_name_in_a_body(there: Town) -> None:
    wanted = {"stream_name": "ALERTS", "config": {"name": durable_of(BERT), "ack_policy": "explicit"}}
    async with there.service("routing") as routing, there.visitor(OPERATOR, PASSWORDS[OPERATOR]) as operator:
        before = await routing.request(f"CONSUMER.INFO.ALERTS.{durable_of(BERT)}")
        with contextlib.suppress(TimeoutError):
            await operator.client.request("$JS.API.CONSUMER.CREATE.ALERTS", orjson.dumps(wanted), timeout=0.2)
        assert len(operator.complaints) == 1
        assert (await routing.request(f"CONSUMER.INFO.ALERTS.{durable_of(BERT)}"))["config"] == before["config"]
