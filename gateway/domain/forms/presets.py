"""What the fields of well-known forms mean, and good guesses for the rest.

A target is a trait (Segment's reserved names:
https://segment.com/docs/connections/spec/identify/#traits) or one of the special ones below.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum

ANONYMOUS_ID, USER_ID, RETURN_URL, CONSENT, TECHNICAL, SECRET, HONEYPOT = (
    "@anonymous_id",
    "@user_id",
    "@return_url",
    "@consent",
    "@technical",
    "@secret",
    "@honeypot",
)
MESSAGE_ID, PAGE_URL, PAGE_TITLE, REFERRER, FORM_NAME = (
    "@message_id",
    "@page_url",
    "@page_title",
    "@referrer",
    "@form_name",
)
CAMPAIGN, CLICK = "@campaign.", "@click."  # followed by the name within


class Preset(StrEnum):
    """Form builders whose field names are known."""

    GUESS = "guess"  # nothing but the guesses
    SALESFORCE = "salesforce_web_to_lead"
    HUBSPOT = "hubspot"
    WEBFLOW = "webflow"
    CONTACT_FORM_7 = "contact_form_7"
    MARKETO = "marketo"
    PARDOT = "pardot"


def _by_field(targets: Mapping[str, str]) -> Mapping[str, str]:
    """`{"a": T, "b": T}` of `{T: "a b"}`: written by meaning, read by field name."""
    return {field: target for target, fields in targets.items() for field in fields.split()}


PRESETS: Mapping[Preset, Mapping[str, str]] = {
    Preset.GUESS: {},
    Preset.SALESFORCE: _by_field(
        {
            TECHNICAL: "oid debug debugemail submit encoding recordtype",
            RETURN_URL: "returl",
            "website": "url",
            "street": "street",
            "postalCode": "zip",
            "state": "state state_code",
            "country": "country_code",
            CAMPAIGN + "lead_source": "lead_source",
            CAMPAIGN + "id": "campaign_id",
            CAMPAIGN + "member_status": "member_status",
            "annualRevenue": "revenue",
            "employees": "employees",
            "industry": "industry",
            "rating": "rating",
            "description": "description",
            "salutation": "salutation",
            CONSENT: "emailoptout faxoptout donotcall",
            "mobile": "mobile",
        }
    ),
    Preset.HUBSPOT: _by_field(
        {
            "firstName": "firstname",
            "lastName": "lastname",
            "title": "jobtitle",
            "company": "company",
            "mobile": "mobilephone",
            "employees": "numemployees",
            TECHNICAL: "hs_context formguid portalid submittedat context lifecyclestage",
            ANONYMOUS_ID: "hutk",
            PAGE_URL: "pageuri",
            PAGE_TITLE: "pagename",
            CONSENT: "legalconsentoptions",
        }
    ),
    Preset.WEBFLOW: _by_field(
        {
            "name": "name",
            TECHNICAL: "site siteid triggertype formid formelementid d",
        }
    ),
    Preset.CONTACT_FORM_7: _by_field(
        {
            "name": "your-name",
            "email": "your-email",
            "phone": "your-tel your-phone",
            "company": "your-company",
            "subject": "your-subject",
            "message": "your-message",
            CONSENT: "acceptance",
        }
    ),
    Preset.MARKETO: _by_field(
        {
            TECHNICAL: "munchkinid formid formvid lpid subid followuplpid cr q",
            ANONYMOUS_ID: "_mkt_trk",
            PAGE_URL: "_mktoreferrer lpurl",
            CAMPAIGN + "term": "kw",
            CONSENT: "unsubscribed",
        }
    ),
    Preset.PARDOT: _by_field(
        {
            HONEYPOT: "pi_extra_field",
            RETURN_URL: "success_location",
            TECHNICAL: "error_location",
            "title": "job_title",
        }
    ),
}

_MARKS_OF = {
    Preset.SALESFORCE: ("oid",),
    Preset.HUBSPOT: ("hs_context", "hutk", "portalid", "legalconsentoptions"),
    Preset.CONTACT_FORM_7: ("_wpcf7",),
    Preset.MARKETO: ("munchkinid",),
    Preset.WEBFLOW: ("triggertype", "formelementid"),
    Preset.PARDOT: ("pi_extra_field", "success_location"),
}

_EXACT = _by_field(
    {
        "phone": "tel telephone phone phonenumber telefon telefono",
        "mobile": "mobile cell",
        "firstName": "firstname fname givenname forename vorname prenom",
        "lastName": "lastname lname surname familyname nachname nom",
        "name": "name fullname contactname nombre",
        "company": (
            "company companyname organization organisation employer firma unternehmen entreprise empresa societe"
            " business businessname"
        ),
        "title": "title jobtitle position role jobrole funktion",
        "website": "website companywebsite homepage",
        "domain": "domain",
        "industry": "industry branche",
        "employees": "employees companysize numberofemployees numemployees",
        "country": "country land pays",
        "city": "city stadt town",
        "state": "state region",
        "postalCode": "zip zipcode postcode postalcode plz",
        "street": "street",
        "address": "address",
        "message": "message comments comment nachricht",
        "subject": "subject",
        "description": "description",
        "budget": "budget",
        "timeline": "timeline timeframe",
        "department": "department",
        "salutation": "salutation",
        "language": "language",
        ANONYMOUS_ID: "anonymousid ajsanonymousid",
        USER_ID: "userid",
        MESSAGE_ID: "messageid",
        FORM_NAME: "formname",
        RETURN_URL: "returl returnurl redirect redirecturl redirectto next thankyouurl successurl",
        PAGE_URL: "pageurl pageuri",
        PAGE_TITLE: "pagetitle",
        REFERRER: "referrer referer",
        CAMPAIGN + "source": "utmsource",
        CAMPAIGN + "medium": "utmmedium",
        CAMPAIGN + "name": "utmcampaign",
        CAMPAIGN + "term": "utmterm",
        CAMPAIGN + "content": "utmcontent",
        CAMPAIGN + "id": "utmid",
        CLICK + "gclid": "gclid",
        CLICK + "fbclid": "fbclid",
        CLICK + "msclkid": "msclkid",
        CLICK + "li_fat_id": "lifatid",
        CLICK + "ttclid": "ttclid",
        CLICK + "gbraid": "gbraid",
        CLICK + "wbraid": "wbraid",
        CLICK + "twclid": "twclid",
        TECHNICAL: "submit writekey utf8",
        HONEYPOT: "gotcha honeypot honey",
    }
)
_EMAIL = re.compile(r"(^|[^a-z])e?-?mails?([^a-z]|$)|email|courriel|correo|メール|邮箱|почта")
_SECRETS = re.compile(r"pass(word|wd|phrase)|^pwd$|card[_-]?number|cc[_-]?(number|num|csc)|cvv|cvc|iban|\bssn\b")
_TECHNICAL = re.compile(r"^_|csrf|nonce|captcha|turnstile-response|authenticity_token|viewstate|eventvalidation")
_CONSENT = re.compile(
    r"consent|gdpr|dsgvo|opt[_-]?(in|out)|privacy|newsletter|terms|marketing_?(ok|email|permission)|subscribe|datenschutz|einwillig"
)
_BRACKETED = re.compile(r"\[([^\[\]]+)\]$")
_FILLER = re.compile(r"^(your|my|contact|lead|work|business|visitor|input|field|form)[-_ ]+")
_NOT_A_LETTER = re.compile(r"[\W_]+")


def recognised(names: set[str]) -> Preset:
    """The form builder that fields of these (lower-case) names come from."""
    for preset, marks in _MARKS_OF.items():
        if not names.isdisjoint(marks):
            return preset
    return Preset.GUESS


def guess(name: str) -> str | None:
    """What a field of this name most likely means; None: keep it as it is."""
    lowered = (bracketed[1] if (bracketed := _BRACKETED.search(name)) else name).lower().strip()
    plain = _NOT_A_LETTER.sub("", lowered)
    exact = _EXACT.get(plain)
    if exact is not None:
        return exact
    for pattern, target in ((_SECRETS, SECRET), (_TECHNICAL, TECHNICAL), (_CONSENT, CONSENT), (_EMAIL, "email")):
        if pattern.search(lowered):
            return target
    bare = _FILLER.sub("", lowered)
    return guess(bare) if bare != lowered else None
