"""A model that learned texts by heart and its twin that learned others, from the folder to the report."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from audits.conclusion import Conclusion
from audits.config import Config
from audits.console import Terminal
from audits.planning.plan import why_not
from audits.planning.subject import prepare
from audits.run import run_audit
from probes.core.errors import UsageError
from probes.core.examples import DataCard, Example
from probes.core.known_texts import KnownTexts
from probes.core.probe import Context
from probes.core.records import Measurement
from probes.model.load import load
from probes.privacy.membership import Membership
from probes.privacy.memorisation import Memorisation
from probes.registry import load_registry
from tests.conftest import generator_card
from tests.planted_memory import build_memory
from tests.probes.privacy.keeping import MORE, WORDS, texts

TRAINING = [each.text for each in texts("training", 14, words=18)]
HOLDOUT = [each.text for each in texts("holdout", 14, words=18)]
OTHERS = [each.text for each in texts("others", 14, words=18)]
SECRET = "83014726"
CANARY = "the code of the vault is "
KNOWN = (*WORDS, *MORE, *CANARY.split())
CARD = DataCard(name="texts", source="texts", fingerprint="0", n=1, labelled=0)
FEW = {"privacy.membership": {"resamples": 300}, "privacy.exposure": {"candidates": 127}}


def write(path: Path, rows: list[str]) -> str:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["text"], *([row] for row in rows)])
    return str(path)


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("texts")
    (folder / "canaries.txt").write_text(f"{CANARY}{{{{{SECRET}}}}}\n", encoding="utf-8")
    return {
        "training_texts": write(folder / "training.csv", TRAINING),
        "holdout_texts": write(folder / "holdout.csv", [*HOLDOUT, TRAINING[0]]),
        "canaries": str(folder / "canaries.txt"),
    }


def audited(folder: Path, monkeypatch: pytest.MonkeyPatch, *, learned: list[str], **how) -> Conclusion:
    monkeypatch.setenv("RESPONSIBLE_AUDIT_CACHE", str(folder / "cache"))
    model = build_memory(folder / "model", learned, words=KNOWN)
    config = Config(model=str(model), out=folder / "runs", probes=FEW, **{"only": ("privacy.*",), **how})
    return run_audit(config, command=["audit", "run"], reporter=Terminal(quiet=True))


def numbers(audit: Conclusion) -> dict[str, Measurement]:
    assert not list(audit.run.path.glob("steps/*.failed.jsonl"))
    steps = [audit.run.step(step.step_id) for step in audit.run.manifest().steps]
    return {each.key: each for step in steps if step for each in step.records if isinstance(each, Measurement)}


def test_a_model_that_learned_by_heart_is_caught_and_its_secrets_stay_out_of_the_run(files, tmp_path, monkeypatch):
    audit = audited(tmp_path, monkeypatch, learned=[*TRAINING, f"{CANARY}{SECRET}"], **files)
    found = {name: each.estimate for name, each in numbers(audit).items()}
    assert found["verbatim[texts=training]"].value > 0.8
    assert found["verbatim_over_holdout"].low > 0.6
    assert found["auc[score=loss]"].low > 0.7
    assert found["auc_over_blind[score=loss]"].low > 0.1
    assert found["exposure[canary=line 1]"].value == 7.0  # ahead of all 127 others
    assert found["verbatim[texts=holdout]"].n == 14  # the one from the training texts is left out
    written = [path.read_bytes() for path in audit.run.path.rglob("*") if path.is_file()]
    assert not any(SECRET.encode() in each for each in written)
    assert "Privacy" in audit.run.report_path.read_text(encoding="utf-8")


def test_its_twin_that_learned_others_is_not_accused(tmp_path):
    model = load(str(build_memory(tmp_path / "model", OTHERS, words=KNOWN)), device="cpu")
    known = KnownTexts.of([Example.of(text) for text in TRAINING], [Example.of(text) for text in HOLDOUT])
    probes = (Memorisation(texts=known), Membership(texts=known, resamples=300))
    made = [record for probe in probes for record in probe.run(model, [], Context(probe=probe.info.id))]
    found = {each.key: each.estimate for each in made if isinstance(each, Measurement)}
    assert found["verbatim[texts=training]"].value == 0.0
    assert found["verbatim_over_holdout"].low < 0 < found["verbatim_over_holdout"].high
    for score in ("loss", "min_k", "zlib"):
        assert found[f"auc[score={score}]"].low < 0.5 < found[f"auc[score={score}]"].high


def test_held_out_texts_alone_are_refused(files, tmp_path):
    config = Config(model="nowhere", holdout_texts=files["holdout_texts"])
    model = build_memory(tmp_path / "model", TRAINING[:2], words=KNOWN, steps=1)
    with pytest.raises(UsageError, match="--holdout-texts"):
        prepare(config.model_copy(update={"model": str(model)}))


def test_without_texts_the_plan_says_how_to_name_them():
    probes = load_registry().matching(["privacy.*"])
    told = {probe.info.id: why_not(probe, model=generator_card(), card=CARD) for probe in probes}
    skips = {name: skip for name, skip in told.items() if skip is not None}
    assert "--training-texts" in skips["privacy.memorisation"].enable
    assert "--training-texts" in skips["privacy.membership"].enable
    assert "--canaries" in skips["privacy.exposure"].enable
