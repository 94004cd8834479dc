"""The words by which senders call what we know by one name: programs, form builders, people who write labels.

Written as anybody would; `folded` brings both sides of a comparison into one spelling. English, German, French,
Spanish, Italian, Dutch, Portuguese, Polish, and the commonest words of China, Japan, Korea and Russia.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Final

_LETTERS_APART: Final = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "æ": "ae", "œ": "oe"})  # no mark to take off


def folded(text: str) -> str:
    """`text` for comparing words: compatible forms, case and marks over letters make no difference."""
    if text.isascii():
        return text.casefold()
    parts = unicodedata.normalize("NFKD", text).casefold().translate(_LETTERS_APART)
    return "".join(letter for letter in parts if not unicodedata.combining(letter))


def words_of(text: str) -> frozenset[str]:
    """The words of a list, folded."""
    return frozenset(folded(text).split())


def _by_word(lists: Mapping[str, str]) -> Mapping[str, str]:
    """`{"a": X, "b": X}` of `{X: "a b"}`: written by meaning, read by word."""
    return {word: meaning for meaning, text in lists.items() for word in folded(text).split()}


ATTRIBUTES: Final = _by_word(
    {
        "first_name": (
            "firstname namefirst fname givenname givennames forename vorname rufname prenom nombre nombres nome"
            " voornaam primeironome primernombre nomeproprio imie имя 名 名前 이름"
        ),
        "last_name": (
            "lastname namelast lname surname familyname nachname familienname nom nomdefamille nomfamille apellido"
            " apellidos cognome achternaam sobrenome apelido ultimonome nazwisko фамилия 姓 성"
        ),
        "name": (
            "name fullname fullnamefirstlast namefirstlast yourname displayname contactname contactperson"
            " namecontact nomcomplet nombrecompleto"
            " nomecompleto vollstaendigername vollständigername ansprechpartner ansprechpartnerin kontaktperson"
            " personadecontacto volledigenaam naam contactpersoon pelneimie firstlastname firstandlastname"
            " firstnamelastname firstnameandlastname namesurname nameandsurname vorundnachname vorundzuname"
            " vornamenachname vornameundnachname nomprenom prenomnom nometprenom prenometnom nombreapellidos"
            " nombreyapellidos nombreyapellido nomecognome nomeecognome nomeesobrenome vooreachternaam"
            " voorenachternaam"
            " imienazwisko imieinazwisko 姓名 お名前 氏名 성함 성명 фио"
        ),
        "title": (
            "title jobtitle position positioncompany positiontitle role jobrole jobposition jobfunction jobname"
            " profession occupation"
            " beruf berufsbezeichnung funktion stelle rolle stellenbezeichnung fonction poste intituleposte"
            " intituledeposte cargo puesto ruolo ruoloaziendale funzione qualifica mansione functie functietitel"
            " funcao stanowisko"
            " 职位 職位 役職 직책 직함 должность"
        ),
        "email": (
            "email emails emailaddresses mail replyto fromemail emailfrom"
            " emailaddress emailaddr emailid addressemail mailaddress electronicmail workemail"
            " businessemail youremail emailadresse mailadresse adressemail adresseemail adressedemail adressemel mel"
            " courriel adressecourriel adresseelectronique courrierelectronique correo correoelectronico"
            " direcciondecorreo direccionemail direccioncorreoelectronico direcciondecorreoelectronico"
            " postaelettronica indirizzoemail indirizzodiemail indirizzomail indirizzodipostaelettronica"
            " emailadres mailadres correioeletronico correioelectronico enderecoemail enderecodeemail"
            " enderecoeletronico adresemail adresmailowy adrespocztyelektronicznej pocztaelektroniczna メール"
            " メールアドレス eメール 邮箱 电子邮箱 电子邮件 電子郵件 邮件 이메일 почта электроннаяпочта элпочта"
        ),
        "phone": (
            "phone phones phonenumbers bestnumbertoreach numbertoreach bestphone"
            " contactnumber contactno contactphone reachnumber phonenumber telephone telephonenumber"
            " tel telnumber telno telnr phoneno phonenr mobile"
            " mobilephone"
            " mobilenumber mobileno mobilenr cell cellphone cellnumber cellphonenumber mobilephonenumber"
            " phonemobile telefon telefonnummer telefonnr rufnummer handy handynummer mobil mobilnummer mobiltelefon"
            " mobilfunknummer telephoneportable portable numerotelephone numerodetelephone numerotel numerodetel"
            " numeroportable numerodeportable"
            " telefono telefonomovil movil celular numerotelefono numerodetelefono cellulare numeroditelefono"
            " numerocellulare numerodicellulare recapitotelefonico telefoonnummer telefoon telefoonnr mobiel"
            " mobielnummer mobielenummer telefone telemovel numerotelefone numerodetelefone numertelefonu"
            " telefonkomorkowy"
            " komorka whatsapp whatsappnumber 电话 手机 手机号 電話 電話番号 携帯電話 전화 전화번호 휴대폰"
            " телефон номертелефона"
        ),
        "company": (
            "company companyname wherework placeofwork namedesunternehmens"
            " institution institutionname agency agencyname organization organisation"
            " organizationname organisationname org"
            " employer"
            " business businessname namecompany nameofcompany nameorganization nameorganisation firm"
            " companyorganisation"
            " companyworkfor firma firmenname firmname namefirma unternehmen unternehmensname arbeitgeber"
            " organisation"
            " entreprise societe nomentreprise nomdelentreprise nomdentreprise nomsociete nomdelasociete"
            " raisonsociale organisme empresa nombreempresa nombredelaempresa organizacion compania azienda societa"
            " nomeazienda nomedellazienda nomesocieta ragionesociale impresa bedrijf bedrijfsnaam naambedrijf"
            " organisatie"
            " werkgever nomedaempresa nomeempresa organizacao nazwafirmy firmanazwa przedsiebiorstwo organizacja"
            " 公司 公司名称 会社 会社名 御社名 회사 회사명 компания организация"
        ),
        "company_domain": "companydomain",
        "employees": (
            "employees employeecount employeescount numberemployees numberofemployees numemployees noofemployees"
            " companysize sizecompany employeesrange employeerange headcount teamsize staff staffsize"
            " howmanyemployees"
            " howmanyemployeescompany howmanyemployeescompanyhave mitarbeiter mitarbeiterzahl mitarbeiteranzahl"
            " anzahlmitarbeiter anzahldermitarbeiter unternehmensgroesse unternehmensgröße firmengroesse firmengröße"
            " effectif effectifs nombreemployes nombredemployes nombresalaries nombredesalaries tailleentreprise"
            " tailledelentreprise empleados numeroempleados numerodeempleados tamanoempresa dipendenti"
            " numerodipendenti"
            " numerodidipendenti dimensioneazienda medewerkers aantalmedewerkers bedrijfsgrootte funcionarios"
            " numerofuncionarios numerodefuncionarios colaboradores pracownicy liczbapracownikow 员工人数"
            " 従業員数 직원수"
        ),
        "industry": (
            "industry sector branche industrie secteur secteuractivite secteurdactivite settore setor branza 行业"
            " 業種 업종"
        ),
        "country": (
            "country countrycode countryregion countryname land pays pais paese kraj countryofresidence herkunftsland"
            " 国家 国 국가 страна"
        ),
        "city": "city town ort stadt wohnort ville ciudad citta plaats cidade miasto 城市 市区町村 도시 город",
        "website": (
            "website url homepage companywebsite companyurl websiteurl web webpage webseite internetseite siteweb"
            " siteinternet sitioweb paginaweb sitoweb sitointernet stronainternetowa stronawww 网站 ウェブサイト"
        ),
        "language": "language locale preferredlanguage sprache langue idioma lingua taal jezyk",
        "budget": (
            "budget budgetamount budgetrange projectbudget estimatedbudget presupuesto orcamento budzet 预算 予算"
        ),
        "authority": "authority decisionmaker decisionrole buyingrole",
        "need": "need needs requirement requirements usecase painpoint challenge",
        "timing": (
            "timing timeline timeframe purchasetimeframe projectstart when whenstart whentostart whenwanttostart"
            " whenwanttobuy whenplantostart whenlookingtostart whenlookingtobuy"
            " wheninterestedin whenplantobuy whenplanningtobuy whenneedit howsoon howsoonneedit howsoonstart"
            " desiredstart startdate plannedstart buyingtimeframe purchasetimeline buyingtimeline projecttimeline"
            " zeitrahmen projektstart zeithorizont delai plazo"
        ),
    }
)
"""Word (or words in one) -> the attribute of a profile that it stands for, as in `contracts.attributes`."""

FIELDS: Final = _by_word(
    {
        "message": (
            "message comments comment commentmessage commentormessage commentsquestions questionscomments"
            " questions inquiry enquiry howhelp howcanhelp howmayhelp howcanassist howcanbeofassistance anythingelse"
            " aboutproject aboutyourproject moreaboutproject additionalinformation additionalcomments"
            " nachricht anliegen anfrage mitteilung wiekoennenwirhelfen wiekonnenwirhelfen wiekönnenwirhelfen mensaje"
            " consulta messaggio bericht vraag mensagem wiadomosc kommentar votremessage demande"
        ),
        "subject": "subject betreff sujet objet asunto oggetto onderwerp assunto temat",
        "state": "state region province bundesland kanton provincia provincie estado wojewodztwo",
        "postal_code": "zip zipcode postcode postalcode plz postleitzahl codepostal codigopostal cap kodpocztowy",
        "street": "street streetaddress strasse rue calle rua ulica straat",
        "address": "address adresse anschrift direccion indirizzo adres endereco",
        "phone_country": (
            "phonecountry phonecountrycode countrycodephone mobilecountrycode phoneprefix dialcode dialingcode"
            " diallingcode callingcode countrycallingcode countrydialcode phonecode isdcode landesvorwahl"
            " laendervorwahl ländervorwahl indicatif prefisso prefijo"
        ),
        "department": "department abteilung departement departamento reparto afdeling dzial",
        "salutation": "salutation anrede civilite tratamiento aanhef",
        "description": "description",
    }
)
"""The same for what forms ask and no rule of ours knows."""

ASKED: Final = words_of(
    """
    your you please enter type write insert give provide us tell what whats which s is are the a an here required
    optional mandatory field pflichtfeld pflichtangabe erforderlich ihr ihre ihren deine dein bitte angeben eingeben
    votre vos veuillez saisir obligatoire facultatif requis champ le la les l su tu sus obligatorio opcional campo el
    il tuo tua vostro vostra inserisci obbligatorio facoltativo uw je jouw vul in verplicht optioneel seu sua
    obrigatorio twoj twoje twoja swoj podaj wymagane opcjonalne
    my do does have we can confirm confirmation repeat retype again wiederholen kontaktowy bestaetigen bestätigen
    contact kontakt contacto contatto contato lead visitor
    """
)
"""What asks, and names nothing: it may stand around any name."""

BUILT: Final = words_of(
    """
    form forms field fields input inputs data value values text entry item meta element wpforms wpcf7 mauticform
    gform gfield nf ff et pb cf cf7 jform submitted edit und properties attributes attribute merge mce mc fluentform
    formdata formfields formfield elementor q txt tb ctl maincontent frm content
    merges sqf mc4wp wp ninja jotform typeform cognito question answer answers response survey req hs rsform acf drupal
    mepr webform node person user
    """
)
"""What programs that build forms put around a name."""

OWN: Final = words_of(
    """
    work business professional personal private home primary main preferred best direct corporate company office
    user customer client sender author submitter subscriber applicant attendee participant registrant number nr no n
    geschaeftlich geschäftlich geschaeftliche geschäftliche dienstlich dienstliche beruflich berufliche private privat
    firma firmen professionnel professionnelle pro entreprise personnel personnelle profesional corporativo corporativa
    empresa trabajo personal laboral aziendale lavoro professionale personale zakelijk zakelijke werk prive
    profissional trabalho sluzbowy sluzbowa firmowy de du d of for da do di von
    daytime day evening mobile mobil mobiles land
    """
)
"""Whose address or number it is, and which of theirs: their own."""

DOORS: Final = words_of(
    "newsletter subscribe subscription signup signin sign up register registration login account checkout"
)
"""What somebody gives their own address for, when it stands before it."""

NOT_ONES_LINE: Final = words_of(
    "company corporate office main firma firmen entreprise empresa corporativo corporativa aziendale"
)
"""Beside a number: a switchboard, which many people share."""

NOT_A_NAME: Final = words_of("form forms user customer client item element data value node")
"""Beside a bare name or title: something else's, a form's or a log-in's."""

AND_OR: Final = words_of("and or und oder et ou y o e i lub en of & +")

EXAMPLE: Final = re.compile(
    r"\b(e\.? ?g\.|for example|z\.? ?b\.|p\.? ?ex|par ex|p\.? ?ej|por ej|ad es|bijv|np\.).*", re.I | re.S
)
"""From here on a label shows what may be typed."""
