"""A small source archive of the shape of vaderSentiment's, with sentences of our own."""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Mapping
from pathlib import Path

from probes.data.vader import FILES, INNER_ARCHIVE
from tests.planted import planted_sentences

Row = tuple[str, float, str]
TOP = "vaderSentiment-3.3.2"


def planted_rows() -> list[Row]:
    return [
        (str(number), 2.5 if label == "positive" else -2.5, text)
        for number, (text, label) in enumerate(planted_sentences(), start=1)
    ]


def write_archive(path: Path, rows: Mapping[str, list[Row]] | None = None, *, hostile: bool = False) -> Path:
    """Write the archive; domains that `rows` leaves out get the planted sentences. `hostile` adds members that would
    leave the folder or point elsewhere, were they unpacked."""
    inner = {
        f"hutto_ICWSM_2014/{name}": as_file((rows or {}).get(domain, planted_rows())) for domain, name in FILES.items()
    }
    outer = {f"{TOP}/{INNER_ARCHIVE}": tar(inner, hostile=hostile), f"{TOP}/setup.py": b"raise SystemExit('ran')"}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(tar(outer, hostile=hostile))
    return path


def as_file(rows: list[Row]) -> bytes:
    return "".join(f"{name}\t{rating}\t{text}\r\n" for name, rating, text in rows).encode()


def tar(members: Mapping[str, bytes], *, hostile: bool = False) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        if hostile:
            _add(archive, "../../escaped.txt", b"out")
            link = tarfile.TarInfo(f"x/{FILES['movie']}")
            link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
            archive.addfile(link)
        for name, content in members.items():
            _add(archive, name, content)
    return gzip.compress(buffer.getvalue(), mtime=0)


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    archive.addfile(member, io.BytesIO(content))
