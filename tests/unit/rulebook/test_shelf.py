"""Versions on a shelf are never changed, and one at most is active."""

from __future__ import annotations

from functools import partial

import pytest

from rulebook.compile import compile_rulebook
from rulebook.problems import RulebookError
from rulebook.shelf import IllegalTransition, Shelf, State, VersionNotFound
from tests.unit.rulebook.books import BOOK, LEADS, Grid, Points

OTHER = BOOK.replace("points: 20", "points: 25")


def compiled(text: str, version: int):  # type: ignore[no-untyped-def]
    return compile_rulebook(text, LEADS, Points, {"grid": Grid}, version)


def a_shelf(*texts: str) -> Shelf[Points]:
    shelf: Shelf[Points] = Shelf(compiled)
    for text in texts:
        shelf = shelf.add_draft(text)
    return shelf


def test_drafts_are_numbered_from_one() -> None:
    shelf = a_shelf(BOOK, OTHER)
    assert [(edition.version, edition.state, edition.rulebook.label) for edition in shelf.editions] == [
        (1, "draft", "scoring@1"),
        (2, "draft", "scoring@2"),
    ]
    assert shelf.active is None


def test_the_same_content_is_the_same_version_however_it_is_laid_out() -> None:
    shelf = a_shelf(BOOK, OTHER)
    assert shelf.add_draft("# a comment\n" + BOOK) is shelf
    found = shelf.find(OTHER + "# the end\n")
    assert found is not None
    assert found.version == 2


def test_adding_and_activating_leave_the_old_shelf_as_it_was() -> None:
    first = a_shelf(BOOK)
    second = first.add_draft(OTHER)
    third = second.activate(2)
    assert (first.latest, second.latest, second.active) == (1, 2, None)
    assert third.get(1).rulebook is second.get(1).rulebook
    assert third.get(2).rulebook is second.get(2).rulebook
    with pytest.raises(AttributeError):
        first.editions[0].text = OTHER  # type: ignore[misc]


def test_one_version_is_active_and_the_one_before_is_a_draft_again() -> None:
    shelf = a_shelf(BOOK, OTHER).activate(1).activate(2)
    assert [edition.state for edition in shelf.editions] == [State.DRAFT, State.ACTIVE]
    assert shelf.active is shelf.get(2)


def test_rolling_back_is_activating_an_older_version() -> None:
    shelf = a_shelf(BOOK, OTHER).activate(2).activate(1)
    assert shelf.active is not None
    assert shelf.active.rulebook.label == "scoring@1"


def test_what_is_active_cannot_be_activated() -> None:
    with pytest.raises(IllegalTransition, match="version 1 is active already"):
        a_shelf(BOOK).activate(1).activate(1)


@pytest.mark.parametrize("version", [-1, 0, 3])
def test_a_version_that_does_not_exist_is_refused(version: int) -> None:
    for use in (a_shelf(BOOK, OTHER).get, a_shelf(BOOK, OTHER).activate):
        with pytest.raises(VersionNotFound, match=f"there is no version {version}"):
            use(version)


def test_a_text_that_states_a_version_must_state_the_next_one() -> None:
    with pytest.raises(
        RulebookError, match=r"line 2, column 10, version: version 1 is not free, the next one is 2. Write 2, or leave the version out."
    ):
        a_shelf(BOOK).add_draft(OTHER.replace("title:", "version: 1\ntitle:"))
    assert a_shelf(BOOK).add_draft(OTHER.replace("title:", "version: 2\ntitle:")).latest == 2


def test_a_broken_text_adds_nothing() -> None:
    with pytest.raises(RulebookError):
        a_shelf(BOOK).add_draft(BOOK.replace("page.path.starts", "page.pat.starts"))


def test_a_rulebook_of_another_name_belongs_on_another_shelf() -> None:
    with pytest.raises(RulebookError, match="this shelf holds scoring, not routing"):
        a_shelf(BOOK).add_draft(BOOK.replace("name: scoring", "name: routing"))


def test_a_shelf_comes_back_from_its_rows() -> None:
    shelf = a_shelf(BOOK, OTHER).activate(2)
    rows = [(edition.version, edition.text, str(edition.state)) for edition in reversed(shelf.editions)]
    restored = Shelf.restore(compiled, rows)
    assert [(edition.rulebook.digest, edition.state) for edition in restored.editions] == [
        (edition.rulebook.digest, edition.state) for edition in shelf.editions
    ]


@pytest.mark.parametrize(
    "rows", [[(2, BOOK, "draft")], [(1, BOOK, "active"), (2, OTHER, "active")], [(1, BOOK, "burnt")]], ids=["gap", "two active", "state"]
)
def test_rows_that_no_shelf_could_have_are_refused(rows: list[tuple[int, str, str]]) -> None:
    with pytest.raises(ValueError, match=r"gaps|only one|burnt"):
        Shelf.restore(compiled, rows)


def test_a_partial_of_the_compiler_serves_as_well() -> None:
    def with_grid(text: str, version: int):  # type: ignore[no-untyped-def]
        return partial(compile_rulebook, vocabulary=LEADS, effect_model=Points, section_models={"grid": Grid})(text, version=version)

    assert Shelf(with_grid).add_draft(BOOK).latest == 1
