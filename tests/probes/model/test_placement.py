from __future__ import annotations

import pytest
import torch

from probes.core.errors import ModelError
from probes.model import placement
from probes.model.placement import ROOM, device_map

CPU, CUDA = torch.device("cpu"), torch.device("cuda", 0)
GIB = 2**30


@pytest.fixture
def free(monkeypatch):
    monkeypatch.setattr(placement, "free_bytes", lambda place: 10 * GIB)


@pytest.mark.usefixtures("free")
@pytest.mark.parametrize(
    ("needed", "packed", "expected"),
    [
        (1 * GIB, False, None),
        (int(10 * GIB / ROOM) - 1, False, None),
        (int(10 * GIB / ROOM) + GIB, False, "auto"),
        (40 * GIB, True, "auto"),
        (1 * GIB, True, {"": CUDA}),
    ],
)
def test_on_a_card(needed, packed, expected):
    assert device_map(place=CUDA, needed=needed, packed=packed) == expected


def test_a_cpu_is_never_left(monkeypatch):
    monkeypatch.setattr(placement, "free_bytes", lambda place: pytest.fail("asked for the memory of a card"))
    assert device_map(place=CPU, needed=10**15, packed=False) is None
    assert device_map(place=CPU, needed=10**15, packed=True) == {"": CPU}


@pytest.mark.usefixtures("free")
def test_spreading_needs_accelerate(monkeypatch):
    monkeypatch.setattr(placement, "find_spec", lambda name: None)
    assert device_map(place=CUDA, needed=GIB, packed=False) is None
    with pytest.raises(ModelError, match=r"37\.3 GiB") as error:
        device_map(place=CUDA, needed=40 * 10**9, packed=False)
    assert "accelerate" in error.value.hint


def test_what_torch_holds_and_does_not_use_is_free(monkeypatch):
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda place: (5 * GIB, 80 * GIB))
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda place: 3 * GIB)
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda place: GIB)
    assert placement.free_bytes(CUDA) == 7 * GIB
