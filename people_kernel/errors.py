"""Problems that several services answer with."""

from __future__ import annotations

from chassis.errors import NotFound


class PersonNotFound(NotFound):
    """Nothing was ever heard of this person."""

    slug = "person-not-found"
