"""What `benchmarks.attacks` cannot do without, looked for before anything long begins; imports nothing heavy.

    python -m benchmarks.attacks_needs --peer-python /path/to/textattack/bin/python --device cuda

Prints what is missing, in one line, and ends with 1; with 0 where all is there. The demonstration model is not looked
for: the benchmark begins by building it where it is not there, and says itself what that lacks.
"""

from __future__ import annotations

import argparse
import os
import subprocess
from importlib.util import find_spec
from pathlib import Path

MOVIE = Path(__file__).resolve().parents[2] / "shared" / "data" / "vader_sentiment" / "movie.parquet"
MODULES = ("numpy", "torch", "transformers", "pydantic", "scipy", "statsmodels", "platformdirs", "pyarrow")
PEER = """
import importlib.util, sys

absent = [name for name in ("textattack", "nltk", "torch", "transformers") if importlib.util.find_spec(name) is None]
if absent:
    sys.exit(print(f"the modules {', '.join(absent)} in {sys.executable}"))
from nltk import corpus

for name in ("stopwords", "wordnet"):
    try:
        getattr(corpus, name).ensure_loaded()
    except LookupError:
        print(f"nltk's {name} for TextAttack, in a folder that NLTK_DATA names")
if sys.argv[1].startswith("cuda"):
    import torch

    torch.cuda.is_available() or print(f"a CUDA device that the torch of {sys.executable} sees")
"""
"""What TextAttack's interpreter says it lacks, a line each."""


def main() -> None:
    options = needing(
        argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    )
    found = lacking(options.parse_args())
    if found:
        print("; ".join(found))
    raise SystemExit(bool(found))


def needing(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """With the options that say what is needed."""
    parser.add_argument("--peer-python", required=True, type=Path, help="an interpreter that has TextAttack")
    parser.add_argument("--data", type=Path, default=MOVIE, help="film sentences with their labels, as parquet")
    parser.add_argument("--device", default="cpu")
    return parser


def lacking(options: argparse.Namespace) -> list[str]:
    """What is missing, each with where it goes."""
    if absent := [name for name in MODULES if find_spec(name) is None]:
        return [f"the modules {', '.join(absent)}"]
    missing = [] if options.data.is_file() else [f"the film sentences {options.data} (--data names others)"]
    if _wordnet() is None:
        missing.append("WordNet for this engine: nltk, and its corpus in a folder that NLTK_DATA names")
    return missing + _of_peer(options.peer_python, options.device)


def alone() -> dict[str, str]:
    """The environment for TextAttack's interpreter: not our packages, nor the network."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return kept | {"HF_HUB_OFFLINE": "1", "PYTHONHASHSEED": "0"}


def _wordnet() -> object:
    from probes.robustness.adversarial.sources import wordnet

    return wordnet.find()


def _of_peer(python: Path, device: str) -> list[str]:
    try:
        done = subprocess.run(
            [str(python), "-c", PEER, device], env=alone(), capture_output=True, text=True, check=False
        )
    except OSError as error:
        return [f"an interpreter {python}: {error.strerror}"]
    said = done.stdout.splitlines()
    return (
        said if said or not done.returncode else [f"an interpreter that works: {python}: {done.stderr.strip()[-200:]}"]
    )


if __name__ == "__main__":
    main()
