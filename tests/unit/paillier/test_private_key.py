import gmpy2
import phe.util
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chain_common.domain.paillier.cipher import encrypt, encrypt_with, random_unit
from chain_common.domain.paillier.private_key import ComputationFault, PrivateKey, generate_private_key
from chain_common.errors import BadInput, PayloadRejected
from tests.keys import model_key, seeded

KEY = model_key(512)
N = KEY.public_key.n


def test_every_made_modulus_has_the_exact_size():
    rng = seeded("sizes")
    for _ in range(60):
        key = generate_private_key(128, rng, min_bits=64)
        assert key.public_key.n.bit_length() == 128
        assert key.p.bit_length() == key.q.bit_length() == 64
        assert key.p * key.p >= 1 << 127  # no prime below 2**63.5


def test_the_primes_are_prime_and_far_apart():
    key = model_key(2048)
    assert phe.util.is_prime(key.p)
    assert phe.util.is_prime(key.q)
    assert key.q - key.p > 1 << (1024 - 100)
    assert gmpy2.gcd(key.public_key.n, (key.p - 1) * (key.q - 1)) == 1


def test_the_same_randomness_makes_the_same_key_and_other_randomness_another():
    first = generate_private_key(256, seeded("a"), min_bits=256)
    assert first == generate_private_key(256, seeded("a"), min_bits=256)
    assert first != generate_private_key(256, seeded("b"), min_bits=256)


@pytest.mark.parametrize("bits", [0, -2048, 1024, 2047, 2049, 2080, 8256])
def test_a_key_of_a_wrong_size_is_not_made(bits):
    with pytest.raises(BadInput, match=f"{bits} bits"):
        generate_private_key(bits, seeded())


@settings(max_examples=40, deadline=None)
@given(plaintext=st.sampled_from([0, 1, -1, N // 2, -(N // 2)]) | st.integers(-(N // 2), N // 2))
def test_the_lenders_encryption_is_the_public_one_bit_for_bit(plaintext):
    unit = random_unit(KEY.public_key, seeded(str(plaintext)))
    ciphertext = encrypt_with(KEY.public_key, plaintext, unit)
    assert KEY.encrypt_with(plaintext, unit) == ciphertext
    assert KEY.decrypt(ciphertext) == plaintext


def test_a_ciphertext_outside_the_group_is_not_decrypted():
    for outside in (0, KEY.p, N, N * N, N * N + 5):
        with pytest.raises(PayloadRejected):
            KEY.decrypt(outside)


@pytest.mark.parametrize("half", [0, 1])
@pytest.mark.parametrize("name", ["prime", "prime_squared", "log_scale"])
def test_a_fault_in_one_half_withholds_the_plaintext(half, name):
    key = PrivateKey(KEY.p, KEY.q)
    object.__setattr__(key._halves[half], name, getattr(key._halves[half], name) + 2)
    with pytest.raises(ComputationFault):
        key.decrypt(encrypt(KEY.public_key, 1 << 400, seeded()))


@pytest.mark.parametrize("half", [0, 1])
@pytest.mark.parametrize("name", ["prime", "prime_squared"])
def test_a_fault_in_one_half_withholds_the_ciphertext(half, name):
    key = PrivateKey(KEY.p, KEY.q)
    object.__setattr__(key._halves[half], name, getattr(key._halves[half], name) + 2)
    with pytest.raises(ComputationFault):
        key.encrypt_with(5, random_unit(KEY.public_key, seeded()))


def test_a_fault_while_the_halves_are_joined_withholds_the_result():
    key = PrivateKey(KEY.p, KEY.q)
    unit = random_unit(KEY.public_key, seeded())
    object.__setattr__(key, "_p_squared_inverse", key._p_squared_inverse + 1)
    with pytest.raises(ComputationFault):
        key.encrypt_with(5, unit)
    object.__setattr__(key, "_p_inverse", key._p_inverse + 1)
    with pytest.raises(ComputationFault):
        key.decrypt(encrypt_with(KEY.public_key, 1 << 400, unit))


@pytest.mark.parametrize("call", [0, 1])
def test_a_fault_inside_a_power_withholds_the_plaintext(call, monkeypatch):
    calls = []

    def faulty_power(base, exponent, modulus):
        calls.append(base)
        spoilt = base + 1 if len(calls) == call + 1 else base
        return gmpy2.powmod(spoilt, exponent, modulus)

    ciphertext = encrypt(KEY.public_key, 1 << 400, seeded())
    monkeypatch.setattr("chain_common.domain.paillier.private_key.gmpy2.powmod_sec", faulty_power)
    with pytest.raises(ComputationFault):
        KEY.decrypt(ciphertext)


@pytest.mark.parametrize("call", [0, 1, 2, 3])
def test_a_fault_inside_a_power_withholds_the_ciphertext(call, monkeypatch):
    calls = []

    def faulty_power(base, exponent, modulus):
        calls.append(base)
        spoilt = base + 1 if len(calls) == call + 1 else base
        return gmpy2.powmod(spoilt, exponent, modulus)

    unit = random_unit(KEY.public_key, seeded())
    monkeypatch.setattr("chain_common.domain.paillier.private_key.gmpy2.powmod_sec", faulty_power)
    with pytest.raises(ComputationFault):
        KEY.encrypt_with(5, unit)


def test_the_vault_bytes_of_a_key_read_back():
    blob = KEY.to_bytes()
    assert PrivateKey.from_bytes(blob) == KEY
    assert len(blob) == 7 + 2 * 32


@pytest.mark.parametrize(
    "spoil",
    [
        lambda _: b"",
        lambda blob: blob[:-1],
        lambda blob: blob + b"\0",
        lambda blob: b"chXX" + blob[4:],
        lambda blob: blob[:4] + b"\2" + blob[5:],
        lambda blob: blob[:-1] + bytes([blob[-1] ^ 2]),
        lambda blob: blob[:7] + blob[39:] + blob[7:39],
        lambda blob: blob[:39] + blob[7:39],
    ],
    ids=["empty", "cut", "longer", "kind", "version", "no-prime", "swapped", "twice-the-same"],
)
def test_damaged_vault_bytes_are_refused(spoil):
    with pytest.raises(BadInput):
        PrivateKey.from_bytes(spoil(KEY.to_bytes()))


def test_two_primes_of_no_usable_key_are_refused():
    with pytest.raises(BadInput):
        PrivateKey(3, 7)  # 3 divides 7 - 1
    with pytest.raises(BadInput):
        PrivateKey(5, 3)


def test_nothing_printed_about_a_key_holds_a_secret():
    for shown in (repr(KEY), str(KEY), f"{KEY}", repr(KEY._halves), repr([KEY])):
        for secret in (KEY.p, KEY.q):
            assert str(secret) not in shown
            assert f"{secret:x}" not in shown
        assert len(shown) < 300
