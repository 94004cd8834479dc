"""No URL and no name server makes the gateway ask what is not on the internet."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from gateway.domain.webhooks.addresses import Guard, fault_of_address, fault_of_url
from gateway.webhooks.guarded_client import AddressRefused, GuardedClient, _CheckedResolver
from tests.unit.gateway.receiver import Receiver, receiving

CLOSED, DEVELOPMENT = Guard(), Guard(allows_loopback=True)
OWN = Guard(networks=("10.20.0.0/16", "fd12:3456::/32", "0.0.0.0/0"))


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.example.com",
        "https://hooks.example.com/rapport?tenant=7&x=%20",
        "https://HOOKS.example.com:443/",
        "https://hooks.example.com./",
        "https://xn--bcher-kva.example/",
        "https://1.1.1.1/hook",
        "https://[2606:4700:4700::1111]/hook",
        "https://10minutes.example/",
        "https://[64:ff9b::101:101]/",
        "https://a_b.example.com/",
    ],
)
def test_what_is_on_the_internet_may_be_sent_to(url: str) -> None:
    assert fault_of_url(url, CLOSED) is None


@pytest.mark.parametrize(
    "url",
    [
        "", "hooks.example.com", "ftp://hooks.example.com/", "file:///etc/passwd", "gopher://127.0.0.1/",
        "http://hooks.example.com/", "HTTP://hooks.example.com/", "https:hooks.example.com", "https:///x", "https://",
        "https://ada:secret@hooks.example.com/", "https://ada@hooks.example.com/", "https://1.1.1.1@127.0.0.1/",
        "https://hooks.example.com#@127.0.0.1/", "https://hooks.example.com/#part", "https://hooks.example.com\\@127.0.0.1",
        "https://hooks.example.com:22/", "https://hooks.example.com:8443/", "https://hooks.example.com:0/",
        "https://hooks.example.com:99999/", "https://hooks.example.com:443:443/", "https://hooks.example.com /",
        "https://hooks.example.com/\r\nHost: evil", "https://hooks.exa\tmple.com/", "https://b\u00fccher.example/",
        "https://\u2460\u2461\u2466.\u24ea.\u24ea.\u2460/", "https://127\u30020\u30020\u30021/", "https://a..example.com/",
        "https://-a.example.com/", "https://%31%32%37.0.0.1/", "https://hooks.example.com/\x00", "https://" + "a" * 64,
        "https://hooks.example.com/" + "a" * 2_000,
        # this machine
        "https://localhost/", "https://LOCALHOST/", "https://localhost./", "https://api.localhost/", "http://localhost/",
        "https://127.0.0.1/", "https://127.1.2.3/", "https://127.1/", "https://127.0.1/", "https://2130706433/",
        "https://017700000001/", "https://0x7f000001/", "https://0x7f.0x0.0x0.0x1/", "https://0177.0.0.1/",
        "https://0x7f.1/", "https://127.0.0.1./", "https://0/", "https://0.0.0.0/", "https://00000000/", "https://0x0/",
        "https://[::1]/", "https://[0:0:0:0:0:0:0:1]/", "https://[::]/", "https://[::ffff:127.0.0.1]/",
        "https://[::ffff:7f00:1]/", "https://[::127.0.0.1]/", "https://[64:ff9b::127.0.0.1]/",
        "https://[64:ff9b::7f00:1]/", "https://[2002:7f00:1::]/", "https://[::1%25lo]/", "https://[::ffff:0:127.0.0.1]/",
        # networks of others' own
        "https://10.0.0.1/", "https://172.16.0.1/", "https://172.31.255.255/", "https://192.168.1.1/",
        "https://100.64.0.1/", "https://100.127.255.254/", "https://167772161/", "https://0xa000001/", "https://10.1/",
        "https://[::ffff:10.0.0.1]/", "https://[64:ff9b::10.0.0.1]/", "https://[64:ff9b:1::10.0.0.1]/",
        "https://[fc00::1]/", "https://[fd12:3456:789a::1]/", "https://[2001::1]/", "https://[2002:c0a8:101::]/",
        # what lies beside the machine
        "https://169.254.169.254/latest/meta-data/", "https://169.254.170.2/", "https://2852039166/",
        "https://0xa9fea9fe/", "https://[::ffff:a9fe:a9fe]/", "https://[64:ff9b::a9fe:a9fe]/", "https://[fd00:ec2::254]/",
        "https://100.100.100.200/", "https://192.0.0.192/", "https://[fe80::1]/", "https://[fec0::1]/",
        # what is nobody's
        "https://224.0.0.1/", "https://239.255.255.250/", "https://[ff02::1]/", "https://255.255.255.255/",
        "https://240.0.0.1/", "https://192.0.2.1/", "https://198.18.0.1/", "https://198.51.100.7/", "https://203.0.113.9/",
        "https://192.88.99.1/", "https://[2001:db8::1]/", "https://[3fff::1]/", "https://[5f00::1]/", "https://[100::1]/",
        "https://[4000::1]/",
    ],
)  # fmt: skip
def test_whatever_else_is_refused_with_what_would_do(url: str) -> None:
    fault = fault_of_url(url, CLOSED)
    assert fault is not None
    assert fault.says
    assert fault.remedy


def test_an_operator_opens_networks_of_their_own_and_never_the_machine_s_own_surroundings() -> None:
    for address in ("10.20.3.4", "::ffff:10.20.3.4", "fd12:3456::7", "127.0.0.1"):
        assert fault_of_address(address, OWN) is None
    for address in ("169.254.169.254", "fe80::1", "fe80::1%eth0", "224.0.0.1", "0.0.0.0", "fd00:ec2::254", "fd13::1"):
        assert fault_of_address(address, OWN) is not None, address


def test_a_developer_sends_to_their_own_machine_and_nowhere_else_by_http() -> None:
    for url in ("http://localhost:9000/x", "http://127.0.0.1:9000/x", "https://[::1]:9000/", "http://a.localhost/"):
        assert fault_of_url(url, DEVELOPMENT) is None, url
    for url in (
        "http://hooks.example.com/",
        "http://10.0.0.1/",
        "https://10.0.0.1/",
        "https://hooks.example.com:9000/",
    ):
        assert fault_of_url(url, DEVELOPMENT) is not None, url


@pytest_asyncio.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as opened:
        yield opened


def answers(*addresses: str) -> Any:
    """A name server that says this, whatever it is asked."""

    def lookup(host: str, port: int, **_: Any) -> list[tuple[Any, ...]]:
        asked.append(host)
        families = [socket.AF_INET6 if ":" in address else socket.AF_INET for address in addresses]
        return [
            (family, socket.SOCK_STREAM, 6, "", (address, port))
            for family, address in zip(families, addresses, strict=True)
        ]

    asked: list[str] = []
    return lookup


@pytest.mark.parametrize(
    "addresses",
    [("127.0.0.1",), ("::1",), ("10.0.0.1",), ("169.254.169.254",), ("::ffff:127.0.0.1",), ("1.1.1.1", "127.0.0.1")],
)
async def test_a_name_that_leads_inside_is_not_followed(addresses: tuple[str, ...]) -> None:
    client = GuardedClient(CLOSED, 2, lookup=answers(*addresses))
    exchange = await client.post("https://hooks.example.com/", {}, b"{}")
    await client.close()
    assert exchange.status is None
    assert exchange.error.startswith("The host has")


async def test_one_address_that_may_not_be_makes_all_of_a_name_suspect() -> None:
    resolver = _CheckedResolver(CLOSED, answers("1.1.1.1", "127.0.0.1"))
    with pytest.raises(AddressRefused, match="loopback"):
        await resolver.resolve("hooks.example.com", 443)
    await resolver.close()


async def test_a_name_that_leads_elsewhere_the_second_time_gains_nothing(receiver: Receiver) -> None:
    """Rebinding: what was judged is what is connected to, so there is one look-up a connection and no second."""
    times: list[str] = []

    def rebinding(host: str, port: int, **_: Any) -> list[tuple[Any, ...]]:
        times.append(host)
        address = "127.0.0.2" if len(times) == 1 else "127.0.0.1"  # .2: nobody listens; the receiver is on .1
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    client = GuardedClient(DEVELOPMENT, 2, lookup=rebinding)
    exchange = await client.post(receiver.url.replace("127.0.0.1", "a.localhost"), {}, b"{}")
    await client.close()
    assert (exchange.status, times, receiver.ids) == (None, ["a.localhost"], [])


async def test_the_receiver_is_told_the_name_it_was_asked_by(receiver: Receiver) -> None:
    client = GuardedClient(DEVELOPMENT, 2, lookup=answers("127.0.0.1"))
    url = receiver.url.replace("127.0.0.1", "a.localhost")
    exchange = await client.post(url, {"webhook-id": "evt_1"}, b'{"id":"evt_1"}')
    await client.close()
    assert exchange.status == 204
    assert receiver.heads[0]["host"].startswith("a.localhost:")


async def test_the_last_fence_is_where_the_socket_is_made(receiver: Receiver) -> None:
    client = GuardedClient(DEVELOPMENT, 2)
    client._guard = CLOSED  # as if text and names had been fooled
    with pytest.raises(OSError, match="loopback"):
        client._socket((socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 80)))
    await client.close()


async def test_proxies_of_the_environment_are_not_asked(monkeypatch: pytest.MonkeyPatch, receiver: Receiver) -> None:
    async with receiving() as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        client = GuardedClient(DEVELOPMENT, 2)
        await client.post(receiver.url, {"webhook-id": "evt_1"}, b'{"id":"evt_1"}')
        await client.close()
        assert (proxy.ids, receiver.ids) == ([], ["evt_1"])
