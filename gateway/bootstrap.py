"""The first source, form and API key of an installation, from settings, so that there is something to begin with."""

from __future__ import annotations

from contextlib import suppress

from chassis.runtime import Runtime
from gateway import store
from gateway.admin.forms import DEFAULT_SOURCE_ID, FormWish, new_form
from gateway.admin.keys import BOOTSTRAP_KEY_ID, KeyWish, Role, new_key
from gateway.admin.source_views import SourceWish
from gateway.admin.sources import new_source
from gateway.domain.keys import hash_of, hint_of
from gateway.settings import GatewaySettings
from gateway.store import ApiKeyRow, FormRow, KeyTaken, SourceRow

DEFAULT_FORM_ID = "default"


async def bootstrap(runtime: Runtime, settings: GatewaySettings) -> None:
    """Make what is absent; a key that changed in the settings is changed here. Replicas may do it at the same time."""
    with suppress(KeyTaken):
        if settings.bootstrap_write_key is not None:
            await _source_and_form(runtime, settings.bootstrap_write_key)
    with suppress(KeyTaken):
        if settings.bootstrap_api_key is not None:
            await _api_key(runtime, settings.bootstrap_api_key)


async def _source_and_form(runtime: Runtime, write_key: str) -> None:
    async with runtime.writing() as context:
        row = await store.get(context.session, SourceRow, DEFAULT_SOURCE_ID)
        if row is None:
            row = new_source(SourceWish(name="default"), write_key, context.now)
            row.source_id = DEFAULT_SOURCE_ID
            await store.add(context.session, row)
        row.write_key_hash, row.write_key_hint = hash_of(write_key), hint_of(write_key)
        await store.change(context.session, row)
        if await store.get(context.session, FormRow, DEFAULT_FORM_ID) is None:
            await store.add(
                context.session, new_form(FormWish(name="default"), DEFAULT_FORM_ID, DEFAULT_SOURCE_ID, context.now)
            )


async def _api_key(runtime: Runtime, api_key: str) -> None:
    async with runtime.writing() as context:
        row = await store.get(context.session, ApiKeyRow, BOOTSTRAP_KEY_ID)
        if row is None:
            row = new_key(KeyWish(subject="bootstrap", roles=[Role.ADMIN]), api_key, context.now)
            row.key_id = BOOTSTRAP_KEY_ID
            await store.add(context.session, row)
        row.key_hash, row.hint = hash_of(api_key), hint_of(api_key)
        await store.change(context.session, row)
