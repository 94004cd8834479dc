"""Keys: how they are made, kept and found in a request."""

from __future__ import annotations

import base64

import pytest

from gateway.domain.keys import hash_of, hint_of, key_from, write_key_in
from gateway.domain.sdk_settings import sdk_settings
from tests.unit.gateway.recordings import sdk_requests


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("authorization", "in_body", "in_query", "key"),
    [
        (basic("wk_1:"), "other", "third", "wk_1"),
        (basic("wk_1"), None, None, "wk_1"),
        ("bearer wk_2", "other", None, "wk_2"),
        ("", "wk_3", "third", "wk_3"),
        ("", None, "wk_4", "wk_4"),
        (basic(":"), "wk_5", None, "wk_5"),
        ("Basic !!!", "wk_6", None, "wk_6"),
        ("Basic /w==", None, None, None),
        ("", 7, None, None),
        ("Bearer ", None, "", None),
    ],
)
def test_the_write_key_is_found_where_sdks_put_it(
    authorization: str, in_body: object, in_query: str | None, key: str | None
) -> None:
    assert write_key_in(authorization, in_body, in_query) == key


def test_every_recorded_sdk_sends_its_key_where_we_look() -> None:
    keys = {
        write_key_in(request.headers["authorization"], None, None)
        for request in sdk_requests()
        if request.method == "POST"
    }
    assert keys == {"test_write_key_web", "test_write_key_node", "test_write_key_py"}


def test_a_key_shows_only_its_end() -> None:
    key = key_from("wk_", bytes(range(20)))
    assert key == "wk_aaaqeayeaudaocajbifqydiob4ibceqt"
    assert hint_of(key) == "...ceqt"
    assert hint_of("short") == "..."
    assert len(hash_of(key)) == 64


def test_the_settings_document_sends_the_sdk_here_and_nowhere_else() -> None:
    document = sdk_settings("wk_1", "https://leads.acme.test/capture")
    own = document["integrations"]["Segment.io"]
    assert list(document["integrations"]) == ["Segment.io"]
    assert (own["apiKey"], own["protocol"], own["apiHost"]) == ("wk_1", "https", "leads.acme.test/capture/v1")
    assert document["plan"]["track"]["__default"]["enabled"] is True
