"""Messages between two processes: JSON behind four bytes that say how long it is."""

from __future__ import annotations

import json
import struct
from typing import Any, BinaryIO

_LENGTH = struct.Struct(">I")


def send(pipe: BinaryIO, message: dict[str, Any]) -> None:
    """Write a message; only ASCII goes over the pipe, so that halves of surrogate pairs arrive as they are."""
    body = json.dumps(message, ensure_ascii=True).encode("ascii")
    pipe.write(_LENGTH.pack(len(body)) + body)
    pipe.flush()


def receive(pipe: BinaryIO) -> dict[str, Any] | None:
    """The next message; None when the other side has closed the pipe, also in the middle of one."""
    head = _exactly(pipe, _LENGTH.size)
    body = None if head is None else _exactly(pipe, _LENGTH.unpack(head)[0])
    if body is None:
        return None
    message: dict[str, Any] = json.loads(body)
    return message


def _exactly(pipe: BinaryIO, count: int) -> bytes | None:
    pieces = bytearray()
    while len(pieces) < count:
        piece = pipe.read(count - len(pieces))
        if not piece:
            return None
        pieces += piece
    return bytes(pieces)
