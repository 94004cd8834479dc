"""What the caller's environment says of an embedded suite: it wins over every default, and what cannot be changed by it
is refused with the reason. Nothing is ignored.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping

from chassis.setting_names import describe_unknown, unknown_names, weakness_of
from deployment.catalogue import GATEWAY, PROCESSES, SERVICES
from deployment.suite_settings import PREFIX, SUITE_NAMES
from embedded.lock import DESCRIPTOR_VARIABLE
from embedded.plan import PORT_NAMES
from embedded.ports import WantedPort
from embedded.secrets import is_key
from embedded.stores import VARIABLES

BASE_PORT = "BASE_PORT"
FIRST_KEYS = {"write_key": "GATEWAY_BOOTSTRAP_WRITE_KEY", "api_key": "GATEWAY_BOOTSTRAP_API_KEY"}
_NO_KEY = "is no key: letters, digits and . _ ~ + / - are, with = at the end"
_KEPT = "it is kept in secrets.json of the suite's folder, and all processes need the same one"
_FIXED = {
    "NATS_URL": "the suite runs a NATS of its own, with a user for each process; move it with NATS_PORT=",
    "NATS_REPLICAS": "there is one NATS here; several keep streams together on Kubernetes, see k8s/",
    "LANES_FILE": "it is lanes.json of the suite's folder",
    "LANES": "all processes and the permissions on NATS need the same number; give it to `rapport up --lanes`",
    "TOKEN_PUBLIC_KEY": _KEPT,
    "TOKEN_PRIVATE_KEY": _KEPT,
    "CALLOUT_SEED": _KEPT,
    "CALLOUT_ACCOUNT": "the configuration of NATS here names it",
    **{f"{name.upper()}_URL": f"{name} runs here too; move it with {name.upper()}_PORT=" for name in SERVICES},
}
_PREFIXES = tuple(process.prefix for process in PROCESSES)
# what a suite tells its own processes, which may start another one
_INNER = (DESCRIPTOR_VARIABLE.removeprefix(PREFIX),)
_TESTS = tuple(f"{PREFIX}{name}" for name in ("TEST_", "TOOLS", "CONTAINERS"))
_API_KEY = FIRST_KEYS["api_key"]  # the write key stands in every page: nobody is let in by it
_LARGEST_PORT = 65_535
_CLOSE = 0.9  # one sign too few, too many, or two turned round; DATABASE_URL is many a program's


class EnvironmentRefused(Exception):
    """The caller's environment says something that this suite cannot do."""


def caller_settings(environment: Mapping[str, str], port: int = 0) -> dict[str, str]:
    """The settings of processes in `environment`. `port`: the gateway's, as it was asked for.

    Raises EnvironmentRefused for what is no setting, and for what cannot be set here.
    """
    _refuse_unknown_of_suite(environment)
    given = {name.upper(): value for name, value in environment.items() if name.upper().startswith(_PREFIXES)}
    if given:
        _refuse_unknown(environment)
    reasons = [f"{name} cannot be set here: {_FIXED[rest]}" for name in given if (rest := _rest(name)) in _FIXED]
    gateway_port = given.pop("GATEWAY_PORT", "")
    if gateway_port and gateway_port != str(port):
        reasons.append(f"GATEWAY_PORT is {gateway_port} while the gateway was asked for on {port}; say PORT= instead")
    reasons += [f"{name} {_NO_KEY}" for name in FIRST_KEYS.values() if name in given and not is_key(given[name])]
    weak = {_API_KEY: weakness_of(given[_API_KEY])} if _API_KEY in given else {}
    reasons += [f"{name} cannot be the key of this suite: {why}" for name, why in weak.items() if why]
    if reasons:
        raise EnvironmentRefused("; ".join(reasons))
    return {name: value for name, value in given.items() if not name.endswith("_PASSWORD")}


def wanted_ports(environment: Mapping[str, str], port: int = 0) -> dict[str, WantedPort]:
    """The ports that were asked for, by their names in the plan: by BASE_PORT= one after the other, or each alone.

    `port`: the gateway's; 0 for any. Raises EnvironmentRefused for what is no port.
    """
    base = _number(environment, BASE_PORT)
    wanted = {name: WantedPort(base + offset, BASE_PORT) for offset, name in enumerate(PORT_NAMES) if base}
    for name in PORT_NAMES:
        variable = f"{name.upper()}_PORT"
        if own := _number(environment, variable):
            wanted[name] = WantedPort(own, variable)
    if port:
        wanted[GATEWAY] = WantedPort(port, "PORT")
    if beyond := [one for one in wanted.values() if one.port > _LARGEST_PORT]:
        raise EnvironmentRefused(f"{beyond[0].variable} leads to port {beyond[0].port}; {_LARGEST_PORT} is the last")
    return wanted


def _refuse_unknown(environment: Mapping[str, str]) -> None:
    from deployment.setting_catalogue import unknown_settings  # with pydantic and all settings: not at every start

    if unknown := unknown_settings(environment):
        raise EnvironmentRefused(describe_unknown(unknown))


def _refuse_unknown_of_suite(environment: Mapping[str, str]) -> None:
    fields = [name.removeprefix(PREFIX) for name in SUITE_NAMES if name.startswith(PREFIX)]
    unknown = unknown_names(PREFIX, [*fields, *_INNER], environment)
    unknown |= {name: meant for name in environment if (meant := _nearly_a_database(name))}
    if unknown := {name: meant for name, meant in unknown.items() if not name.startswith(_TESTS)}:
        raise EnvironmentRefused(describe_unknown(unknown))


def _nearly_a_database(name: str) -> str:
    """A slip in the one variable without a prefix that decides where everything is kept."""
    if name in VARIABLES or not name.isupper():
        return ""
    return next(iter(difflib.get_close_matches(name, ("DATABASE",), cutoff=_CLOSE)), "")


def _rest(name: str) -> str:
    return name.partition("_")[2]


def _number(environment: Mapping[str, str], variable: str) -> int:
    text = environment.get(variable, "").strip()
    if not text:
        return 0
    if not text.isdigit():
        raise EnvironmentRefused(f"{variable} is not a port: a number from 1 to {_LARGEST_PORT} is")
    return int(text)
