"""The rules of recognizing: what an identifier is, which ones belong together, and what a human may change about it.

A *fragment* is one identifier ever seen. Automatic links join fragments into *clusters*; manual links join clusters into *people*.
Automatic links are judged on clusters alone, so a merge by hand that is cut again leaves exactly what would have been without it.
"""

from __future__ import annotations

from services.identity.domain.accounts import Account, account_keys, registrable_domain
from services.identity.domain.answers import Answer, Word, settle, state_consent
from services.identity.domain.claims import Claim, Key, keys_of, read_claims
from services.identity.domain.consent import LONGEST_WORDING, Statement, statements_of, tidy_wording
from services.identity.domain.graph import Fragment, Link, Refusal, account_of, components, pair_of, person_of
from services.identity.domain.history import links_at, partition_at
from services.identity.domain.marking import Marking, is_test_person, mark
from services.identity.domain.normalise import Remark, normalise
from services.identity.domain.policy import Limits, Reason
from services.identity.domain.recognition import Known, Recognition, Rules, recognize
from services.identity.domain.regrouping import Act, AlreadyOne, NothingToPart, Regrouping, TooManyFragments, merge, part_off, split

__all__ = [
    "LONGEST_WORDING",
    "Account",
    "Act",
    "AlreadyOne",
    "Answer",
    "Claim",
    "Fragment",
    "Key",
    "Known",
    "Limits",
    "Link",
    "Marking",
    "NothingToPart",
    "Reason",
    "Recognition",
    "Refusal",
    "Regrouping",
    "Remark",
    "Rules",
    "Statement",
    "TooManyFragments",
    "Word",
    "account_keys",
    "account_of",
    "components",
    "is_test_person",
    "keys_of",
    "links_at",
    "mark",
    "merge",
    "normalise",
    "pair_of",
    "part_off",
    "partition_at",
    "person_of",
    "read_claims",
    "recognize",
    "registrable_domain",
    "settle",
    "split",
    "state_consent",
    "statements_of",
    "tidy_wording",
]
