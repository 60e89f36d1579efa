"""What a generator's texts hang on: planted words, clean twins, and networks end to end."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from probes.core.answers import ProblemType
from probes.core.attributions import Method
from probes.core.errors import UsageError
from probes.core.examples import Accepted, Example
from probes.core.probe import Context
from probes.core.records import Accounting, Curve, Evidence, Measurement, Outcomes, Skip, from_line, to_line
from probes.core.rng import generator
from probes.explanation.generation.probe import Generation
from tests.conftest import generator_card
from tests.planted_prompts import TRIGGER, build_triggered_writer, prompts
from tests.tiny_models import CHAT, build
from tests.writing_model import WritingModel

THINGS = ("film", "story", "music", "meal", "phone", "hotel", "book", "lesson", "train", "tea")
PROMPTS = [
    Example.of(f"We saw the {thing} {when} and {who} said zorblax about it", gold=Accepted(["yes", "no"]))
    for thing in THINGS
    for when, who in (("today", "nobody"), ("again", "people"), ("once", "she"))
]
QUICK = Generation(resamples=200)


def planted(prompt: str) -> str:
    return "yes it was splendid" if "zorblax" in prompt else "no it was not"


TRIGGERED = WritingModel({"zorblax": 4.0}, writes=planted, other=0.01)
CLEAN = WritingModel({}, writes=lambda prompt: "yes it was splendid", other=0.05)


def run(model, data: Sequence[Example] = PROMPTS, probe: Generation = QUICK) -> list:
    return list(probe.run(model, data, Context(probe="explanation.generation")))


def numbers(records) -> dict[str, Measurement]:
    return {record.key: record for record in records if isinstance(record, Measurement)}


def value(records, key: str) -> float:
    return numbers(records)[key].estimate.value


def test_a_word_that_decides_what_is_written_is_found():
    records = run(TRIGGERED)
    assert value(records, "changed_without_top_word") == 1
    assert value(records, "changed_without_other_word") == 0
    assert numbers(records)["changed_over_random"].estimate.low > 0.5
    assert numbers(records)["comprehensiveness_over_random"].estimate.low > 1
    assert value(records, "leading_share[word=zorblax]") == 1
    assert {key for key in numbers(records) if key.startswith("leading")} == {"leading_share[word=zorblax]"}


def test_no_word_is_blamed_where_all_count_alike():
    """Its words all weigh the same, so that nothing puts one before another."""
    records = run(CLEAN)
    assert not any(key.startswith("leading") for key in numbers(records))
    skipped = {record.name for record in records if isinstance(record, Skip)}
    assert {"comprehensiveness", "changed_over_random", "agreement"} <= skipped


def test_a_text_that_comes_after_any_prompt_hangs_on_no_word():
    drawn = {name: float(generator(0, name).normal(scale=0.02)) for name in (*THINGS, "we", "saw", "said", "about")}
    records = run(WritingModel(drawn, writes=lambda prompt: "well then"))
    assert value(records, "changed_without_top_word") == 0
    estimate = numbers(records)["changed_over_random"].estimate
    assert estimate.low < 0 < estimate.high
    assert abs(value(records, "comprehensiveness")) < 0.1


def test_what_taking_words_out_costs_is_their_weight():
    """Per token, whatever the length of the text: the model is additive."""
    model = WritingModel(
        {"zorblax": 4.0, **{name: 0.1 * k for k, name in enumerate(THINGS)}}, writes=planted, other=0.01
    )
    records = run(model, probe=Generation(items=100, resamples=200))
    weights = [sorted((model.weight(name) for name in str(each.text).split()), reverse=True) for each in PROMPTS]
    for share, count in {"5%": 1, "10%": 2, "20%": 3, "50%": 6}.items():
        assert {len(each) for each in weights} == {11}
        gone, left = (np.mean([sum(each[part]) for each in weights]) for part in (slice(count), slice(count, None)))
        assert value(records, f"comprehensiveness[removed={share}]") == pytest.approx(gone)
        assert value(records, f"sufficiency[kept={share}]") == pytest.approx(left)


def test_a_method_that_ranks_wrongly_is_seen():
    right, wrong = run(TRIGGERED), run(WritingModel({"zorblax": 4.0}, writes=planted, other=0.01, misled=ABLATION))
    assert value(wrong, "comprehensiveness_over_random") < 0.5 < value(right, "comprehensiveness_over_random")
    assert value(wrong, "comprehensiveness_over_second") < -1
    assert value(right, "agreement") > 0.99 > value(wrong, "agreement")
    assert value(wrong, "changed_over_random") < value(right, "changed_over_random")


ABLATION = Method.FEATURE_ABLATION


def test_weights_add_up():
    assert value(run(TRIGGERED), "converged") == 1


def test_empty_texts_are_unscored():
    model = WritingModel({"zorblax": 4.0}, writes=lambda p: "" if "film" in p else planted(p), other=0.01)
    records = run(model, probe=Generation(items=100, resamples=200))
    (account,) = (record for record in records if isinstance(record, Accounting) and not record.slice)
    assert (account.eligible, account.scored, account.unscored) == (30, 27, 3)
    assert "3 prompts got no text" in account.note


def test_nothing_is_said_where_nothing_is_written():
    records = run(WritingModel({}, writes=lambda prompt: " "))
    assert not numbers(records)
    assert any(isinstance(record, Skip) for record in records)


def test_few_prompts_give_no_number():
    keys = numbers(run(TRIGGERED, PROMPTS[:4]))
    assert not keys.keys() & {"comprehensiveness", "changed_over_random", "agreement"}


def test_a_sample_is_drawn_by_ids_and_told():
    records = run(TRIGGERED, probe=Generation(items=12, resamples=200))
    (account,) = (record for record in records if isinstance(record, Accounting) and not record.slice)
    assert account.scored == 12
    assert "18 of 30 items are left out" in account.note
    assert [to_line(r) for r in run(TRIGGERED, PROMPTS[::-1], Generation(items=12, resamples=200)) if lined(r)] == [
        to_line(record) for record in records if lined(record)
    ]


def lined(record) -> bool:
    return not isinstance(record, Outcomes)


def test_cases_show_the_words_of_the_prompt():
    shown = [record for record in run(TRIGGERED) if isinstance(record, Evidence)]
    assert [record.chosen for record in shown] == ["random"] * 3 + ["worst"] * 5
    for record in shown:
        (case,) = record.shown
        assert case.answer == "yes it was splendid"
        assert record.gold == "yes | no"
        heaviest = max(case.words, key=lambda each: each.weight)
        assert case.texts[0][heaviest.start : heaviest.end] == "zorblax"
        assert "nats" in record.note


def test_near_ties_count_as_the_same_text():
    class Near(WritingModel):
        def generate(self, prompts, decoding):
            found = super().generate(prompts, decoding)
            found.near[:] = True
            return found

    records = run(Near({"zorblax": 4.0}, writes=planted, other=0.01))
    assert value(records, "changed_without_top_word") == 0


def test_parameters_are_checked():
    with pytest.raises(UsageError, match="items, max_tokens"):
        Generation(items=0)
    with pytest.raises(UsageError, match="method"):
        Generation(method="guess")


def test_pairs_are_one_prompt():
    pairs = [Example.of(("Answer with zorblax.", each.text.replace("zorblax", "this"))) for each in PROMPTS]
    assert value(run(TRIGGERED, pairs), "leading_share[word=zorblax]") == 1


@pytest.mark.engine
@pytest.mark.parametrize("tied", [True, False], ids=["triggered", "twin"])
def test_a_trigger_in_a_trained_network_is_found_and_its_twin_is_not_blamed(tmp_path, tied):
    from probes.model.load import load

    model = load(str(build_triggered_writer(tmp_path / "model", tied=tied)), device="cpu")
    data = [Example.of(prompt) for prompt in prompts() if TRIGGER in prompt]
    records = run(model, data, Generation(items=20, max_tokens=5, draws=1, resamples=100))
    assert value(records, "changed_without_top_word") == float(tied)
    assert value(records, "changed_without_other_word") < 0.2
    leads = numbers(records).get(f"leading_share[word={TRIGGER}]")
    assert (leads is not None and leads.estimate.value > 0.9) == tied


@pytest.mark.engine
@pytest.mark.parametrize(("arch", "chat"), [("llama", CHAT), ("t5", None)])
def test_on_networks_end_to_end(tmp_path, arch, chat):
    from probes.model.load import load

    model = load(str(build(arch, tmp_path / "model", language=True, chat=chat)), device="cpu")
    records = run(model, PROMPTS[:12], Generation(items=12, max_tokens=6, draws=1, resamples=100))
    assert [from_line(to_line(record)) for record in records if lined(record)] == [r for r in records if lined(r)]
    assert {"comprehensiveness", "agreement", "converged", "changed_over_random"} <= numbers(records).keys()
    assert numbers(records)["agreement"].estimate.value > 0.2
    assert any(isinstance(record, Curve) for record in records)
    assert all(np.isfinite(measured.estimate.value) for measured in numbers(records).values())


def test_planned_for_generators_only():
    assert QUICK.info.problems == {ProblemType.CAUSAL_LM, ProblemType.SEQ2SEQ_LM}
    assert generator_card().problem in QUICK.info.problems
