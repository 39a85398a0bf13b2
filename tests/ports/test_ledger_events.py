"""Events in pages: every event once and in order, whatever the node can answer for at a time."""

from __future__ import annotations

from itertools import chain
from typing import Any

import pytest
from web3.providers import BaseProvider

from chain_common.adapters.ledger_events import EventReader
from chain_common.adapters.ledger_node import Node
from chain_common.chain_errors import ChainAway

CONTRACT = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
ELSEWHERE = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
# The Keccak hash of the text Withdrawn(address,address,uint256).
WITHDRAWN = "0xd1c19fbcd4551a5edfb66d43d2e337c04837afda3482b42bdf569a8fccdae5fb"


class ScriptedNode(BaseProvider):
    """A node with one ``Withdrawn`` event in each block of a list, which answers for so many blocks at most."""

    def __init__(self, blocks: list[int], head: int, most: int = 10**9) -> None:
        super().__init__()
        self.logs, self.head_block, self.most = [self.log(block) for block in blocks], head, most
        self.asked: list[tuple[int, int]] = []
        self.n_times = 0
        self.is_away = False

    def make_request(self, method: str, params: Any) -> Any:
        return {"jsonrpc": "2.0", "id": 1, **self.answer(method, params)}

    def answer(self, method: str, params: Any) -> dict[str, Any]:
        if method == "eth_getLogs":
            if self.is_away:
                raise ConnectionError
            start, end = (int(params[0][name], 16) for name in ("fromBlock", "toBlock"))
            self.asked.append((start, end))
            if end - start + 1 > self.most:
                return {"error": {"code": -32005, "message": f"at most {self.most} blocks"}}
            # Newest first, as no node should.
            return {"result": [log for log in reversed(self.logs) if start <= int(log["blockNumber"], 16) <= end]}
        number = self.head_block
        if method == "eth_getBlockByHash":
            self.n_times += 1
            number = int(params[0], 16)
        return {"result": {"number": hex(number), "timestamp": hex(1_000 + number), "hash": f"0x{number:064x}"}}

    def log(self, block: int, address: str = CONTRACT) -> dict[str, Any]:
        return {
            "address": address,
            "topics": [WITHDRAWN, "0x" + ELSEWHERE[2:].rjust(64, "0"), "0x" + "0" * 64],
            "data": f"0x{block:064x}",
            "blockNumber": hex(block),
            "blockHash": f"0x{block:064x}",
            "transactionHash": f"0x{block + 7:064x}",
            "transactionIndex": "0x0",
            "logIndex": "0x0",
            "removed": False,
        }


def read(provider: ScriptedNode, start: int, end: int, page_blocks: int = 2_000) -> list[list[int]]:
    reader = EventReader(Node(provider, "scripted"), CONTRACT, page_blocks=page_blocks)
    return [[event.block for event in page] for page in reader.pages(start, end)]


def test_a_long_range_is_read_in_pages_and_pages_without_events_are_left_out() -> None:
    provider = ScriptedNode([3, 1_999, 2_000, 7_500], head=9_000)
    assert read(provider, 0, 9_000) == [[3, 1_999], [2_000], [7_500]]
    assert provider.asked == [(0, 1_999), (2_000, 3_999), (4_000, 5_999), (6_000, 7_999), (8_000, 9_000)]


def test_a_page_the_node_refuses_is_halved_until_it_answers() -> None:
    provider = ScriptedNode(list(range(0, 4_001, 50)), head=4_000, most=300)
    pages = read(provider, 0, 4_000)
    assert list(chain.from_iterable(pages)) == list(range(0, 4_001, 50))
    assert provider.asked[:4] == [(0, 1_999), (0, 999), (0, 499), (0, 249)]


def test_pages_grow_again_after_a_refusal() -> None:
    provider = ScriptedNode([0, 8_000], head=8_000, most=500)
    pages = EventReader(Node(provider, "scripted"), CONTRACT).pages(0, 8_000)
    assert [event.block for event in next(pages)] == [0]
    provider.most = 10**9
    assert [event.block for page in pages for event in page] == [8_000]
    assert provider.asked[2:] == [
        (0, 499),
        (500, 1_499),
        (1_500, 3_499),
        (3_500, 5_499),
        (5_500, 7_499),
        (7_500, 8_000),
    ]


def test_one_block_that_is_refused_is_an_error() -> None:
    provider = ScriptedNode([5], head=100, most=0)
    with pytest.raises(ChainAway, match="at most 0 blocks"):
        read(provider, 0, 100)
    assert provider.asked[-1] == (0, 0)


def test_a_node_that_is_away_is_not_asked_again_and_again() -> None:
    provider = ScriptedNode([5], head=100)
    provider.is_away = True
    with pytest.raises(ChainAway, match="no connection"):
        read(provider, 0, 100)


def test_nothing_is_asked_beyond_the_newest_block_or_of_an_empty_range() -> None:
    provider = ScriptedNode([5], head=100)
    assert read(provider, 0, 10**6) == [[5]]
    assert provider.asked == [(0, 100)]
    assert read(provider, 101, 200) == []
    assert read(provider, 7, 6) == []


def test_an_event_is_plain_and_carries_its_blocks_time() -> None:
    provider = ScriptedNode([12], head=20)
    reader = EventReader(Node(provider, "scripted"), CONTRACT)
    (event,) = next(iter(reader.pages(0, 20)))
    assert (event.name, event.block, event.log_index, event.timestamp) == ("Withdrawn", 12, 0, 1_012)
    assert (event.transaction, event.model_id) == (f"0x{19:064x}", None)
    assert event.arguments == {"account": ELSEWHERE, "currency": "0x" + "0" * 40, "amount": 12}


def test_the_time_of_a_block_is_asked_for_once() -> None:
    provider = ScriptedNode([12, 12, 13], head=20)
    reader = EventReader(Node(provider, "scripted"), CONTRACT)
    for _ in range(2):
        assert len(list(chain.from_iterable(reader.pages(0, 20)))) == 3
    assert provider.n_times == 2


def test_logs_of_other_contracts_and_of_unknown_events_are_left_out() -> None:
    provider = ScriptedNode([], head=20)
    unknown = {**provider.log(3), "topics": ["0x" + "5" * 64]}
    provider.logs = [provider.log(1, ELSEWHERE), {**provider.log(2), "topics": []}, unknown, provider.log(4)]
    assert read(provider, 0, 20) == [[4]]
