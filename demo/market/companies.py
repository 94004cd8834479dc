"""Companies that do not exist. All have addresses under `.example`, which nobody can register."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Company:
    """Where somebody works."""

    name: str
    employees: int
    industry: str
    country: str
    city: str

    @property
    def domain(self) -> str:
        return f"{self.name.casefold().replace(' & ', '-').replace(' ', '-')}.example"

    @property
    def group_id(self) -> str:
        return f"demo-{self.domain.removesuffix('.example')}"


KEY_ACCOUNT = Company("Tidewater Freight", 640, "Industrial logistics", "NL", "Rotterdam")
"""Several people of this company come by; whoever gets the first one owns the account."""

LARGE = (
    KEY_ACCOUNT,
    Company("Bluefell Insurance", 2400, "Insurance", "IE", "Cork"),
    Company("Harrowgate Machines", 1150, "Manufacturing", "GB", "Leeds"),
    Company("Nordhavn Telecom", 3800, "Telecommunications", "DK", "Aarhus"),
    Company("Ostrava Castings", 900, "Industrial castings", "CZ", "Ostrava"),
    Company("Kumasi Bank", 1700, "Banking", "GH", "Kumasi"),
)
CLINICS = Company("Lumen Clinics", 150, "Health care", "FR", "Nantes")
MIDDLE = (
    Company("Copperline Software", 240, "Software", "DE", "Leipzig"),
    Company("Alder & Finch", 130, "IT services", "US", "Portland"),
    Company("Sakura Instruments", 320, "Manufacturing", "JP", "Nagoya"),
    Company("Vega Financial", 85, "Financial services", "ES", "Valencia"),
    Company("Polder Robotics", 60, "Industrial automation", "NL", "Eindhoven"),
    Company("Maple Ledger", 210, "Software", "CA", "Halifax"),
    Company("Rio Claro Packaging", 410, "Manufacturing", "BR", "Campinas"),
    CLINICS,
)
SMALL = (
    Company("Three Owls Bakery", 4, "Food", "AT", "Graz"),
    Company("Studio Pelican", 3, "Design", "PT", "Porto"),
    Company("Fernweh Travel", 12, "Travel", "DE", "Bremen"),
    Company("Juniper Tutors", 9, "Education", "NZ", "Nelson"),
    Company("Moss Consulting", 2, "Consulting", "SE", "Umea"),
)
UNIVERSITIES = (
    Company("University of Westmark", 5200, "Education", "SE", "Westmark"),
    Company("Lakeshore Polytechnic", 2100, "Education", "US", "Lakeshore"),
)
COMPETITORS = (Company("Rivalis Planning", 180, "Software", "GB", "Bristol"),)
OWN = Company("Kestrel Desk", 75, "Software", "IE", "Galway")
"""The company whose installation this is: it sells planning software for workshops and depots."""
