"""Rows without a usable outcome are dropped and counted, and each column says how it was read."""

from __future__ import annotations

import numpy as np
import pytest

from chain_common.domain.column_report import describe_columns
from chain_common.domain.feature_parsing import Source
from chain_common.domain.features import BinsFeature, CategoryFeature, NumberFeature
from chain_common.domain.loan_table import (
    DroppedRows,
    LoanTable,
    NoRowsLeft,
    OneClassOnly,
    ReadReport,
    labelled,
)
from chain_common.domain.targets import ClassTarget, ScaleTarget

TARGET = ClassTarget(
    "loan_status",
    good=("Fully Paid",),
    bad=("Charged Off",),
    unfinished=("Current",),
    excluded=("Does not meet the credit policy. Status:Fully Paid",),
)


def table(**columns: list[str]) -> LoanTable:
    n_rows = len(next(iter(columns.values())))
    report = ReadReport(
        filename="f.csv",
        n_bytes=1,
        encoding="utf-8",
        delimiter=",",
        decimal_comma=False,
        compressed=False,
        header_line=1,
        note_lines=(),
        n_note_lines=0,
        columns=(*columns, "recoveries", "url"),
        used=tuple(columns),
        n_read=n_rows,
        n_kept=n_rows,
        dropped=(),
    )
    cells = {name: np.array(values, dtype=object) for name, values in columns.items()}
    return LoanTable(cells, np.arange(2, n_rows + 2), report)


def test_only_finished_loans_are_kept_and_the_others_are_counted_by_reason():
    loans = labelled(
        table(
            loan_status=[
                "Fully Paid",
                "Current",
                " charged  off ",
                "Does not meet the credit policy.  Status:Fully Paid",
                "Charged-Off?",
                "",
                "Current",
                "Fully Paid",
            ]
        ),
        TARGET,
    )

    assert loans.labels.tolist() == [0, 1, 0]
    assert loans.table.lines.tolist() == [2, 4, 9]
    assert loans.n_bad == 1
    report = loans.table.report
    assert report.dropped == (
        DroppedRows("unfinished", 2, (3, 8), (("Current", 2),)),
        DroppedRows("excluded", 1, (5,), (("Does not meet the credit policy. Status:Fully Paid", 1),)),
        DroppedRows("unknown-outcome", 1, (6,), (("Charged-Off?", 1),)),
        DroppedRows("no-outcome", 1, (7,), ()),
    )
    assert (report.n_read, report.n_kept, report.n_dropped) == (8, 3, 5)
    assert all(group.title and group.advice for group in report.dropped)


def test_labelling_what_is_labelled_changes_nothing():
    once = labelled(table(loan_status=["Fully Paid", "Current", "Charged Off"]), TARGET)

    twice = labelled(once.table, TARGET)

    assert twice.labels.tolist() == once.labels.tolist()
    assert twice.table.report == once.table.report


def test_outcomes_written_as_numbers_match_however_they_are_written():
    target = ClassTarget("bad", good=("0",), bad=("1",))

    assert labelled(table(bad=["0", "1.0", "0.00", " 1"]), target).labels.tolist() == [0, 1, 0, 1]


def test_a_regression_scales_its_outcome_and_drops_what_leaves_the_scale():
    loans = labelled(table(cost=["100", "300", "9000", "much", ""]), ScaleTarget("cost", offset=100.0, scale=200.0))

    assert loans.labels.tolist() == [0.0, 1.0]
    assert [(group.reason, group.n_rows) for group in loans.table.report.dropped] == [
        ("out-of-scale", 1),
        ("unknown-outcome", 1),
        ("no-outcome", 1),
    ]


def test_no_rows_left_says_what_became_of_them():
    with pytest.raises(NoRowsLeft, match="None of the 2 rows can be used") as refused:
        labelled(table(loan_status=["Current", "Current"]), TARGET)

    assert refused.value.report.dropped[0].n_rows == 2


def test_one_class_only_says_which_and_what_the_other_is_called():
    with pytest.raises(OneClassOnly) as refused:
        labelled(table(loan_status=["Charged Off", "Charged Off"]), TARGET)

    assert (refused.value.present, refused.value.expected_values) == ("bad", ("Fully Paid",))
    assert "All 2 usable rows are bad" in str(refused.value)
    single = labelled(table(loan_status=["Charged Off"]), TARGET, one_class_is_enough=True)
    assert single.labels.tolist() == [1]


def test_unused_columns_known_only_later_are_named_with_the_reason():
    report = table(loan_status=["Fully Paid"]).report

    assert report.unused == ("recoveries", "url")
    assert report.known_later({"recoveries": "after the fact"}) == (("recoveries", "after the fact"),)


def test_rows_stay_out_of_what_is_printed():
    assert "Fully Paid" not in repr(table(loan_status=["Fully Paid"]))


DTI = NumberFeature(Source("dti"), log1p=True, flag=True, median=12.0, low=1.0, high=30.0, mean=2.5, std=0.5)


def test_a_column_says_how_it_was_read_and_what_is_missing():
    (report,) = describe_columns([DTI], {"dti": ["10", "20", "", "12"]})

    assert report.read_as == "number, log1p, missing flagged, clipped"
    assert (report.n_inputs, report.n_missing, report.n_unreadable, report.n_outside) == (2, 1, 0, 0)
    assert (report.median, report.expected_median, report.expected) == (12, 12, "1 to 30")
    assert not report.needs_a_look


def test_a_column_in_another_unit_asks_for_a_look_and_comes_first():
    home = CategoryFeature("home", ("RENT",))

    reports = describe_columns([home, DTI], {"home": ["RENT"] * 4, "dti": ["0.10", "0.2", "0.3", "0.15"]})

    assert [report.column for report in reports] == ["dti", "home"]
    assert "another unit" in reports[0].note
    assert reports[0].n_outside == 4


def test_cells_that_cannot_be_read_are_shown_by_example():
    (report,) = describe_columns([DTI], {"dti": ["ten", "20", "11", "12"]})

    assert (report.n_missing, report.n_unreadable) == (0, 1)
    assert "“ten”" in report.note


def test_a_category_without_any_listed_level_asks_for_a_look():
    (report,) = describe_columns([CategoryFeature("home", ("RENT",))], {"home": ["HUT", "", "TENT"]})

    assert (report.n_outside, report.n_missing) == (2, 1)
    assert report.needs_a_look


def test_bins_are_described_by_their_edges():
    (report,) = describe_columns([BinsFeature(Source("dti"), (10.0, 20.0))], {"dti": ["1", "30", ""]})

    assert (report.read_as, report.expected, report.n_missing) == ("number, in 3 bins", "edges 10, 20", 1)
