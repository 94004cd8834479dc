"""What an installation decides about recognizing."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from chassis.settings import ServiceSettings
from services.identity import domain


class IdentitySettings(ServiceSettings, env_prefix="IDENTITY_"):
    """Identity's knobs. A limit says how many identifiers of a kind machines may gather for one person; a human may gather more."""

    default_region: Annotated[str, Field(pattern="^[A-Z]{2}$")] = "US"  # reads phone numbers without a country code
    most_emails: Annotated[int, Field(ge=1)] = 5
    most_phones: Annotated[int, Field(ge=1)] = 5
    most_anonymous_ids: Annotated[int, Field(ge=1)] = 100  # browsers clear them, so that one person has many over the years

    def rules(self) -> domain.Rules:
        limits = domain.Limits(emails=self.most_emails, phones=self.most_phones, anonymous_ids=self.most_anonymous_ids)
        return domain.Rules(region=self.default_region, limits=limits)
