"""What a job title says about rank and field, in the words of several languages.

Titles are matched word by word after NFKC and case-folding; scripts that do not part
words by spaces are matched by substring.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

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
    """marketing, sales, it, engineering, finance, hr, operations, product, legal,
    or general when the title names no field.
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
