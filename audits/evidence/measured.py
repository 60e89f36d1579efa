"""What was measured, by one digest: the ledger keeps it of every judgement, where the run folder alone could change."""

from __future__ import annotations

import hashlib

from probes.core.run_folder import RunFolder


def results_digest(run: RunFolder) -> str:
    """SHA-256 over names and digests of the files of all steps, failed ones too; unfinished files are left out."""
    folder = run.path / "steps"
    files = sorted(folder.iterdir()) if folder.is_dir() else []
    whole = hashlib.sha256()
    for path in files:
        if path.is_file() and not path.name.endswith(".partial"):
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            whole.update(f"{digest}  {path.name}\n".encode("utf-8", "surrogateescape"))
    return whole.hexdigest()
