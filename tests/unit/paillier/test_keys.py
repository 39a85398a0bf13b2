import hashlib

import gmpy2
import pytest

from chain_common.domain.paillier.keys import EncryptedWeights, PublicKey, check_group
from chain_common.errors import PayloadRejected
from tests.keys import model_key


def test_a_made_key_passes_the_check():
    model_key(2048).public_key.check()


def test_the_fingerprint_is_the_hash_of_the_modulus_bytes():
    assert PublicKey(0x0123).fingerprint == hashlib.sha256(b"\x01\x23").hexdigest()


def test_keys_with_the_same_modulus_are_equal_and_hash_alike():
    n = model_key(256).public_key.n
    assert PublicKey(n) == PublicKey(gmpy2.mpz(n))
    assert len({PublicKey(n), PublicKey(gmpy2.mpz(n))}) == 1


@pytest.mark.parametrize(
    ("n", "cause"),
    [
        (model_key(1024).public_key.n, "1024 bits"),
        (model_key(2048).public_key.n << 64, "even"),
        (model_key(2048).public_key.n >> 1, "2047 bits"),
        ((1 << 8255) + 1, "8256 bits"),
        (int(gmpy2.next_prime(1 << 2047)), "prime"),
        (model_key(2048).q ** 2, "power"),
        (int(gmpy2.next_prime((1 << 704) - (1 << 690))) ** 3, "power"),
    ],
    ids=["too-small", "even", "one-bit-short", "too-large", "prime", "square", "cube"],
)
def test_an_unsafe_modulus_is_refused_with_its_cause(n, cause):
    with pytest.raises(PayloadRejected, match=cause):
        PublicKey(n).check()


def test_the_text_of_a_key_reads_back():
    key = model_key(256).public_key
    assert PublicKey.from_text(key.to_text()) == key
    assert PublicKey(0xAB01).to_text() == "ab01"


@pytest.mark.parametrize("text", ["", "0", "0ff", "FF", "0xff", "-ff", "f_f", "ff\n", " ff", "fg", "١", "f" * 2049])
def test_another_spelling_of_a_key_is_refused(text):
    with pytest.raises(PayloadRejected, match="hexadecimal"):
        PublicKey.from_text(text)


@pytest.mark.parametrize("n", [-15, 0, 1])
def test_a_modulus_is_positive(n):
    with pytest.raises(PayloadRejected):
        PublicKey(n)


def test_the_bytes_of_encrypted_weights_read_back():
    key = model_key(256).public_key
    weights = EncryptedWeights(key, (1, 2, key.n_squared - 1))
    blob = weights.to_bytes()
    assert len(blob) == 43 + 3 * 64
    assert blob[:11] == b"chEW" + bytes([1, 0, 3, 0, 3, 0, 64])
    assert blob[11:43].hex() == key.fingerprint
    assert blob[43 + 64 : 43 + 128] == (2).to_bytes(64, "big")
    assert EncryptedWeights.from_bytes(blob, key, 3) == weights


@pytest.mark.parametrize(
    "spoil",
    [
        lambda _: b"",
        lambda blob: blob[:20],
        lambda blob: blob[:-1],
        lambda blob: blob + b"\0",
        lambda blob: blob[:-64],
        lambda blob: b"chPU" + blob[4:],
        lambda blob: blob[:4] + b"\2" + blob[5:],
        lambda blob: blob[:6] + b"\2" + blob[7:],
        lambda blob: blob[:8] + b"\2" + blob[9:],
        lambda blob: blob[:10] + b"\1" + blob[11:],
        lambda blob: blob[:42] + bytes([blob[42] ^ 1]) + blob[43:],
    ],
    ids=[
        "empty",
        "header",
        "cut",
        "longer",
        "one-less",
        "kind",
        "version",
        "n-weights",
        "count",
        "width",
        "key",
    ],
)
def test_spoilt_bytes_of_encrypted_weights_are_refused(spoil):
    key = model_key(256).public_key
    blob = EncryptedWeights(key, (1, 2, 3)).to_bytes()
    with pytest.raises(PayloadRejected):
        EncryptedWeights.from_bytes(spoil(blob), key, 3)


def test_encrypted_weights_of_another_number_or_key_are_refused():
    key, other = model_key(256).public_key, model_key(512).public_key
    blob = EncryptedWeights(key, (1, 2, 3)).to_bytes()
    with pytest.raises(PayloadRejected, match="235 bytes"):
        EncryptedWeights.from_bytes(blob, key, 4)
    with pytest.raises(PayloadRejected):
        EncryptedWeights.from_bytes(blob, other, 3)


def test_a_ciphertext_outside_the_group_is_named():
    private = model_key(256)
    key = private.public_key
    for outside in (0, -1, key.n_squared, key.n_squared + 1, 1 << 600):
        with pytest.raises(PayloadRejected, match="Ciphertext 1 is out of range"):
            check_group(key, (1, outside, 2))
    for factor in (private.p, 7 * private.q, key.n, key.n_squared - private.p):
        with pytest.raises(PayloadRejected, match="Ciphertext 2 is not invertible"):
            EncryptedWeights(key, (1, 2, factor))


def test_a_member_outside_the_group_is_refused_when_it_arrives_as_bytes():
    key = model_key(256).public_key
    blob = EncryptedWeights(key, (1, 2)).to_bytes()
    with pytest.raises(PayloadRejected, match="out of range"):
        EncryptedWeights.from_bytes(blob[:-64] + b"\xff" * 64, key, 2)
    with pytest.raises(PayloadRejected, match="not invertible"):
        EncryptedWeights.from_bytes(blob[:-64] + key.n.to_bytes(64, "big"), key, 2)


def test_no_ciphertext_at_all_is_refused():
    with pytest.raises(PayloadRejected, match="no ciphertexts"):
        EncryptedWeights(model_key(256).public_key, ())
