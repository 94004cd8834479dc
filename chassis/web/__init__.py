"""The HTTP side: the middleware that every request passes, problems and documents, who calls, and the client for asking
others.
"""

from chassis.web.client import http_client
from chassis.web.middleware import RequestMiddleware

__all__ = ["RequestMiddleware", "http_client"]
