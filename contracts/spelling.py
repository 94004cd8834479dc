"""One spelling for what is searched and what is searched for: without case, accents and widths, in any script."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

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
