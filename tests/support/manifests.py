"""The manifests of `k8s/` as a cluster would get them: rendered by kustomize, with secrets made up for one test."""

from __future__ import annotations

import secrets
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import yaml

from chassis.bus.callout.claims import Issuer, new_issuer_seed
from chassis.keys import generate_key_pair
from deployment.catalogue import PROCESSES
from tests.support.kubernetes_tools import ROOT, program

Manifest = dict[str, Any]
FOLDER: Final = ROOT / "k8s"
LOCAL, PRODUCTION, OTHER = "overlays/local", "overlays/production", "overlays/other"
OVERLAYS: Final = (LOCAL, PRODUCTION, OTHER)
"""Those that are kept, and one with the components that they leave out."""
_OTHER: Final = {
    "apiVersion": "kustomize.config.k8s.io/v1beta1",
    "kind": "Kustomization",
    "namespace": "rapport",
    "resources": ["../../base"],
    "components": ["../../components/postgres-external", "../../components/ingress"],
}
WORKLOADS: Final = ("Deployment", "StatefulSet", "Job", "CronJob")


def made_up_secrets() -> dict[str, str]:
    """A value for every name that an installation has a secret under."""
    seed = new_issuer_seed()
    private, public = generate_key_pair()
    names = [f"{one.prefix}{kind}_PASSWORD" for one in PROCESSES for kind in ("DATABASE", "OWNER", "NATS")]
    names += [f"{user}_NATS_PASSWORD" for user in ("OBSERVER", "OPERATOR", "BACKUP", "REVOKER")]
    return {
        **{name: f"p{secrets.token_hex(12)}" for name in (*names, "POSTGRES_PASSWORD", "NATS_CLUSTER_PASSWORD")},
        "CALLOUT_SEED": seed,
        "CALLOUT_ISSUER": Issuer(seed).public_key,
        "TOKEN_PRIVATE_KEY": private,
        "TOKEN_PUBLIC_KEY": public,
        "BOOTSTRAP_API_KEY": f"rk_{secrets.token_hex(16)}",
        "BOOTSTRAP_WRITE_KEY": f"wk_{secrets.token_hex(16)}",
    }


def copy(target: Path, values: dict[str, str]) -> Path:
    """`k8s/` in `target`, with an env file of secrets, and the overlay OTHER."""
    folder = target / "k8s"
    shutil.copytree(FOLDER, folder)
    (folder / LOCAL / "secrets.env").write_text("".join(f"{name}={value}\n" for name, value in values.items()))
    (folder / OTHER).mkdir()
    (folder / OTHER / "kustomization.yaml").write_text(yaml.safe_dump(_OTHER))
    return folder


def render(folder: Path, what: str) -> list[Manifest]:
    """All objects of an overlay. Skips the test where there is no kustomize."""
    words = [str(program("kustomize")), "build", str(folder / what)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == "", done.stderr  # a warning is something to mend
    return list(yaml.safe_load_all(done.stdout))


def of_kind(objects: list[Manifest], *kinds: str) -> list[Manifest]:
    """Those of these kinds."""
    return [one for one in objects if one["kind"] in kinds]


def title(one: Manifest) -> str:
    """How an object is called in a message."""
    return f"{one['kind']}/{one['metadata']['name']}"


def pod_of(workload: Manifest) -> Manifest:
    """The specification of its pods."""
    spec: Manifest = _template(workload)["spec"]
    return spec


def labels_of(workload: Manifest) -> dict[str, str]:
    """The labels of its pods."""
    labels: dict[str, str] = _template(workload)["metadata"]["labels"]
    return labels


def containers(workload: Manifest) -> list[Manifest]:
    """All containers of its pods."""
    pod = pod_of(workload)
    return [*pod.get("initContainers", []), *pod["containers"]]


def selects(selector: Manifest, labels: dict[str, str]) -> bool:
    """Whether a label selector finds what carries `labels`."""
    return all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items()) and all(
        _holds(one, labels) for one in selector.get("matchExpressions", [])
    )


def secret_keys(workload: Manifest) -> Iterator[tuple[str, str]]:
    """(secret, key) of every reference in its environment."""
    for container in containers(workload):
        for variable in container.get("env", []):
            found = variable.get("valueFrom", {}).get("secretKeyRef")
            if found:
                yield found["name"], found["key"]


def _template(workload: Manifest) -> Manifest:
    job: Manifest = workload["spec"]["jobTemplate"] if workload["kind"] == "CronJob" else workload
    template: Manifest = job["spec"]["template"]
    return template


def _holds(expression: Manifest, labels: dict[str, str]) -> bool:
    assert expression["operator"] == "In", expression
    return labels.get(expression["key"]) in expression["values"]
