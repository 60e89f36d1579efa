"""What a question to a generator costs."""

from __future__ import annotations

import pytest

from audits.planning.domains import Domains
from audits.planning.pools import Pools
from audits.planning.prices import EVEN, TEMPLATE, TRIED, WRITTEN, Prices
from audits.planning.recorder import Recorder
from audits.planning.rehearsal import rehearse
from probes.core.answers import ProblemType
from probes.core.examples import Example
from probes.core.generations import Decoding
from probes.core.model import Capability
from tests.audits.stubs import Stub, info
from tests.conftest import generator_card, model_card

TEXTS = ["one two three four", "one two three four five six"]
FIVE = "a b c d e"
CHAT = generator_card().model_copy(update={"chat": True})
SEQ2SEQ = generator_card().model_copy(update={"problem": ProblemType.SEQ2SEQ_LM})


def test_a_usual_question_costs_one():
    assert Prices.of(generator_card(), TEXTS).read(FIVE) == 1
    usual = Decoding(max_tokens=TRIED)
    assert Prices.of(SEQ2SEQ, TEXTS).write(FIVE, usual) == pytest.approx(1)


def test_all_questions_to_a_classifier_cost_the_same():
    prices = Prices.of(model_card(), TEXTS)
    assert prices is EVEN
    assert prices.read(FIVE * 100) == prices.read("a") == 1
    assert Prices.of(generator_card(), []) is EVEN


def test_reading_grows_with_the_texts_and_a_template():
    plain, chat = Prices.of(generator_card(), TEXTS), Prices.of(CHAT, TEXTS)
    assert plain.read(FIVE, FIVE) == plain.read((FIVE, FIVE)) == 2
    assert plain.read(FIVE, reply=True) == chat.read(FIVE) == 1
    assert chat.read(FIVE, reply=True) == 1 + TEMPLATE / 5


def test_writing_reads_the_prompt_and_grows_with_tokens_and_samples():
    prices = Prices.of(generator_card(), TEXTS)
    one = prices.write(FIVE, Decoding(max_tokens=10))
    assert one == pytest.approx(1 + 10 * WRITTEN / 5)
    assert prices.write(FIVE, Decoding(max_tokens=20)) == pytest.approx(2 * one - 1)
    assert prices.write(f"{FIVE} {FIVE}", Decoding(max_tokens=10)) == pytest.approx(one + 1)
    assert prices.write(FIVE, Decoding(max_tokens=10, samples=7, temperature=1.0)) == pytest.approx(7 * one)
    # The likeliest tokens are written once.
    assert prices.write(FIVE, Decoding(max_tokens=10, samples=7)) == one
    assert Prices.of(generator_card(), TEXTS, written=1.0).write(FIVE, Decoding(max_tokens=10)) == 3


def test_the_engine_is_timed_on_as_many_tokens():
    from probes.model import engine

    assert engine.TRIED.max_tokens == TRIED


def test_a_rehearsal_charges_long_prompts_and_long_texts_more():
    class Asks(Stub):
        def run(self, model, data, ctx):
            model.generate([f"{example.text} {'more ' * extra}" for example in data], Decoding(max_tokens=tokens))
            yield from ()

    texts = tuple(Example(id=str(k), text=f"prompt number {k} here") for k in range(40))
    found = {}
    for extra, tokens in ((0, 5), (40, 5), (0, 50)):
        probe = Asks(info=info("a.one", needs=frozenset({Capability.GENERATE})))
        pools = Pools(texts, Domains(home=texts), seed=0)
        found[extra, tokens] = rehearse([probe], pools, card=generator_card(), seed=0, written=2.0)["a.one"].calls(40)
    assert found == {(0, 5): 40 * 3.5, (40, 5): 40 * 13.5, (0, 50): 40 * 26}


def test_scores_and_explanations_of_what_was_written_read_both():
    recorder = Recorder(generator_card(), prices=Prices.of(generator_card(), TEXTS))
    recorder.score_written([FIVE], [FIVE])
    recorder.score([f"{FIVE} {FIVE} {FIVE}"])
    assert list(recorder.asked.values()) == [2, 3]
