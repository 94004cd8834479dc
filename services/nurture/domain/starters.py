"""The treatments that an empty catalogue starts with: plain, for any product, and there to be replaced."""

from __future__ import annotations

from services.nurture.domain.stages import BuyingStage
from services.nurture.domain.treatments import Channel, Content, Limits, Purpose, TreatmentBody

STARTERS: dict[str, TreatmentBody] = {
    "guide": TreatmentBody(
        name="A guide for beginners",
        channel=Channel.WEB,
        purpose=Purpose.EDUCATIONAL,
        buying_stages=(BuyingStage.AWARENESS,),
        priority=50,
        requires_consent=False,
        content=Content(
            headline="New to the subject?",
            text="Our guide explains in ten minutes what matters, what it costs and where to begin.",
            url="/guide",
            call_to_action="Read the guide",
        ),
    ),
    "case_study": TreatmentBody(
        name="How others did it",
        channel=Channel.WEB,
        purpose=Purpose.EDUCATIONAL,
        buying_stages=(BuyingStage.CONSIDERATION,),
        priority=50,
        requires_consent=False,
        content=Content(
            headline="How others did it",
            text="Three companies tell what they changed, what went wrong at first and what it brought them.",
            url="/customers",
            call_to_action="Read their stories",
        ),
    ),
    "comparison": TreatmentBody(
        name="A comparison of the ways to do it",
        channel=Channel.WEB,
        purpose=Purpose.PROMOTIONAL,
        buying_stages=(BuyingStage.CONSIDERATION, BuyingStage.DECISION),
        priority=40,
        requires_consent=False,
        content=Content(
            headline="Which way suits you?",
            text="Do it yourself, have it done, or use our product: what speaks for each, side by side.",
            url="/compare",
            call_to_action="Compare",
        ),
    ),
    "talk_to_us": TreatmentBody(
        name="Talk to us",
        channel=Channel.WEB,
        purpose=Purpose.PROMOTIONAL,
        buying_stages=(BuyingStage.DECISION,),
        priority=60,
        requires_consent=False,
        content=Content(
            headline="Questions before you decide?",
            text="Half an hour with somebody who knows the subject. Bring your figures; we bring ours.",
            url="/contact",
            call_to_action="Find a time",
        ),
    ),
    "first_steps": TreatmentBody(
        name="First steps for customers",
        channel=Channel.WEB,
        purpose=Purpose.EDUCATIONAL,
        buying_stages=(BuyingStage.CUSTOMER,),
        priority=50,
        requires_consent=False,
        content=Content(
            headline="Get the most out of it",
            text="The five things that customers set up in their first month, with pictures.",
            url="/first-steps",
            call_to_action="Begin",
        ),
    ),
    "keep_in_touch": TreatmentBody(
        name="What is new since we spoke",
        channel=Channel.EMAIL,
        purpose=Purpose.PROMOTIONAL,
        stages=("recycled", "lost"),
        when="known.person.email",
        priority=60,
        requires_consent=True,
        limits=Limits(every_days=30),
        content=Content(
            headline="What is new since we spoke",
            text="A short letter, once a month: what has changed here, and what others made of it.",
            url="/news",
            call_to_action="See what is new",
        ),
    ),
}
"""By a key that never changes: their ids derive from it."""
