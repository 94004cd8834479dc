"""What a service is made of, and how it runs."""

from chassis.app.composition import Service
from chassis.runtime import Runtime

__all__ = ["Runtime", "Service"]
