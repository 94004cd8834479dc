"""Editing the catalogue."""

from __future__ import annotations

from chassis.context import Context
from chassis.errors import BadInput, Conflict, FieldError, NotFound
from chassis.runtime import Runtime
from contracts.ids import derive_id, hash_id
from people_kernel.rulebook_registry import FOUNDER
from rulebook.problems import RulebookError
from services.nurture.domain.catalogue import Edit, Entry, is_revision
from services.nurture.domain.starters import STARTERS
from services.nurture.domain.treatments import TreatmentBody, ready
from services.nurture.store import treatments as store


class TreatmentNotFound(NotFound):
    """There is no such treatment, or no such revision of it."""


class TreatmentRefused(BadInput):
    """The condition cannot be read; `errors` name line and column."""


class ExternalIdTaken(Conflict):
    """Another treatment has this external id."""


async def begin_catalogue(runtime: Runtime) -> None:
    """A store without treatments is given the starters."""
    async with runtime.writing() as context:
        if await store.is_empty(context.session):
            edits = {hash_id("trt", "starter", key): Edit(body, None, FOUNDER, context.now) for key, body in STARTERS.items()}
            await store.add(context.session, [_first(treatment_id, edit, is_starter=True) for treatment_id, edit in edits.items()])


async def add_treatment(context: Context, edit: Edit) -> tuple[Entry, bool]:
    """The treatment, and whether it is new: one with this external id is revised instead. Raises TreatmentRefused."""
    _check(edit.body)
    known = None if edit.external_id is None else await store.find_by_external_id(context.session, edit.external_id)
    if known is not None:
        return await revise_treatment(context, known.treatment_id, edit), False
    treatment_id = derive_id("trt", edit.at, edit.external_id or edit.body.model_dump_json())
    claimed = await store.add(context.session, [_first(treatment_id, edit)])
    if not claimed and edit.external_id is not None:  # somebody was faster
        known = await store.find_by_external_id(context.session, edit.external_id)
        if known is not None:
            return await revise_treatment(context, known.treatment_id, edit), False
    return await get_treatment(context, treatment_id), bool(claimed)


async def revise_treatment(context: Context, treatment_id: str, edit: Edit) -> Entry:
    """The treatment as it is from now on; a new revision if that says anything new. Raises TreatmentNotFound, TreatmentRefused, ExternalIdTaken."""
    _check(edit.body)
    await store.lock(context.session, treatment_id)
    entry = await get_treatment(context, treatment_id)
    if edit.external_id is not None and edit.external_id != entry.external_id:
        taken = await store.find_by_external_id(context.session, edit.external_id)
        if taken is not None:
            raise ExternalIdTaken(f"{taken.treatment_id} has this external id", field="body.external_id", remedy="Change that one, or leave it out")
        await store.name_externally(context.session, treatment_id, edit.external_id)
    if is_revision(entry, edit):
        await store.revise(context.session, entry, edit)
    return await get_treatment(context, treatment_id)


async def get_treatment(context: Context, treatment_id: str, revision: int | None = None) -> Entry:
    """A treatment, as it is or as it was. Raises TreatmentNotFound."""
    found = await store.find_entry(context.session, treatment_id, revision)
    if found is None:
        which = "" if revision is None else f" with a revision {revision}"
        raise TreatmentNotFound(f"There is no treatment {treatment_id}{which}")
    return found


def _first(treatment_id: str, edit: Edit, *, is_starter: bool = False) -> Entry:
    return Entry(treatment_id, 1, 1, edit.external_id, is_starter, edit.at, edit.at, edit.by, edit.body)


def _check(body: TreatmentBody) -> None:
    try:
        ready("trt_draft", 1, body)
    except RulebookError as error:
        errors = [FieldError(f"body.when: line {one.line}, column {one.column}", one.message, one.remedy or None) for one in error.problems]
        first = error.problems[0]
        raise TreatmentRefused(
            f"The condition has {'a mistake' if len(errors) == 1 else f'{len(errors)} mistakes'}; "
            f"the first in line {first.line}, column {first.column}: {first.message}. {first.remedy}".strip(),
            errors=errors,
        ) from None
