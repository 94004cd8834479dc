"""A browser that a page asks about with a public key: what was done and told in it alone, and whom that makes of it.

Anybody can read the key of a page, and type anybody's address. So an answer rests on nothing that others did: neither
the card, the stage, the consent nor the showings of whoever the browser is linked to.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from contracts.events.scoring import Attribute
from contracts.ids import with_prefix
from contracts.values import Scores
from people_kernel.people import Card, card_facts
from services.nurture.domain.rules import ANONYMOUS, KNOWN, Buying, NurtureJudge
from services.nurture.domain.selection import Subject
from services.nurture.domain.workspace import ShowingCount


@dataclass(frozen=True, slots=True)
class BrowserCard:
    """What scoring tells of one browser."""

    fragment_id: str
    attributes: Mapping[str, Attribute]
    scores: Scores
    is_named: bool = False  # somebody told a name in it

    @property
    def person_id(self) -> str:
        """Whose it would be if it were linked to nobody: decisions and showings hang on its own fragment."""
        return with_prefix("per", self.fragment_id)

    @property
    def stage(self) -> str:
        """Somebody told a name in it, or nobody did; how far whoever goes by that name is, is not looked at."""
        return KNOWN if self.is_named else ANONYMOUS


def browser_subject(
    browser: BrowserCard, judge: NurtureJudge, shown: Mapping[str, ShowingCount]
) -> tuple[Subject, Buying]:
    """For whom to choose, as far as this browser tells, and why they are where they are with buying."""
    card = Card(browser.person_id, browser.attributes, browser.scores)
    buying = judge.judge(card, browser.stage).buying
    subject = Subject(
        person_id=browser.person_id,
        stage=browser.stage,
        buying_stage=buying.stage,
        facts=card_facts(card),
        consent={},  # a page is where they came themselves; what asks for a consent is not for pages without one
        shown=shown,
    )
    return subject, buying
