"""What stands in a field whose owner had nothing to say: `n/a`, `keine Angabe`, `asdf`, a template left as it was.

It is no value of the field. What is a placeholder for one attribute may be a name for another (`Na`, `ABC`, `X`).
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from semantics.vocabulary import ATTRIBUTES, folded, words_of

_NOT_A_LETTER: Final = re.compile(r"[\W_]+")
_TEMPLATE: Final = re.compile(r"\[.*\]|\{.*\}|<.*>|%.+%|\*\|.*\|\*|\$\{.*\}|\$\(.*\)|__.+__", re.S)
_ASKS: Final = re.compile(r"^(?:enter|type)?(?:your|my|the|ihre?|dein|votre|su|tu|il tuo|uw|seu|sua)")
_LONGEST: Final = 60  # characters; what is longer says something

# compared without blanks and marks
_NOTHING: Final = words_of(
    """
    null none nil undefined unknown unk unspecified undisclosed unavailable missing empty blank nothing void nan notset
    notprovided notavailable notapplicable notspecified notgiven notsupplied notknown notdefined noneprovided
    doesnotapply noanswer noentry novalue noinfo noinformation nodata nocompany noname noemail nophone nonumber tbd tba
    tbc tobedetermined dontknow idontknow idk dunno na nvt no nope keine keiner keines kein keineangabe keineangaben ka
    nichtangegeben nichtbekannt unbekannt nichtvorhanden nichtverfuegbar nichtverfügbar entfaellt entfällt ohne
    ohnefirma keinefirma aucun aucune aucunesociete neant néant inconnu inconnue nonrenseigne nonrenseigné nonprecise
    nonspecifie nonapplicable sansobjet sans ninguno ninguna nada desconocido desconocida noaplica noespecificado
    sindatos sinempresa nessuno nessuna nulla sconosciuto sconosciuta nonspecificato nonapplicabile nondisponibile
    nd geen onbekend nietvantoepassing nietbekend nenhum nenhuma desconhecido desconhecida naoaplicavel naoinformado
    naoseaplica brak niedotyczy nieznany nieznana niepodano なし 無し 無 不明 該当なし
    无 没有 未知 없음 нет неизвестно http https httpwww httpswww www
    """
)
_JOKES: Final = words_of(
    """
    test testing tester testtest testtesttest teste prueba prova proef asd asdf asdfg asdfgh asdfghj asdfghjk asdfghjkl
    asdasd asdfasdf sdf sdfsdf dfg fgh hjkl jkl jklö qwe qwer qwert qwerty qwertz qwertyuiop azerty zxcv zxcvb yxcv foo
    foobar bar foobarbaz blah blabla blablabla dummy fake lorem loremipsum xx xxx xxxx xyz 123 1234 12345 123456 1234567
    12345678 123456789 1234567890 000 0000
    """
)
_NOBODYS_NAME: Final = words_of(
    "abc abcd abcde abcdef anonymous anonym anonyme anonimo nobody noone niemand me myself test1 test2 example"
)
_NO_COMPANY: Final = words_of(
    """
    private privat prive privado privato privatperson privateperson privateindividual particulier particulare particular
    individual personal self myself me home person testcompany testfirma examplecompany mycompany yourcompany meinefirma
    companyinc acompany
    """
)
_NAMES_OF_SOMEBODY: Final = words_of("na nan nil no ka nd sans nada brak none")  # first or family names somewhere
_PERSONS_NAMES: Final = frozenset({"first_name", "last_name"})
_NAMES: Final = frozenset({*_PERSONS_NAMES, "name"})


@lru_cache(maxsize=8192)
def is_placeholder(attribute: str, text: str) -> bool:
    """Whether `text`, given for `attribute`, stands for no value."""
    if len(text) > _LONGEST:
        return False
    word = "".join(_NOT_A_LETTER.split(folded(text)))
    if not word or _TEMPLATE.fullmatch(text.strip()):
        return True
    if text.isalpha() and word in _NAMES_OF_SOMEBODY and attribute in _PERSONS_NAMES:
        return False
    if len(text) == 2 and text.isalpha() and attribute == "country":
        return False  # Namibia
    if says_nothing(word):
        return True
    if attribute in _NAMES:
        return word in _NOBODYS_NAME or word.isdecimal() or _label(word) in _NAMES
    return (attribute == "company" and word in _NO_COMPANY) or _label(word) == attribute


def says_nothing(word: str) -> bool:
    """Whether a word, folded and in one, is typed in any field by whoever has nothing to say."""
    return word in _NOTHING or word in _JOKES or _is_one_letter(word)


def _label(word: str) -> str | None:
    """The attribute whose label it is: a field that was sent with what stood in it."""
    return ATTRIBUTES.get(word) or ATTRIBUTES.get(_ASKS.sub("", word))


def _is_one_letter(word: str) -> bool:
    """`aaaa`, `0000`; three of one letter are a company's name as well."""
    return len(word) > 3 and len(set(word)) == 1
