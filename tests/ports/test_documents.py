"""What every store of documents promises."""

import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from chain_common.adapters.database import (
    DatabaseUnavailable,
    insert_or_ignore,
    metadata,
    open_database,
    transaction,
)
from chain_common.adapters.documents import DatabaseDocuments, documents_table
from chain_common.errors import BadInput


class TestEveryStoreOfDocuments:
    def test_a_document_comes_back_as_it_was(self, documents: Any) -> None:
        document = {"wei": 10**30 + 1, "text": "Größe ∑ \u0000", "list": [1, None, True, {"a": []}], "x": 0.1}
        documents.put("drafts", "1", document)
        assert documents.get("drafts", "1") == document

    def test_what_is_not_there_is_none(self, documents: Any) -> None:
        documents.put("drafts", "1", {})
        assert documents.get("drafts", "2") is None
        assert documents.get("receipts", "1") is None
        assert documents.all("receipts") == []

    def test_documents_are_listed_oldest_first_and_keep_their_place(self, documents: Any) -> None:
        for name in ("b", "a", "c"):
            documents.put("drafts", name, {"name": name})
        documents.put("drafts", "b", {"name": "b, changed"})
        documents.update("drafts", "a", lambda old: {**old, "seen": True})
        assert documents.all("drafts") == [
            ("b", {"name": "b, changed"}),
            ("a", {"name": "a", "seen": True}),
            ("c", {"name": "c"}),
        ]

    def test_a_missing_document_is_updated_from_empty(self, documents: Any) -> None:
        assert documents.update("counts", "x", lambda old: {"n": len(old) + 1}) == {"n": 1}
        assert documents.get("counts", "x") == {"n": 1}

    def test_an_update_that_fails_changes_nothing(self, documents: Any) -> None:
        documents.put("drafts", "1", {"n": 1})

        def fail(old: dict[str, Any]) -> dict[str, Any]:
            old["n"] = 2
            raise BadInput("no")

        for name in ("1", "2"):
            with pytest.raises(BadInput):
                documents.update("drafts", name, fail)
        assert documents.all("drafts") == [("1", {"n": 1})]

    def test_what_was_read_or_given_is_a_copy(self, documents: Any) -> None:
        given = {"list": [1]}
        documents.put("drafts", "1", given)
        given["list"].append(2)
        documents.get("drafts", "1")["list"].append(3)
        assert documents.get("drafts", "1") == {"list": [1]}

    def test_deleting_is_repeatable(self, documents: Any) -> None:
        documents.put("drafts", "1", {})
        documents.delete("drafts", "1")
        documents.delete("drafts", "1")
        assert documents.get("drafts", "1") is None

    @pytest.mark.parametrize("bad", [{"x": float("nan")}, {"x": b"bytes"}])
    def test_what_is_not_json_is_refused(self, documents: Any, bad: Any) -> None:
        with pytest.raises((ValueError, TypeError)):
            documents.put("drafts", "1", bad)
        assert documents.get("drafts", "1") is None

    def test_threads_lose_no_update(self, documents: Any) -> None:
        def count() -> None:
            for _ in range(25):
                documents.update("counts", "x", lambda old: {"n": old.get("n", 0) + 1})

        threads = [threading.Thread(target=count) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert documents.get("counts", "x") == {"n": 75}


COUNTING = """
import sys
from sqlalchemy import text
from chain_common.adapters.database import open_database, transaction
from chain_common.adapters.documents import DatabaseDocuments

engine = open_database(sys.argv[1])
documents = DatabaseDocuments(engine)
print("ready", flush=True)
sys.stdin.readline()
for _ in range(25):
    documents.update("counts", "x", lambda old: {"n": old.get("n", 0) + 1})
    with transaction(engine) as connection:
        read = connection.execute(text("SELECT body FROM documents WHERE document_id = 'y'")).scalar_one()
        connection.execute(text(f"UPDATE documents SET body = '{int(read) + 1}' WHERE document_id = 'y'"))
"""


class TestTheDatabase:
    def test_three_processes_that_read_and_then_write_lose_nothing(self, database_url: str) -> None:
        engine = open_database(database_url)
        with transaction(engine) as connection:
            row = {"collection": "counts", "document_id": "y", "body": "0"}
            insert_or_ignore(connection, documents_table, [row])
        pipe = subprocess.PIPE
        workers = [
            subprocess.Popen([sys.executable, "-c", COUNTING, database_url], stdin=pipe, stdout=pipe, stderr=pipe)
            for _ in range(3)
        ]
        for worker in workers:
            assert worker.stdout is not None
            assert worker.stdout.readline() == b"ready\n"
        for worker in workers:
            assert worker.stdin is not None
            worker.stdin.write(b"go\n")
            worker.stdin.flush()
        outcomes = [(*worker.communicate(timeout=60), worker.returncode) for worker in workers]
        assert outcomes == [(b"", b"", 0)] * 3
        assert DatabaseDocuments(engine).get("counts", "x") == {"n": 75}
        assert DatabaseDocuments(engine).get("counts", "y") == 75
        engine.dispose()

    def test_it_writes_ahead_waits_for_others_and_flushes(self, engine: sa.Engine) -> None:
        with transaction(engine) as connection:
            found = [
                connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
                for name in ("journal_mode", "busy_timeout", "synchronous", "foreign_keys")
            ]
        assert found == ["wal", 30_000, 2, 1]  # synchronous: 2 is FULL

    def test_the_migrations_make_the_tables_that_the_code_describes(self, engine: sa.Engine) -> None:
        adapters = Path(open_database.__code__.co_filename).parent
        for path in adapters.glob("*.py"):
            if "metadata" in path.read_text():
                __import__(f"chain_common.adapters.{path.stem}")
        assert {"documents", "events", "event_source", "jobs"} <= set(metadata.tables)
        with engine.connect() as connection:
            assert compare_metadata(MigrationContext.configure(connection), metadata) == []

    def test_opening_again_keeps_what_is_there(self, database_url: str) -> None:
        for expected in (1, 2):
            engine = open_database(database_url)
            after = DatabaseDocuments(engine).update("c", "x", lambda old: {"n": old.get("n", 0) + 1})
            engine.dispose()
            assert after == {"n": expected}

    def test_a_known_key_is_left_alone(self, engine: sa.Engine) -> None:
        row = {"collection": "c", "document_id": "1", "body": "{}"}
        with transaction(engine) as connection:
            insert_or_ignore(connection, documents_table, [row])
            insert_or_ignore(connection, documents_table, [{**row, "body": "[]"}, {**row, "document_id": "2"}])
        assert DatabaseDocuments(engine).all("c") == [("1", {}), ("2", {})]

    def test_a_newer_database_is_not_touched(self, engine: sa.Engine, database_url: str) -> None:
        with transaction(engine) as connection:
            connection.exec_driver_sql("UPDATE alembic_version SET version_num = 'v9999'")
        with pytest.raises(DatabaseUnavailable, match="newer version"):
            open_database(database_url)

    def test_a_file_that_is_no_database_is_named(self, tmp_path: Path) -> None:
        path = tmp_path / "notes.sqlite3"
        path.write_text("Dear diary, " * 1000)
        with pytest.raises(DatabaseUnavailable, match=r"notes\.sqlite3"):
            open_database(f"sqlite:///{path}")
        assert path.read_text().startswith("Dear diary")

    def test_a_writer_that_never_ends_is_reported(
        self, engine: sa.Engine, database_url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("chain_common.adapters.database.BUSY_TIMEOUT_S", 0.05)
        with engine.begin(), pytest.raises(DatabaseUnavailable, match="locked"):
            open_database(database_url)

    @pytest.mark.parametrize("url", ["", "nonsense", "mysql://host/name", "sqlite+aiosqlite:///x"])
    def test_another_kind_of_url_is_refused(self, url: str) -> None:
        with pytest.raises(BadInput):
            open_database(url)

    def test_a_password_in_the_url_is_not_shown(self) -> None:
        with pytest.raises((BadInput, DatabaseUnavailable)) as refused:
            open_database("postgresql://chain:secret@127.0.0.1:1/chain")
        assert "secret" not in str(refused.value)
