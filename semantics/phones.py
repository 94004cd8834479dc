"""Telephone numbers in one spelling: E.164, read by the country that stands beside them.

A number says its country itself (`+49`, `0049`, `+49 (0)30`), or it is read by the country that its owner stated, else
by the one that is assumed. What cannot be read with certainty is refused: read by a wrong one it is somebody else's.
"""

from __future__ import annotations

import re
from typing import Final

import phonenumbers

_FEWEST_DIGITS: Final = 7  # shorter ones are short codes or extensions, not a person's line
_MOST_DIGITS: Final = 24  # with an extension
_MOST_LETTERS: Final = 12  # `ext.`, `Durchwahl`; a vanity number has seven
_UP: Final = "0123456789" * 2
_DOWN: Final = _UP[::-1]
_NOT_A_DIGIT: Final = re.compile(r"\D+")
_USUAL: Final = re.compile(r"\+?[0-9 ()./-]{1,40}")
_BETWEEN_DIGITS: Final = str.maketrans("", "", "+ ()./-")
_FOREIGN: Final = re.compile(r"^\W*00(?=\W*[1-9])")  # the prefix of most countries, written by people of all
_LABEL: Final = re.compile(  # Tel.: +49.., p:+1.. (Meta's exports), '+49.. (a spreadsheet's text), DE +49..
    r"^(?:[^\W\d]{1,12}[.:]{0,2}\s*|[\U0001f1e6-\U0001f1ff]{2}\s*|['=])+(?=\(?(?:\+|00))"
)
_REMARK: Final = re.compile(r"(?<=\d)\s*\([^\W\d][^()\d]{0,30}\)$")  # +49 30 1234567 (Büro)
_POINT_ZERO: Final = re.compile(r"(?<=\d{7})\.0$")  # a number that went through a spreadsheet or a data frame
_POSSIBLE: Final = phonenumbers.ValidationResult.IS_POSSIBLE


class NotAPhone(ValueError):
    """What was given is no number of one person's line; the text is the reason in one word."""


def phone_spelling(text: str, country: str | None, assumed: str | None) -> str:
    """`text` (NFKC) as E.164, with `;ext=` where it has an extension.

    `country` is the region that stands beside the number, `assumed` the one that is taken where none does.

    Raises NotAPhone.
    """
    text = _undressed(text)
    if _is_idle(text):
        raise NotAPhone("junk")
    number = _international(text)
    if number is None:
        number = _national(text, country or assumed)
    digits = str(number.national_number)
    if len(digits) < _FEWEST_DIGITS or _is_idle(digits):
        raise NotAPhone("junk")
    spelling = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    # two people behind one switchboard differ by their extension only
    return f"{spelling};ext={number.extension}" if number.extension else spelling


def _undressed(text: str) -> str:
    """The number without what was written before and behind it."""
    if _USUAL.fullmatch(text) is not None and not text.endswith(".0"):
        return text
    return _POINT_ZERO.sub("", _REMARK.sub("", _LABEL.sub("", text.strip())))


def may_be_phone(text: str) -> bool:
    """Whether it is a number in some country: what is known without knowing in which."""
    digits = _digits_of(text)
    if not _FEWEST_DIGITS <= len(digits) <= _MOST_DIGITS or _is_run(digits):
        return False
    return _USUAL.fullmatch(text) is not None or sum(letter.isalpha() for letter in text) <= _MOST_LETTERS


def _digits_of(text: str) -> str:
    return text.translate(_BETWEEN_DIGITS) if _USUAL.fullmatch(text) else _NOT_A_DIGIT.sub("", text)


def _is_idle(text: str) -> bool:
    """What fingers type that have no number to type."""
    digits = _digits_of(text)
    return len(digits) >= _FEWEST_DIGITS and _is_run(digits)


def _is_run(digits: str) -> bool:
    """One digit over and over, or all in their order."""
    return digits in _UP or digits in _DOWN or digits.count(digits[0]) == len(digits)


def _international(text: str) -> phonenumbers.PhoneNumber | None:
    """The number, if it says its country itself. Possible ones are taken: tables of what was given out lag behind."""
    bare = text.strip().removeprefix("tel:").lstrip()
    written = _FOREIGN.sub("+", bare)
    if not written.lstrip("( ").startswith("+"):
        return None
    number = _parsed(written, None)
    if number is not None and phonenumbers.is_possible_number_with_reason(number) == _POSSIBLE:
        return number
    if written == bare:
        raise NotAPhone("not_a_phone")
    return None  # 0011 49: another country's prefix


def _national(text: str, region: str | None) -> phonenumbers.PhoneNumber:
    """The number as it is dialled in `region`; it must be one that was given out there."""
    number = _parsed(text, region) if region else None
    if region and (whole := _without_plus(text, region)) is not None:
        number = whole
    if number is None or not phonenumbers.is_valid_number(number):
        raise NotAPhone("not_a_phone")
    return number


def _without_plus(text: str, region: str) -> phonenumbers.PhoneNumber | None:
    """`49171..` in a country whose numbers begin with 0: nobody leaves that away, but many leave away a `+`."""
    code = phonenumbers.country_code_for_region(region)
    digits = _digits_of(text)
    if not code or not digits.startswith(str(code)) or phonenumbers.ndd_prefix_for_region(region, True) != "0":
        return None
    number = _parsed(f"+{digits}", None)
    return number if number is not None and phonenumbers.is_valid_number(number) else None


def _parsed(text: str, region: str | None) -> phonenumbers.PhoneNumber | None:
    try:
        return phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
