"""Ids derive from their cause."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from contracts.ids import (
    _ALPHABET,
    _encode,
    _encode_all,
    derive_id,
    derive_ids,
    derive_ids_at,
    hash_id,
    hash_ids,
    lane_of,
    with_prefix,
)

MOMENT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


@given(st.text(), st.text())
def test_same_cause_same_id(first: str, second: str) -> None:
    causes = [word.encode(errors="ignore").decode() for word in (first, second)]
    assert derive_id("frg", MOMENT, *causes) == derive_id("frg", MOMENT, *causes)
    assert hash_id("cap", *causes) == hash_id("cap", *causes)


@given(st.integers(0, 10**9), st.integers(1, 10**9))
def test_ids_of_one_prefix_sort_by_time(start: int, step: int) -> None:
    earlier = MOMENT + timedelta(milliseconds=start)
    assert derive_id("int", earlier, "z") < derive_id("int", earlier + timedelta(milliseconds=step), "a")


def test_causes_do_not_run_into_each_other() -> None:
    assert derive_id("frg", MOMENT, "a", "bc") != derive_id("frg", MOMENT, "ab", "c")
    assert hash_id("cap", "a", "bc") != hash_id("cap", "ab", "c")


def test_an_id_is_a_prefix_and_26_letters_of_crockford() -> None:
    prefix, _, word = derive_id("frg", MOMENT, "x").partition("_")
    assert prefix == "frg"
    assert len(word) == 26
    assert set(word) <= set("0123456789ABCDEFGHJKMNPQRSTVWXYZ")


def test_siblings_share_the_word() -> None:
    assert with_prefix("per", "frg_ABC") == "per_ABC"


@given(st.text(alphabet=st.characters(codec="utf-8")), st.integers(1, 64))
def test_a_lane_is_one_of_the_lanes_and_stays(key: str, lanes: int) -> None:
    assert 0 <= lane_of(key, lanes) < lanes
    assert lane_of(key, lanes) == lane_of(key, lanes)


@given(st.integers(-(2**140), 2**140))
def test_a_word_is_its_bits_five_at_a_time(number: int) -> None:
    assert _encode(number) == "".join(_ALPHABET[(number >> shift) & 31] for shift in range(125, -1, -5))


@given(st.lists(st.integers(0, 2**128 - 1), max_size=70))
def test_many_words_are_those_made_one_by_one(numbers: list[int]) -> None:
    assert _encode_all([number.to_bytes(16, "big") for number in numbers]) == list(map(_encode, numbers))


@given(st.text(st.characters(codec="utf-8")), st.lists(st.text(st.characters(codec="utf-8")), max_size=5))
def test_ids_that_are_made_at_once_are_those_made_one_by_one(shared: str, last: list[str]) -> None:
    assert hash_ids("cap", shared, last) == [hash_id("cap", shared, one) for one in last]
    assert derive_ids("int", MOMENT, last) == [derive_id("int", MOMENT, one) for one in last]


@given(
    st.lists(st.tuples(st.datetimes(timezones=st.just(UTC)), st.text(st.characters(codec="utf-8"))), max_size=40),
    st.lists(st.text("ab"), max_size=2),
)
def test_ids_at_many_moments_are_those_made_one_by_one(causes: list[tuple[datetime, str]], last: list[str]) -> None:
    made = derive_ids_at("evt", [at for at, _ in causes], [cause for _, cause in causes], *last)
    assert made == [derive_id("evt", at, cause, *last) for at, cause in causes]


def test_ids_are_what_they_were() -> None:
    """They stand on streams and in stores: other letters would be other facts."""
    assert hash_id("cap", "src_default", "m1") == "cap_5HS1JH975PTWDK6E9ZZGADHV5K"
    assert derive_id("int", MOMENT, "cap_1") == "int_01KJPY44E04V8463Q9P1VS9ZJ4"
