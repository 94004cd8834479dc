"""The kinds of people who come by, how many of each, and what each kind does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from demo.market import companies, outcomes
from demo.market.dice import Dice
from demo.market.outcomes import Fate
from demo.market.people import DECIDERS, EVERYWHERE, EXPERTS, LEARNERS, OFFICES, TEAM_LEADS, Kind, Persona
from demo.market.steps import Story

Script = Callable[[Story], None]
PRODUCT_PAGES = ("/products/planner", "/products/depot-board", "/features/what-if", "/integrations/erp")
STORIES = ("/customers/three-depots-one-plan", "/customers/castings-on-time")
READING = (
    "/blog/the-quiet-shop-floor",
    "/blog/why-plans-break",
    "/docs/getting-started",
    "/docs/import",
    "/blog/ten-questions",
)


@dataclass(frozen=True)
class Archetype:
    """A kind of visitor. `share` of all people; `is_live`: they come by today, while the demo runs."""

    name: str
    share: float
    kind: Kind
    script: Script
    fate: Callable[[Persona, Dice], Fate] = outcomes.of_buyer
    is_live: bool = False
    shares_device: bool = False


def silent(story: Story) -> None:
    """Looks around and says nothing."""
    story.lands(story.dice.pick(("/", *READING)))
    for _ in range(story.dice.between(0, 3)):
        story.page(story.dice.pick((*READING, *PRODUCT_PAGES)))
    if story.dice.happens(0.25):
        story.days(1, 8)
        story.page(story.dice.pick(("/pricing", *PRODUCT_PAGES)))


def reader(story: Story) -> None:
    """Takes the whitepaper, allows mail, and reads on without hurry."""
    story.lands(story.dice.pick(READING))
    story.days(0.1, 4)
    story.pages("/resources/whitepaper-planning")
    _takes_whitepaper(story)
    for _ in range(story.dice.between(1, 4)):
        story.days(2, 7)
        story.lands(story.dice.pick(READING))
    if story.dice.happens(0.1):
        story.event("Unsubscribed")


def evaluator(story: Story) -> None:
    """Compares everything and buys nothing: too small, or without a say."""
    story.lands()
    story.pages(*story.dice.shuffled(PRODUCT_PAGES)[:3], "/pricing")
    story.days(0.5, 5)
    story.pages("/pricing", *story.dice.shuffled(READING)[:3])
    if story.dice.happens(0.7):
        _takes_whitepaper(story)
    if story.dice.happens(0.25):
        story.days(1, 5)
        story.signs_up()
        story.in_product("Project Created")


def student(story: Story) -> None:
    """Writes a thesis, and looks for an internship."""
    story.lands("/blog/the-quiet-shop-floor")
    story.pages(*story.dice.shuffled(READING)[:4])
    _takes_whitepaper(story)
    story.days(1, 6)
    story.event("Webinar Registered", webinar="The quiet shop floor")
    story.days(1, 3)
    story.event("Webinar Attended", webinar="The quiet shop floor", minutes=55)
    story.page("/careers/working-student")


def competitor(story: Story) -> None:
    """Knows what to look for, and comes back to the prices."""
    story.lands("/pricing")
    story.pages(*PRODUCT_PAGES, "/pricing")
    story.days(0.2, 3)
    story.pages("/pricing", *STORIES)
    story.tells_who()
    story.event("Demo Form Submitted", seats=5)


def buyer(story: Story) -> None:
    """Has a problem to solve: reads, hears the webinar, asks for a demo."""
    story.lands(story.dice.pick(("/", "/products/planner")))
    story.pages(*story.dice.shuffled(PRODUCT_PAGES)[:2])
    story.days(0.3, 2)
    story.pages(story.dice.pick(STORIES), "/pricing", "/resources/whitepaper-planning")
    _takes_whitepaper(story)
    if story.dice.happens(0.5):
        _attends_webinar(story)
    story.days(0.3, 3)
    _asks_for_demo(story)
    if story.dice.happens(0.4):
        story.days(0.2, 1)
        story.is_called(
            budget=f"{story.dice.between(8, 60)}000 EUR",
            authority="decides",
            need="delivery dates that hold",
            timing="3 months",
        )
    if story.dice.happens(0.4):
        story.days(0.5, 3)
        story.signs_up()
        story.in_product("Project Created")
        story.in_product("Invited", colleagues=story.dice.between(1, 4))


def champion(story: Story) -> None:
    """Leads a team in a large company, convinces the others, and takes longer."""
    story.lands("/blog/why-plans-break")
    story.pages(*story.dice.shuffled(READING)[:2])
    _takes_whitepaper(story)
    _attends_webinar(story)
    story.days(0.5, 2)
    story.pages(*STORIES, *story.dice.shuffled(PRODUCT_PAGES)[:3], "/pricing")
    story.signs_up()
    for feature in ("what-if", "depot-board"):
        story.days(0.2, 1)
        story.in_product("Feature Used", feature=feature)
    story.days(0.3, 2)
    _asks_for_demo(story)


def two_devices(story: Story) -> None:
    """Reads on the phone, decides on the laptop; a login makes one person of the two."""
    story.use_device(1)
    story.lands()
    story.pages(*story.dice.shuffled(READING)[:2], "/pricing")
    story.tells_who()
    story.days(0.5, 3)
    story.use_device(0)
    story.pages("/", *story.dice.shuffled(PRODUCT_PAGES)[:3], "/pricing")
    story.logs_in()
    story.days(0.1, 2)
    story.use_device(1)
    story.logs_in()
    story.page("/pricing")
    _asks_for_demo(story)


def shared_device(story: Story) -> None:
    """Two colleagues, one computer at the reception: both log in, and stay two people."""
    story.logs_in()
    story.pages(*story.dice.shuffled((*PRODUCT_PAGES, *READING))[:4])
    story.days(0.5, 3)
    story.logs_in()
    story.page("/pricing")


def live(story: Story) -> None:
    """Is on the site right now, and sends a plain form at the end."""
    story.lands(story.dice.pick(("/", "/products/planner")))
    story.pages(*story.dice.shuffled(PRODUCT_PAGES)[:2], "/pricing", story.dice.pick(STORIES))
    if story.dice.happens(0.55):
        story.page("/demo")
        story.posts_form("demo", message="Could you show us how it works with two depots?")
    else:
        story.page("/resources/whitepaper-planning")
        story.posts_form("whitepaper", marketing_consent="yes")


def hot(story: Story) -> None:
    """The first lead of the demo: fits, knows the prices, and wants to be called."""
    story.lands("/products/planner")
    story.pages("/pricing", STORIES[0], "/products/depot-board", "/pricing", "/demo")
    story.posts_form(
        "demo", message="We plan three depots by spreadsheet. Please call me today.", marketing_consent="yes"
    )


def test_person(story: Story) -> None:
    """A colleague who tries the staging site: walks the whole way and appears in no report."""
    story.lands()
    story.pages("/pricing", "/products/planner", "/pricing")
    story.tells_who(email_consent=True)
    story.event("Webinar Attended", webinar="Test")
    story.event("Demo Form Submitted", seats=1)


def _takes_whitepaper(story: Story) -> None:
    story.wait(timedelta(minutes=1), timedelta(minutes=5))
    story.tells_who(email_consent=True)
    story.event("Whitepaper Downloaded", title="Planning a workshop", format="pdf")


def _attends_webinar(story: Story) -> None:
    story.days(0.1, 1)
    story.event("Webinar Registered", webinar="The quiet shop floor")
    story.days(0.5, 2)
    story.event("Webinar Attended", webinar="The quiet shop floor", minutes=story.dice.between(20, 60))


def _asks_for_demo(story: Story) -> None:
    story.pages("/pricing", "/demo")
    story.tells_who()
    story.event("Demo Form Submitted", seats=story.dice.between(5, 80))


_BUYERS = Kind(DECIDERS, OFFICES, phone=0.6)
_STAFF = Kind((*EXPERTS, *TEAM_LEADS), EVERYWHERE, phone=0.1)

HOT = Archetype(
    "hot", 0, Kind(("VP Operations",), (companies.KEY_ACCOUNT,), phone=1), hot, outcomes.of_hot_lead, is_live=True
)
TEST = Archetype("test", 0, Kind(("Site Manager",), (companies.OWN,)), test_person)
CROWD = (
    Archetype("silent", 0.44, _STAFF, silent),
    Archetype("evaluator", 0.17, Kind(EXPERTS, (*companies.SMALL, companies.CLINICS), phone=0.1), evaluator),
    Archetype("reader", 0.13, _STAFF, reader),
    Archetype("student", 0.06, Kind(LEARNERS, companies.UNIVERSITIES), student),
    Archetype("competitor", 0.01, Kind(("Head of Product", "Sales Manager"), companies.COMPETITORS), competitor),
    Archetype("buyer", 0.08, _BUYERS, buyer),
    Archetype("champion", 0.03, Kind(TEAM_LEADS, companies.LARGE, phone=0.4), champion),
    Archetype("two_devices", 0.02, Kind(DECIDERS, OFFICES, phone=0.5, devices=("laptop", "phone")), two_devices),
    Archetype("shared_device", 0.02, Kind(EXPERTS, companies.MIDDLE), shared_device, shares_device=True),
    Archetype("live", 0.04, _BUYERS, live, is_live=True),
)
