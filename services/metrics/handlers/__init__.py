"""What metrics does when it hears something, and when it is told of campaigns, costs and rates."""

from services.metrics.handlers.hearing import SUBSCRIPTIONS, on_anything_told

__all__ = ["SUBSCRIPTIONS", "on_anything_told"]
