"""One model's keys, rows and weights as one file, locked with a password of its own."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from dataclasses import dataclass
from typing import Final

from cattrs.errors import ClassValidationError

from chain_common.domain.backup import open_backup, seal_backup
from chain_common.domain.model_secrets import ModelSecrets
from chain_common.errors import BadInput, RuleBroken
from chain_common.services.lender.bounties import DRAFT_ID, DRAFTS, NoSuchDraft
from chain_common.services.lender.views import BountyDraft
from chain_common.services.records import from_json
from chain_common.world import World

_VERSION: Final = 1
_COLLECTIONS: Final = (DRAFTS, "scores", "closing-scores")


class AlreadyHere(RuleBroken):
    """A backup is of a model whose keys are on this machine."""

    def __init__(self, title: str) -> None:
        super().__init__(
            f"The keys of “{title}” are on this machine already.",
            expected="A restore never overwrites what is there.",
            do="Nothing: the model works.",
        )


@dataclass(frozen=True, slots=True)
class Backups:
    """Backs up and restores what settling a model needs: keys, salts, validation rows, scoring weights, row tags."""

    world: World

    def make(self, draft_id: str, password: str) -> bytes:
        """Return a model's backup, as it stands now.

        Make a new one after each settled round: the weights of later rounds are not in an earlier backup.

        Raises
        ------
        NoSuchDraft
            If there is no such model here.
        """
        names = self.world.secrets.names(f"bounties/{draft_id}/")
        if not names or self.world.documents.get(DRAFTS, draft_id) is None:
            raise NoSuchDraft(draft_id)
        content = {
            "version": _VERSION,
            "draft_id": draft_id,
            "documents": {name: self.world.documents.get(name, draft_id) for name in _COLLECTIONS},
            "secrets": {name: b64encode(self.world.secrets.get(name)).decode() for name in names},
        }
        return seal_backup(json.dumps(content).encode(), password, self.world.rng)

    def restore(self, backup: bytes, password: str) -> str:
        """Put a model's backup into this vault and return the model's title.

        Raises
        ------
        BadInput
            If the file is no backup of a model, or the password is another.
        AlreadyHere
            If the model is here; nothing was changed.
        """
        try:
            content = json.loads(open_backup(backup, password))
            draft_id, documents = str(content["draft_id"]), dict(content["documents"])
            if content["version"] != _VERSION or not DRAFT_ID.fullmatch(draft_id):
                raise KeyError
            decoded = {str(name): b64decode(text, validate=True) for name, text in content["secrets"].items()}
            if not all(name.startswith(f"bounties/{draft_id}/") for name in decoded):
                raise KeyError
            title = str(documents[DRAFTS]["title"])
            from_json(json.loads(decoded[f"bounties/{draft_id}/draft"])["draft"], BountyDraft)
            ModelSecrets.from_bytes(decoded[f"bounties/{draft_id}/keys"])
        except (ValueError, KeyError, TypeError, AttributeError, ClassValidationError) as error:
            raise BadInput(
                "The file is no backup of a model.", do="Choose a file that this app wrote.", field="file"
            ) from error
        if self.world.documents.get(DRAFTS, draft_id) is not None:
            raise AlreadyHere(title)
        for name, secret in decoded.items():
            self.world.secrets.put(name, secret)
        # The draft's own document comes last: until it is there a restore that was cut off can be repeated.
        for collection in reversed(_COLLECTIONS):
            if isinstance(documents.get(collection), dict):
                self.world.documents.put(collection, draft_id, documents[collection])
        return title
