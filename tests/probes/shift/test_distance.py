from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from probes.core.answers import ProblemType
from probes.core.errors import UsageError
from probes.core.examples import Example
from probes.core.model import Capability
from probes.core.probe import Context
from probes.core.records import Accounting, Evidence, Measurement, Skip, SkipReason
from probes.core.rng import generator
from probes.shift.distance.probe import Distance
from tests.conftest import FakeModel, model_card, sentiment_rule

CTX = Context(probe="shift.distance")
WORDS = (
    "the", "a", "film", "meal", "hotel", "phone", "book", "song", "was", "is", "good", "great", "bad", "awful", "dull",
    "fine", "and", "but", "we", "they", "never", "often",
)  # fmt: skip
PROBE = Distance(divisions=199)


def texts(n, *, key, marker="", words=WORDS, length=9, numbered=False):
    rng = generator(0, key)
    drawn = [f"{marker} {' '.join(rng.choice(words, size=length))}".strip() for _ in range(n)]
    return [f"{text} {number}" for number, text in enumerate(drawn)] if numbered else drawn


def examples(strings, *, domain="", gold=None, copies=1):
    """Each text with its number of near copies, which belong together."""
    made = [
        Example.of(f"{text} {'again ' * copy}".strip(), gold=gold(text) if gold else None, cluster=text)
        for text in strings
        for copy in range(copies)
    ]
    return [example.within(domain) if domain else example for example in made]


def run(model, data, probe=PROBE):
    return list(probe.run(model, data, CTX))


def numbers(records):
    return {record.key: record.estimate for record in records if isinstance(record, Measurement)}


@dataclass
class TokenizingModel(FakeModel):
    """Each character is a token; the letter z is unknown."""

    def token_counts(self, strings):
        joined = ["".join(text).replace(" ", "") for text in strings]
        return np.array([len(text) for text in joined]), np.array([text.count("z") for text in joined])


@pytest.fixture
def model():
    return FakeModel(rule=sentiment_rule)


HOME = examples(texts(60, key="home"))
SAME = examples(texts(60, key="same"), domain="same")
MARKED = examples(texts(60, key="marked", marker="rt zyzzy"), domain="marked")


@pytest.fixture(scope="module")
def found():
    return numbers(run(FakeModel(rule=sentiment_rule), [*HOME, *SAME, *MARKED]))


class TestPlanted:
    @pytest.mark.parametrize("test", ["classifier_auc", "kernel_distance", "word_distance"])
    def test_a_marker_is_found_and_its_clean_twin_not(self, found, test):
        assert found[f"{test}_p_value[domain=marked]"].value <= 0.01
        assert found[f"{test}_p_value[domain=same]"].value > 0.05

    def test_how_large(self, found):
        assert found["classifier_auc[domain=marked]"].low > 0.9
        assert found["classifier_auc[domain=same]"].low <= 0.5 <= found["classifier_auc[domain=same]"].high
        assert found["kernel_distance[domain=marked]"].low > 0
        assert found["kernel_distance[domain=same]"].low <= 0 <= found["kernel_distance[domain=same]"].high
        assert found["word_distance[domain=same]"].low > 0  # of two samples of one source: biased
        beyond = found["word_distance_beyond_chance[domain=same]"]
        assert beyond.low <= 0
        assert found["word_distance_beyond_chance[domain=marked]"].low > 0
        assert found["a_distance[domain=marked]"].value > 1.5
        assert found["frechet_distance[domain=marked]"].low > found["frechet_distance[domain=in-domain]"].high

    def test_unseen_words(self, found):
        # Of the 11 words of a marked text the marker's 2 are unseen.
        assert found["unseen_words[domain=marked]"].value == pytest.approx(2 / 11)
        assert found["unseen_words[domain=same]"].value == 0
        assert found["unseen_words[domain=in-domain]"].value == 0
        assert found["unseen_words_gap[domain=marked]"].value == pytest.approx(2 / 11)

    def test_lengths(self, found):
        assert found["words_per_text[domain=marked]"].value == 11
        assert found["words_per_text_gap[domain=marked]"].value == 2
        assert found["length_distance[domain=marked]"].value == 1
        assert found["length_distance_p_value[domain=marked]"].value <= 0.01
        assert found["length_distance[domain=same]"].value == 0
        assert found["length_distance_p_value[domain=same]"].value == 1

    def test_p_values_are_corrected_for_the_number_of_domains(self, found, model):
        alone = numbers(run(model, [*HOME, *MARKED]))
        assert alone["classifier_auc_p_value[domain=marked]"].value == pytest.approx(1 / 200)
        assert found["classifier_auc_p_value[domain=marked]"].value == pytest.approx(2 / 200)
        assert "Holm over 2" in found["classifier_auc_p_value[domain=marked]"].method

    def test_every_number_has_its_interval(self, found):
        assert all(e.low <= e.value <= e.high and e.method and len(e.tails) == 7 for e in found.values())


class TestLabelsAndAnswers:
    def test_other_shares(self, model):
        home = examples(
            texts(80, key="h", numbered=True), gold=lambda text: "positive" if int(text.split()[-1]) % 2 else "negative"
        )
        other = examples(texts(80, key="o", words=["good"], numbered=True), domain="o", gold=lambda _: "positive")
        found = numbers(run(model, [*home, *other]))
        assert found["label_distance[domain=o]"].value == pytest.approx(0.5)
        assert found["label_distance_p_value[domain=o]"].value == pytest.approx(1 / 200)
        said = np.mean([name == "positive" for name in model.classify([e.text for e in home]).names()])
        assert found["answer_distance[domain=o]"].value == pytest.approx(1 - said)
        assert found["confidence_gap[domain=o]"].low > 0

    def test_alike(self, model):
        found = numbers(
            run(
                model,
                [
                    *examples(texts(80, key="h"), gold=lambda text: ("negative", "positive")[len(text) % 2]),
                    *examples(
                        texts(80, key="o"), gold=lambda text: ("negative", "positive")[len(text) % 2], domain="o"
                    ),
                ],
            )
        )
        assert found["label_distance_p_value[domain=o]"].value > 0.05
        assert found["answer_distance_p_value[domain=o]"].value > 0.05
        assert found["label_distance_beyond_chance[domain=o]"].low <= 0

    def test_no_labels(self, model):
        skips = [r for r in run(model, [*HOME, *SAME]) if isinstance(r, Skip) and r.name == "label_distance"]
        assert [(skip.reason, skip.slice) for skip in skips] == [(SkipReason.NO_GOLD, {"domain": "same"})]
        assert "--label-column" in skips[0].detail

    def test_few_labels(self, model):
        some = [replace(e, gold="positive") if k < 10 else e for k, e in enumerate(HOME)]
        every = [replace(e, gold="positive") for e in SAME]
        skips = [r for r in run(model, [*some, *every]) if isinstance(r, Skip) and r.name == "label_distance"]
        assert skips[0].reason is SkipReason.TOO_FEW
        assert "10 independent" in skips[0].detail

    def test_scores(self):
        card = model_card(labels=("score",), problem=ProblemType.REGRESSION)
        model = FakeModel(rule=lambda text: (float("good" in text),), card=card)
        home = examples(texts(50, key="h"), gold=lambda _: 1.0)
        other = examples(texts(50, key="o"), domain="o", gold=lambda _: 2.0)
        records = run(model, [*home, *other])
        assert numbers(records)["label_distance[domain=o]"].value == 1
        assert "answer_distance[domain=o]" in numbers(records)
        assert [r.reason for r in records if isinstance(r, Skip) and r.name == "confidence"] == [
            SkipReason.WRONG_PROBLEM
        ]

    def test_sets_of_labels(self):
        card = model_card(labels=("a", "b"), problem=ProblemType.MULTI_LABEL)
        model = FakeModel(rule=lambda text: (len(text) % 3 - 1.0, 1.0), card=card)
        home = examples(texts(50, key="h"), gold=lambda text: ("a", "b"))
        other = examples(texts(50, key="o"), domain="o", gold=lambda text: ("b", "a") if len(text) % 2 else ())
        found = numbers(run(model, [*home, *other]))
        none = np.mean([e.gold == () for e in other])
        assert found["label_distance[domain=o]"].value == pytest.approx(none)


class TestTokens:
    def test_counts(self):
        card = model_card().model_copy(update={"capabilities": frozenset(Capability)})
        found = numbers(run(TokenizingModel(rule=sentiment_rule, card=card), [*HOME, *MARKED]))
        marked = ["".join(e.text.split()) for e in MARKED]
        total = sum(map(len, marked))
        assert found["tokens_per_word[domain=marked]"].value == pytest.approx(total / (11 * 60))
        assert found["unknown_tokens[domain=marked]"].value == pytest.approx(3 * 60 / total)
        assert found["unknown_tokens[domain=in-domain]"].value == 0
        assert found["unknown_tokens[domain=in-domain]"].high > 0
        assert found["unknown_tokens_gap[domain=marked]"].low > 0

    def test_a_model_that_does_not_say(self, model):
        skips = {r.name: r.reason for r in run(model, [*HOME, *MARKED]) if isinstance(r, Skip)}
        assert skips["tokens_per_word"] is SkipReason.NO_CAPABILITY
        assert skips["unknown_tokens"] is SkipReason.NO_CAPABILITY


class TestInput:
    def test_no_other_domain(self, model):
        records = run(model, HOME)
        assert [r.reason for r in records if isinstance(r, Skip)] == [SkipReason.NO_DOMAINS]
        assert model.calls == 0

    @pytest.mark.parametrize(
        ("data", "reason"),
        [
            ([*HOME, *SAME[:20]], SkipReason.TOO_FEW),
            ([*HOME[:20], *SAME], SkipReason.TOO_FEW),
            ([*HOME, *(example.within("copy") for example in HOME)], SkipReason.UNDEFINED),
            ([*HOME, *examples(texts(10, key="few"), domain="few", copies=6)], SkipReason.TOO_FEW),
        ],
    )
    def test_nothing_to_compare(self, model, data, reason):
        records = run(model, data)
        assert [r.reason for r in records if isinstance(r, Skip)] == [reason]
        assert not numbers(records)
        assert all(r.scored == 0 for r in records if isinstance(r, Accounting))

    def test_accounting_adds_up(self, model):
        records = run(model, [*HOME, *SAME, *MARKED[:20]])
        found = {r.slice["domain"]: (r.eligible, r.scored, r.unscored) for r in records if isinstance(r, Accounting)}
        assert found == {"in-domain": (60, 60, 0), "same": (60, 60, 0), "marked": (20, 0, 20)}

    def test_texts_without_words(self, model):
        other = examples([f"{'!' * k} ..." for k in range(1, 41)], domain="signs")
        records = run(model, [*HOME, *other])
        skips = {r.name for r in records if isinstance(r, Skip)}
        assert {"word_distance", "unseen_words", "unseen_words_gap"} <= skips
        assert "words_per_text[domain=signs]" in numbers(records)

    def test_texts_that_look_alike_to_the_model(self):
        class Blind(FakeModel):
            def embed(self, strings):
                return np.ones((len(strings), 4))

        records = run(Blind(rule=sentiment_rule), [*HOME, *MARKED])
        skips = {r.name: r.reason for r in records if isinstance(r, Skip)}
        for name in ("classifier_auc", "kernel_distance", "frechet_distance", "a_distance"):
            assert skips[name] is SkipReason.UNDEFINED
        assert "word_distance[domain=marked]" in numbers(records)
        assert [r.chosen for r in records if isinstance(r, Evidence)] == ["random"] * 3

    def test_pairs_of_texts(self, model):
        home = [Example.of((e.text, "why"), cluster=e.cluster) for e in HOME]
        other = [Example.of((e.text, "zyzzy"), cluster=e.cluster).within("o") for e in SAME]
        found = numbers(run(model, [*home, *other]))
        assert found["classifier_auc_p_value[domain=o]"].value <= 0.01
        assert found["unseen_words[domain=o]"].value == pytest.approx(1 / 10)

    def test_texts_in_both_domains(self, model):
        """Half of the texts are in both: they are no difference, and stay in one fold."""
        shared = [replace(example, cluster=example.text) for example in HOME[:30]]
        data = [*shared, *HOME[30:], *(example.within("same") for example in shared), *SAME[:30]]
        found = numbers(run(model, data))
        assert found["classifier_auc_p_value[domain=same]"].value > 0.05
        assert found["kernel_distance_p_value[domain=same]"].value > 0.05

    def test_near_copies_are_no_evidence(self, model):
        """Two samples of 30 texts with six copies of each look different only if copies are taken for evidence."""
        data = [*examples(texts(30, key="h"), copies=6), *examples(texts(30, key="o"), domain="o", copies=6)]
        found = numbers(run(model, data))
        assert found["classifier_auc[domain=o]"].clusters == 60
        assert found["kernel_distance_p_value[domain=o]"].value > 0.05
        loose = [replace(example, cluster=example.id) for example in data]
        assert numbers(run(model, loose))["kernel_distance_p_value[domain=o]"].value <= 0.05

    def test_the_order_of_rows_changes_nothing(self, model):
        data = [*HOME, *MARKED, *SAME]
        assert run(model, data) == run(model, data[::-1])

    def test_the_model_is_asked_once(self, model):
        run(model, [*HOME, *MARKED, *SAME])
        assert model.calls == 2
        assert len(model.asked) == 2 * 180

    def test_few_divisions_are_refused(self):
        with pytest.raises(UsageError):
            Distance(divisions=50)


def test_random_cases_come_before_the_unlike_ones(model):
    cases = [r for r in run(model, [*HOME, *MARKED, *SAME]) if isinstance(r, Evidence)]
    assert [case.chosen for case in cases] == ["random"] * 3 + ["worst"] * 5
    assert len({case.example_id for case in cases}) == 8
    assert {case.slice["domain"] for case in cases[3:]} == {"marked", "same"}
