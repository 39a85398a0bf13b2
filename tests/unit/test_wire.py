"""Documents have one encoding, and everything else is refused."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chain_common.domain.content_id import MAX_BLOB_BYTES
from chain_common.domain.wire import MAX_PAYLOAD_BYTES, PUBLIC_REJECTION_REASON, Payload, WeightsDocument
from chain_common.errors import BadInput, PayloadRejected

PAYLOAD = Payload(n_rows=700, packed_update=b"update", row_tags=b"tags!", affine_digest=bytes(range(32)))
WEIGHTS = WeightsDocument(key_fingerprint=bytes(range(32)), encrypted_weights=b"ciphertexts")


def test_a_payload_is_laid_out_as_documented():
    expected = b"chUP\x01" + struct.pack(">I", 700) + bytes(range(32)) + struct.pack(">II", 6, 5) + b"updatetags!"
    assert PAYLOAD.to_bytes() == expected
    assert Payload.from_bytes(expected) == PAYLOAD


def test_a_weights_document_is_laid_out_as_documented():
    expected = b"chEW\x01" + bytes(range(32)) + struct.pack(">I", 11) + b"ciphertexts"
    assert WEIGHTS.to_bytes() == expected
    assert WeightsDocument.from_bytes(expected) == WEIGHTS


@given(
    n_rows=st.integers(1, 2**32 - 1),
    update=st.binary(max_size=300),
    tags=st.binary(max_size=300),
    digest=st.binary(min_size=32, max_size=32),
)
def test_payloads_are_read_back(n_rows, update, tags, digest):
    payload = Payload(n_rows, update, tags, digest)
    assert Payload.from_bytes(payload.to_bytes()) == payload


@pytest.mark.parametrize("document", [PAYLOAD, WEIGHTS], ids=["payload", "weights"])
def test_cut_lengthened_or_foreign_documents_are_refused(document):
    blob, read = document.to_bytes(), type(document).from_bytes
    other = WEIGHTS if document is PAYLOAD else PAYLOAD
    cut = [blob[:length] for length in range(len(blob))]
    for damaged in (*cut, blob + b"\0", b"XXXX" + blob[4:], blob[:4] + b"\x02" + blob[5:], other.to_bytes()):
        with pytest.raises(PayloadRejected):
            read(damaged)


def test_lengths_that_only_add_up_together_are_read_as_they_say_and_no_others():
    blob = bytearray(PAYLOAD.to_bytes())
    struct.pack_into(">II", blob, 41, 2**32 - 1, 12)
    with pytest.raises(PayloadRejected):
        Payload.from_bytes(bytes(blob))


def test_a_payload_from_no_rows_is_refused():
    blob = bytearray(PAYLOAD.to_bytes())
    struct.pack_into(">I", blob, 5, 0)
    with pytest.raises(PayloadRejected):
        Payload.from_bytes(bytes(blob))
    with pytest.raises(BadInput):
        Payload(0, b"", b"", bytes(32))


@given(blob=st.binary(max_size=120))
def test_any_bytes_are_read_or_refused(blob):
    for read in (Payload.from_bytes, WeightsDocument.from_bytes):
        for prefix in (b"", b"chUP\x01", b"chEW\x01"):
            try:
                document = read(prefix + blob)
            except PayloadRejected:
                continue
            assert document.to_bytes() == prefix + blob


def test_documents_above_one_mebibyte_are_neither_written_nor_read():
    room = MAX_PAYLOAD_BYTES - len(Payload(1, b"", b"", bytes(32)).to_bytes())
    assert len(Payload(1, bytes(room), b"", bytes(32)).to_bytes()) == MAX_PAYLOAD_BYTES < MAX_BLOB_BYTES
    with pytest.raises(BadInput, match="fewer rows"):
        Payload(1, bytes(room), b"\0", bytes(32)).to_bytes()
    with pytest.raises(BadInput):
        WeightsDocument(bytes(32), bytes(MAX_BLOB_BYTES)).to_bytes()
    header = b"chUP\x01" + struct.pack(">I", 1) + bytes(32) + struct.pack(">II", room + 1, 0)
    with pytest.raises(PayloadRejected):
        Payload.from_bytes(header + bytes(room + 1))


def test_digests_have_32_bytes():
    with pytest.raises(BadInput):
        WeightsDocument(bytes(31), b"")
    with pytest.raises(BadInput):
        Payload(1, b"", b"", bytes(33))


def test_the_public_reason_names_no_cause():
    assert PUBLIC_REJECTION_REASON == "The payload cannot be used."


def test_printing_a_payload_shows_nothing_of_it():
    assert repr(PAYLOAD) == "Payload(n_rows=700, <secret>)"
