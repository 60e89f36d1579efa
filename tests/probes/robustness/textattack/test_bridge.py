"""The bridge and the child process itself, over a stand-in for TextAttack."""

import io
import sys
from pathlib import Path

import numpy as np
import pytest

from probes.core.errors import ModelError, UsageError
from probes.robustness.textattack import frames
from probes.robustness.textattack.bridge import Item, Peer

TEXTS = ("a good film", "one two three four five", "good", "the plot holds", "not a good one at all")


def peer(tmp_path, **settings):
    stand_in = Path(__file__).with_name("stand_in.py")
    return Peer(Path(sys.executable), tmp_path, script=stand_in, **{"seconds": 30.0, **settings})


def items(texts=TEXTS):
    return [Item(text, 1, seed) for seed, text in enumerate(texts)]


def untouched(texts):
    """The second label as long as a text has fewer than three signs of having been changed."""
    changed = np.array([sum(any(sign.isdigit() for sign in word) for word in text.split()) for text in texts])
    sure = np.where(changed >= 3, 0.1, 0.9)
    return np.column_stack([1 - sure, sure])


def test_messages_survive_the_pipe():
    pipe = io.BytesIO()
    message = {"ask": ["a", "half a pair: \ud83d", ["premise", "hypothesis"]], "label": 1}
    frames.send(pipe, message)
    frames.send(pipe, {})
    pipe.seek(0)
    assert frames.receive(pipe) == message
    assert frames.receive(pipe) == {}
    assert frames.receive(pipe) is None
    assert frames.receive(io.BytesIO(b"\x00\x00\x00\x09{}")) is None  # cut in the middle


def test_what_is_found_depends_neither_on_other_texts_nor_on_their_order(tmp_path):
    bulks = []

    def ask(texts):
        bulks.append(list(texts))
        return untouched(texts)

    there = peer(tmp_path)
    found = there.attack("deepwordbug", items(), ask, budget=50)
    assert [each.outcome for each in found] == [
        "SuccessfulAttackResult", "SuccessfulAttackResult", "FailedAttackResult", "SuccessfulAttackResult",
        "SuccessfulAttackResult",
    ]  # fmt: skip
    assert [each.queries for each in found] == [4, 4, 2, 4, 4]
    assert max(map(len, bulks)) == 3  # as many as live at once are asked together
    backwards = there.attack("deepwordbug", items()[::-1], untouched, budget=50)
    assert backwards == found[::-1]
    assert there.attack("deepwordbug", items()[3:4], untouched, budget=50) == found[3:4]


def test_progress_tells_how_many_have_ended(tmp_path):
    """At most three live at once; the third asks least."""
    told = []
    peer(tmp_path).attack("deepwordbug", items(), untouched, budget=50, progress=lambda *of: told.append(of))
    assert told[0] == (1, 5)
    assert told[-1] == (5, 5)
    assert [done for done, _ in told] == sorted({done for done, _ in told})


def test_the_budget_ends_an_attack(tmp_path):
    (found,) = peer(tmp_path).attack("deepwordbug", items()[1:2], untouched, budget=3)
    assert (found.outcome, found.queries) == ("FailedAttackResult", 3)


def test_other_seeds_draw_otherwise(tmp_path):
    first, second = peer(tmp_path).attack(
        "deepwordbug", [Item(TEXTS[1], 1, 5), Item(TEXTS[1], 1, 6)], untouched, budget=9
    )
    for one, other in zip(first.text.split()[0].split("-"), second.text.split()[0].split("-"), strict=True):
        assert one != other  # of each of the three generators


@pytest.mark.parametrize("recipe", ["pwws", "bae"])
def test_missing_data_is_named(tmp_path, recipe, monkeypatch):
    monkeypatch.setenv("TA_CACHE_DIR", "/nowhere")
    with pytest.raises(UsageError, match="not on this machine") as refused:
        peer(tmp_path).attack(recipe, items(), untouched, budget=9)
    assert ("paragramcf" if recipe == "pwws" else "model.bin") in refused.value.message
    assert ("wordnet" if recipe == "pwws" else "bert-base-uncased") in refused.value.message


def test_there_is_no_network(tmp_path):
    with pytest.raises(UsageError, match="an audit does not use the network"):
        peer(tmp_path).attack("a2t", items(), untouched, budget=9)


def test_one_text_that_cannot_be_attacked_costs_no_other(tmp_path):
    found = peer(tmp_path).attack("pruthi", items(["a good broken film", *TEXTS]), untouched, budget=9)
    assert found[0].text is None
    assert "cannot read a good broken film" in found[0].error
    assert [each.outcome for each in found[1:4]] == [
        "SuccessfulAttackResult", "SuccessfulAttackResult", "FailedAttackResult",
    ]  # fmt: skip


def test_a_process_that_ends_is_reported_with_its_status_and_last_words(tmp_path):
    with pytest.raises(ModelError, match="ended before its work was done, with exit status 3: gone for good") as ended:
        peer(tmp_path).attack("pso", items(), untouched, budget=9)
    assert "the same command again goes on" in ended.value.hint
    assert sys.executable in ended.value.message
    assert "audit textattack install" in ended.value.hint


def test_where_a_variable_names_the_interpreter_no_other_is_to_be_built(tmp_path):
    with pytest.raises(ModelError, match="exit status 3") as ended:
        peer(tmp_path, named="SOME_VARIABLE").attack("pso", items(), untouched, budget=9)
    assert f"({sys.executable}, which SOME_VARIABLE names)" in ended.value.message
    assert "unset SOME_VARIABLE" in ended.value.hint
    assert "textattack install" not in ended.value.hint


def test_a_process_that_is_killed_says_nothing_about_its_environment(tmp_path, monkeypatch):
    started, start = [], Peer._started
    monkeypatch.setattr(Peer, "_started", lambda *given: started.append(start(*given)) or started[-1])

    def kill(texts):
        started[0].kill()
        return untouched(texts)

    with pytest.raises(ModelError, match="killed by SIGKILL") as ended:
        peer(tmp_path).attack("deepwordbug", items(), kill, budget=9)
    assert "the same command again goes on" in ended.value.hint
    assert "install" not in ended.value.hint


def test_silence_ends(tmp_path):
    with pytest.raises(ModelError, match="not said anything for 1 seconds"):
        peer(tmp_path, seconds=1.0).attack("iga", items(), untouched, budget=9)


def test_what_prints_does_not_disturb_the_pipe(tmp_path):
    assert len(peer(tmp_path).attack("clare", items(), untouched, budget=9)) == len(TEXTS)


def test_an_interpreter_that_is_not_there(tmp_path):
    with pytest.raises(ModelError, match="cannot be started"):
        Peer(tmp_path / "python", tmp_path).attack("pwws", items(), untouched, budget=9)
