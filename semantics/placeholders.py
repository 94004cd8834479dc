"""What stands in a field whose owner had nothing to say: `n/a`, `keine Angabe`, `asdf`, a template left as it was.

It is no value of the field. What is a placeholder for one attribute may be a name for another (`Na`, `ABC`, `X`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from contracts.maildomains import is_providers
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
    """
    abc abcd abcde abcdef anonymous anonym anonyme anonimo nobody noone niemand me myself test1 test2 example newuser
    testuser usertest anonymoususer unknownuser firstlast fnamelname firstnamelast
    """
)
_NO_COMPANY: Final = words_of(
    """
    private privat prive privado privato privatperson privateperson privateindividual particulier particulare particular
    individual personal self myself me home person testcompany testfirma examplecompany mycompany yourcompany meinefirma
    companyinc acompany selfemployed selfemployment freelance freelancer freelancing independent unemployed retired
    student studying jobseeker betweenjobs notemployed notworking selbstaendig selbstständig selbststaendig freiberufler
    freiberuflerin freiberuflich arbeitslos arbeitsuchend rentner rentnerin student studentin schueler schüler
    einzelunternehmer einzelperson independant indépendant independante autonome autoentrepreneur etudiant étudiant
    etudiante retraite retraité chomage autonomo autónomo autonoma estudiante jubilado desempleado liberoprofessionista
    studente pensionato zzp zzper zelfstandig zelfstandige freiberuflich hobby
    """
)
# what an open list shows before anything was chosen
_PROMPT: Final = re.compile(
    r"(?:please |bitte |merci de |por favor,? )?"
    r"(?:select|choose|pick|wählen sie|auswählen|wählen|(?:bitte )?auswahl|sélectionne[rz]|choisi(?:r|ssez)"
    r"|selecciona[r]?|seleccione|elegir|elige|elija|seleziona(?:re)?|scegli(?:ere)?|selecteer|kies|selecione|escolha"
    r"|wybierz|alege|välj|vælg|velg)"
    r"(?: (?:an?|one|your|the|from|eine?n?|ihre?n?|une?|votre|una?|su|tu|il|een|uw|uma?|option|options|option(?:en)?"
    r"|list|below|here|hier|aus|opción|opzione|optie|opção|sie|value|item|of|these|opcję|country|land|pays|país|paese"
    r"|industry|branche|state|role|title|company|size|range|title|job|position|sector|secteur|city|language|budget))*"
    r"|auswählen|bitte wählen|drop ?down|make a selection"
)
_DECORATION: Final = re.compile(r"^[\W_]+|[\W_]+$")
_NAMES_OF_SOMEBODY: Final = words_of("na nan nil no ka nd sans nada brak none")  # first or family names somewhere
_SALUTATIONS: Final = words_of(
    """
    mr mrs ms miss mx mister madam sir dr doctor prof professor phd rev herr frau divers mag dipl ing m mme mlle
    monsieur madame mademoiselle sr sra srta senor senora senorita don dona sig sigra signor signora dott dottssa dhr
    mevr mevrouw meneer heer mw pan pani
    """
)
_NO_PART_OF_A_NAME: Final = words_of(
    "test tester user guest visitor customer admin demo qa dummy fake mr mrs ms miss sir madam herr frau x y z"
)
_HOST: Final = re.compile(r"[a-z0-9.-]{4,80}")
_PERSONS_NAMES: Final = frozenset({"first_name", "last_name"})
_NAMES: Final = frozenset({*_PERSONS_NAMES, "name"})


@lru_cache(maxsize=8192)
def is_placeholder(attribute: str, text: str) -> bool:
    """Whether `text`, given for `attribute`, stands for no value."""
    if len(text) > _LONGEST:
        return False
    parts = [part for part in _NOT_A_LETTER.split(folded(text)) if part]
    word = "".join(parts)
    if not word or _is_prompt(text) or _TEMPLATE.fullmatch(text.strip()):
        return True
    if text.isalpha() and word in _NAMES_OF_SOMEBODY and attribute in _PERSONS_NAMES:
        return False
    if len(text) == 2 and text.isalpha() and attribute == "country":
        return False  # Namibia
    if says_nothing(word) or _said_twice(parts):
        return True
    if attribute in _NAMES:
        nobodys = word in _NOBODYS_NAME or word.isdecimal() or _label(word) in _NAMES or "@" in text or "://" in text
        # Guest and Herr are family names
        return nobodys or (attribute != "last_name" and all(part in _NO_PART_OF_A_NAME for part in parts))
    if attribute == "company" and _is_providers(text):
        return True
    return (attribute == "company" and word in _NO_COMPANY) or _label(word) == attribute


def says_nothing(word: str) -> bool:
    """Whether a word, folded and in one, is typed in any field by whoever has nothing to say."""
    return word in _NOTHING or word in _JOKES or _is_one_letter(word)


def _label(word: str) -> str | None:
    """The attribute whose label it is: a field that was sent with what stood in it."""
    return ATTRIBUTES.get(word) or ATTRIBUTES.get(_ASKS.sub("", word))


def _said_twice(parts: Sequence[str]) -> bool:
    """`n/a n/a`, `unknown unknown`: a form's whole name of two fields in which nothing was said."""
    half, rest = divmod(len(parts), 2)
    return bool(half) and not rest and parts[:half] == parts[half:] and says_nothing("".join(parts[:half]))


def _is_prompt(text: str) -> bool:
    return _PROMPT.fullmatch(_DECORATION.sub("", text).casefold()) is not None


def _is_providers(text: str) -> bool:
    """A mail provider's own domain, where a company is asked for."""
    host = text.strip().casefold()
    return "." in host and _HOST.fullmatch(host) is not None and is_providers(host.removeprefix("www."))


def _is_one_letter(word: str) -> bool:
    """`aaaa`, `0000`; three of one letter are a company's name as well."""
    return len(word) > 3 and len(set(word)) == 1


def is_salutation(text: str) -> bool:
    """Whether it is how somebody is called: `Mr`, `Dr.`, `Prof. Dr.`, `Frau`."""
    parts = [part for part in _NOT_A_LETTER.split(folded(text)) if part]
    return bool(parts) and all(part in _SALUTATIONS for part in parts)
