"""Charsets of forms: those of the Encoding Standard, which are all that a browser can send, and no other codec.

A label may come from anybody. Python knows codecs that are no charset of a page (`idna`, `punycode`, `unicode_escape`);
what is not on the list is read as UTF-8. Source: https://encoding.spec.whatwg.org/#names-and-labels
"""

from __future__ import annotations

import codecs
from typing import Final

UTF_8: Final = "utf-8"
_WINDOWS_1252: Final = "cp1252"
# Python's name of a codec -> the codec that the standard reads its labels with
_CODECS: Final = {
    **dict.fromkeys(("utf-8", "utf-8-sig"), UTF_8),
    **dict.fromkeys(("iso8859-1", "ascii", "cp1252"), _WINDOWS_1252),
    **{name: name for name in ("cp866", "cp874", "koi8-r", "koi8-u", "mac-roman", "mac-cyrillic")},
    **{f"cp{number}": f"cp{number}" for number in (1250, 1251, 1253, 1254, 1255, 1256, 1257, 1258)},
    **{f"iso8859-{number}": f"iso8859-{number}" for number in (2, 3, 4, 5, 6, 7, 8, 10, 13, 14, 15, 16)},
    "iso8859-9": "cp1254",
    "iso8859-11": "cp874",
    **dict.fromkeys(("gb2312", "gbk", "gb18030"), "gb18030"),
    **dict.fromkeys(("big5", "big5hkscs"), "big5hkscs"),
    **dict.fromkeys(("shift_jis", "cp932"), "cp932"),
    "euc_jp": "euc_jp",
    "iso2022_jp": "iso2022_jp",
    **dict.fromkeys(("euc_kr", "cp949"), "cp949"),
    **dict.fromkeys(("utf-16", "utf-16-le"), "utf-16-le"),
    "utf-16-be": "utf-16-be",
}
# labels of the standard that Python does not know
_LABELS: Final = {
    "unicode-1-1-utf-8": UTF_8,
    "x-cp1252": _WINDOWS_1252,
    "x-cp1250": "cp1250",
    "x-cp1251": "cp1251",
    "dos-874": "cp874",
    "x-mac-roman": "mac-roman",
    "x-mac-cyrillic": "mac-cyrillic",
    "x-sjis": "cp932",
    "windows-31j": "cp932",
    "x-euc-jp": "euc_jp",
    "x-gbk": "gb18030",
    "x-x-big5": "big5hkscs",
    "cn-big5": "big5hkscs",
    "windows-949": "cp949",
}
_LONGEST_LABEL: Final = 40


def charset_of(label: str | None) -> str:
    """The codec that text with this label is read with; UTF-8 where there is no label, or none of the standard's."""
    plain = (label or UTF_8).strip().strip("\"'").lower()[:_LONGEST_LABEL]
    if plain in _LABELS:
        return _LABELS[plain]
    try:
        return _CODECS.get(codecs.lookup(plain).name, UTF_8)
    except (LookupError, ValueError):
        return UTF_8
