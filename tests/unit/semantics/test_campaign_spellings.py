"""A campaign's tag is heard through what mails, pages and advertising systems do to an address on its way."""

from __future__ import annotations

import pytest

from contracts.values import InteractionKind
from semantics.campaign import campaign_of
from tests.unit.identity.world import a_capture


@pytest.mark.parametrize(
    "query",
    [
        "?utm_source=Fair&utm_medium=cpc",
        "?utm_source%3DFair%26utm_medium%3Dcpc",
        "?x=1&utm_source%3DFair%26utm_medium%3Dcpc",
        "?utm_source=Fair%26utm_medium%3Dcpc",
        "?utm%5Fsource=Fair&utm%5Fmedium=cpc",
        "?utm_source=Fair&amp;utm_medium=cpc",
        "#utm_source%3DFair%26utm_medium%3Dcpc",
        "?utm_source=Fair&utm_medium=cpc&utm_campaign={{campaign.name}}&utm_term=(not+set)&utm_id=null",
    ],
)
def test_a_tag_is_the_same_however_its_query_was_encoded(query: str) -> None:
    page = {"url": f"https://www.tidewater.example/{query}"}
    tag = campaign_of(a_capture(1, kind=InteractionKind.PAGE, context={"page": page}).interaction)
    assert tag is not None
    assert (tag.source, tag.medium, tag.name, tag.term, tag.key) == ("fair", "cpc", None, None, None)


@pytest.mark.parametrize(
    "query", ["?next=https%3A%2F%2Fb.example%2F%3Futm_source%3Dinner", "?q=%26utm_source%3Dx", "?utm_source={source}"]
)
def test_what_belongs_to_another_address_or_was_never_put_in_is_no_tag(query: str) -> None:
    page = {"url": f"https://www.tidewater.example/{query}"}
    assert campaign_of(a_capture(1, kind=InteractionKind.PAGE, context={"page": page}).interaction) is None
