"""Following people through what scoring and lifecycle say: the situation, and the occasions to suggest something."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from people_kernel.people import Placement, placements_of
from services.nurture.domain.incoming_events import PersonStatement, follow
from services.nurture.domain.rules import BuyingStage, NurtureJudge, compile_nurture
from services.nurture.domain.workspace import NurtureWorkspace
from tests.support.people import at, frg, merged, per
from tests.unit.nurture.builders import (
    profile_said,
    score_corrected,
    score_said,
    scores,
    stage_corrected,
    stage_entered,
)

DEFAULT = (Path(__file__).parents[3] / "services" / "nurture" / "rulebooks" / "default.yaml").read_text()
JUDGE = NurtureJudge(compile_nurture(DEFAULT, 1))


def after(*events: PersonStatement, workspace: NurtureWorkspace | None = None) -> NurtureWorkspace:
    workspace = workspace or NurtureWorkspace()
    for event in events:
        follow(workspace, JUDGE, event)
    return workspace


def occasions(workspace: NurtureWorkspace) -> list[tuple[str, str, str | None]]:
    return [
        (one.occasion.trigger, one.person.stage, None if one.person.buying is None else one.person.buying.stage.value)
        for one in workspace.suggestions
    ]


def buying(workspace: NurtureWorkspace, number: int = 1) -> BuyingStage:
    known = workspace.people[per(number)].buying
    assert known is not None
    return known.stage


def written(workspace: NurtureWorkspace) -> set[str]:
    """The fragments of which it is written down whose they are."""
    return set(workspace.placements_to_write(workspace.people))


def walk(number: int = 1) -> Sequence[PersonStatement]:
    return [
        stage_entered(number, stage, at(step), scores=scores("B3", at(step)))
        for step, stage in enumerate(("known", "engaged", "mql", "sal"), 1)
    ]


def test_every_step_of_the_walk_that_the_rulebook_names_gets_a_suggestion() -> None:
    workspace = after(*walk())
    assert occasions(workspace) == [
        ("stage", "known", "awareness"),
        ("stage", "engaged", "consideration"),
        ("stage", "mql", "decision"),
    ]


def test_a_change_of_buying_stage_is_an_occasion_too() -> None:
    workspace = after(stage_entered(1, "known", at(1)), profile_said(1, at(2), {"need": "fewer missed pick-ups"}))
    assert occasions(workspace) == [("stage", "known", "awareness"), ("buying_stage", "known", "consideration")]
    assert workspace.suggestions[1].occasion.occurred_at == at(2)


def test_what_changes_nothing_about_the_buying_stage_is_no_occasion() -> None:
    workspace = after(
        stage_entered(1, "known", at(1)), profile_said(1, at(2), {"city": "Porto"}), score_said(1, at(3), "C3")
    )
    assert len(workspace.suggestions) == 1


def test_nobody_is_suggested_anything_before_they_are_known() -> None:
    workspace = after(score_said(1, at(1), "D2"))
    assert buying(workspace) is BuyingStage.CONSIDERATION
    assert workspace.suggestions == []


def test_a_new_folding_changes_the_buying_stage_and_sets_nothing_off() -> None:
    workspace = after(stage_entered(1, "known", at(1)))
    after(score_corrected(1, at(2), "A1"), workspace=workspace)
    assert buying(workspace) is BuyingStage.CONSIDERATION
    after(
        profile_said(1, at(3), {"timing": 1}, occurred_at=None),
        stage_corrected(1, "customer", at(4)),
        workspace=workspace,
    )
    assert buying(workspace) is BuyingStage.CUSTOMER
    assert len(workspace.suggestions) == 1


def test_scores_that_a_stage_rests_on_set_nothing_off_when_they_are_heard_after_it() -> None:
    score = score_said(1, at(2), "A1")
    stage = stage_entered(1, "mql", at(2), scores=score.scores)
    early, late = after(score, stage), after(stage, score)
    assert occasions(early) == occasions(late) == [("stage", "mql", "decision")]
    assert early.people == late.people
    assert early.cards == late.cards


def test_older_scores_heard_late_move_nobody_to_and_fro() -> None:
    older, newer = score_said(1, at(1), "C4"), score_said(1, at(2), "B2")
    stage = stage_entered(1, "known", at(2), scores=newer.scores)
    workspace = after(stage, older, newer)
    assert occasions(workspace) == [("stage", "known", "consideration")]
    assert buying(workspace) is BuyingStage.CONSIDERATION
    after(score_said(1, at(3), "D4"), workspace=workspace)
    assert occasions(workspace)[1:] == [("buying_stage", "known", "awareness")]


def test_a_stage_is_judged_by_what_it_was_decided_on_if_that_is_newer() -> None:
    stage = stage_entered(1, "known", at(2), attributes={}, scores=scores("B2", at(2)))
    assert after(stage).suggestions[0].card.scores == scores("B2", at(2))
    assert buying(after(stage)) is BuyingStage.CONSIDERATION
    heard_more = after(profile_said(1, at(1), {"city": "Porto"}), score_said(1, at(3), "B4"), stage)
    assert buying(heard_more) is BuyingStage.AWARENESS


def test_of_a_stranger_nothing_is_kept_until_something_is_not_as_by_default() -> None:
    workspace = after(score_said(1, at(1), "D4"), score_said(1, at(2), "D3"))
    assert (workspace.people, workspace.cards.changed, workspace.receipts, written(workspace)) == ({}, {}, [], set())
    busy = after(score_said(1, at(3), "D2"), workspace=workspace)
    assert buying(busy) is BuyingStage.CONSIDERATION
    assert (set(busy.cards.changed), len(busy.receipts), written(busy)) == ({per(1)}, 1, {frg(1)})


def test_an_absorbed_person_is_followed_and_suggested_nothing() -> None:
    workspace = NurtureWorkspace()
    workspace.place(placements_of(merged((1, 2), 2)))
    after(profile_said(2, at(2), {"city": "Porto"}), stage_entered(2, "mql", at(3)), workspace=workspace)
    assert workspace.suggestions == []
    assert workspace.people[per(2)].stage == "mql"
    assert "city" in workspace.cards[per(2)].attributes
    assert workspace.placements[frg(2)] == Placement(per(1), 2)


def test_another_process_than_the_default_one_says_nothing_about_the_stage() -> None:
    assert after(stage_entered(1, "mql", at(1), process="renewal")).people == {}


def test_every_change_of_buying_stage_leaves_a_receipt_and_no_other_statement_does() -> None:
    workspace = after(*walk(), score_said(1, at(9), "B2"))
    assert [(receipt.kind, receipt.outcome) for receipt in workspace.receipts] == [
        ("buying.stage", "awareness"),
        ("buying.stage", "consideration"),
        ("buying.stage", "decision"),
    ]
    assert workspace.receipts[1].sentence == "Comes back and looks around (engaged, B3)."


def test_test_people_walk_the_same_way_and_are_marked() -> None:
    workspace = after(stage_entered(1, "known", at(1), is_test=True))
    assert [one.occasion.is_test for one in workspace.suggestions] == [True]
