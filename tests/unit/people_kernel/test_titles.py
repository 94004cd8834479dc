"""Titles are read by phrases: the same word is a rank in one, and none in the next."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from people_kernel.profile import FUNCTIONS, RANKS, business_function, seniority

TITLES = {
    "executive": [
        "CEO",
        "C.E.O. & Founder",
        "President",
        "Chief Technology Officer",
        "Chief Sales & Marketing Officer",
        "Managing Director",
        "Executive Director",
        "Partner",
        "Partner at Smith LLP",
        "Managing Partner",
        "Co-Founder",
        "Owner",
        "Business Owner",
        "Geschäftsführerin",
        "Geschäftsführender Gesellschafter",
        "Directeur général",
        "Member of the Board",
        "Mitglied der Geschäftsleitung",
        "Amministratore Delegato",
        "Генеральный директор",
        "代表取締役社長",
        "대표이사",
        "Engineer (CTO)",
        "Founder, former student",
    ],
    "vp": [
        "VP of Sales",
        "V.P., Engineering",
        "Vice President, Marketing",
        "Executive Vice President",
        "Assistant Vice President",
        "Vice-Présidente",
        "副社長",
    ],
    "director": [
        "Head of Marketing",
        "Director of Student Affairs",
        "Sales Director EMEA",
        "Director of Owner Relations",
        "General Manager",
        "Leiter Einkauf",
        "Produktionsleiterin",
        "Directrice Marketing",
        "Leiter des Büros des Präsidenten",
        "営業部長",
        "Non-Executive Director",
    ],
    "manager": [
        "Marketing Manager (reports to the director)",
        "Sales Manager, reporting to the CEO",
        "Partner Manager",
        "Channel Partner Manager",
        "Partner Marketing Manager DACH",
        "Student Affairs Manager",
        "Lead Generation Manager",
        "Assistant Director",
        "Team Lead",
        "Manager at Chief Industries",
        "Manager @ President Hotels",
        "Jefe de Ventas",
        "Head Office Manager",
        "Руководитель отдела продаж",
        "Sales Manager, ex-CEO",
    ],
    "senior": [
        "Chief of Staff",
        "Chief of Staff to the CEO",
        "HR Business Partner",
        "Senior Software Engineer",
        "Staff Engineer",
        "Assistant Manager",
        "Senior Account Executive",
    ],
    "assistant": [
        "Assistant to the CEO",
        "Executive Assistant",
        "Executive Assistant to the VP Sales",
        "CEO's Assistant",
        "Assistant of the Managing Director",
        "Assistentin der Geschäftsführung",
        "Assistant (Office of the President)",
        "Student assistant",
        "Werkstudent Vertrieb",
        "Marketing Intern",
        "Personal Assistant / Secretary",
        "Praktikantin im Marketing",
        "Management Trainee",
        "社長秘書",
        "Student, aspiring founder",
        "Vorstandsassistentin",
        "Teamassistenz",
        "Manager in Training",
    ],
    "staff": [
        "Product Owner",
        "Project Owner",
        "Technical Product Owner",
        "Account Executive",
        "Marketing Executive",
        "Office of the CEO",
        "CEO Office",
        "ex-CEO",
        "Former Vice President",
        "Retired director",
        "Aspiring CEO",
        "Lead Generation Specialist",
        "Partner Success Specialist",
        "Staff Accountant",
        "Referent des Vorstands",
        "Friend of the founder",
        "Executive Search Consultant",
        "Accountant",
        "Works for a managing director",
        "Internal Auditor",
        "",
        "()",
    ],
}


@pytest.mark.parametrize(("title", "rank"), [(title, rank) for rank, titles in TITLES.items() for title in titles])
def test_the_rank_of_a_title(title: str, rank: str) -> None:
    assert seniority(title) == rank


@pytest.mark.parametrize(
    ("title", "field"),
    [
        ("Assistant to the CEO", "general"),
        ("Assistant to the Marketing Director", "general"),
        ("Personal Assistant", "general"),
        ("Account Executive", "sales"),
        ("Product Owner", "product"),
        ("Head of IT", "it"),
        ("Head of Information Security", "it"),
        ("VP, Human Resources", "hr"),
        ("Business Development Manager", "sales"),
        ("Director of Marketing at Sales Corp", "marketing"),
        ("Lead Generation Manager", "marketing"),
        ("Chief Financial Officer", "finance"),
        ("Leiter Einkauf", "operations"),
        ("マーケティング担当", "marketing"),
        ("Chief of Staff", "general"),
    ],
)
def test_the_field_of_a_title(title: str, field: str) -> None:
    assert business_function(title) == field


@given(st.text(max_size=80))
def test_any_title_has_a_rank_and_a_field(title: str) -> None:
    assert seniority(title) in RANKS
    assert business_function(title) in FUNCTIONS


@given(st.sampled_from([title for titles in TITLES.values() for title in titles]))
def test_case_and_spaces_change_nothing(title: str) -> None:
    assert seniority(f"  {title.upper()} ") == seniority(title.upper()) == seniority(title)


SPACED = [title for rank in ("executive", "vp", "director") for title in TITLES[rank] if title < "\u2e80"]


@given(st.sampled_from(SPACED))
def test_nobody_has_the_rank_of_whom_they_assist(title: str) -> None:
    assert seniority(f"Assistant to the {title}") == "assistant"


@given(st.sampled_from([title for title in SPACED if not set(title) & set(",&(")]))
def test_nobody_is_what_they_were(title: str) -> None:
    assert seniority(f"Former {title}") == "staff"
