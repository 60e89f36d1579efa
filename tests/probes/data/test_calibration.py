from __future__ import annotations

import csv
from pathlib import Path

import pytest

from probes.core.errors import DataError
from probes.data.calibration import load_calibration

PUBLIC = Path(__file__).resolve().parents[3].parent / "shared" / "data" / "wiki_toxicity_testset"


def write(path, labels, header=("text", "label"), n=24):
    rows = [(f"sentence number {k}", labels[k % len(labels)]) for k in range(n)]
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])
    return str(path)


@pytest.mark.parametrize(
    ("labels", "header"),
    [
        (("0", "1"), ("text", "label")),
        (("0.1", "0.9"), ("comment_text", "toxicity")),
        (("not toxic", "toxic"), ("text", "label")),
        (("non-hate", "hate"), ("tweet", "class")),
    ],
)
def test_labels_are_understood_as_numbers_scores_or_names(tmp_path, labels, header):
    found = load_calibration(write(tmp_path / "texts.csv", labels, header))
    assert [case.harmful for case in found.cases] == [False, True] * 12
    assert len({case.template for case in found.cases}) == 24
    assert found.digest


def test_the_digest_is_that_of_the_texts_and_not_of_the_file(tmp_path):
    one = load_calibration(write(tmp_path / "a.csv", ("0", "1")))
    same = load_calibration(write(tmp_path / "b.csv", ("not toxic", "toxic")))
    other = load_calibration(write(tmp_path / "c.csv", ("1", "0")))
    assert one.digest == same.digest != other.digest


def test_repeated_rows_count_once_and_are_told(tmp_path):
    path = tmp_path / "texts.csv"
    write(path, ("0", "1"))
    with path.open("a", encoding="utf-8") as file:
        file.write("sentence number 0,0\n,1\n")
    found = load_calibration(str(path))
    assert len(found.cases) == 24
    assert found.notes == ("texts.csv: rows that are empty or repeat a text, left out: 2.",)


@pytest.mark.parametrize(
    ("labels", "header", "told"),
    [
        (("red", "blue"), ("text", "label"), "which of the labels are harmful"),
        (("0", "1"), ("text", "colour"), "which columns"),
        (("0",), ("text", "label"), "0 harmful texts"),
        (("0", "7"), ("text", "label"), "which of the labels are harmful"),
    ],
)
def test_what_cannot_be_understood_is_refused(tmp_path, labels, header, told):
    with pytest.raises(DataError, match=told):
        load_calibration(write(tmp_path / "texts.csv", labels, header))
