"""What a rule can know of a person's profile, in the same words for every service; and how a profile is kept as text.

Of a title it is read how senior somebody is and in which part of the company.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

import orjson

from contracts.events.scoring import Attribute
from contracts.maildomains import company_domain
from contracts.values import Strength
from rulebook.vocabulary import BOOL, DOUBLE, INT, MAP, STRING, FactType, one_of

# In the order of asking: an assistant of the CEO is an assistant, a vice president is not
# a president, then the highest rank wins.
_RANKS: tuple[tuple[str, str], ...] = (
    (
        "assistant",
        (
            "assistant assistante assistentin assistent asistente assistente sekretärin secretary intern internship"
            " praktikant praktikantin stagiaire becario tirocinante estagiário student studentin étudiant étudiante"
            " estudiante studente trainee werkstudent werkstudentin apprentice azubi インターン 学生 学生 实习 助理"
            " 秘書 인턴"
        ),
    ),
    (
        "vp",
        (
            "vp svp evp avp vice_president vicepresident vizepräsident vizepräsidentin vicepresidente bereichsvorstand"
            " 副社長 副总裁 副総裁 부사장"
        ),
    ),
    (
        "executive",
        (
            "ceo cto cfo cio cmo coo cro ciso cdo cpo chro cso chief president präsident präsidentin président"
            " présidente presidente founder cofounder gründer gründerin fondateur fondatrice fundador fundadora"
            " fondatore owner inhaber inhaberin propriétaire propietario proprietario geschäftsführer geschäftsführerin"
            " geschäftsführender vorstand vorständin vorstandsvorsitzender gérant gérante pdg dg amministratore partner"
            " chairman chairwoman managing_director directeur_général eigenaar oprichter основатель президент"
            " 代表取締役 社長 最高経営責任者 创始人 总裁 首席 董事长 总经理 대표이사 창업자 사장"
        ),
    ),
    (
        "director",
        (
            "director directora directeur directrice direktor direktorin direttore direttrice diretor diretora head"
            " bereichsleiter bereichsleiterin hauptabteilungsleiter leiter leiterin leitung директор 部長 本部長 取締役"
            " 总监 董事 이사 본부장"
        ),
    ),
    (
        "manager",
        (
            "manager managerin abteilungsleiter abteilungsleiterin teamleiter teamleiterin teamlead gruppenleiter lead"
            " supervisor responsable chef cheffe jefe jefa gerente responsabile capo coordinador encargado kierownik"
            " руководитель менеджер 課長 マネージャー 主任 经理 主管 부장 과장 팀장 매니저"
        ),
    ),
    ("senior", "senior sr principal staff expert experte expertin leading"),
)
_FIELDS: tuple[tuple[str, str], ...] = (
    (
        "marketing",
        (
            "marketing cmo brand growth demand content seo communications kommunikation mercadeo mercadotecnia"
            " маркетинг マーケティング 市场 마케팅"
        ),
    ),
    (
        "sales",
        (
            "sales cro vertrieb vertriebsleiter vertriebsleiterin verkauf vente ventes ventas vendite vendas commercial"
            " comercial commerciale account business_development продаж 営業 销售 영업"
        ),
    ),
    (
        "it",
        (
            "it cio cto ciso edv informatik informatique informática information technology systems security admin"
            " sicherheit 情報 技术 정보"
        ),
    ),
    (
        "engineering",
        (
            "engineering engineer developer entwickler entwicklung software devops architect architekt ingénieur"
            " ingenieur ingeniero 開発 工程师 개발"
        ),
    ),
    (
        "finance",
        (
            "finance cfo financial accounting controller controlling finanzen buchhaltung finanzas finanza comptabilité"
            " treasurer 財務 财务 재무"
        ),
    ),
    (
        "hr",
        (
            "hr chro people human personal personalleiter personalleiterin recruiting talent recursos ressources"
            " risorse 人事 인사"
        ),
    ),
    (
        "operations",
        (
            "operations coo betrieb logistik logistics supply procurement einkauf achats compras acquisti produktion"
            " opérations 運営 运营 운영"
        ),
    ),
    ("product", "product product_owner cpo produkt produit producto prodotto 产品 プロダクト 제품"),
    ("legal", "legal counsel recht jurist juridique jurídico legale compliance datenschutz 法務 法务 법무"),
)
RANKS = (*(rank for rank, _ in _RANKS), "staff")
FUNCTIONS = (*(field for field, _ in _FIELDS), "general")

_WORD = re.compile(r"[^\W\d]+")
# What means something else as a whole than its words do; the tables write it with an underscore.
_PHRASE = re.compile(
    r"\b(vice|managing|business|directeur|product|process|system|lead)[ -]+"
    r"(president|présidente?|presidente|director|development|général|owner|generation)\b"
)
_FIRST_UNSPACED = "\u2e80"  # CJK radicals and all that follows: kana, ideographs, Hangul


def _index(rows: Iterable[tuple[str, str]]) -> tuple[tuple[str, frozenset[str], tuple[str, ...]], ...]:
    indexed = []
    for meaning, listed in rows:
        words = listed.split()
        indexed.append(
            (
                meaning,
                frozenset(w for w in words if w[0] < _FIRST_UNSPACED),
                tuple(w for w in words if w[0] >= _FIRST_UNSPACED),
            )
        )
    return tuple(indexed)


_RANK_INDEX = _index(_RANKS)
_FIELD_INDEX = _index(_FIELDS)


@lru_cache(maxsize=8192)
def seniority(title: str) -> str:
    """executive, vp, director, manager, senior, assistant, or staff when the title names no rank."""
    return _meaning(title, _RANK_INDEX) or "staff"


@lru_cache(maxsize=8192)
def business_function(title: str) -> str:
    """marketing, sales, it, engineering, finance, hr, operations, product, legal, or general when the title names no
    field.
    """
    return _meaning(title, _FIELD_INDEX) or "general"


def _meaning(title: str, index: tuple[tuple[str, frozenset[str], tuple[str, ...]], ...]) -> str | None:
    folded = unicodedata.normalize("NFKC", title).casefold().replace(".", "")
    phrased = (
        _PHRASE.sub(r"\1_\2", folded)
        .replace("vice_présidente", "vice_president")
        .replace("vice_président", "vice_president")
    )
    words = set(_WORD.findall(phrased.replace("vice_presidente", "vice_president")))
    for meaning, known, unspaced in index:
        if words & known or any(part in folded for part in unspaced):
            return meaning
    return None


Attributes = Mapping[str, Attribute]
"""Attribute name -> the claim that is believed."""

_AUTHORITIES = ("decides", "influences", "none")
PROFILE_VARIABLES: Mapping[str, FactType] = {
    "person.name": STRING,
    "person.title": STRING,
    "person.seniority": one_of(*RANKS),
    "person.function": one_of(*FUNCTIONS),
    "person.email_domain": STRING,
    "person.has_business_email": BOOL,
    "person.has_phone": BOOL,
    "person.country": STRING,
    "person.city": STRING,
    "person.language": STRING,
    "company.name": STRING,
    "company.domain": STRING,
    "company.employees": INT,
    "company.industry": STRING,
    "bant.budget": DOUBLE,
    "bant.budget_currency": STRING,
    "bant.authority": one_of(*_AUTHORITIES),
    "bant.need": STRING,
    "bant.timing_months": INT,
    "attributes": MAP,
}


def profile_facts(attributes: Attributes) -> dict[str, Any]:
    """The believed values, and what follows from them."""
    values = {name: attribute.value for name, attribute in attributes.items()}
    title, domain = text_of(attributes, "title"), domain_of(values.get("email"))
    authority = values.get("authority")
    return {
        "person.name": display_name(attributes),
        "person.title": title,
        "person.seniority": None if title is None else seniority(title),
        "person.function": None if title is None else business_function(title),
        "person.email_domain": domain,
        "person.has_business_email": None if domain is None else company_domain(domain) is not None,
        "person.has_phone": "phone" in values,
        "person.country": values.get("country"),
        "person.city": values.get("city"),
        "person.language": values.get("language"),
        "company.name": values.get("company"),
        "company.domain": values.get("company_domain"),
        "company.employees": values.get("employees"),
        "company.industry": values.get("industry"),
        "bant.budget": values.get("budget"),
        "bant.budget_currency": values.get("budget_currency"),
        "bant.authority": authority if authority in _AUTHORITIES else None,
        "bant.need": values.get("need"),
        "bant.timing_months": values.get("timing"),
        "attributes": values,
    }


def text_of(attributes: Attributes, name: str) -> str | None:
    """An attribute's value if it is text."""
    attribute = attributes.get(name)
    return attribute.value if attribute is not None and isinstance(attribute.value, str) else None


def display_name(attributes: Attributes) -> str | None:
    """The name to show: the whole name if one was given, else its parts in the order of their script."""
    first, last = text_of(attributes, "first_name"), text_of(attributes, "last_name")
    whole = text_of(attributes, "name")
    if whole is not None or first is None or last is None:
        return whole or first or last
    return f"{last}{first}" if _family_name_first(last) else f"{first} {last}"


def domain_of(email: object) -> str | None:
    """The domain of an address, lower case; None when it is not one."""
    if not isinstance(email, str):
        return None
    local, at, domain = email.strip().rpartition("@")
    domain = domain.casefold().rstrip(".")
    if not at or not local or "." not in domain or " " in domain:
        return None
    return domain


def _family_name_first(name: str) -> bool:
    return name[:1] >= "\u2e80"  # ideographs, kana, Hangul: the family name comes first, without a space


_STRENGTHS: Final = {one.value: one for one in Strength}  # a third of what `Strength(...)` costs


def attributes_to_text(attributes: Attributes) -> str:
    """`{name: [value, strength, source, interaction, moment]}` as canonical JSON."""
    written = {
        name: [one.value, one.strength.value, one.source_id, one.interaction_id, one.occurred_at.isoformat()]
        for name, one in attributes.items()
    }
    return orjson.dumps(written, option=orjson.OPT_SORT_KEYS).decode()


def attributes_from_text(text: str) -> dict[str, Attribute]:
    """The profile that `attributes_to_text` wrote."""
    # validated, though what is read was checked when it was written:
    # `model_construct` is Python, and takes five times as long
    return {
        name: Attribute(
            value=value,
            strength=_STRENGTHS[strength],
            source_id=source_id,
            interaction_id=interaction_id,
            occurred_at=datetime.fromisoformat(occurred_at),
        )
        for name, (value, strength, source_id, interaction_id, occurred_at) in orjson.loads(text).items()
    }
