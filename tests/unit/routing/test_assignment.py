"""Who is asked, and what a receipt says of those who are not."""

from __future__ import annotations

from dataclasses import replace

from contracts.limits import REPS_REJECTED
from services.routing.domain.assignment import ChosenBy, Rep, RepSearch, choose

ANA = Rep("rep_a", "Ana Ruiz", teams=("enterprise",))
TOMO = Rep("rep_b", "Tomo Arai", teams=("enterprise", "west"))
INES = Rep("rep_c", "Ines Amaral", teams=("west",))
REPS = {rep.rep_id: rep for rep in (ANA, TOMO, INES)}
ASKED = RepSearch("any", REPS, {}, {})


def test_each_of_those_who_are_not_asked_has_a_reason() -> None:
    leo = Rep("rep_d", "Leo Brandt", teams=("west",), is_active=False)
    mia = Rep("rep_e", "Mia Sand", teams=("west",), capacity=2)
    noa = Rep("rep_f", "Noa Levi", teams=("west",), weight=0)
    eva = Rep("rep_g", "Eva Roth", teams=("west",))
    choice = choose(
        RepSearch(
            "west",
            {**REPS, **{rep.rep_id: rep for rep in (leo, mia, noa, eva)}},
            {"rep_e": 2},
            {},
            frozenset({"rep_b"}),
        )
    )
    assert (choice.rep, choice.how, choice.why) == (INES, ChosenBy.TURN, "next in turn in team west")
    assert choice.rejected == (
        "rep_a: Ana Ruiz is not in team west",
        "rep_b: Tomo Arai was offered before",
        "rep_d: Leo Brandt is inactive",
        "rep_e: Mia Sand is over capacity (2 of 2)",
        "rep_f: Noa Levi takes no turns (weight 0)",
        "rep_g: Eva Roth has a later turn",
    )


def test_the_owner_of_the_account_comes_before_who_took_care_and_both_before_all_turns() -> None:
    both = replace(ASKED, team="west", owner_id="rep_a", account="Tidewater Freight", earlier_id="rep_b")
    owner = choose(both)
    assert (owner.rep, owner.how, owner.why, owner.credits) == (
        ANA,
        ChosenBy.OWNER,
        "owns the account Tidewater Freight",
        {},
    )
    earlier = choose(replace(both, asked=frozenset({"rep_a"})))
    assert (earlier.rep, earlier.how) == (TOMO, ChosenBy.EARLIER)
    assert earlier.rejected[0] == "rep_a: Ana Ruiz owns the account Tidewater Freight, but was offered before"
    turn = choose(replace(both, asked=frozenset({"rep_a", "rep_b"})))
    assert (turn.rep, turn.how) == (INES, ChosenBy.TURN)
    assert turn.rejected[1] == "rep_b: Tomo Arai took care of them before, but was offered before"


def test_an_owner_who_is_inactive_or_gone_is_no_reason_to_wait() -> None:
    away = {**REPS, "rep_a": replace(ANA, is_active=False)}
    choice = choose(replace(ASKED, reps=away, owner_id="rep_a"))
    assert choice.rep == TOMO
    assert choice.rejected[0] == "rep_a: Ana Ruiz owns the account, but is inactive"
    assert choose(replace(ASKED, owner_id="rep_gone")).rep == ANA


def test_nobody_can_be_asked_where_all_are_refused() -> None:
    choice = choose(replace(ASKED, team="north"))
    assert (choice.rep, choice.how, choice.why) == (None, ChosenBy.NOBODY, "nobody in team north can be asked")
    assert len(choice.rejected) == 3
    assert choose(RepSearch("any", {}, {}, {})).rejected == ()


def test_a_turn_moves_the_credits_of_those_who_could_have_had_it_and_of_nobody_else() -> None:
    choice = choose(replace(ASKED, team="enterprise"))
    assert set(choice.credits) == {"rep_a", "rep_b"}


def test_a_receipt_names_so_many_and_counts_the_rest() -> None:
    many = {f"rep_{number:03}": Rep(f"rep_{number:03}", f"Rep {number}") for number in range(120)}
    choice = choose(RepSearch("any", many, {}, {}))
    assert len(choice.rejected) == REPS_REJECTED + 1
    assert choice.rejected[-1] == "69 others"
