"""The lender's model keys: in the vault, shown by fingerprint, backed up as one encrypted file."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chain_common.domain.model_secrets import ModelSecrets
from chain_common.domain.paillier.private_key import encrypt_weights, generate_private_key
from chain_common.domain.sealing import generate_sealing_key
from chain_common.domain.wire import WeightsDocument
from chain_common.services.lender.views import ModelKeyView
from chain_common.world import World


def weights_document(secrets: ModelSecrets, weights: NDArray[np.int32]) -> bytes:
    """Encrypt scoring weights under their own seed and return the document to publish; same weights, same bytes."""
    encrypted = encrypt_weights(secrets.private_key, weights, secrets.weights_seed(weights))
    fingerprint = bytes.fromhex(secrets.private_key.public_key.fingerprint)
    return WeightsDocument(fingerprint, encrypted.to_bytes()).to_bytes()


def _keys_secret(draft_id: str) -> str:
    return f"bounties/{draft_id}/keys"


def _weights_secret(draft_id: str, document: bytes) -> str:
    return f"bounties/{draft_id}/weights/{document.hex()}"


@dataclass(frozen=True, slots=True)
class ModelKeys:
    """Makes and keeps the secrets of the lender's models."""

    world: World
    key_bits: int

    def make(self, draft_id: str) -> ModelSecrets:
        """Return a model's secrets, making them the first time."""
        name = _keys_secret(draft_id)
        if not self.world.secrets.has(name):
            made = ModelSecrets(
                private_key=generate_private_key(self.key_bits, self.world.rng),
                sealing_key=generate_sealing_key(self.world.rng),
                master_salt=self.world.rng.random_bytes(32),
            )
            self.world.secrets.put(name, made.to_bytes())
        return self.of(draft_id)

    def of(self, draft_id: str) -> ModelSecrets:
        """Return a model's secrets. Raises ``Locked`` or ``SecretMissing``."""
        return ModelSecrets.from_bytes(self.world.secrets.get(_keys_secret(draft_id)))

    def keep_weights(self, draft_id: str, document: bytes, weights: NDArray[np.int32]) -> None:
        """Keep scoring weights under the digest of the document that holds them encrypted, before it is published."""
        self.world.secrets.put(_weights_secret(draft_id, document), weights.astype(">i4").tobytes())

    def weights(self, draft_id: str, document: bytes) -> NDArray[np.int32]:
        """Return the scoring weights behind a published document, int32 (n_weights,)."""
        blob = self.world.secrets.get(_weights_secret(draft_id, document))
        return np.frombuffer(blob, dtype=">i4").astype(np.int32)

    def views(self) -> list[ModelKeyView]:
        """List the keys in the vault; the vault has to be open."""
        listed = []
        for name in self.world.secrets.names("bounties/"):
            if not name.endswith("/keys"):
                continue
            draft_id = name.split("/")[1]
            document = self.world.documents.get("bounties", draft_id) or {}
            public_key = self.of(draft_id).private_key.public_key
            model_id = document.get("model_id")
            listed.append(
                ModelKeyView(
                    model_id=model_id if isinstance(model_id, int) else None,
                    draft_id=draft_id,
                    title=str(document.get("title", "")),
                    fingerprint=public_key.fingerprint,
                    bits=public_key.bits,
                )
            )
        return listed
