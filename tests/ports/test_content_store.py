"""What every content store promises, and what is particular to the folder and to Kubo."""

import base64
import errno
import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chain_common.adapters.store_ipfs import KuboStore
from chain_common.adapters.store_local import LocalStore
from chain_common.adapters.stores import open_store
from chain_common.domain.content_id import MAX_BLOB_BYTES, cid_of, digest_from_cid, digest_of
from chain_common.errors import BadInput, PayloadRejected, Unavailable
from chain_common.state_errors import BlobTooLarge, ContentMissing

# As published for `printf "hello world" | ipfs add --cid-version=1 --raw-leaves`, and for the empty file.
HELLO_CID = "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e"
EMPTY_CID = "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku"


class TestEveryStore:
    def test_a_blob_comes_back_under_its_sha256(self, store_case: Any) -> None:
        digest = store_case.store.put(b"hello world")
        assert digest == hashlib.sha256(b"hello world").digest()
        assert store_case.store.get(digest) == b"hello world"
        assert store_case.store.has(digest)

    @pytest.mark.parametrize("blob", [b"", bytes(range(256)) * 4096], ids=["empty", "largest"])
    def test_the_smallest_and_the_largest_blob_are_stored(self, store_case: Any, blob: bytes) -> None:
        assert store_case.store.get(store_case.store.put(blob)) == blob

    def test_a_blob_above_one_block_is_refused(self, store_case: Any) -> None:
        with pytest.raises(BlobTooLarge, match=f"{MAX_BLOB_BYTES + 1} bytes"):
            store_case.store.put(bytes(MAX_BLOB_BYTES + 1))

    def test_storing_twice_is_storing_once(self, store_case: Any) -> None:
        assert store_case.store.put(b"twice") == store_case.store.put(b"twice")
        assert store_case.store.get(digest_of(b"twice")) == b"twice"

    def test_missing_content_is_told_from_a_store_that_is_away(self, store_case: Any) -> None:
        absent = digest_of(b"never stored")
        assert not store_case.store.has(absent)
        with pytest.raises(ContentMissing) as missing:
            store_case.store.get(absent)
        assert missing.value.cid == cid_of(absent)
        store_case.take_away()
        assert not store_case.store.has(absent)
        with pytest.raises(Unavailable) as away:
            store_case.store.get(absent)
        assert not isinstance(away.value, ContentMissing)

    @pytest.mark.parametrize("other", [b"other", b"", b"hello worl", b"hello world!"])
    def test_exchanged_content_is_refused_at_every_read(self, store_case: Any, other: bytes) -> None:
        digest = store_case.store.put(b"hello world")
        assert store_case.store.get(digest) == b"hello world"
        store_case.damage(digest, other)
        with pytest.raises(PayloadRejected, match=cid_of(digest)):
            store_case.store.get(digest)

    def test_content_longer_than_a_block_is_refused(self, store_case: Any) -> None:
        digest = store_case.store.put(b"short")
        store_case.damage(digest, bytes(3 * MAX_BLOB_BYTES))
        with pytest.raises(PayloadRejected):
            store_case.store.get(digest)

    def test_storing_again_mends_damaged_content(self, store_case: Any) -> None:
        digest = store_case.store.put(b"hello world")
        store_case.damage(digest, b"HELLO WORLD")
        store_case.store.put(b"hello world")
        assert store_case.store.get(digest) == b"hello world"

    def test_a_store_that_is_away_says_so_and_what_to_do(self, store_case: Any) -> None:
        store_case.store.check()
        store_case.take_away()
        for act in (store_case.store.check, lambda: store_case.store.put(b"x")):
            with pytest.raises(Unavailable) as away:
                act()
            assert store_case.store.location() in str(away.value)
            assert away.value.do


class TestContentIds:
    def test_a_cid_is_the_one_that_ipfs_gives(self) -> None:
        assert cid_of(hashlib.sha256(b"hello world").digest()) == HELLO_CID
        assert cid_of(hashlib.sha256().digest()) == EMPTY_CID
        assert digest_from_cid(HELLO_CID) == hashlib.sha256(b"hello world").digest()

    @given(st.binary(min_size=32, max_size=32))
    def test_digest_and_cid_name_the_same(self, digest: bytes) -> None:
        assert digest_from_cid(cid_of(digest)) == digest

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "b",
            "QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPbdG",
            HELLO_CID.upper(),
            HELLO_CID[:-1],
            HELLO_CID + "a",
            # The same bytes with codec dag-pb (0x70), and one with set padding bits.
            "b" + base64.b32encode(b"\x01\x70\x12\x20" + bytes(32)).decode().lower().rstrip("="),
            HELLO_CID[:-1] + "f",
            "bé",
        ],
    )
    def test_another_kind_of_name_is_refused(self, text: str) -> None:
        with pytest.raises(BadInput):
            digest_from_cid(text)


class TestTheFolder:
    def test_two_apps_share_it(self, tmp_path: Path) -> None:
        digest = LocalStore(tmp_path).put(b"from the lender")
        assert LocalStore(tmp_path).get(digest) == b"from the lender"

    def test_a_blob_is_a_file_named_by_its_cid_in_one_of_256_folders(self, tmp_path: Path) -> None:
        LocalStore(tmp_path).put(b"hello world")
        file = tmp_path / "b9" / HELLO_CID  # sha256("hello world") begins with b9
        assert file.read_bytes() == b"hello world"
        assert file.stat().st_mode & 0o777 == 0o644

    def test_a_write_cut_off_anywhere_leaves_nothing_that_is_read(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        store = LocalStore(tmp_path)

        def killed(_descriptor: int) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patched:
            patched.setattr(os, "fsync", killed)
            with pytest.raises(KeyboardInterrupt):
                store.put(b"half")
        assert not store.has(digest_of(b"half"))
        assert store.get(store.put(b"half")) == b"half"

    @pytest.mark.parametrize(
        ("number", "advice"),
        [(errno.ENOSPC, "make room"), (errno.EACCES, "the right to write"), (errno.EIO, "Check the disk")],
    )
    def test_a_failing_disk_is_named(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, advice: str
    ) -> None:
        def fail(_descriptor: int) -> None:
            raise OSError(number, os.strerror(number))

        store = LocalStore(tmp_path)
        monkeypatch.setattr(os, "fsync", fail)
        with pytest.raises(Unavailable, match=advice):
            store.put(b"x")
        assert [path for path in tmp_path.rglob("*") if path.is_file()] == []

    def test_a_folder_that_cannot_be_made_is_no_obstacle_before_it_is_used(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("in the way")
        store = LocalStore(tmp_path / "file" / "store")
        with pytest.raises(Unavailable, match="CHAIN_STORAGE_URL"):
            store.check()


class TestKubo:
    def test_what_is_stored_is_pinned_as_one_raw_block(self, kubo: Any) -> None:
        KuboStore(kubo.url).put(b"hello world")
        assert kubo.blocks == {HELLO_CID: b"hello world"}
        assert kubo.pinned == {HELLO_CID}

    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20, deadline=None)
    @given(blob=st.binary(max_size=200))
    def test_any_bytes_survive_the_form_upload(self, kubo: Any, blob: bytes) -> None:
        store = KuboStore(kubo.url)
        assert store.get(store.put(blob)) == blob

    def test_a_node_that_stores_under_another_name_is_not_believed(self, kubo: Any) -> None:
        kubo.answer = _answering(200, b'{"Key":"QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPbdG","Size":5}')
        with pytest.raises(Unavailable, match="QmYw"):
            KuboStore(kubo.url).put(b"hello")

    @pytest.mark.parametrize(
        ("status", "body", "said"),
        [
            (403, b"403 - Forbidden", "HTTP status 403"),
            (500, b'{"Message":"disk quota exceeded","Code":0,"Type":"error"}', "disk quota exceeded"),
            (500, b"x" * 200_000, "HTTP status 500"),
            (200, b"<html>a router's page</html>", "not a Kubo node"),
            (200, b"[1]", "not a Kubo node"),
            (302, b"", "HTTP status 302|not a Kubo node"),
        ],
    )
    def test_whatever_else_answers_is_unavailable(self, kubo: Any, status: int, body: bytes, said: str) -> None:
        kubo.answer = _answering(status, body)
        with pytest.raises(Unavailable, match=said):
            KuboStore(kubo.url).check()

    def test_reading_stops_at_the_size_of_a_block(self, kubo: Any) -> None:
        sent = []

        def pour(handler: Any) -> None:
            handler.send_response(200)
            handler.end_headers()
            try:
                for _ in range(1024):
                    handler.wfile.write(bytes(64 * 1024))
                    sent.append(64 * 1024)
            except OSError:
                pass
            handler.close_connection = True

        kubo.answer = pour
        with pytest.raises(PayloadRejected, match=f"more than {MAX_BLOB_BYTES}"):
            KuboStore(kubo.url).get(digest_of(b"x"))
        kubo.stop()
        assert sum(sent) < 64 * MAX_BLOB_BYTES

    def test_a_node_that_says_nothing_is_given_up(self, kubo: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("chain_common.adapters.store_ipfs._CONNECT_TIMEOUT_S", 0.05)
        released: list[Any] = []
        kubo.answer = lambda handler: released.append(handler.rfile.read(1))
        with pytest.raises(Unavailable, match="does not answer in time"):
            KuboStore(kubo.url, find_timeout_s=0.05).get(digest_of(b"x"))

    def test_the_search_on_the_network_is_bounded_and_has_asks_only_our_node(self, kubo: Any) -> None:
        store = KuboStore(kubo.url, find_timeout_s=7)
        with pytest.raises(ContentMissing):
            store.get(digest_of(b"x"))
        assert not store.has(digest_of(b"x"))
        assert "timeout=7s" in kubo.requests[0]
        assert "offline=true" in kubo.requests[1]

    def test_credentials_in_the_url_are_not_shown(self) -> None:
        store = KuboStore("http://user:secret@127.0.0.1:1/hidden")
        with pytest.raises(Unavailable) as away:
            store.check()
        for text in (store.location(), repr(store), str(away.value)):
            assert "secret" not in text
            assert "hidden" not in text
            assert "127.0.0.1:1" in text


class TestTheUrl:
    def test_the_scheme_chooses_the_store(self, tmp_path: Path) -> None:
        local = open_store((tmp_path / "a b").as_uri())
        assert local.get(local.put(b"x")) == b"x"
        assert local.location() == str(tmp_path / "a b")
        assert open_store("http://127.0.0.1:5001").location() == "http://127.0.0.1:5001"

    @pytest.mark.parametrize("url", ["", "store", "ftp://host/x", "file:", "file://otherhost/x", "http://"])
    def test_another_url_is_refused(self, url: str) -> None:
        with pytest.raises(BadInput, match="CHAIN_STORAGE_URL"):
            open_store(url)


def _answering(status: int, body: bytes) -> Callable[[Any], None]:
    def answer(handler: Any) -> None:
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return answer
