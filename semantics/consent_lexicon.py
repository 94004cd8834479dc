"""The words of which names of consent fields, their values and names of events are made, in six languages, without
accents. A word may mean two things at once: `noemail` is a no, and about e-mail.
"""

from __future__ import annotations

from typing import Final
from unicodedata import normalize

from semantics.consent_meanings import Word


def _words(*lines: str) -> frozenset[str]:
    return frozenset(word for line in lines for word in line.split())


_TABLE: Final = (
    (
        (Word.CONSENT,),
        (
            "consent consents consented einwilligung zustimmung consentement consentimiento consenso toestemming "
            "contactme maycontact maywecontact oktocontact"
        ),
    ),
    (
        (
            Word.CONSENT,
            Word.OPT_IN,
        ),
        ("optin optedin optins"),
    ),
    (
        (Word.ASSENT,),
        (
            "agree agreed agreement accept accepts accepted allow allows allowed permission permissions permit may "
            "can want receive receives please yes ok okay authorized wants wish wishes"
        ),
    ),
    (
        (Word.MARKETING,),
        ("marketing promotional promo werbung werbe commercial commercials publicite publicidad pubblicita reclame"),
    ),
    (
        (Word.NEWS,),
        ("promotion promotions offers news updates"),
    ),
    (
        (Word.NEWSLETTER,),
        (
            "newsletter newsletters newslettera newslettery newsletterabo nyhedsbrev nyhetsbrev nyhetsbrevet "
            "рассылка рассылки メルマガ mailinglist nieuwsbrief boletin infolettre"
        ),
    ),
    (
        (Word.SUBSCRIBE,),
        ("subscribe subscription subscriptions abonnement suscripcion iscrizione"),
    ),
    (
        (
            Word.SUBSCRIBE,
            Word.SUBSCRIBED,
        ),
        ("subscribed issubscribed"),
    ),
    (
        (Word.OUT,),
        (
            "optout optedout optouts optsout donotcontact donotdisturb dnc dnd nocontact blacklist blacklisted "
            "blocklisted suppress suppressed suppression suppresssending marketingsuspended marketingsuppressed "
            "kontaktsperre werbesperre werbewiderspruch werbewidersprueche widerspruch widersprochen sperrvermerk "
            "robinson robinsonliste robinsonlist listarobinson nichtkontaktieren keinkontakt keinekontaktaufnahme "
            "nichtbewerben nepascontacter nepluscontacter nepassolliciter opposition stoppub pasdepub pasdepublicite "
            "sanspublicite aucunepublicite nocontactar nomolestar nopublicidad sinpublicidad norecibirpublicidad "
            "nodeseopublicidad noncontattare nopubblicita nientepubblicita nessunapubblicita opposizione "
            "nietcontacteren nietbenaderen geenreclame geenmarketing geencontact naocontatar naocontactar "
            "semmarketing"
        ),
    ),
    (
        (
            Word.OUT,
            Word.MARKETING,
        ),
        (
            "nomarketing keinewerbung keinmarketing nopromo nopromos nopromotion nopromotions nooffers stopmarketing "
            "stopwerbung nosolicit nosolicitation donotsolicit donotmarket hasoptedoutsolicit pasdemarketing "
            "sinmarketing nomarketingmaterials donotsendmm donotsendmarketing"
        ),
    ),
    (
        (
            Word.OUT,
            Word.EMAIL,
        ),
        (
            "noemail noemails stopemail stopemails dne keineemail keineemails keinemails keinmail keineperemail "
            "pasdemail pasdemails pasdemailing pasdemel aucunemail refusemail refusemails nocorreo nocorreos "
            "noenviarcorreos noenviaremails noenviarcorreo sincorreos noenviar nonscrivere noninviareemail "
            "noninviare geenmail geenmails geenemail geenemails nietmailen naoenviar emailblacklisted "
            "nothankstoemail nichtmailen keinewerbemails emaillistunsubscribed globaloptoutemail"
        ),
    ),
    (
        (
            Word.OUT,
            Word.PHONE,
        ),
        (
            "nocall nocalls nophonecall nophonecalls stopcalls keineanrufe keinanruf keinentelefon nichtanrufen "
            "nepasappeler nepastelephoner bloctel nollamar nollamadas nonchiamare nonchiamarmi nietbellen belmeniet "
            "geentelefoon naoligar"
        ),
    ),
    (
        (
            Word.OUT,
            Word.NEWSLETTER,
        ),
        (
            "nonewsletter nonewsletters keinnewsletter keinennewsletter keinenewsletter pasdenewsletter "
            "geennieuwsbrief sinnewsletter nosuscribir stopnewsletter"
        ),
    ),
    (
        (
            Word.OUT,
            Word.POST,
        ),
        ("nomailings keinepost keinewerbepost keinebriefe pasdecourrier geenpost nopostal"),
    ),
    (
        (
            Word.OUT,
            Word.MAIL,
        ),
        ("nomail nomails stopmail keinemail"),
    ),
    (
        (Word.UNSUBSCRIBE,),
        (
            "wypisany wypisana wypisz wypisanie wypisano wypisac rezygnacja rezygnuje odhlasen odhlaseni odhlasit "
            "avregistrera avregistrerad avregistrering avmeldt avmelding avmeld frameldt framelding afmeld afmeldt "
            "avprenumerera leiratkozas leiratkozott отписка отписан отписаться отписался отписалась "
            "отписатьсяотрассылки отказотрассылки 退订 取消订阅 退訂 取消訂閱 配信停止 配信解除 購読解除 登録解除 "
            "수신거부 구독취소 구독해지 dadadebaja diodebaja sediodebaja dodebaja cancelouinscricao "
            "cancelarinscricao cancelouassinatura unsubscribe unsubscribed unsub unsubbed unsubscription "
            "unsubscribing abmelden abmeldung abgemeldet abbestellen abbestellt abbestellung austragen ausgetragen "
            "newsletterabmeldung desinscription desinscrire desinscrit desinscrite desinscrits desabonnement "
            "desabonner desabonne desabonnee sedesabonner sedesinscrire baja bajas debaja darsedebaja dadodebaja "
            "dardebaja bajanewsletter desuscribir desuscribirse desuscrito desuscrita desuscripcion "
            "cancelarsuscripcion anularsuscripcion disiscrizione disiscrivere disiscriviti disiscritto disiscritta "
            "disiscrivi annullaiscrizione cancellaiscrizione annullamentoiscrizione uitschrijven uitschrijving "
            "uitgeschreven afmelden afmelding afgemeld descadastrar descadastrado descadastro cancelarinscricao "
            "removeme removefromlist removedfromlist removefrommailinglist removedfrommailinglist "
            "cancellazionenewsletter"
        ),
    ),
    (
        (Word.DO_NOT,),
        (
            "donot dont donotwantto nolongerwant nolongerwantto nolongerwish nolongerwishto never neverto stop nicht "
            "kein keine keinen nepas neplus pasde plusde refus refuse norecibir nodeseo noquiero nonvoglio geen niet"
        ),
    ),
    (
        (Word.REVOKED,),
        (
            "withdrawn withdraw withdrew withdrawal revoked revoke revocation revocato revoca widerrufen widerruf "
            "retire retrait retirado revocado revocacion ingetrokken"
        ),
    ),
    (
        (Word.SPAM,),
        ("spam spammed"),
    ),
    (
        (
            Word.SPAM,
            Word.COMPLAINT,
        ),
        (
            "feedbackloopcomplaint fblcomplaint spamcomplaint spamcomplaints spamreport spamreports spamreported "
            "markedasspam markedemailasspam markasspam reportedspam reportedasspam abusereport"
        ),
    ),
    (
        (Word.COMPLAINT,),
        ("complaint complaints complained"),
    ),
    (
        (Word.LEGAL,),
        (
            "legal privacy policy terms conditions tos gdpr dsgvo datenschutz agb acceptance processing process data "
            "rgpd"
        ),
    ),
    (
        (Word.TRACKING,),
        ("cookie cookies tracking analytics personalisation personalization profiling"),
    ),
    (
        (Word.ELSEWHERE,),
        ("sms mms text texts whatsapp fax push messenger"),
    ),
    (
        (Word.PREFERENCE,),
        ("preference preferences pref prefs setting settings preferred"),
    ),
    (
        (Word.NOTIFICATION,),
        ("notification notifications notify"),
    ),
    (
        (Word.REACHABLE,),
        ("contactable marketable mailable emailable reachable"),
    ),
    (
        (Word.CONTACT,),
        ("contact contacts contacted communication communications send sent sending kontakt"),
    ),
    (
        (Word.MAIL,),
        ("mail mails mailing mailings"),
    ),
    (
        (Word.EMAIL,),
        ("email emails bulkemail courriel correo correos"),
    ),
    (
        (Word.PHONE,),
        ("phone phones telephone telefon tel call calls anruf anrufe telefono mobile"),
    ),
    (
        (Word.POST,),
        ("post postal postalmail bulkpostalmail directmail letter letters"),
    ),
    (
        (Word.FILLER,),
        (
            "record z ze to of by via from for in and or with i we us you me my our your the a an any has have is be "
            "am was been already field checkbox box form type kind medium method status state all double hs user "
            "users customer customers person people lead leads list lists signup subscriber subscribers profile "
            "member members global globally channel channels group groups event action at on date time reason flag "
            "value answer choice client kunde kunden vom von bei der die das den und oder ich bitte de du des la le "
            "les el los una un mi il lo di per je van het een lista liste everything boletines custom mc cio granted "
            "given recevoir recibir ricevere erhalten ontvangen one"
        ),
    ),
    (
        (Word.HAPPENED,),
        (
            "as marked mark reported report request requested submitted confirmed completed successful click clicked "
            "link message messages updated update changed change received recorded behavior behaviors audience "
            "manual manually webhook activity hosted campaign"
        ),
    ),
)

WORDS: Final = {normalize("NFKD", word): frozenset(meanings) for meanings, words in _TABLE for word in words.split()}
LONGEST_WORD: Final = max(map(len, WORDS))

FOREIGN: Final = _words(
    "friend friends colleague colleagues coworker boss spouse wife husband partner child parent referral",
    "referred referrer referee recipient guest guests invitee invited invite sender company organization",
    "organisation employer freund freundin kollege kollegin ami amie amigo amiga collega vriend other",
    "others their his her emergency assistant beneficiary dependent owner agent",
)
"""In a name, it is about somebody else."""

APART: Final = _words(
    "sale sell selling sharing share ccpa cpra usp gpc cookie cookies tracking track analytics training",
    "ai ads advertising targeting profiling personalisation personalization processing url uri link href",
    "token page click clicks view views count counts rate percent total key hash template header label",
    "footer title copy html beta trial insurance benefit benefits arbitration renewal renew auto plan",
    "survey sms mms text whatsapp push fax viber telegram slack webhook enabled possible available supported",
    "required show hide visible version lang geo likely probability score risk prediction predicted not",
    "non if un can",
)
"""In a name that is not known from end to end, it is not about being written to or called, or about no wish."""
