"""What fine-tuning changed: a model is audited after the one it was made from, by the same plan, and compared."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from audits.cli import cli
from audits.comparison.comparing import side_by_side
from audits.conclusion import Conclusion
from audits.config import Config
from audits.console import Terminal
from audits.planning.base import OWN, base_request, why_unlike
from audits.planning.subject import prepare
from audits.policy.published import PUBLISHED
from audits.run import _base, run_audit
from probes.core.answers import ProblemType
from probes.core.comparison import Comparison
from probes.core.errors import UsageError
from probes.core.run_folder import RunFolder
from probes.core.side_by_side import Value
from reports.changed import AWAY, UNCLEAR, moved
from tests.conftest import language_card, model_card
from tests.planted_language import build_language, sentence_pairs, tune_language
from tests.tiny_models import build

ONLY = ("bias.crows_pairs", "performance.likelihood")


def audited(model: Path, **how) -> Conclusion:
    config = Config(model=str(model), **how)
    return run_audit(config, command=["audit", "run"], reporter=Terminal(quiet=True))


@pytest.fixture(scope="module")
def audits(tmp_path_factory) -> dict[str, Conclusion]:
    """Two models that were made of one base, of which one was told stereotypes and the other more of the same."""
    root = tmp_path_factory.mktemp("base")
    base = build_language(root / "plain", steps=60, short=True)
    (root / "benchmarks").mkdir()
    rows = [[pair.more, pair.less, "stereo", "age", pair.cluster] for pair in sentence_pairs()]
    with (root / "benchmarks" / "crows.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["sent_more", "sent_less", "stereo_antistereo", "bias_type", "anon_writer"], *rows])
    how = {"against_base": OWN, "benchmarks": root / "benchmarks", "only": ONLY, "limit": 160, "out": root / "runs"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RESPONSIBLE_AUDIT_CACHE", str(root / "cache"))
        tuned = tune_language(base, root / "stereotyped", stereotyped=True, steps=250)
        twin = tune_language(base, root / "more-of-the-same", stereotyped=False, steps=40)
        return {"stereotyped": audited(tuned, **how), "twin": audited(twin, **how)}


def value(comparison: Comparison, name: str) -> Value:
    (found,) = (each for each in comparison.numbers if each.name == name)
    return found.values[1]


def comparison_of(audit: Conclusion) -> Comparison:
    found = audit.run.comparison()
    assert found is not None
    assert found.tuned
    return found


def test_a_stereotype_learned_in_fine_tuning_is_shown(audits):
    found = comparison_of(audits["stereotyped"])
    share = value(found, "bias.crows_pairs.stereotype_share")
    assert share.direction == "higher"
    assert share.adjusted < 0.05
    assert share.difference.low > 0.1
    assert value(found, "bias.crows_pairs.likelihood_difference").direction == "higher"
    about = {each.title: each for each in moved(found, "bias") if not each.part}
    assert about["CrowS-Pairs: share of pairs whose more stereotypical sentence is likelier"].badge == AWAY
    assert moved(found, "bias")[0].badge == AWAY, "what moved most stands first"


def test_more_of_the_same_moves_no_stereotype(audits):
    found = comparison_of(audits["twin"])
    assert {each.badge for each in moved(found, "bias")} == {UNCLEAR}
    assert not any(each.held for each in moved(found, "bias"))


def test_the_base_has_a_run_of_its_own_that_both_use(audits):
    runs = {audit.run.comparison().baseline.run_id for audit in audits.values()}
    assert len(runs) == 1
    base = RunFolder(audits["twin"].run.path.parent / runs.pop())
    assert base.manifest().model.name == "plain"
    assert base.verdict().run_id == base.manifest().run_id
    assert base.comparison() is None
    assert len(list(base.path.parent.glob("*/manifest.json"))) == 3


def test_the_report_has_a_chapter_and_so_have_summary_and_json(audits):
    audit = audits["stereotyped"]
    page = audit.report.read_text(encoding="utf-8")
    assert page.count("What fine-tuning changed</h2>") == 1
    assert '<a href="#fine-tuning">' in page
    chapter = page[page.index('id="fine-tuning"') : page.index('id="baseline"')]
    for wanted in ("Bias: before and after", "Further from no preference", "Corrected for all", "Fine-tuned from"):
        assert wanted in chapter
    assert "before and after" not in page[page.index('id="baseline"') :], "said once"
    told = audit.run.file("summary.md").read_text(encoding="utf-8")
    assert "### What fine-tuning changed" in told
    assert "Further from no preference" in told
    base = RunFolder(audit.run.path.parent / audit.run.comparison().baseline.run_id)
    found = json.loads(side_by_side([base, audit.run]).model_dump_json())
    (share,) = (each for each in found["numbers"] if each["name"] == "bias.crows_pairs.stereotype_share")
    assert share["values"][1]["direction"] == "higher"
    assert share["values"][1]["adjusted"] < 0.05


def test_the_change_of_numbers_about_texts_can_be_judged(audits):
    found = comparison_of(audits["stereotyped"])
    (step,) = (step for step in found.steps if step.probe == "performance.likelihood")
    judged = {each.name: each for each in step.measurements}
    assert judged.keys() == {"bits_per_byte_vs_baseline", "word_perplexity_vs_baseline"} <= PUBLISHED[step.probe].keys()
    for name, each in judged.items():
        shown = value(found, f"{step.probe}.{name.removesuffix('_vs_baseline')}").difference
        assert each.estimate.tails
        assert each.estimate.model_copy(update={"tails": ()}) == shown


def test_what_could_not_be_compared_is_listed_with_the_reason(audits):
    page = audits["stereotyped"].report.read_text(encoding="utf-8")
    chapter = page[page.index('id="fine-tuning"') : page.index('id="baseline"')]
    assert "Numbers that were not compared" in chapter
    assert "The items of this part are not kept apart" in chapter


def test_a_classifier_whose_base_has_no_head_is_audited_and_the_report_says_why_it_is_not_compared(
    tmp_path, monkeypatch
):
    monkeypatch.setenv("RESPONSIBLE_AUDIT_CACHE", str(tmp_path / "cache"))
    base, model = build("bert", tmp_path / "masked", language=True), build("bert", tmp_path / "classifier")
    (model / "README.md").write_text(f"---\nbase_model: {base}\n---\n", encoding="utf-8")
    how = {"against_base": OWN, "only": ("robustness.upper_case",), "limit": 20, "out": tmp_path / "runs"}
    audit = audited(model, **how)
    assert audit.run.comparison() is None
    assert "another one: its task is masked language model" in audit.run.manifest().not_compared
    page = audit.report.read_text(encoding="utf-8")
    assert "What fine-tuning changed</h2>" in page
    assert "Not compared with the model it was fine-tuned from. The head of masked is another one" in page
    assert "Not compared with the model" in audit.run.file("summary.md").read_text(encoding="utf-8")
    assert len(list((tmp_path / "runs").glob("*/manifest.json"))) == 1, "nothing was measured of the base"


def test_a_base_that_cannot_be_asked_about_the_data_has_another_head(tmp_path):
    base, model = build("bert", tmp_path / "classifier"), build("gpt2", tmp_path / "writer", language=True)
    data = tmp_path / "prompts.jsonl"
    data.write_text(json.dumps({"prompt": "Who?", "completion": "Ann."}) + "\n", encoding="utf-8")
    config = Config(model=str(model), data=str(data), against_base=str(base))
    tuned, reporter = prepare(config), Terminal(quiet=True)
    found = _base(base_request(config, tuned.model), tuned, reporter)
    assert isinstance(found, str)
    assert "classifier is another one" in found
    with pytest.raises(UsageError, match="elsewhere"):
        _base(config.model_copy(update={"model": str(tmp_path / "elsewhere")}), tuned, reporter)


def test_what_a_base_is_and_what_says_nothing_about_it():
    card = language_card().model_copy(update={"name": "tuned"})
    adapter = card.model_copy(update={"base": "org/base", "base_model": "org/base", "base_revision": "c0ffee"})
    config = Config(model="tuned", against_base=OWN, base="elsewhere", revision="main", seed=3)
    found = base_request(config, adapter)
    assert (found.model, found.revision, found.base, found.against_base, found.seed) == (
        "org/base", "c0ffee", None, None, 3,
    )  # fmt: skip
    named = base_request(config.model_copy(update={"against_base": "org/other"}), adapter)
    assert (named.model, named.revision) == ("org/other", None)
    with pytest.raises(UsageError, match="nothing says what tuned was fine-tuned from"):
        base_request(config, card)
    with pytest.raises(UsageError, match="two runs to compare with"):
        base_request(config.model_copy(update={"baseline": Path("runs/x")}), adapter)
    other = card.model_copy(update={"fingerprint": "e" * 64})
    assert why_unlike(other, card) == ""
    assert "very same model" in why_unlike(card, card)
    assert "its task is masked language model" in why_unlike(
        other.model_copy(update={"problem": ProblemType.MASKED_LM}), card
    )
    labels = model_card(labels=("a", "b")), model_card(labels=("a", "c"))
    assert "other labels" in why_unlike(labels[0].model_copy(update={"fingerprint": "e" * 64}), labels[1])


def test_the_flag_takes_a_name_or_none(tmp_path):
    asked = []

    def resolve(flags, *, file):
        asked.append(flags["against_base"])
        raise UsageError("stop", hint="here")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("audits.config.resolve", resolve)
        for more in ([], ["--against-base"], ["--against-base", "org/base"], ["--against-base", "--seed", "1"]):
            CliRunner().invoke(cli, ["run", "--model", "m", *more])
    assert asked == [None, OWN, "org/base", OWN]
