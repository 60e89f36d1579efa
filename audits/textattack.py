"""The environment of TextAttack: where it is, and how it is built.

TextAttack binds transformers to its fourth line and brings some ninety packages, so it gets an environment of its own
in the user's cache folder, unless this one has it already:

    textattack/
      venv/     its packages
      data/     nltk's data, and the marker that keeps it from downloading when it is imported
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from audits.demo.model import demo_folder
from probes.core.errors import OutputError, UsageError
from probes.core.probe import Probe
from probes.robustness.adversarial.recipe import Resource
from probes.robustness.textattack.bridge import Peer

PYTHON = "AUDIT_TEXTATTACK_PYTHON"
"""Names an interpreter that has TextAttack; wins over everything."""
VERSION = "0.3.11"
PINNED = (
    f"textattack=={VERSION}",
    "flair==0.15.1",
    "transformers==4.57.6",
    "nltk==3.10.4",
    "numpy==2.4.6",
    "scikit-learn==1.9.1",
)
"""What decides what its recipes do; the rest is what these ask for."""
NLTK_DATA = ("stopwords", "wordnet", "universal_tagset", "averaged_perceptron_tagger_eng")
SIZE = "about 2 GB with the CPU build of torch, and three times as much with the one for CUDA"

Progress = Callable[[str], None]


def home() -> Path:
    """Where it lies, beside the demonstration models."""
    return demo_folder().parent / "textattack"


def _data() -> Path:
    return home() / "data" / "nltk_data"


def find_peer() -> Peer | None:
    """An interpreter that has TextAttack: the one that is named, this one, or the one that was built; None for none.

    Raises:
        UsageError: one is named that is not there.
    """
    folder = home() / "data"
    if named := os.environ.get(PYTHON):
        if not Path(named).expanduser().is_file():
            raise UsageError(f"{PYTHON} names no interpreter: {named}", hint="correct or unset it")
        python = Path(named).expanduser()
        return Peer(python, folder, _version(python), named=PYTHON)
    if importlib.util.find_spec("textattack") is not None:
        return Peer(Path(sys.executable), folder, importlib.metadata.version("textattack"))
    python = _interpreter(home() / "venv")
    return Peer(python, folder, _version(python)) if (home() / "ready").is_file() else None


def commands(folder: Path) -> list[list[str]]:
    """What builds an environment there, to be run in this order."""
    python = str(_interpreter(folder))
    pip = [python, "-m", "pip", "--no-input", "--disable-pip-version-check", "install", "--quiet"]
    data = [python, "-m", "nltk.downloader", "-q", "-e", "-d", str(_data()), *NLTK_DATA]
    return [[sys.executable, "-m", "venv", str(folder)], [*pip, *PINNED, *_same_torch()], data]


def install(*, progress: Progress) -> Peer:
    """Build the environment anew; what a build that was stopped left behind goes first.

    Raises:
        UsageError: pip cannot get the packages.
        OutputError: the cache folder cannot be written.
    """
    folder = home() / "venv"
    try:
        (home() / "ready").unlink(missing_ok=True)
        shutil.rmtree(folder, ignore_errors=True)
        progress(f"making an environment: {folder}")
        venv.create(folder, with_pip=True)
        progress(f"installing {', '.join([*PINNED, *_same_torch()])}: {SIZE}; some minutes")
        install_packages, fetch = commands(folder)[1:]
        _run(install_packages)
        subprocess.run(fetch, capture_output=True, check=False)
        if absent := _absent():
            progress(f"nltk's {', '.join(absent)} could not be fetched: name a folder that has them with NLTK_DATA")
        (home() / "ready").write_text(VERSION + "\n", encoding="utf-8")
    except (OSError, subprocess.CalledProcessError) as error:
        raise OutputError(f"{home()} cannot be written: {error}", hint="free 2 GB there, or move the cache") from error
    found = find_peer()
    assert found is not None  # it has just been built
    return found


def _absent() -> list[str]:
    """Which of nltk's data lie nowhere that a recipe looks: its downloader ends with 0 whether it got them or not."""
    named = [Path(each) for each in os.environ.get("NLTK_DATA", "").split(os.pathsep) if each]
    lying = {path.name.removesuffix(".zip") for folder in (_data(), *named) for path in folder.glob("*/*")}
    return [name for name in NLTK_DATA if name not in lying]


def _run(command: Sequence[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR: ")]
        raise UsageError(
            f"pip could not install TextAttack: {(errors or ['it gave no reason'])[-1].removeprefix('ERROR: ')}",
            hint="go online or set pip's index (PIP_INDEX_URL), and run the same command again",
        )


def _same_torch() -> tuple[str, ...]:
    """The release of torch that is here, in whatever build the package index has."""
    return (f"torch=={importlib.metadata.version('torch').partition('+')[0]}",)


def _interpreter(folder: Path) -> Path:
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _version(python: Path) -> str:
    """As the files of its environment say; nothing is run."""
    for found in sorted(python.parent.parent.glob("[Ll]ib*/**/site-packages/textattack-*.dist-info")):
        if match := re.fullmatch(r"textattack-(.+)\.dist-info", found.name):
            return match[1]
    return ""


def with_peer(probe: Probe, peer: Peer | None) -> Mapping[str, object]:
    """The fields of a probe of attacks that let it use TextAttack; none where there is no TextAttack."""
    given = getattr(probe, "given", None)
    return {} if peer is None or given is None else {"given": {**given, Resource.TEXTATTACK: peer}}
