"""What nurture does when it hears something, and when it is asked to."""

from services.nurture.handlers.subscriptions import SUBSCRIPTIONS
from services.nurture.handlers.workshop import with_workshop

__all__ = ["SUBSCRIPTIONS", "with_workshop"]
