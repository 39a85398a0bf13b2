"""The sample files are what their generator writes, and behave as their data card says."""

from __future__ import annotations

import gzip
import runpy
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import cross_val_predict

from chain_common.adapters.loan_csv import read_loans
from chain_common.adapters.presets import PackagedPresets
from chain_common.domain.column_report import describe_columns
from chain_common.domain.loan_table import labelled
from chain_common.domain.spec_fitting import fit_spec
from chain_common.domain.spec_parts import PublicKeys

DATA = Path(__file__).parents[2] / "data"
SIZES = {"sample_loans.csv.gz": 1_500_000, "sample_validation.csv": 600_000, "sample_owner.csv": 600_000}


def load(name: str, preset_name: str = "lending-club"):
    preset = PackagedPresets().get(preset_name)
    return labelled(read_loans(DATA / name, preset.columns), preset.target)


def text_of(name: str) -> str:
    raw = (DATA / name).read_bytes()
    return (gzip.decompress(raw) if name.endswith(".gz") else raw).decode()


def test_the_files_are_what_the_generator_writes():
    written = dict(runpy.run_path(str(DATA / "generate_sample.py"))["sample_files"]())

    assert set(written) == set(SIZES)
    for name, text in written.items():
        # Packed bytes depend on the zlib at hand; the text does not.
        assert text_of(name) == text, f"{name} is not what generate_sample.py writes"


@pytest.mark.parametrize("name", SIZES)
def test_a_sample_is_small_and_says_that_it_is_not_real(name):
    assert (DATA / name).stat().st_size < SIZES[name]
    assert text_of(name).startswith("Generated sample data: no loan in this file is real, see data/README.md\n")


@pytest.mark.parametrize(
    ("name", "n_finished", "dropped"),
    [
        ("sample_loans.csv.gz", 16_000, {"unfinished": 160, "excluded": 240}),
        ("sample_validation.csv", 4_000, {"unfinished": 25}),
        ("sample_owner.csv", 2_000, {"unfinished": 30, "excluded": 40}),
    ],
)
def test_a_sample_holds_the_rows_of_its_data_card(name, n_finished, dropped):
    loans = load(name)

    assert loans.table.n_rows == n_finished
    assert {group.reason: group.n_rows for group in loans.table.report.dropped} == dropped
    assert loans.n_bad / n_finished == pytest.approx(0.15, abs=0.01)
    assert [
        column for column, _ in loans.table.report.known_later(PackagedPresets().get("lending-club").known_later)
    ] == [
        "pymnt_plan",
        "recoveries",
    ]


@pytest.mark.parametrize("preset_name", PackagedPresets().names())
def test_the_best_linear_model_reaches_about_0_70(preset_name):
    preset = PackagedPresets().get(preset_name)
    loans = load("sample_loans.csv.gz", preset_name)
    spec = fit_spec(
        preset,
        loans.table.columns,
        loans.labels,
        name="sample",
        keys=PublicKeys(paillier_n=15, sealing=bytes(32)),
        tag_salt=bytes(32),
    )
    x = spec.encode(loans.table.columns)[:, :-1]

    scores = cross_val_predict(
        LogisticRegression(solver="newton-cholesky"), x, loans.labels, cv=5, method="decision_function"
    )

    assert roc_auc_score(loans.labels, scores) == pytest.approx(0.70, abs=0.008)


def test_every_cell_of_the_samples_can_be_read_and_no_column_needs_a_look():
    loans, owner = load("sample_validation.csv"), load("sample_owner.csv")
    spec = fit_spec(
        PackagedPresets().get("lending-club"),
        loans.table.columns,
        loans.labels,
        name="sample",
        keys=PublicKeys(paillier_n=15, sealing=bytes(32)),
        tag_salt=bytes(32),
    )

    for report in describe_columns(spec.features, owner.table.columns):
        assert (report.n_unreadable, report.note) == (0, ""), report.column


def test_no_row_of_one_sample_is_in_another():
    rows = [set(text_of(name).splitlines()[2:]) - {""} for name in SIZES]

    for place, some in enumerate(rows):
        for others in rows[place + 1 :]:
            assert not some & others - {"Loans that do not meet the credit policy"}


def test_the_text_forms_are_lending_clubs():
    table = load("sample_owner.csv").table

    assert {len(cell) for cell in table.columns["int_rate"]} == {7}
    assert set(table.columns["term"]) == {" 36 months", " 60 months"}
    assert {"10+ years", "< 1 year", "n/a"} <= set(table.columns["emp_length"])
    assert np.mean(table.columns["mths_since_last_delinq"] == "") == pytest.approx(0.65, abs=0.1)
