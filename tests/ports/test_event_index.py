"""What every index of events promises."""

from typing import Any

import pytest

from chain_common.adapters.event_index import IndexNotReset
from chain_common.domain.repository import Address, ChainEvent, ChainIdentity

HERE = ChainIdentity(
    chain_id=2**53 + 1,
    contract=Address("0x5FbDB2315678afecb367f032d93F642f64180aa3"),
    deployment_transaction="0x" + "1" * 64,
    deployment_block_hash="0x" + "2" * 64,
)
ELSEWHERE = ChainIdentity(31337, HERE.contract, HERE.deployment_transaction, "0x" + "3" * 64)


def event(block: int, log_index: int = 0, *, name: str = "RoundSettled", model_id: int | None = 1) -> ChainEvent:
    return ChainEvent(
        name=name,
        block=block,
        log_index=log_index,
        transaction=f"0x{block:064x}",
        timestamp=1_700_000_000 + block,
        model_id=model_id,
        arguments={"reward": 2**200, "digest": "0xab", "shares": [1, 63], "nested": {"flag": True}},
    )


def test_a_new_index_knows_nothing(event_index: Any) -> None:
    assert event_index.identity() is None
    assert event_index.checkpoint() == -1
    assert event_index.events() == []


def test_events_cannot_be_added_before_it_is_known_where_they_come_from(event_index: Any) -> None:
    with pytest.raises(IndexNotReset):
        event_index.add([event(1)], 1)
    assert event_index.events() == []


def test_an_event_comes_back_as_it_was(event_index: Any) -> None:
    event_index.reset(HERE)
    event_index.add([event(1), event(2, model_id=None)], 2)
    assert event_index.events() == [event(1), event(2, model_id=None)]
    assert event_index.identity() == HERE
    assert event_index.checkpoint() == 2


def test_events_are_in_chain_order_whatever_order_they_came_in(event_index: Any) -> None:
    event_index.reset(HERE)
    event_index.add([event(10, 2), event(9, 7), event(10, 1)], 10)
    places = [(9, 7), (10, 1), (10, 2)]
    assert [(found.block, found.log_index) for found in event_index.events()] == places
    newest = event_index.events(newest_first=True, limit=2)
    assert [(found.block, found.log_index) for found in newest] == places[:0:-1]


def test_events_are_filtered_by_model_and_name(event_index: Any) -> None:
    event_index.reset(HERE)
    event_index.add([event(1, model_id=1, name="A"), event(2, model_id=2, name="A"), event(3, model_id=2)], 3)
    assert [found.block for found in event_index.events(model_id=2)] == [2, 3]
    assert [found.block for found in event_index.events(name="A")] == [1, 2]
    assert [found.block for found in event_index.events(name="A", model_id=2)] == [2]
    assert event_index.events(name="A", model_id=3) == []


def test_a_page_copied_twice_is_there_once(event_index: Any) -> None:
    event_index.reset(HERE)
    event_index.add([event(1), event(2)], 2)
    event_index.add([event(2, name="Another"), event(3)], 3)
    assert [(found.block, found.name) for found in event_index.events()] == [
        (1, "RoundSettled"),
        (2, "RoundSettled"),
        (3, "RoundSettled"),
    ]


def test_the_checkpoint_moves_without_events_and_never_back(event_index: Any) -> None:
    event_index.reset(HERE)
    event_index.add([], 500)
    assert event_index.checkpoint() == 500
    event_index.add([event(3)], 400)
    assert event_index.checkpoint() == 500
    assert len(event_index.events()) == 1


def test_another_deployment_starts_anew(event_index: Any) -> None:
    event_index.reset(HERE)
    event_index.add([event(1)], 9)
    event_index.reset(ELSEWHERE)
    assert event_index.identity() == ELSEWHERE
    assert event_index.checkpoint() == -1
    assert event_index.events() == []
