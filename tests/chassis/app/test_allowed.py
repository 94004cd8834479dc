"""A 405 says what would have been right."""

from __future__ import annotations

from typing import Any

import pytest

from chassis.web.problems import allowed_methods

PATHS: dict[str, dict[str, Any]] = {
    "/people": {"get": {}, "post": {}},
    "/people/{person_id}": {"get": {}},
    "/people/{person_id}:merge": {"post": {}},
}


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/people", ("GET", "POST")),
        ("/people/per_1", ("GET",)),
        ("/people/per_1:merge", ("POST",)),
        ("/people/per_1/links", ()),
    ],
)
def test_the_template_that_says_most_about_a_path_decides(path: str, allowed: tuple[str, ...]) -> None:
    assert allowed_methods(PATHS, path) == allowed
