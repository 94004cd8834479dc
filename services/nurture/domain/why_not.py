"""Why not this one? A receipt names the revision of the catalogue that was chosen from, and for each treatment in it what spoke against it, two
characters each: so it stays small however long the catalogue is, and the question can be answered for all of them, in words, years later.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from contracts.ids import hash_id
from contracts.limits import AGAINST_CHARACTERS
from services.nurture.domain.selection import Against
from services.nurture.domain.treatments import Treatment, TreatmentBody

_DIGITS = "0123456789abcdefghijklmnopqrstuv"
_EACH = 2


def catalogue_id(treatments: Sequence[Treatment]) -> str:
    """Which revision of the catalogue this is: the same for the same treatments at the same revisions."""
    return hash_id("cat", *(treatment.label for treatment in treatments))


def written(against: Sequence[Against]) -> str:
    """What speaks against each of a catalogue, in its order; of those beyond AGAINST_CHARACTERS nothing is kept."""
    return "".join(_DIGITS[one >> 5] + _DIGITS[one & 31] for one in against[: AGAINST_CHARACTERS // _EACH])


def read(text: str) -> list[Against]:
    """What `written` wrote. Raises ValueError."""
    return [Against(int(text[place : place + _EACH], 32)) for place in range(0, len(text), _EACH)]


def in_words(against: Against, body: TreatmentBody, inputs: Mapping[str, Any]) -> tuple[str, ...]:
    """Every reason, as far as it can be told from what the treatment was and from the inputs of the receipt."""
    return tuple(_words(against, body, inputs))


def _words(against: Against, body: TreatmentBody, inputs: Mapping[str, Any]) -> Iterator[str]:
    limits = body.limits
    told = {
        Against.SWITCHED_OFF: "was switched off",
        Against.NOT_BEGUN: f"begins only at {body.valid_from}",
        Against.ENDED: f"ended at {body.valid_until}",
        Against.CHANNEL: f"is for {body.channel}, not for {inputs.get('channel')}",
        Against.STAGE: f"is for the stages {', '.join(body.stages)}, not for {inputs.get('stage.name')}",
        Against.BUYING_STAGE: f"is for {', '.join(body.buying_stages)}, not for {inputs.get('buying.stage')}",
        Against.CONSENT: "had no consent to reach them",
        Against.CONDITION: f"it did not hold, or could not be said, that {body.when}",
        Against.PER_PERSON: f"was shown {limits.per_person} times already, which is as often as it may be",
        Against.EVERY_DAYS: f"was shown less than {limits.every_days} days before",
    }
    return (words for flag, words in told.items() if flag in against)
