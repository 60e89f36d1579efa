from __future__ import annotations

from pathlib import Path

import pytest

from audits.config import Config, resolve, seconds
from audits.planning.suites import find_suite
from probes.core.errors import UsageError


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "audit.yaml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(("text", "value"), [("90s", 90), ("10m", 600), ("1.5h", 5400), ("45", 45), (30, 30)])
def test_durations(text, value):
    assert seconds(text) == value


@pytest.mark.parametrize("text", ["", "ten minutes", "-5m", "0", "5d"])
def test_durations_that_are_none(text):
    with pytest.raises(ValueError, match="duration"):
        seconds(text)


def test_flags_win_over_the_file(tmp_path):
    path = write(tmp_path, "model: ./a\nsuite: quick\nlimit: 10\n")
    config = resolve({"model": "./b", "suite": None, "limit": None}, file=path)
    assert (config.model, config.suite, config.limit) == ("./b", "quick", 10)


def test_no_model_is_an_error():
    with pytest.raises(UsageError, match="no model named"):
        resolve({}, file=None)


def test_unknown_key_names_file_line_and_the_likely_one(tmp_path):
    with pytest.raises(UsageError) as caught:
        resolve({}, file=write(tmp_path, "model: x\n\nsuit: quick\n"))
    assert "line 3" in caught.value.message
    assert "suite" in caught.value.hint


@pytest.mark.parametrize(
    ("text", "gist"),
    [
        ("model: x\nmodel: y\n", "line 2"),
        ("model: x\nlimit: many\n", "line 2"),
        ("model: [unclosed\n", "line"),
        ("- model\n", "keys and values"),
        ("model: x\nsuites:\n  mine:\n    - probes: 'robustness.*'\n      item: 3\n", "line 5"),
    ],
)
def test_broken_files_name_the_line(tmp_path, text, gist):
    with pytest.raises(UsageError) as caught:
        resolve({}, file=write(tmp_path, text))
    assert gist in caught.value.message


def test_missing_and_binary_files(tmp_path):
    with pytest.raises(UsageError, match="cannot read"):
        resolve({}, file=tmp_path / "none.yaml")
    binary = tmp_path / "b.yaml"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="not UTF-8"):
        resolve({}, file=binary)


def test_wrong_flag_value_names_the_flag():
    with pytest.raises(UsageError, match="--time-budget"):
        resolve({"model": "x", "time_budget": "soon"}, file=None)


def test_yaml_tags_make_no_objects(tmp_path):
    path = write(tmp_path, "model: !!python/object/apply:os.system ['true']\n")
    with pytest.raises(UsageError):
        resolve({}, file=path)


def test_own_suites_come_from_the_file(tmp_path):
    path = write(tmp_path, "model: x\nsuite: mine\nsuites:\n  mine:\n    - probes: 'robustness.*'\n      items: 50\n")
    config = resolve({}, file=path)
    assert find_suite("mine", config.suites)[0].items == 50


def test_unknown_suite_suggests():
    with pytest.raises(UsageError) as caught:
        find_suite("ful", {})
    assert "full" in caught.value.hint


def test_config_round_trips_through_json():
    config = Config(model="x", time_budget="10m", only=("a.*",))
    assert Config.model_validate_json(config.model_dump_json()) == config


def test_a_card_may_name_only_instruments_that_there_are_maps_of(tmp_path):
    named = "model: x\ncard:\n  role: provider\n  instruments:\n    - nyc-ll144\n    - {}\n"
    assert resolve({}, file=write(tmp_path, named.format("eu-ai-act"))).card.instruments == ("nyc-ll144", "eu-ai-act")
    with pytest.raises(UsageError, match=r"audit\.yaml, line 6: no instrument called 'eu-ai-atc'") as caught:
        resolve({}, file=write(tmp_path, named.format("eu-ai-atc")))
    assert (caught.value.exit_code, caught.value.hint) == (2, "did you mean eu-ai-act?")
