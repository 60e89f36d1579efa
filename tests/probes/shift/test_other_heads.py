"""Other kinds of text for taggers and readers: quality, shared texts and distances, planted and clean."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from audits.policy.published import PUBLISHED, SLICES
from probes.core.examples import Accepted, Example
from probes.core.probe import Context
from probes.core.records import Accounting, Curve, Evidence, Measurement, Outcomes, Skip, SkipReason
from probes.core.stats.derived import f1_of_jaccard
from probes.core.stats.group_means import GroupMeans, largest_loss
from probes.performance.answers import AnswerQuality
from probes.performance.tagging import Tagging
from probes.shift.distance.probe import Distance
from probes.shift.domains import HOME
from probes.shift.overlap.probe import Overlap
from probes.shift.performance.probe import Performance
from probes.shift.told import NOT_ASKED
from tests.conftest import FakeModel, FakeReader, FakeTagger, model_card

NAMES = {"Ada": "B-person", "Alan": "B-person", "Rome": "B-place", "Oslo": "B-place"}


def sentences(domain="", *, n=60, mark="", seed=0):
    """Each names one or two persons and places; `mark` stands before the first name."""
    draw, made = np.random.default_rng(seed), []
    for row in range(n):
        person, place = ("Ada", "Alan")[draw.integers(2)], ("Rome", "Oslo")[draw.integers(2)]
        words = [mark, person, f"wrote{row}", *(["from", place] if row % 3 else []), domain or "home"]
        words = [word for word in words if word]
        made.append(Example.of(" ".join(words), gold=tuple(NAMES.get(word, "O") for word in words)))
    return [example.within(domain) if domain else example for example in made]


def well(words):
    """Finds every name, but in one sentence of ten."""
    return ["O" if any(word.endswith("7") for word in words) else NAMES.get(word, "O") for word in words]


def marked(words):
    """The same, but a handle in front takes the name with it: what only other texts have."""
    return ["O" if before == "@" else tag for before, tag in zip(["", *words], well(words), strict=False)]


def questions(domain="", *, n=60, seed=0, unanswerable=False):
    draw, made = np.random.default_rng(seed), []
    for row in range(n):
        place = ("Rome", "Oslo")[draw.integers(2)]
        context = f"In {1900 + row} she moved to the old {place} {domain or 'home'}."
        gold = Accepted(() if unanswerable and row % 5 == 0 else [f"old {place}"])
        made.append(Example.of((f"Where did she move in {1900 + row}?", context), gold=gold))
    return [example.within(domain) if domain else example for example in made]


def reads(question, context):
    return context.split(" the ")[1].rsplit(" ", 1)[0]


def misreads(question, context):
    """Finds half of the answer in mails."""
    return reads(question, context).split()[-1] if "mail" in context else reads(question, context)


def run(probe, model, data):
    return list(probe.run(model, data, Context(probe=probe.info.id)))


def numbers(records):
    return {record.key: record for record in records if isinstance(record, Measurement)}


def estimates(records):
    return {key: record.estimate for key, record in numbers(records).items()}


ANYWHERE = [*sentences(seed=1), *sentences("mail", mark="@", seed=2), *sentences("chat", seed=3)]
ASKED = [*questions(seed=1), *questions("mail", seed=2), *questions("chat", seed=3)]


@pytest.fixture(scope="module")
def planted():
    return run(Performance(), FakeTagger(rule=marked), ANYWHERE)


def test_a_tagger_that_loses_names_elsewhere_is_caught_and_its_twin_is_not(planted):
    found = estimates(planted)
    for key in ("f1_lost[domain=mail]", "recall_lost[domain=mail]", "worst_f1_lost"):
        assert found[key].tail(0.001).low > 0.1
    assert found["f1_lost[domain=chat]"].low < 0.05
    assert found["precision_lost[domain=mail]"].value == 0  # what it finds is right
    twin = estimates(run(Performance(), FakeTagger(rule=well), ANYWHERE))
    for key in ("f1_lost[domain=mail]", "recall_lost[domain=mail]", "worst_f1_lost"):
        assert twin[key].tail(0.05).low <= 0


@pytest.mark.parametrize("name", ["", "mail", "chat"])
def test_levels_are_the_numbers_of_performance_tagging(planted, name):
    own = [replace(example, domain="") for example in ANYWHERE if example.domain == name]
    alone = estimates(run(Tagging(resamples=50), FakeTagger(rule=marked), own))
    for each in ("f1", "precision", "recall"):
        elsewhere = estimates(planted)[f"{each}[domain={name or 'in-domain'}]"]
        assert (elsewhere.value, elsewhere.low, elsewhere.high) == pytest.approx(
            (alone[each].value, alone[each].low, alone[each].high)
        )


def test_losses_are_differences_and_shares_and_the_worst_is_one_of_them(planted):
    found = estimates(planted)
    for each in ("f1", "recall"):
        home, mail = found[f"{each}[domain=in-domain]"].value, found[f"{each}[domain=mail]"].value
        assert found[f"{each}_lost[domain=mail]"].value == pytest.approx(home - mail)
        assert found[f"{each}_lost_relative[domain=mail]"].value == pytest.approx((home - mail) / home)
        assert found[f"worst_{each}_lost"].value == pytest.approx(home - mail)
    assert "(mail)" in numbers(planted)["worst_f1_lost"].title


def test_the_only_loss_and_the_worst_one_have_the_same_bounds():
    data = [example for example in ANYWHERE if example.domain != "chat"]
    found = estimates(run(Performance(), FakeTagger(rule=marked), data))
    one, worst = found["f1_lost[domain=mail]"], found["worst_f1_lost"]
    for alpha in (0.05, 0.001):
        assert worst.tail(alpha).low == pytest.approx(one.tail(alpha).low)
        assert worst.tail(alpha).high == pytest.approx(one.tail(alpha).high)


def test_a_function_of_means_has_the_bounds_it_gives_of_theirs():
    values, half = np.repeat([0.0, 1.0, 1.0, 0.0, 1.0, 0.0], 10), np.arange(60) < 30
    means = GroupMeans.of(values, {"a": half, "b": ~half}, clusters=np.arange(60))
    squared = means.mapped(lambda value: value**2)
    assert squared.values == pytest.approx(means.values**2)
    for own, other in zip(squared.bounds(0.05), means.bounds(0.05), strict=True):
        assert own == pytest.approx(other**2)


def test_all_are_asked_once_charted_and_shown(planted):
    model = FakeTagger(rule=marked)
    run(Performance(), model, ANYWHERE)
    assert (model.calls, len(model.asked)) == (1, len(ANYWHERE))
    (curve,) = (record for record in planted if isinstance(record, Curve))
    assert [point.label for point in curve.points] == ["in-domain", "chat", "mail"]
    (kept,) = (record for record in planted if isinstance(record, Outcomes))
    assert sorted(kept.example_id) == sorted(example.id for example in ANYWHERE)
    cases = [record for record in planted if isinstance(record, Evidence)]
    assert [case.chosen for case in cases] == sorted((case.chosen for case in cases), key=["random", "worst"].index)
    assert Counter(case.slice["domain"] for case in cases if case.chosen == "random") == {"mail": 3, "chat": 3}
    worst = next(case for case in cases if case.chosen == "worst" and case.slice == {"domain": "mail"})
    assert "person: A" in (worst.gold or "")


def test_a_domain_without_an_entity_or_a_found_one_is_a_reason():
    bare = [Example.of(f"nothing {row} here", gold=("O", "O", "O")).within("bare") for row in range(40)]
    records = run(Performance(), FakeTagger(rule=lambda words: ["O"] * len(words)), [*ANYWHERE, *bare])
    skips = {(skip.name, skip.slice.get("domain")): skip for skip in records if isinstance(skip, Skip)}
    assert skips[None, "bare"].reason is SkipReason.UNDEFINED
    assert "No right answer on the texts called bare has an entity" in skips[None, "bare"].detail
    assert "finds no entity" in skips["precision", "mail"].detail
    assert estimates(records)["recall[domain=mail]"].value == 0
    assert not any(key.startswith("precision") for key in numbers(records))
    accounts = {a.slice["domain"]: (a.eligible, a.scored) for a in records if isinstance(a, Accounting)}
    assert accounts["bare"] == (40, 0)


def test_a_reader_that_finds_half_of_the_answers_elsewhere_is_caught_and_its_twin_is_not():
    found = estimates(run(Performance(), FakeReader(rule=misreads), ASKED))
    assert found["f1[domain=mail]"].value == pytest.approx(2 / 3)  # one of two words
    assert found["exact_match_lost[domain=mail]"].tail(0.001).low > 0.8
    assert found["worst_f1_lost"].tail(0.05).low > 0.2
    twin = estimates(run(Performance(), FakeReader(rule=reads), ASKED))
    for key in ("f1_lost[domain=mail]", "exact_match_lost[domain=mail]", "worst_f1_lost"):
        assert twin[key].tail(0.05).low <= 0


def test_readers_have_the_numbers_of_performance_answers_and_one_rule_for_no_answer():
    data = [*questions(seed=1, unanswerable=True), *questions("mail", seed=2, unanswerable=True)]
    found = estimates(run(Performance(), FakeReader(rule=misreads), data))
    for name in ("", "mail"):
        own = [replace(example, domain="") for example in data if example.domain == name]
        alone = estimates(run(AnswerQuality(resamples=50), FakeReader(rule=misreads), own))
        for each in ("f1", "exact_match"):
            assert found[f"{each}[domain={name or 'in-domain'}]"].value == pytest.approx(alone[each].value)


@pytest.mark.parametrize(("model", "data"), [(FakeTagger(rule=marked), ANYWHERE), (FakeReader(rule=misreads), ASKED)])
def test_names_and_slices_are_those_that_are_published(model, data):
    for record in run(Performance(), model, data):
        if isinstance(record, Measurement):
            known = PUBLISHED["shift.performance"][record.name]
            assert known.better in (None, record.better)
            assert known.unit in (None, record.unit)
            assert set(record.slice) <= SLICES["shift.performance"]


@pytest.mark.parametrize(
    ("model", "data", "said"),
    [
        (FakeTagger(rule=well), ANYWHERE, "person: A"),
        (FakeReader(rule=reads), ASKED, "old "),
        (
            FakeModel(rule=lambda text: (0.0, 1.0), card=model_card(labels=(), problem="causal_language_model")),
            ANYWHERE,
            NOT_ASKED,
        ),
    ],
    ids=["tagger", "reader", "language model"],
)
def test_shared_texts_are_found_for_any_head(model, data, said):
    again = [replace(example, domain="mail", id=f"{example.id}-again") for example in data[:30]]
    found = run(Overlap(), model, [*data, *again])
    assert estimates(found)["exact_share[domain=mail]"].value == pytest.approx(30 / 90)
    assert estimates(found)["exact_share[domain=chat]"].value == 0
    case = next(record for record in found if isinstance(record, Evidence))
    assert said in case.shown[0].answer


def test_distances_of_a_tagger_leave_out_what_needs_answers_of_whole_texts():
    class Embedding(FakeTagger):
        def embed(self, texts):
            return FakeModel(rule=lambda text: (0.0, 1.0)).embed(texts)

    records = run(Distance(divisions=100), Embedding(rule=well), ANYWHERE)
    found = estimates(records)
    assert found["classifier_auc[domain=mail]"].value > 0.9
    assert found["unseen_words[domain=mail]"].value > 0
    skipped = {skip.name: skip.reason for skip in records if isinstance(skip, Skip)}
    tokens = dict.fromkeys(("tokens_per_word", "unknown_tokens"), SkipReason.NO_CAPABILITY)  # this one does not say
    answers = dict.fromkeys(("label_distance", "answer_distance", "confidence"), SkipReason.WRONG_PROBLEM)
    assert skipped == tokens | answers
    assert next(record for record in records if isinstance(record, Evidence)).shown[0].answer == NOT_ASKED


def test_where_all_kinds_are_equal_a_loss_of_f1_is_seldom_claimed():
    """300 times three kinds of 40 texts whose entities are found or not together; alarms at 5 % in at most 8 %."""
    draw, alarms = np.random.default_rng(0), 0
    names = np.repeat([HOME, "mail", "chat"], 40)
    for _ in range(300):
        sizes = draw.integers(1, 4, size=120)
        easy = draw.beta(6, 2, size=120)
        texts = np.repeat(np.arange(120), sizes)
        found = (draw.random(len(texts)) < easy[texts]).astype(np.float64)
        means = GroupMeans.of(found, {name: (names == name)[texts] for name in (HOME, "mail", "chat")}, clusters=texts)
        alarms += largest_loss(means.mapped(f1_of_jaccard), HOME).tail(0.05).low > 0
    assert alarms <= 24
