"""The demo's split: everybody gets rows, nobody gets another's."""

import csv
import io

import pytest

from chain_common.adapters.presets import PackagedPresets
from chain_common.demo.rows import sample_file, split

PRESET = PackagedPresets().get("lending-club-compact")


def table(content):
    return [tuple(row) for row in csv.reader(io.StringIO(content.decode()))][1:]


@pytest.mark.parametrize("n_owners", [2, 8, 17])
def test_the_sample_is_dealt_out_whole_and_without_overlap(n_owners):
    files = split(sample_file(), PRESET, n_owners)
    lender, owners = table(files.lender), [table(content) for content in files.owners]
    assert len(lender) == 4000
    assert [len(rows) for rows in owners] == list(files.owner_rows)
    assert len(lender) + sum(files.owner_rows) == 16_000  # the finished loans that data/README.md counts
    # Rows are drawn with continuous amounts, so two equal ones are one row dealt twice; some repeat by chance.
    dealt = lender + [row for rows in owners for row in rows]
    assert len(set(dealt)) > 0.99 * len(dealt)


def test_the_same_file_gives_the_same_people_the_same_rows():
    assert split(sample_file(), PRESET, 3) == split(sample_file(), PRESET, 3)


def test_the_first_data_owner_has_few_rows():
    files = split(sample_file(), PRESET, 8)
    assert files.owner_rows[0] < 0.2 * files.owner_rows[1]
