"""The envelope every event travels in: CloudEvents 1.0, binary mode, over NATS headers.

Source: https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/nats-protocol-binding.md. The body is the
JSON of the event class; `Meta` travels in headers. Extension attributes: `correlation`, `causation`, `rulebook` (bare).

On its own subject (`<wire name>.<lane>`) an event leaves out the attributes that the subject says,
those that are the same for all, and those that repeat another; `whole_headers` puts them back. On
every other subject it carries all of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import from_json

from contracts.ids import derive_id, derive_ids_at, lane_of

NO_CAUSE = "-"
"""The `causation` of an event of a chain that nothing of the chain brought about."""


class Meta(BaseModel):
    """What is known about an event beside its body.

    `event_id` derives from the cause; `correlation_id` is the capture the whole chain began
    with; `causation_id` the event just before.
    """

    model_config = ConfigDict(frozen=True)

    event_id: str
    at: AwareDatetime
    correlation_id: str
    causation_id: str | None = None
    rulebook: str | None = None  # the version that decided, e.g. scoring@1


class Event(BaseModel):
    """A fact that its owner tells the others. Subclasses are named in the past
    tense and state `wire_name` and `owner`.
    """

    model_config = ConfigDict(frozen=True)

    wire_name: ClassVar[str]  # <owner>.<entity>.<past>.v<N>
    owner: ClassVar[str]  # the service that says it; its stream is the owner's name in capitals
    every_lane: ClassVar[bool] = False  # true for what all shards must hear (merges, splits, activations)
    # true for what is said of every page: the body leaves out what is as it is by default
    omits_defaults: ClassVar[bool] = False

    meta: Meta = Field(exclude=True)

    @property
    def lane_key(self) -> str:
        """What the lane is hashed from."""
        raise NotImplementedError

    def subjects(self, lanes: int) -> tuple[str, ...]:
        """The subjects this event is published on, one per lane it must reach."""
        if self.every_lane:
            return tuple(f"{self.wire_name}.{lane}" for lane in range(lanes))
        return (f"{self.wire_name}.{lane_of(self.lane_key, lanes)}",)

    def headers(self) -> dict[str, str]:
        """All CloudEvents attributes as NATS headers."""
        headers = {
            **constant_headers(self.wire_name),
            "ce-id": self.meta.event_id,
            "ce-time": self.meta.at.isoformat(),
            "correlation": self.meta.correlation_id,
        }
        if self.meta.causation_id is not None:
            headers["causation"] = self.meta.causation_id
        if self.meta.rulebook is not None:
            headers["rulebook"] = self.meta.rulebook
        return headers

    def headers_on(self, subject: str) -> dict[str, str]:
        """The headers it travels with on `subject`: on its own one, those that `whole_headers` cannot know."""
        if subject.rpartition(".")[0] != self.wire_name:
            return self.headers()
        meta = self.meta
        headers = {"ce-id": meta.event_id, "ce-time": meta.at.isoformat().replace("+00:00", "Z")}
        if meta.correlation_id != meta.event_id:
            headers["correlation"] = meta.correlation_id
        if meta.causation_id != _usual_cause(meta.event_id, meta.correlation_id):
            headers["causation"] = meta.causation_id or NO_CAUSE
        if meta.rulebook is not None:
            headers["rulebook"] = meta.rulebook
        return headers

    def body(self) -> bytes:
        """The JSON body (UTF-8)."""
        # as model_dump_json, which makes text of it
        return self.__pydantic_serializer__.to_json(self, exclude_defaults=self.omits_defaults)

    @classmethod
    def from_wire(cls, headers: Mapping[str, str], body: bytes) -> Self:
        """Read an event back. Raises ValueError (pydantic's ValidationError, or a
        missing header) when it is not one of ours.
        """
        fields = _parse_object(body)
        fields["meta"] = _meta_fields(headers)
        try:
            return cls.__pydantic_validator__.validate_python(fields)  # type: ignore[no-any-return]  # all at once, for a fifth less
        except ValidationError:
            fields["meta"] = meta_from_headers(headers)  # what is wrong with the headers is told as theirs, and first
            return cls.model_validate(fields)


def meta_from_headers(headers: Mapping[str, str]) -> Meta:
    """The Meta that `headers` carry. Raises ValueError naming the header that is missing."""
    return Meta(**_meta_fields(headers))


def _meta_fields(headers: Mapping[str, str]) -> dict[str, Any]:
    for name in ("ce-id", "ce-time"):
        if name not in headers:
            raise ValueError(f"header {name} is missing")
    event_id = headers["ce-id"]
    correlation_id = headers.get("correlation", event_id)
    unsaid = None if "ce-type" in headers else _usual_cause(event_id, correlation_id)
    causation_id = headers.get("causation", unsaid)
    return {
        "event_id": event_id,
        "at": datetime.fromisoformat(headers["ce-time"]),
        "correlation_id": correlation_id,
        "causation_id": None if causation_id == NO_CAUSE else causation_id,
        "rulebook": headers.get("rulebook"),
    }


def whole_headers(subject: str, headers: Mapping[str, str]) -> dict[str, str]:
    """All CloudEvents attributes of a message that came on `subject` with `headers`, which are kept.
    Raises ValueError naming what is missing.
    """
    meta = meta_from_headers(headers)
    whole = {**constant_headers(subject.rpartition(".")[0]), **headers, "correlation": meta.correlation_id}
    if meta.causation_id is not None:
        whole["causation"] = meta.causation_id
    else:
        whole.pop("causation", None)
    return whole


def constant_headers(wire_name: str) -> dict[str, str]:
    """The attributes that are the same for all events of that name."""
    return {
        "ce-specversion": "1.0",
        "ce-source": f"/{wire_name.partition('.')[0]}",
        "ce-type": wire_name,
        "content-type": "application/json",
    }


def _usual_cause(event_id: str, correlation_id: str) -> str | None:
    """What brought an event about when nothing else is said: what the chain
    began with, unless it is the event itself.
    """
    return None if correlation_id == event_id else correlation_id


def following(
    cause: Event, wire_name: str, *parts: str, at: datetime | None = None, rulebook: str | None = None
) -> Meta:
    """The Meta of an event that `cause` brought about; `parts` tell siblings of one
    cause apart. `at` defaults to the cause's.
    """
    moment = at or cause.meta.at
    return Meta(
        event_id=derive_id("evt", moment, cause.meta.event_id, wire_name, *parts),
        at=moment,
        correlation_id=cause.meta.correlation_id,
        causation_id=cause.meta.event_id,
        rulebook=rulebook,
    )


def beginning(event_id: str, at: datetime, rulebook: str | None = None) -> Meta:
    """The Meta of an event that nothing said brought about: a chain of causes begins with it."""
    return Meta(event_id=event_id, at=at, correlation_id=event_id, rulebook=rulebook)


def each_following(causes: Sequence[Event], wire_name: str) -> list[Meta]:
    """`following` of each of `causes`, for less."""
    event_ids = derive_ids_at(
        "evt", [cause.meta.at for cause in causes], [cause.meta.event_id for cause in causes], wire_name
    )
    return [
        Meta(
            event_id=event_id,
            at=cause.meta.at,
            correlation_id=cause.meta.correlation_id,
            causation_id=cause.meta.event_id,
        )
        for event_id, cause in zip(event_ids, causes, strict=True)
    ]


def _parse_object(body: bytes) -> dict[str, Any]:
    # pydantic_core's: no dependency beyond pydantic. It need not look for values that it met
    # before: few come again, and that costs a fifth
    parsed = from_json(body, cache_strings="keys")
    if not isinstance(parsed, dict):
        raise ValueError("the body is not a JSON object")
    return parsed
