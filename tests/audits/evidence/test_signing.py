"""Signatures against published vectors, and what must not be taken for one."""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
import sys

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from audits.evidence import signing
from audits.evidence.signing import Finding, check, keyid, load_private, load_public, new_key, pae, sign_statement
from audits.evidence.statements import result_of, sign_result
from probes.core.attestation import (
    Envelope,
    Signature,
    Statement,
    Subject,
    bundle_digest,
    canonical,
    read_attestation,
)
from probes.core.errors import IntegrityError, OutputError, UsageError
from probes.core.findings import ExitCode, Level, Status
from tests.audits.evidence import runs
from tests.reports import synthetic_run as synthetic

# RFC 8032, section 7.1: secret key, public key, message, signature.
VECTORS = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
]


@pytest.fixture
def keys(tmp_path):
    return [ed25519.Ed25519PrivateKey.from_private_bytes(bytes([i]) * 32) for i in (1, 2)]


def statement(**predicate: object) -> Statement:
    return Statement(
        subject=(Subject(name="bundle.json", digest={"sha256": "a" * 64}),), predicate_type="urn:x", predicate=predicate
    )


def public(key):
    return key.public_key()


def test_pae_of_the_dsse_specification():
    """protocol.md of secure-systems-lab/dsse, version 1.0.0, "Test Vectors"."""
    expected = b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    assert pae("http://example.com/HelloWorld", b"hello world") == expected


def test_pae_counts_bytes_and_cannot_be_read_in_two_ways():
    assert pae("\u00fc", "\u20ac".encode()) == b"DSSEv1 2 \xc3\xbc 3 \xe2\x82\xac"
    assert pae("", b"") == b"DSSEv1 0  0 "
    assert pae("a 1 b", b"c") != pae("a", b"1 b c")


@pytest.mark.parametrize(("secret", "opened", "message", "signature"), VECTORS)
def test_ed25519_as_in_rfc_8032(secret, opened, message, signature, monkeypatch, tmp_path):
    """Key file, signing and checking of ours give the published signature where the message is signed as it is."""
    monkeypatch.setattr(signing, "pae", lambda _kind, payload: payload)
    path = tmp_path / "key.pem"
    raw = ed25519.Ed25519PrivateKey.from_private_bytes(bytes.fromhex(secret))
    path.write_bytes(raw.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    key = load_private(path)
    assert key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex() == opened
    payload = bytes.fromhex(message)
    assert signing.signature_of(payload, key).hex() == signature
    envelope = Envelope(
        payload=base64.b64encode(payload).decode(),
        payload_type="application/vnd.in-toto+json",
        signatures=(Signature(keyid=keyid(key.public_key()), sig=base64.b64encode(bytes.fromhex(signature)).decode()),),
    )
    assert check(envelope, [key.public_key()]) is Finding.VERIFIED


def test_a_signature_verifies_with_cryptography_alone(keys):
    envelope = sign_statement(statement(a=1), keys[0])
    payload = base64.b64decode(envelope.payload)
    message = b"DSSEv1 28 application/vnd.in-toto+json " + str(len(payload)).encode() + b" " + payload
    keys[0].public_key().verify(base64.b64decode(envelope.signatures[0].sig), message)


def test_other_keys_and_changed_content(keys):
    envelope = sign_statement(statement(a=1), keys[0])
    other = sign_statement(statement(a=2), keys[0])
    assert check(envelope, [public(keys[0])]) is Finding.VERIFIED
    assert check(envelope, [public(keys[1]), public(keys[0])]) is Finding.VERIFIED
    assert check(envelope, [public(keys[1])]) is Finding.OTHER_KEY
    assert check(envelope.model_copy(update={"payload": other.payload}), [public(keys[0])]) is Finding.BROKEN


def test_the_id_of_a_key_proves_nothing(keys):
    envelope = sign_statement(statement(), keys[1])
    named = Signature(keyid=keyid(public(keys[0])), sig=envelope.signatures[0].sig)
    assert check(envelope.model_copy(update={"signatures": (named,)}), [public(keys[0])]) is Finding.BROKEN
    renamed = Signature(keyid="sha256:" + "0" * 64, sig=envelope.signatures[0].sig)
    assert check(envelope.model_copy(update={"signatures": (renamed,)}), [public(keys[1])]) is Finding.BROKEN


def test_one_bad_signature_among_good_ones_is_not_passed_over(keys):
    envelope = sign_statement(statement(), keys[0], beside=sign_statement(statement(), keys[1]))
    assert len(envelope.signatures) == 2
    assert check(envelope, [public(key) for key in keys]) is Finding.VERIFIED
    bad = Signature(keyid=keyid(public(keys[1])), sig=sign_statement(statement(b=1), keys[1]).signatures[0].sig)
    good = next(each for each in envelope.signatures if each.keyid == keyid(public(keys[0])))
    assert check(envelope.model_copy(update={"signatures": (good, bad)}), [public(key) for key in keys]) is (
        Finding.BROKEN
    )


def test_signatures_of_another_statement_are_not_kept(keys):
    envelope = sign_statement(statement(a=1), keys[0], beside=sign_statement(statement(a=2), keys[1]))
    assert [each.keyid for each in envelope.signatures] == [keyid(public(keys[0]))]


def test_keyid_is_what_openssl_and_sha256sum_say(tmp_path):
    key, opened = new_key(tmp_path / "key.pem")
    der = base64.b64decode("".join(opened.read_text().splitlines()[1:-1]))
    assert keyid(load_public(opened)) == f"sha256:{hashlib.sha256(der).hexdigest()}"
    assert keyid(load_private(key).public_key()) == keyid(load_public(opened))


def test_new_keys_are_private_and_never_overwritten(tmp_path):
    private, opened = new_key(tmp_path / "release.pem")
    assert opened.name == "release.pub.pem"
    assert private.stat().st_mode & 0o777 == 0o600
    before = private.read_bytes()
    with pytest.raises(UsageError, match="exists already"):
        new_key(tmp_path / "release.pem")
    private.unlink()
    with pytest.raises(UsageError, match=r"release\.pub\.pem exists already"):
        new_key(tmp_path / "release.pem")
    assert not private.exists()
    assert b"PRIVATE" in before
    with pytest.raises(OutputError):
        new_key(tmp_path / "no such folder" / "key.pem")


def test_keys_that_are_no_keys(tmp_path):
    private, opened = new_key(tmp_path / "key.pem")
    wrong = {
        "text.pem": b"hello",
        "rsa.pem": rsa.generate_private_key(65537, 2048).private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
        ),
        "ec.pem": ec.generate_private_key(ec.SECP256R1())
        .public_key()
        .public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
    }
    for name, content in wrong.items():
        (tmp_path / name).write_bytes(content)
        for load in (load_private, load_public):
            with pytest.raises(UsageError, match="no Ed25519"):
                load(tmp_path / name)
    with pytest.raises(UsageError, match="private key"):
        load_private(opened)
    with pytest.raises(UsageError, match="public key"):
        load_public(private)
    with pytest.raises(UsageError, match="cannot read"):
        load_public(tmp_path / "nowhere")
    locked = load_private(private).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x"))
    (tmp_path / "locked.pem").write_bytes(locked)
    with pytest.raises(UsageError, match="encrypted"):
        load_private(tmp_path / "locked.pem")


def test_without_cryptography_one_error_says_what_to_install(tmp_path, monkeypatch):
    private, opened = new_key(tmp_path / "key.pem")
    for name in [name for name in sys.modules if name.split(".")[0] == "cryptography"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "cryptography", None)
    for act in (lambda: load_private(private), lambda: load_public(opened), lambda: new_key(tmp_path / "new.pem")):
        with pytest.raises(UsageError) as caught:
            act()
        assert "pip install 'responsible-audit[sign]'" in caught.value.hint


def test_verifying_without_keys_loads_no_cryptography():
    code = (
        "import sys, audits.evidence.verify, audits.commands.sign\n"
        "heavy = ('cryptography', 'torch', 'transformers', 'datasets')\n"
        "assert not [name for name in sys.modules if name.startswith(heavy)]"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=runs.ROOT, check=False)
    assert done.returncode == 0, done.stderr


def test_the_test_result_says_what_the_specification_asks(tmp_path, keys):
    run = runs.sealed(tmp_path / "run")
    content = json.loads(canonical(result_of(run)))
    assert content["_type"] == "https://in-toto.io/Statement/v1"
    assert content["predicateType"] == "https://in-toto.io/attestation/test-result/v0.1"
    assert content["subject"] == [
        {"name": "model ticket-classifier", "digest": {"sha256": run.manifest().model.fingerprint}},
        {"name": "bundle.json", "digest": {"sha256": bundle_digest(run)}},
    ]
    predicate = content["predicate"]
    assert predicate["result"] == "WARNED"
    assert predicate["passedTests"] == ["performance.quality.accuracy"]
    assert predicate["failedTests"] == []
    assert predicate["warnedTests"]
    names = {descriptor["name"]: descriptor for descriptor in predicate["configuration"]}
    assert names["policy.yaml"]["annotations"] == {"contentSha256": run.verdict().policy_digest}
    for name, descriptor in names.items():
        assert descriptor["digest"]["sha256"] == hashlib.sha256((run.path / name).read_bytes()).hexdigest()
    path = sign_result(run, keys[0])
    read, envelope = read_attestation(path)
    assert canonical(read) == canonical(result_of(run))
    assert check(envelope, [public(keys[0])]) is Finding.VERIFIED
    before = path.read_bytes()
    assert sign_result(run, keys[0]).read_bytes() == before


CASES = [
    (Status.PASS, Level.BLOCK, True, "passedTests"),
    (Status.PASS, Level.INFO, True, "passedTests"),
    (Status.FAIL, Level.BLOCK, True, "failedTests"),
    (Status.FAIL, Level.WARN, True, "warnedTests"),
    (Status.FAIL, Level.INFO, True, None),
    (Status.INCONCLUSIVE, Level.BLOCK, True, "failedTests"),
    (Status.INCONCLUSIVE, Level.WARN, True, "warnedTests"),
    (Status.INCONCLUSIVE, Level.BLOCK, False, "warnedTests"),
    (Status.NOT_RUN, Level.BLOCK, True, "failedTests"),
    (Status.NOT_RUN, Level.BLOCK, False, "warnedTests"),
    (Status.NOT_RUN, Level.WARN, True, "warnedTests"),
    (Status.ERROR, Level.INFO, True, "failedTests"),
    (Status.NOT_APPLICABLE, Level.BLOCK, True, None),
    (Status.WAIVED, Level.BLOCK, True, "warnedTests"),
]


@pytest.mark.parametrize(("status", "level", "decisive", "expected"), CASES)
@pytest.mark.parametrize("code", [ExitCode.PASSED, ExitCode.FAILED, ExitCode.INCONCLUSIVE, ExitCode.INCOMPLETE])
def test_every_status_has_its_list_and_only_a_pass_is_passed(tmp_path, status, level, decisive, expected, code):
    run = runs.measured(tmp_path / "run")
    finding = synthetic.check("a.b", "title", status=status, level=level).model_copy(
        update={"decisive": decisive, "waiver": "W-1" if status is Status.WAIVED else ""}
    )
    verdict = synthetic._verdict(run.manifest().run_id, [finding], int(code), "Said.", "0" * 64)
    run.findings_path.write_text(verdict.model_dump_json(), encoding="utf-8")
    runs.seal(run)
    predicate = result_of(run).predicate
    lists = {name: predicate[name] for name in ("passedTests", "warnedTests", "failedTests")}
    name = "a.b.flip_rate#W-1" if status is Status.WAIVED else "a.b.flip_rate"
    assert lists == {key: [name] if key == expected else [] for key in lists}
    if code is not ExitCode.PASSED or expected == "failedTests":
        assert predicate["result"] == "FAILED"
    else:
        assert predicate["result"] == ("WARNED" if expected == "warnedTests" else "PASSED")


def test_an_unjudged_run_is_not_signed(tmp_path, keys):
    run = runs.measured(tmp_path / "run")
    runs.seal(run)
    with pytest.raises(UsageError, match="not judged"):
        sign_result(run, keys[0])


@pytest.mark.parametrize(
    "content", [b"", b"[]", b'{"payloadType":1}', b'{"payloadType":"x","payload":"","signatures":[]}']
)
def test_what_is_no_attestation_is_damaged(tmp_path, content):
    path = tmp_path / "signoff-1.json"
    path.write_bytes(content)
    with pytest.raises(IntegrityError, match=r"signoff-1\.json"):
        read_attestation(path)


def test_one_statement_has_one_spelling(tmp_path, keys):
    path = tmp_path / "signoff-1.json"
    content = canonical(sign_statement(statement(a=1), keys[0]))
    path.write_bytes(content)
    assert read_attestation(path)[0].predicate == {"a": 1}
    for spelt in (content + b"\n", content.replace(b":", b": ", 1), content[:-1] + b',"extra":1}'):
        path.write_bytes(spelt)
        with pytest.raises(IntegrityError):
            read_attestation(path)
