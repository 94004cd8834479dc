"""Rulebooks as an older release left them: a draft that no longer compiles is nobody's business, an active one is told
until another decides.
"""

from __future__ import annotations

import re
import secrets
from pathlib import Path

import httpx

from tests.support.eventually import eventually
from tests.support.installation import Installation
from tests.support.supervisor import ALIVE

DEFAULT = (Path(__file__).resolve().parents[3] / "services/scoring/rulebooks/default.yaml").read_text()
IMPATIENCE_SECONDS = 3.0

_ADD_DRAFT = (
    "INSERT INTO rulebook (version, digest, state, document, created_at, created_by) SELECT (SELECT max(version) + 1"
    " FROM rulebook), :digest, 'draft', :document, created_at, created_by FROM rulebook WHERE version = 1"
)
_SPOIL_ACTIVE = "UPDATE rulebook SET digest = :digest, document = :document WHERE state = 'active'"


async def a_stale_draft(here: Installation) -> None:
    """Scoring is started anew, as by an upgrade, beside a draft that no longer compiles."""
    await here.change("scoring", _ADD_DRAFT, digest=secrets.token_hex(8), document=_of_old(DEFAULT))
    async with here.others("beside the draft"):
        here.platform.kill("scoring")
        await here.platform.until_unready("scoring", within=20)
        await here.asks_for_a_demo("beside-the-draft")
        await here.platform.until_ready("scoring", within=30)
    await here.everybody_is_referred_once()


async def an_active_rulebook_that_no_longer_compiles(here: Installation) -> None:
    """Scoring decides nothing and says where; starting it anew does not help and harms nothing; activating another
    version does, by itself.
    """
    spoilt = _of_old(DEFAULT)
    await here.change("scoring", _SPOIL_ACTIVE, digest=secrets.token_hex(8), document=spoilt)
    async with here.others("before the rules") as sender:
        here.platform.kill("scoring")
        await _tells_where(here, spoilt)
        await here.asks_for_a_demo("before-the-rules")
        here.platform.patience["scoring"] = IMPATIENCE_SECONDS
        before = len(here.platform.restarts)
        await eventually(lambda: len(here.platform.restarts) == before + 2, within=60)
        assert "not ready for" in here.platform.restarts[before].why
        assert here.platform.patience["scoring"] == 4 * IMPATIENCE_SECONDS  # it is started anew ever more rarely
        here.platform.patience["scoring"] = 120.0  # from here on it is mended by hand
        await _tells_where(here, spoilt)
        assert len(sender.captures) > 0
        async with here.client() as client:
            await _activate(client, re.sub(r"title: .*", f"title: Corrected {secrets.token_hex(4)}", DEFAULT, count=1))
        await here.platform.until_ready("scoring", within=30)
        # an older version now, which is stood in for
        assert [note.partition(":")[0] for note in here.platform.notes("scoring")] == ["rulebook"]
    await here.everybody_is_referred_once()


async def _tells_where(here: Installation, document: str) -> None:
    """Readiness names the line and the column; the process is alive."""
    before, _, _ = document.partition("person.rank_of_old")
    place = f"line {before.count(chr(10)) + 1}, column {len(before) - before.rfind(chr(10))}"
    platform = here.platform
    await eventually(lambda: place in platform.why_not("scoring") and platform.is_ready("scoring", ALIVE), within=30)
    assert '"field":"rulebook"' in platform.why_not("scoring")


async def _activate(client: httpx.AsyncClient, document: str) -> None:
    """As somebody in marketing would: send the corrected text, then put it in force."""
    draft = await client.post("/v1/rulebooks/scoring", content=document, headers={"content-type": "text/yaml"})
    assert draft.status_code == 201, draft.text
    activated = await client.post(f"/v1/rulebooks/scoring/{draft.json()['version']}:activate")
    assert activated.status_code == 200, activated.text


def _of_old(document: str) -> str:
    """The rulebook as somebody wrote it for a release that had one more fact."""
    return re.sub(r"when: .*", "when: person.rank_of_old == 'vp'", document, count=1)
