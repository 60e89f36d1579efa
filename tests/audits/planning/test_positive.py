from __future__ import annotations

import pytest

from audits.config import Config
from audits.planning.positive import positive_class
from probes.core.answers import ProblemType
from probes.core.errors import UsageError
from probes.core.positive import Meaning
from tests.conftest import model_card


def found(labels, **config):
    return positive_class(Config(model="m", **config), model_card(labels=labels))


def test_label_names_tell():
    assert found(("non-hate", "hate")).harm
    assert found(("negative", "positive")).meaning is Meaning.FAVOURABLE


def test_a_profile_says_that_it_is_a_harm_after_all():
    named = found(("LABEL_0", "LABEL_1"), profile="toxicity")
    assert named.harm
    assert named.labels == ("LABEL_1",)
    assert "--profile toxicity" in named.origin


def test_a_profile_says_that_it_is_none():
    assert not found(("non-violent", "violent"), profile="general").harm


def test_the_user_names_the_positive_class():
    named = found(("x", "y", "z"), positive_labels=("z", "y"))
    assert (named.labels, named.meaning, named.origin) == (("y", "z"), Meaning.UNKNOWN, "declared")


def test_a_named_label_keeps_the_meaning_of_its_name():
    assert found(("hate speech", "offensive language", "neither"), positive_labels=("hate speech",)).harm
    assert found(("negative", "positive"), positive_labels=("positive",)).meaning is Meaning.FAVOURABLE
    assert found(("negative", "positive"), positive_labels=("negative",)).meaning is Meaning.UNKNOWN


def test_which_label_is_the_harm_must_be_said_where_names_do_not():
    with pytest.raises(UsageError) as caught:
        found(("a", "b", "c"), profile="toxicity")
    assert "--positive-label" in caught.value.hint
    assert found(("a", "b", "c"), profile="toxicity", positive_labels=("b",)).harm


def test_unknown_labels_and_all_labels_are_refused():
    with pytest.raises(UsageError) as caught:
        found(("negative", "positive"), positive_labels=("postive",))
    assert "positive" in caught.value.hint
    with pytest.raises(UsageError, match="every label"):
        found(("negative", "positive"), positive_labels=("positive", "negative"))


def test_all_labels_of_a_multi_label_model_may_be_positive():
    card = model_card(labels=("toxic", "threat"), problem=ProblemType.MULTI_LABEL)
    assert positive_class(Config(model="m"), card).labels == ("toxic", "threat")


def test_a_user_may_say_that_there_is_no_positive_class():
    assert found(("negative", "positive"), positive_labels=("none",)).labels == ()
    assert found(("none", "some"), positive_labels=("none",)).labels == ("none",)
