"""Where the contract is: deploying it, recording that, finding and checking it again.

The record is a small public file, ``deployment.json``. Chain id and address do not tell two deployments on a
development chain apart that was started anew; the hash of the deploying transaction and that of its block do.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

from eth_utils.address import is_address, to_checksum_address

from chain_common.adapters.durable_files import write_durably
from chain_common.adapters.ledger_artifact import model_repository
from chain_common.adapters.ledger_node import Mined, Node
from chain_common.adapters.ledger_pricing import ContractCall, Signer, prepared
from chain_common.adapters.ledger_sending import Patience
from chain_common.chain_errors import NotDeployed, ReplacedChain, Reverted, WrongChain
from chain_common.domain.repository import Address, ChainIdentity
from chain_common.errors import Unavailable

DEPLOYMENT_FILE: Final = "deployment.json"
_VERSION: Final = 1
# The record and its unfinished twin hold nothing secret.
_MODE: Final = 0o644


def load_deployment(record: Path) -> ChainIdentity:
    """Read a recorded deployment.

    Raises
    ------
    NotDeployed
        If there is no record, or it cannot be read.
    """
    try:
        written = json.loads(record.read_text(encoding="utf-8"))
        identity = ChainIdentity(
            chain_id=int(written["chain_id"]),
            contract=Address(to_checksum_address(written["contract"])),
            deployment_transaction=_hash(written["deployment_transaction"]),
            deployment_block_hash=_hash(written["deployment_block_hash"]),
        )
    except FileNotFoundError as error:
        raise NotDeployed(str(record), "there is no such file") from error
    except OSError as error:
        raise NotDeployed(str(record), f"it cannot be read ({error.strerror})") from error
    except (ValueError, KeyError, TypeError) as error:
        raise NotDeployed(str(record), "it is damaged, or of another version") from error
    if written.get("version") != _VERSION:
        raise NotDeployed(str(record), f"it is of version {written.get('version')}, not {_VERSION}")
    return identity


def save_deployment(record: Path, identity: ChainIdentity) -> None:
    """Record a deployment; a record of another one stays beside it under its own name. Raises ``Unavailable``."""
    document = {
        "version": _VERSION,
        "chain_id": identity.chain_id,
        "contract": identity.contract,
        "deployment_transaction": identity.deployment_transaction,
        "deployment_block_hash": identity.deployment_block_hash,
    }
    if record.exists():
        try:
            old = load_deployment(record)
        except NotDeployed:
            old = None
        if old == identity:
            return
        if old is not None:
            _write(
                record.with_name(f"deployment.{old.chain_id}.{old.contract}.json"),
                json.loads(record.read_bytes()),
            )
    _write(record, document)


def require_deployment(node: Node, identity: ChainIdentity) -> None:
    """Check that a node serves the chain of a deployment, and that it happened there.

    Raises
    ------
    WrongChain
        If it serves a chain of another id.
    ReplacedChain
        If the chain has that id, but not that deployment.
    """
    node.require_chain(identity.chain_id)
    mined = node.mined(identity.deployment_transaction)
    if mined is None or mined.block_hash != identity.deployment_block_hash:
        raise ReplacedChain(node.location, identity.contract)


def require_contract(node: Node, identity: ChainIdentity) -> None:
    """Check in addition that the code at the address is the one this version of the library knows.

    Raises
    ------
    NotDeployed
        If it is another one.
    """
    require_deployment(node, identity)
    if not model_repository().is_code(node.code(identity.contract)):
        raise NotDeployed(identity.contract, "its code is not that of this version's ModelRepository")


def find_deployment(node: Node, contract: str) -> ChainIdentity:
    """Find a contract's deployment by its address alone.

    Searches the block in which code appeared there, so the node must still know the state of that time.

    Raises
    ------
    NotDeployed
        If there is no such contract at the address, or another contract made it.
    """
    if not is_address(contract):
        raise NotDeployed(f"{contract[:80]!r}", "it is no address")
    address = to_checksum_address(contract)
    if not model_repository().is_code(node.code(address)):
        raise NotDeployed(address, "its code is not that of this version's ModelRepository")
    without, block = -1, node.head().number
    while block - without > 1:
        middle = (without + block) // 2
        if node.code(address, middle):
            block = middle
        else:
            without = middle
    for transaction in node.transactions(block):
        mined = node.mined(transaction)
        if mined is not None and mined.contract == address:
            return _identity(node.chain_id(), mined)
    raise NotDeployed(address, "no transaction of its own made it; copy the deployment.json of who deployed it")


def deploy(node: Node, signer: Signer, record: Path, *, patience: Patience | None = None) -> ChainIdentity:
    """Deploy the contract and record where, or return the recorded deployment if it is on this chain.

    The signed transaction is written beside the record before it is sent; after a crash the next call finishes it.

    Parameters
    ----------
    record
        The file to record it in, by convention ``deployment.json`` in ``CHAIN_HOME``.

    Raises
    ------
    NotEnoughEther
        If the account cannot pay for it.
    Reverted
        If the chain refuses the code.
    Unavailable
        If the chain does not answer or does not mine it in time; the next call goes on.
    """
    try:
        recorded = load_deployment(record)
        require_contract(node, recorded)
    except (NotDeployed, ReplacedChain, WrongChain):
        pass
    else:
        return recorded
    chain_id = node.chain_id()
    unfinished = record.with_name("deployment.unfinished.json")
    pending = _unfinished(node, chain_id, unfinished)
    if pending is None:
        pending = _prepare(node, signer, chain_id)
        _write(unfinished, pending)
    mined = (patience or Patience()).until(partial(_look, node, pending), pending["transaction"])
    if not mined.status or not model_repository().is_code(node.code(mined.contract or "")):
        unfinished.unlink(missing_ok=True)
        raise Reverted(f"the transaction {mined.transaction} did not deploy it")
    identity = _identity(chain_id, mined)
    save_deployment(record, identity)
    unfinished.unlink(missing_ok=True)
    return identity


def _prepare(node: Node, signer: Signer, chain_id: int) -> dict[str, Any]:
    sender = signer.address()
    sign = prepared(signer, node, ContractCall(None, model_repository().creation_code, 0), chain_id)
    nonce = node.count(sender, pending=True)
    signed = sign(nonce)
    return {
        "version": _VERSION,
        "chain_id": chain_id,
        "sender": sender,
        "nonce": nonce,
        "raw": "0x" + bytes(signed.raw_transaction).hex(),
        "transaction": "0x" + bytes(signed.hash).hex(),
    }


def _unfinished(node: Node, chain_id: int, path: Path) -> Mapping[str, Any] | None:
    """Return the transaction of a deployment that was begun and can still be finished on this chain."""
    try:
        pending: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if pending["version"] != _VERSION or pending["chain_id"] != chain_id:
            return None
        used = node.count(pending["sender"]) > pending["nonce"]
        return None if used and node.mined(pending["transaction"]) is None else pending
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _look(node: Node, pending: Mapping[str, Any]) -> Mined | None:
    transaction = pending["transaction"]
    mined = node.mined(transaction)
    if mined is None and not node.knows(transaction):
        refusal = node.refused(bytes.fromhex(pending["raw"][2:]))
        mined = node.mined(transaction)
        if refusal and mined is None and not node.knows(transaction):
            raise Reverted(f"the node does not take the deployment, {refusal!r}")
    return mined


def _identity(chain_id: int, mined: Mined) -> ChainIdentity:
    return ChainIdentity(
        chain_id=chain_id,
        contract=Address(to_checksum_address(mined.contract or "")),
        deployment_transaction=mined.transaction,
        deployment_block_hash=mined.block_hash,
    )


def _write(path: Path, document: Mapping[str, Any]) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_durably(path, (json.dumps(document, indent=1, sort_keys=True) + "\n").encode(), mode=_MODE)
    except OSError as error:
        raise Unavailable(
            f"{path} cannot be written ({error.strerror}).",
            do="Check the disk's space and the folder's permissions, or choose another CHAIN_HOME.",
        ) from error


def _hash(text: str) -> str:
    if not text.startswith("0x") or len(bytes.fromhex(text[2:])) != 32:
        raise ValueError(f"a hash has 32 bytes, got {text!r}")
    return text.lower()
