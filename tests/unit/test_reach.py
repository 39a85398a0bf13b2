"""What the lender's own rows reach, against scikit-learn's ridge regression."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from chain_common.domain.reach import fitted_weights
from chain_common.domain.repository import Metric
from chain_common.domain.scoring import scoring_matrix

N_ROWS, N_INPUTS = 800, 4


def rows():
    rng = np.random.default_rng(7)
    inputs = np.rint(rng.normal(size=(N_ROWS, N_INPUTS)) * 1024) / 1024
    bad = (inputs @ [0.8, -0.5, 0.2, 0.0] + rng.normal(size=N_ROWS) > 1).astype(np.float64)
    return inputs, bad


def as_scored(inputs):
    with_intercept = np.column_stack([inputs, np.ones(N_ROWS)])
    return np.rint(with_intercept * 4096).astype(np.int16)


@pytest.mark.parametrize("metric", [Metric.BRIER, Metric.SQUARED_ERROR])
def test_fitted_weights_are_those_of_ridge_regression(metric):
    inputs, bad = rows()
    # The Brier loss (1/2 + z/4 - y)^2 is a sixteenth of the squared distance of z to 4y - 2.
    goal = 4 * bad - 2 if metric is Metric.BRIER else bad
    curvature = 4 if metric is Metric.BRIER else 1
    damping = max(0.001, 0.1 * (N_INPUTS + 1) / N_ROWS)
    reference = Ridge(alpha=curvature * N_ROWS * damping).fit(inputs, goal)
    found = fitted_weights(scoring_matrix(metric, as_scored(inputs), bad))
    assert found == pytest.approx([*reference.coef_, reference.intercept_], abs=1e-9)
