"""What becomes of a batch that was tried."""

from __future__ import annotations

import pytest

from chassis.bus.errors import BrokerUnavailable, Unparseable
from chassis.bus.retry_policy import BatchOutcome, Dead, Done, Halve, Retry, RetryPolicy, Tries, outcome_of
from chassis.errors import NotReady
from chassis.progress import describe
from chassis.store.errors import Contended
from tests.chassis.bus.builders import OutOfReach

PATIENCE = RetryPolicy(
    is_transient=lambda error: isinstance(error, OutOfReach),
    outage_seconds=(0.1, 0.5),
    fault_seconds=(1.0, 2.0),
    is_conflict=lambda error: isinstance(error, Contended),
    conflict_seconds=(0.1, 0.2),
)


def verdict(
    error: Exception | None, *sequences: int, outages: int = 0, faults: int = 0, conflicts: int = 0
) -> BatchOutcome:
    return outcome_of(error, sequences, Tries(outages, faults, conflicts), PATIENCE)


def test_what_went_well_is_done() -> None:
    assert verdict(None, 1, 2) == Done()


@pytest.mark.parametrize(
    "error", [OutOfReach(), BrokerUnavailable("away"), NotReady("the active rulebook does not compile")]
)
def test_an_outage_is_waited_out_for_ever_without_blaming_the_messages(error: Exception) -> None:
    assert verdict(error, 1, 2, 3) == Retry(0.1, Tries(outages=1))
    assert verdict(error, 1, outages=1) == Retry(0.5, Tries(outages=2))
    assert verdict(error, 1, outages=10_000, faults=2) == Retry(0.5, Tries(outages=10_001, faults=2))


def test_what_cannot_be_parsed_is_dead_at_once_and_only_that() -> None:
    assert verdict(Unparseable({2: "not JSON"}), 1, 2, 3) == Dead({2: "not JSON"})


def test_an_unparseable_error_that_names_none_of_the_batch_is_treated_as_any_other() -> None:
    assert verdict(Unparseable({9: "not JSON"}), 1, 2) == Halve(Tries())


def test_a_failing_batch_is_halved() -> None:
    assert verdict(ValueError("bad"), 1, 2) == Halve(Tries())


def test_a_message_that_fails_alone_is_tried_again_with_back_off_and_then_dead() -> None:
    assert verdict(ValueError("bad"), 7) == Retry(1.0, Tries(faults=1))
    assert verdict(ValueError("bad"), 7, faults=1) == Retry(2.0, Tries(faults=2))
    assert verdict(ValueError("bad"), 7, faults=2) == Dead({7: "ValueError: bad"})


def test_a_conflict_with_another_writer_is_tried_some_times_before_it_counts_as_a_fault() -> None:
    assert verdict(Contended("taken"), 1, 2) == Retry(0.1, Tries(conflicts=1))
    assert verdict(Contended("taken"), 1, 2, conflicts=1) == Retry(0.2, Tries(conflicts=2))
    assert verdict(Contended("taken"), 1, 2, conflicts=2) == Halve(Tries(conflicts=2))
    assert verdict(Contended("taken"), 1, conflicts=2) == Retry(1.0, Tries(conflicts=2, faults=1))
    assert verdict(Contended("taken"), 1, conflicts=2, faults=2) == Dead({1: "Contended: taken"})


def test_a_reason_is_one_line() -> None:
    assert describe(ValueError("one\r\n two")) == "ValueError: one two"
    assert describe(KeyError()) == "KeyError"
