"""Who declares a robot, and who does not: the borders, told by user agents as they come."""

from __future__ import annotations

from time import perf_counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.limits import USER_AGENT_CHARACTERS
from contracts.values import Flag, WithheldReason
from semantics.robots import robot_by, robot_in
from tests.unit.identity.world import a_capture

CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"
)
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148"
ANDROID = (
    "Mozilla/5.0 (Linux; Android 13; {}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36"
)
HEADLESS = CHROME.replace("Chrome/", "HeadlessChrome/")


@pytest.mark.parametrize(
    ("user_agent", "reason"),
    [
        ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", WithheldReason.CRAWLER),
        ("Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)", WithheldReason.CRAWLER),
        ("Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)", WithheldReason.CRAWLER),
        ("Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2)", WithheldReason.CRAWLER),
        ("Scrapy/2.11.1 (+https://scrapy.org)", WithheldReason.CRAWLER),
        ("TidewaterPriceSpider/0.3", WithheldReason.CRAWLER),  # nobody has it in a list: it says so itself
        ("the crawler of a student (crawler@uni.example)", WithheldReason.CRAWLER),
        (f"{CHROME} BingPreview/1.0b", WithheldReason.LINK_SCANNER),
        ("Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)", WithheldReason.LINK_SCANNER),
        ("facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)", WithheldReason.LINK_SCANNER),
        ("WhatsApp/2.23.20.0 A", WithheldReason.LINK_SCANNER),
        ("Barracuda Sentinel (EE)", WithheldReason.LINK_SCANNER),
        ("Mozilla/5.0 (compatible; Proofpoint URL Defense)", WithheldReason.LINK_SCANNER),
        ("Mimecast URL Protect", WithheldReason.LINK_SCANNER),
        ("Mozilla/5.0+(compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)", WithheldReason.MONITOR),
        ("Pingdom.com_bot_version_1.4_(http://www.pingdom.com/)", WithheldReason.MONITOR),
        ("ELB-HealthChecker/2.0", WithheldReason.MONITOR),
        ("kube-probe/1.30", WithheldReason.MONITOR),
    ],
)
def test_a_robot_that_says_so_is_one(user_agent: str, reason: WithheldReason) -> None:
    found = robot_by(user_agent)
    assert found is not None
    assert found.reason is reason
    assert found.sign in user_agent


@pytest.mark.parametrize(
    "user_agent",
    [
        CHROME,
        IPHONE,
        f"{IPHONE} Instagram 330.0.0.0",
        f"{IPHONE} [FBAN/FBIOS;FBAV/470.0.0]",
        f"{CHROME} Electron/31.0.0 Notion/3.9.0",
        ANDROID.format("CUBOT KINGKONG 9"),  # a phone
        ANDROID.format("CUBOT"),
        ANDROID.format("OPD2403 Build/AP3A.240617.008"),  # a tablet's build, which the list has for a scanner
        f"{CHROME} OPR/116.0.0.008/1",
        HEADLESS,
        "python-requests/2.32.3",
        "Python-urllib/3.12",
        "curl/8.9.1",
        "okhttp/4.12.0",
        "Go-http-client/2.0",
        "axios/1.7.2",
        "Apache-HttpClient/4.5.14 (Java/17)",
        "GuzzleHttp/7",
        "PostmanRuntime/7.39",
        "WordPress/6.6; https://tidewater.example",  # a site's server that sends its forms on
        "Zapier",
        "HubSpot Webhooks",
        "analytics-node/2.1.0",
        "",
    ],
)
def test_people_their_phones_and_the_libraries_of_their_servers_are_none(user_agent: str) -> None:
    assert robot_by(user_agent) is None


@pytest.mark.parametrize("said", [None, 7, {"name": "Googlebot"}, ["Googlebot/2.1"]])
def test_what_is_no_text_says_nothing(said: Any) -> None:
    assert robot_by(said) is None


def test_a_sprung_trap_goes_before_a_name() -> None:
    bot = {"userAgent": "Googlebot/2.1"}
    sprung = robot_in(a_capture(1, flags=(Flag.HONEYPOT,), context=bot).interaction)
    assert sprung is not None
    assert sprung.reason is WithheldReason.HONEYPOT
    for is_server in (True, False):  # a server states whose visit it tells of
        found = robot_in(a_capture(1, server=is_server, context=bot).interaction)
        assert found is not None
        assert found.reason is WithheldReason.CRAWLER
    assert robot_in(a_capture(1, flags=(Flag.TIME_MISSING,), context={"userAgent": CHROME}).interaction) is None


@given(st.text(max_size=2_000))
def test_whatever_is_sent_is_answered_and_the_sign_is_short_and_printable(user_agent: str) -> None:
    found = robot_by(user_agent)
    assert found is None or (len(found.sign) <= 64 and found.sign.isprintable())


@pytest.mark.parametrize("part", ["a", "a-.", "bo", "Spider", "spider.co", "uptim", "Spiderspider.co "])
def test_a_long_user_agent_costs_no_more_than_a_bound(part: str) -> None:
    user_agent = (part * 2_000)[:20_000]
    robot_by("warm")
    began = perf_counter()
    robot_by(user_agent)
    assert perf_counter() - began < 0.1  # 1 ms on an idle core; what is beyond USER_AGENT_CHARACTERS is not looked at
    assert robot_by("x " * USER_AGENT_CHARACTERS + "Googlebot/2.1") is None
