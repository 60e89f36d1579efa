"""From what the user typed to a local folder: a path, or a model on the Hugging Face Hub."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from probes.core.errors import UsageError, did_you_mean

HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*(?:/[A-Za-z0-9][\w.-]*)?")
_CACHED = re.compile(r"models--(?:.+--)?(.+)")
"""A folder in the cache of the Hub, by owner and name of a model; snapshots in it are named by their commits."""
SINGLE_FILE = ".gguf"
"""The end of files that are a whole model."""
HUB_FILES = ("*.json", "*.safetensors", "*.txt", "*.model", "*.codes", "*.tiktoken", "*.jinja", "README.md")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a model lies.

    Attributes:
        given: path or Hub id as given.
        folder: the local folder that holds its files.
        name: short name for people.
        revision: commit of a Hub model; None for a local folder.
        file: the file in it that was named, where one file is the whole model (GGUF).
    """

    given: str
    folder: Path
    name: str
    revision: str | None = None
    file: Path | None = None


def locate(
    source: str, *, revision: str | None = None, allow_pickle: bool = False, trust_remote_code: bool = False
) -> Source:
    """Find the model's folder or GGUF file.

    A Hub model (its weights and tokenizer, nothing else) is downloaded when it is not here yet.

    Raises:
        UsageError: no such folder, an empty one, or the Hub does not have the model or cannot be reached.
    """
    path = Path(source).expanduser()
    if source.strip() and path.exists():
        return _local(source, path, revision=revision)
    if not source.strip() or _is_path(source):
        raise UsageError(f"no such folder: {source}", hint=_nearby(path))
    extra = (("*.bin",) if allow_pickle else ()) + (("*.py",) if trust_remote_code else ())
    folder = _download(source, revision=revision, patterns=(*HUB_FILES, *extra))
    return Source(given=source, folder=folder, name=source.rpartition("/")[2], revision=folder.name)


def _local(source: str, path: Path, *, revision: str | None) -> Source:
    if revision is not None:
        raise UsageError(f"{source} is local and has no revisions", hint="leave out the revision")
    if path.is_file() and path.suffix == SINGLE_FILE:
        return Source(given=source, folder=path.parent, name=path.stem, file=path)
    if not path.is_dir():
        raise UsageError(f"{source} is a file, not a model folder", hint="give the folder that holds config.json")
    if not any(path.iterdir()):
        raise UsageError(f"{source} is empty", hint="give the folder that save_pretrained wrote")
    return Source(given=source, folder=path, name=_named(path.resolve()))


def _named(folder: Path) -> str:
    """The folder's own name; of a snapshot in the cache of the Hub that of its model."""
    cached = _CACHED.fullmatch(folder.parent.parent.name) if folder.parent.name == "snapshots" else None
    return cached[1] if cached else folder.name


def _is_path(source: str) -> bool:
    """Whether a name that does not exist was meant as a path: "models/mine" is one if there is a folder "models"."""
    first, separator, _ = source.partition("/")
    return not HUB_ID.fullmatch(source) or (bool(separator) and Path(first).is_dir())


def _nearby(path: Path) -> str:
    siblings = [sibling.name for sibling in path.parent.iterdir() if sibling.is_dir()] if path.parent.is_dir() else []
    if not siblings or len(siblings) > 200 or path.parent == Path(path.anchor):
        return "give a folder written by save_pretrained, or a Hub id such as org/name"
    return did_you_mean(path.name, siblings)


def _download(repo: str, *, revision: str | None, patterns: tuple[str, ...]) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    try:
        # A snapshot folder is named after its commit, so what "main" meant today is recorded. Subfolders hold copies in
        # other formats (onnx, tf), never what from_pretrained reads.
        snapshot = snapshot_download(
            repo, revision=revision, allow_patterns=list(patterns), ignore_patterns=["*/*", "training_args*"]
        )
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError, ValueError) as error:
        raise _hub_error(repo, revision, error) from error
    return Path(snapshot)


def _hub_error(repo: str, revision: str | None, error: Exception) -> UsageError:
    from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, RepositoryNotFoundError, RevisionNotFoundError

    if isinstance(error, GatedRepoError):
        return UsageError(f"{repo} is gated on the Hub", hint="accept its terms there and run `hf auth login`")
    if isinstance(error, RepositoryNotFoundError):
        return UsageError(
            f"neither a folder here nor a model on the Hub is called {repo}",
            hint="check the spelling; a private model needs `hf auth login`",
        )
    if isinstance(error, RevisionNotFoundError):
        return UsageError(f"{repo} has no revision {revision}", hint="give a branch, tag or commit of that model")
    if isinstance(error, HfHubHTTPError) and getattr(error, "response", None) is not None:
        return UsageError(f"the Hub did not deliver {repo}: {type(error).__name__}", hint="try again later")
    return UsageError(
        f"no folder called {repo} here, and the Hub cannot be reached to look there",
        hint="check the spelling of the path; offline, only models already downloaded can be named by Hub id",
    )
