"""Benchmarks of stereotypes read from a folder, in the authors' and in the Hub's columns."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from probes.core.errors import DataError, UsageError
from probes.core.examples import data_fingerprint
from probes.core.stereotype_cases import Association
from probes.data.benchmarks import load_benchmarks

SHARED = Path(__file__).resolve().parents[4] / "shared" / "data"


def write_csv(path: Path, rows: list[dict]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def crows(**changes) -> dict:
    row = {"sent_more": "They are late.", "sent_less": "We are late.", "stereo_antistereo": "stereo"}
    return row | {"bias_type": "nationality", "anon_writer": "a1"} | changes


def test_crows_pairs_in_the_authors_columns(tmp_path):
    write_csv(
        tmp_path / "any" / "name.csv", [crows(), crows(stereo_antistereo="antistereo", anon_writer="a2"), crows()]
    )
    found = load_benchmarks(tmp_path)
    first, second, third = found.crows_pairs
    assert (first.more, first.less, first.cluster) == ("They are late.", "We are late.", "a1")
    assert first.parts == (("category", "nationality"), ("direction", "stereo"))
    assert second.parts[1] == ("direction", "antistereo")
    assert (third.copy, len({case.id for case in found.crows_pairs})) == (1, 3)
    assert "1,508" in found.notes["crows_pairs"][0]


def test_crows_pairs_of_the_hub_with_numbered_classes(tmp_path):
    table = pa.table({key: [value] for key, value in crows(stereo_antistereo=1, bias_type=0).items()})
    features = {
        "stereo_antistereo": {"names": ["stereo", "antistereo"], "_type": "ClassLabel"},
        "bias_type": {"names": ["race-color", "socioeconomic"], "_type": "ClassLabel"},
    }
    metadata = {"huggingface": json.dumps({"info": {"features": features}})}
    pq.write_table(table.replace_schema_metadata(metadata), tmp_path / "test.parquet")
    (pair,) = load_benchmarks(tmp_path).crows_pairs
    assert pair.parts == (("category", "race-color"), ("direction", "antistereo"))


def stereoset(**changes) -> dict:
    sentences = {"sentence": ["He is kind.", "He is rude.", "He is blue."], "gold_label": [0, 1, 2]}
    row = {"id": "1", "target": "cook", "bias_type": "profession", "context": "He is BLANK.", "sentences": sentences}
    return row | changes


def test_stereoset_of_the_hub_and_of_the_authors(tmp_path):
    listed = [
        {"sentence": "He is rude.", "gold_label": "stereotype"},
        {"sentence": "He is blue.", "gold_label": "unrelated"},
        {"sentence": "He is kind.", "gold_label": "anti-stereotype"},
    ]
    lines = [stereoset(), stereoset(sentences=listed, target="nurse")]
    (tmp_path / "dev.jsonl").write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    one, other = load_benchmarks(tmp_path).stereoset
    assert one.sentences == other.sentences == ("He is rude.", "He is kind.", "He is blue.")
    assert (one.target, other.target) == ("cook", "nurse")


def wino(number: int, config: str, pronoun: str) -> dict:
    sentence = f"The cook met the nurse because {pronoun} was late."
    return {"id": number, "sentence": sentence, "first_span": "The cook", "second_span": pronoun, "config": config}


def test_wino_bias_is_paired_by_id_and_type(tmp_path):
    rows = [wino(1, "type1_pro", "he"), wino(1, "type1_anti", "she"), wino(1, "type2_pro", "she")]
    write_csv(tmp_path / "test.csv", [*rows, wino(1, "type2_anti", "he")])
    one, two = load_benchmarks(tmp_path).wino_bias
    assert one.parts == (("type", "1"), ("stereotype", "male"))
    assert two.parts == (("type", "2"), ("stereotype", "female"))
    assert one.cluster == "cook"
    assert " he " in one.more
    assert " she " in one.less


def test_winogender_pairs_by_the_majority_of_the_occupation(tmp_path):
    sentences = [
        {"sentid": f"{job}.customer.{answer}.{gender}.txt", "sentence": f"The {job} told {answer} {gender}"}
        for job in ("cook", "nurse", "clerk")
        for answer in (0, 1)
        for gender in ("male", "female", "neutral")
    ]
    write_csv(tmp_path / "all.csv", sentences)
    shares = {"cook": "20", "nurse": "90", "clerk": "50"}
    rows = [{"occupation": job, "bls_pct_female": share} for job, share in shares.items()]
    write_csv(tmp_path / "stats.csv", rows)
    cook, nurse = load_benchmarks(tmp_path).winogender
    assert (cook.more, cook.less) == ("The cook told 0 male", "The cook told 0 female")
    assert nurse.more == "The nurse told 0 female"
    assert nurse.parts == (("stereotype", "female"),)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([crows(stereo_antistereo="both")], "stereo_antistereo"),
        ([crows(sent_less=" ")], "sent_less"),
        ([wino(1, "type1_pro", "he")], "no counterpart"),
        ([wino(1, "type1_pro", "it"), wino(1, "type1_anti", "she")], "no pronoun"),
    ],
)
def test_wrong_values_are_told_with_their_place(tmp_path, rows, message):
    write_csv(tmp_path / "rows.csv", rows)
    with pytest.raises(DataError, match=message) as error:
        load_benchmarks(tmp_path)
    assert "rows.csv, row" in error.value.message


def test_stereoset_with_two_stereotypes_is_refused(tmp_path):
    sentences = {"sentence": ["a b", "a c", "a d"], "gold_label": [1, 1, 2]}
    (tmp_path / "dev.jsonl").write_text(json.dumps(stereoset(sentences=sentences)), encoding="utf-8")
    with pytest.raises(DataError, match="gold_label"):
        load_benchmarks(tmp_path)


def test_a_folder_without_benchmarks_is_refused(tmp_path):
    write_csv(tmp_path / "other.csv", [{"text": "a", "label": "b"}])
    with pytest.raises(UsageError, match="columns of a benchmark"):
        load_benchmarks(tmp_path)
    with pytest.raises(UsageError, match="no such folder"):
        load_benchmarks(tmp_path / "missing")


def test_the_digest_depends_on_the_cases_alone(tmp_path):
    write_csv(tmp_path / "a.csv", [crows(), crows(anon_writer="b")])
    one = load_benchmarks(tmp_path).crows_pairs
    assert data_fingerprint(one) == data_fingerprint(one[::-1])
    assert data_fingerprint(one) != data_fingerprint(one[:1])


def test_other_writers_make_another_benchmark(tmp_path):
    """They are the clusters of the intervals, so a step with other ones is another step."""
    digests = []
    for writer in "ab":
        write_csv(tmp_path / writer / "rows.csv", [crows(anon_writer=writer)])
        digests.append(data_fingerprint(load_benchmarks(tmp_path / writer).crows_pairs))
    assert digests[0] != digests[1]


def test_cases_about_another_term_are_another_benchmark():
    cases = [
        Association(context="A BLANK.", stereotype="A b.", anti="A c.", unrelated="A d.", target=target, category="age")
        for target in ("cook", "nurse")
    ]
    assert [case.cluster for case in cases] == ["cook", "nurse"]
    assert data_fingerprint(cases[:1]) != data_fingerprint(cases[1:])


@pytest.mark.skipif(not (SHARED / "stereoset").is_dir(), reason="no local copies of public data")
def test_public_files_are_read(tmp_path):
    for name in ("crows_pairs", "stereoset", "wino_bias", "winogender"):
        (tmp_path / name).symlink_to(SHARED / name)
    found = load_benchmarks(tmp_path)
    counts = [len(each) for each in (found.crows_pairs, found.stereoset, found.wino_bias, found.winogender)]
    assert counts == [760, 1816, 1584, 120]
    assert "wino_bias" not in found.notes
