"""The same rows are recognised, other rows are not."""

import hashlib
import math
import struct

import numpy as np
import pytest

from chain_common.domain.row_tags import (
    Overlap,
    RowTags,
    estimate_overlap,
    largest_overlap,
    tag_bits,
    tag_rows,
)
from chain_common.errors import BadInput, PayloadRejected

SALT = bytes(range(32))


def some_rows(n_rows, seed):
    rng = np.random.default_rng(seed)
    x = rng.integers(-20_000, 20_000, size=(n_rows, 4)).astype(np.int16)
    return x, (rng.random(n_rows) < 0.2).astype(np.float64)


def tags_of(n_rows, seed, rows_accepted=0):
    return tag_rows(SALT, *some_rows(n_rows, seed), rows_accepted=rows_accepted)


@pytest.mark.parametrize(
    ("n_rows", "rows_accepted", "bits"),
    [(1, 0, 1), (2, 0, 2), (3, 0, 3), (1000, 0, 11), (1024, 0, 11), (1025, 0, 12), (100, 10_000, 15)],
)
def test_a_tag_has_one_bit_more_than_it_takes_to_number_the_rows(n_rows, rows_accepted, bits):
    assert tag_bits(n_rows, rows_accepted) == bits


def test_a_tag_is_the_start_of_a_keyed_hash_of_the_row_and_its_label():
    x = np.array([[1, -2, 4096], [300, 4, 4096]], dtype=np.int16)
    tags = tag_rows(SALT, x, np.array([1.0, 0.0]), rows_accepted=2**30)
    expected = []
    for row, label in (((1, -2, 4096), 4096), ((300, 4, 4096), 0)):
        message = struct.pack(">3hi", *row, label)
        digest = hashlib.blake2b(message, key=SALT, digest_size=8, person=b"chain/row-tag/1").digest()
        expected.append(int.from_bytes(digest, "big") >> 33)
    assert tags.bits == 31
    assert tags.values.tolist() == sorted(expected)


def test_tags_are_written_bit_by_bit():
    tags = RowTags(3, np.array([1, 5, 7], dtype=np.uint64))
    # 001 101 111 and seven zero bits.
    assert tags.to_bytes() == bytes.fromhex("03 00000003 37 80")
    assert tags.root() == hashlib.sha256(b"chain/tag-root/1" + bytes.fromhex("03 00000003 37 80")).digest()


@pytest.mark.parametrize(("n_rows", "rows_accepted"), [(1, 0), (7, 0), (500, 0), (500, 40_000)])
def test_tags_are_read_back(n_rows, rows_accepted):
    tags = tags_of(n_rows, 1, rows_accepted)
    again = RowTags.from_bytes(tags.to_bytes(), n_rows=n_rows, rows_accepted=rows_accepted)
    assert again.bits == tags.bits
    assert (again.values == tags.values).all()
    assert again.root() == tags.root()


def test_tags_from_the_own_vault_are_read_with_any_length_and_shortened_to_the_rule():
    long = tags_of(300, 1, rows_accepted=2**40)
    kept = RowTags.read(long.to_bytes())
    assert (kept.bits, kept.n_rows) == (41, 300)
    assert kept.shortened(10).root() == tags_of(300, 1, rows_accepted=0).root()
    for damaged in (b"", long.to_bytes()[:-1], b"\x00" + long.to_bytes()[1:], b"\x41" + long.to_bytes()[1:]):
        with pytest.raises(PayloadRejected):
            RowTags.read(damaged)


def test_malformed_tags_are_refused():
    tags = tags_of(501, 1)
    blob = tags.to_bytes()
    unsorted = RowTags(tags.bits, tags.values[::-1].copy()).to_bytes()
    for damaged in (
        b"",
        blob[:4],
        blob[:-1],
        blob + b"\0",
        blob[:-1] + bytes([blob[-1] | 1]),
        unsorted,
        b"\x0b" + blob[1:],
    ):
        with pytest.raises(PayloadRejected):
            RowTags.from_bytes(damaged, n_rows=501, rows_accepted=0)


def test_tags_too_short_to_show_an_overlap_or_for_other_rows_are_refused():
    short = RowTags(1, np.array([0, 1], dtype=np.uint64)).to_bytes()
    with pytest.raises(PayloadRejected):
        RowTags.from_bytes(short, n_rows=2, rows_accepted=0)
    with pytest.raises(PayloadRejected):
        RowTags.from_bytes(tags_of(500, 1).to_bytes(), n_rows=500, rows_accepted=5000)
    with pytest.raises(PayloadRejected):
        RowTags.from_bytes(tags_of(500, 1).to_bytes(), n_rows=499, rows_accepted=0)


def test_tags_differ_by_model_row_and_label_and_not_by_order():
    x, y = some_rows(50, 1)
    tags = tag_rows(SALT, x, y, rows_accepted=2**30)
    assert tag_rows(SALT, x[::-1], y[::-1], rows_accepted=2**30).root() == tags.root()
    other_salt = tag_rows(bytes(32), x, y, rows_accepted=2**30)
    other_labels = tag_rows(SALT, x, 1 - y, rows_accepted=2**30)
    assert not set(other_salt.values.tolist()) & set(tags.values.tolist())
    assert not set(other_labels.values.tolist()) & set(tags.values.tolist())


def test_unrelated_rows_show_no_overlap_on_average_and_scatter_as_said():
    accepted = [tags_of(2000, 1), tags_of(1000, 2, 2000), tags_of(300, 3, 3000)]
    scores = []
    for seed in range(60):
        found = estimate_overlap(tags_of(800, 1000 + seed, 3300), accepted)
        assert not found.is_too_much()
        scores.append(found.estimate / found.deviation)
    assert abs(np.mean(scores)) < 4 / math.sqrt(60)
    assert 0.7 < np.std(scores) < 1.2


@pytest.mark.parametrize("repeated", [0.0, 0.2, 0.5, 1.0])
def test_the_repeated_part_is_estimated(repeated):
    x, y = some_rows(2000, 1)
    fresh_x, fresh_y = some_rows(2000, 2)
    n_old = int(2000 * repeated)
    mixed = tag_rows(
        SALT,
        np.concatenate([x[:n_old], fresh_x[n_old:]]),
        np.concatenate([y[:n_old], fresh_y[n_old:]]),
        rows_accepted=2000,
    )
    found = estimate_overlap(mixed, [tag_rows(SALT, x, y, rows_accepted=0)])
    assert found.estimate == pytest.approx(repeated, abs=0.06)
    assert found.is_too_much() == (repeated > 0.1)


def test_the_same_rows_are_found_among_many_contributions_with_tags_of_other_lengths():
    accepted = [tags_of(60, 1), tags_of(500, 2, 60), tags_of(4000, 3, 560), tags_of(900, 4, 4560)]
    again = tags_of(60, 1, 5460)
    found = largest_overlap(again, accepted)
    assert found.is_too_much()
    assert found.estimate == pytest.approx(1.0, abs=1e-12)


def test_rows_gathered_from_several_contributions_are_found():
    accepted = [tags_of(1000, seed, 1000 * seed) for seed in range(4)]
    parts = [some_rows(1000, seed) for seed in range(4)]
    x, y = (np.concatenate([part[column][:250] for part in parts]) for column in (0, 1))
    found = largest_overlap(tag_rows(SALT, x, y, rows_accepted=4000), accepted)
    assert found.is_too_much()
    assert found.estimate == pytest.approx(1.0, abs=1e-12)


def test_honest_rows_are_not_rejected_beside_many_contributions():
    accepted = [tags_of(300, seed, 300 * seed) for seed in range(16)]
    assert not any(largest_overlap(tags_of(200, 500 + seed, 4800), accepted).is_too_much() for seed in range(60))


def test_the_same_rows_are_found_within_one_round_too():
    x, y = some_rows(700, 5)
    first = tag_rows(SALT, x, y, rows_accepted=0)
    part = tag_rows(SALT, x[:300], y[:300], rows_accepted=0)
    assert part.bits < first.bits
    assert estimate_overlap(first, [part]).estimate == pytest.approx(300 / 700, abs=0.12)


def test_a_row_repeated_within_the_contribution_widens_the_deviation():
    x, y = some_rows(400, 6)
    accepted = [tags_of(400, 7)]
    once = estimate_overlap(tag_rows(SALT, x, y, rows_accepted=400), accepted)
    repeated = estimate_overlap(
        tag_rows(SALT, np.tile(x[:40], (10, 1)), np.tile(y[:40], 10), rows_accepted=400), accepted
    )
    assert repeated.deviation > 2 * once.deviation


def test_the_first_contribution_overlaps_with_nothing():
    assert estimate_overlap(tags_of(50, 1), []) == Overlap(estimate=0.0, deviation=0.0)
    assert not largest_overlap(tags_of(50, 1), []).is_too_much()


def test_tags_that_can_tell_nothing_reject_nobody():
    every = RowTags(2, np.array([0, 1, 2, 3], dtype=np.uint64))
    found = estimate_overlap(RowTags(2, np.array([0, 3], dtype=np.uint64)), [every])
    assert found.deviation == math.inf
    assert not found.is_too_much()


@pytest.mark.parametrize(
    ("estimate", "deviation", "too_much"),
    [(0.10, 0.01, False), (0.101, 0.01, True), (0.15, 0.04, False), (0.17, 0.04, True), (-0.5, 0.01, False)],
)
def test_a_contribution_is_rejected_above_the_limit_and_four_deviations(estimate, deviation, too_much):
    assert Overlap(estimate, deviation).is_too_much() is too_much


def test_the_limit_is_the_specs():
    assert Overlap(0.3, 0.01).is_too_much(0.25)
    assert not Overlap(0.3, 0.01).is_too_much(0.35)


@pytest.mark.parametrize(
    ("salt", "x", "y"),
    [
        (SALT[:31], np.zeros((2, 2), dtype=np.int16), np.zeros(2)),
        (SALT, np.zeros((2, 2)), np.zeros(2)),
        (SALT, np.zeros((2, 2), dtype=np.int16), np.zeros(3)),
        (SALT, np.zeros((0, 2), dtype=np.int16), np.zeros(0)),
    ],
)
def test_rows_that_cannot_be_tagged_are_refused(salt, x, y):
    with pytest.raises(BadInput):
        tag_rows(salt, x, y, rows_accepted=0)


def test_printing_shows_no_tags():
    assert repr(tags_of(5, 1)) == "RowTags(n_rows=5, bits=4, <secret>)"
