"""Bytes of a local file to text: compression, byte order marks, and an honest error for any other encoding."""

from __future__ import annotations

import codecs
import gzip
import zlib
from pathlib import Path

from probes.core.errors import DataError

# UTF-32 first: its little-endian mark begins with that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def read_text(path: Path) -> str:
    """The whole file as text: UTF-8, or UTF-16/32 when a byte order mark says so; `.gz` is unpacked.

    Raises:
        DataError: when it cannot be read, naming the offset of the first byte that is no text.
    """
    raw = _read_bytes(path)
    encoding = next((name for mark, name in _MARKS if raw.startswith(mark)), "utf-8")
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"{path} is not {encoding.upper()}: byte 0x{raw[error.start]:02x} at offset {error.start} (line {line})",
            hint="save it as UTF-8, for example: iconv -f WINDOWS-1252 -t UTF-8 old > new",
        ) from None
    return text.removeprefix("\ufeff")


def _read_bytes(path: Path) -> bytes:
    try:
        raw = path.read_bytes()
        return gzip.decompress(raw) if path.suffix.lower() == ".gz" else raw
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(
            f"{path} is not a whole gzip file: {error}", hint="pack it again, or pass it unpacked"
        ) from None
    except OSError as error:
        raise unreadable(path, error) from None


def unreadable(path: Path, error: OSError) -> DataError:
    """The error for a file the operating system does not let us read."""
    return DataError(f"cannot read {path}: {error.strerror or error}", hint="check the path and its permissions")
