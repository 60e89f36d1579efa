from __future__ import annotations

import pytest

from probes.core.errors import UsageError
from probes.core.judges import Sought
from probes.model.judging import datasets_of, describe_judge, trained_on
from tests.tiny_models import build


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    place = tmp_path_factory.mktemp("scorers")
    return {
        "toxic": build("bert", place / "toxic", labels=("neutral", "toxic")),
        "kinds": build(
            "bert",
            place / "kinds",
            labels=("toxicity", "obscene", "insult"),
            problem_type="multi_label_classification",
        ),
        "mood": build("bert", place / "mood", labels=("negative", "neutral", "positive")),
        "silent": build("bert", place / "silent", labels=("LABEL_0", "LABEL_1")),
        "score": build("bert", place / "score", labels=("toxicity",)),
        "writer": build("gpt2", place / "writer", language=True),
    }


@pytest.mark.parametrize(
    ("folder", "labels", "counted", "sought"),
    [
        ("toxic", (), ("toxic",), Sought.HARM),
        ("kinds", (), ("toxicity", "obscene", "insult"), Sought.HARM),
        ("kinds", ("insult",), ("insult",), Sought.HARM),
        ("mood", (), ("negative",), Sought.NEGATIVE),
        ("mood", ("negative",), ("negative",), Sought.NEGATIVE),
        ("silent", ("LABEL_1",), ("LABEL_1",), Sought.HARM),
    ],
)
def test_what_a_scorer_looks_for_is_recognised_or_declared(folders, folder, labels, counted, sought):
    card, found = describe_judge(str(folders[folder]), labels=labels)
    assert card.positive.labels == counted
    assert found is sought


@pytest.mark.parametrize(
    ("folder", "labels", "told"),
    [
        ("silent", (), "which label of the scorer silent is the harm: LABEL_0, LABEL_1"),
        ("toxic", ("hate",), "no label 'hate'"),
        ("toxic", ("neutral", "toxic"), "every label"),
        ("score", (), "sorts no texts into labels"),
        ("writer", (), "sorts no texts into labels"),
    ],
)
def test_a_scorer_that_does_not_say_what_it_looks_for_is_refused(folders, folder, labels, told):
    with pytest.raises(UsageError, match=told) as error:
        describe_judge(str(folders[folder]), labels=labels)
    assert error.value.hint


def test_the_hint_shows_how_to_name_the_label(folders):
    with pytest.raises(UsageError) as error:
        describe_judge(str(folders["silent"]))
    assert error.value.hint == f"name it: --scorer {folders['silent']}=LABEL_1"


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("---\nlicense: mit\ndatasets:\n- allenai/real-toxicity-prompts\n- jigsaw\ntags:\n- x\n---\n# Model", 2),
        ("---\ndatasets: [allenai/real-toxicity-prompts, 'jigsaw']\n---\n", 2),
        ("---\ndatasets: jigsaw\n---\n", 1),
        ("---\nlicense: mit\n---\ndatasets:\n- not in the header\n", 0),
        ("no header", 0),
    ],
)
def test_the_data_a_card_names_are_read_in_every_way_yaml_writes_lists(tmp_path, header, found):
    readme = tmp_path / "README.md"
    readme.write_text(header)
    names = datasets_of(readme)
    assert len(names) == found
    assert "jigsaw" in names or not found


def test_a_model_without_a_card_names_no_data(folders):
    assert trained_on(str(folders["toxic"])) == ()
