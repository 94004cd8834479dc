"""What is said about people in a sentence: who they are, what made them ready, until when."""

from __future__ import annotations

from datetime import datetime

from contracts.values import Receipt
from people_kernel.cards import Card
from people_kernel.profile import display_name, text_of

_LONGEST = 120


def who(card: Card) -> str:
    """`Mara Lindqvist, Head of Logistics at Tidewater Freight`, as far as it is known."""
    name = display_name(card.attributes) or text_of(card.attributes, "email") or "Somebody"
    title, company = text_of(card.attributes, "title"), text_of(card.attributes, "company")
    name = _short(name)
    if title and company:
        return f"{name}, {_short(title)} at {_short(company)},"
    if title:
        return f"{name}, {_short(title)},"
    return f"{name} of {_short(company)}" if company else name


def account_name(card: Card, account_id: str | None) -> str:
    """How to call the company."""
    company = text_of(card.attributes, "company")
    return _short(company) if company else account_id or ""


def best_reason(card: Card) -> str | None:
    """What made the score: the engagement worth most, the newest of equals; as the second half of a sentence."""
    earned = [receipt for receipt in card.highlights if receipt.contribution is not None and receipt.contribution.measure == "engagement"]
    best = max(earned, key=_worth, default=None)
    if best is None or best.contribution is None or best.contribution.points <= 0:
        return None
    sentence = best.sentence.strip().rstrip(".")
    begins_a_word = len(sentence) > 1 and sentence[0].isupper() and sentence[1].islower()
    return sentence[0].lower() + sentence[1:] if begins_a_word else sentence or None


def until(due_at: datetime, now: datetime) -> str:
    """`16:20 UTC`, with the day where it is not today."""
    clock = f"{due_at:%H:%M} UTC"
    return clock if due_at.date() == now.date() else f"{due_at.day} {due_at:%B}, {clock}"


def _worth(receipt: Receipt) -> tuple[float, datetime]:
    assert receipt.contribution is not None
    return float(receipt.contribution.points), receipt.at


def _short(text: str) -> str:
    plain = " ".join(text.split())
    return plain if len(plain) <= _LONGEST else f"{plain[: _LONGEST - 1]}…"
