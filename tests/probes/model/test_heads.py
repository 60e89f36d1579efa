"""Logits of single places, whatever a network does with the states before its head."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from probes.model.heads import log_probabilities, logits_at, placed

STATES = torch.randn(3, 5, 4, generator=torch.Generator().manual_seed(0))
AT = (torch.tensor([0, 0, 2]), torch.tensor([1, 4, 0]))


class Network:
    """A head behind given states, which it is handed in some form."""

    def __init__(self, given=lambda states: states, made=lambda logits: logits):
        self.head, self.seen = torch.nn.Linear(4, 7), []
        self.head.register_forward_hook(lambda _, given, __: self.seen.append(tuple(given[0].shape)))
        self._given, self._made = given, made

    def get_output_embeddings(self):
        return self.head

    def __call__(self, **_):
        return SimpleNamespace(logits=self._made(self.head(self._given(STATES))))


def found(network):
    with torch.no_grad():
        expected = torch.nn.functional.linear(STATES, network.head.weight, network.head.bias)[AT]
        assert torch.allclose(logits_at(network, {}, AT, shape=STATES.shape[:2]), expected, atol=1e-6)
    return network.seen


def test_the_head_works_on_the_places_alone():
    assert found(Network()) == [(1, 3, 4)]


def test_a_head_that_reads_states_in_another_form_is_left_as_it_is():
    flat = Network(lambda states: states.reshape(15, 4), lambda logits: logits.reshape(3, 5, 7))
    assert found(flat) == [(15, 4)]


def test_other_calls_of_the_head_are_not_touched():
    network = Network()
    found(network)
    assert network.head(STATES).shape == (3, 5, 7)


def test_logits_that_are_not_of_the_tokens_are_told():
    with pytest.raises(ValueError, match="one row for each token"):
        logits_at(Network(made=lambda logits: logits[:, :2]), {}, AT, shape=STATES.shape[:2])


def test_log_probabilities_of_several_targets_at_one_place():
    logits = torch.tensor([[0.0, 1.0], [3.0, 0.0]])
    rows, targets = torch.tensor([0, 0, 1]), torch.tensor([0, 1, 1])
    expected = logits.log_softmax(dim=1)[rows, targets]
    assert torch.allclose(log_probabilities(logits, rows, targets), expected)


def test_numbers_come_to_their_rows_in_any_order():
    answers = placed(torch.tensor([1.0, 2.0, 3.0]), np.array([2, 0, 1]), np.array([2, 1, 0]))
    assert answers.tolist() == [[2.0, 3.0], [0.0, 0.0], [1.0, 0.0]]
