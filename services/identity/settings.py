"""What an installation decides about recognizing."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from chassis.settings import ServiceSettings
from contracts import limits
from services.identity.domain.links import IdentifierLimits
from services.identity.domain.recognition import RecognitionRules


class IdentitySettings(ServiceSettings, env_prefix="IDENTITY_"):
    """Identity's knobs.

    A limit says how many identifiers of a kind machines may gather for one person; a human may gather more.

    Each holds once for all that was claimed and once more for what servers vouch for.
    """

    default_region: Annotated[str, Field(pattern="^[A-Z]{2}$")] = "US"  # reads phone numbers without a country code
    most_emails: Annotated[int, Field(ge=1)] = limits.EMAILS
    most_phones: Annotated[int, Field(ge=1)] = limits.PHONES
    most_anonymous_ids: Annotated[int, Field(ge=1)] = limits.DEVICES  # within limits.DEVICES_DAYS

    def rules(self) -> RecognitionRules:
        most = IdentifierLimits(emails=self.most_emails, phones=self.most_phones, anonymous_ids=self.most_anonymous_ids)
        return RecognitionRules(region=self.default_region, limits=most)
