"""The contract's events: read in pages, decoded into plain values."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from eth_abi.abi import decode
from eth_utils.abi import collapse_if_tuple, event_abi_to_log_topic
from eth_utils.address import to_checksum_address
from web3 import Web3

from chain_common.adapters.ledger_artifact import AbiEntry, abi_entry, model_repository
from chain_common.adapters.ledger_node import Node
from chain_common.chain_errors import ChainAway
from chain_common.domain.repository import ChainEvent

# Providers answer for between 500 and 10,000 blocks at once.
PAGE_BLOCKS: Final = 2_000
# Block times kept, so that the events of one block ask for it once.
_TIMES_KEPT: Final = 4_096


class EventReader:
    """Reads the events of one contract.

    Parameters
    ----------
    node
        Where the chain is reached.
    contract
        Its address.
    page_blocks
        Largest number of blocks asked for at once.
    """

    def __init__(self, node: Node, contract: str, *, page_blocks: int = PAGE_BLOCKS) -> None:
        self._node = node
        self._contract = contract
        self._page_blocks = page_blocks
        self._times: OrderedDict[str, int] = OrderedDict()
        self._by_topic = {
            event_abi_to_log_topic(abi_entry(entry)): entry for entry in model_repository().of_type("event").values()
        }

    def pages(self, from_block: int, to_block: int) -> Iterator[list[ChainEvent]]:
        """Yield the events of an inclusive range of blocks in order, by pages; a page without events is left out.

        A range that the node refuses is halved until it answers, down to one block.

        Raises
        ------
        ChainAway
            If the node cannot be reached, or refuses a single block.
        """
        to_block = min(to_block, self._node.head().number)
        span = self._page_blocks
        start = from_block
        while start <= to_block:
            end = min(start + span - 1, to_block)
            try:
                logs = self._logs(start, end)
            except ChainAway as error:
                if end == start or not error.answered:
                    raise
                span = max(1, (end - start + 1) // 2)
                continue
            if events := self.decoded(logs):
                yield events
            start = end + 1
            span = min(2 * span, self._page_blocks)

    def _logs(self, start: int, end: int) -> Sequence[Mapping[str, Any]]:
        with self._node.answering():
            return self._node.web3.eth.get_logs(
                {
                    "fromBlock": start,
                    "toBlock": end,
                    "address": self._node.web3.to_checksum_address(self._contract),
                }
            )

    def decoded(self, logs: Sequence[Mapping[str, Any]]) -> list[ChainEvent]:
        """Return the events that logs hold, in the chain's order; logs of other contracts are left out."""
        known = [
            (self._by_topic[topics[0]], log)
            for log in logs
            if log["address"].lower() == self._contract.lower()
            and (topics := [bytes(topic) for topic in log["topics"]])
            and topics[0] in self._by_topic
        ]
        events = [self._event(entry, log) for entry, log in known]
        return sorted(events, key=lambda event: (event.block, event.log_index))

    def _event(self, entry: AbiEntry, log: Mapping[str, Any]) -> ChainEvent:
        arguments = event_arguments(entry, [bytes(topic) for topic in log["topics"]], bytes(log["data"]))
        model_id = arguments.get("modelId")
        return ChainEvent(
            name=entry["name"],
            block=log["blockNumber"],
            log_index=log["logIndex"],
            transaction=Web3.to_hex(log["transactionHash"]),
            timestamp=self._time(log),
            model_id=model_id if isinstance(model_id, int) else None,
            arguments=arguments,
        )

    def _time(self, log: Mapping[str, Any]) -> int:
        # By hash: after a reorganisation another block has the number.
        block_hash = Web3.to_hex(log["blockHash"])
        if block_hash not in self._times:
            with self._node.answering():
                self._times[block_hash] = self._node.web3.eth.get_block(log["blockHash"])["timestamp"]
            if len(self._times) > _TIMES_KEPT:
                self._times.popitem(last=False)
        return self._times[block_hash]


def event_arguments(entry: AbiEntry, topics: Sequence[bytes], data: bytes) -> dict[str, object]:
    """Decode an event into integers, ``0x`` strings, lists and dictionaries of these, by Solidity name.

    Parameters
    ----------
    entry
        The event in the interface; its indexed inputs are of types that a topic holds as they are.
    topics
        The event's own first, then one for each indexed input.
    """
    inputs: Sequence[AbiEntry] = entry["inputs"]
    indexed = [each for each in inputs if each["indexed"]]
    rest = [each for each in inputs if not each["indexed"]]
    values: dict[str, Any] = {}
    for each, topic in zip(indexed, topics[1:], strict=True):
        values[each["name"]] = decode([each["type"]], topic)[0]
    types = [collapse_if_tuple(abi_entry(each)) for each in rest]
    values |= zip((each["name"] for each in rest), decode(types, data), strict=True)
    return {each["name"]: _json(each, values[each["name"]]) for each in inputs}


def _json(entry: AbiEntry, value: Any) -> object:  # noqa: ANN401 - a decoded value is whatever its type says
    kind: str = entry["type"]
    if kind.endswith("]"):
        item = {**entry, "type": kind[: kind.rindex("[")]}
        return [_json(item, each) for each in value]
    if kind == "tuple":
        return {part["name"]: _json(part, each) for part, each in zip(entry["components"], value, strict=True)}
    if kind == "address":
        return to_checksum_address(value)
    return "0x" + value.hex() if isinstance(value, bytes) else value
