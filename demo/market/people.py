"""Who somebody in the market is, before anybody at the company knows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from demo.market import companies
from demo.market.campaigns import CAMPAIGNS, ORGANIC_SHARE, DemoCampaign
from demo.market.companies import Company
from demo.market.dice import Dice
from demo.market.names import name_of

DECIDERS = (
    "VP Operations",
    "Head of Operations",
    "Chief Operating Officer",
    "Director of Supply Chain",
    "Leiterin Betrieb",
    "Directrice des opérations",
)
TEAM_LEADS = (
    "Operations Manager",
    "Logistics Manager",
    "Sales Operations Manager",
    "Responsable des achats",
    "Teamleiter Produktion",
)
EXPERTS = ("Process Engineer", "Planner", "Accountant", "Dispatcher", "Office Administrator", "Buyer")
LEARNERS = ("Student", "Praktikantin", "Intern", "Étudiant")


@dataclass(frozen=True)
class Persona:
    """One invented person. `devices` are their anonymous ids; `key` marks everything they send."""

    key: str
    archetype: str
    first_name: str
    last_name: str
    email: str
    title: str
    company: Company
    phone: str | None
    campaign: DemoCampaign | None
    devices: tuple[str, ...]

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}"

    @property
    def user_id(self) -> str:
        """Who they are once they log in."""
        return f"user-{self.key}"

    def traits(self, **more: Any) -> dict[str, Any]:
        """What they type about themselves."""
        company = {"name": self.company.name, "employees": self.company.employees, "industry": self.company.industry}
        known = {
            "firstName": self.first_name,
            "lastName": self.last_name,
            "email": self.email,
            "title": self.title,
            "country": self.company.country,
        }
        return {**known, "company": company, **({"phone": self.phone} if self.phone else {}), **more}


@dataclass(frozen=True)
class Kind:
    """What the people of an archetype are like: their titles, where they work, and how often they leave a telephone
    number.
    """

    titles: Sequence[str]
    workplaces: Sequence[Company]
    phone: float = 0.0
    devices: tuple[str, ...] = ("laptop",)


def invent(key: str, index: int, archetype: str, kind: Kind, dice: Dice) -> Persona:
    """The person with this number. `key` starts with that of the run, so that every run has people of its own."""
    first, last, local = name_of(index)
    company = dice.pick(kind.workplaces)
    run = key.split("-")[1]
    address = f"{local}@{company.domain}" if run == "1" else f"{local}.r{run}@{company.domain}"
    return Persona(
        key=key,
        archetype=archetype,
        first_name=first,
        last_name=last,
        email=address,
        title=dice.pick(kind.titles),
        company=company,
        # a block kept for invented people
        phone=f"+49 30 23125{index % 1000:03d} ext. {run}{index // 1000}" if dice.happens(kind.phone) else None,
        campaign=dice.weighted(_SHARES),
        devices=tuple(f"{key}-{device}" for device in kind.devices),
    )


_SHARES: Mapping[DemoCampaign | None, float] = {
    **{campaign: campaign.share for campaign in CAMPAIGNS},
    None: ORGANIC_SHARE,
}
OFFICES = (*companies.MIDDLE, *companies.LARGE)
EVERYWHERE = (*companies.MIDDLE, *companies.SMALL, *companies.LARGE)
