"""The lender's side of an update: from packed ciphertexts to exact integers."""

from __future__ import annotations

from chain_common.domain.fixed_point import DEFAULT_FORMAT, NumberFormat
from chain_common.domain.paillier.packing import PackedUpdate, unpack
from chain_common.domain.paillier.private_key import PrivateKey
from chain_common.errors import PayloadRejected


def open_update(
    private_key: PrivateKey,
    packed: PackedUpdate,
    n_weights: int,
    number_format: NumberFormat = DEFAULT_FORMAT,
) -> list[int]:
    """Decrypt an update and check that it is one.

    Parameters
    ----------
    n_weights
        Number of weights of the model, with the intercept.

    Returns
    -------
    n_weights integers at ``2**product_fraction_bits``; ``fixed_point.products_to_float`` makes them real
    numbers.

    Raises
    ------
    PayloadRejected
        If key or size are another model's, a guard bit is set, or a plaintext is not zero above its top slot.
        The text holds the exact cause and stays in the own log.
    ComputationFault
        If the machine computed wrongly.
    """
    key_bits = private_key.public_key.bits
    if packed.public_key != private_key.public_key:
        raise PayloadRejected("The update is encrypted under another key.")
    if packed.n_weights != n_weights:
        raise PayloadRejected(f"The update has {packed.n_weights} weights.", expected=f"Expected {n_weights}.")
    n_ciphertexts = number_format.n_ciphertexts(n_weights, key_bits)
    if len(packed.ciphertexts) != n_ciphertexts:
        raise PayloadRejected(
            f"The update has {len(packed.ciphertexts)} ciphertexts.", expected=f"Expected {n_ciphertexts}."
        )
    n_slots = number_format.slots_per_ciphertext(key_bits)
    results: list[int] = []
    for ciphertext in packed.ciphertexts:
        residue = private_key.decrypt_residue(ciphertext)
        results += unpack(residue, min(n_slots, n_weights - len(results)), number_format)
    return results
