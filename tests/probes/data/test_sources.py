"""From what the user typed to the right rows: paths, folders, splits, saved folders, the Hub."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import datasets
import huggingface_hub
import pytest
from huggingface_hub.errors import OfflineModeIsEnabled, RepositoryNotFoundError

from probes.core.errors import DataError, UsageError
from probes.data.load import load_data
from tests.conftest import model_card

ROOT = Path(__file__).resolve().parents[3]


def load(source, **options):
    return load_data(str(source), card=model_card(), **options)


def texts(loaded):
    return [example.text for example in loaded.examples]


def write(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"text,label\nfrom {name},positive\n")
    return folder


def saved(folder, splits):
    made = {split: datasets.Dataset.from_dict({"text": [f"from {split}"], "label": [1]}) for split in splits}
    datasets.DatasetDict(made).save_to_disk(folder)
    return folder


@pytest.mark.parametrize(
    ("splits", "chosen"),
    [
        (("train", "validation", "test"), "test"),
        (("train", "validation"), "validation"),
        (("train", "dev"), "dev"),
        (("train", "Test"), "Test"),
        (("train",), "train"),
        (("everything",), "everything"),
    ],
)
def test_default_split(tmp_path, splits, chosen):
    for folder in (write(tmp_path / "files", *(f"{split}.csv" for split in splits)), saved(tmp_path / "saved", splits)):
        loaded = load(folder)
        assert chosen in texts(loaded)[0]
        assert loaded.card.name == f"{folder.name} ({chosen})"
        assert any("too favourable" in note for note in loaded.card.notes) == (chosen == "train")


def test_a_test_split_without_labels_names_the_others(tmp_path):
    write(tmp_path, "validation.csv")
    (tmp_path / "test.csv").write_text("text,label\na,-1\nb,-1\n")
    loaded = load(tmp_path)
    assert loaded.card.labelled == 0
    assert any("No row of split 'test' is labelled" in note and "'validation'" in note for note in loaded.card.notes)


@pytest.mark.parametrize("splits", [("a", "b"), ("train", "valid", "dev")])
def test_open_choice_of_split_lists_them(tmp_path, splits):
    for folder in (write(tmp_path / "files", *(f"{split}.csv" for split in splits)), saved(tmp_path / "saved", splits)):
        with pytest.raises(DataError, match="several splits") as caught:
            load(folder)
        assert all(repr(split) in caught.value.message for split in splits)


def test_split_by_argument_or_suffix(tmp_path):
    for folder in (write(tmp_path / "files", "train.csv", "test.csv"), saved(tmp_path / "saved", ("train", "test"))):
        assert "from train" in texts(load(folder, split="train"))[0]
        assert "from train" in texts(load(f"{folder}:train"))[0]
        assert "from train" in texts(load(f"{folder}:train", split="train"))[0]
        with pytest.raises(UsageError, match="two splits"):
            load(f"{folder}:train", split="test")
        with pytest.raises(DataError, match="no split 'dev'") as caught:
            load(f"{folder}:dev")
        assert "'test', 'train'" in caught.value.hint or "'train', 'test'" in caught.value.hint


def test_a_colon_in_an_existing_name_is_no_split(tmp_path):
    write(tmp_path, "a:b.csv", "dir:test/train.csv")
    assert texts(load(tmp_path / "a:b.csv")) == ["from a:b.csv"]
    assert texts(load(tmp_path / "dir:test")) == ["from dir:test/train.csv"]


@pytest.mark.parametrize("source", [r"C:\data\test.csv", "C:/data/test.csv", "C:test.csv", r"D:\x:test"])
def test_drive_letters_are_no_names(source):
    with pytest.raises(UsageError, match="no such file or folder") as caught:
        load(source)
    assert source.removesuffix(":test") in caught.value.message.replace("\\\\", "\\")


def test_files_have_no_splits(tmp_path):
    write(tmp_path, "a.csv")
    with pytest.raises(DataError, match="is one file and has no splits"):
        load(f"{tmp_path / 'a.csv'}:test")


def test_split_folders_shards_and_data_folder(tmp_path):
    shards = write(
        tmp_path / "shards", "data/test-00000-of-00002.csv", "data/test-00001-of-00002.csv", "README.md", ".hidden.csv"
    )
    assert texts(load(shards)) == [f"from data/test-0000{n}-of-00002.csv" for n in (0, 1)]
    folders = write(tmp_path / "folders", "train/one.csv", "test/one.csv", "test/two.csv")
    assert texts(load(folders)) == ["from test/one.csv", "from test/two.csv"]


def test_two_files_for_one_split_are_not_mixed(tmp_path):
    write(tmp_path, "test.csv", "test.tsv")
    with pytest.raises(DataError, match="several files for split 'test'"):
        load(tmp_path)


def test_shards_with_other_columns(tmp_path):
    write(tmp_path, "test/one.csv")
    (tmp_path / "test" / "two.csv").write_text("sentence,label\na,positive\n")
    with pytest.raises(DataError, match="same columns"):
        load(tmp_path)


def test_a_folder_without_data_names_its_folders(tmp_path):
    write(tmp_path, "emotion/test.csv", "hate/test.csv")
    with pytest.raises(DataError, match="no data files") as caught:
        load(tmp_path)
    assert "'emotion', 'hate'" in caught.value.hint


def test_loading_scripts_are_not_run(tmp_path):
    script = tmp_path / "set" / "set.py"
    script.parent.mkdir()
    script.write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    with pytest.raises(DataError, match="no data files"):
        load(script.parent)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    "source",
    ["./nope.csv", "nope.csv", "csv", "nope", "~/nope/nope", "/nope", "a b/c", "a\x00b", "x" * 5000, "a/b/c/d"],
)
def test_missing_paths(source):
    with pytest.raises(UsageError, match="no such file or folder"):
        load(source)


@pytest.mark.parametrize("source", ["", "  "])
def test_nothing_named(source):
    with pytest.raises(UsageError, match="no data named"):
        load(source)


def test_missing_path_names_what_is_near(tmp_path):
    write(tmp_path, "reviews.csv")
    with pytest.raises(UsageError) as caught:
        load(tmp_path / "review.csv")
    assert caught.value.hint == "did you mean reviews.csv?"


def test_devices_and_unreadable_files(tmp_path):
    with pytest.raises(DataError, match="no data file"):
        load("/dev/zero")
    locked = write(tmp_path, "locked.csv") / "locked.csv"
    locked.chmod(0)
    if os.access(locked, os.R_OK):
        pytest.skip("this user may read everything")
    with pytest.raises(DataError, match="cannot read"):
        load(locked)


def test_saved_single_data_set(tmp_path):
    data = datasets.Dataset.from_dict({"text": ["a", "b", "c"], "label": ["positive", "negative", "positive"]})
    data.select([2, 0]).save_to_disk(tmp_path / "set")
    loaded = load(tmp_path / "set")
    assert texts(loaded) == ["c", "a"]
    assert loaded.card.name == "set"
    with pytest.raises(DataError, match="has no splits"):
        load(tmp_path / "set", split="test")


@pytest.mark.parametrize("damage", ["state.json", "dataset_info.json", "data-00000-of-00001.arrow"])
def test_damaged_saved_folder(tmp_path, damage):
    datasets.Dataset.from_dict({"text": ["a"]}).save_to_disk(tmp_path / "set")
    (tmp_path / "set" / damage).write_bytes(b"\x00\x01{")
    with pytest.raises(DataError, match="save_to_disk"):
        load(tmp_path / "set")


def test_empty_saved_dictionary(tmp_path):
    (tmp_path / "dataset_dict.json").write_text(json.dumps({"splits": []}))
    with pytest.raises(DataError, match="no splits"):
        load(tmp_path)


def test_local_data_has_no_revision(tmp_path):
    write(tmp_path, "a.csv")
    with pytest.raises(UsageError, match="no revision"):
        load(tmp_path / "a.csv", revision="main")


@pytest.fixture
def hub(monkeypatch):
    """A Hub that holds one data set and remembers what it was asked."""
    asked = []

    def info(_self, repository, **options):
        asked.append(("info", repository, options["revision"]))
        return SimpleNamespace(sha="c0ffee", card_data={"license": "mit"})

    def load_dataset(repository, configuration, **options):
        asked.append(("load", repository, configuration, options))
        rows = datasets.Dataset.from_dict({"text": ["from the Hub"], "label": ["positive"]})
        return datasets.DatasetDict({"train": rows, "test": rows})

    monkeypatch.setattr(huggingface_hub.HfApi, "dataset_info", info)
    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    return asked


def test_hub_data_is_pinned_to_its_commit(hub):
    loaded = load("owner/name/config:test", revision="main")
    assert texts(loaded) == ["from the Hub"]
    assert (loaded.card.name, loaded.card.revision, loaded.card.licence) == (
        "owner/name/config (test)",
        "c0ffee",
        "mit",
    )
    assert hub[0] == ("info", "owner/name", "main")
    assert hub[1][:3] == ("load", "owner/name", "config")
    assert hub[1][3]["revision"] == "c0ffee"
    assert "trust_remote_code" not in hub[1][3] or hub[1][3]["trust_remote_code"] is False


def failing(error):
    def fail(*_args, **_options):
        raise error

    return fail


class ConnectError(Exception):
    """As HTTP libraries name theirs; it is no OSError in some of them."""


@pytest.mark.parametrize(
    "error", [ConnectError("[Errno -2] Name or service not known"), ConnectionError("no"), TimeoutError("late")]
)
def test_hub_that_cannot_be_reached(hub, monkeypatch, error):
    monkeypatch.setattr(huggingface_hub.HfApi, "dataset_info", failing(error))
    with pytest.raises(DataError, match="owner/name is no local file or folder, and the Hub cannot be reached"):
        load("owner/name")
    assert not hub


def test_hub_offline_uses_the_download_cache_or_says_so(hub, monkeypatch):
    monkeypatch.setattr(huggingface_hub.HfApi, "dataset_info", failing(OfflineModeIsEnabled("offline")))
    assert texts(load("owner/name")) == ["from the Hub"]
    monkeypatch.setattr(datasets, "load_dataset", failing(ConnectionError("Couldn't reach 'owner/name' on the Hub")))
    with pytest.raises(DataError, match="cannot be reached"):
        load("owner/name")


@pytest.mark.parametrize(
    "error",
    [ValueError("Config name is missing. Pick one among ['a', 'b']"), RuntimeError("scripts are no longer supported")],
)
def test_hub_data_that_does_not_load(hub, monkeypatch, error):
    monkeypatch.setattr(datasets, "load_dataset", failing(error))
    with pytest.raises(DataError) as caught:
        load("owner/name")
    assert str(error) in caught.value.message
    assert "owner/name/configuration" in caught.value.hint


def test_hub_without_such_data(hub, monkeypatch):
    response = SimpleNamespace(headers={}, request=None, status_code=404)
    error = RepositoryNotFoundError.__new__(RepositoryNotFoundError)
    Exception.__init__(error, "404 Client Error")
    error.response = response
    monkeypatch.setattr(huggingface_hub.HfApi, "dataset_info", failing(error))
    with pytest.raises(DataError, match="does not give it"):
        load("owner/name")


SCRIPT = """
import sys
from probes.data.load import load_data
from tests.conftest import model_card
for source in sys.argv[1:]:
    assert load_data(source, card=model_card()).card.n == 1
assert "torch" not in sys.modules
"""


def test_texts_are_copied_nowhere(tmp_path):
    files = write(tmp_path / "files", "test.csv")
    folder = saved(tmp_path / "saved", ("test",))
    home = tmp_path / "home"
    home.mkdir()
    places = {name: str(home / name.lower()) for name in ("HF_HOME", "XDG_CACHE_HOME", "TMPDIR")}
    environment = os.environ | places | {"HOME": str(home), "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    before = sorted(tmp_path.rglob("*"))
    subprocess.run([sys.executable, "-c", SCRIPT, str(files), str(folder)], check=True, env=environment, cwd=home)
    assert sorted(tmp_path.rglob("*")) == before
