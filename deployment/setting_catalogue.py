"""What each process can be told, as its settings class says it.

The classes are loaded by name: whoever runs the suite knows where they are, and imports no service.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from chassis.setting_names import unknown_names
from chassis.settings import ServiceSettings
from deployment.catalogue import PROCESSES, ServiceProcess
from deployment.suite_settings import Setting


def settings_class(process: ServiceProcess) -> type[ServiceSettings]:
    """The settings class of `process`."""
    module = importlib.import_module(f"{process.folder.replace('/', '.')}.settings")
    return next(
        one
        for one in vars(module).values()
        if isinstance(one, type)
        and issubclass(one, ServiceSettings)
        and one.model_config.get("env_prefix") == process.prefix
    )


def settings_of(process: ServiceProcess) -> list[Setting]:
    """All that `process` can be told, in the order of its class."""
    return [
        _setting(f"{process.prefix}{name.upper()}", field, process.name)
        for name, field in settings_class(process).model_fields.items()
    ]


def shared_settings() -> list[Setting]:
    """What all processes can be told, as `<P>_NAME`."""
    return [_setting(f"<P>_{name.upper()}", field, "each") for name, field in ServiceSettings.model_fields.items()]


def own_settings(process: ServiceProcess) -> list[Setting]:
    """What `process` can be told beside, or with another default."""
    shared = {(one.variable.removeprefix("<P>_"), one.type, one.default) for one in shared_settings()}
    return [
        one
        for one in settings_of(process)
        if (one.variable.removeprefix(process.prefix), one.type, one.default) not in shared
    ]


def unknown_settings(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables that look like a setting of a process and are none, each with what may have been meant.

    Loads the class of a process only when something begins like its settings: that takes some tenths of a second.
    """
    found: dict[str, str] = {}
    for process in PROCESSES:
        if any(name.upper().startswith(process.prefix) for name in environment):
            found |= unknown_names(process.prefix, settings_class(process).model_fields, environment)
    return found


def _setting(variable: str, field: FieldInfo, process: str) -> Setting:
    default = None if field.is_required() else _shown(field.default)
    return Setting(variable, _type(field.annotation, field), default, field.description or "", process)


def _shown(value: Any) -> str:
    match value:
        case None:
            return "none"
        case tuple():
            return "[" + ", ".join(f'"{each}"' for each in value) + "]"
        case float() if value.is_integer():
            return str(int(value))
        case _:
            return str(value)


def _type(annotation: Any, field: FieldInfo) -> str:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return " or ".join(map(str, arguments))
    if origin in (Union, UnionType):
        return _type(next(one for one in arguments if one is not type(None)), field)
    if origin is Annotated:  # within a union: what it is checked by is told where it is described
        return _type(arguments[0], field)
    if origin is tuple:
        return "list of texts"
    names = {int: "whole number", float: "number", str: "text", bool: "true or false"}
    return names.get(annotation, "secret text") + _bounds(field)


def _bounds(field: FieldInfo) -> str:
    words = []
    for limit in field.metadata:
        for name, sign in (("ge", "from"), ("gt", "above"), ("le", "to")):
            if (bound := getattr(limit, name, None)) is not None:
                words.append(f"{sign} {_shown(bound)}")
    return f", {' '.join(words)}" if words else ""
