"""People signed in elsewhere: their tokens open what their roles may, and nothing that only looks like a token does."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import jwt
import orjson
import pytest
import pytest_asyncio

from chassis.clock import wall_clock
from chassis.message import OutMessage
from chassis.settings import SettingsRefused
from chassis.web.auth import Principal
from gateway.oidc.claims import ClaimRules, TokenRefused
from gateway.oidc.key_set import KeySet, read_keys, safe_address
from gateway.oidc.tokens import TokenDesk
from tests.support.eventually import eventually
from tests.support.nats import NatsServer
from tests.unit.gateway.issuer import AUDIENCE, Issuer, issuing, pem_of, private_key
from tests.unit.gateway.listening import listening
from tests.unit.gateway.running import API_KEY, Door, PlayedService, gateway_settings, open_door


@pytest_asyncio.fixture
async def issuer() -> AsyncIterator[Issuer]:
    async with issuing() as found:
        yield found


@pytest_asyncio.fixture
async def signed_in(
    nats_server: NatsServer, tmp_path: Path, issuer: Issuer, services: dict[str, PlayedService]
) -> AsyncIterator[Door]:
    urls = {f"{name}_url": service.url for name, service in services.items()}
    settings = gateway_settings(nats_server.url, tmp_path / "gateway.db", **oidc(issuer), **urls)
    async with open_door(settings) as door:
        await eventually(lambda: issuer.fetched == 1)
        yield door


def oidc(issuer: Issuer, **others: Any) -> dict[str, Any]:
    return {"oidc_issuer": issuer.url, "oidc_audience": (AUDIENCE, "other-api")} | others


async def test_a_token_opens_what_its_roles_may_and_names_its_bearer(
    signed_in: Door, issuer: Issuer, identity: PlayedService
) -> None:
    token = issuer.token(rep_id="rep_7", teams=["north"])
    assert (await ask(signed_in, token)).status_code == 200
    refused = await ask(signed_in, token, "/v1/keys")
    assert refused.status_code == 403
    identity.says("GET", "/v1/people/per_1/links", {"items": []})
    assert (await ask(signed_in, token, "/v1/people/per_1/links")).status_code == 200
    caller = identity.callers[-1]
    # receipts of services name the subject
    assert caller == Principal(f"{issuer.url}#dana-17", frozenset({"marketing"}), "rep_7", frozenset({"north"}))
    assert (await ask(signed_in, API_KEY, "/v1/keys")).status_code == 200  # beside keys, not instead of them


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])
async def test_each_algorithm_of_ours_is_taken(algorithm: str) -> None:
    issuer = Issuer("https://login.example")
    issuer.add("k1", algorithm)
    assert (await desk(issuer)).principal_of(issuer.token()) is not None


Forge = Callable[[Issuer], str]


def unsigned(issuer: Issuer) -> str:
    nobody: Any = None
    return jwt.encode(issuer.claims(), nobody, algorithm="none", headers={"kid": "k1"})


def by_public_key(issuer: Issuer) -> str:
    """HMAC with the public key as the secret, which whoever confuses algorithms takes."""
    secret = pem_of(issuer.keys["k1"][1])
    head, body = [_part(orjson.dumps(one)) for one in ({"alg": "HS256", "typ": "JWT", "kid": "k1"}, issuer.claims())]
    signature = hmac.new(secret, head + b"." + body, hashlib.sha256).digest()
    return b".".join((head, body, _part(signature))).decode()


def _part(raw: bytes) -> bytes:
    return base64.urlsafe_b64encode(raw).rstrip(b"=")


def signed_by(key: Any, algorithm: str, key_id: str | None = "k1", **headers: Any) -> Forge:
    named = {"kid": key_id, **headers} if key_id is not None else headers
    return lambda issuer: jwt.encode(issuer.claims(), key, algorithm=algorithm, headers=named)


def saying(**claims: Any) -> Forge:
    return lambda issuer: issuer.token(
        **{name: value() if callable(value) else value for name, value in claims.items()}
    )


def cut(issuer: Issuer) -> str:
    return issuer.token()[:-8] + "AAAAAAAA"


def altered(issuer: Issuer) -> str:
    head, _, signature = issuer.token().split(".")
    body = _part(json.dumps(issuer.claims(roles=["admin"])).encode()).decode()
    return f"{head}.{body}.{signature}"


def at(seconds: float) -> Callable[[], float]:
    return lambda: time.time() + seconds


FORGED: list[tuple[Forge, str]] = [
    (unsigned, "not signed by"),
    (by_public_key, "not signed by"),
    (signed_by("secret of at least 32 characters, here", "HS256"), "not signed by"),
    (signed_by(private_key("ES256"), "ES256"), "signature does not hold"),
    (signed_by(private_key("ES256"), "ES256", "k2"), "key that the sign-in service does not have"),
    (signed_by(private_key("RS256"), "RS256"), "key that the sign-in service does not have"),  # k1 is no RSA key
    (signed_by(private_key("RS256"), "PS256"), "not signed by"),
    (signed_by(private_key("ES256"), "ES256", crit=["exp"], exp=1), "not signed by"),
    (cut, "signature does not hold"),
    (altered, "signature does not hold"),
    (saying(iss="https://evil.example"), "another issuer"),
    (saying(iss=None), "another issuer"),
    (saying(aud="somebody-else"), "another audience"),
    (saying(aud=["a", "b"]), "another audience"),
    (saying(aud=None), "another audience"),
    (saying(exp=at(-31)), "has expired"),
    (saying(exp=None), "does not say when"),
    (saying(exp="soon"), "exp is not a time"),
    (saying(exp=True), "exp is not a time"),
    (saying(nbf=at(60)), "not valid yet"),
    (saying(iat=at(60)), "not valid yet"),
    (saying(iat=None), "does not say when"),
    (saying(sub=None), "names nobody"),
    (saying(sub=""), "names nobody"),
    (saying(sub="a\nb"), "names nobody"),
    (saying(rep_id="rep.*"), "not the id of a rep"),
    (saying(rep_id=7), "not the id of a rep"),
]


@pytest.mark.parametrize(("forge", "why"), FORGED)
async def test_what_only_looks_like_a_token_is_refused(forge: Forge, why: str) -> None:
    issuer = Issuer("https://login.example")
    issuer.add("k1", "ES256")
    checked = await desk(issuer)
    token = forge(issuer)
    for _ in range(2):  # nor is it remembered as good
        with pytest.raises(TokenRefused, match=why):
            checked.principal_of(token)


@pytest.mark.parametrize(
    "claims", [saying(exp=at(-20)), saying(nbf=at(20)), saying(iat=at(20)), saying(aud=["x", AUDIENCE])]
)
async def test_clocks_may_differ_by_the_leeway(claims: Forge) -> None:
    issuer = Issuer("https://login.example")
    issuer.add("k1", "ES256")
    assert (await desk(issuer)).principal_of(claims(issuer)) is not None


async def test_a_token_that_was_good_ends_all_the_same() -> None:
    issuer = Issuer("https://login.example")
    issuer.add("k1", "ES256")
    now = wall_clock()
    checked = await desk(issuer, clock=lambda: now)
    token = issuer.token(exp=now.timestamp() + 10)
    assert checked.principal_of(token) is not None
    now = datetime.fromtimestamp(now.timestamp() + 40, UTC)
    with pytest.raises(TokenRefused, match="has expired"):
        checked.principal_of(token)


async def test_roles_are_mapped_from_the_claim_that_is_named_and_unknown_ones_count_for_nothing() -> None:
    issuer = Issuer("https://login.example")
    issuer.add("k1", "ES256")
    rules = ClaimRules(issuer.url, (AUDIENCE,), "realm.roles", {"lead-sales": "sales"}, "https://a.example/rep")
    checked = await desk(issuer, rules)
    told: dict[str, Any] = {
        "realm": {"roles": ["lead-sales", "admin"]},
        "roles": ["admin"],
        "https://a.example/rep": "rep_1",
    }
    who = checked.principal_of(issuer.token(**told))
    assert who is not None
    assert (sorted(who.roles), who.rep_id) == (["sales"], "rep_1")
    unmapped = (await desk(issuer)).principal_of(issuer.token(roles="sales site link root"))
    assert unmapped is not None
    assert unmapped.roles == {"sales"}  # those of our own machinery are nobody's to claim


async def test_a_new_key_is_looked_for_once_and_whoever_invents_keys_makes_nobody_fetch(
    signed_in: Door, issuer: Issuer
) -> None:
    strange = [signed_by(private_key("ES256"), "ES256", f"made-up-{number}")(issuer) for number in range(20)]
    for token in strange:
        assert (await ask(signed_in, token)).status_code == 401
    assert issuer.fetched == 1  # it was asked a moment ago, at the start


async def test_keys_rotate_without_a_restart_and_one_taken_back_is_refused() -> None:
    async with issuing() as issuer:
        seconds = 0.0

        async def fetch() -> Any:
            issuer.fetched += 1
            return issuer.jwks()

        keys = KeySet(fetch, least_seconds=30, clock=lambda: seconds)
        await keys.look_again()
        checked = TokenDesk(keys, ClaimRules(issuer.url, (AUDIENCE,)), wall_clock)
        old = issuer.token("k1")
        assert checked.principal_of(old) is not None

        issuer.add("k2", "RS256")
        new = issuer.token("k2")
        await checked.prepare(new)
        with pytest.raises(TokenRefused):
            checked.principal_of(new)  # within the half minute nobody is asked
        seconds = 31
        await checked.prepare(new)
        assert checked.principal_of(new) is not None
        for token in (new, old):
            await checked.prepare(token)  # a known key: no call to outside
        assert issuer.fetched == 2

        del issuer.keys["k1"]
        seconds = 62
        await keys.look_again()
        with pytest.raises(TokenRefused):
            checked.principal_of(old)  # also though it was remembered as good
        assert checked.principal_of(new) is not None


async def test_an_issuer_that_is_away_or_answers_nonsense_takes_no_key_away() -> None:
    issuer = Issuer("https://login.example")
    issuer.add("k1", "ES256")
    answers: list[Any] = [issuer.jwks(), OSError("away"), {"keys": []}, {"error": "x"}, "<html>", {"keys": [{}]}]

    async def fetch() -> Any:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    keys = KeySet(fetch, least_seconds=0)
    while answers:
        await keys.look_again()
    checked = TokenDesk(keys, ClaimRules(issuer.url, (AUDIENCE,)), wall_clock)
    assert checked.principal_of(issuer.token()) is not None


def test_keys_that_could_sign_otherwise_or_weakly_are_no_keys() -> None:
    issuer = Issuer()
    issuer.add("weak", "RS256", private_key("RS256", 1024))
    issuer.add("good", "EdDSA")
    good = issuer.jwks()["keys"]
    secret = {"kty": "oct", "k": "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0", "kid": "hmac"}
    encrypting = {**good[1], "kid": "enc", "use": "enc"}
    otherwise = {**good[1], "kid": "other", "alg": "ES256"}
    assert set(read_keys({"keys": [*good, secret, encrypting, otherwise, {"kty": "RSA"}]})) == {"good"}


async def test_while_no_key_was_ever_reached_tokens_are_503_and_keys_go_on(
    nats_server: NatsServer, tmp_path: Path, issuer: Issuer
) -> None:
    issuer.is_away = True
    settings = gateway_settings(nats_server.url, tmp_path / "g.db", **oidc(issuer, oidc_refresh_seconds=0.05))
    async with open_door(settings) as door:
        answer = await ask(door, issuer.token())
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
        assert (await ask(door, API_KEY)).status_code == 200
        issuer.is_away = False

        async def is_in() -> bool:
            return (await ask(door, issuer.token())).status_code == 200

        await eventually(is_in)


async def test_who_answers_for_an_issuer_must_be_that_issuer(
    nats_server: NatsServer, tmp_path: Path, issuer: Issuer
) -> None:
    issuer.says_it_is = "https://evil.example"
    async with open_door(gateway_settings(nats_server.url, tmp_path / "g.db", **oidc(issuer))) as door:
        assert (await ask(door, issuer.token())).status_code == 503
        assert issuer.fetched == 0


async def test_a_file_of_keys_serves_where_there_is_no_way_out(
    nats_server: NatsServer, tmp_path: Path, issuer: Issuer
) -> None:
    file = tmp_path / "jwks.json"
    file.write_text(json.dumps(issuer.jwks()))
    settings = gateway_settings(nats_server.url, tmp_path / "g.db", **oidc(issuer, oidc_jwks_file=file))
    async with open_door(settings) as door:

        async def is_in() -> bool:
            return (await ask(door, issuer.token())).status_code == 200

        await eventually(is_in)
        assert issuer.fetched == 0


async def test_a_ticket_made_with_a_token_opens_the_stream_at_another_process(
    nats_server: NatsServer, tmp_path: Path, issuer: Issuer
) -> None:
    settings = gateway_settings(nats_server.url, tmp_path / "g.db", **oidc(issuer))
    async with open_door(settings) as one, open_door(settings) as other:
        await one.runtime.broker.ensure_streams(["ALERTS"])
        await eventually(lambda: issuer.fetched == 2)
        headers = {"authorization": f"Bearer {issuer.token(roles=['sales'], rep_id='rep_7')}"}
        ticket = (await one.client.post("/v1/alerts/tickets", headers=headers)).json()["ticket"]
        async with listening(other.app, "/v1/alerts/stream", {"ticket": ticket}, {}) as listener:
            assert await listener.begun() == 200
            said = OutMessage("alerts.rep.rep_7.offered", {"ce-id": "evt_1"}, b'{"rep_id":"rep_7"}')
            await one.runtime.broker.publish_batch([said])
            assert (await listener.event()).data["alert_id"] == "evt_1"


@pytest.mark.parametrize(
    ("url", "is_safe"),
    [
        ("https://login.example/keys", True),
        ("http://127.0.0.1:8081/keys", True),
        ("http://localhost/keys", True),
        ("http://login.example/keys", False),
        ("http://localhost.evil.example/keys", False),
        ("http://127.0.0.1@evil.example/keys", False),
        ("file:///etc/passwd", False),
        ("https://", False),
    ],
)
def test_keys_are_fetched_where_nobody_can_put_in_their_own(url: str, is_safe: bool) -> None:
    if is_safe:
        assert safe_address(url) == url
    else:
        with pytest.raises(ValueError, match="https"):
            safe_address(url)


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ({"oidc_issuer": "https://login.example"}, "OIDC_AUDIENCE"),
        ({"oidc_issuer": "http://login.example", "oidc_audience": ("a",)}, "https"),
        ({"oidc_role_mapping": ("leads=king",)}, "roles are"),
        ({"oidc_jwks_url": "ftp://a"}, "https"),
    ],
)
def test_half_of_the_settings_stops_the_start(tmp_path: Path, given: dict[str, Any], word: str) -> None:
    with pytest.raises(SettingsRefused, match=word):
        gateway_settings("nats://127.0.0.1:4222", tmp_path / "g.db", **given)


async def desk(
    issuer: Issuer, rules: ClaimRules | None = None, clock: Callable[[], datetime] = wall_clock
) -> TokenDesk:
    async def fetch() -> Any:
        return issuer.jwks()

    keys = KeySet(fetch, least_seconds=0)
    await keys.look_again()
    return TokenDesk(keys, rules or ClaimRules(issuer.url, (AUDIENCE,)), clock)


async def ask(door: Door, token: str, path: str = "/v1/sources") -> httpx.Response:
    return await door.client.get(path, headers={"authorization": f"Bearer {token}"})
