"""What analytics.js asks for before it sends anything: `GET /v1/projects/{writeKey}/settings`."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

_ALLOWED = {"__default": {"enabled": True, "integrations": {}}}
_PLAN = {"track": _ALLOWED, "identify": _ALLOWED, "group": _ALLOWED}
_NOTHING_ELSE: dict[str, Any] = {
    "edgeFunction": {},
    "analyticsNextEnabled": True,
    "middlewareSettings": {},
    "enabledMiddleware": {},
    "metrics": {"sampleRate": 0},
    "legacyVideoPluginsEnabled": False,
    "remotePlugins": [],
    "consentSettings": None,
}


def sdk_settings(write_key: str, public_url: str) -> dict[str, Any]:
    """A settings document that makes analytics-next send all events to `public_url`, with no third-party destination.

    `apiHost` has no scheme and ends in `/v1`; `protocol` carries the scheme; an empty
    remote plugin list keeps the SDK off any CDN.
    """
    parts = urlsplit(public_url)
    return {
        "integrations": {
            "Segment.io": {
                "apiKey": write_key,
                "apiHost": f"{parts.netloc}{parts.path.rstrip('/')}/v1",
                "protocol": parts.scheme,
                "unbundledIntegrations": [],
                "addBundledMetadata": True,
                "maybeBundledConfigIds": {},
                "versionSettings": {"version": "4.4.7", "componentTypes": ["browser"]},
            }
        },
        "plan": _PLAN,
        **_NOTHING_ELSE,
    }
