"""Names of people who do not exist, from many places, each with how it is written in an address."""

from __future__ import annotations

import unicodedata


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.replace("_", " ") for word in text.split())


_GIVEN = _words(
    """
    Amara Anneli Bao Camila Dariusz Eilidh Farid Giulia Hyun-woo Ibrahim Ines Ivana Jakub Kwame Laleh Léa Linnea
    Marek Mehmet Naledi Nikolai Noor Oluwaseun Paola Rafael Ranjit Rosa Sanna Siobhán Sofía Søren Tamar Thandiwe
    Tomás Tuan Ulrike Vikram Wanjiru Xiomara Yara Zoë Zsófia
    """
)
_FAMILY = _words(
    """
    Aaltonen Abara Bianchi-Rossetti Castellano Dlamini-Roos Dvořáček Eriksdotter Fitzwarren Grønning Halvorsen-Lie
    Iwuchukwu Jankowiak Kaplanoğlu Kovalenka Lindqvist Mbekeni Montalvo Nakamori Ó_Ceallaigh Okonjo Pelletier-Roy
    Quispe Radovanović Rautenbach Sarkissian Szalaházi Takahara Thorvald Ueland Valdecasas Weissgerber Xochimitl
    Yıldırım Zellweger-Moss
    """
)
_OTHER_SCRIPTS = (
    ("陽子", "森田", "yoko.morita"),
    ("Елена", "Озерова", "elena.ozerova"),
    ("민서", "한", "minseo.han"),
    ("ليلى", "الحداد", "layla.alhaddad"),
)
_EVERY_SO_OFTEN = 29  # how seldom a name comes in another script than Latin
_STRIDE = 401  # a prime that divides neither list, so that neighbours in the market are none in the alphabet
_LETTERS = str.maketrans({"ø": "o", "ı": "i", "ł": "l", "ß": "ss", "æ": "ae", "đ": "d", " ": "", "'": ""})


def name_of(index: int) -> tuple[str, str, str]:
    """(given, family, local part of an address): another address for every index."""
    if index % _EVERY_SO_OFTEN == _EVERY_SO_OFTEN - 1:
        again, which = divmod(index // _EVERY_SO_OFTEN, len(_OTHER_SCRIPTS))
        given, family, local = _OTHER_SCRIPTS[which]
        return given, family, _numbered(local, again)
    again, place = divmod(index, len(_GIVEN) * len(_FAMILY))
    column, row = divmod(place * _STRIDE % (len(_GIVEN) * len(_FAMILY)), len(_FAMILY))
    given, family = _GIVEN[column], _FAMILY[row]
    return given, family, _numbered(f"{_ascii(given)}.{_ascii(family)}", again)


def _ascii(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name.casefold().translate(_LETTERS))
    return "".join(mark for mark in plain if mark.isascii() and (mark.isalnum() or mark == "-"))


def _numbered(local: str, again: int) -> str:
    return local if again == 0 else f"{local}{again + 1}"
