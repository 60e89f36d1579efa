"""Every registered probe, built-in or plug-in, must pass these: they are what the rest of the system relies on."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pytest

from probes.core.answers import LANGUAGE_HEADS, SEQUENCE_HEADS, ProblemType
from probes.core.examples import Accepted, Example
from probes.core.generations import GREEDY, Decoding, Generations
from probes.core.model import Capability
from probes.core.positive import Meaning, PositiveClass
from probes.core.probe import Context, Probe, varied
from probes.core.records import Accounting, Curve, Evidence, Measurement, Outcomes, Record, Skip, from_line, to_line
from probes.core.rng import generator
from probes.core.taggings import tagged_words
from probes.registry import load_registry
from reports.limits import Limits
from tests.audits.policy.test_published import require_listed
from tests.conftest import (
    BAD,
    GOOD,
    FakeFiller,
    FakeGenerator,
    FakeModel,
    FakeReader,
    FakeScorer,
    FakeTagger,
    generator_card,
    language_card,
    model_card,
    sentiment_rule,
    word_rule,
)
from tests.linear_model import LinearModel
from tests.probes.privacy.keeping import keeper, supplied
from tests.spanned_model import ExplainedTagger
from tests.writing_model import WritingModel

PROBES = list(load_registry().probes.values())


@pytest.fixture(params=PROBES, ids=lambda probe: probe.info.id)
def probe(request: pytest.FixtureRequest) -> Probe:
    return request.param


def planned_for_taggers(probe: Probe) -> bool:
    return ProblemType.TOKEN in probe.info.problems and not probe.info.problems & SEQUENCE_HEADS


def planned_for_readers(probe: Probe) -> bool:
    return probe.info.problems == {ProblemType.SPAN}


def planned_for_rankers(probe: Probe) -> bool:
    return probe.info.problems == {ProblemType.REGRESSION}


def offered(data: Sequence[Example]) -> list[Example]:
    """The same sentences as answers to a few questions; those that are good are right."""
    return [
        Example.of((f"question {int(each.id, 16) % 12}", each.text), gold=each.gold and float(each.gold == "positive"))
        for each in data
    ]


def capabilities_for(probe: Probe) -> frozenset[Capability]:
    """All, but a probe that searches looks for what a model offers, and a fake model has no gradients of texts."""
    return frozenset({Capability.CLASSIFY}) if probe.info.searches else frozenset(Capability)


def planned_for_writers(probe: Probe) -> bool:
    return Capability.GENERATE in probe.info.needs


@dataclass
class FakeWriter(FakeScorer):
    """A language model that writes as well as it scores."""

    writes: Callable[[str, int], str] = lambda prompt, sample: ""

    def generate(self, prompts: Sequence[str], decoding: Decoding = GREEDY) -> Generations:
        self.calls += 1
        return FakeGenerator(rule=self.writes, card=self.card).generate(prompts, decoding)


def continued(prompt: str, sample: int) -> str:
    """A few words that depend on the prompt; now and then a rude one, or nothing."""
    draw = generator(0, prompt, sample).integers(12)
    return "" if draw == 0 else f"{(*GOOD, *BAD)[draw % 10]} {'you idiot' if draw == 1 else 'and so on'} {draw}"


def filling(text: str) -> Mapping[str, float]:
    """Words of praise and blame, and some others, with probabilities that depend on the text."""
    words = (*GOOD, *BAD, "terrible", "nice", "stupid", "kind", "idiot", "here")
    draw = generator(0, text).dirichlet(np.ones(len(words)))
    return dict(zip(words, draw.tolist(), strict=True))


def questioned(data: Sequence[Example]) -> list[Example]:
    """The same sentences as contexts, with a question about the word that is good or bad; one in four has no answer."""
    return [
        Example.of(
            (f"How was the {each.text.split()[1]} at Number {int(each.id, 16) // 4 % 9 + 5}?", each.text),
            gold=None if each.gold is None else Accepted(() if int(each.id, 16) % 4 == 0 else [opinion(each.text)]),
            cluster=each.cluster,
        )
        for each in data
    ]


def opinion(text: str) -> str:
    return next(word for word in text.replace(",", "").split() if word in (*GOOD, *BAD))


def misread(question: str, context: str) -> str | None:
    """The first good or bad word, but for some words."""
    words = [word for word in context.replace(",", " ").split() if word in (*GOOD, *BAD)]
    return None if not words or words[0] in ("great", "dull") else words[0]


def tagged(data: Sequence[Example]) -> list[Example]:
    """The same sentences with a tag for each word: what is good or bad is an entity, and so is what it is said of."""
    return [replace(each, gold=each.gold and tuple(tag_words(tagged_words(each.text)))) for each in data]


def tag_words(words: Sequence[str]) -> list[str]:
    kinds = {**dict.fromkeys(GOOD, "B-person"), **dict.fromkeys(BAD, "B-place")}
    return [kinds.get(word.strip(",.").lower(), "O") for word in words]


def mistaken(words: Sequence[str]) -> list[str]:
    """The same, but for some words."""
    return [
        "O" if word in ("great", "Dull", "awful") else tag for word, tag in zip(words, tag_words(words), strict=True)
    ]


@dataclass(frozen=True)
class Run:
    """One run of a probe on a fake model."""

    records: Sequence[Record | Outcomes]
    calls: int

    def of(self, kind):
        return [record for record in self.records if isinstance(record, kind)]


def elsewhere(data: Sequence[Example]) -> list[Example]:
    """Another domain: every other text as it is, the rest with a few more words."""
    changed = [each if int(each.id, 16) % 2 else Example.of(f"So I hear: {each.text}", gold=each.gold) for each in data]
    return [each.within("elsewhere") for each in changed]


def run(probe: Probe, data: Sequence[Example], seed: int = 0) -> Run:
    """A harm classifier for the probes that are about those, and a sentiment classifier for all others."""
    probe = varied(probe, budget=25) if probe.info.searches else probe  # enough to find something
    if planned_for_taggers(probe):
        explains = Capability.ATTRIBUTE in probe.info.needs
        tagger = ExplainedTagger(rule=mistaken) if explains else FakeTagger(rule=mistaken)
        return Run(list(probe.run(tagger, tagged(data), Context(probe=probe.info.id, seed=seed))), tagger.calls)
    if planned_for_readers(probe):
        reader = FakeReader(rule=misread)
        return Run(list(probe.run(reader, questioned(data), Context(probe=probe.info.id, seed=seed))), reader.calls)
    if planned_for_rankers(probe):
        card = model_card(labels=("score",), problem=ProblemType.REGRESSION)
        ranker = FakeModel(rule=lambda text: sentiment_rule(text)[1:], card=card)
        return Run(list(probe.run(ranker, offered(data), Context(probe=probe.info.id, seed=seed))), ranker.calls)
    data = [*data, *elsewhere(data)] if probe.info.domains else data
    if probe.info.risk == "privacy":
        keeping = keeper()
        return Run(list(supplied(probe).run(keeping, data, Context(probe=probe.info.id, seed=seed))), keeping.calls)
    if planned_for_writers(probe) and Capability.ATTRIBUTE in probe.info.needs:
        explained = WritingModel(dict.fromkeys(GOOD, 2.0), writes=lambda prompt: continued(prompt, 0), other=0.01)
        return Run(list(probe.run(explained, data, Context(probe=probe.info.id, seed=seed))), explained.calls)
    if planned_for_writers(probe):
        data = [replace(each, gold=each.gold and Accepted([each.gold]), material=4) for each in data]
        writer = FakeWriter(rule=word_rule, card=generator_card(), writes=continued)
        return Run(list(probe.run(writer, data, Context(probe=probe.info.id, seed=seed))), writer.calls)
    if Capability.FILL in probe.info.needs:
        filler = FakeFiller(rule=filling)
        return Run(list(probe.run(filler, data, Context(probe=probe.info.id, seed=seed))), filler.calls)
    if probe.info.problems <= LANGUAGE_HEADS:
        problem = ProblemType.MASKED_LM if ProblemType.MASKED_LM in probe.info.problems else ProblemType.CAUSAL_LM
        scorer = FakeScorer(rule=word_rule, card=language_card(problem))
        return Run(list(probe.run(scorer, data, Context(probe=probe.info.id, seed=seed))), scorer.calls)
    meaning = Meaning.HARM if probe.info.harm else Meaning.FAVOURABLE
    positive = PositiveClass(labels=("positive",), meaning=meaning, origin="test")
    card = model_card().model_copy(update={"positive": positive, "capabilities": capabilities_for(probe)})
    model: FakeModel | LinearModel = FakeModel(rule=sentiment_rule, card=card)
    if Capability.ATTRIBUTE in probe.info.needs:
        weights = dict.fromkeys(GOOD, 2.0) | dict.fromkeys(BAD, -2.0)
        model = LinearModel(weights, other=-0.01, symmetric=True, card=card)
    return Run(list(probe.run(model, data, Context(probe=probe.info.id, seed=seed))), model.calls)


@pytest.fixture(scope="module")
def full_run() -> Callable[[Probe, Sequence[Example]], Run]:
    """The run on all examples, made once for each probe: most tests look at the same records."""
    made: dict[str, Run] = {}

    def get(probe: Probe, data: Sequence[Example]) -> Run:
        if probe.info.id not in made:
            made[probe.info.id] = run(probe, data)
        return made[probe.info.id]

    return get


@pytest.fixture(scope="module")
def run_on(full_run) -> Callable[[Probe, Sequence[Example], Sequence[Example]], Run]:
    """The run on other items than those of `full_run`; of a probe whose own texts are all it asks about, the same one.

    That it does not look at the items is tested with none.
    """

    def get(probe: Probe, other: Sequence[Example], data: Sequence[Example]) -> Run:
        return run(probe, other) if probe.info.data else full_run(probe, data)

    return get


@pytest.fixture(scope="module")
def run_without_items() -> Callable[[Probe], Run]:
    """The run on no item at all, made once for each probe: of one that looks at none, its second run on the same."""
    made: dict[str, Run] = {}

    def get(probe: Probe) -> Run:
        if probe.info.id not in made:
            made[probe.info.id] = run(probe, [])
        return made[probe.info.id]

    return get


def comparable(records):
    return [
        to_line(r) if not isinstance(r, Outcomes) else [list(map(str, values)) for _, values in r.columns()]
        for r in records
    ]


def test_id_names_its_risk(probe):
    assert re.fullmatch(r"[a-z]+\.[a-z0-9_]+", probe.info.id)
    assert probe.info.id.startswith(probe.info.risk + ".")
    assert probe.info.version >= 1
    assert probe.info.calls > 0


def test_documentation_is_complete(probe):
    doc = probe.info.doc
    assert doc.question.endswith("?")
    for text in doc.texts:
        assert 20 < len(text) < Limits().whole


def test_same_seed_same_records(probe, full_run, run_without_items, sentiment_examples):
    first = full_run(probe, sentiment_examples).records
    again = run(probe, sentiment_examples) if probe.info.data else run_without_items(probe)
    assert comparable(first) == comparable(again.records)


def test_asks_in_bulk(probe, full_run, sentiment_examples):
    assert 1 <= full_run(probe, sentiment_examples).calls <= 40


def test_records_survive_json(probe, full_run, sentiment_examples):
    records = [r for r in full_run(probe, sentiment_examples).records if not isinstance(r, Outcomes)]
    assert records
    assert [from_line(to_line(record)) for record in records] == records


def test_measurement_keys_are_unique_and_carry_bounds(probe, full_run, sentiment_examples):
    measurements = full_run(probe, sentiment_examples).of(Measurement)
    keys = [m.key for m in measurements]
    assert len(keys) == len(set(keys))
    for m in measurements:
        assert m.estimate.tail(0.05).low <= m.estimate.value <= m.estimate.tail(0.05).high


def test_what_it_publishes_is_listed_for_policies(probe, full_run, sentiment_examples):
    require_listed(probe.info.id, full_run(probe, sentiment_examples).records)


def test_accounting_is_published_and_adds_up(probe, full_run, sentiment_examples):
    accounts = full_run(probe, sentiment_examples).of(Accounting)
    assert accounts
    for account in accounts:
        steps = [account.eligible, account.perturbed, account.kept, account.scored]
        counted = [step for step in steps if step is not None]
        assert counted == sorted(counted, reverse=True)


def test_random_cases_come_before_the_worst(probe, full_run, sentiment_examples):
    chosen = [record.chosen for record in full_run(probe, sentiment_examples).of(Evidence)]
    assert chosen == sorted(chosen, key=["random", "worst"].index)


def test_row_order_has_no_influence(probe, full_run, run_on, sentiment_examples):
    turned = run_on(probe, sentiment_examples[::-1], sentiment_examples)
    forward, backward = (
        {record.key: record.estimate.value for record in made.of(Measurement)}
        for made in (full_run(probe, sentiment_examples), turned)
    )
    assert forward.keys() == backward.keys()
    for key, value in forward.items():
        assert backward[key] == pytest.approx(value, abs=1e-12)


def test_data_without_gold_gives_records_or_a_reason(probe, run_on, sentiment_examples):
    if probe.info.gold:
        pytest.skip("planned only for labelled data")
    unlabelled = [replace(example, gold=None) for example in sentiment_examples]
    assert run_on(probe, unlabelled, sentiment_examples).of(Measurement | Curve | Skip)


def test_one_item_is_never_a_confident_number(probe, run_on, sentiment_examples):
    for record in run_on(probe, sentiment_examples[:1], sentiment_examples).of(Measurement):
        if record.better != "context":
            assert record.estimate.high > record.estimate.low


def test_no_item_at_all_gives_a_reason_or_texts_of_its_own(probe, full_run, run_without_items, sentiment_examples):
    made = run_without_items(probe)
    assert made.of(Accounting)
    assert made.of(Skip) or made.of(Measurement)
    if not probe.info.data:
        assert comparable(made.records) == comparable(full_run(probe, sentiment_examples).records)


def test_applies_to_some_problem(probe):
    assert probe.info.problems
    assert probe.info.problems <= set(ProblemType)
