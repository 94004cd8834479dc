"""How often and for how long: what strangers may do in a minute, and how much time a connection has. Sizes are in
`contracts.limits`, and `docs/limits.md` says of both what happens beyond them.
"""

from __future__ import annotations

from typing import Final

from contracts.limits import KB

HEAD_SECONDS: Final = 30
"""So long the head of a request may take in all, however busily it drips: it is a packet or two."""

BODY_FREE_SECONDS: Final = 30
BODY_BYTES_A_SECOND: Final = 1 * KB
BODY_SECONDS: Final = 300
"""So long a body may take in any case, at what pace on average after that, and how long at the very most: a form with
its files has 10 MB, and a phone on the edge of a village sends 40 KB a second.
"""

CONNECTIONS_AN_ADDRESS: Final = 1_000
"""Connections of one address. A browser opens 6, a pool of an SDK 10 to 50; an office's or a carrier's address has
hundreds of either.
"""

ADDRESSES: Final = 65_536
"""Addresses whose events, and whose wrong keys, are counted, the last ones that came: some 20 MB at most. One that was
forgotten begins anew.
"""

PEOPLE_COUNTED: Final = 16_384
"""Names whose events are counted one by one, the last ones that came: only those that send far more than others are."""

PEOPLE_CELLS: Final = 65_536
"""Counters that all other names share, by hash: half a megabyte, whoever sends how many names."""

WEB_EVENTS: Final = 600_000
SERVER_EVENTS: Final = 1_200_000
"""Events a minute of a source with a public or a secret key: 10,000 a second is what one gateway takes one by one, and
twice as much in batches. Who knows what a site sends gives its source a smaller number (`events_a_minute`).
"""

ADDRESS_EVENTS: Final = 6_000
"""Events a minute of one address, with public keys: a busy visitor makes some 20, so that 300 of them may share one."""

PERSON_EVENTS: Final = 6_000
"""Events a minute of one name (a device, an address, a user id), with public keys: a hundred a second is no person."""

WRONG_KEYS: Final = 30
"""Unknown keys a minute of one address that are answered as unknown: a page with a mistyped key, and a human trying."""

WRONG_KEYS_SECONDS: Final = 600
"""The longest wait that is asked of whoever tries on."""

ORIGINS: Final = 50
"""Origins of one source: a company's sites, each with and without its stage."""
