"""Two ways of saying the same market."""

from __future__ import annotations

from bench.streams import Message, compare


def said(*ids: str, body: bytes = b"{}") -> list[Message]:
    return [("scoring.score.changed.v1.0", (("ce-id", one),), body) for one in ids]


def test_the_same_in_the_same_order_is_the_same() -> None:
    found = compare(said("a", "b", "b"), said("a", "b", "b"))
    assert (found.same, found.elsewhere, found.ours.total(), found.theirs.total()) == (3, 0, 0, 0)


def test_another_order_is_told_apart_from_another_message() -> None:
    found = compare(said("b", "a", "c"), said("a", "b", "c"))
    assert (found.same, found.elsewhere, found.ours.total(), found.theirs.total()) == (3, 2, 0, 0)


def test_what_one_alone_says_shifts_nobody_else() -> None:
    found = compare(said("new", "a", "b"), said("a", "b"))
    assert (found.same, found.elsewhere) == (2, 0)
    assert list(found.ours) == said("new")
    assert not found.theirs


def test_one_byte_of_a_body_makes_two_messages() -> None:
    found = compare(said("a", body=b'{"points":1}'), said("a", body=b'{"points":2}'))
    assert (found.same, found.ours.total(), found.theirs.total()) == (0, 1, 1)
