"""How a capture says where somebody came from, and which campaign that is."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.campaigns import LONGEST, CampaignTag
from contracts.values import InteractionKind
from semantics.campaign import campaign_of
from services.metrics.domain.campaigns import CampaignDirectory, CampaignMatch
from tests.unit.metrics.builders import a_campaign, cmp, visited


def tag(kind: InteractionKind = InteractionKind.PAGE, **fields: Any) -> CampaignTag | None:
    return campaign_of(visited(1, kind=kind, **fields).interaction)


def test_the_campaign_context_of_an_sdk_makes_a_tag_whatever_was_done() -> None:
    context = {
        "campaign": {
            "name": " Spring ",
            "source": "NEWS",
            "medium": 7,
            "term": "",
            "content": None,
            "id": "CRM-1",
            "other": "x",
        }
    }
    expected = CampaignTag(name="spring", source="news", medium="7", key="crm-1")
    for kind in (InteractionKind.TRACK, InteractionKind.FORM, InteractionKind.PAGE, InteractionKind.IDENTIFY):
        assert tag(kind, context=context) == expected


@pytest.mark.parametrize(
    "fields",
    [
        {"context": {"page": {"search": "?utm_campaign=spring&utm_source=news"}}},
        {"context": {"page": {"url": "https://shop.example/a?utm_source=news&utm_campaign=Spring#top"}}},
        {
            "properties": {"url": "https://shop.example/?utm_source=news&utm_campaign=spring"},
            "context": {"page": {"url": "https://shop.example/"}},
        },
        {"properties": {"search": "utm_source=news&utm_campaign=spring"}},
    ],
    ids=["search", "url", "properties url", "properties search"],
)
def test_the_address_of_a_page_makes_a_tag_when_the_context_has_none(fields: dict[str, Any]) -> None:
    assert tag(**fields) == CampaignTag(name="spring", source="news")
    is_of_the_context = "properties" not in fields  # in the properties of anything else stands another's address
    assert (tag(InteractionKind.TRACK, **fields) is not None) is is_of_the_context
    with_context = {**fields, "context": {**fields.get("context", {}), "campaign": {"name": "autumn"}}}
    assert tag(**with_context) == CampaignTag(name="autumn")


def test_a_click_id_is_known_by_its_name_because_its_value_is_new_with_each_click() -> None:
    url = "https://shop.example/?gclid=abc&fbclid=def&session=1"
    assert tag(properties={"url": url}) == CampaignTag(click_ids=("fbclid", "gclid"))
    assert tag(InteractionKind.FORM, context={"click_ids": {"gclid": "ghi", "stray": "x"}}) == CampaignTag(
        click_ids=("gclid",)
    )


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"context": {"campaign": "spring"}},
        {"context": {"campaign": {"name": ["spring"], "source": True, "medium": "\0 "}}},
        {"properties": {"url": "https://[broken/?campaign=spring"}},
        {"properties": {"url": 7, "search": None}},
        {"properties": {"search": "&".join(f"p{n}=1" for n in range(200))}},
    ],
    ids=["nothing", "text", "wrong types", "broken address", "no text", "too many parameters"],
)
def test_what_says_nothing_readable_makes_no_tag(fields: dict[str, Any]) -> None:
    assert tag(**fields) is None


def test_long_values_are_cut_alike_on_both_sides() -> None:
    long = "S" * (LONGEST + 50)
    found = tag(context={"campaign": {"name": long}})
    assert found is not None
    assert CampaignDirectory([a_campaign(1, CampaignMatch(name=long[:LONGEST]))]).campaign_of(found) == cmp(1)


def test_all_that_a_match_gives_must_be_equal_and_the_most_demanding_wins_then_the_oldest() -> None:
    directory = CampaignDirectory(
        [
            a_campaign(3, CampaignMatch(name="spring")),
            a_campaign(1, CampaignMatch(source="news")),
            a_campaign(2, CampaignMatch(name="SPRING", source="News"), CampaignMatch(click_id="gclid")),
            a_campaign(4, CampaignMatch(name="spring")),
        ]
    )
    assert directory.campaign_of(CampaignTag(name="spring")) == cmp(3)
    assert directory.campaign_of(CampaignTag(name="spring", source="fair")) == cmp(3)
    assert directory.campaign_of(CampaignTag(name="spring", source="news", term="x")) == cmp(2)
    assert directory.campaign_of(CampaignTag(source="news", click_ids=("gclid",))) == cmp(2)  # of equals the click
    assert directory.campaign_of(CampaignTag(name="spring", source="news", click_ids=("gclid",))) == cmp(2)
    assert directory.campaign_of(CampaignTag(source="elsewhere", medium="cpc", click_ids=("gclid",))) == cmp(2)
    assert directory.campaign_of(CampaignTag(click_ids=("fbclid", "gclid"))) == cmp(2)
    assert directory.campaign_of(CampaignTag(term="spring")) is None


def test_a_tag_that_names_a_campaign_belongs_to_it() -> None:
    directory = CampaignDirectory([a_campaign(1, CampaignMatch(name="spring")), a_campaign(2, external_id="CRM-7")])
    assert directory.campaign_of(CampaignTag(name="spring", key="crm-7")) == cmp(2)
    assert directory.campaign_of(CampaignTag(name="spring", key=cmp(2).casefold())) == cmp(2)
    assert directory.campaign_of(CampaignTag(name="spring", key="unheard of")) == cmp(1)


def test_equal_tags_have_one_id_and_values_do_not_run_into_each_other() -> None:
    assert CampaignTag(name="a", click_ids=("gclid",)).tag_id == CampaignTag(name="a", click_ids=("gclid",)).tag_id
    assert (
        len(
            {
                CampaignTag(name="a").tag_id,
                CampaignTag(source="a").tag_id,
                CampaignTag(name="a", key="b").tag_id,
                CampaignTag(name="a", click_ids=("b",)).tag_id,
            }
        )
        == 4
    )


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("https://shop.example/?utm_source=news&amp;utm_medium=mail", {"source": "news", "medium": "mail"}),
        (
            "https://shop.example/a?x=1&#38;utm_source=news&amp;amp;utm_medium=mail",
            {"source": "news", "medium": "mail"},
        ),
        ("https://shop.example/#utm_source=news&utm_medium=mail", {"source": "news", "medium": "mail"}),
        ("https://shop.example/#!/plans?utm_source=news", {"source": "news"}),
        ("https://shop.example/?utm_campaign=Summer%2520Fair", {"name": "summer fair"}),
        ("https://shop.example/?utm_campaign=Summer%252520Fair", {"name": "summer fair"}),
        ("https://shop.example/?utm_campaign=100%25+sure&utm_term=a%2Bb", {"name": "100% sure", "term": "a+b"}),
        ("https://shop.example/?UTM_Source=News&utm_source=late", {"source": "news"}),
        ("https://shop.example/?utm_source=&utm_medium=mail", {"medium": "mail"}),
        ("https://[broken/?utm_campaign=spring", {"name": "spring"}),
        ("https://shop.example/?ref=utm_source", None),
    ],
)
def test_an_address_is_read_whatever_was_done_to_it_on_the_way(address: str, expected: dict[str, str] | None) -> None:
    found = tag(properties={"url": address})
    assert found == (None if expected is None else CampaignTag(**expected))
    assert found == tag(InteractionKind.FORM, context={"page": {"url": address}})


def test_all_places_are_looked_at_and_values_of_two_are_not_mixed() -> None:
    page = {"url": "https://shop.example/?gclid=a&utm_source=google&utm_medium=cpc", "search": "?tab=2"}
    assert tag(context={"page": page}) == CampaignTag(source="google", medium="cpc", click_ids=("gclid",))
    both = tag(context={"page": page, "campaign": {"name": "Spring"}, "click_ids": {"fbclid": "x"}})
    assert both == CampaignTag(name="spring", click_ids=("fbclid", "gclid"))
    assert tag(properties=page, context={"campaign": {}}) == tag(context={"page": page})
