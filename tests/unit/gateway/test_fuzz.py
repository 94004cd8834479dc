"""A few thousand inputs that nobody would think of; `python -m bench.fuzz` gives a million by hand."""

from __future__ import annotations

import pytest

from gateway.domain.refusal import CaptureRefused
from tests.support.capture_fuzzer import Findings, corpus, fuzz, judge

INPUTS = 4_000


def test_every_input_is_read_or_refused_by_name() -> None:
    findings = fuzz(INPUTS, seed=20261129)
    assert not findings.broken
    for door in ("single", "batch", "form", "snowplow", "pixel", "packed", "signature"):
        read, refused = findings.outcomes[f"{door} read"], findings.outcomes[f"{door} refused"]
        assert min(read, refused) > 0, f"{door}: the inputs tell nothing: {findings.outcomes}"


def test_the_same_seed_gives_the_same_inputs() -> None:
    assert fuzz(400, seed=5).outcomes == fuzz(400, seed=5).outcomes


def test_what_breaks_is_told_with_its_input() -> None:
    findings = Findings()

    def broken() -> None:
        raise KeyError("x")

    def refused() -> None:
        raise CaptureRefused("x", "is wrong")

    for read in (broken, refused):
        judge(findings, "door", b"raw", read)
    assert findings.broken == [("door", "KeyError: 'x'", b"raw")]
    assert findings.outcomes["door refused"] == 1


@pytest.mark.parametrize("name", sorted(corpus()))
def test_the_corpus_is_small_and_our_own(name: str) -> None:
    assert 0 < len(corpus()[name]) < 10_000
