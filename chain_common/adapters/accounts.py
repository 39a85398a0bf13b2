"""The user's account: an Ethereum keystore and the vault, under one password.

::

    <home>/account/keystore.json   Web3 Secret Storage, version 3 (any wallet can import it)
    <home>/account/vault-key.json  see secret_files
    <home>/account/secrets/

The folder is made aside and renamed as a whole, so a crash leaves no account or a complete one.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_utils.address import to_checksum_address

from chain_common.adapters.durable_files import (
    PARTIAL_SUFFIX,
    flush_folder,
    make_private_folder,
    write_durably,
)
from chain_common.adapters.os_random import OsRng
from chain_common.adapters.secret_files import SCRYPT_N, SecretFiles, create_vault
from chain_common.domain.randomness import Rng
from chain_common.domain.repository import Address
from chain_common.errors import BadInput, Locked, Unavailable
from chain_common.state_errors import AccountExists, SecretDamaged, WrongPassword

MIN_PASSWORD_LENGTH: Final = 8
_KEYSTORE: Final = "keystore.json"
# The order of secp256k1: a private key is below it and not zero.
_CURVE_ORDER: Final = 0xFFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFE_BAAEDCE6_AF48A03B_BFD25E8C_D0364141


@dataclass(frozen=True, slots=True)
class SignedTransaction:
    """A transaction ready to be sent: its bytes and its hash (32 bytes)."""

    raw_transaction: bytes
    hash: bytes


class Signer:
    """Signs with an account's key while the account is unlocked. The keyring fills and empties it."""

    def __init__(self) -> None:
        self._account: LocalAccount | None = None

    def __repr__(self) -> str:
        return f"Signer({'locked' if self._account is None else self._account.address})"

    def is_unlocked(self) -> bool:
        """Tell whether it can sign now."""
        return self._account is not None

    def address(self) -> Address:
        """Return the account that signs. Raises ``Locked``."""
        return Address(self._unlocked().address)

    def sign_transaction(self, transaction: Mapping[str, Any]) -> SignedTransaction:
        """Sign a transaction given by its fields, as in Ethereum's JSON-RPC. Raises ``Locked``."""
        signed = self._unlocked().sign_transaction(dict(transaction))
        return SignedTransaction(raw_transaction=bytes(signed.raw_transaction), hash=bytes(signed.hash))

    def hold(self, account: LocalAccount | None) -> None:
        """Take over a key, or forget it."""
        self._account = account

    def _unlocked(self) -> LocalAccount:
        if self._account is None:
            raise Locked("The account is locked.", do="Give its password.")
        return self._account


class FileKeyring:
    """Account and vault in a home.

    Parameters
    ----------
    home
        The app's home; made by :meth:`create`, mode 0700.
    rng
        Draws keys, salts and nonces.
    scrypt_n
        Work of one guess of the password; only tests make it smaller.
    """

    def __init__(self, home: Path, *, rng: Rng | None = None, scrypt_n: int = SCRYPT_N) -> None:
        self._home = home
        self._folder = home / "account"
        self._rng = rng or OsRng()
        self._scrypt_n = scrypt_n
        self._secrets = SecretFiles(self._folder, rng=self._rng)
        self._signer = Signer()

    def __repr__(self) -> str:
        return f"FileKeyring({str(self._home)!r}, {'open' if self.is_unlocked() else 'locked'})"

    @property
    def secrets(self) -> SecretFiles:
        """The vault; locked and unlocked with the account."""
        return self._secrets

    @property
    def signer(self) -> Signer:
        """Signs for the account while it is unlocked."""
        return self._signer

    def exists(self) -> bool:
        """Tell whether the user has made an account here."""
        return (self._folder / _KEYSTORE).is_file()

    def is_unlocked(self) -> bool:
        """Tell whether account and secrets can be used now."""
        return self._signer.is_unlocked() and self._secrets.is_unlocked()

    def create(self, password: str, private_key: bytes | None = None) -> Address:
        """Make (or import) the account and the vault, and leave them unlocked.

        Parameters
        ----------
        private_key
            32 bytes, to import an account; by default a new one is drawn.

        Raises
        ------
        BadInput
            If the password is too short, or the key is not a private key.
        AccountExists
            If this home has an account already.
        Unavailable
            If the home cannot be written; nothing was made.
        """
        if self.exists():
            raise AccountExists(str(self._home))
        spelled = require_new_password(password)
        account = account_of_key(private_key, self._rng)
        keystore = Account.encrypt(account.key, spelled, kdf="scrypt", iterations=self._scrypt_n)
        keystore["address"] = account.address.removeprefix("0x").lower()
        partial = self._home / f".account.{self._rng.random_bytes(8).hex()}{PARTIAL_SUFFIX}"
        try:
            make_private_folder(self._home)
            for left_behind in self._home.glob(f".account.*{PARTIAL_SUFFIX}"):
                shutil.rmtree(left_behind, ignore_errors=True)
            make_private_folder(partial)
            write_durably(partial / _KEYSTORE, json.dumps(keystore).encode())
            create_vault(partial, spelled.encode(), rng=self._rng, scrypt_n=self._scrypt_n)
            partial.rename(self._folder)
            flush_folder(self._home)
        except OSError as error:
            with contextlib.suppress(OSError):
                shutil.rmtree(partial)
            if self.exists():
                raise AccountExists(str(self._home)) from error
            raise Unavailable(
                f"The account cannot be written to {self._home} ({error.strerror}).",
                do="Check the disk's space and the folder's permissions, or choose another CHAIN_HOME.",
            ) from error
        self._secrets.unlock(spelled.encode())
        self._signer.hold(account)
        return Address(account.address)

    def unlock(self, password: str) -> None:
        """Open account and vault.

        Raises
        ------
        WrongPassword
            After as long as scrypt takes, like a right one.
        SecretDamaged
            If a file of the account is damaged.
        Locked
            If there is no account.
        """
        spelled = spelled_password(password)
        self._secrets.unlock(spelled.encode())
        try:
            key = Account.decrypt(self._keystore(), spelled)
        except (ValueError, KeyError, TypeError, NotImplementedError) as error:
            # The vault has just opened with this password, so the keystore is at fault.
            self._secrets.lock()
            raise SecretDamaged(str(self._folder / _KEYSTORE)) from error
        except BaseException:
            self._secrets.lock()
            raise
        self._signer.hold(Account.from_key(key))

    def lock(self) -> None:
        """Forget the keys held in memory."""
        self._signer.hold(None)
        self._secrets.lock()

    def address(self) -> Address:
        """Return the account's address; works while locked.

        Raises
        ------
        Locked
            If there is no account.
        """
        keystore = self._keystore()
        try:
            return Address(to_checksum_address("0x" + str(keystore["address"]).removeprefix("0x")))
        except (ValueError, KeyError, TypeError) as error:
            raise SecretDamaged(str(self._folder / _KEYSTORE)) from error

    def _keystore(self) -> dict[str, Any]:
        path = self._folder / _KEYSTORE
        try:
            document = json.loads(path.read_bytes())
        except FileNotFoundError as error:
            raise Locked("There is no account here yet.", do="Make one first.") from error
        except OSError as error:
            raise Unavailable(f"{path} cannot be read ({error.strerror}).", do="Check its permissions.") from error
        except ValueError as error:
            raise SecretDamaged(str(path)) from error
        if not isinstance(document, dict):
            raise SecretDamaged(str(path))
        return document


def spelled_password(password: str) -> str:
    """Return one spelling (NFKC) of a password, whatever keyboard and system it was typed on.

    Raises ``WrongPassword`` for text that has no UTF-8 form.
    """
    spelled = unicodedata.normalize("NFKC", password)
    try:
        spelled.encode()
    except UnicodeEncodeError as error:
        raise WrongPassword from error
    return spelled


def require_new_password(password: str) -> str:
    """Return the spelling of a new password. Raises ``BadInput`` if it is too short or not text."""
    try:
        spelled = spelled_password(password)
    except WrongPassword as error:
        raise BadInput("The password has characters that are not text.", field="password") from error
    if len(spelled) < MIN_PASSWORD_LENGTH:
        raise BadInput(
            f"The password has {len(spelled)} characters.",
            expected=f"At least {MIN_PASSWORD_LENGTH} are needed: it protects the account's money and the keys.",
            field="password",
        )
    return spelled


def account_of_key(private_key: bytes | None, rng: Rng) -> LocalAccount:
    """Return the account of a private key, or of a fresh one. Raises ``BadInput`` if it is not a key."""
    while private_key is None:
        drawn = rng.random_bytes(32)
        private_key = drawn if _is_private_key(drawn) else None
    if not _is_private_key(private_key):
        raise BadInput(
            "This is not a private key of an Ethereum account.",
            expected="Expected 32 bytes (64 hexadecimal digits).",
            field="private_key",
        )
    account: LocalAccount = Account.from_key(private_key)
    return account


def _is_private_key(raw: bytes) -> bool:
    return len(raw) == 32 and 0 < int.from_bytes(raw, "big") < _CURVE_ORDER


def password_from_file(path: Path) -> str:
    """Return the password that a file holds in its first line.

    Raises
    ------
    BadInput
        If the file cannot be read or is empty.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(
            f"The password file {path} cannot be read.",
            do="Check CHAIN_PASSWORD_FILE and the file's permissions.",
        ) from error
    if not lines or not lines[0]:
        raise BadInput(f"The password file {path} is empty.", expected="Its first line is the password.")
    return lines[0]
