"""A receipt stays small however long the catalogue is, and still tells why not each."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from contracts.limits import AGAINST_CHARACTERS
from services.nurture.domain.saying import Occasion, select
from services.nurture.domain.selection import Against, choose
from services.nurture.domain.stages import Buying, BuyingStage
from services.nurture.domain.why_not import catalogue_id, in_words, read, written
from tests.unit.nurture.builders import a_treatment, at, per, somebody

_BUYING = Buying(BuyingStage.CONSIDERATION, "default", "nurture@1", "Looks around.")


def receipt_of(count: int) -> str:
    treatments = [a_treatment(f"t{number:04d}", stages=("mql",) if number % 2 else ()) for number in range(count)]
    occasion = Occasion("asked", "ask_1", per(1), 1, at(1), at(1), None, False, {})
    return select(occasion, somebody(), _BUYING, choose(treatments, somebody(), None, at(1)), ()).receipt.model_dump_json()


@given(st.lists(st.integers(0, 1023).map(Against), max_size=AGAINST_CHARACTERS // 2))
def test_what_speaks_against_each_is_read_as_it_was_written(against: list[Against]) -> None:
    assert read(written(against)) == against


def test_a_receipt_is_no_longer_for_a_catalogue_of_thousands() -> None:
    assert len(receipt_of(3_000)) < len(receipt_of(20)) + AGAINST_CHARACTERS + 200


def test_two_catalogues_are_one_revision_only_if_all_their_treatments_are() -> None:
    one, other = a_treatment("a"), a_treatment("b")
    assert catalogue_id([one, other]) == catalogue_id([one, other]) != catalogue_id([one])


def test_every_reason_that_there_is_can_be_told_in_words() -> None:
    body = a_treatment("a").body
    assert [len(in_words(one, body, {})) for one in Against] == [1] * len(Against)
