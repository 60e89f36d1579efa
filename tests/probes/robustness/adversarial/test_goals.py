from __future__ import annotations

import numpy as np
import pytest

from probes.core.answers import Classifications, ProblemType
from probes.core.errors import UsageError
from probes.core.examples import Example
from probes.core.positive import Meaning, PositiveClass
from probes.robustness.adversarial import aims
from probes.robustness.adversarial.goals import AnyLabel, Moved, Shifted, Targeted, Untargeted
from probes.robustness.adversarial.gradients import Slope
from tests.conftest import model_card

HARM = PositiveClass(labels=("toxic", "threat"), meaning=Meaning.HARM, origin="test")


def answers(*rows, problem=ProblemType.SINGLE_LABEL, labels=("a", "b", "c")) -> Classifications:
    return Classifications(logits=np.array(rows, dtype=np.float64), labels=labels, problem=problem)


def test_untargeted_is_reached_by_any_other_label() -> None:
    given = answers([2, 0, 0], [0, 2, 0], [0, 0, 2], [1, 1, 0])
    judged = Untargeted(0).judge(given)
    assert judged.reached.tolist() == [False, True, True, False]
    assert judged.scores == pytest.approx(1 - given.scores[:, 0])


def test_a_near_tie_reaches_nothing() -> None:
    tied = answers([1.0, 1.0 + 1e-6, 0])
    clear = answers([1.0, 1.1, 0])
    for goal in (Untargeted(0), Targeted(1)):
        assert [bool(goal.judge(each).reached[0]) for each in (tied, clear)] == [False, True]


def test_targeted_is_reached_by_its_label_alone() -> None:
    judged = Targeted(2).judge(answers([0, 2, 0], [0, 0, 2]))
    assert judged.reached.tolist() == [False, True]
    assert judged.scores[1] > judged.scores[0]


def test_of_several_labels_any_that_is_set_otherwise() -> None:
    right = np.array([True, False, False])
    given = answers([3, -3, -3], [-3, -3, -3], [3, 0.5, -3], [3, -3, -0.1], problem=ProblemType.MULTI_LABEL)
    judged = AnyLabel(right).judge(given)
    assert judged.reached.tolist() == [False, True, True, False]
    # The nearest label to its threshold decides how near the goal is.
    assert judged.scores.argmin() == 0
    assert judged.scores[3] == pytest.approx(given.scores[3, 2])


def test_a_regression_is_moved_either_way() -> None:
    given = answers([1.0], [1.4], [0.3], [2.0], problem=ProblemType.REGRESSION, labels=("score",))
    judged = Moved(value=1.0, step=0.5).judge(given)
    assert judged.scores == pytest.approx([0.0, 0.4, 0.7, 1.0])
    assert judged.reached.tolist() == [False, False, True, True]


@pytest.mark.parametrize("problem", [ProblemType.SINGLE_LABEL, ProblemType.MULTI_LABEL])
@pytest.mark.parametrize("by", [-0.2, 0.2])
def test_the_score_of_a_harm_is_lowered_or_raised(problem: ProblemType, by: float) -> None:
    rows = ([logit, 0.0, -1.0] for logit in (-3, -1, 0, 1, 3))
    given = answers(*rows, problem=problem, labels=("toxic", "x", "threat"))
    scores = HARM.score(given)
    judged = Shifted(HARM, float(scores[2]), by).judge(given)
    assert judged.scores == pytest.approx((scores - scores[2]) * np.sign(by))
    assert judged.reached.tolist() == (np.sign(by) * (scores - scores[2]) >= 0.2).tolist()
    assert 0 < judged.reached.sum() < 5


@pytest.mark.parametrize("goal", [Untargeted(0), Targeted(1), Shifted(HARM, 0.1, 0.2)], ids=repr)
def test_answers_that_are_not_finite_reach_nothing(goal) -> None:
    given = answers([np.nan, 1.0, 0.0], [np.inf, 1.0, 0.0], labels=("toxic", "b", "threat"))
    with np.errstate(invalid="ignore"):
        judged = goal.judge(given)
    assert not judged.reached.any()
    assert (judged.scores == -np.inf).all()


EXAMPLES = [Example.of("one", gold="b"), Example.of("two")]


CARD = model_card().model_copy(
    update={"positive": PositiveClass(labels=("positive",), meaning=Meaning.HARM, origin="test")}
)


def made(goal, clean, examples=EXAMPLES, positive=HARM):
    return aims.aims(goal, examples, clean, positive=positive, by=0.3)


def test_the_right_label_is_attacked_and_where_it_is_not_known_the_own_answer() -> None:
    found = made("other", answers([2, 0, 0], [0, 0, 2]))
    assert [aim.goal for aim in found] == [Untargeted(1), Untargeted(2)]
    assert [aim.slope for aim in found] == [Slope("b"), Slope("c")]
    assert [aim.target for aim in found] == ["b", "c"]


def test_of_several_labels_the_right_set_is_attacked() -> None:
    found = made("other", answers([2, 0, -2], [0.2, -3, 2], problem=ProblemType.MULTI_LABEL))
    assert [aim.goal.right.tolist() for aim in found] == [[False, True, False], [True, False, True]]
    # The gradient is that of the label nearest to its threshold, down where it should be set, else up.
    assert [aim.slope for aim in found] == [Slope("b", 1.0), Slope("a", 1.0)]


def test_scores_are_attacked_by_half_their_spread() -> None:
    clean = answers([0.0], [2.0], problem=ProblemType.REGRESSION, labels=("score",))
    assert [aim.goal for aim in made("other", clean)] == [Moved(0.0, 0.5), Moved(2.0, 0.5)]


def test_raising_and_lowering_a_harm_pull_at_the_label_that_shows_most_of_it() -> None:
    clean = answers([2, 0, 0], [0, 0, 2], labels=("toxic", "fine", "threat"))
    lower, raised = made("lower", clean), made("raise", clean)
    assert [aim.goal.by for aim in lower] == [-0.3, -0.3]
    assert [aim.slope for aim in lower] == [Slope("toxic", 1.0), Slope("threat", 1.0)]
    assert [aim.slope for aim in raised] == [Slope("toxic", -1.0), Slope("threat", -1.0)]


@pytest.mark.parametrize(
    ("goal", "by", "changes", "said"),
    [
        ("label:positiv", 0.3, {}, "no label that an answer of this model could become"),
        ("label:positive", 0.3, {"problem": ProblemType.MULTI_LABEL}, "no label that an answer of this model could"),
        ("raise", 0.3, {"positive": PositiveClass()}, "this model has none"),
        ("lower", 1.0, {}, "no probability moves by 1.0"),
        ("raise", 0.3, {"problem": ProblemType.TOKEN}, "for classifiers"),
    ],
)
def test_a_goal_that_cannot_be_meant_is_refused(goal, by, changes, said) -> None:
    with pytest.raises(UsageError, match=said):
        aims.require(goal, CARD.model_copy(update=changes), by=by)


@pytest.mark.parametrize(
    ("goal", "by", "changes"),
    [
        ("other", 5.0, {"problem": ProblemType.TOKEN}),
        ("label:positive", 0.3, {}),
        ("raise", 0.99, {}),
        ("raise", 5.0, {"problem": ProblemType.REGRESSION}),
    ],
)
def test_a_goal_that_can_be_meant_is_not(goal, by, changes) -> None:
    aims.require(goal, CARD.model_copy(update=changes), by=by)


def test_a_probability_that_cannot_move_so_far_is_out_of_reach() -> None:
    clean = answers([0, 0], [4, 0], [-4, 0], [np.nan, 0], labels=("toxic", "fine"))  # 0.5, 0.98, 0.02, none
    assert [aim.reachable for aim in made("raise", clean)] == [True, False, True, True]
    assert [aim.reachable for aim in made("lower", clean)] == [True, True, False, True]
    scores = answers([0.99], [5.0], problem=ProblemType.REGRESSION, labels=("toxic",))
    assert all(aim.reachable for aim in made("raise", scores))


def test_an_unknown_goal_is_refused() -> None:
    with pytest.raises(UsageError, match="no goal 'lowr'") as error:
        aims.check("lowr")
    assert "lower" in (error.value.hint or "")
