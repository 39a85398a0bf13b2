"""The ports in memory, for tests and for playing through a story without a machine.

They keep the promises of ``ports``, forget everything at the end of the process and protect nothing. ``memory_jobs``
holds the table of jobs.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from chain_common.adapters.accounts import Signer, account_of_key, require_new_password, spelled_password
from chain_common.adapters.documents import decode_document, encode_document
from chain_common.adapters.event_index import IndexNotReset
from chain_common.adapters.os_random import OsRng
from chain_common.adapters.secret_files import require_name
from chain_common.domain.content_id import MAX_BLOB_BYTES, cid_of, digest_of, require_digest
from chain_common.domain.randomness import Rng
from chain_common.domain.repository import Address, ChainEvent, ChainIdentity
from chain_common.errors import Locked, Unavailable
from chain_common.ports import JsonObject
from chain_common.state_errors import (
    AccountExists,
    BlobTooLarge,
    ContentMissing,
    SecretMissing,
    WrongPassword,
)


@dataclass(slots=True)
class ManualClock:
    """A clock that stands still until it is moved."""

    moment: float = 1_700_000_000.0

    def now(self) -> float:
        """Return unix seconds."""
        return self.moment

    def advance(self, seconds: float) -> None:
        """Move on."""
        self.moment += seconds


@dataclass(slots=True)
class MemoryContentStore:
    """Blobs in a dictionary.

    ``reachable`` can be switched off to see what its users do without it; ``blobs`` can be tampered with.
    """

    reachable: bool = True
    blobs: dict[bytes, bytes] = field(default_factory=dict)

    def put(self, blob: bytes) -> bytes:
        """Store a blob and return its digest (32 bytes). Raises ``Unavailable``, ``BlobTooLarge`` above 1 MiB."""
        if len(blob) > MAX_BLOB_BYTES:
            raise BlobTooLarge(len(blob), MAX_BLOB_BYTES)
        self.check()
        digest = digest_of(blob)
        self.blobs[digest] = bytes(blob)
        return digest

    def get(self, digest: bytes) -> bytes:
        """Return the blob. Raises ``ContentMissing``, ``Unavailable``, or ``PayloadRejected`` if it is not the one."""
        self.check()
        if digest not in self.blobs:
            raise ContentMissing(cid_of(digest), self.location())
        return require_digest(self.blobs[digest], digest)

    def has(self, digest: bytes) -> bool:
        """Tell whether the blob can be read here now."""
        return self.reachable and digest in self.blobs and digest_of(self.blobs[digest]) == digest

    def check(self) -> None:
        """Raise ``Unavailable`` if it has been switched off."""
        if not self.reachable:
            raise Unavailable(f"The content store at {self.location()} cannot be reached.", do="Switch it on again.")

    def location(self) -> str:
        """Say where it is."""
        return "this process's memory"


class MemorySecretStore:
    """Secrets in a dictionary, behind a lock without a key; :class:`MemoryKeyring` opens and closes it."""

    def __init__(self, *, unlocked: bool = True) -> None:
        self._secrets: dict[str, bytes] = {}
        self._unlocked = unlocked

    def __repr__(self) -> str:
        return f"MemorySecretStore({'open' if self._unlocked else 'locked'})"

    def open(self, *, unlocked: bool) -> None:
        """Open or close it."""
        self._unlocked = unlocked

    def put(self, name: str, secret: bytes) -> None:
        """Keep a secret, replacing an older one of the name. Raises ``Locked``."""
        self._require_open()
        self._secrets[require_name(name)] = bytes(secret)

    def get(self, name: str) -> bytes:
        """Return a secret. Raises ``Locked``, or ``SecretMissing``."""
        self._require_open()
        if require_name(name) not in self._secrets:
            raise SecretMissing(name)
        return self._secrets[name]

    def has(self, name: str) -> bool:
        """Tell whether a secret of that name exists; works while locked."""
        return require_name(name) in self._secrets

    def names(self, prefix: str = "") -> list[str]:
        """Return the names that start with a prefix, sorted."""
        return sorted(name for name in self._secrets if name.startswith(prefix))

    def delete(self, name: str) -> None:
        """Remove a secret if it is there."""
        self._secrets.pop(require_name(name), None)

    def _require_open(self) -> None:
        if not self._unlocked:
            raise Locked("The vault is locked.", do="Give the account's password.")


class MemoryKeyring:
    """An account, its password and its vault in memory."""

    def __init__(self, *, rng: Rng | None = None) -> None:
        self._rng = rng or OsRng()
        self._secrets = MemorySecretStore(unlocked=False)
        self._signer = Signer()
        self._password: str | None = None
        self._key = b""

    def __repr__(self) -> str:
        return f"MemoryKeyring({'open' if self.is_unlocked() else 'locked'})"

    @property
    def secrets(self) -> MemorySecretStore:
        """The vault; locked and unlocked with the account."""
        return self._secrets

    @property
    def signer(self) -> Signer:
        """Signs for the account while it is unlocked."""
        return self._signer

    def exists(self) -> bool:
        """Tell whether the user has made an account here."""
        return self._password is not None

    def is_unlocked(self) -> bool:
        """Tell whether account and secrets can be used now."""
        return self._signer.is_unlocked()

    def create(self, password: str, private_key: bytes | None = None) -> Address:
        """Make (or import) the account and leave it unlocked. Raises ``AccountExists``, ``BadInput``."""
        if self.exists():
            raise AccountExists("this process's memory")
        spelled = require_new_password(password)
        self._key = bytes(account_of_key(private_key, self._rng).key)
        self._password = spelled
        self.unlock(password)
        return self.address()

    def unlock(self, password: str) -> None:
        """Open account and vault. Raises ``WrongPassword``, or ``Locked`` if there is no account."""
        self._require_account()
        if spelled_password(password) != self._password:
            raise WrongPassword
        self._signer.hold(account_of_key(self._key, self._rng))
        self._secrets.open(unlocked=True)

    def lock(self) -> None:
        """Close account and vault."""
        self._signer.hold(None)
        self._secrets.open(unlocked=False)

    def address(self) -> Address:
        """Return the account's address; works while locked. Raises ``Locked`` if there is none."""
        self._require_account()
        return Address(account_of_key(self._key, self._rng).address)

    def _require_account(self) -> None:
        if not self.exists():
            raise Locked("There is no account here yet.", do="Make one first.")


class MemoryDocuments:
    """Documents as text in dictionaries, so that what is read is never what others hold."""

    def __init__(self) -> None:
        self._collections: dict[str, dict[str, str]] = {}
        self._guard = threading.RLock()

    def put(self, collection: str, document_id: str, document: JsonObject) -> None:
        """Write a document, replacing an older one; it keeps the older one's place in the order."""
        body = encode_document(document)
        with self._guard:
            self._collections.setdefault(collection, {})[document_id] = body

    def get(self, collection: str, document_id: str) -> JsonObject | None:
        """Return a document or ``None``."""
        with self._guard:
            body = self._collections.get(collection, {}).get(document_id)
        return None if body is None else decode_document(body)

    def update(self, collection: str, document_id: str, change: Callable[[JsonObject], JsonObject]) -> JsonObject:
        """Read, change and write one document; a missing one starts as ``{}``. Nothing changes if ``change`` raises."""
        with self._guard:
            self.put(collection, document_id, change(self.get(collection, document_id) or {}))
            return self.get(collection, document_id) or {}

    def all(self, collection: str) -> list[tuple[str, JsonObject]]:
        """Return ids and documents of a collection, oldest first."""
        with self._guard:
            bodies = list(self._collections.get(collection, {}).items())
        return [(document_id, decode_document(body)) for document_id, body in bodies]

    def delete(self, collection: str, document_id: str) -> None:
        """Remove a document if it is there."""
        with self._guard:
            self._collections.get(collection, {}).pop(document_id, None)


class MemoryEventIndex:
    """Events in a dictionary by block and place."""

    def __init__(self) -> None:
        self._identity: ChainIdentity | None = None
        self._checkpoint = -1
        self._events: dict[tuple[int, int], ChainEvent] = {}
        self._guard = threading.Lock()

    def reset(self, identity: ChainIdentity) -> None:
        """Forget everything and start anew for a deployment."""
        with self._guard:
            self._identity, self._checkpoint, self._events = identity, -1, {}

    def identity(self) -> ChainIdentity | None:
        """Return the deployment the copied events belong to."""
        return self._identity

    def checkpoint(self) -> int:
        """Return the last block copied, or -1."""
        return self._checkpoint

    def add(self, events: Sequence[ChainEvent], checkpoint: int) -> None:
        """Store a page of events and move the checkpoint, which never moves back. Raises ``IndexNotReset``."""
        with self._guard:
            if self._identity is None:
                raise IndexNotReset
            for event in events:
                self._events.setdefault((event.block, event.log_index), event)
            self._checkpoint = max(self._checkpoint, checkpoint)

    def events(
        self,
        *,
        model_id: int | None = None,
        name: str | None = None,
        newest_first: bool = False,
        limit: int = 1000,
    ) -> list[ChainEvent]:
        """Return at most ``limit`` events in chain order, filtered."""
        with self._guard:
            ordered = [self._events[place] for place in sorted(self._events, reverse=newest_first)]
        chosen = [
            event
            for event in ordered
            if (model_id is None or event.model_id == model_id) and (name is None or event.name == name)
        ]
        return chosen[:limit]
