"""By which of our names an attribute goes, whatever the sender calls it."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from contracts.limits import NAME_CHARACTERS

_NAMES: dict[str, str] = {
    alias: attribute
    for attribute, aliases in {
        "first_name": "firstname fname givenname forename vorname prenom nombre",
        "last_name": "lastname lname surname familyname nachname apellido apellidos cognome",
        "name": "name fullname yourname displayname",
        "title": "title jobtitle position role jobrole beruf funktion fonction cargo",
        "email": "email emailaddress mail workemail businessemail youremail",
        "phone": "phone phonenumber telephone tel mobile mobilephone telefon",
        "company": (
            "company companyname organization organisation employer firma unternehmen entreprise empresa azienda"
        ),
        "company_domain": "companydomain",
        "employees": "employees employeecount numberofemployees companysize employeesrange headcount mitarbeiter",
        "industry": "industry sector branche secteur",
        "country": "country countrycode land pays pais",
        "city": "city town ort ville ciudad",
        "website": "website url homepage companywebsite",
        "language": "language locale preferredlanguage",
        "budget": "budget budgetamount budgetrange",
        "authority": "authority decisionmaker decisionrole buyingrole",
        "need": "need needs requirement requirements usecase painpoint challenge",
        "timing": "timing timeline timeframe purchasetimeframe projectstart when",
    }.items()
    for alias in aliases.split()
}

_SEPARATORS = re.compile(r"[\s_\-.]+")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_SURROGATE = re.compile("[\ud800-\udfff]")  # half a character: not UTF-8


def attribute_name(key: str) -> str:
    """Our name for a trait; the sender's own, in one spelling, where we have none; empty where it can be none."""
    return _named(key) if len(key) <= NAME_CHARACTERS else _named(key[:NAME_CHARACTERS])


def is_text(text: str) -> bool:
    """Whether it can be written as UTF-8."""
    return text.isascii() or not _SURROGATE.search(text)


@lru_cache(maxsize=4096)  # senders send the same few names
def _named(key: str) -> str:
    if not is_text(key):
        return ""
    words = _SEPARATORS.sub("_", _CAMEL.sub("_", unicodedata.normalize("NFKC", key).strip())).strip("_").casefold()
    return _NAMES.get(words.replace("_", ""), words)[:NAME_CHARACTERS]
