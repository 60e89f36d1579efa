from __future__ import annotations

import pytest
import torch

from probes.core.errors import UsageError
from probes.model import device

pytestmark = pytest.mark.engine


@pytest.fixture
def machine(monkeypatch):
    def have(*, cuda=0, mps=False):
        monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda > 0)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: cuda)
        monkeypatch.setattr(torch.cuda, "current_device", lambda: 0)
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)

    return have


@pytest.mark.parametrize(
    ("have", "asked", "got"),
    [
        ({"cuda": 2, "mps": True}, "auto", "cuda:0"),
        ({"mps": True}, "auto", "mps"),
        ({}, "auto", "cpu"),
        ({"cuda": 2}, "cpu", "cpu"),
        ({"cuda": 2}, "cuda", "cuda:0"),
        ({"cuda": 2}, "cuda:1", "cuda:1"),
        ({"mps": True}, "mps", "mps"),
    ],
)
def test_choice(machine, have, asked, got):
    machine(**have)
    assert str(device.choose(asked)) == got


@pytest.mark.parametrize(
    ("have", "asked", "message"),
    [
        ({}, "cuda", "cuda was asked for"),
        ({"cuda": 1}, "cuda:1", "there is no cuda:1"),
        ({}, "mps", "no MPS"),
        ({}, "tpu", "no device is called 'tpu'"),
        ({"cuda": 1}, "cuda:x", "no device is called"),
        ({}, "", "no device is called"),
    ],
)
def test_devices_that_are_not_there(machine, have, asked, message):
    machine(**have)
    with pytest.raises(UsageError, match=message):
        device.choose(asked)


def test_name():
    assert device.describe(torch.device("cpu"))
