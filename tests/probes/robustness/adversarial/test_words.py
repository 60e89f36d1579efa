"""Changes of whole words, slips, and the guided search, with stand-ins for whom they ask."""

from __future__ import annotations

import itertools
import random
from dataclasses import dataclass

import numpy as np
import pytest

from probes.core.answers import Floats
from probes.robustness.adversarial.attacked import Attacked, Edit
from probes.robustness.adversarial.constraints.words import Levenshtein, Stopwords
from probes.robustness.adversarial.goals import Untargeted
from probes.robustness.adversarial.gradients import Slope
from probes.robustness.adversarial.guide import FLIPS, GAINS, SLANTS, Guide, place_of, sentences
from probes.robustness.adversarial.guided import Guided
from probes.robustness.adversarial.parts import VICTIM, Attack, Drawn, Judged, Outcome, Situation
from probes.robustness.adversarial.pure import Untouched
from probes.robustness.adversarial.slips import Slips
from probes.robustness.adversarial.victims import ClassifierVictim
from probes.robustness.adversarial.words import Filled, Flipped, NearOwnWords, written_as
from probes.robustness.search import Request, run
from tests.conftest import FakeModel

TEXT = "The film was Dull and very slow"


def situation(text=TEXT, item=0):
    return Situation(item=item, start=Attacked.of(text), draws=Drawn(random.Random(item)))


def proposed(transformation, places, answer, text=TEXT):
    steps = transformation.propose(Attacked.of(text), places, situation(text))
    request = next(steps)
    with pytest.raises(StopIteration) as end:
        steps.send(answer(request.questions))
    return [Attacked.of(text).changed(change) for change in end.value.value]


@pytest.mark.parametrize(
    ("word", "other", "written"),
    [("Dull", "slow", "Slow"), ("DULL", "slow", "SLOW"), ("dull", "slow", "slow"), ("I", "we", "We")],
)
def test_a_word_is_written_as_the_one_it_replaces(word, other, written):
    assert written_as(word, other) == written


def test_neighbours_below_the_least_cosine_and_the_word_itself_are_not_proposed():
    seen = []

    def answer(words):
        seen.extend(words)
        return [[("dull", 1.0), ("boring", 0.5), ("bright", 0.1)], [("movie", 0.9)]]

    assert proposed(NearOwnWords(least=0.3), [3, 1], answer) == [
        "The film was Boring and very slow",
        "The movie was Dull and very slow",
    ]
    assert seen == ["dull", "film"]


def test_a_masked_model_fills_places_and_puts_words_beside_them():
    def answer(questions):
        assert questions[0] == ("The ", " was Dull and very slow", 5)
        return [[("movie", 0.6), ("film", 0.3), ("cat", 1e-4)], [("old", 0.5)]][: len(questions)]

    assert proposed(Filled(count=5, least=5e-3), [1], answer) == ["The movie was Dull and very slow"]
    assert proposed(Filled(count=5, least=5e-3, beside=True), [1], answer) == [
        "The movie was Dull and very slow",
        "The old film was Dull and very slow",
    ]


def test_flips_are_put_in_as_the_gradient_orders_them():
    answer = lambda questions: [[[("bright", 2.0), ("dull", 1.0)]]]  # noqa: E731
    assert proposed(Flipped(count=2), [3], answer) == ["The film was Bright and very slow"]


def test_slips_are_all_words_at_one_letter():
    found = list(Slips(letters="xy").swaps("abc", situation()))
    assert {"bc", "ac", "ab", "bac", "acb", "xbc", "axc", "aby", "xabc", "abxc"} <= set(found)
    assert not list(Slips().swaps("it", situation()))
    assert not list(Slips().swaps("3rd", situation()))


class Leaning:
    """A classifier of bags of words, whose weights it tells when asked which way words lean."""

    def __init__(self, weights):
        self.weights = weights
        self.victim = FakeModel(self.logits)

    def lead(self, text):
        return sum(self.weight(word) for word in Attacked.of(text).words)

    def weight(self, word):
        return self.weights.get(word, -0.2)

    def logits(self, text):
        return [self.lead(text), 0.0]

    def slants(self, words, *, label, texts):
        assert texts == sentences()
        sign = 1.0 if label == self.victim.card.labels[0] else -1.0
        return sign * np.array([self.weight(word) for word in words]), np.array(
            [word in self.weights for word in words]
        )


def attacked(model, texts, *, budget=30, label=0):
    attack = Attack(
        method=Guided(), transformation=Slips(), constraints=(Untouched(), Stopwords(), Levenshtein(30)), budget=budget
    )
    goals = [Untargeted(label)] * len(texts)
    guide = Guide(model, [Slope(model.victim.card.labels[label])] * len(texts))
    searches = [attack.method.search(attack, situation(text, item)) for item, text in enumerate(texts)]
    return run(searches, {VICTIM: ClassifierVictim(model.victim, goals), **guide.oracles()})


def test_a_model_that_hangs_on_words_is_broken_where_it_hangs_on_them():
    (found,) = attacked(
        Leaning({"splendid": 1.0, "film": 0.1, "quiet": 0.05}), ["A splendid film about quiet evenings"]
    )
    assert found.outcome is Outcome.BROKEN
    assert {found.start.words[at] for at in found.found.edited} == {"splendid"}
    assert found.queries == 2


def test_a_model_that_no_slip_moves_holds_and_the_budget_is_kept():
    for budget in (1, 2, 7):
        (found,) = attacked(Leaning({"a": 9.0}), ["a splendid film about quiet evenings"], budget=budget)
        assert found.outcome is Outcome.HELD
        assert found.queries == budget
        assert found.out_of_budget


def test_of_a_long_text_as_many_words_change_together_as_the_rules_allow():
    sizes = []

    @dataclass(frozen=True)
    class Counting(Levenshtein):
        def allows(self, candidate, situation):
            allowed = super().allows(candidate, situation)
            if len(candidate.change) > 1:
                sizes.append((len(candidate.change), allowed))
            return allowed

    words = ["".join(letters) for letters in itertools.product("bcd", "aeo", "lmn", "ai", "rst")]  # 162
    attack = Attack(method=Guided(), transformation=Slips(), constraints=(Untouched(), Counting(12)), budget=30)
    start = situation(" ".join(words))
    model = Leaning(dict.fromkeys(words, 1.0))
    oracles = {VICTIM: ClassifierVictim(model.victim, [Untargeted(0)]), **Guide(model, [Slope("negative")]).oracles()}
    (found,) = run([attack.method.search(attack, start)], oracles)
    assert (found.outcome, found.queries) == (Outcome.HELD, 30)
    most = max(size for size, allowed in sizes if allowed)
    assert 6 <= most <= 12  # a slip is one letter, or two where neighbours change places
    assert len(sizes) < 60


def test_the_candidates_of_one_word_alone_are_held_at_a_time():
    """Each holds the whole text, so those of all words together would grow with the square of it."""
    asked = []

    class Listening(Slips):
        def propose(self, text, places, situation):
            asked.append(list(places))
            return super().propose(text, places, situation)

    start = situation("splendid film about evenings")
    attack = Attack(method=Guided(), transformation=Listening(), constraints=(Untouched(), Stopwords()), budget=3)
    search = attack.method.search(attack, start)
    next(search)
    request = search.send(Judged(np.array([0.0]), np.array([False])))
    assert request.oracle == SLANTS
    assert asked == [[0], [1], [3]]  # "about" is a stopword
    ((_, edits),) = request.questions
    assert [place for place, _ in itertools.groupby(edit.place for edit in edits)] == [0, 1, 3]


def test_words_of_the_vocabulary_are_no_slips():
    (found,) = attacked(Leaning({"plan": 1.0, "plans": -9.0, "pan": -9.0}), ["plan evenings"])
    assert found.outcome is Outcome.BROKEN
    assert not set(found.found.words) & {"plans", "pan"}


def test_a_text_without_words_to_change_holds_without_a_question():
    (found,) = attacked(Leaning({"it": 2.0}), ["it is 42"])
    assert found.outcome is Outcome.HELD
    assert found.queries == 1


def test_what_is_found_does_not_depend_on_the_texts_beside():
    model = Leaning({"splendid": 1.5, "lovely": 1.2, "film": 0.4, "quiet": 0.3})
    texts = ["A splendid and lovely film", "quiet film about splendid evenings", "lovely lovely splendid film"]
    together = attacked(model, texts)
    steps = [attacked(model, texts[: count + 1])[count] for count in range(3)]
    assert [each.changed for each in together] == [each.changed for each in steps]
    assert [each.queries for each in together] == [each.queries for each in steps]


def test_the_guide_asks_about_the_attacked_part_and_turns_to_the_goal():
    class Model:
        def gains(self, texts, targets, swaps):
            self.asked = texts, targets, swaps
            return [np.ones(len(each)) for each in swaps]

        def flips(self, texts, targets, places, *, count, sign):
            return [[[(f"w{count}", sign)] for _ in each] for each in places]

    model = Model()
    pair = Attacked.of(("a premise", "the claim"))
    guide = Guide(model, [Slope("yes"), Slope("no", -1.0)])
    found: list[list[Floats]] = guide.oracles()[GAINS](
        [Request(GAINS, 0, [(pair, [Edit(1, "x")])]), Request(GAINS, 1, [(Attacked.of("one two"), [Edit(0, "y")])])]
    )
    assert [each[0].tolist() for each in found] == [[1.0], [-1.0]]
    texts, targets, swaps = model.asked
    assert texts == [("a premise", "the claim"), "one two"]
    assert targets == ["yes", "no"]
    assert swaps[0] == [(place_of(pair, 1), "x")]
    assert place_of(pair, 1) == (1, 4, 9)
    flips = guide.oracles()[FLIPS]([Request(FLIPS, item, [(Attacked.of("one two"), (0, 1), 2)]) for item in (1, 0)])
    assert flips == [[[[("w2", -1.0)], [("w2", -1.0)]]], [[[("w2", 1.0)], [("w2", 1.0)]]]]
    assert SLANTS in guide.oracles()
