"""What an installation decides about recognizing."""

from __future__ import annotations

from phonenumbers import SUPPORTED_REGIONS
from pydantic import Field, field_validator

from chassis.settings import ServiceSettings
from contracts import limits
from services.identity.domain.links import IdentifierLimits
from services.identity.domain.recognition import RecognitionRules


class IdentitySettings(ServiceSettings, env_prefix="IDENTITY_"):
    """Identity's knobs.

    A limit says how many identifiers of a kind machines may gather for one person; a human may gather more.

    Each holds once for all that was claimed and once more for what servers vouch for.
    """

    default_region: str = Field(
        default="US",
        pattern="^([A-Z]{2})?$",
        description="The country of phone numbers beside which none is stated; empty: none is assumed",
    )
    most_emails: int = Field(default=limits.EMAILS, ge=1, description="E-mail addresses of one person")
    most_phones: int = Field(default=limits.PHONES, ge=1, description="Phone numbers of one person")
    most_anonymous_ids: int = Field(
        default=limits.DEVICES, ge=1, description=f"Devices of one person within {limits.DEVICES_DAYS} days"
    )

    @field_validator("default_region")
    @classmethod
    def _is_a_country(cls, region: str) -> str:
        if region not in SUPPORTED_REGIONS:
            raise ValueError("there is no such country: two letters as in ISO 3166, GB (not UK), DE or US for instance")
        return region

    def rules(self) -> RecognitionRules:
        most = IdentifierLimits(emails=self.most_emails, phones=self.most_phones, anonymous_ids=self.most_anonymous_ids)
        return RecognitionRules(region=self.default_region, limits=most)
