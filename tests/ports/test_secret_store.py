"""What every vault promises, and what its files on disk do."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chain_common.adapters.accounts import FileKeyring
from chain_common.errors import Locked, Unavailable
from chain_common.state_errors import SecretDamaged, SecretMissing, WrongPassword

PASSWORD = "correct horse"


@pytest.fixture
def secrets(keyring: Any) -> Any:
    keyring.create(PASSWORD)
    return keyring.secrets


class TestEveryVault:
    def test_a_secret_comes_back_as_it_was(self, secrets: Any) -> None:
        for name, secret in [("model/1/keys", bytes(range(256)) * 2000), ("salt", b""), ("model/1", b"x")]:
            secrets.put(name, secret)
            assert secrets.get(name) == secret

    def test_a_newer_secret_replaces_an_older_one(self, secrets: Any) -> None:
        secrets.put("a", b"old")
        secrets.put("a", b"new")
        assert secrets.get("a") == b"new"
        assert secrets.names() == ["a"]

    def test_what_is_not_there_is_missing(self, secrets: Any) -> None:
        assert not secrets.has("model/1/keys")
        with pytest.raises(SecretMissing) as missing:
            secrets.get("model/1/keys")
        assert missing.value.name == "model/1/keys"

    def test_names_are_listed_by_prefix_and_sorted(self, secrets: Any) -> None:
        for name in ("model/2/keys", "model/1/rows", "model/1/keys", "other"):
            secrets.put(name, b"x")
        assert secrets.names() == ["model/1/keys", "model/1/rows", "model/2/keys", "other"]
        assert secrets.names("model/1/") == ["model/1/keys", "model/1/rows"]
        assert secrets.names("nothing") == []

    def test_deleting_is_repeatable(self, secrets: Any) -> None:
        secrets.put("a", b"x")
        secrets.delete("a")
        secrets.delete("a")
        assert not secrets.has("a")
        assert secrets.names() == []

    def test_a_locked_vault_gives_and_takes_nothing_but_names(self, keyring: Any, secrets: Any) -> None:
        secrets.put("a", b"x")
        keyring.lock()
        with pytest.raises(Locked):
            secrets.get("a")
        with pytest.raises(Locked):
            secrets.put("b", b"y")
        assert secrets.has("a")
        assert secrets.names() == ["a"]
        keyring.unlock(PASSWORD)
        assert secrets.get("a") == b"x"

    @pytest.mark.parametrize("name", ["", "/a", "a/", "a//b", "../a", "a/../b", "A", "a b", "a.secret", "ä"])
    def test_a_name_that_could_leave_the_vault_is_refused(self, secrets: Any, name: str) -> None:
        for act in (secrets.get, secrets.has, secrets.delete, lambda name: secrets.put(name, b"x")):
            with pytest.raises(ValueError, match="slash-separated"):
                act(name)

    def test_no_representation_shows_a_secret(self, keyring: Any, secrets: Any) -> None:
        secrets.put("a", b"very secret")
        for shown in (repr(secrets), repr(keyring), repr(keyring.signer)):
            assert "very secret" not in shown
            assert PASSWORD not in shown


class TestTheFiles:
    @pytest.fixture
    def home(self, open_home: Callable[[], FileKeyring]) -> FileKeyring:
        keyring = open_home()
        keyring.create(PASSWORD)
        return keyring

    def test_a_secret_outlives_the_process(self, home: FileKeyring, open_home: Callable[[], FileKeyring]) -> None:
        home.secrets.put("model/1/keys", b"kept")
        again = open_home()
        with pytest.raises(Locked):
            again.secrets.get("model/1/keys")
        again.unlock(PASSWORD)
        assert again.secrets.get("model/1/keys") == b"kept"

    def test_no_file_holds_the_secret_and_only_the_user_can_read_them(
        self, open_home: Callable[[], FileKeyring], tmp_path: Path
    ) -> None:
        careless = os.umask(0)
        try:
            home = open_home()
            home.create(PASSWORD)
            home.secrets.put("model/1/keys", b"very secret indeed")
        finally:
            os.umask(careless)
        paths = list((tmp_path / "home").rglob("*"))
        files = [path for path in paths if path.is_file()]
        assert len(files) == 3  # keystore, vault key, secret
        assert all(path.stat().st_mode & 0o777 == 0o600 for path in files)
        assert all(path.stat().st_mode & 0o777 == 0o700 for path in paths if path.is_dir())
        assert not any(b"very secret" in path.read_bytes() for path in files)

    def test_the_same_secret_twice_gives_different_files(self, home: FileKeyring, tmp_path: Path) -> None:
        for name in ("a", "b"):
            home.secrets.put(name, b"the same")
        contents = {path.read_bytes() for path in (tmp_path / "home").rglob("*.secret")}
        assert len(contents) == 2

    def test_exchanged_files_do_not_open(self, home: FileKeyring, tmp_path: Path) -> None:
        home.secrets.put("model/1/keys", b"one")
        home.secrets.put("model/2/keys", b"two")
        folder = tmp_path / "home" / "account" / "secrets" / "model"
        (folder / "1" / "keys.secret").rename(folder / "2" / "keys.secret")
        with pytest.raises(SecretDamaged, match="backup"):
            home.secrets.get("model/2/keys")

    def test_a_file_of_another_vault_does_not_open(self, home: FileKeyring, tmp_path: Path) -> None:
        other = FileKeyring(tmp_path / "other", scrypt_n=2)
        other.create(PASSWORD)
        for keyring in (home, other):
            keyring.secrets.put("a", b"x")
        file = Path("account") / "secrets" / "a.secret"
        (tmp_path / "home" / file).write_bytes((tmp_path / "other" / file).read_bytes())
        with pytest.raises(SecretDamaged):
            home.secrets.get("a")

    @pytest.mark.parametrize("position", [0, 20, 40, -1])
    def test_a_changed_bit_is_noticed(self, home: FileKeyring, tmp_path: Path, position: int) -> None:
        home.secrets.put("a", b"twenty bytes or more")
        path = tmp_path / "home" / "account" / "secrets" / "a.secret"
        changed = bytearray(path.read_bytes())
        changed[position] ^= 1
        path.write_bytes(changed)
        with pytest.raises(SecretDamaged):
            home.secrets.get("a")

    @pytest.mark.parametrize("n_bytes", [0, 14, 15, 27, 30])
    def test_a_cut_off_file_is_noticed(self, home: FileKeyring, tmp_path: Path, n_bytes: int) -> None:
        home.secrets.put("a", b"twenty bytes or more")
        path = tmp_path / "home" / "account" / "secrets" / "a.secret"
        path.write_bytes(path.read_bytes()[:n_bytes])
        with pytest.raises(SecretDamaged):
            home.secrets.get("a")

    def test_a_write_that_fails_leaves_the_older_secret(
        self, home: FileKeyring, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        home.secrets.put("a", b"old")

        def fail(_descriptor: int) -> None:
            raise OSError(28, "No space left on device")

        with monkeypatch.context() as patched:
            patched.setattr(os, "fsync", fail)
            with pytest.raises(Unavailable, match="No space left"):
                home.secrets.put("a", b"new")
        assert home.secrets.get("a") == b"old"
        assert home.secrets.names() == ["a"]

    @pytest.mark.parametrize(
        "change",
        [
            lambda key: key.pop("kdf"),
            lambda key: key.update(nonce="00"),
            lambda key: key.update(key="not hex"),
            lambda key: key["kdf"].update(n=3),
            lambda key: key["kdf"].update(n=2**40),
        ],
    )
    def test_a_key_file_that_is_not_ours_is_named_and_costs_nothing(
        self, home: FileKeyring, tmp_path: Path, change: Callable[[dict[str, Any]], object]
    ) -> None:
        path = tmp_path / "home" / "account" / "vault-key.json"
        document = json.loads(path.read_bytes())
        change(document)
        path.write_text(json.dumps(document))
        with pytest.raises(SecretDamaged, match=r"vault-key\.json"):
            home.unlock(PASSWORD)

    def test_a_wrong_password_opens_nothing(self, home: FileKeyring) -> None:
        home.secrets.put("a", b"x")
        home.lock()
        with pytest.raises(WrongPassword):
            home.unlock(PASSWORD + " ")
        with pytest.raises(Locked):
            home.secrets.get("a")
