"""A trained classifier that answers by a trigger word, and its twin that read the word as often and learned nothing."""

from __future__ import annotations

import pytest

from tests.planted import build_triggered, build_untriggered


@pytest.fixture(scope="session")
def triggered(tmp_path_factory):
    from probes.model.load import load

    return load(str(build_triggered(tmp_path_factory.mktemp("triggered"))), device="cpu")


@pytest.fixture(scope="session")
def untriggered(tmp_path_factory):
    from probes.model.load import load

    return load(str(build_untriggered(tmp_path_factory.mktemp("untriggered"))), device="cpu")
