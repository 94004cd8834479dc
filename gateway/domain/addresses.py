"""What an address is counted as: itself, of IPv6 its network of /64, which is what one customer has."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

UNREADABLE: Final = "unreadable"
"""What all addresses are counted as that are none: a proxy's `unknown`, and whatever a stranger makes up."""
_LONGEST = 64
_OF_ONE_CUSTOMER = 64

Network = IPv4Network | IPv6Network


def network_of(text: str) -> Network:
    """`10.0.0.0/8`, or one address. Raises ValueError."""
    return ip_network(text.strip(), strict=False)


PRIVATE: Final = tuple(
    map(
        network_of,
        ("127.0.0.0/8", "::1/128", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", "fe80::/10"),
    )
)
"""Where no stranger comes from: loopback, and what is routed nowhere."""


def counted_as(address: str | None, ours: Sequence[Network] = ()) -> str | None:
    """Under which name the events of an address are counted; None: it lies in one of `ours`, and they are not."""
    if address is None:
        return UNREADABLE
    read = _read(address[:_LONGEST])
    if read is None:
        return UNREADABLE
    if any(read in network for network in ours if network.version == read.version):
        return None
    if isinstance(read, IPv4Address):
        return str(read)
    return str(IPv6Network((read, _OF_ONE_CUSTOMER), strict=False))


def _read(text: str) -> IPv4Address | IPv6Address | None:
    """`192.0.2.1`, `192.0.2.1:443`, `2001:db8::1`, `[2001:db8::1]:443`; IPv4 written as IPv6 is IPv4."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        read = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return read if isinstance(read, IPv4Address) else read.ipv4_mapped or read
