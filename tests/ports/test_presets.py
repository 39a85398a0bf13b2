"""The presets reach, on real loans, what linear models are known to reach there."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score, roc_curve
from sklearn.model_selection import StratifiedKFold

from chain_common.adapters.loan_csv import read_loans
from chain_common.adapters.presets import PackagedPresets, columns_known_later
from chain_common.domain.column_report import describe_columns
from chain_common.domain.loan_table import labelled
from chain_common.domain.spec_fitting import fit_spec
from chain_common.domain.spec_parts import PublicKeys

REAL = Path(os.environ.get("CHAIN_LENDING_CLUB_DIR", Path(__file__).parents[3] / "shared" / "data" / "lending_club"))
needs_real_rows = pytest.mark.skipif(
    not REAL.is_dir(), reason=f"the real Lending Club rows are not at {REAL} (set CHAIN_LENDING_CLUB_DIR)"
)
KEYS = PublicKeys(paillier_n=15, sealing=bytes(32))


def damped_weights(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The damped step from zero weights, written out in float64: ``(A + μI)⁻¹ b``, intercept not
    penalised."""
    n_rows, n_weights = x.shape
    penalty = np.diag([max(0.001, 0.1 * n_weights / n_rows)] * (n_weights - 1) + [0.0])
    return np.linalg.solve(x.T @ x / (4 * n_rows) + penalty, x.T @ (y - 0.5) / n_rows)


@needs_real_rows
@pytest.mark.parametrize(
    ("name", "n_inputs", "auc", "ks"),
    [("lending-club-compact", 9, 0.6835, 0.271), ("lending-club", 44, 0.693, 0.293)],
)
def test_five_folds_of_real_loans_reach_the_reference_figures(name, n_inputs, auc, ks):
    preset = PackagedPresets().get(name)
    loans = labelled(read_loans(REAL / "LoanStats3a_sample17000.csv.gz", preset.columns), preset.target)
    figures = []
    for train, test in StratifiedKFold(5, shuffle=True, random_state=0).split(loans.labels, loans.labels):
        rows = loans.table.take(train)
        spec = fit_spec(preset, rows.columns, loans.labels[train], name="folds", keys=KEYS, tag_salt=bytes(32))
        assert spec.n_inputs == n_inputs
        weights = damped_weights(spec.encode(rows.columns), loans.labels[train])
        scores = spec.encode(loans.table.take(test).columns) @ weights
        false_positives, true_positives, _ = roc_curve(loans.labels[test], scores)
        figures.append((roc_auc_score(loans.labels[test], scores), (true_positives - false_positives).max()))

    assert np.mean(figures, axis=0) == pytest.approx([auc, ks], abs=0.006)


@needs_real_rows
@pytest.mark.parametrize("file", ["LoanStats_2015_H.csv", "accepted_sample2000.csv.gz"])
@pytest.mark.parametrize("name", PackagedPresets().names())
def test_no_cell_of_the_other_real_layouts_is_unreadable(name, file):
    preset = PackagedPresets().get(name)
    loans = labelled(read_loans(REAL / file, preset.columns), preset.target)

    spec = fit_spec(preset, loans.table.columns, loans.labels, name="other", keys=KEYS, tag_salt=bytes(32))

    assert sum(column.n_unreadable for column in describe_columns(spec.features, loans.table.columns)) == 0


@pytest.mark.parametrize("name", PackagedPresets().names())
def test_no_preset_asks_for_a_column_known_only_later(name):
    assert not set(PackagedPresets().get(name).columns) & set(columns_known_later())
