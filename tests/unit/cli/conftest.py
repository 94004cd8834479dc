"""Nothing of this machine's environment reaches a command."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator

import pytest
import structlog
from typer.testing import CliRunner, Result

from cli.main import app

Command = Callable[..., Result]


@pytest.fixture(autouse=True)
def unknown_installation(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    for name in [name for name in os.environ if name.startswith("RAPPORT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("RAPPORT_VAR", str(tmp_path_factory.mktemp("var")))


@pytest.fixture(autouse=True)
def logs_as_before() -> Iterator[None]:
    """A command is quiet for the rest of its process."""
    yield
    structlog.reset_defaults()
    logging.disable(logging.NOTSET)


@pytest.fixture
def rapport() -> Command:
    """`rapport WORDS`."""
    return lambda *words: CliRunner().invoke(app, [*words])
