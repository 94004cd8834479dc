"""`rapport keys`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer

from cli.gateway import Gateway
from cli.installation import VAR, Var, installation
from cli.output import AsJson, fail, tell
from cli.table import table
from deployment.secret_names import SECRET_NAMES, env_file, new_secrets

app = typer.Typer(no_args_is_help=True, help="Secrets of an installation, and the API keys of those who call it.")
To = Annotated[Path | None, typer.Option("--to", metavar="FILE", help="Write them here, readable by you alone.")]

Subject = Annotated[str, typer.Argument(help="Whose it is; recorded with every change they make.")]
Role = Annotated[list[str], typer.Option(help="marketing, sales, manager, agent, ops or admin; may be repeated.")]
RepId = Annotated[str | None, typer.Option(help="The rep this caller is, for sales.")]
KeyId = Annotated[str, typer.Argument(help="As `list` shows it; not the key itself.")]
Keep = Annotated[bool, typer.Option("--keep", help="Leave the old one valid, to be revoked when all have the new one.")]
_FIRST = "key_bootstrap"


@app.command()
def new(to: To = None, as_json: AsJson = False) -> None:
    """Make every secret that an installation needs, as an env file.

    Nothing is kept here, and a file that is there is never overwritten.
    """
    if to is None:
        tell(new_secrets(), env_file, as_json=as_json)
        return
    try:
        _write_new(to, env_file(new_secrets()))
    except FileExistsError:
        fail(f"{to} is there already, and a running installation may live by it", "Name another file.", as_json=as_json)
    except OSError as error:
        fail(f"{to} cannot be written: {error.strerror}", "Name another file.", as_json=as_json)
    answer = {"file": str(to), "secrets": list(SECRET_NAMES)}
    tell(answer, lambda one: f"{len(one['secrets'])} secrets are in {one['file']}", as_json=as_json)


@app.command("list")
def list_keys(var: Var = VAR, as_json: AsJson = False) -> None:
    """List the API keys, by their ends: whose they are and what they may do."""
    keys = list(Gateway(installation(var), as_json=as_json).pages("/v1/keys"))
    head = ("key_id", "hint", "subject", "roles", "made", "state")
    tell(keys, lambda found: table(head, [_row(key) for key in found]), as_json=as_json)


@app.command()
def make(subject: Subject, role: Role, rep_id: RepId = None, var: Var = VAR, as_json: AsJson = False) -> None:
    """Make an API key. It is shown once, here."""
    wish = {"subject": subject, "roles": role} | ({"rep_id": rep_id} if rep_id else {})
    tell(Gateway(installation(var), as_json=as_json).call("/v1/keys", "POST", wish), _made, as_json=as_json)


@app.command()
def revoke(key_id: KeyId, var: Var = VAR, as_json: AsJson = False) -> None:
    """Revoke an API key."""
    _refuse_first(key_id, as_json)
    Gateway(installation(var), as_json=as_json).call(f"/v1/keys/{quote(key_id)}", "DELETE")
    tell({"revoked": key_id}, lambda _: f"{key_id} is revoked.", as_json=as_json)


@app.command()
def rotate(key_id: KeyId, keep: Keep = False, var: Var = VAR, as_json: AsJson = False) -> None:
    """Make an API key that may do the same, and revoke the old one."""
    _refuse_first(key_id, as_json)
    gateway = Gateway(installation(var), as_json=as_json)
    old = next((key for key in gateway.pages("/v1/keys") if key["key_id"] == key_id), None)
    if old is None:
        fail(f"there is no key {key_id}", "`rapport keys list` shows them.", as_json=as_json)
    made = gateway.call("/v1/keys", "POST", {name: old[name] for name in ("subject", "roles", "rep_id", "teams")})
    if not keep:
        gateway.call(f"/v1/keys/{quote(key_id)}", "DELETE")
    tell(made | {"replaces": key_id, "is_replaced_revoked": not keep}, _made, as_json=as_json)


def _refuse_first(key_id: str, as_json: bool) -> None:
    if key_id == _FIRST:
        fail(
            f"{_FIRST} is the key of this installation's settings",
            "Start the suite with another one in GATEWAY_BOOTSTRAP_API_KEY; it replaces this one, also in rapport.env.",
            as_json=as_json,
        )


def _row(key: Mapping[str, Any]) -> list[object]:
    state = "revoked" if key["is_revoked"] else "valid"
    return [key["key_id"], key["hint"], key["subject"], ", ".join(key["roles"]), key["created_at"], state]


def _made(key: Mapping[str, Any]) -> str:
    return f"{key['api_key']}\n{key['key_id']}: {key['subject']}, {', '.join(key['roles'])}. It is not shown again."


def _write_new(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(descriptor)
