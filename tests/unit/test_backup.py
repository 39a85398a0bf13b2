"""A secret as one file under a password of its own."""

import hashlib

import pytest
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from hypothesis import given
from hypothesis import strategies as st

from chain_common.domain.backup import BackupRefused, open_backup, seal_backup
from chain_common.errors import BadInput
from tests.keys import seeded

PASSWORD = "kept apart from the file"
SECRET = b"the model's secrets"


def sealed(password=PASSWORD, secret=SECRET):
    return seal_backup(secret, password, seeded("backup"), work_bits=8)


def test_the_password_opens_the_backup():
    assert open_backup(sealed(), PASSWORD) == SECRET


def test_the_format_can_be_read_with_the_standard_library_and_the_cipher_alone():
    blob = sealed()
    key = hashlib.scrypt(PASSWORD.encode(), salt=blob[6:22], n=2 ** blob[5], r=8, p=1, dklen=32)
    assert ChaCha20Poly1305(key).decrypt(blob[22:34], blob[34:], blob[:34]) == SECRET


def test_another_password_does_not_open_it():
    with pytest.raises(BackupRefused):
        open_backup(sealed(), PASSWORD + " ")


@given(place=st.integers(0, len(sealed()) - 1), bit=st.integers(0, 7))
def test_a_backup_changed_in_any_bit_is_refused(place, bit):
    changed = bytearray(sealed())
    changed[place] ^= 1 << bit
    if place == 5 and changed[5] > 12:
        changed[5] = 21  # more work than any backup asks for
    with pytest.raises(BackupRefused):
        open_backup(bytes(changed), PASSWORD)


@pytest.mark.parametrize("length", [0, 4, 33, 34, 49])
def test_a_backup_cut_short_is_refused(length):
    with pytest.raises(BackupRefused):
        open_backup(sealed()[:length], PASSWORD)


def test_a_short_password_is_refused_before_anything_is_encrypted():
    with pytest.raises(BadInput) as refused:
        sealed(password="seven77")
    assert refused.value.field == "password"


def test_two_backups_of_one_secret_differ():
    rng = seeded("two backups")
    assert seal_backup(SECRET, PASSWORD, rng, work_bits=8) != seal_backup(SECRET, PASSWORD, rng, work_bits=8)
