"""Where a webhook may not lead: no URL makes the gateway ask our own network, or the cloud it runs in.

The URL is judged by its text when it is given, and every address at each connection (`fault_of_address`): a name may
lead elsewhere by then. Ranges are those of the registries of special-purpose addresses
(https://www.iana.org/assignments/iana-ipv4-special-registry, -ipv6-special-registry), written out: what Python calls
global has changed between its releases.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

Address = IPv4Address | IPv6Address

MOST_CHARACTERS: Final = 2_000
_URL: Final = re.compile(
    r"(?P<scheme>https?)://(?P<user>[^/?#@\s]*@)?(?P<host>\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9._-]{1,253})"
    r"(?::(?P<port>[0-9]{1,5}))?(?P<rest>[/?][!\"$-\[\]-~]*)?"
)
_LABEL: Final = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)")
_NUMERIC: Final = re.compile(r"[0-9]+|0[xX][0-9A-Fa-f]*")
_USUAL: Final = {"https": 443, "http": 80}
_LOOPBACK: Final = tuple(map(ip_network, ("127.0.0.0/8", "::1/128")))
# never ours to open: whatever lies there answers the machine itself, with its credentials
_NEVER: Final = {
    "an address of the cloud's metadata": (
        "169.254.169.254/32", "169.254.170.2/32", "fd00:ec2::254/128", "100.100.100.200/32", "192.0.0.192/32",
    ),
    "a link-local address": ("169.254.0.0/16", "fe80::/10", "fec0::/10"),
    "a multicast address": ("224.0.0.0/4", "ff00::/8"),
    "the address of no host": ("0.0.0.0/8", "255.255.255.255/32", "::/128"),
}  # fmt: skip
_PRIVATE: Final = {
    "a loopback address": ("127.0.0.0/8", "::1/128"),
    "a private address": ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"),
    "an address of a carrier's own network": ("100.64.0.0/10",),
    "a reserved address": (
        "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
        "240.0.0.0/4", "::/96", "64:ff9b:1::/48", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20",
    ),
}  # fmt: skip
_NETWORKS_NEVER, _NETWORKS_PRIVATE = (
    tuple((ip_network(one), what) for what, ranges in table.items() for one in ranges) for table in (_NEVER, _PRIVATE)
)
_PUBLIC_V6: Final = IPv6Network("2000::/3")
_NAT64: Final = IPv6Network("64:ff9b::/96")


@dataclass(frozen=True, slots=True)
class Guard:
    """What an operator allows beside https to public addresses. `networks`: of their own, as 10.20.0.0/16."""

    ports: frozenset[int] = frozenset({443})
    networks: tuple[str, ...] = ()
    allows_loopback: bool = False  # and http there: for whoever tries it on one machine


@dataclass(frozen=True, slots=True)
class Fault:
    """Why not, and what would do."""

    says: str
    remedy: str


def fault_of_url(url: str, guard: Guard) -> Fault | None:
    """What is wrong with where a webhook would lead, by its text alone; None: nothing."""
    found = _URL.fullmatch(url)
    if found is None or len(url) > MOST_CHARACTERS:
        return Fault("This is not an https URL", "Send one as https://hooks.example.com/rapport, host names in ASCII")
    if found["user"]:
        return Fault("There are credentials in the URL", "Leave them out: the signature says who sends")
    host, scheme = found["host"].rstrip(".").lower(), found["scheme"]
    is_local = is_loopback_name(host)
    if scheme == "http" and not (guard.allows_loopback and is_local):
        return Fault("Events are sent by https alone", "Send an https URL")
    if not (guard.allows_loopback and is_local) and int(found["port"] or _USUAL[scheme]) not in guard.ports:
        ports = ", ".join(map(str, sorted(guard.ports)))
        return Fault(
            f"Port {found['port']} is not open to webhooks", f"Use {ports}; GATEWAY_WEBHOOK_PORTS opens others"
        )
    return _fault_of_host(host, guard)


def fault_of_address(address: str, guard: Guard) -> Fault | None:
    """Why nobody connects to `address`; None: it may be."""
    try:
        ip = ip_address(address.partition("%")[0])
    except ValueError:
        return Fault(f"{address[:50]} is no address", "Use a host name, or an address as it is usually written")
    inner = _inner(ip)
    if what := _first(inner, _NETWORKS_NEVER):
        return Fault(f"The host has {what}", "Use one that is reached over the internet")
    if _is_within(inner, guard.networks):
        return None
    if guard.allows_loopback and any(_holds(network, inner) for network in _LOOPBACK):
        return None
    what = _first(inner, _NETWORKS_PRIVATE)
    if not what and isinstance(inner, IPv6Address) and inner not in _PUBLIC_V6:
        what = "a reserved address"
    if not what:
        return None
    return Fault(
        f"The host has {what}", "Use one that is reached over the internet; GATEWAY_WEBHOOK_NETWORKS opens your own"
    )


def is_loopback_name(host: str) -> bool:
    """Whether a host means this machine by its text: `localhost`, names below it, loopback addresses."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return any(_holds(network, _inner(ip_address(host.strip("[]")))) for network in _LOOPBACK)
    except ValueError:
        return False


def _fault_of_host(host: str, guard: Guard) -> Fault | None:
    if host.startswith("["):
        return fault_of_address(host.strip("[]"), guard)
    labels = host.split(".")
    if not all(map(_LABEL.fullmatch, labels)):
        return Fault("The host is no name", "Send one as hooks.example.com; a name with other letters in its xn-- form")
    if _NUMERIC.fullmatch(labels[-1]):  # browsers and resolvers read 2130706433 and 0x7f.1 as addresses, and so do we
        return fault_of_address(host, guard)
    if is_loopback_name(host):
        return None if guard.allows_loopback else Fault("The host is this machine", "Use one that others reach")
    return None


def _inner(ip: Address) -> Address:
    """The IPv4 address that an IPv6 one stands for, where a router or the kernel would take it for that."""
    if isinstance(ip, IPv6Address):
        if ip.ipv4_mapped is not None:
            return ip.ipv4_mapped
        if ip in _NAT64:
            return IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip


def _first(ip: Address, table: Sequence[tuple[object, str]]) -> str:
    return next((what for network, what in table if _holds(network, ip)), "")


def _is_within(ip: Address, networks: Sequence[str]) -> bool:
    return any(_holds(ip_network(one), ip) for one in networks)


def _holds(network: object, ip: Address) -> bool:
    return bool(network.version == ip.version and ip in network)  # type: ignore[attr-defined, operator]
