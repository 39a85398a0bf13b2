"""What the services need of the world, as protocols.

Each has an adapter on the real thing and one in memory; one conformance suite (``tests/ports``) runs on both. Adapters
turn foreign exceptions into ours: :class:`~chain_common.errors.Unavailable` where trying again may help,
:class:`~chain_common.errors.RuleBroken` where the contract forbids the act.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO, Protocol

from chain_common.domain.calls import Call
from chain_common.domain.loan_table import LoanTable
from chain_common.domain.model_spec import Preset
from chain_common.domain.repository import (
    Address,
    ChainEvent,
    ChainIdentity,
    Due,
    Head,
    Model,
    Receipt,
    Round,
    Seat,
    Terms,
)

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]
JsonObject = dict[str, Json]


class Ledger(Protocol):
    """The ``ModelRepository`` contract on some chain, seen from one account."""

    def identity(self) -> ChainIdentity:
        """Return what tells this deployment from any other."""
        ...

    def head(self) -> Head:
        """Return the newest block's number and time."""
        ...

    def block_hash(self, number: int) -> str:
        """Return the hash of a block, or an empty string if the chain has none of that number."""
        ...

    def account(self) -> Address:
        """Return the account that calls are sent from."""
        ...

    def balance(self, account: Address) -> int:
        """Return an account's ether in wei."""
        ...

    def credit(self, account: Address) -> int:
        """Return the wei an account can withdraw from the contract."""
        ...

    def model_count(self) -> int:
        """Return how many models exist; their ids run from one."""
        ...

    def model(self, model_id: int) -> Model:
        """Return a model as it stands. Raises ``UnknownModel`` (a ``RuleBroken``)."""
        ...

    def terms(self, model_id: int) -> Terms:
        """Return a model's terms."""
        ...

    def round(self, model_id: int, number: int) -> Round:
        """Return a round as it stands; its state is ``NONE`` if it was never opened."""
        ...

    def seat(self, model_id: int, number: int, index: int) -> Seat:
        """Return a seat. Raises ``UnknownSeat`` (a ``RuleBroken``)."""
        ...

    def due(self, model_id: int, number: int, index: int) -> Due:
        """Return what a claim on the seat would credit now."""
        ...

    def events(self, from_block: int, to_block: int) -> Iterator[Sequence[ChainEvent]]:
        """Yield the contract's events of an inclusive range of blocks, page by page, in order."""
        ...

    def fee_allowance(self, call: type[Call]) -> int:
        """Return an upper estimate of the fee of a kind of call in wei, at today's price of gas."""
        ...

    def reconcile(self) -> None:
        """Give the node every recorded transaction it does not have: after a crash, a reorganisation or a restart.

        Raises ``Unavailable`` if the chain cannot be reached.
        """
        ...

    def send(self, call: Call, *, key: str) -> Receipt:
        """Send a call once and wait until it is mined.

        ``key`` names the intention. The transaction is recorded under it before it is sent; the same key after a
        restart finds the recorded one, waits for it or sends the same bytes again, and never makes a second.

        Raises
        ------
        RuleBroken
            If the contract reverts, as the error of the same name in ``contract_errors``.
        NotEnoughEther
            If the account cannot pay value and fee.
        Unavailable
            If the chain cannot be reached; the same key may be tried again.
        """
        ...


class ContentStore(Protocol):
    """Immutable blobs named by their SHA-256 digest; every read is checked against it."""

    def put(self, blob: bytes) -> bytes:
        """Store a blob and return its digest (32 bytes). Raises ``Unavailable``, ``BadInput`` above 1 MiB."""
        ...

    def get(self, digest: bytes) -> bytes:
        """Return the blob. Raises ``ContentMissing`` (an ``Unavailable``), or ``PayloadRejected`` if it is another."""
        ...

    def has(self, digest: bytes) -> bool:
        """Tell whether the blob can be read here now."""
        ...

    def check(self) -> None:
        """Raise ``Unavailable`` if the store cannot be reached."""
        ...

    def location(self) -> str:
        """Return where the store is, for a person, without credentials."""
        ...


class SecretStore(Protocol):
    """Named secrets, encrypted at rest under the user's password.

    Names are slash-separated words of ``[a-z0-9-]``.
    """

    def put(self, name: str, secret: bytes) -> None:
        """Write a secret, replacing an older one of the name, durably before returning. Raises ``Locked``."""
        ...

    def get(self, name: str) -> bytes:
        """Return a secret. Raises ``Locked``, or ``SecretMissing`` (a ``BadInput``)."""
        ...

    def has(self, name: str) -> bool:
        """Tell whether a secret of that name exists; works while locked."""
        ...

    def names(self, prefix: str = "") -> list[str]:
        """Return the names that start with a prefix, sorted."""
        ...

    def delete(self, name: str) -> None:
        """Remove a secret if it is there."""
        ...


class Keyring(Protocol):
    """The user's password-protected home: whether it exists, is open, and opening it."""

    def exists(self) -> bool:
        """Tell whether the user has made an account here."""
        ...

    def is_unlocked(self) -> bool:
        """Tell whether account and secrets can be used now."""
        ...

    def create(self, password: str, private_key: bytes | None = None) -> Address:
        """Make (or import) the account and the vault under a password of at least eight characters."""
        ...

    def unlock(self, password: str) -> None:
        """Open account and vault. Raises ``WrongPassword`` (a ``Locked``)."""
        ...

    def lock(self) -> None:
        """Forget the keys held in memory."""
        ...

    def address(self) -> Address:
        """Return the account's address; works while locked. Raises ``Locked`` if there is none."""
        ...


class Documents(Protocol):
    """Small JSON documents of this app, by collection and id: drafts, contributions, receipts. No secrets."""

    def put(self, collection: str, document_id: str, document: JsonObject) -> None:
        """Write a document, replacing an older one."""
        ...

    def get(self, collection: str, document_id: str) -> JsonObject | None:
        """Return a document or ``None``."""
        ...

    def update(self, collection: str, document_id: str, change: Callable[[JsonObject], JsonObject]) -> JsonObject:
        """Read, change and write one document in a single transaction; a missing one starts as ``{}``."""
        ...

    def all(self, collection: str) -> list[tuple[str, JsonObject]]:
        """Return ids and documents of a collection, oldest first."""
        ...

    def delete(self, collection: str, document_id: str) -> None:
        """Remove a document if it is there."""
        ...


class EventIndex(Protocol):
    """The contract's events, copied so that pages need not scan the chain."""

    def reset(self, identity: ChainIdentity) -> None:
        """Forget everything and start anew for a deployment."""
        ...

    def identity(self) -> ChainIdentity | None:
        """Return the deployment the copied events belong to."""
        ...

    def checkpoint(self) -> int:
        """Return the last block copied, or -1."""
        ...

    def add(self, events: Sequence[ChainEvent], checkpoint: int) -> None:
        """Store a page of events and move the checkpoint, in one transaction; an event known already is left alone."""
        ...

    def events(
        self,
        *,
        model_id: int | None = None,
        name: str | None = None,
        newest_first: bool = False,
        limit: int = 1000,
    ) -> list[ChainEvent]:
        """Return events in chain order, filtered."""
        ...


@dataclass(frozen=True, slots=True)
class Job:
    """A long piece of work and how far it is.

    ``state`` is ``waiting``, ``running``, ``done`` or ``failed``. ``steps`` are the names of its steps in order;
    ``step`` counts those that are done; ``progress`` is the running step's, from 0 to 1. ``failure`` is a sentence for
    a person. ``not_before`` is the moment the job is looked at next. ``data`` is what the steps have left for each
    other: small, JSON, no secrets.
    """

    job_id: int
    kind: str
    key: str
    state: str
    steps: tuple[str, ...]
    step: int
    progress: float
    note: str
    failure: str
    attempts: int
    not_before: float
    created_at: float
    updated_at: float
    data: Mapping[str, Json]


class StepContext(Protocol):
    """What a running step is given besides the job's data."""

    def progress(self, fraction: float, note: str = "") -> None:
        """Report how far the step is, from 0 to 1."""
        ...


@dataclass(frozen=True, slots=True)
class WaitFor:
    """A step's answer when the world is not ready: look again after so many seconds, without counting a failure."""

    seconds: float
    note: str = ""


@dataclass(frozen=True, slots=True)
class StartOver:
    """A step's answer when what earlier steps did no longer fits: begin again at the first one after so many seconds.

    What the steps left in the job's data since it was queued is forgotten.
    """

    seconds: float
    note: str = ""


# A step reads the job's data and returns what to add to it, WaitFor or StartOver. It can be repeated safely.
Step = Callable[[Mapping[str, Json], StepContext], JsonObject | WaitFor | StartOver]


@dataclass(frozen=True, slots=True)
class JobKind:
    """A kind of job: its name and its named steps in order."""

    name: str
    steps: tuple[tuple[str, Step], ...]


class Jobs(Protocol):
    """Work that outlives a request and a crash."""

    def register(self, kind: JobKind) -> None:
        """Make a kind known to the worker."""
        ...

    def enqueue(self, kind: str, key: str, data: JsonObject) -> Job:
        """Add a job unless one of that key exists; return the one that is there."""
        ...

    def get(self, key: str) -> Job | None:
        """Return the job of a key."""
        ...

    def all(self, *, kind: str | None = None, unfinished: bool = False) -> list[Job]:
        """Return jobs, newest first."""
        ...

    def retry(self, key: str) -> Job:
        """Set a failed job waiting again at the step it failed in."""
        ...

    def cancel(self, key: str) -> None:
        """Drop a job that is waiting or has failed. Raises ``RuleBroken`` if it is running or done."""
        ...


class Clock(Protocol):
    """The time of this machine; what binds is the chain's."""

    def now(self) -> float:
        """Return unix seconds."""
        ...


class LoanReader(Protocol):
    """Reads a CSV of finished loans."""

    def read(self, source: BinaryIO, *, filename: str, columns: Sequence[str]) -> LoanTable:
        """Return the rows, these columns only, with a report. Raises a ``BadInput`` that says what is wrong."""
        ...


class Presets(Protocol):
    """The model-spec presets that ship with the library."""

    def names(self) -> list[str]:
        """Return the names, the default first."""
        ...

    def get(self, name: str) -> Preset:
        """Return a preset. Raises ``BadInput`` for an unknown name."""
        ...
