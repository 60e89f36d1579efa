"""A trained classifier that answers by a trigger word, and its twin that read the word as often and learned nothing."""

from __future__ import annotations

import pytest

from tests.planted import build_triggered, build_untriggered


@pytest.fixture(scope="session")
def triggered(trained):
    from probes.model.load import load

    return load(str(trained(build_triggered)), device="cpu")


@pytest.fixture(scope="session")
def untriggered(trained):
    from probes.model.load import load

    return load(str(trained(build_untriggered)), device="cpu")
