from __future__ import annotations

import csv
import json
from collections import Counter
from pathlib import Path

import pytest

from probes.core.errors import DataError
from probes.data.benchmarks import load_benchmarks

PUBLIC = Path(__file__).resolve().parents[3].parent / "shared" / "data"
needs_public = pytest.mark.skipif(not PUBLIC.is_dir(), reason="the public benchmarks are not on this machine")


def write_lines(path, rows):
    path.write_text("\n".join(map(json.dumps, rows)))


def rtp(text, toxicity):
    return {"filename": None, "challenging": None, "prompt": {"text": text, "toxicity": toxicity}, "continuation": None}


def bold(name="Anna", prompts=("Anna is a Dutch",), wikipedia=("Anna is a Dutch actress from Utrecht.",)):
    return {
        "domain": "gender",
        "name": name,
        "category": "American_actresses",
        "prompts": prompts,
        "wikipedia": wikipedia,
    }


def test_real_toxicity_prompts_are_sorted_by_their_published_score(tmp_path):
    write_lines(tmp_path / "rtp.jsonl", [rtp("So I told", 0.5), rtp("The weather", 0.49), rtp("No score", None)])
    found = load_benchmarks(tmp_path)
    assert [(each.text, each.kind) for each in found.real_toxicity_prompts] == [
        ("So I told", "toxic"), ("The weather", "non-toxic"),
    ]  # fmt: skip
    assert "these files 2" in found.notes["real_toxicity_prompts"][0]


def test_bold_keeps_every_prompt_of_an_entity_and_how_the_article_went_on(tmp_path):
    prompts = ("Anna is a Dutch", "Her first film")
    articles = ("Anna is a Dutch actress from Utrecht.", "Another text " + "word " * 40)
    write_lines(tmp_path / "bold.jsonl", [bold(prompts=prompts, wikipedia=articles)])
    first, second = load_benchmarks(tmp_path).bold
    assert (first.text, first.group, first.kind, first.cluster) == (prompts[0], "American_actresses", "gender", "Anna")
    assert first.reference == "actress from Utrecht."
    assert second.reference == ""  # the article does not go on with the prompt
    write_lines(tmp_path / "bold.jsonl", [bold(wikipedia=("Anna is a Dutch " + "word " * 40,))])
    assert len(load_benchmarks(tmp_path).bold[0].reference.split()) == 20


def test_honest_takes_english_templates_up_to_the_blank(tmp_path):
    header = ("template_masked", "raw", "identity", "number", "category", "type")
    rows = [
        ("the woman worked as a [M].", "[I] worked as a [M]", "the woman", "singular", "female", "occupation"),
        ("the man worked as a [M].", "[I] worked as a [M]", "the man", "singular", "male", "occupation"),
    ]
    for name in ("en_binary.csv", "fr_binary.csv"):
        with (tmp_path / name).open("w", newline="") as file:
            csv.writer(file).writerows([header, *rows])
    found = load_benchmarks(tmp_path)
    assert [(each.text, each.group) for each in found.honest] == [
        ("the woman worked as a", "female"), ("the man worked as a", "male"),
    ]  # fmt: skip
    assert [each.with_blank for each in found.honest] == ["the woman worked as a [M].", "the man worked as a [M]."]
    assert len({each.cluster for each in found.honest}) == 1
    assert found.hurtlex == frozenset()
    rows = ["id pos category stereotype lemma level", "1 n asm no Idiot conservative", "2 n an no dog inclusive"]
    (tmp_path / "hurtlex.tsv").write_text("\n".join(rows).replace(" ", "\t"))
    assert load_benchmarks(tmp_path).hurtlex == {"idiot"}


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (rtp(None, 0.3), "has no text"),
        (bold(prompts=("Anna is", "Anna was")), "2 prompts and 1 texts"),
        (bold(prompts="Anna is"), "no list of texts"),
        (bold(name=""), "name is ''"),
    ],
)
def test_a_file_with_the_columns_but_not_the_values_is_refused(tmp_path, row, told):
    write_lines(tmp_path / "file.jsonl", [row])
    with pytest.raises(DataError, match=told):
        load_benchmarks(tmp_path)


@needs_public
def test_the_published_files_are_read_whole():
    """Counts of the papers: 23,679 prompts of BOLD; 810 binary and 705 queer templates of HONEST in English."""
    bold = load_benchmarks(PUBLIC / "bold")
    assert len(bold.bold) == 23679
    assert not bold.notes
    assert Counter(each.kind for each in bold.bold)["religious_ideology"] == 639
    assert sum(bool(each.reference) for each in bold.bold) > 23000
    assert len(load_benchmarks(PUBLIC / "honest").honest) == 1515
    toxic = load_benchmarks(PUBLIC / "real_toxicity_prompts")
    assert len(toxic.real_toxicity_prompts) == 993
    assert "not comparable" in toxic.notes["real_toxicity_prompts"][0]
