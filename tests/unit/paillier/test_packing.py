import pytest
from hypothesis import given
from hypothesis import strategies as st

from chain_common.domain.fixed_point import DEFAULT_FORMAT, NumberFormat, OverflowRefused
from chain_common.domain.paillier.packing import PackedUpdate, pack, unpack
from chain_common.errors import PayloadRejected
from tests.keys import model_key

BOUND = 2**84
RESULTS = st.lists(
    st.sampled_from([0, 1, -1, BOUND - 1, 1 - BOUND]) | st.integers(1 - BOUND, BOUND - 1),
    min_size=1,
    max_size=8,
)


@given(RESULTS)
def test_what_is_packed_is_unpacked(results):
    plaintext = pack(results)
    assert 0 <= plaintext < 1 << (88 * len(results))
    assert unpack(plaintext, len(results)) == results


def test_slots_by_hand():
    number_format = NumberFormat(
        matrix_bits=2,
        matrix_fraction_bits=0,
        weight_bits=3,
        weight_fraction_bits=0,
        slot_bits=8,
        guard_bits=2,
    )
    # Slot bound 32: 5 becomes 37 = 0x25, -1 becomes 31 = 0x1f.
    assert pack([5, -1], number_format) == 0x1F25
    assert unpack(0x1F25, 2, number_format) == [5, -1]


@pytest.mark.parametrize("result", [BOUND, -BOUND, BOUND + 1, 2**200])
def test_a_result_that_does_not_fit_its_slot_is_not_packed(result):
    with pytest.raises(OverflowRefused):
        pack([0, result])


@pytest.mark.parametrize("slot", [0, 1, 2])
@pytest.mark.parametrize("bit", [85, 86, 87])
def test_a_guard_bit_rejects_the_payload(slot, bit):
    plaintext = pack([1, -1, 7]) | 1 << (88 * slot + bit)
    with pytest.raises(PayloadRejected, match=f"guard bit of slot {slot}"):
        unpack(plaintext, 3)


@pytest.mark.parametrize("bit", [264, 300, 3000])
def test_a_bit_above_the_top_slot_rejects_the_payload(bit):
    with pytest.raises(PayloadRejected, match="above slot 2"):
        unpack(pack([1, -1, 7]) + (1 << bit), 3)


def test_more_results_than_expected_reject_the_payload():
    with pytest.raises(PayloadRejected, match="above slot 1"):
        unpack(pack([1, -1, 7]), 2)


def test_an_empty_slot_rejects_the_payload():
    with pytest.raises(PayloadRejected, match="Slot 2 is empty"):
        unpack(pack([1, -1]), 3)


def test_a_negative_plaintext_rejects_the_payload():
    with pytest.raises(PayloadRejected):
        unpack(-1, 1)


def test_the_bytes_of_an_update_read_back():
    key = model_key(512).public_key
    update = PackedUpdate(key, 7, (5, key.n_squared - 1))
    blob = update.to_bytes()
    assert len(blob) == 43 + 2 * 128
    assert blob[:11] == b"chPU" + bytes([1, 0, 7, 0, 2, 0, 128])
    assert PackedUpdate.from_bytes(blob, key, 7) == update


@pytest.mark.parametrize("n_weights", [5, 6, 8, 11])
def test_an_update_for_another_number_of_weights_is_refused(n_weights):
    key = model_key(512).public_key
    blob = PackedUpdate(key, 7, (5, 6)).to_bytes()
    with pytest.raises(PayloadRejected):
        PackedUpdate.from_bytes(blob, key, n_weights)


def test_truncated_bytes_and_foreign_members_are_refused():
    private = model_key(512)
    key = private.public_key
    blob = PackedUpdate(key, 7, (5, 6)).to_bytes()
    for length in range(len(blob)):
        with pytest.raises(PayloadRejected):
            PackedUpdate.from_bytes(blob[:length], key, 7)
    for outside in (0, private.p, key.n_squared):
        with pytest.raises(PayloadRejected):
            PackedUpdate.from_bytes(blob[:-128] + outside.to_bytes(128, "big"), key, 7)


def test_slots_of_real_keys():
    assert DEFAULT_FORMAT.slots_per_ciphertext(3072) == 34
    assert DEFAULT_FORMAT.slots_per_ciphertext(2048) == 23
    assert DEFAULT_FORMAT.n_ciphertexts(34, 3072) == 1
    assert DEFAULT_FORMAT.n_ciphertexts(35, 3072) == 2
