"""Several results in one plaintext: the slots, what fills them, and what is checked when they are read.

A result ``r`` with ``|r| < slot_bound`` takes the slot value ``r + slot_bound``, which is positive and leaves
the guard bits zero. Slot ``i`` starts at bit ``i slot_bits``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chain_common.domain.fixed_point import DEFAULT_FORMAT, NumberFormat, OverflowRefused
from chain_common.domain.paillier.keys import PublicKey, check_group, decode_ciphertexts, encode_ciphertexts
from chain_common.errors import PayloadRejected


@dataclass(frozen=True, slots=True, repr=False)
class PackedUpdate:
    """An encrypted update as it travels inside a payload.

    Parameters
    ----------
    n_weights
        Results that the ciphertexts hold.
    ciphertexts
        Members of ``Z*_{n**2}``, each with as many slots as the key has room for; the last one may hold
        fewer.

    Raises
    ------
    PayloadRejected
        If there is no ciphertext, or one lies outside the group.
    """

    public_key: PublicKey
    n_weights: int
    ciphertexts: tuple[int, ...]

    def __post_init__(self) -> None:
        check_group(self.public_key, self.ciphertexts)

    def to_bytes(self) -> bytes:
        """Encode as ``keys.encode_ciphertexts`` does, kind ``chPU``."""
        return encode_ciphertexts(b"chPU", self.public_key, self.n_weights, self.ciphertexts)

    @classmethod
    def from_bytes(
        cls, blob: bytes, public_key: PublicKey, n_weights: int, number_format: NumberFormat = DEFAULT_FORMAT
    ) -> PackedUpdate:
        """Read what :meth:`to_bytes` wrote under the key and for the number of weights that the spec names.

        Raises
        ------
        PayloadRejected
            With the exact cause.
        """
        n_ciphertexts = number_format.n_ciphertexts(n_weights, public_key.bits)
        return cls(public_key, n_weights, decode_ciphertexts(b"chPU", public_key, n_weights, n_ciphertexts, blob))

    def __repr__(self) -> str:
        n_ciphertexts = len(self.ciphertexts)
        return f"PackedUpdate(n_weights={self.n_weights}, {n_ciphertexts} ciphertexts, {self.public_key!r})"


def pack(results: Sequence[int], number_format: NumberFormat = DEFAULT_FORMAT) -> int:
    """Put results into the slots of one plaintext, the first one lowest.

    Raises
    ------
    OverflowRefused
        If a result does not fit a slot.
    """
    plaintext = 0
    for result in reversed(results):
        if abs(result) >= number_format.slot_bound:
            raise OverflowRefused("largest result", f"results below {number_format.slot_bound}")
        plaintext = (plaintext << number_format.slot_bits) + result + number_format.slot_bound
    return plaintext


def unpack(plaintext: int, n_results: int, number_format: NumberFormat = DEFAULT_FORMAT) -> list[int]:
    """Read results out of the slots of a decrypted plaintext from elsewhere.

    Parameters
    ----------
    plaintext
        Residue in ``[0, n)``.
    n_results
        Slots in use; everything above them has to be zero.

    Raises
    ------
    PayloadRejected
        If a guard bit or the plaintext above the top slot is not zero, or a slot holds the one value that no
        result has. The text names the slot: it is for the own log and must not reach the other side.
    """
    if plaintext < 0 or plaintext >> (n_results * number_format.slot_bits):
        raise PayloadRejected(f"The plaintext above slot {n_results - 1} is not zero.")
    slot_mask = (1 << number_format.slot_bits) - 1
    results = []
    for slot in range(n_results):
        value = (plaintext >> (slot * number_format.slot_bits)) & slot_mask
        if value >= 2 * number_format.slot_bound:
            raise PayloadRejected(f"A guard bit of slot {slot} is not zero.")
        if value == 0:
            raise PayloadRejected(f"Slot {slot} is empty.")
        results.append(value - number_format.slot_bound)
    return results
