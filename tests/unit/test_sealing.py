"""A sealed payload opens for its lender under its own binding and in no other way."""

import dataclasses
import hashlib
import hmac

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from chain_common.domain.content_id import MAX_BLOB_BYTES
from chain_common.domain.randomness import SeededRng
from chain_common.domain.sealing import (
    PayloadBinding,
    generate_sealing_key,
    open_payload,
    seal_payload,
    sealing_public_key,
)
from chain_common.errors import BadInput, PayloadRejected

KEY = generate_sealing_key(SeededRng(bytes(32), "sealing test"))
PUBLIC = sealing_public_key(KEY)
BINDING = PayloadBinding(
    chain_id=31337,
    contract="0x" + "c0" * 20,
    model_id=7,
    round=2,
    base_digest=b"\x11" * 32,
    owner="0x" + "aB" * 20,
    nonce=b"\x22" * 32,
)


def labeled_extract(salt, suite_id, label, key):
    return hmac.digest(salt, b"HPKE-v1" + suite_id + label + key, "sha256")


def labeled_expand(key, suite_id, label, info, length):
    text = length.to_bytes(2, "big") + b"HPKE-v1" + suite_id + label + info
    return hmac.digest(key, text + b"\x01", "sha256")[:length]


def reference_open(enc, ciphertext, private_key, info, aad=b""):
    """Open in HPKE's base mode, written from RFC 9180 §4 and §5."""
    key = X25519PrivateKey.from_private_bytes(private_key)
    kem = b"KEM" + (0x20).to_bytes(2, "big")
    shared = key.exchange(X25519PublicKey.from_public_bytes(enc))
    extracted = labeled_extract(b"", kem, b"eae_prk", shared)
    context = enc + key.public_key().public_bytes_raw()
    secret = labeled_expand(extracted, kem, b"shared_secret", context, 32)
    suite = b"HPKE" + b"".join(number.to_bytes(2, "big") for number in (0x20, 1, 3))
    hashes = labeled_extract(b"", suite, b"psk_id_hash", b"") + labeled_extract(b"", suite, b"info_hash", info)
    schedule = labeled_extract(secret, suite, b"secret", b"")
    aead = labeled_expand(schedule, suite, b"key", b"\0" + hashes, 32)
    nonce = labeled_expand(schedule, suite, b"base_nonce", b"\0" + hashes, 12)
    return ChaCha20Poly1305(aead).decrypt(nonce, ciphertext, aad)


def test_the_reference_opens_the_rfcs_own_vector():
    # RFC 9180, appendix A.2.1: DHKEM(X25519), HKDF-SHA256, ChaCha20-Poly1305, base mode, sequence number 0.
    opened = reference_open(
        bytes.fromhex("1afa08d3dec047a643885163f1180476fa7ddb54c6a8029ea33f95796bf2ac4a"),
        bytes.fromhex("1c5250d8034ec2b784ba2cfd69dbdb8af406cfe3ff938e131f0def8c8b60b4db21993c62ce81883d2dd1b51a28"),
        bytes.fromhex("8057991eef8f1f1af18f4a9491d16a1ce333f695d4db8e38da75975c4478e0fb"),
        bytes.fromhex("4f6465206f6e2061204772656369616e2055726e"),
        b"Count-0",
    )
    assert opened == b"Beauty is truth, truth beauty"


def test_a_sealed_payload_is_rfc_9180_with_the_binding_in_info():
    sealed = seal_payload(b"a payload", PUBLIC, BINDING)
    packed = (
        (31337).to_bytes(32, "big")
        + bytes.fromhex("c0" * 20)
        + (7).to_bytes(32, "big")
        + (2).to_bytes(32, "big")
        + b"\x11" * 32
        + bytes.fromhex("ab" * 20)
        + b"\x22" * 32
    )
    info = b"chain/payload/1" + hashlib.sha256(packed).digest()
    assert sealed[:5] == b"chSP\x01"
    assert reference_open(sealed[5:37], sealed[37:], KEY, info) == b"a payload"


def test_a_sealed_payload_opens_for_its_lender():
    sealed = seal_payload(b"a payload", PUBLIC, BINDING)
    assert len(sealed) == len(b"a payload") + 53
    assert open_payload(sealed, KEY, BINDING) == b"a payload"
    assert open_payload(seal_payload(b"", PUBLIC, BINDING), KEY, BINDING) == b""


def test_addresses_bind_without_regard_to_case():
    sealed = seal_payload(b"a payload", PUBLIC, BINDING)
    lower = dataclasses.replace(BINDING, owner=BINDING.owner.lower())
    assert open_payload(sealed, KEY, lower) == b"a payload"


@pytest.mark.parametrize(
    "change",
    [
        {"chain_id": 1},
        {"contract": "0x" + "c1" * 20},
        {"model_id": 8},
        {"round": 3},
        {"base_digest": b"\x12" * 32},
        {"owner": "0x" + "ac" * 20},
        {"nonce": b"\x23" * 32},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_copied_payload_does_not_open_under_another_binding(change):
    sealed = seal_payload(b"a payload", PUBLIC, BINDING)
    with pytest.raises(PayloadRejected):
        open_payload(sealed, KEY, dataclasses.replace(BINDING, **change))


def test_a_payload_for_another_lender_does_not_open():
    other = generate_sealing_key(SeededRng(bytes(32), "another lender"))
    assert other != KEY
    with pytest.raises(PayloadRejected):
        open_payload(seal_payload(b"a payload", PUBLIC, BINDING), other, BINDING)


def test_cut_or_damaged_payloads_do_not_open():
    sealed = seal_payload(b"a payload", PUBLIC, BINDING)
    damaged = [sealed[:length] for length in range(len(sealed))]
    damaged += [sealed[:i] + bytes([sealed[i] ^ 0x40]) + sealed[i + 1 :] for i in range(len(sealed))]
    damaged += [sealed + b"\0", sealed[:5] + bytes(32) + sealed[37:]]
    for blob in damaged:
        with pytest.raises(PayloadRejected):
            open_payload(blob, KEY, BINDING)


def test_sealing_twice_gives_two_payloads():
    assert seal_payload(b"a payload", PUBLIC, BINDING) != seal_payload(b"a payload", PUBLIC, BINDING)


def test_sealed_payloads_fit_one_block():
    largest = bytes(MAX_BLOB_BYTES - 53)
    sealed = seal_payload(largest, PUBLIC, BINDING)
    assert len(sealed) == MAX_BLOB_BYTES
    assert open_payload(sealed, KEY, BINDING) == largest
    with pytest.raises(BadInput):
        seal_payload(largest + b"\0", PUBLIC, BINDING)
    with pytest.raises(PayloadRejected):
        open_payload(sealed + b"\0", KEY, BINDING)


@pytest.mark.parametrize("public_key", [b"", bytes(31), bytes(32)], ids=["none", "short", "low order"])
def test_a_key_that_is_none_seals_nothing(public_key):
    with pytest.raises(BadInput):
        seal_payload(b"a payload", public_key, BINDING)


@pytest.mark.parametrize(
    "change",
    [
        {"contract": "c0" * 20},
        {"owner": "0x" + "c0" * 19},
        {"owner": "0x" + "zz" * 20},
        {"base_digest": b""},
        {"nonce": bytes(33)},
        {"chain_id": -1},
        {"model_id": 2**256},
    ],
    ids=str,
)
def test_an_impossible_binding_is_refused(change):
    with pytest.raises(BadInput):
        dataclasses.replace(BINDING, **change)


def test_info_stays_within_what_rfc_9180_recommends():
    assert len(BINDING.info()) == 47
