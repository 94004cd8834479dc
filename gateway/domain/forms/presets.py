"""What the fields of well-known forms mean, and good guesses for the rest.

A target is a trait (Segment's reserved names:
https://segment.com/docs/connections/spec/identify/#traits) or one of the special ones below.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache

from contracts.campaigns import CLICK_IDS
from semantics.names import field_meaning

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
OCCURRED_AT, TEST = "@occurred_at", "@test"
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
    TYPEFORM = "typeform"
    TALLY = "tally"
    META = "meta_lead_ads"
    GOOGLE_ADS = "google_ads"
    CALENDLY = "calendly"
    GRAVITY_FORMS = "gravity_forms"
    WPFORMS = "wpforms"
    ELEMENTOR = "elementor"
    ELFSIGHT = "elfsight"
    WUFOO = "wufoo"
    FORMSTACK = "formstack"
    NETLIFY = "netlify"
    JOTFORM = "jotform"


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
            TECHNICAL: "hs_context formguid portalid context lifecyclestage ipaddress",
            OCCURRED_AT: "submittedat",
            CAMPAIGN + "id": "sfdccampaignid",
            ANONYMOUS_ID: "hutk",
            PAGE_URL: "pageuri",
            PAGE_TITLE: "pagename",
            CONSENT: "legalconsentoptions",
        }
    ),
    Preset.WEBFLOW: _by_field({TECHNICAL: "site siteid triggertype formid formelementid d"}),
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
            TECHNICAL: "munchkinid formid formvid lpid subid followuplpid cr q leadclientipaddress useragentstring",
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
    Preset.TYPEFORM: {},
    Preset.TALLY: {},
    Preset.META: _by_field({TECHNICAL: "inbox_url"}),
    Preset.GOOGLE_ADS: {},
    Preset.CALENDLY: _by_field({"phone": "text_reminder_number", TECHNICAL: "timezone"}),
    Preset.GRAVITY_FORMS: _by_field(
        {
            PAGE_URL: "source_url",
            OCCURRED_AT: "date_created",
            TECHNICAL: (
                "form_id ip user_agent date_updated is_starred is_read status post_id currency payment_status"
                " payment_date payment_amount payment_method transaction_id is_fulfilled created_by transaction_type"
                " id source_id"
            ),
        }
    ),
    Preset.WPFORMS: {},
    Preset.ELEMENTOR: _by_field({PAGE_URL: "page_url", TECHNICAL: "remote_ip user_agent credit date time powered_by"}),
    Preset.ELFSIGHT: {},
    Preset.WUFOO: _by_field(
        {
            TECHNICAL: "formstructure fieldstructure entryid createdby ip status datelastupdated",
            OCCURRED_AT: "datecreated",
        }
    ),
    Preset.FORMSTACK: _by_field({TECHNICAL: "formid uniqueid"}),
    Preset.NETLIFY: _by_field({TECHNICAL: "ip user_agent", PAGE_URL: "referrer"}),
    Preset.JOTFORM: {},
}

_MARKS_OF = {
    Preset.SALESFORCE: ("oid",),
    Preset.HUBSPOT: ("hs_context", "hutk", "portalid", "legalconsentoptions"),
    Preset.CONTACT_FORM_7: ("_wpcf7",),
    Preset.MARKETO: ("munchkinid",),
    Preset.WEBFLOW: ("triggertype", "formelementid"),
    Preset.PARDOT: ("pi_extra_field", "success_location"),
    Preset.JOTFORM: ("rawrequest",),
    Preset.WUFOO: ("fieldstructure",),
    Preset.FORMSTACK: ("uniqueid",),
}

_EXACT = _by_field(
    {
        "domain": "domain",
        "firstName": "first",
        "lastName": "last",
        "email": "replyto",  # `_replyto` of kits that mail a form: whoever filled it in
        ANONYMOUS_ID: "anonymousid ajsanonymousid",
        USER_ID: "userid",
        MESSAGE_ID: "messageid",
        FORM_NAME: "formname formtitle",
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
        **{CLICK + name: name.replace("_", "") for name in CLICK_IDS},
        TECHNICAL: "submit writekey utf8",
        HONEYPOT: "gotcha honeypot honey",
        SECRET: (
            "googlekey handshakekey verifytoken hubsecret webhooksecret webhookkey apikey accesstoken authtoken secret"
        ),
    }
)
_TRAIT_OF = {
    "first_name": "firstName",
    "last_name": "lastName",
    "postal_code": "postalCode",
    "company_domain": "domain",
}
_SECRETS = re.compile(r"pass(word|wd|phrase)|^pwd$|card[_-]?number|cc[_-]?(number|num|csc)|cvv|cvc|iban|\bssn\b")
_TECHNICAL = re.compile(r"^_|csrf|nonce|captcha|turnstile-response|authenticity_token|viewstate|eventvalidation")
_CONSENT = re.compile(
    r"consent|gdpr|dsgvo|opt[_-]?(in|out)|privacy|newsletter|terms|marketing_?(ok|email|permission)|subscribe|datenschutz|einwillig"
)
_BRACKETED = re.compile(r"\[([^\[\]]+)\]$")
_FILLER = re.compile(r"^(your|my|contact|lead|input|field|form)[-_ ]+")
_LONGEST_NAME = 160  # characters; what is longer is a sentence
_NOT_A_LETTER = re.compile(r"[\W_]+")


def recognised(names: set[str]) -> Preset:
    """The form builder that fields of these (lower-case) names come from."""
    for preset, marks in _MARKS_OF.items():
        if not names.isdisjoint(marks):
            return preset
    return Preset.GUESS


def kept_apart(name: str) -> str | None:
    """Whether a field is a secret, a token, or consent, by patterns alone: asked of all that come, however many."""
    lowered = name[:_LONGEST_NAME].lower()
    if _EXACT.get(_NOT_A_LETTER.sub("", lowered)) == SECRET:
        return SECRET
    patterns = ((_SECRETS, SECRET), (_TECHNICAL, TECHNICAL), (_CONSENT, CONSENT))
    return next((target for pattern, target in patterns if pattern.search(lowered)), None)


@lru_cache(maxsize=4096)  # a site has few forms, and they have the same few fields
def guess(name: str) -> str | None:
    """What a field of this name, or under this label, most likely means; None: keep it as it is."""
    if len(name) > _LONGEST_NAME:
        return None
    lowered = (bracketed[1] if (bracketed := _BRACKETED.search(name)) else name).lower().strip()
    exact = _EXACT.get(_NOT_A_LETTER.sub("", lowered))
    if exact is not None:
        return exact
    if (meaning := field_meaning(name)) is not None:
        return _TRAIT_OF.get(meaning, meaning)
    for pattern, target in ((_SECRETS, SECRET), (_TECHNICAL, TECHNICAL), (_CONSENT, CONSENT)):
        if pattern.search(lowered):
            return target
    bare = _FILLER.sub("", lowered)
    return guess(bare) if bare != lowered else None
