"""What only the lender of a model has: its keys, its salts and its validation rows.

All of it lives in the lender's vault and nowhere else. Seeds and salts derive from one master salt.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Final

import numpy as np
from cryptography.hazmat.primitives.hashes import SHA256, Hash
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from numpy.typing import NDArray

from chain_common.domain.paillier.private_key import PrivateKey
from chain_common.errors import BadInput

_VERSION: Final = 1


@dataclass(frozen=True, slots=True, eq=False)
class ValidationRows:
    """Rows as they are scored.

    Parameters
    ----------
    inputs
        int16 (n_rows, n_weights), the encoded features at ``2**12``, intercept last.
    labels
        float64 (n_rows,): 1 bad, 0 good, or the scaled target of a regression.
    """

    inputs: NDArray[np.int16]
    labels: NDArray[np.float64]

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return len(self.labels)

    def __repr__(self) -> str:
        return f"ValidationRows(n_rows={self.n_rows}, <secret>)"


@dataclass(frozen=True, slots=True, eq=False)
class ModelSecrets:
    """The lender's secrets of one model.

    Parameters
    ----------
    private_key
        Opens the encrypted updates.
    sealing_key
        X25519 private key, 32 bytes; opens the sealed payloads.
    master_salt
        32 bytes; every seed and salt derives from it.
    """

    private_key: PrivateKey
    sealing_key: bytes
    master_salt: bytes

    def _derived(self, purpose: bytes) -> bytes:
        return HKDF(algorithm=SHA256(), length=32, salt=None, info=b"chain/model/1/" + purpose).derive(self.master_salt)

    def set_salt(self, name: str) -> bytes:
        """Return the salt of the commitment to the ``scoring`` or ``closing`` set."""
        if name not in ("scoring", "closing"):
            raise ValueError(f"a set is scoring or closing, got {name}")
        return self._derived(b"set/" + name.encode())

    def tag_salt(self) -> bytes:
        """Return the public key of the model's row tags."""
        return self._derived(b"row-tags")

    def weights_seed(self, weights: NDArray[np.int32]) -> bytes:
        """Return the seed for encrypting these scoring weights and no others.

        The weights are part of the derivation, so a seed is never used for other weights, whatever is retried.
        """
        digest = Hash(SHA256())
        digest.update(weights.astype(">i4").tobytes())
        return self._derived(b"weights/" + digest.finalize())

    def __repr__(self) -> str:
        return "ModelSecrets(<secret>)"

    def to_bytes(self) -> bytes:
        """Encode for the vault or for a backup."""
        key = self.private_key.to_bytes()
        return bytes([_VERSION]) + self.sealing_key + self.master_salt + key

    @classmethod
    def from_bytes(cls, blob: bytes) -> ModelSecrets:
        """Read back what :meth:`to_bytes` wrote. Raises ``BadInput`` if it is something else."""
        if len(blob) < 66 or blob[0] != _VERSION:
            raise BadInput("These are not a model's keys.", do="Use a backup that this app wrote.")
        return cls(PrivateKey.from_bytes(blob[65:]), blob[1:33], blob[33:65])


def rows_to_bytes(rows: ValidationRows) -> bytes:
    """Encode validation rows for the vault (NumPy's ``npz``, without pickle)."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, inputs=rows.inputs, labels=rows.labels)
    return buffer.getvalue()


def rows_from_bytes(blob: bytes) -> ValidationRows:
    """Read back what :func:`rows_to_bytes` wrote."""
    with np.load(io.BytesIO(blob), allow_pickle=False) as arrays:
        return ValidationRows(inputs=arrays["inputs"], labels=arrays["labels"])
