"""Payloads sealed for one lender, one model, one round, one base, one data owner and one nonce.

HPKE (RFC 9180) in its single-shot form: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20-Poly1305. The
binding enters through ``info``, behind the protocol's name: RFC 9180 §8.1 has single-shot applications put
authenticated data there, and ``cryptography`` offers no other place for it. A payload opened under another
binding fails like a damaged one, so a copied payload does not open for the copier.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from chain_common.domain.content_id import MAX_BLOB_BYTES
from chain_common.domain.randomness import Rng
from chain_common.errors import BadInput, PayloadRejected

PROTOCOL_NAME: Final = b"chain/payload/1"
"""First part of ``info``: names the protocol and its version."""

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 32

_MAGIC: Final = b"chSP\x01"
_OVERHEAD: Final = len(_MAGIC) + 32 + 16
"""Kind and version, the encapsulated key, the authentication tag."""

_SUITE: Final = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)
_ADDRESS: Final = re.compile(r"0x[0-9a-fA-F]{40}")


@dataclass(frozen=True, slots=True)
class PayloadBinding:
    """What a payload is for; public, all of it on chain.

    Parameters
    ----------
    chain_id, contract, model_id, round
        The round of the model; ``contract`` is an address, ``0x`` and 40 hexadecimal digits in any case.
    base_digest
        SHA-256 of the weights document the update was made on, 32 bytes.
    owner
        The data owner's address.
    nonce
        32 random bytes of the data owner's, the ones in its contribution.
    """

    chain_id: int
    contract: str
    model_id: int
    round: int
    base_digest: bytes
    owner: str
    nonce: bytes

    def __post_init__(self) -> None:
        for address in (self.contract, self.owner):
            if not _ADDRESS.fullmatch(address):
                raise BadInput(f"{address[:60]!r} is no address.", expected="Expected 0x and 40 hexadecimal digits.")
        if len(self.base_digest) != 32 or len(self.nonce) != NONCE_BYTES:
            raise BadInput("Base digest or nonce of another length.", expected="Expected 32 bytes each.")
        if min(self.chain_id, self.model_id, self.round) < 0 or max(self.chain_id, self.model_id) >= 2**256:
            raise BadInput("A number of the binding is out of range.")

    def to_bytes(self) -> bytes:
        """Encode in 200 bytes: numbers in 32, 32 and 32, addresses in 20, all in the order of the parameters."""
        return b"".join(
            (
                self.chain_id.to_bytes(32, "big"),
                bytes.fromhex(self.contract[2:]),
                self.model_id.to_bytes(32, "big"),
                self.round.to_bytes(32, "big"),
                self.base_digest,
                bytes.fromhex(self.owner[2:]),
                self.nonce,
            )
        )

    def info(self) -> bytes:
        """Return HPKE's ``info``: the protocol's name and the SHA-256 of :meth:`to_bytes`.

        47 bytes: RFC 9180 §7.2.1 recommends not to exceed 64.
        """
        return PROTOCOL_NAME + hashlib.sha256(self.to_bytes()).digest()


def generate_sealing_key(rng: Rng) -> bytes:
    """Draw a lender's private sealing key, 32 bytes."""
    return rng.random_bytes(KEY_BYTES)


def sealing_public_key(private_key: bytes) -> bytes:
    """Return the public key (32 bytes) of a private sealing key (32 bytes)."""
    return _private(private_key).public_key().public_bytes_raw()


def _private(private_key: bytes) -> X25519PrivateKey:
    if len(private_key) != KEY_BYTES:
        raise BadInput(f"A sealing key of {len(private_key)} bytes.", expected=f"Expected {KEY_BYTES}.")
    return X25519PrivateKey.from_private_bytes(private_key)


def seal_payload(payload: bytes, public_key: bytes, binding: PayloadBinding) -> bytes:
    """Seal a payload for a lender.

    The ephemeral key comes from the library's own generator, so two seals of one payload differ: keep the one
    whose digest went to the chain.

    Parameters
    ----------
    payload
        ``Payload.to_bytes()``.
    public_key
        The spec's sealing key, 32 bytes.

    Returns
    -------
    bytes
        53 bytes longer than the payload.

    Raises
    ------
    BadInput
        If the public key is none, or the sealed payload would exceed 1 MiB.
    """
    if len(payload) + _OVERHEAD > MAX_BLOB_BYTES:
        raise BadInput(f"A payload of {len(payload)} bytes.", expected=f"Sealed ones have {MAX_BLOB_BYTES} at most.")
    try:
        key = X25519PublicKey.from_public_bytes(public_key)
        return _MAGIC + _SUITE.encrypt(payload, key, info=binding.info())
    except ValueError as error:
        raise BadInput(
            "The model's sealing key is not usable.", expected="Expected an X25519 key of 32 bytes."
        ) from error


def open_payload(sealed: bytes, private_key: bytes, binding: PayloadBinding) -> bytes:
    """Open a sealed payload.

    Raises
    ------
    PayloadRejected
        If it is damaged, cut, too large, of another version, or sealed for another key or binding.
    """
    key = _private(private_key)
    if not _OVERHEAD <= len(sealed) <= MAX_BLOB_BYTES or not sealed.startswith(_MAGIC):
        raise PayloadRejected(f"Not a sealed payload of version 1, in {len(sealed)} bytes.")
    try:
        return _SUITE.decrypt(sealed[len(_MAGIC) :], key, info=binding.info())
    except (InvalidTag, ValueError) as error:
        raise PayloadRejected("The sealed payload does not open under its binding.") from error
