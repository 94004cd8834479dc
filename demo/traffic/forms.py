"""A form as a browser posts it: urlencoded, with the page it stands on and the site's cookie, and no script."""

from __future__ import annotations

from collections.abc import Mapping

import httpx

from demo.errors import Trouble
from demo.market.steps import SITE, Step

_TAKEN = {200, 202, 303}


class Browser:
    """Posts forms from the company's site. `forms` maps the market's names of forms to ids."""

    def __init__(self, url: str, forms: Mapping[str, str], transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._forms = forms
        self._http = httpx.AsyncClient(base_url=url, timeout=30, follow_redirects=False, transport=transport)

    async def post(self, step: Step) -> None:
        """Send one form."""
        headers = {
            "accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8",
            "origin": SITE,
            "referer": step.context["page_url"],
            "cookie": f"ajs_anonymous_id={step.anonymous_id}",
        }
        path = f"/v1/forms/{self._forms[step.name or '']}"
        answer = await self._http.post(path, data=dict(step.data), headers=headers)
        if answer.status_code not in _TAKEN:
            raise Trouble(f"The form was not taken: POST {path} gives {answer.status_code} {answer.text[:200]}")

    async def close(self) -> None:
        """Close the browser."""
        await self._http.aclose()
