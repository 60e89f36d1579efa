"""Ed25519 signatures (RFC 8032) in DSSE envelopes, made and checked offline. Keys are PEM files, PKCS#8 and SPKI.

A signature says that the holder of a key vouched for these bytes. It does not say that the tests were right, that the
machine was honest, or when it was made.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
from collections.abc import Callable, Sequence
from enum import Enum, auto
from pathlib import Path
from typing import TYPE_CHECKING, Any

from probes.core.attestation import STATEMENT_TYPE, Envelope, Signature, Statement, canonical
from probes.core.errors import OutputError, UsageError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey


class Finding(Enum):
    """What checking an envelope against keys gives."""

    VERIFIED = auto()
    OTHER_KEY = auto()
    """Signed by keys that were not given."""
    BROKEN = auto()
    """It claims a key that was given, and the signature is not of this key."""


def pae(payload_type: str, payload: bytes) -> bytes:
    """The bytes that DSSE signs: type and payload with their lengths, so that neither can pass for the other."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def sign_statement(statement: Statement, key: Ed25519PrivateKey, *, beside: Envelope | None = None) -> Envelope:
    """A statement in a signed envelope.

    Args:
        beside: an envelope whose signatures are kept where it holds the same statement.
    """
    payload = canonical(statement)
    signature = Signature(keyid=keyid(key.public_key()), sig=base64.b64encode(signature_of(payload, key)).decode())
    kept = beside.signatures if beside is not None and beside.content == payload else ()
    signatures = {each.keyid: each for each in (*kept, signature)}
    return Envelope(
        payload=base64.b64encode(payload).decode(),
        payload_type=STATEMENT_TYPE,
        signatures=tuple(signatures[name] for name in sorted(signatures)),
    )


def signature_of(payload: bytes, key: Ed25519PrivateKey, *, payload_type: str = STATEMENT_TYPE) -> bytes:
    """64 bytes over the DSSE encoding of the payload."""
    return key.sign(pae(payload_type, payload))


def check(envelope: Envelope, keys: Sequence[Ed25519PublicKey]) -> Finding:
    """Look for a signature by one of the keys.

    The id of a key only says which signature is meant to be whose: nothing is accepted because of it.
    """
    ids = {keyid(key): key for key in keys}
    claimed = [(each, ids[each.keyid]) for each in envelope.signatures if each.keyid in ids]
    if any(not _valid(envelope, signature, key) for signature, key in claimed):
        return Finding.BROKEN
    if claimed:
        return Finding.VERIFIED
    # A valid signature under a false id: somebody wrote to the file.
    signed = any(_valid(envelope, signature, key) for signature in envelope.signatures for key in keys)
    return Finding.BROKEN if signed else Finding.OTHER_KEY


def verifier(keys: Sequence[Ed25519PublicKey]) -> Callable[[Envelope], bool]:
    """For `probes.core.attestation.signoffs`."""
    return lambda envelope: check(envelope, keys) is Finding.VERIFIED


def keyid(key: Ed25519PublicKey) -> str:
    """SHA-256 of the public key (SubjectPublicKeyInfo, DER), as `openssl pkey -pubin -outform DER` writes it."""
    serialization = _cryptography("primitives.serialization")
    content: bytes = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def load_private(path: Path) -> Ed25519PrivateKey:
    """The key to sign with.

    Raises:
        UsageError: when it is no unencrypted Ed25519 private key in PEM, or `cryptography` is missing.
    """
    serialization, ed25519 = _cryptography("primitives.serialization"), _cryptography("primitives.asymmetric.ed25519")
    content = _pem(path)
    try:
        key = serialization.load_pem_private_key(content, password=None)
    except TypeError:
        raise UsageError(
            f"the key {path} is encrypted", hint="decrypt it first: openssl pkey -in KEY.pem -out plain.pem"
        ) from None
    except ValueError:
        raise _no_key(path, "private") from None
    if not isinstance(key, ed25519.Ed25519PrivateKey):
        raise _no_key(path, "private")
    return key  # type: ignore[no-any-return]  # the class is only known when cryptography is there


def load_public(path: Path) -> Ed25519PublicKey:
    """The key to check signatures with; raises likewise."""
    serialization, ed25519 = _cryptography("primitives.serialization"), _cryptography("primitives.asymmetric.ed25519")
    content = _pem(path)
    try:
        key = serialization.load_pem_public_key(content)
    except ValueError:
        raise _no_key(path, "public") from None
    if not isinstance(key, ed25519.Ed25519PublicKey):
        raise _no_key(path, "public")
    return key  # type: ignore[no-any-return]  # the class is only known when cryptography is there


def new_key(path: Path) -> tuple[Path, Path]:
    """Make a pair of keys: the private one at `path`, readable by its owner alone, the public one beside it.

    Returns:
        Both paths; the public one ends in `.pub.pem`.

    Raises:
        UsageError: when one of them exists already, or `cryptography` is missing.
        OutputError: when they cannot be written.
    """
    serialization, ed25519 = _cryptography("primitives.serialization"), _cryptography("primitives.asymmetric.ed25519")
    public = path.with_suffix(".pub.pem")
    for each in (path, public):
        if each.exists() or each.is_symlink():
            raise UsageError(f"{each} exists already", hint="choose another name: a key is never overwritten")
    key = ed25519.Ed25519PrivateKey.generate()
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    opened = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    _create(path, private, mode=0o600)
    _create(public, opened, mode=0o644)
    return path, public


def _create(path: Path, content: bytes, *, mode: int) -> None:
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            file.write(content)
    except OSError as error:
        raise OutputError(
            f"cannot write {path}: {error.strerror or error}", hint="choose a folder that you may write to"
        ) from None


def _valid(envelope: Envelope, signature: Signature, key: Ed25519PublicKey) -> bool:
    invalid: type[Exception] = _cryptography("exceptions", below="cryptography").InvalidSignature
    try:
        given = base64.b64decode(signature.sig, validate=True)
        key.verify(given, pae(envelope.payload_type, envelope.content))
    except (invalid, binascii.Error, ValueError):
        return False
    return base64.b64encode(given).decode() == signature.sig


def _pem(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(
            f"cannot read the key {path}: {error.strerror}", hint="make a pair with `audit sign --new-key FILE`"
        ) from None


def _no_key(path: Path, kind: str) -> UsageError:
    how = "sign with the private key, check with the public one; `audit sign --new-key FILE` makes a pair"
    return UsageError(f"{path} is no Ed25519 {kind} key in PEM", hint=how)


def _cryptography(module: str, *, below: str = "cryptography.hazmat") -> Any:
    """A module of the optional dependency."""
    from importlib import import_module

    try:
        return import_module(f"{below}.{module}")
    except ImportError:
        raise UsageError(
            "signatures need the package cryptography, which is not installed",
            hint="pip install 'responsible-audit[sign]'",
        ) from None
