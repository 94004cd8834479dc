"""The words and phrases of job titles, in a dozen languages: which rank they name, which field of work, or none."""

from __future__ import annotations

from typing import Final

Rows = tuple[tuple[str, str], ...]
"""(meaning, words or phrases)."""

RANK_WORDS: Final[Rows] = (
    (
        "assistant",
        "assistant assistante assistentin assistent asistente assistente assistenz sekretärin sekretär secretary"
        " secrétaire intern internship praktikant praktikantin praktikum stagiaire stagista becario becaria tirocinante"
        " estagiário student studentin studierende étudiant étudiante estudiante studente trainee werkstudent"
        " werkstudentin apprentice azubi auszubildender auszubildende volontär volontärin pa",
    ),
    (
        "vp",
        "vp svp evp avp vicepresident vizepräsident vizepräsidentin vicepresidente bereichsvorstand",
    ),
    (
        "executive",
        "ceo cto cfo cio cmo coo cro ciso cdo cpo chro cso president präsident präsidentin président présidente"
        " presidente presidenta founder cofounder gründer gründerin fondateur fondatrice fundador fundadora fondatore"
        " owner inhaber inhaberin propriétaire propietario propietaria proprietario geschäftsführer geschäftsführerin"
        " geschäftsführender geschäftsführende vorstand vorständin vorstandsvorsitzender vorstandsvorsitzende"
        " vorstandsmitglied gérant gérante pdg dg amministratore partner chairman chairwoman chairperson eigenaar"
        " oprichter основатель президент entrepreneur unternehmer unternehmerin grundare toimitusjohtaja vd"
        " prezes jednatel",
    ),
    (
        "director",
        "director directora directeur directrice direktor direktorin direttore direttrice diretor diretora"
        " direktör head"
        " bereichsleiter bereichsleiterin hauptabteilungsleiter leiter leiterin leitung vertriebsleiter"
        " vertriebsleiterin personalleiter personalleiterin marketingleiter marketingleiterin директор"
        " dyrektor ředitel direktør",
    ),
    (
        "manager",
        "manager managerin abteilungsleiter abteilungsleiterin teamleiter teamleiterin teamlead gruppenleiter"
        " gruppenleiterin filialleiter filialleiterin schichtleiter projektleiter projektleiterin lead"
        " supervisor responsable chef cheffe jefe jefa gerente"
        " responsabile capo coordinador encargado kierownik руководитель менеджер",
    ),
    ("senior", "senior sr principal staff chief expert experte expertin leading"),
)

RANK_PHRASES: Final[Rows] = (
    (
        "assistant",
        "director in training|manager in training|executive assistant|personal assistant|office assistant"
        "|student assistant|studentische hilfskraft|working"
        " student|phd student|management assistant|executive secretary|assistant manager trainee|management"
        " trainee|manager trainee|trainee manager|assistant to|chief assistant|administrative assistant",
    ),
    (
        "vp",
        "vice president|vice présidente|vice président|vice presidente|senior vice president|executive vice president"
        "|assistant vice president|associate vice president|first vice president|group vice president"
        "|regional vice president|deputy vice president|vice chancellor|vice chairman|vice chair",
    ),
    (
        "executive",
        "managing director|executive director|directeur général|directrice générale|director general|directora general"
        "|direttore generale|diretor geral|geschäftsführender direktor|geschäftsführende direktorin|chief executive"
        "|chief executive officer|executive chairman|executive president|executive chair|c level|c suite"
        "|managing partner|general partner|senior partner|founding partner|equity partner|co founder|co owner"
        "|business owner|company owner|shop owner|store owner|owner operator|sole proprietor|self employed"
        "|member of the board|member of the executive board|member of the management board|mitglied des vorstands"
        "|mitglied der geschäftsleitung|mitglied der geschäftsführung|vorsitzender der geschäftsführung|board member"
        "|генеральный директор|исполнительный директор|verkställande direktör|administrerende direktør"
        "|amministratore delegato|consejero delegado|secretary general|general secretary|deputy ceo|vice ceo",
    ),
    (
        "director",
        "general manager|gerente general|company secretary|corporate secretary|leader of|editor in chief"
        "|country manager"
        "|non executive director|secrétaire général|secrétaire générale"
        "|managing editor|deputy director|associate director",
    ),
    (
        "manager",
        "assistant director|assistant general manager|assistant head|partner manager|channel partner manager"
        "|partner marketing manager|partner account manager|alliance partner manager|partner success manager"
        "|partner development manager|team lead|tech lead|technical lead|team leader|group leader|section head"
        "|shift leader|project lead|project leader|head nurse|head chef|head teacher|deputy manager|head coach",
    ),
    (
        "senior",
        "chief of staff|business partner|hr business partner|people partner|finance business partner"
        "|assistant manager|chief architect|chief engineer|chief scientist|chief economist|chief accountant"
        "|chief designer|chief analyst|chief developer|technical fellow|assistant controller|assistant general counsel",
    ),
)

NO_RANK: Final = (
    # words of ranks that name none where they stand so
    "project owner|executive chef|account executive|sales executive|marketing executive|advertising"
    " executive|hr executive|customer"
    " service executive"
    "|business development executive|support executive|recruitment executive|finance executive|operations executive"
    "|product owner|process owner|system owner|data owner|service owner|proxy product owner|technical product owner"
    "|application owner|risk owner|content owner|business process owner|home owner|homeowner|pet owner|dog owner"
    "|lead generation|lead gen|lead management|lead nurturing|lead qualification|lead scoring"
    "|staff accountant|staff nurse|staff writer|staff assistant|bar staff|support staff|temp staff|ground staff"
    "|partner success|partner marketing|partner sales|partner development|partner relations|partner programs"
    "|partner enablement|partner support|partner operations|partner account|partner engineer|partner consultant"
    "|channel partner|channel partners|implementation partner|technology partner|alliance partner|solution partner"
    "|delivery partner|development partner|strategic partner|learning partner|client partner|hr partner|it partner"
    "|sales partner|training partner|talent partner|partner solutions|partner coordinator"
    "|ceo office|cto office|cfo office|coo office|cio office|president office|founder office|chairman office"
    "|student affairs|student services|student success|student recruitment|student life|student advisor"
    "|student counselor|student counsellor|student support|student union|student loans|student housing"
    "|intern program|intern programs|internship program|trainee program|trainee programs|apprentice program"
    "|owner relations|founder relations|executive search|executive education|executive recruiter|executive coach"
    "|executive recruitment|director level|head hunter|headhunter|head office|manager tools|president club"
    "|principal investigator program|business partner program"
)

UNSPACED_RANKS: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    # in the order of asking: a secretary of the president is a secretary, a vice president no president
    ("assistant", ("インターン", "学生", "实习", "助理", "秘書", "秘书", "인턴", "비서", "學生")),
    ("staff", ("元社長", "前社長", "元部長")),
    ("vp", ("副社長", "副总裁", "副総裁", "부사장")),
    ("executive", ("代表取締役", "社長", "最高経営責任者", "创始人", "总裁", "首席", "董事长", "总经理")),
    ("executive", ("대표이사", "창업자", "사장")),
    ("director", ("部長", "本部長", "取締役", "总监", "董事", "이사", "본부장")),
    ("manager", ("課長", "マネージャー", "主任", "经理", "主管", "부장", "과장", "팀장", "매니저")),
)

FIELD_WORDS: Final[Rows] = (
    (
        "marketing",
        (
            "marketing cmo marketingleiter marketingleiterin lead_generation demand_generation brand growth"
            " demand content"
            " seo communications kommunikation mercadeo mercadotecnia маркетинг マーケティング 市场 마케팅"
        ),
    ),
    (
        "sales",
        (
            "sales cro account_executive vertrieb vertriebsleiter vertriebsleiterin verkauf vente ventes ventas vendite"
            " vendas commercial comercial commerciale account business_development продаж 営業 销售 영업"
        ),
    ),
    (
        "it",
        (
            "it cio cto ciso edv informatik informatique informática information_technology information_security"
            " it_security technology systems security admin"
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
            "finance cfo accounts_payable accounts_receivable financial accounting controller controlling"
            " finanzen buchhaltung finanzas finanza comptabilité"
            " treasurer 財務 财务 재무"
        ),
    ),
    (
        "hr",
        (
            "hr chro people human human_resources personal personalleiter personalleiterin recruiting talent"
            " recursos ressources"
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

NO_FIELD: Final = (
    # words of fields that name none where they stand so
    "personal assistant|personal trainer|personal coach|accounts|chief of staff|security guard|people and culture lead"
    "|account payable|human rights|human factors|brand ambassador program"
)

RANK_ENDINGS: Final[Rows] = (
    # of words that German joins
    ("assistant", "assistentin assistent assistenz sekretärin sekretär praktikantin praktikant student studentin"),
    ("executive", "geschäftsführerin geschäftsführer"),
    ("director", "direktorin direktor leiterin leiter"),
    ("manager", "managerin manager"),
)

OF_WHAT: Final = "of for für de di des du del della do da der den von van af av"
"""Behind these words stands what somebody does it for."""

TO_WHOM: Final = """
    to at bei chez reporting reports under unter beim zum zur an au aux al alla responsible supporting with within from
"""
"""Behind these stands somebody else, or a company."""

NOT_NOW: Final = """
    ex former formerly previously retired ehemalig ehemaliger ehemalige ancien ancienne past anterior antiguo emeritus
    aspiring future prospective wannabe designate werdender angehender angehende
"""
"""Behind these stands what somebody was, or hopes to be."""
