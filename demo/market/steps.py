"""What people do, one step at a time, as the company's site, servers and forms would report it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from demo.market.companies import OWN
from demo.market.dice import Dice
from demo.market.people import Persona

SITE = f"https://www.{OWN.domain}"


_Who = tuple[str | None, str | None]  # user id, anonymous id


class EntryPoint(StrEnum):
    """By which way a step reaches the gateway."""

    SITE = "site"  # the web site's SDK, with a public write key
    SERVER = "server"  # the product and the call centre, with a secret one
    STAGING = "staging"  # the web site's SDK on the staging site: a test source
    FORM = "form"  # a plain HTML form post


_What = tuple[EntryPoint, str, str | None]  # by which way, kind, name


@dataclass(frozen=True)
class Step:
    """One thing somebody did. `data` are traits, properties or form fields, as `kind` has it."""

    at: datetime
    who: str
    message_id: str
    door: EntryPoint
    kind: str  # page, track, identify, group, form
    name: str | None
    user_id: str | None
    anonymous_id: str | None
    data: Mapping[str, Any]
    context: Mapping[str, Any] = field(default_factory=dict)


class Story:
    """Writes down what one person does, on one device at a time, from `begin` on."""

    def __init__(self, persona: Persona, begin: datetime, dice: Dice, *, is_test: bool = False) -> None:
        self.persona, self.at, self.dice = persona, begin, dice
        self.steps: list[Step] = []
        self._site = EntryPoint.STAGING if is_test else EntryPoint.SITE
        self._device = persona.devices[0]
        self._is_logged_in = False
        self._page = "/"

    def wait(self, least: timedelta, most: timedelta) -> None:
        """Time passes."""
        self.at += self.dice.span(least, most)

    def days(self, least: float, most: float) -> None:
        """Days pass."""
        self.wait(timedelta(days=least), timedelta(days=most))

    def use_device(self, number: int) -> None:
        """Go on with another device, where nobody is logged in yet."""
        self._device, self._is_logged_in = self.persona.devices[number], False

    def lands(self, path: str = "/") -> None:
        """A visit begins; the link that was followed names its campaign."""
        campaign = self.persona.campaign
        self.page(path, {"campaign": campaign.utm} if campaign else {})

    def page(self, path: str, context: Mapping[str, Any] | None = None) -> None:
        """A page is looked at."""
        self._page = path
        self._pause()
        self._add(
            self._site, "page", _title(path), {"path": path, "url": f"{SITE}{path}", "title": _title(path)}, context
        )

    def pages(self, *paths: str) -> None:
        """Several pages, one after the other."""
        for path in paths:
            self.page(path)

    def event(self, name: str, **properties: Any) -> None:
        """The site's script reports something."""
        self._pause()
        self._add(self._site, "track", name, properties)

    def tells_who(self, **more: Any) -> None:
        """They fill in who they are; the site calls identify and group."""
        self._add(self._site, "identify", None, self.persona.traits(**more))
        company = self.persona.company
        traits = {
            "name": company.name,
            "domain": company.domain,
            "employees": company.employees,
            "industry": company.industry,
        }
        self._add(self._site, "group", company.group_id, traits)

    def logs_in(self) -> None:
        """The browser is theirs from now on, by user id."""
        self._is_logged_in = True
        self._add(self._site, "identify", None, self.persona.traits())

    def in_product(self, name: str, **properties: Any) -> None:
        """The product's server reports what they did there."""
        self._pause()
        self._put((EntryPoint.SERVER, "track", name), (self.persona.user_id, None), properties)

    def signs_up(self) -> None:
        """The product's server vouches for who they are."""
        self._put((EntryPoint.SERVER, "identify", None), (self.persona.user_id, None), self.persona.traits())
        self.in_product("Account Created")

    def is_called(self, **answers: Any) -> None:
        """The call centre asks about budget, authority, need and timing; it knows people by their address."""
        context = {"traits": {"email": self.persona.email, **answers}}
        called = (EntryPoint.SERVER, "track", "Telequalification Completed")
        self._put(called, (None, f"{self.persona.key}-call"), {}, context)

    def posts_form(self, form: str, **fields: str) -> None:
        """A plain HTML form is sent; the time is when it arrives."""
        persona, company = self.persona, self.persona.company
        typed = {
            "first_name": persona.first_name,
            "last_name": persona.last_name,
            "email": persona.email,
            "job_title": persona.title,
        }
        typed |= {
            "company": company.name,
            "employees": str(company.employees),
            "industry": company.industry,
            "country": company.country,
        }
        typed |= {"phone": persona.phone} if persona.phone else {}
        campaign = persona.campaign
        query = (
            f"?utm_source={campaign.source}&utm_medium={campaign.medium}&utm_campaign={campaign.key}"
            if campaign
            else ""
        )
        self._pause()
        self._add(EntryPoint.FORM, "form", form, {**typed, **fields}, {"page_url": f"{SITE}{self._page}{query}"})

    def _add(
        self,
        door: EntryPoint,
        kind: str,
        name: str | None,
        data: Mapping[str, Any],
        context: Mapping[str, Any] | None = None,
    ) -> None:
        user_id = self.persona.user_id if self._is_logged_in else None
        self._put((door, kind, name), (user_id, self._device), data, context)

    def _put(self, what: _What, who: _Who, data: Mapping[str, Any], context: Mapping[str, Any] | None = None) -> None:
        message_id = f"{self.persona.key}-{len(self.steps):03d}"
        self.steps.append(Step(self.at, self.persona.key, message_id, *what, *who, dict(data), dict(context or {})))

    def _pause(self) -> None:
        self.at += self.dice.span(timedelta(seconds=15), timedelta(seconds=150))


def _title(path: str) -> str:
    last = path.rstrip("/").rsplit("/", 1)[-1].replace("-", " ")
    return last.capitalize() or "Home"
