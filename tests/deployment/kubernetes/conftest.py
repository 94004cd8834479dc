"""What the tests of `k8s/` have in common: its overlays, rendered once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import manifests
from tests.support.manifests import Manifest


@pytest.fixture(scope="session")
def secret_values() -> dict[str, str]:
    """The secrets of one installation."""
    return manifests.made_up_secrets()


@pytest.fixture(scope="session")
def k8s(tmp_path_factory: pytest.TempPathFactory, secret_values: dict[str, str]) -> Path:
    """A copy of `k8s/` that can be rendered."""
    return manifests.copy(tmp_path_factory.mktemp("k8s"), secret_values)


@pytest.fixture(scope="session")
def overlays(k8s: Path) -> dict[str, list[Manifest]]:
    """Overlay -> its objects."""
    return {overlay: manifests.render(k8s, overlay) for overlay in manifests.OVERLAYS}
