"""A real API server of Kubernetes, with etcd, on loopback: what it refuses a cluster would refuse.

Nothing runs in it: there is no controller and no node.
"""

from __future__ import annotations

import contextlib
import json
import ssl
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from embedded.ports import free_ports
from tests.support.kubernetes_tools import program

Manifest = dict[str, Any]
_START_SECONDS: Final = 120.0
_TOKEN: Final = "letmein"
_APPLY: Final = {"fieldManager": "tests", "force": "false"}
_AS_APPLY: Final = {"content-type": "application/apply-patch+yaml"}


@dataclass
class ApiServer:
    """Applies objects by server-side apply."""

    client: httpx.Client
    warnings: list[str] = field(default_factory=list)
    _plurals: dict[tuple[str, str], tuple[str, bool]] = field(default_factory=dict)

    def apply(self, one: Manifest, *, dry: bool = False) -> Manifest:
        """Create or change an object as whoever applies manifests does; gives back what is stored.

        What the server warns of is kept in `warnings`. Raises AssertionError with the server's words.
        """
        answer = self.client.patch(
            self.path(one),
            params={**_APPLY, **({"dryRun": "All"} if dry else {})},
            headers=_AS_APPLY,
            content=json.dumps(one),
        )
        assert answer.is_success, f"{one['kind']}/{one['metadata']['name']}: {answer.status_code} {answer.text}"
        self.warnings += [f"{one['kind']}/{one['metadata']['name']}: {text}" for text in _warnings(answer)]
        stored: Manifest = answer.json()
        return stored

    def define(self, definition: Manifest) -> None:
        """Make a custom resource known, and wait until it is served."""
        name, spec = definition["metadata"]["name"], definition["spec"]
        self.apply(definition)
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            stored = self.client.get(f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{name}").json()
            conditions = {one["type"]: one["status"] for one in stored.get("status", {}).get("conditions") or []}
            served = [version["name"] for version in spec["versions"] if version["served"]]
            if conditions.get("Established") == "True" and self._lists(spec, served):
                return
            time.sleep(0.05)
        raise AssertionError(f"{name} is not served: {conditions}")

    def path(self, one: Manifest) -> str:
        """Where an object is kept."""
        plural, is_namespaced = self._plural(one["apiVersion"], one["kind"])
        namespace = f"/namespaces/{one['metadata']['namespace']}" if is_namespaced else ""
        return f"{_root(one['apiVersion'])}{namespace}/{plural}/{one['metadata']['name']}"

    def _plural(self, api: str, kind: str) -> tuple[str, bool]:
        if (api, kind) not in self._plurals:
            found = self.client.get(_root(api)).raise_for_status().json()["resources"]
            for one in found:
                if "/" not in one["name"]:
                    self._plurals[api, one["kind"]] = (one["name"], one["namespaced"])
        return self._plurals[api, kind]

    def _lists(self, spec: Manifest, versions: list[str]) -> bool:
        plural, group = spec["names"]["plural"], spec["group"]
        return all(self.client.get(f"/apis/{group}/{version}/{plural}").is_success for version in versions)


@contextlib.contextmanager
def running(folder: Path) -> Iterator[ApiServer]:
    """The server, answering; it and its etcd are gone after the block."""
    store, peers, port = free_ports(3)
    with contextlib.ExitStack() as stack:
        stack.enter_context(_process(folder, "etcd", _etcd_words(folder, store, peers)))
        process = stack.enter_context(_process(folder, "kube-apiserver", _server_words(folder, store, port)))
        client = stack.enter_context(_client(folder, port, process))
        yield ApiServer(client)


def _etcd_words(folder: Path, port: int, peers: int) -> list[str]:
    own, other = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{peers}"
    return [
        f"--data-dir={folder / 'etcd'}",
        f"--listen-client-urls={own}",
        f"--advertise-client-urls={own}",
        f"--listen-peer-urls={other}",
        f"--initial-advertise-peer-urls={other}",
        f"--initial-cluster=default={other}",
        "--unsafe-no-fsync",
        "--log-level=error",
    ]


def _server_words(folder: Path, store: int, port: int) -> list[str]:
    (folder / "tokens.csv").write_text(f'{_TOKEN},tests,1,"system:masters"\n')
    key = ec.generate_private_key(ec.SECP256R1())
    private = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    (folder / "accounts.key").write_bytes(private)
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (folder / "accounts.pub").write_bytes(public)
    return [
        f"--etcd-servers=http://127.0.0.1:{store}",
        f"--cert-dir={folder / 'certificates'}",
        "--bind-address=127.0.0.1",
        f"--secure-port={port}",
        "--service-cluster-ip-range=10.0.0.0/24",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={folder / 'accounts.pub'}",
        f"--service-account-signing-key-file={folder / 'accounts.key'}",
        f"--token-auth-file={folder / 'tokens.csv'}",
        "--authorization-mode=RBAC",
        "--endpoint-reconciler-type=none",
    ]


@contextlib.contextmanager
def _process(folder: Path, name: str, words: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    with (folder / f"{name}.log").open("ab") as log:
        process = subprocess.Popen([str(program(name)), *words], stdout=log, stderr=log, cwd=folder)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextlib.contextmanager
def _client(folder: Path, port: int, process: subprocess.Popen[bytes]) -> Iterator[httpx.Client]:
    certificate, deadline = folder / "certificates" / "apiserver.crt", time.monotonic() + _START_SECONDS
    while not certificate.exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    trusted = ssl.create_default_context(cafile=str(certificate)) if certificate.exists() else True
    headers = {"authorization": f"Bearer {_TOKEN}"}
    with httpx.Client(base_url=f"https://127.0.0.1:{port}", headers=headers, verify=trusted, timeout=60) as client:
        while process.poll() is None and time.monotonic() < deadline:
            with contextlib.suppress(httpx.TransportError):
                if client.get("/readyz").is_success:
                    yield client
                    return
            time.sleep(0.1)
    raise AssertionError(f"the API server did not start:\n{(folder / 'kube-apiserver.log').read_text()[-3000:]}")


def _root(api: str) -> str:
    return f"/apis/{api}" if "/" in api else f"/api/{api}"


def _warnings(answer: httpx.Response) -> list[str]:
    return [text for name, text in answer.headers.multi_items() if name == "warning"]
