import hashlib
from functools import cache

import numpy as np
import phe
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chain_common.domain.fixed_point import (
    DEFAULT_FORMAT,
    OverflowRefused,
    products_to_float,
    weights_to_int32,
)
from chain_common.domain.opening import open_update
from chain_common.domain.paillier.cipher import encrypt
from chain_common.domain.paillier.packing import PackedUpdate, pack
from chain_common.domain.paillier.private_key import encrypt_weights
from chain_common.domain.privacy import NoisedStatistics, release_without_noise
from chain_common.domain.statistics import Statistics
from chain_common.domain.update import (
    AffineUpdate,
    NoSingleStep,
    affine_digest,
    apply_plain,
    check_bound,
    damped_step,
    encrypted_update,
    gradient_step,
)
from chain_common.errors import BadInput, PayloadRejected
from tests.keys import UntouchedRng, model_key, seeded

KEY = model_key(512)  # five slots a ciphertext


def released(gram, moment, n_rows) -> NoisedStatistics:
    return release_without_noise(Statistics(np.array(gram), np.array(moment), n_rows), acknowledged=True)


@cache
def loans(n_rows: int = 2000, n_weights: int = 12) -> NoisedStatistics:
    """Correlated columns, three levels of a category that add up to the intercept, one rare flag."""
    rng = np.random.default_rng(20)
    rows = rng.normal(size=(n_rows, n_weights)) @ (np.eye(n_weights) + 0.3 * rng.normal(size=(n_weights, n_weights)))
    rows = np.clip(rows, -5, 5)
    level = rng.integers(0, 3, size=n_rows)
    rows[:, :3] = level[:, None] == np.arange(3)
    rows[:, 3] = rng.random(n_rows) < 0.005
    rows[:, -1] = 1.0
    labels = (rng.random(n_rows) < 0.15 + 0.05 * (level == 2)).astype(float)
    return released(rows.T @ rows / (4 * n_rows), rows.T @ (labels - 0.5) / n_rows, n_rows)


def exact_step(statistics: NoisedStatistics, weights: np.ndarray) -> np.ndarray:
    """The damped step in floats; the residual, where digits cancel near the optimum, in long doubles."""
    n_weights = len(weights)
    damping = np.diag([max(0.001, 0.1 * n_weights / statistics.n_rows)] * (n_weights - 1) + [0.0])
    real = weights.astype(np.longdouble) / 2**26
    residual = statistics.moment.astype(np.longdouble) - statistics.gram.astype(np.longdouble) @ real
    return np.linalg.solve(statistics.gram + damping, residual.astype(np.float64))


def relative_error(got: np.ndarray, expected: np.ndarray) -> float:
    return float(np.linalg.norm(got - expected) / np.linalg.norm(expected))


def optimum(statistics: NoisedStatistics) -> np.ndarray:
    return np.linalg.pinv(statistics.gram, rcond=1e-10) @ statistics.moment


def test_the_damped_step_by_hand():
    # mu = max(0.001, 0.1 * 2 / 100) = 0.002; A + mu J = diag(0.252, 0.25).
    affine = damped_step(released([[0.25, 0.0], [0.0, 0.25]], [0.5, -0.25], 100))
    expected = [[-0.25 / 0.252, 0.0], [0.0, -1.0]]
    assert np.max(np.abs(affine.matrix / 2**24 - expected)) <= 2.0**-25
    update = products_to_float(apply_plain(affine, np.array([0, 0], dtype=np.int32)))
    assert update == pytest.approx([0.5 / 0.252, -1.0], rel=1e-7)


def test_few_rows_and_noise_raise_the_damping():
    gram, moment = np.eye(2) / 4, np.array([0.5, -0.25])
    few = damped_step(released(gram, moment, 4))
    assert few.matrix[0, 0] / 2**24 == pytest.approx(-0.25 / (0.25 + 0.05), abs=1e-7)
    many = damped_step(released(gram, moment, 10**9))
    assert many.matrix[0, 0] / 2**24 == pytest.approx(-0.25 / (0.25 + 0.001), abs=1e-7)
    noised = released(gram, moment, 10**9)
    object.__setattr__(noised, "noise_scale", 0.01)
    assert damped_step(noised).matrix[0, 0] / 2**24 == pytest.approx(-0.25 / (0.25 + 0.02 * 2**0.5), abs=1e-7)


def test_the_gradient_step_by_hand():
    affine = gradient_step(released([[0.5, 0.25], [0.25, 1.0]], [1.0, -1.0], 10), step=2.0)
    assert (affine.matrix / 2**24).tolist() == [[-1.0, -0.5], [-0.5, -2.0]]
    # w = (1, 2): b - A w = (1 - 1, -1 - 2.25).
    update = products_to_float(apply_plain(affine, np.array([1 << 26, 2 << 26], dtype=np.int32)))
    assert update.tolist() == [0.0, -6.5]


@pytest.mark.parametrize("step", [0.0, -1.0, np.nan, np.inf])
def test_a_gradient_step_is_a_positive_number(step):
    with pytest.raises(BadInput):
        gradient_step(loans(), step)


@pytest.mark.parametrize("distance", [3.0, 0.1, 1e-2, 1e-3, 1e-4, 1e-5])
def test_the_update_is_exact_to_a_millionth_also_near_the_optimum(distance):
    statistics = loans()
    direction = np.random.default_rng(3).normal(size=12)
    weights = weights_to_int32(optimum(statistics) + distance * direction / np.linalg.norm(direction))
    update = products_to_float(apply_plain(damped_step(statistics), weights))
    assert relative_error(update, exact_step(statistics, weights)) < 1e-6


def test_the_update_is_exact_to_a_millionth_from_the_public_start():
    statistics = loans()
    start = np.zeros(12)
    start[-1] = -1.4  # a base rate of 15 % in the intercept
    weights = weights_to_int32(start)
    update = products_to_float(apply_plain(damped_step(statistics), weights))
    assert relative_error(update, exact_step(statistics, weights)) < 1e-6


def test_without_centring_the_error_near_the_optimum_is_a_thousand_times_larger():
    statistics = loans()
    weights = weights_to_int32(optimum(statistics) + 1e-4)
    exact = exact_step(statistics, weights)
    affine = damped_step(statistics)
    damped = statistics.gram + np.diag([0.001] * 11 + [0.0])
    uncentred = affine.matrix / 2**24 @ (weights / 2**26) + np.linalg.solve(damped, statistics.moment)
    centred = products_to_float(apply_plain(affine, weights))
    assert relative_error(uncentred, exact) > 300 * relative_error(centred, exact)


def test_the_update_is_exact_where_the_optimum_is_out_of_the_weights_reach():
    # Noise left an eigenvalue of 1e-7 with a moment of 2e-5: the optimum's weight is 200, the step goes to 0.02.
    statistics = released(np.diag([0.25, 1e-7, 0.25]), [0.1, 2e-5, -0.3], 10**6)
    weights = weights_to_int32(np.array([0.4, 0.0, -1.2]))
    update = products_to_float(apply_plain(damped_step(statistics), weights))
    assert relative_error(update, exact_step(statistics, weights)) < 1e-6


def test_one_step_towards_the_optimum_contracts():
    statistics = loans()
    weights = np.zeros(12, dtype=np.int32)
    before = np.linalg.norm(exact_step(statistics, weights))
    moved = weights_to_int32(products_to_float(apply_plain(damped_step(statistics), weights)))
    assert np.linalg.norm(exact_step(statistics, moved)) < before / 2


def test_an_update_that_outgrows_the_matrix_is_refused():
    with pytest.raises(OverflowRefused, match="matrix entry"):
        gradient_step(released([[5.0, 0.0], [0.0, 0.25]], [0.1, 0.1], 100), step=2.0)


def test_an_update_that_outgrows_a_slot_is_refused():
    with pytest.raises(OverflowRefused, match="offset"):
        gradient_step(released([[0.25, 0.0], [0.0, 0.25]], [2.0**34, 0.1], 100), step=1.0)


def test_an_intercept_that_weighs_nothing_has_no_damped_step():
    with pytest.raises(NoSingleStep):
        damped_step(released([[0.25, 0.0], [0.0, 0.0]], [0.1, 0.0], 100))


def test_the_integer_bound_is_exact():
    matrix = np.array([[2**27 - 1, 5], [0, 0]], dtype=np.int64)
    room = 2**84 - (2**27 + 4) * 2**30
    check_bound(AffineUpdate(matrix, (room - 1, 0)))
    check_bound(AffineUpdate(matrix, (1 - room, 0)))
    for offset in (room, -room):
        with pytest.raises(OverflowRefused):
            check_bound(AffineUpdate(matrix, (offset, 0)))
    with pytest.raises(OverflowRefused):
        check_bound(AffineUpdate(np.array([[-(2**27)]]), (0,)))


def test_what_could_overflow_is_refused_before_anything_is_encrypted():
    weights = encrypt_weights(KEY, np.array([1], dtype=np.int32), bytes(32))
    for affine in (AffineUpdate(np.array([[2**27]]), (0,)), AffineUpdate(np.array([[1]]), (2**84,))):
        with pytest.raises(OverflowRefused):
            encrypted_update(affine, weights, UntouchedRng())


def test_an_update_at_the_very_bound_survives_encryption():
    matrix = np.array([[2**27 - 1] * 3, [1 - 2**27] * 3, [0, 0, 0]], dtype=np.int64)
    room = 2**84 - 1 - 3 * (2**27 - 1) * 2**30
    affine = AffineUpdate(matrix, (room, -room, 0))
    weights = np.array([2**30] * 3, dtype=np.int32)
    packed = encrypted_update(affine, encrypt_weights(KEY, weights, bytes(32)), seeded())
    assert open_update(KEY, packed, 3) == [2**84 - 1, 1 - 2**84, 0]


@st.composite
def updates(draw):
    n_weights = draw(st.integers(1, 7))
    entry = st.sampled_from([0, 1, -1, 2**27 - 1, 1 - 2**27]) | st.integers(1 - 2**27, 2**27 - 1)
    offset = st.sampled_from([0, 1, -1, 2**83, -(2**83)]) | st.integers(-(2**83), 2**83)
    weight = st.sampled_from([0, 2**30, -(2**30)]) | st.integers(-(2**30), 2**30)
    rows = draw(
        st.lists(st.lists(entry, min_size=n_weights, max_size=n_weights), min_size=n_weights, max_size=n_weights)
    )
    offsets = draw(st.lists(offset, min_size=n_weights, max_size=n_weights))
    return rows, offsets, draw(st.lists(weight, min_size=n_weights, max_size=n_weights))


@settings(max_examples=60, deadline=None)
@given(updates())
def test_the_lender_reads_exactly_the_plain_result(update):
    rows, offsets, plain = update
    expected = [
        sum(entry * weight for entry, weight in zip(row, plain, strict=True)) + offset
        for row, offset in zip(rows, offsets, strict=True)
    ]
    weights = np.array(plain, dtype=np.int32)
    affine = AffineUpdate(np.array(rows, dtype=np.int64), tuple(offsets))
    packed = encrypted_update(affine, encrypt_weights(KEY, weights, bytes(32)), seeded())
    assert apply_plain(affine, weights) == expected
    assert open_update(KEY, packed, len(plain)) == expected


def test_python_paillier_reads_an_update_of_a_real_key():
    private = model_key(2048)
    n = private.public_key.n
    affine = damped_step(loans(n_weights=25))  # 23 slots in the first ciphertext, two in the second
    weights = weights_to_int32(np.linspace(-2, 2, 25))
    packed = encrypted_update(affine, encrypt_weights(private, weights, bytes(32)), seeded())
    oracle = phe.PaillierPrivateKey(phe.PaillierPublicKey(n), private.p, private.q)
    first, second = (oracle.raw_decrypt(ciphertext) for ciphertext in packed.ciphertexts)
    slots = [(first >> 88 * slot) % 2**88 for slot in range(23)] + [(second >> 88 * slot) % 2**88 for slot in range(2)]
    assert first >> 88 * 23 == second >> 88 * 2 == 0
    assert [slot - 2**84 for slot in slots] == apply_plain(affine, weights)
    blob = packed.to_bytes()
    assert open_update(private, PackedUpdate.from_bytes(blob, private.public_key, 25), 25) == apply_plain(
        affine, weights
    )


def test_every_update_is_freshly_blinded():
    affine = damped_step(loans())
    weights = encrypt_weights(KEY, np.zeros(12, dtype=np.int32), bytes(32))
    rng = seeded()
    first, second = (encrypted_update(affine, weights, rng) for _ in range(2))
    assert not set(first.ciphertexts) & set(second.ciphertexts)
    assert open_update(KEY, first, 12) == open_update(KEY, second, 12)


def test_progress_is_told_to_the_end():
    seen: list[float] = []
    weights = encrypt_weights(KEY, np.zeros(12, dtype=np.int32), bytes(32))
    encrypted_update(damped_step(loans()), weights, seeded(), progress=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 1.0


def test_an_update_and_weights_of_different_size_do_not_meet():
    affine = damped_step(loans())
    with pytest.raises(BadInput):
        encrypted_update(affine, encrypt_weights(KEY, np.zeros(3, dtype=np.int32), bytes(32)), UntouchedRng())
    with pytest.raises(BadInput):
        apply_plain(affine, np.zeros(3, dtype=np.int32))


def update_of(*plaintexts: int, n_weights: int) -> PackedUpdate:
    rng = seeded()
    return PackedUpdate(
        KEY.public_key, n_weights, tuple(encrypt(KEY.public_key, plaintext, rng) for plaintext in plaintexts)
    )


@pytest.mark.parametrize(
    ("update", "cause"),
    [
        (update_of(pack([1, 2, 3]) | 1 << 86, n_weights=3), "guard bit of slot 0"),
        (update_of(pack([1, 2, 3]) | 1 << (88 + 85), n_weights=3), "guard bit of slot 1"),
        (update_of(pack([1, 2, 3]) + (1 << 264), n_weights=3), "above slot 2"),
        (update_of(KEY.public_key.n - 1, n_weights=3), "above slot 2"),
        (update_of(pack([1, 2]), n_weights=3), "Slot 2 is empty"),
        (update_of(0, n_weights=3), "Slot 0 is empty"),
        (update_of(pack([1, 2, 3]), pack([4]), n_weights=3), "2 ciphertexts"),
        (update_of(pack([1, 2, 3, 4]), n_weights=4), "4 weights"),
        (PackedUpdate(model_key(256).public_key, 3, (1,)), "another key"),
    ],
)
def test_a_tampered_update_is_rejected_with_its_exact_cause(update, cause):
    with pytest.raises(PayloadRejected, match=cause):
        open_update(KEY, update, 3)


def test_the_last_ciphertext_has_only_its_own_slots():
    honest = update_of(pack([1, 2, 3, 4, 5]), pack([6]), n_weights=6)
    assert open_update(KEY, honest, 6) == [1, 2, 3, 4, 5, 6]
    with pytest.raises(PayloadRejected, match="above slot 0"):
        open_update(KEY, update_of(pack([1, 2, 3, 4, 5]), pack([6, 7]), n_weights=6), 6)


def test_the_digest_is_that_of_the_canonical_bytes():
    affine = AffineUpdate(np.array([[1, -1], [2**24, 0]], dtype=np.int64), (-1, 2**83))
    canonical = b"chAU\1\0\2" + b"".join(
        [
            (1).to_bytes(8, "big"),
            b"\xff" * 8,
            (2**24).to_bytes(8, "big"),
            bytes(8),
            b"\xff" * 16,
            (2**83).to_bytes(16, "big"),
        ]
    )
    assert affine_digest(affine) == hashlib.sha256(canonical).digest()


def test_the_same_statistics_give_the_same_digest():
    assert affine_digest(damped_step(loans())) == affine_digest(damped_step(loans()))
    assert affine_digest(damped_step(loans())) != affine_digest(gradient_step(loans(), 1.0))


@pytest.mark.parametrize(
    ("matrix", "offset"),
    [
        (np.eye(2), (0, 0)),
        (np.eye(2, dtype=np.int64), (0,)),
        (np.ones((2, 3), dtype=np.int64), (0, 0)),
        (np.ones((0, 0), dtype=np.int64), ()),
    ],
)
def test_an_affine_update_is_a_square_of_integers(matrix, offset):
    with pytest.raises(BadInput):
        AffineUpdate(matrix, offset)


def test_nothing_printed_about_an_update_holds_its_numbers():
    affine = AffineUpdate(np.array([[123456789]]), (987654321,))
    assert "123456789" not in repr(affine)
    assert "987654321" not in repr(affine)


def test_the_default_format_is_used_throughout():
    packed = encrypted_update(
        damped_step(loans()),
        encrypt_weights(KEY, np.zeros(12, dtype=np.int32), bytes(32)),
        seeded(),
        DEFAULT_FORMAT,
    )
    assert len(packed.ciphertexts) == 3  # twelve results in slots of five
