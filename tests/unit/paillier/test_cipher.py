from collections import Counter

import numpy as np
import phe
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chain_common.domain.fixed_point import OverflowRefused
from chain_common.domain.paillier.cipher import (
    add_plaintext,
    blind,
    encrypt,
    encrypt_with,
    random_unit,
    reencrypt_weights,
)
from chain_common.domain.paillier.keys import PublicKey
from chain_common.domain.paillier.private_key import PrivateKey, encrypt_weights
from chain_common.errors import BadInput, PayloadRejected
from tests.keys import model_key, seeded

KEY = model_key(512)
N = KEY.public_key.n
EDGES = st.sampled_from([0, 1, -1, N // 2, -(N // 2), N - 1])


def phe_key(private: PrivateKey) -> phe.PaillierPrivateKey:
    return phe.PaillierPrivateKey(phe.PaillierPublicKey(private.public_key.n), private.p, private.q)


def test_a_ciphertext_small_enough_for_paper():
    # n = 15, m = 7, r = 2: (1 + 7 * 15) * 2**15 = 106 * 143 = 83 modulo 225.
    assert encrypt_with(PublicKey(15), 7, 2) == 83
    assert PrivateKey(3, 5).decrypt_residue(83) == 7
    assert PrivateKey(3, 5).encrypt_with(7, 2) == 83


def test_units_are_uniform():
    counts = Counter(random_unit(PublicKey(15), rng) for rng in [seeded("units")] for _ in range(4000))
    assert sorted(counts) == [1, 2, 4, 7, 8, 11, 13, 14]
    # 500 expected each; the standard deviation is 21.
    assert all(400 < count < 600 for count in counts.values())


@settings(max_examples=40, deadline=None)
@given(plaintext=EDGES | st.integers(-(N // 2), N - 1))
def test_python_paillier_decrypts_what_we_encrypt(plaintext):
    ciphertext = encrypt(KEY.public_key, plaintext, seeded(str(plaintext)))
    assert phe_key(KEY).raw_decrypt(ciphertext) == plaintext % N


@settings(max_examples=40, deadline=None)
@given(plaintext=EDGES | st.integers(0, N - 1))
def test_we_decrypt_what_python_paillier_encrypts(plaintext):
    ciphertext = phe.PaillierPublicKey(N).raw_encrypt(plaintext % N)
    assert KEY.decrypt_residue(ciphertext) == plaintext % N


def test_python_paillier_and_we_agree_bit_for_bit_under_a_real_key():
    private = model_key(2048)
    unit = random_unit(private.public_key, seeded("unit"))
    theirs = phe.PaillierPublicKey(private.public_key.n).raw_encrypt(123456789, r_value=unit)
    assert encrypt_with(private.public_key, 123456789, unit) == theirs
    assert private.encrypt_with(123456789, unit) == theirs
    assert private.decrypt(theirs) == 123456789


@pytest.mark.parametrize("plaintext", [N, N + 1, -(N // 2) - 1, -N])
def test_a_plaintext_that_would_share_its_residue_is_refused(plaintext):
    with pytest.raises(BadInput):
        encrypt(KEY.public_key, plaintext, seeded())
    with pytest.raises(BadInput):
        KEY.encrypt_with(plaintext, 1)


def test_adding_a_plaintext_adds_it():
    ciphertext = encrypt(KEY.public_key, -5, seeded())
    assert KEY.decrypt(add_plaintext(KEY.public_key, ciphertext, -37)) == -42


def test_blinding_multiplies_by_the_nth_power_of_a_fresh_unit():
    ciphertext = encrypt(KEY.public_key, 42, seeded("first"))
    blinded = blind(KEY.public_key, ciphertext, seeded("second"))
    unit = random_unit(KEY.public_key, seeded("second"))
    assert blinded == ciphertext * pow(unit, N, N * N) % (N * N)
    assert KEY.decrypt(blinded) == 42


def test_blinding_refuses_what_it_could_not_hide():
    with pytest.raises(PayloadRejected):
        blind(KEY.public_key, KEY.p, seeded())


def test_re_encryption_from_an_opened_seed_gives_the_same_ciphertexts():
    weights = np.array([0, 1, -1, 2**30, -(2**30), 123456], dtype=np.int32)
    seed = bytes(range(32))
    encrypted = encrypt_weights(KEY, weights, seed)
    assert reencrypt_weights(KEY.public_key, weights, seed) == encrypted
    assert [KEY.decrypt(ciphertext) for ciphertext in encrypted.ciphertexts] == weights.tolist()


def test_another_seed_or_weight_gives_other_ciphertexts():
    weights = np.array([5, 5, 7], dtype=np.int32)
    encrypted = encrypt_weights(KEY, weights, bytes(32)).ciphertexts
    assert encrypted[0] != encrypted[1]
    assert not set(encrypted) & set(encrypt_weights(KEY, weights, bytes(31) + b"\1").ciphertexts)
    changed = reencrypt_weights(KEY.public_key, weights + np.int32(1), bytes(32)).ciphertexts
    assert not set(encrypted) & set(changed)


@pytest.mark.parametrize("encrypting", [encrypt_weights, lambda key, *rest: reencrypt_weights(key.public_key, *rest)])
def test_weights_outside_the_number_format_are_not_encrypted(encrypting):
    with pytest.raises(OverflowRefused):
        encrypting(KEY, np.array([2**30 + 1], dtype=np.int32), bytes(32))
    with pytest.raises(OverflowRefused):
        encrypting(KEY, np.array([-(2**31)], dtype=np.int32), bytes(32))
    with pytest.raises(BadInput):
        encrypting(KEY, np.array([1.0]), bytes(32))
    with pytest.raises(BadInput):
        encrypting(KEY, np.array([[1]], dtype=np.int32), bytes(32))
