"""How texts are cut to their size where they travel, and spelled where they are searched: the same for all.

A receipt is kept within its size whoever writes it: it travels in events, and an event has a size. What is searched and
what is searched for have one spelling: without case, accents and widths, in any script.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any, Final

from pydantic_core import to_json

from contracts.limits import INPUT_BYTES, REJECTED, SENTENCE_CHARACTERS

LEFT_OUT = "left_out"
"""Under this name a receipt's inputs list those that were too long to quote."""

_NAMED = 20  # of those left out


def shortened(text: str) -> str:
    """`text`, or its beginning and an ellipsis."""
    return text if len(text) <= SENTENCE_CHARACTERS else f"{text[: SENTENCE_CHARACTERS - 1]}…"


def quoted(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """`inputs` in INPUT_BYTES of JSON: the largest give way first, and are named."""
    if _size(inputs) <= INPUT_BYTES:
        return dict(inputs)
    sizes = {name: _size(value) for name, value in inputs.items()}
    kept, dropped = dict(inputs), list[str]()
    for name in sorted(inputs, key=lambda name: (-sizes[name], name)):
        dropped.append(name[:64])
        del kept[name]
        told = {**kept, LEFT_OUT: sorted(dropped)[:_NAMED]}
        if _size(told) <= INPUT_BYTES:
            return told
    return {LEFT_OUT: len(inputs)}


def counted(rejected: tuple[str, ...]) -> tuple[str, ...]:
    """At most REJECTED alternatives, and how many more there were."""
    if not rejected:
        return rejected
    if len(rejected) > REJECTED:
        rejected = (*rejected[: REJECTED - 1], f"{len(rejected) - REJECTED + 1} others")
    return tuple(shortened(one) for one in rejected)


def _size(value: Any) -> int:
    return len(to_json(value, inf_nan_mode="strings", fallback=str))


# marks that stand on Latin, Greek and Cyrillic letters; those of other scripts are vowels or make another
# sound, and short i is a letter of its own
_ACCENTS: Final = re.compile("(?<![\u0418\u0438])[\u0300-\u036f]+|(?<=[\u0418\u0438])[\u0300-\u0305\u0307-\u036f]+")
_PLAIN: Final = str.maketrans(
    {
        "ø": "o",
        "ł": "l",
        "đ": "d",
        "ð": "d",
        "ħ": "h",
        "ŧ": "t",
        "ŋ": "n",
        "ı": "i",
        "æ": "ae",
        "œ": "oe",
        "þ": "th",
        "\0": " ",
    }
)
_FIRST_IDEOGRAPH: Final = "\u2e80"
_GAP: Final = "  "
GRAM_CHARACTERS: Final = 3


def spelled(text: str) -> str:
    """`text` as it is compared: `Müller` is `muller`, `Straße` is `strasse`, `Łódź` is `lodz`, `ＡＣＭＥ` is `acme`."""
    return _spelled_once(_spelled_once(text))  # what case makes of some letters has accents again


def laid_out(text: str, most: int) -> str:
    """`text` as it is kept to be searched: its words, each after a gap, so that the first
    letters of a word are three characters too.

    Names in ideographs have no gaps: each of their characters begins a word. Of long
    texts the first `most` characters are kept.
    """
    words = spelled(text[:most]).split()
    inner = [word[at : at + 2] for word in words for at in range(1, len(word)) if word[at] >= _FIRST_IDEOGRAPH]
    return "".join(_GAP + word for word in (*words, *dict.fromkeys(inner)))


def needle(query: str) -> str:
    """What a laid-out text must hold to be found: part of it; of one or two characters the
    beginning of a word. Empty: nothing is found.
    """
    words = spelled(query).split()
    wanted = _GAP.join(words)
    return wanted if len(wanted) >= GRAM_CHARACTERS or not wanted else _GAP + wanted


def grams(text: str, most: int | None = None) -> list[str]:
    """Each three characters that follow one another in `text`, once; at most so many."""
    return list(dict.fromkeys(text[at : at + GRAM_CHARACTERS] for at in range(len(text) - GRAM_CHARACTERS + 1)))[:most]


def _spelled_once(text: str) -> str:
    plain = _ACCENTS.sub("", unicodedata.normalize("NFKD", text).casefold())
    return unicodedata.normalize("NFKC", plain).translate(_PLAIN)
