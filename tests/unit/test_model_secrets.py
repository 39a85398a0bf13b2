"""A lender's secrets: whole after the vault, silent in print, seeds bound to their weights."""

import numpy as np
import pytest

from chain_common.domain.model_secrets import (
    ModelSecrets,
    ValidationRows,
    rows_from_bytes,
    rows_to_bytes,
)
from chain_common.errors import BadInput
from tests.keys import model_key


def made():
    return ModelSecrets(private_key=model_key(), sealing_key=bytes(range(32)), master_salt=bytes(range(32, 64)))


def test_secrets_survive_the_vault():
    kept = ModelSecrets.from_bytes(made().to_bytes())
    assert (kept.private_key, kept.sealing_key, kept.master_salt) == (
        made().private_key,
        made().sealing_key,
        made().master_salt,
    )


@pytest.mark.parametrize("blob", [b"", b"\x02" + bytes(200), made().to_bytes()[:60]])
def test_bytes_of_another_kind_are_refused(blob):
    with pytest.raises(BadInput):
        ModelSecrets.from_bytes(blob)


def test_a_seed_is_never_used_for_other_weights():
    first, second = np.array([1, 2], dtype=np.int32), np.array([1, 3], dtype=np.int32)
    assert made().weights_seed(first) == made().weights_seed(first.copy())
    assert made().weights_seed(first) != made().weights_seed(second)


def test_salts_of_one_model_are_all_different():
    salts = {made().set_salt("scoring"), made().set_salt("closing"), made().tag_salt(), made().master_salt}
    assert len(salts) == 4
    with pytest.raises(ValueError, match="scoring or closing"):
        made().set_salt("training")


def test_print_shows_no_secret():
    shown = repr(made())
    assert shown == "ModelSecrets(<secret>)"
    rows = ValidationRows(np.ones((3, 2), dtype=np.int16), np.array([0.0, 1.0, 1.0]))
    assert repr(rows) == "ValidationRows(n_rows=3, <secret>)"


def test_rows_survive_the_vault():
    rows = ValidationRows(np.arange(6, dtype=np.int16).reshape(3, 2), np.array([0.0, 1.0, 0.5]))
    kept = rows_from_bytes(rows_to_bytes(rows))
    assert kept.inputs.dtype == np.int16
    assert kept.inputs.tolist() == [[0, 1], [2, 3], [4, 5]]
    assert kept.labels.tolist() == [0.0, 1.0, 0.5]
