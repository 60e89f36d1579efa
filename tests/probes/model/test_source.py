from __future__ import annotations

from pathlib import Path

import pytest

from probes.core.errors import UsageError
from probes.model.source import locate

pytestmark = pytest.mark.engine


def test_local_folder(tiny):
    folder = tiny("bert")
    place = locate(str(folder))
    assert (place.folder, place.name, place.revision, place.given) == (folder, "tiny-bert", None, str(folder))


@pytest.mark.parametrize(
    ("held", "name"),
    [
        ("models--sentence-transformers--all-MiniLM-L6-v2/snapshots", "all-MiniLM-L6-v2"),
        ("models--gpt2/snapshots", "gpt2"),
        ("models--org--mine/other", "0a1b2c3d"),
        ("mine/snapshots", "0a1b2c3d"),
    ],
)
def test_a_snapshot_in_the_cache_of_the_hub_has_the_name_of_its_model(held, name, tmp_path):
    folder = tmp_path / held / "0a1b2c3d"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    place = locate(str(folder))
    assert (place.name, place.revision, place.folder) == (name, None, folder)


@pytest.mark.parametrize("name", ["/no/such/folder", "./nope", "../nope", "~/nope-nope", "a/b/c", "nope\\x", ""])
def test_missing_path_is_never_taken_for_a_hub_id(name, monkeypatch):
    monkeypatch.setattr("probes.model.source._download", lambda *a, **k: pytest.fail("asked the Hub"))
    with pytest.raises(UsageError, match="no such folder"):
        locate(name)


def test_missing_folder_below_an_existing_one_is_a_path(tmp_path, monkeypatch):
    (tmp_path / "models" / "reviews").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError) as error:
        locate("models/review")
    assert error.value.hint == "did you mean reviews?"


def test_file_and_empty_folder(tmp_path):
    (tmp_path / "weights.bin").touch()
    with pytest.raises(UsageError, match="is a file"):
        locate(str(tmp_path / "weights.bin"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="is empty"):
        locate(str(tmp_path / "empty"))


def test_local_folder_has_no_revision(tiny):
    with pytest.raises(UsageError, match="no revisions"):
        locate(str(tiny("bert")), revision="main")


def test_hub_model_records_its_commit(tiny, tmp_path, monkeypatch):
    commit = "0123456789abcdef0123456789abcdef01234567"
    asked = {}

    def snapshot_download(repo, **options):
        asked.update(options, repo=repo)
        return str(tmp_path / commit)

    (tmp_path / commit).mkdir()
    monkeypatch.setattr("huggingface_hub.snapshot_download", snapshot_download)
    place = locate("org/name", revision="main")
    assert (place.folder, place.name, place.revision) == (tmp_path / commit, "name", commit)
    assert (asked["repo"], asked["revision"]) == ("org/name", "main")
    assert not any(pattern.endswith((".bin", ".py")) for pattern in asked["allow_patterns"])
    locate("org/name", allow_pickle=True, trust_remote_code=True)
    assert {"*.bin", "*.py"} <= set(asked["allow_patterns"])


def test_offline(monkeypatch, tmp_path):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="the Hub cannot be reached") as error:
        locate("some-org/some-model")
    assert error.value.exit_code == 2


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("GatedRepoError", "is gated"),
        ("RepositoryNotFoundError", "neither a folder here nor a model"),
        ("RevisionNotFoundError", "no revision v9"),
        ("HfHubHTTPError", "did not deliver"),
    ],
)
def test_hub_errors(kind, message, monkeypatch):
    import huggingface_hub.errors as errors

    error = getattr(errors, kind).__new__(getattr(errors, kind))
    error.response = object()

    def fail(*args, **options):
        raise error

    monkeypatch.setattr("huggingface_hub.snapshot_download", fail)
    with pytest.raises(UsageError, match=message):
        locate("org/name", revision="v9")


def test_home_is_expanded(monkeypatch, tiny):
    monkeypatch.setenv("HOME", str(tiny("bert").parent))
    assert locate("~/tiny-bert").folder == Path.home() / "tiny-bert"


def test_the_folders_of_the_system_are_no_suggestion():
    with pytest.raises(UsageError, match="no such folder") as error:
        locate("/nowhere-at-all")
    assert "save_pretrained" in error.value.hint
