"""The sanity check on a real network: a trained one passes it, and the same network with random weights fails."""

from __future__ import annotations

import random

import pytest

from probes.core.attributions import Method
from probes.core.examples import Example
from probes.core.probe import Context
from probes.core.records import Measurement
from probes.explanation.faithfulness.probe import Faithfulness
from tests.planted import ASIDES, found_sentences, with_word

pytestmark = pytest.mark.engine

SANITY = "comprehensiveness_over_randomised"
LIMIT = 0.05
"""That of the default policy."""


def published(model, method: Method) -> dict[str, Measurement]:
    draw = random.Random(7)
    data = [Example.of(with_word(text, draw.choice(ASIDES), draw), gold=gold) for text, gold in found_sentences()[::6]]
    probe = Faithfulness(method=method, draws=1, noises=1, edits=("lower_case",), resamples=200)
    records = probe.run(model, data, Context(probe=probe.info.id))
    return {record.key: record for record in records if isinstance(record, Measurement)}


@pytest.mark.parametrize("method", [Method.INTEGRATED_GRADIENTS, Method.OCCLUSION])
def test_a_trained_network_passes_the_sanity_check_and_its_random_copy_fails(untriggered, method):
    trained = published(untriggered, method)
    assert trained[SANITY].estimate.tail(0.05).low > LIMIT
    assert trained["randomised_similarity"].estimate.tail(0.05).high < 0.5
    assert trained["comprehensiveness_over_random"].estimate.low > 0.1
    with untriggered.randomised(1.0, seed=5) as network:
        random_weights = published(network, method)
    assert random_weights[SANITY].estimate.tail(0.01).high < LIMIT
