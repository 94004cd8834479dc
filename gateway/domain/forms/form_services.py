"""What services post to a webhook: where in their documents the answers lie, and what the rest of it says.

One plan a service: by what it is recognised, where the answers are (read by the general rule of `answers`, or by a
reader of the plan's own where the answers stand apart from their questions), and which parts of the envelope have a
meaning. Everything else is kept aside, so that a form's own name or an account's owner is never taken for the person.
Sources stand beside each plan.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from contracts.limits import URL_CHARACTERS
from gateway.domain.forms import presets, service_answers
from gateway.domain.forms.answers import FieldAnswer, answers_in
from gateway.domain.forms.presets import CAMPAIGN, FORM_NAME, MESSAGE_ID, OCCURRED_AT, PAGE_URL, TECHNICAL, Preset
from gateway.domain.forms.service_answers import at

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ServicePlan:
    """How the documents of one service are read.

    `marks`: paths that are all there. `answers`: where the person's answers lie. `envelope`: path -> target. `reader`:
    answers that the general rule would not find; one that `reads_all` leaves nothing to be kept aside. `is_flat`: comes
    as fields of a form too.
    """

    preset: Preset
    marks: tuple[str, ...]
    answers: tuple[str, ...] = ()
    envelope: Mapping[str, str] = field(default_factory=dict)
    reader: Callable[[Document], list[FieldAnswer]] | None = None
    reads_all: bool = False
    is_flat: bool = False

    def fits(self, document: Document) -> bool:
        """Whether a document looks like one of theirs."""
        return all(at(document, path) is not None for path in self.marks) and all(
            isinstance(at(document, path), dict | list) for path in self.answers if path in self.marks
        )

    def read(self, document: Document) -> list[FieldAnswer]:
        """All of a document: its answers, its envelope, and what is kept aside."""
        found = [] if self.reader is None else self.reader(document)
        for path in self.answers:
            if (part := at(document, path)) is not None:
                found += answers_in(part, path)
        for path, target in self.envelope.items():
            value = at(document, path)
            if isinstance(value, str | int | bool) and len(str(value)) <= URL_CHARACTERS:
                found.append(FieldAnswer(path, value, (), target))
        return found if self.reads_all else [*found, *self._aside(document)]

    def _aside(self, document: Document) -> list[FieldAnswer]:
        """What is neither, around the answers and at the top."""
        taken = (*self.marks, *self.answers, *self.envelope)
        around = {path.rpartition(".")[0] for path in taken}
        parts = [(root, part) for root in sorted({"", *around}) if isinstance(part := at(document, root), dict)]
        return [
            FieldAnswer(path, value, (key,), _of_envelope(key))
            for root, part in parts
            for key, value in part.items()
            if not _is_taken(path := f"{root}.{key}" if root else key, taken)
        ]


def _is_taken(path: str, taken: Sequence[str]) -> bool:
    return any(path == one or one.startswith(f"{path}.") for one in taken)


def _of_envelope(key: str) -> str:
    """Beside the answers only what is no attribute of a person has a meaning: consent, the page, the campaign."""
    meaning = presets.guess(key)
    return meaning if meaning is not None and meaning.startswith("@") else TECHNICAL


PLANS: Final[Sequence[ServicePlan]] = (
    # https://www.typeform.com/developers/webhooks/example-payload/
    ServicePlan(
        Preset.TYPEFORM,
        ("form_response.answers",),
        ("form_response.hidden",),
        {
            "form_response.token": MESSAGE_ID,
            "form_response.submitted_at": OCCURRED_AT,
            "form_response.definition.title": FORM_NAME,
            "event_id": TECHNICAL,
            "event_type": TECHNICAL,
            "form_response.form_id": TECHNICAL,
        },
        service_answers.of_typeform,
    ),
    # https://tally.so/help/webhooks
    ServicePlan(
        Preset.TALLY,
        ("eventType", "data.fields"),
        (),
        {
            "data.responseId": MESSAGE_ID,
            "data.createdAt": OCCURRED_AT,
            "data.formName": FORM_NAME,
            "data.formId": TECHNICAL,
            "data.respondentId": TECHNICAL,
            "eventId": TECHNICAL,
            "createdAt": TECHNICAL,
        },
        service_answers.of_tally,
    ),
    # https://developers.webflow.com/data/reference/webhooks/events/form-submission
    ServicePlan(
        Preset.WEBFLOW,
        ("triggerType", "payload.data"),
        ("payload.data",),
        {
            "payload.id": MESSAGE_ID,
            "payload.name": FORM_NAME,
            "payload.submittedAt": OCCURRED_AT,
            "payload.pageUrl": PAGE_URL,
        },
    ),
    # https://developers.webflow.com/v1.0.0/data/docs/webhooks (version 1: no envelope around it)
    ServicePlan(
        Preset.WEBFLOW,
        ("name", "site", "data"),
        ("data",),
        {"_id": MESSAGE_ID, "name": FORM_NAME, "d": OCCURRED_AT},
    ),
    # https://developers.facebook.com/docs/marketing-api/guides/lead-ads/retrieving
    ServicePlan(
        Preset.META,
        ("field_data",),
        ("field_data",),
        {
            "id": MESSAGE_ID,
            "leadgen_id": MESSAGE_ID,
            "created_time": OCCURRED_AT,
            "campaign_id": f"{CAMPAIGN}id",
            "campaign_name": f"{CAMPAIGN}name",
            "platform": f"{CAMPAIGN}source",
        },
        service_answers.of_test_leads,
    ),
    # https://developers.facebook.com/docs/graph-api/webhooks/getting-started/webhooks-for-leadgen (no answers in it)
    ServicePlan(Preset.META, ("entry", "object"), (), {}, service_answers.of_leadgen),
    # https://developers.google.com/google-ads/webhook/docs/implementation
    ServicePlan(
        Preset.GOOGLE_ADS,
        ("user_column_data",),
        ("user_column_data",),
        {
            "lead_id": MESSAGE_ID,
            "lead_submit_time": OCCURRED_AT,
            "gcl_id": f"{presets.CLICK}gclid",
            "campaign_id": f"{CAMPAIGN}id",
            "is_test": presets.TEST,
            "google_key": presets.SECRET,
        },
    ),
    # https://developer.calendly.com/api-docs/docs/webhook-payload-invitee
    ServicePlan(
        Preset.CALENDLY,
        ("event", "payload.email"),
        ("payload.questions_and_answers", "payload.tracking"),
        {"payload.created_at": OCCURRED_AT, "payload.scheduled_event.name": FORM_NAME, "event": TECHNICAL},
        service_answers.of_calendly,
    ),
    # https://docs.gravityforms.com/entry-object/
    ServicePlan(
        Preset.GRAVITY_FORMS,
        ("form_id", "source_url"),
        (),
        {"id": MESSAGE_ID},
        service_answers.of_gravity_forms,
        reads_all=True,
        is_flat=True,
    ),
    # https://elementor.com/help/webhook-action/ (with "advanced data")
    ServicePlan(
        Preset.ELEMENTOR, ("form.id", "fields"), ("fields", "meta"), {"form.name": FORM_NAME, "form.id": TECHNICAL}
    ),
    # https://wpforms.com/docs/how-to-install-and-use-the-webhooks-addon-with-wpforms/
    ServicePlan(
        Preset.WPFORMS,
        ("fields", "entry_id"),
        ("fields",),
        {"entry_id": MESSAGE_ID, "form_title": FORM_NAME},
    ),
    # https://docs.netlify.com/forms/notifications/ (outgoing webhook)
    ServicePlan(
        Preset.NETLIFY,
        ("form_name", "data", "site_url"),
        ("data",),
        {"id": MESSAGE_ID, "form_name": FORM_NAME, "created_at": OCCURRED_AT},
    ),
    # https://developers.marketo.com/rest-api/lead-database/leads/#submit_form
    ServicePlan(Preset.MARKETO, ("input", "formId"), (), {"formId": TECHNICAL}, service_answers.of_marketo),
    # https://developers.hubspot.com/docs/api-reference/legacy/forms/v3-legacy/submit-data-unauthenticated
    *(
        ServicePlan(Preset.HUBSPOT, ("fields", mark), ("fields", "context"), {"submittedAt": OCCURRED_AT})
        for mark in ("context", "submittedAt", "legalConsentOptions")
    ),
    # https://www.jotform.com/help/245-how-to-setup-a-webhook-with-jotform/
    ServicePlan(
        Preset.JOTFORM,
        ("rawRequest",),
        (),
        {"submissionID": MESSAGE_ID, "formTitle": FORM_NAME},
        service_answers.of_jotform,
        is_flat=True,
    ),
    # https://wufoo.github.io/docs/#webhooks
    ServicePlan(
        Preset.WUFOO,
        ("FieldStructure",),
        (),
        {"EntryId": MESSAGE_ID, "DateCreated": OCCURRED_AT, "HandshakeKey": presets.SECRET},
        service_answers.of_wufoo,
        reads_all=True,
        is_flat=True,
    ),
    # https://help.formstack.com/hc/en-us/articles/360019520271-WebHooks
    ServicePlan(
        Preset.FORMSTACK,
        ("FormID", "UniqueID"),
        (),
        {"UniqueID": MESSAGE_ID, "FormID": TECHNICAL, "HandshakeKey": presets.SECRET},
        service_answers.of_formstack,
        reads_all=True,
        is_flat=True,
    ),
)


def plan_of(document: Document, preset: Preset | None, *, is_flat: bool = False) -> ServicePlan | None:
    """The plan that a document is read by: one of the form's own preset, or else the first that fits. `is_flat`: it
    came as the fields of a form.
    """
    wanted = (plan for plan in PLANS if preset in (None, plan.preset) and (plan.is_flat or not is_flat))
    return next((plan for plan in wanted if plan.fits(document)), None)
