"""What every keyring promises, what the files of an account are worth, and who may work on a home."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account

from chain_common.adapters import accounts, secret_files
from chain_common.adapters.accounts import FileKeyring, password_from_file
from chain_common.adapters.home_lock import HomeLock
from chain_common.errors import BadInput, Locked, Unavailable
from chain_common.state_errors import AccountExists, HomeInUse, SecretDamaged, WrongPassword

PASSWORD = "correct horse"
# The first account of every development chain (Hardhat's and Anvil's documentation).
KNOWN_KEY = bytes.fromhex("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80")
KNOWN_ADDRESS = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
TRANSACTION = {
    "chainId": 31337,
    "nonce": 0,
    "to": KNOWN_ADDRESS,
    "value": 1,
    "data": "0x",
    "gas": 21_000,
    "maxFeePerGas": 2_000_000_000,
    "maxPriorityFeePerGas": 1_000_000_000,
}


class TestEveryKeyring:
    def test_there_is_nothing_at_first(self, keyring: Any) -> None:
        assert not keyring.exists()
        assert not keyring.is_unlocked()
        for act in (keyring.address, lambda: keyring.unlock(PASSWORD), keyring.signer.address):
            with pytest.raises(Locked):
                act()

    def test_a_new_account_is_open_and_its_own(self, keyring: Any) -> None:
        address = keyring.create(PASSWORD)
        assert keyring.exists()
        assert keyring.is_unlocked()
        assert keyring.address() == address == keyring.signer.address()

    def test_an_imported_key_keeps_its_address(self, keyring: Any) -> None:
        assert keyring.create(PASSWORD, KNOWN_KEY) == KNOWN_ADDRESS
        assert keyring.address() == KNOWN_ADDRESS

    @pytest.mark.parametrize(
        "key",
        [
            b"",
            bytes(32),
            KNOWN_KEY[:31],
            KNOWN_KEY + b"\0",
            bytes.fromhex("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141"),
        ],
    )
    def test_what_is_no_key_is_not_imported(self, keyring: Any, key: bytes) -> None:
        with pytest.raises(BadInput) as refused:
            keyring.create(PASSWORD, key)
        assert refused.value.field == "private_key"
        assert not keyring.exists()

    @pytest.mark.parametrize("password", ["", "1234567", "\ud800" * 8])
    def test_a_weak_password_is_refused(self, keyring: Any, password: str) -> None:
        with pytest.raises(BadInput) as refused:
            keyring.create(password)
        assert refused.value.field == "password"
        assert not keyring.exists()

    def test_a_second_account_does_not_replace_the_first(self, keyring: Any) -> None:
        address = keyring.create(PASSWORD)
        with pytest.raises(AccountExists):
            keyring.create(PASSWORD, KNOWN_KEY)
        assert keyring.address() == address

    def test_only_the_password_opens_it(self, keyring: Any) -> None:
        address = keyring.create(PASSWORD)
        keyring.lock()
        assert keyring.exists()
        assert not keyring.is_unlocked()
        assert keyring.address() == address
        for wrong in ("", "correct horsE", "\ud800"):
            with pytest.raises(WrongPassword):
                keyring.unlock(wrong)
        assert not keyring.is_unlocked()
        keyring.unlock(PASSWORD)
        assert keyring.is_unlocked()

    def test_a_password_typed_on_another_system_is_the_same(self, keyring: Any) -> None:
        keyring.create("Gro\u00dfmu\u0308tter")  # u and a combining diaeresis, as macOS writes file names
        keyring.lock()
        keyring.unlock("Gro\u00dfm\u00fctter")
        assert keyring.is_unlocked()

    def test_it_signs_while_it_is_open(self, keyring: Any) -> None:
        keyring.create(PASSWORD, KNOWN_KEY)
        signed = keyring.signer.sign_transaction(TRANSACTION)
        assert Account.recover_transaction(signed.raw_transaction) == KNOWN_ADDRESS
        independent = Account.from_key(KNOWN_KEY).sign_transaction(TRANSACTION)
        assert (signed.raw_transaction, signed.hash) == (independent.raw_transaction, independent.hash)
        keyring.lock()
        with pytest.raises(Locked):
            keyring.signer.sign_transaction(TRANSACTION)


class TestTheFiles:
    def test_a_wallet_can_import_the_keystore(self, open_home: Callable[[], FileKeyring], tmp_path: Path) -> None:
        open_home().create(PASSWORD, KNOWN_KEY)
        keystore = json.loads((tmp_path / "home" / "account" / "keystore.json").read_bytes())
        assert keystore["version"] == 3
        assert keystore["crypto"]["kdf"] == "scrypt"
        assert bytes(Account.decrypt(keystore, PASSWORD)) == KNOWN_KEY

    def test_the_account_outlives_the_process(self, open_home: Callable[[], FileKeyring]) -> None:
        open_home().create(PASSWORD, KNOWN_KEY)
        again = open_home()
        assert again.exists()
        assert again.address() == KNOWN_ADDRESS
        assert not again.is_unlocked()
        again.unlock(PASSWORD)
        assert again.signer.address() == KNOWN_ADDRESS

    def test_a_guess_costs_what_scrypt_costs(self) -> None:
        # OWASP's first choice: N = 2**17, r = 8, p = 1, which is 128 MB.
        assert secret_files.SCRYPT_N == 2**17
        defaults = FileKeyring.__init__.__kwdefaults__
        assert defaults is not None
        assert defaults["scrypt_n"] == 2**17

    @pytest.mark.parametrize("n_survived", range(8))
    def test_a_crash_leaves_no_account_or_a_whole_one(
        self, open_home: Callable[[], FileKeyring], monkeypatch: pytest.MonkeyPatch, n_survived: int
    ) -> None:
        """Dies at each flush in turn; two files and their folder take four, the home one more."""
        left = [n_survived]
        flush = os.fsync

        def flush_or_die(descriptor: int) -> None:
            if left[0] == 0:
                raise KeyboardInterrupt
            left[0] -= 1
            flush(descriptor)

        with monkeypatch.context() as patched:
            patched.setattr(os, "fsync", flush_or_die)
            try:
                open_home().create(PASSWORD, KNOWN_KEY)
                died = False
            except KeyboardInterrupt:
                died = True
        assert died == (n_survived < 5)
        again = open_home()
        if again.exists():
            again.unlock(PASSWORD)
        else:
            again.create(PASSWORD, KNOWN_KEY)
        assert again.signer.address() == KNOWN_ADDRESS
        again.secrets.put("a", b"x")

    def test_a_home_that_cannot_be_written_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("in the way")
        with pytest.raises(Unavailable, match="CHAIN_HOME"):
            FileKeyring(tmp_path / "file" / "home", scrypt_n=2).create(PASSWORD)

    @pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"address": 1, "version": 3}', b"\xff"])
    def test_a_damaged_keystore_is_told_from_a_wrong_password(
        self, open_home: Callable[[], FileKeyring], tmp_path: Path, content: bytes
    ) -> None:
        keyring = open_home()
        keyring.create(PASSWORD)
        keyring.lock()
        (tmp_path / "home" / "account" / "keystore.json").write_bytes(content)
        with pytest.raises(SecretDamaged, match=r"keystore\.json"):
            keyring.unlock(PASSWORD)
        assert not keyring.is_unlocked()
        assert not keyring.secrets.is_unlocked()
        with pytest.raises(SecretDamaged):
            keyring.address()


class TestThePasswordFile:
    def test_its_first_line_is_the_password(self, tmp_path: Path) -> None:
        (tmp_path / "password").write_text("correct horse \nsecond line\n")
        assert password_from_file(tmp_path / "password") == "correct horse "

    @pytest.mark.parametrize("content", [b"", b"\n", b"\nsecond", b"\xff\xfe"])
    def test_an_empty_or_unreadable_one_is_refused(self, tmp_path: Path, content: bytes) -> None:
        (tmp_path / "password").write_bytes(content)
        with pytest.raises(BadInput, match="password file"):
            password_from_file(tmp_path / "password")

    def test_a_missing_one_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(BadInput, match="CHAIN_PASSWORD_FILE"):
            password_from_file(tmp_path / "password")


HOLDING = """
import sys
from pathlib import Path
from chain_common.adapters.home_lock import HomeLock

HomeLock(Path(sys.argv[1])).acquire()
print("held", flush=True)
sys.stdin.read()
"""


class TestTheLockOnAHome:
    def test_a_second_copy_is_refused_until_the_first_is_killed(self, tmp_path: Path) -> None:
        first = subprocess.Popen(
            [sys.executable, "-c", HOLDING, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        with first:
            assert first.stdout is not None
            assert first.stdout.readline() == b"held\n"
            second = HomeLock(tmp_path)
            with pytest.raises(HomeInUse) as refused:
                second.acquire()
            assert refused.value.process == str(first.pid)
            assert not second.is_held()
            first.kill()
            first.wait()
            second.acquire()
            assert second.is_held()
            second.release()

    def test_two_locks_in_one_process_exclude_each_other(self, tmp_path: Path) -> None:
        first, second = HomeLock(tmp_path / "home"), HomeLock(tmp_path / "home")
        with first:
            first.acquire()
            with pytest.raises(HomeInUse):
                second.acquire()
        with second:
            assert second.is_held()

    def test_two_homes_do_not(self, tmp_path: Path) -> None:
        with HomeLock(tmp_path / "company"), HomeLock(tmp_path / "data-owner"):
            assert (tmp_path / "company").stat().st_mode & 0o777 == 0o700

    def test_a_home_that_cannot_be_made_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("in the way")
        with pytest.raises(Unavailable, match="CHAIN_HOME"):
            HomeLock(tmp_path / "file" / "home").acquire()


def test_the_smallest_password_is_eight_characters() -> None:
    assert accounts.MIN_PASSWORD_LENGTH == 8
    assert accounts.require_new_password("12345678") == "12345678"
