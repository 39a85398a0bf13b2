"""Named secrets, one encrypted file each.

The password opens nothing but the vault key, a random key that encrypts every secret; so a change of password rewrites
one small file. ::

    <folder>/vault-key.json          the vault key under scrypt(password)
    <folder>/secrets/<name>.secret   header, nonce, ChaCha20-Poly1305 ciphertext with the name as associated data

A file renamed to another name, or carried over from another vault, does not open. Names are not encrypted.

References
----------
RFC 7914 (scrypt), RFC 8439 (ChaCha20-Poly1305).
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from chain_common.adapters.durable_files import flush_folder, make_private_folder, write_durably
from chain_common.adapters.os_random import OsRng
from chain_common.domain.randomness import Rng
from chain_common.errors import Locked, Unavailable
from chain_common.state_errors import SecretDamaged, SecretMissing, WrongPassword

# scrypt's cost: 128 MB and about a third of a second for each guess (OWASP's first choice, r = 8, p = 1).
SCRYPT_N: Final = 1 << 17
_SCRYPT_R: Final = 8
_SCRYPT_P: Final = 1
# A file that asks for more memory than this was not written here and would only stop the machine.
_SCRYPT_N_MAX: Final = 1 << 20

_NAME = re.compile(r"[a-z0-9-]+(?:/[a-z0-9-]+)*")
_HEADER: Final = b"chAIn secret 1\n"
_KEY_FILE: Final = "vault-key.json"
_KEY_PURPOSE: Final = b"chain/vault-key/1"
_SECRET_PURPOSE: Final = b"chain/secret/1/"
_SUFFIX: Final = ".secret"
_NONCE_BYTES: Final = 12


def create_vault(folder: Path, password: bytes, *, rng: Rng, scrypt_n: int = SCRYPT_N) -> None:
    """Write a new vault key under a password into an existing folder. Raises ``OSError``."""
    salt, nonce = rng.random_bytes(32), rng.random_bytes(_NONCE_BYTES)
    wrapping = ChaCha20Poly1305(_stretched(password, salt, scrypt_n))
    document = {
        "version": 1,
        "kdf": {"name": "scrypt", "n": scrypt_n, "r": _SCRYPT_R, "p": _SCRYPT_P, "salt": salt.hex()},
        "nonce": nonce.hex(),
        "key": wrapping.encrypt(nonce, rng.random_bytes(32), _KEY_PURPOSE).hex(),
    }
    write_durably(folder / _KEY_FILE, json.dumps(document, indent=1).encode())


class SecretFiles:
    """The secrets of a vault made by :func:`create_vault`; locked until the password is given.

    Parameters
    ----------
    folder
        Holds ``vault-key.json``; need not exist before :meth:`unlock`.
    rng
        Draws the nonces.
    """

    def __init__(self, folder: Path, *, rng: Rng | None = None) -> None:
        self._folder = folder
        self._rng = rng or OsRng()
        self._cipher: ChaCha20Poly1305 | None = None

    def __repr__(self) -> str:
        return f"SecretFiles({str(self._folder)!r}, {'open' if self._cipher else 'locked'})"

    def unlock(self, password: bytes) -> None:
        """Open the vault.

        Raises
        ------
        WrongPassword
            After as long as scrypt takes, like a right one.
        SecretDamaged
            If the key file is not one of ours.
        Locked
            If there is no vault.
        """
        path = self._folder / _KEY_FILE
        try:
            document = json.loads(path.read_bytes())
            salt, n = bytes.fromhex(document["kdf"]["salt"]), int(document["kdf"]["n"])
            nonce, wrapped = bytes.fromhex(document["nonce"]), bytes.fromhex(document["key"])
        except FileNotFoundError as error:
            raise Locked("There is no account here yet.", do="Make one first.") from error
        except OSError as error:
            raise _unreadable(path, error) from error
        except (ValueError, KeyError, TypeError) as error:
            raise SecretDamaged(str(path)) from error
        if not 1 < n <= _SCRYPT_N_MAX or n & (n - 1) or len(nonce) != _NONCE_BYTES:
            raise SecretDamaged(str(path))
        try:
            key = ChaCha20Poly1305(_stretched(password, salt, n)).decrypt(nonce, wrapped, _KEY_PURPOSE)
        except InvalidTag as error:
            raise WrongPassword from error
        self._cipher = ChaCha20Poly1305(key)

    def lock(self) -> None:
        """Forget the vault key."""
        self._cipher = None

    def is_unlocked(self) -> bool:
        """Tell whether secrets can be read now."""
        return self._cipher is not None

    def put(self, name: str, secret: bytes) -> None:
        """Write a secret, replacing an older one, durably before returning.

        Raises
        ------
        Locked
            If the password has not been given.
        Unavailable
            If the file cannot be written; the older secret is still there.
        """
        path, cipher = self._path(name), self._opened()
        nonce = self._rng.random_bytes(_NONCE_BYTES)
        sealed = _HEADER + nonce + cipher.encrypt(nonce, secret, _SECRET_PURPOSE + name.encode())
        try:
            make_private_folder(path.parent)
            write_durably(path, sealed)
        except OSError as error:
            raise Unavailable(
                f"A secret cannot be written to {path.parent} ({error.strerror}).",
                do="Check the disk's space and the folder's permissions.",
            ) from error

    def get(self, name: str) -> bytes:
        """Return a secret.

        Raises
        ------
        Locked
            If the password has not been given.
        SecretMissing
            If there is none of this name.
        SecretDamaged
            If the file was changed, or was written under another name or by another vault.
        """
        path, cipher = self._path(name), self._opened()
        try:
            sealed = path.read_bytes()
        except FileNotFoundError as error:
            raise SecretMissing(name) from error
        except OSError as error:
            raise _unreadable(path, error) from error
        start = len(_HEADER) + _NONCE_BYTES
        if not sealed.startswith(_HEADER):
            raise SecretDamaged(str(path))
        try:
            return cipher.decrypt(sealed[len(_HEADER) : start], sealed[start:], _SECRET_PURPOSE + name.encode())
        except (InvalidTag, ValueError) as error:
            raise SecretDamaged(str(path)) from error

    def has(self, name: str) -> bool:
        """Tell whether a secret of that name exists; works while locked."""
        return self._path(name).is_file()

    def names(self, prefix: str = "") -> list[str]:
        """Return the names that start with a prefix, sorted; works while locked."""
        root = self._folder / "secrets"
        found = (path.relative_to(root).as_posix().removesuffix(_SUFFIX) for path in root.rglob(f"*{_SUFFIX}"))
        return sorted(name for name in found if name.startswith(prefix) and _NAME.fullmatch(name))

    def delete(self, name: str) -> None:
        """Remove a secret if it is there. Raises ``Unavailable`` if the file cannot be removed."""
        path = self._path(name)
        try:
            path.unlink()
            flush_folder(path.parent)
        except FileNotFoundError:
            return
        except OSError as error:
            raise Unavailable(
                f"The secret {path} cannot be removed ({error.strerror}).",
                do="Check the folder's permissions.",
            ) from error

    def _opened(self) -> ChaCha20Poly1305:
        if self._cipher is None:
            raise Locked("The vault is locked.", do="Give the account's password.")
        return self._cipher

    def _path(self, name: str) -> Path:
        return self._folder / "secrets" / f"{require_name(name)}{_SUFFIX}"


def require_name(name: str) -> str:
    """Return the name of a secret if it is one. Raises ``ValueError``: names are the program's, not a person's."""
    if not _NAME.fullmatch(name):
        raise ValueError(f"a secret's name is slash-separated words of a-z, 0-9 and -, got {name!r}")
    return name


def _stretched(password: bytes, salt: bytes, n: int) -> bytes:
    return Scrypt(salt=salt, length=32, n=n, r=_SCRYPT_R, p=_SCRYPT_P).derive(password)


def _unreadable(path: Path, error: OSError) -> Unavailable:
    return Unavailable(f"{path} cannot be read ({error.strerror}).", do="Check its permissions.")
