"""What the demo prints at its end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from demo.screen import WIDTH
from demo.show.alert import alert_page, receipts_page
from demo.show.hints import Trail, env_text, hints_page
from demo.show.reports import campaigns_page, funnel_page
from demo.show.tables import labelled, shortened, table, width


def a_receipt(at: str, owner: str, sentence: str, **more: Any) -> dict[str, Any]:
    return {
        "receipt_id": f"rcp_{at}",
        "at": at,
        "owner": owner,
        "sentence": sentence,
        "contribution": None,
        "outcome": None,
        "inputs": {},
        **more,
    }


def an_alert() -> dict[str, Any]:
    values: dict[str, Any] = {
        "first_name": "Amara",
        "last_name": "Aaltonen",
        "title": "VP Operations",
        "email": "amara@tidewater-freight.example",
    }
    values |= {
        "phone": "+49 30 23125000",
        "company": "Tidewater Freight",
        "employees": 640,
        "industry": "Industrial logistics",
        "country": "NL",
    }
    return {
        "headline": (
            "Amara Aaltonen, VP Operations at Tidewater Freight, is ready: asked for a demo. Answer by 12:04 UTC."
        ),
        "attributes": {name: {"value": value} for name, value in values.items()},
        "scores": {"fit": 95.0, "engagement": 83.6, "cell": "A1", "at": "2026-03-02T08:04:00Z"},
        "because": [
            a_receipt("1", "routing", "Assigned to Ana Ruiz: it is her turn."),
            a_receipt("2", "lifecycle", "Fits and is engaged (cell A1): ready for sales."),
            a_receipt(
                "3",
                "scoring",
                "Asked for a demo or an offer (Demo request), after four pages that tell about prices and about others"
                " who use it.",
            ),
        ],
        "due_at": "2026-03-02T12:04:00Z",
        "actions": {"accept": "POST /v1/referrals/ref_1:accept", "return": "POST /v1/referrals/ref_1:return"},
    }


ALERT = """
The first alert, as Ana Ruiz got it (NATS)
------------------------------------------
  headline    Amara Aaltonen, VP Operations at Tidewater Freight, is ready: asked for a demo. Answer
              by 12:04 UTC.
  contact     Amara Aaltonen, VP Operations, amara@tidewater-freight.example, +49 30 23125000
  company     Tidewater Freight, 640 employees, Industrial logistics, NL
  scores      A1: fit 95, engagement 84
  because     Assigned to Ana Ruiz: it is her turn.
              Fits and is engaged (cell A1): ready for sales.
              Asked for a demo or an offer (Demo request), after four pages that tell about prices
              and about others who use it.
  answer by   02 Mar 12:04 UTC
  to accept   POST /v1/referrals/ref_1:accept
  to return   POST /v1/referrals/ref_1:return"""


def test_an_alert_is_shown_as_the_rep_saw_it() -> None:
    assert alert_page(an_alert(), "Ana Ruiz", "NATS") == ALERT


def test_an_alert_about_somebody_unknown_can_be_shown_too() -> None:
    page = alert_page(
        an_alert() | {"attributes": {}, "scores": None, "because": [], "due_at": None}, "Ana Ruiz", "NATS"
    )
    assert "contact     not known" in page
    assert "scores" not in page


RECEIPTS = """
The receipts behind it, oldest first
------------------------------------
  02 Mar 08:00:00  scoring     +12 engagement: Looked at the prices (/pricing).
  02 Mar 08:04:00  scoring     -5 fit: Writes from a free mail address.
  02 Mar 08:04:00  lifecycle   We know who this is.
  02 Mar 08:04:00  lifecycle   Ready for sales.
  02 Mar 08:04:00  nurture     Decision: Talk to us comes first.
  02 Mar 08:04:00  routing     Assigned to Ana Ruiz: it is her turn.
  02 Mar 08:04:09  routing     Ana Ruiz takes care of them.
  02 Mar 08:04:09  lifecycle   Sales has taken over."""


def test_receipts_stand_in_the_order_of_time_and_of_what_follows_from_what() -> None:
    now, later = "2026-03-02T09:04:00+01:00", "2026-03-02T08:04:09Z"
    points = {"measure": "engagement", "points": 12.0, "half_life_days": 14.0}
    receipts = [
        a_receipt(later, "lifecycle", "Sales has taken over.", kind="stage.move", outcome="sal"),
        a_receipt(later, "routing", "Ana Ruiz takes care of them.", kind="referral.answer", receipt_id="rcp_z"),
        a_receipt(
            now, "routing", "Assigned to Ana Ruiz: it is her turn.", kind="referral.assignment", receipt_id="rcp_1"
        ),
        a_receipt(
            now,
            "nurture",
            "Decision: Talk to us comes first.",
            kind="treatment.choice",
            receipt_id="rcp_2",
            inputs={"stage.name": "mql"},
        ),
        a_receipt(now, "lifecycle", "Ready for sales.", kind="stage.move", outcome="mql", receipt_id="rcp_3"),
        a_receipt(now, "lifecycle", "We know who this is.", kind="stage.move", outcome="known", receipt_id="rcp_4"),
        a_receipt(
            now,
            "scoring",
            "Writes from a free mail address.",
            kind="score.fit",
            contribution={"measure": "fit", "points": -5.0},
        ),
        a_receipt(
            "2026-03-02T08:00:00Z",
            "scoring",
            "Looked at the prices (/pricing).",
            kind="score.engagement",
            contribution=points,
        ),
    ]
    assert receipts_page(receipts, ["anonymous", "known", "mql", "sal"]) == RECEIPTS


FUNNEL = """
The funnel
----------
stage                                entered  went on  share  now  left to
anonymous  ########################       24       12   50 %   12
mql        #                               1        1  100 %    0  lost 2, recycled 1
customer   #                               1                    1
recycled   #                               1        0    0 %    1

24 people in all, 1 test person left out."""


def test_the_funnel_shows_who_went_on() -> None:
    def row(stage: str, entered: int, continued: int, now: int, **more: Any) -> dict[str, Any]:
        share = f"{continued / entered:.4f}" if entered else None
        known = {"stage": stage, "entered": entered, "continued": continued, "continuation": share, "reached": entered}
        return {**known, "lost_to": {}, "in_stage_now": now, **more}

    rows = [
        row("anonymous", 24, 12, 12),
        row("known", 0, 0, 0),
        row("mql", 1, 1, 0, lost_to={"lost": 2, "recycled": 1}),
        row("customer", 1, 0, 1),
        row("recycled", 1, 0, 1, reached=None),
    ]
    assert funnel_page({"rows": rows, "total": {"cohort": 24}, "excluded_tests": 1}) == FUNNEL


CAMPAIGNS = """
What the campaigns brought
--------------------------
campaign                        cost  people  leads  a lead  mqls  a mql  won  revenue     ROI
Social: people who run depots  2,300      61     36      64     9    256    2   31,099  1252 %
(no campaign)                      0       0     56       -     0      -    0        0       -
all together                   2,300      61     92      25     9    256    2   31,099  1252 %

Amounts in EUR. People are credited to the first campaign that touched them."""


def test_campaigns_show_what_they_cost_and_what_they_were_worth() -> None:
    social = {
        "cost": "2300.00",
        "touched": 61,
        "leads": 36,
        "cost_per_lead": "63.89",
        "mqls": 9,
        "cost_per_mql": "255.56",
        "customers": 2,
    }
    social |= {"revenue": "31098.60", "roi": "12.5211"}
    nobody = {
        "cost": "0.00",
        "touched": 0,
        "leads": 56,
        "cost_per_lead": None,
        "mqls": 0,
        "cost_per_mql": None,
        "customers": 0,
    }
    nobody |= {"revenue": "0.00", "roi": None}
    report = {
        "parameters": {"currency": "EUR", "attribution": "first_touch"},
        "rows": [{"name": "Social: people who run depots", **social}, {"name": "(no campaign)", **nobody}],
        "total": social | {"leads": 92, "cost_per_lead": "25.00"},
    }
    assert campaigns_page(report) == CAMPAIGNS


def test_figures_stand_to_the_right_and_wide_scripts_take_two_columns() -> None:
    assert table(("name", "leads"), (("森田", "7"), ("Search", "12"))) == "name    leads\n森田        7\nSearch     12"
    assert width("森田") == 4
    assert shortened("Social: people who run depots", 12) == "Social: peo…"
    assert shortened("short", 12) == "short"


def test_a_label_is_not_repeated_unless_it_should() -> None:
    pairs = [("a", "1"), ("a", "2")]
    assert labelled(pairs) == "  a   1\n      2"
    assert labelled(pairs, repeats=True) == "  a   1\n  a   2"


def test_the_hints_name_what_can_be_copied() -> None:
    trail = Trail("http://127.0.0.1:8080", Path("/tmp/my var"), "per_1", "Ana Ruiz", Path("/tmp/my var/demo.env"))
    page = hints_page(trail)
    assert "http://127.0.0.1:8080/docs" in page
    assert 'ask "/v1/people/per_1/receipts?limit=20"' in page
    assert "set -a\n  . '/tmp/my var/rapport.env'\n  . '/tmp/my var/demo.env'\n  set +a" in page
    assert "make down VAR='/tmp/my var'" in page


def test_nothing_is_wider_than_the_page() -> None:
    trail = Trail(
        "http://127.0.0.1:8080",
        Path("var").resolve(),
        "per_01M80JJ5Y0W1TJ1R02BCAFQ80A",
        "Ana Ruiz",
        Path("var/demo.env").resolve(),
    )
    for page in (alert_page(an_alert(), "Ana Ruiz", "NATS"), hints_page(trail)):
        assert max(map(width, page.splitlines())) <= WIDTH, page


def test_a_shell_can_source_who_the_rep_is() -> None:
    nats = {
        "nats_url": "nats://127.0.0.1:4222",
        "user": "rep_1",
        "live_user": "rep_1.live",
        "password": "a'b",
        "inbox_prefix": "_INBOX_rep_1",
        "subject": "alerts.rep.rep_1.>",
    }
    text = env_text("rk_1", nats)
    assert text.splitlines()[0] == "DEMO_REP_KEY=rk_1"
    assert "DEMO_REP_NATS_PASSWORD='a'\"'\"'b'" in text
    assert "DEMO_REP_NATS_SUBJECT='alerts.rep.rep_1.>'" in text
