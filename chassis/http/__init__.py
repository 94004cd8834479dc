"""The HTTP side: the door that every request comes through, and the client for asking others."""

from chassis.http.client import http_client
from chassis.http.door import Door

__all__ = ["Door", "http_client"]
