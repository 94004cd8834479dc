"""Identity's tables and what is asked of them. Functions take a session and never commit."""

from __future__ import annotations

from services.identity.store.knowing import ClaimedElsewhere, load_known, lock_people
from services.identity.store.reading import (
    answers_on,
    find_accounts,
    find_people,
    fragments_of,
    history_of,
    links_of,
    load_accounts,
    people_of,
    refusals_of,
    remarks_of,
)
from services.identity.store.saving import save_answers, save_marking, save_recognition, save_regrouping
from services.identity.store.tables import AccountRow, ConsentRow, FragmentRow, LinkRow, RefusalRow, RemarkRow, Table

__all__ = [
    "AccountRow",
    "ClaimedElsewhere",
    "ConsentRow",
    "FragmentRow",
    "LinkRow",
    "RefusalRow",
    "RemarkRow",
    "Table",
    "answers_on",
    "find_accounts",
    "find_people",
    "fragments_of",
    "history_of",
    "links_of",
    "load_accounts",
    "load_known",
    "lock_people",
    "people_of",
    "refusals_of",
    "remarks_of",
    "save_answers",
    "save_marking",
    "save_recognition",
    "save_regrouping",
]
