"""Files of canaries: what they may say, and that no message quotes them."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from probes.core.errors import DataError, UsageError
from probes.data.canaries import load_canaries


def write(folder: Path, text: str) -> Path:
    path = folder / "canaries.txt"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_of_canaries(tmp_path):
    others = "|".join(f"Town{k}" for k in range(70))
    lines = [
        "# planted in May",
        "My code is {{7391}}, sir.",
        "",
        "Card 4929-3813-3266-4295 of 1999",
        f"In {{{{Ghent|{others}}}}}.",
    ]
    found = load_canaries(write(tmp_path, "\n".join(lines)))
    code, card, town = found.cases
    assert (code.line, code.before, code.secret, code.after) == (2, "My code is ", "7391", ", sir.")
    assert (card.line, card.secret, card.after) == (4, "4929-3813-3266-4295", " of 1999")
    assert (town.secret, len(town.others), town.possible) == ("Ghent", 70, 71)
    assert set(town.candidates(50, random.Random(0))) <= set(town.others)
    assert len(found.digest) == 16
    assert found.digest != load_canaries(write(tmp_path, "My code is {{7392}}")).digest


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("# nothing", "holds no canary"),
        ("a {{1234}} and {{5678}}", "more than one secret"),
        ("no secret here", "no secret is marked"),
        ("my word is {{hunter}}", "letters alone"),
        ("my word is {{}}", "empty"),
        ("the digit 7", "only 10 secrets"),
    ],
)
def test_a_file_that_says_too_little_is_refused_without_being_quoted(tmp_path, text, said):
    with pytest.raises(DataError, match=said) as error:
        load_canaries(write(tmp_path, text))
    assert "hunter" not in f"{error.value.message} {error.value.hint}"


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(UsageError, match="no such file"):
        load_canaries(tmp_path / "nowhere.txt")
