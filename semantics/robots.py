"""Which interactions nobody did: a trap was filled in, or a user agent declares a robot.

A robot is a crawler, a link scanner or a monitor that says so. Libraries and services that send on somebody's behalf
(curl, python-requests, WordPress, Zapier) are none: sites and servers post leads with them. Nor is a browser that a
program steers (HeadlessChrome, Playwright): people try their forms with it, and a test source says that it is a test.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import Any, Final, NamedTuple

from contracts.limits import USER_AGENT_CHARACTERS, USER_AGENTS
from contracts.values import Flag, Interaction, WithheldReason

_SIGN_CHARACTERS: Final = 64  # of the name that told it
_SENDERS: Final = {"http-library", "browser-automation"}  # kinds that the list has and that are no robots here
_CRAWLING_KITS: Final = re.compile(r"scrapy|httrack|crawl|colly|larbin|newspaper|trafilatura|parserbot|ninja|rawweb")
_SCANNERS: Final = {"scanner", "social-preview"}
# in the list under other kinds: services and programs that send what people or their sites did
_SERVICES: Final = re.compile(
    r"wordpress|hubspot|zapier|^make|integromat|ifttt|n8n|webflow|klaviyo|omnisend|stripe|paypal|recurly|sendgrid|shopify"
    r"|sparkpost|svix|zendesk|bitbucket|asana|google-apps-script|sfdc|salesforce|retool|stape|webhook|-hook$|mollie|trustly"
    r"|snipcart|mailchimp|buttondown|indy library|appengine|^fetch|netapi|twilio|gopay|metorik|modularconnector|mainwp"
    r"|managewp|chargebee|google-ads-conversions|cloudfront|sparkshipping|easybill",
    re.IGNORECASE,
)
# in the list, and in what browsers of people say too: apps that show pages, phones' builds, versions
_BROWSERS: Final = frozenset(
    (
        *(
            "MetaIAB Facebook",
            "Viber",
            "Sogou",
            "mail\\.ru",
            "Notion\\/",
            "Tumblr\\/",
            "Bluesky\\/",
            "Goodreads",
            "Fever",
        ),
        *("AP3A\\.240617\\.008", "008\\/", "BW\\/", "RED\\/", "Sonic", "speedy", "CapitalOneShopping", "Operator\\/"),
    )
)
# scanners of mail gateways, of which the list has few
_MAIL_SCANNERS: Final = re.compile(
    r"barracuda|proofpoint|mimecast|safe ?links|microsoft ?defender|messagelabs|fireeye|avanan|ironscales|cloudmark"
    r"|ironport|fortiguard|fortimail|forcepoint|urlscan|link-?(?:preview|expand|check|scan)|mail-?scan",
    re.IGNORECASE,
)
# a word that says it: FooBot/1.0, acme-crawler; Cubot makes phones
_WORDS: Final = re.compile(r"[\w.-]+")
_CRAWLS: Final = ("bot", "crawler", "spider")
_MONITORS: Final = ("uptime", "healthcheck", "health-check", "pingdom", "kube-probe", "googlehc")
_PLAIN: Final = re.compile(r"(?:[^\\.^$*+?{}\[\]|()]|\\[^\w\s])+")  # a pattern that is a text


class RobotSign(NamedTuple):
    """That nobody did it: why, and what told it."""

    reason: WithheldReason
    sign: str


class _KnownRobots(NamedTuple):
    """Names of robots, each with its kind: as texts, and those few that are patterns."""

    texts: tuple[tuple[str, WithheldReason], ...]
    patterns: tuple[tuple[re.Pattern[str], WithheldReason], ...]


def robot_in(interaction: Interaction) -> RobotSign | None:
    """Why nobody did this; None when somebody may have.

    Of servers only what the event itself states is looked at: the gateway notes no user agent of theirs.
    """
    if interaction.flags and Flag.HONEYPOT in interaction.flags:
        return RobotSign(WithheldReason.HONEYPOT, "a field that no human sees was filled in")
    return robot_by(interaction.context.get("userAgent"))


def robot_by(user_agent: Any) -> RobotSign | None:
    """The robot that a user agent declares; None for people, for libraries, and for what is no text."""
    if not isinstance(user_agent, str) or not user_agent:
        return None
    return _declared(user_agent[:USER_AGENT_CHARACTERS])


def warm() -> None:
    """Read the list, so that the first capture need not wait for it."""
    _known()


@lru_cache(maxsize=USER_AGENTS)
def _declared(user_agent: str) -> RobotSign | None:
    """Some 0.2 ms for one never seen before."""
    known = _known()
    for text, reason in known.texts:
        if text in user_agent:
            return RobotSign(reason, text.strip()[:_SIGN_CHARACTERS])
    for pattern, reason in known.patterns:
        if found := pattern.search(user_agent):
            said = "".join(letter for letter in found[0] if letter.isprintable())
            return RobotSign(reason, said.strip()[:_SIGN_CHARACTERS])
    if found := _MAIL_SCANNERS.search(user_agent):
        return RobotSign(WithheldReason.LINK_SCANNER, found[0])
    return next(filter(None, map(_says_so, _WORDS.findall(user_agent))), None)


def _says_so(word: str) -> RobotSign | None:
    lowered = word.casefold()
    if lowered.endswith(_CRAWLS) and not lowered.endswith("cubot"):
        return RobotSign(WithheldReason.CRAWLER, word[-_SIGN_CHARACTERS:])
    if any(one in lowered for one in _MONITORS):
        return RobotSign(WithheldReason.MONITOR, word[:_SIGN_CHARACTERS])
    return None


@cache
def _known() -> _KnownRobots:
    """The list (crawler-user-agents, MIT), without what is no robot here. Texts are looked for as texts: a tenth of
    what as many patterns cost.
    """
    from crawleruseragents import CRAWLER_USER_AGENTS_DATA  # megabytes of examples: not while a module is imported

    texts: list[tuple[str, WithheldReason]] = []
    patterns: list[tuple[re.Pattern[str], WithheldReason]] = []
    for entry in CRAWLER_USER_AGENTS_DATA:
        pattern, tags = entry["pattern"], set(entry.get("tags", ()))
        if pattern in _BROWSERS or _sends(pattern, tags):
            continue
        reason = _reason(tags)
        if _PLAIN.fullmatch(pattern):
            texts.append((pattern.replace("\\", ""), reason))
        else:
            patterns.append((re.compile(pattern), reason))
    return _KnownRobots(tuple(texts), tuple(patterns))


def _sends(pattern: str, tags: set[str]) -> bool:
    """Whether it is a library or a service with which people and sites send; one made for reading sites is not."""
    name = pattern.replace("\\", "")
    if tags & _SENDERS:
        return _CRAWLING_KITS.search(name.casefold()) is None
    return _SERVICES.search(name) is not None


def _reason(tags: set[str]) -> WithheldReason:
    if tags & _SCANNERS:
        return WithheldReason.LINK_SCANNER
    return WithheldReason.MONITOR if "monitoring" in tags else WithheldReason.CRAWLER
