"""A fact's interaction as bytes: its JSON without what is empty and without its id, deflated with a dictionary of what interactions look like.

A page view of 900 bytes of JSON takes about 300.
"""

from __future__ import annotations

import zlib

from pydantic_core import to_json

from contracts.values import Interaction

_FIRST = 1  # the dictionary that bytes were packed with; one that was used once is kept for ever

# what comes last is nearest, and cheapest to refer to
DICTIONARIES = {
    _FIRST: (
        b'"traits":{"firstName":"lastName":"name":"title":"company":{"name":"employees":"industry":"email":"phone":"country":"account":'
        b'{"group_id":"name":"domain":"traits":{"budget":"timeline":"authority":"need":"plan":"website":"city":"extra":{"integrations":{'
        b'"category":"label":"value":"currency":"EUR""USD""revenue":"products":["flags":["clock_corrected","time_missing","future_clamped"],'
        b'"kind":"identify"'
        b'"kind":"form"'
        b'"kind":"track","name":"Form Submitted""Demo Requested""Signed Up""Button Clicked"'
        b"Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Mobile/15E148 Safari/604.1 (Windows NT 10.0; Win64; x64) Gecko/20100101 Firefox/"
        b'"campaign":{"name":"source":"google","medium":"cpc","term":"content":"referrer":{"type":"search","url":"https://www.google.com/"'
        b'"os":{"name":"device":{"type":"screen":{"width":1920,"height":1080,"density":'
        b'"context":{"ip":"127.0.0.1","library":{"name":"analytics.js","version":"userAgentData":{"brands":[{"brand":"Chromium","version":"12'
        b'"mobile":false,"platform":"Windows"},"timezone":"Europe/Berlin","locale":"en-US","userAgent":"Mozilla/5.0 (Macintosh; Intel Mac OS X '
        b'10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36","page":{"path":"/pricing","referrer":"","search":"",'
        b'"title":"Pricing","url":"https://www.example.com/"},'
        b'"properties":{"path":"/pricing","referrer":"https://www.google.com/","search":"?utm_source=&utm_medium=&utm_campaign=","title":'
        b'"Pricing","url":"https://www.example.com/pricing"},'
        b'{"kind":"page","name":"source_id":"src_01J","source_kind":"server","source_kind":"web","is_test":true,"message_id":"ajs-next-'
        b'"occurred_at":"2026-01-01T00:00:00.000000Z","received_at":"2026-01-01T00:00:00.000000Z"'
    )
}


_SHORT = 2_000  # bytes: with the dictionary they fit a window of 4 KB, so that a small state finds all that a large one would
_small = zlib.compressobj(6, wbits=-12, memLevel=5, zdict=DICTIONARIES[_FIRST])


def packed(interaction: Interaction) -> bytes:
    """The bytes of `interaction`."""
    text = interaction.model_dump_json(exclude_defaults=True, exclude={"interaction_id"}).encode()
    return bytes([_FIRST]) + deflated(text)


def deflated(text: bytes) -> bytes:
    """`text`, smaller. Most of what is captured is short: then a small state that has read the dictionary is copied. A fresh one of 260 KB that is to
    read it first takes twice the time, and is cold in every cache."""
    deflate = _small.copy() if len(text) <= _SHORT else zlib.compressobj(6, wbits=-15, zdict=DICTIONARIES[_FIRST])
    return deflate.compress(text) + deflate.flush()


def unpacked(interaction_id: str, data: bytes) -> Interaction:
    """The interaction that `packed` took."""
    text = zlib.decompressobj(wbits=-15, zdict=DICTIONARIES[data[0]]).decompress(data[1:])
    return Interaction.model_validate_json(b'{"interaction_id":%s,%s' % (to_json(interaction_id), text[1:]))
