from __future__ import annotations

import csv

import pytest

from audits.config import Config
from audits.planning.parameters import parameters_of
from audits.planning.recorder import Recorder
from audits.planning.rehearsal import rehearse
from audits.planning.scorers import add_scorers, parsed
from probes.core.errors import UsageError
from probes.core.judges import Judge
from probes.core.positive import Meaning, PositiveClass
from probes.model.card import describe
from probes.registry import load_registry
from probes.toxicity.generations.probe import Generations
from tests.audits.planning.test_rehearsal import pools
from tests.conftest import generator_card, model_card
from tests.tiny_models import build

ASKED = {"toxicity.generations", "bias.prompted"}


@pytest.fixture(scope="module")
def scorers(tmp_path_factory):
    place = tmp_path_factory.mktemp("scorers")
    return [
        build("bert", place / name / "model", labels=("neutral", "toxic"), seed=seed)
        for seed, name in enumerate(("one", "other"))
    ]


def with_scorers(*given, model=None, **how):
    registry = load_registry()
    config = Config(model="m", scorers=tuple(map(str, given)), cache=False, **how)
    add_scorers(registry, config, model=model or generator_card(), device="cpu")
    return registry


@pytest.mark.parametrize(
    ("given", "parts"),
    [
        ("owner/name", ("owner/name", None, ())),
        ("owner/name@v1", ("owner/name", "v1", ())),
        ("owner/name@v1=toxic, insult", ("owner/name", "v1", ("toxic", "insult"))),
        ("folder=LABEL_1", ("folder", None, ("LABEL_1",))),
    ],
)
def test_a_scorer_is_named_with_revision_and_labels(given, parts):
    assert parsed(given) == parts


def test_a_folder_may_be_called_anything(tmp_path):
    folder = tmp_path / "a=b@c"
    folder.mkdir()
    assert parsed(str(folder)) == (str(folder), None, ())
    assert parsed(f"{folder}=toxic") == (str(folder), None, ("toxic",))


def test_probes_that_ask_judges_get_them_and_record_who_they_are(scorers):
    registry = with_scorers(*scorers)
    assert {name for name, probe in registry.probes.items() if hasattr(probe, "judges")} == ASKED
    for name in ASKED:
        probe = registry.probes[name]
        one, other = probe.scorers
        assert describe(str(scorers[0])).fingerprint[:12] in one
        assert one.endswith("(harm: toxic)")
        assert one != other
        assert "judges" not in parameters_of(probe)
        assert probe.calibration
        assert len({judge.name for judge in probe.judges}) == 2  # both folders are called "model"
        assert all(judge.stand_in and judge.calibration for judge in probe.judges)


def test_labelled_texts_of_the_user_take_the_place_of_our_own(scorers, tmp_path):
    path = tmp_path / "texts.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([("text", "label"), *((f"text {k}", k % 2) for k in range(40))])
    given = with_scorers(scorers[0], scorer_calibration=str(path)).probes["toxicity.generations"]
    assert not given.judges[0].stand_in
    assert len(given.judges[0].calibration) == 40
    assert given.calibration != with_scorers(scorers[0]).probes["toxicity.generations"].calibration


def test_a_scorer_that_cannot_judge_is_refused(scorers, tmp_path):
    with pytest.raises(UsageError, match="named twice"):
        with_scorers(scorers[0], scorers[0])
    with pytest.raises(UsageError, match="audited model itself"):
        with_scorers(scorers[0], model=describe(str(scorers[0])))
    with pytest.raises(UsageError, match="no such folder"):
        with_scorers(tmp_path / "nowhere")
    with pytest.raises(UsageError, match="calibration texts for no scorer"):
        with_scorers(scorer_calibration="texts.csv")


def never():
    raise AssertionError("a plan loads no weights")


def test_a_plan_counts_what_scorers_are_asked_and_loads_none():
    toxic = PositiveClass(labels=("positive",), meaning=Meaning.HARM, origin="test")
    card = model_card().model_copy(update={"positive": toxic})
    judges = tuple(
        Judge(name=name, card=card.model_copy(update={"fingerprint": name}), open=never) for name in ("one", "two")
    )
    alone, judged = (
        rehearse([Generations(samples=2, judges=who)], pools(4), card=generator_card(), seed=0)["toxicity.generations"]
        for who in ((), judges)
    )
    assert alone.fixed > 0
    assert judged.fixed > alone.fixed + 100


def test_what_is_written_in_a_rehearsal_depends_on_the_prompt_alone():
    recorder = Recorder(generator_card())
    both, one = recorder.generate(["a", "b"]), recorder.generate(["b"])
    assert both.texts[1] == one.texts[0] != both.texts[0]
