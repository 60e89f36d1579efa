from __future__ import annotations

import pytest

from probes.core.errors import UsageError
from probes.model.timing import matrix_product_flops


def test_a_machine_multiplies_at_a_plausible_speed():
    assert 1e8 < matrix_product_flops(device="cpu", dtype="float32") < 1e14


def test_an_unknown_device_is_refused():
    with pytest.raises(UsageError):
        matrix_product_flops(device="abacus", dtype="float32")
