"""An audit that is killed without warning, again and again, ends with the bytes of one that was left alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import tiny_models

ROOT = Path(__file__).resolve().parents[2]

DRIVER = """
import gc, json, os, random, signal, sys, time
import torch, transformers, datasets, statsmodels.api  # once, here: a forked child starts in no time
import audits.run, reports.page
from transformers import BertForSequenceClassification
from audits.cli import main

arguments, attempts = json.loads(sys.argv[1]), int(sys.argv[2])
try:
    main(["plan", *arguments])  # what is read and compiled once is there when a child is forked
except SystemExit as end:
    assert not end.code
gc.collect()
gc.freeze()  # no child looks through what was imported for garbage, nor gets a copy of it
os.fsync = lambda _: None  # processes are killed here, but never the power
moments = random.Random(7)

def start(folder):
    pid = os.fork()
    if pid == 0:
        os.chdir(folder)
        os.environ["RESPONSIBLE_AUDIT_CACHE"] = "cache"
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        try:
            main(["run", *arguments, "--out", "runs"])
        except SystemExit as end:
            os._exit(end.code or 0)
    return pid

def to_its_end(folder):
    begin = time.monotonic()
    status = os.waitpid(start(folder), 0)[1]
    return os.waitstatus_to_exitcode(status), time.monotonic() - begin

alone, duration = to_its_end("alone")
killed = 0
for _ in range(attempts):
    pid = start("tortured")
    time.sleep(duration * moments.uniform(0.02, 0.16))
    os.kill(pid, signal.SIGKILL)
    killed += os.WIFSIGNALED(os.waitpid(pid, 0)[1])
print(json.dumps({"killed": killed, "alone": alone, "tortured": to_its_end("tortured")[0]}))
"""


def drive(cwd: Path, arguments: list[str], *, attempts: int) -> dict[str, int]:
    """Exit codes of an audit left alone and of one that was killed at first, in folders of these names."""
    for name in ("alone", "tortured"):
        (cwd / name).mkdir()
    done = subprocess.run(
        [sys.executable, "-c", DRIVER, json.dumps(arguments), str(attempts)],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1",
             "RESPONSIBLE_AUDIT_CACHE": str(cwd / "plan")},
    )  # fmt: skip
    return dict(json.loads(done.stdout.splitlines()[-1]))


def run_folder(cwd: Path) -> Path:
    """The one run in `runs/`, which also holds the ledger."""
    [manifest] = (cwd / "runs").glob("*/manifest.json")
    return manifest.parent


def results(cwd: Path) -> dict[str, bytes]:
    run = run_folder(cwd)
    found = {path.name: path.read_bytes() for path in (run / "steps").iterdir()}
    return found | {"findings.json": (run / "findings.json").read_bytes()}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.slow
def test_killed_ten_times_and_resumed_is_byte_identical(tmp_path):
    model = tiny_models.build("bert", tmp_path / "model", labels=("negative", "positive"))
    data = tmp_path / "data.jsonl"
    words = ("good", "awful", "fine", "dull", "lovely", "poor")
    data.write_text(
        "".join(
            json.dumps({"text": f"The film was {word}, and we don't mind the {n} pounds it cost.", "label": label})
            + "\n"
            for n in range(5)
            for word, label in zip(words, ("positive", "negative") * 3, strict=True)
        ),
        encoding="utf-8",
    )
    arguments = ["--model", str(model), "--data", str(data), "--suite", "full"]
    found = drive(tmp_path, arguments, attempts=10)
    assert found["killed"] >= 8
    assert found["tortured"] == found["alone"]
    expected, resumed = results(tmp_path / "alone"), results(tmp_path / "tortured")
    assert resumed.keys() == expected.keys()
    # The run id holds the date, which may turn between the two runs; everything else must be equal to the byte.
    ids = [run_folder(tmp_path / name).name.encode() for name in ("alone", "tortured")]
    assert len(expected) > 60
    for name, content in expected.items():
        assert resumed[name].replace(ids[1], ids[0]) == content, name
