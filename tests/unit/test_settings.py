"""Settings come from flags, then the environment, then defaults; the example file lists them all."""

import dataclasses
import re
from pathlib import Path

import pytest

from chain_common.errors import BadInput
from chain_common.settings import SETTINGS, Settings, load_settings, redacted_url

ROOT = Path(__file__).resolve().parents[2]


class TestWhereAValueComesFrom:
    def test_a_flag_wins_over_the_environment_and_that_over_the_default(self) -> None:
        environment = {"CHAIN_KEY_BITS": "2048"}
        assert load_settings({}, {}).key_bits == 3072
        assert load_settings({}, environment).key_bits == 2048
        assert load_settings({"key_bits": 4096}, environment).key_bits == 4096

    def test_what_is_none_or_empty_is_not_given(self) -> None:
        environment = {"CHAIN_MAX_UPLOAD_MB": "", "CHAIN_KEY_BITS": "2048"}
        settings = load_settings({"max_upload_mb": None, "key_bits": ""}, environment)
        assert (settings.max_upload_mb, settings.key_bits) == (200, 2048)

    def test_a_port_of_zero_is_given(self) -> None:
        assert load_settings({"port": 0}, {"CHAIN_PORT": "1"}).port == 0

    def test_the_processes_environment_is_the_default_one(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("CHAIN_RPC_URL", "http://127.0.0.1:7545")
        assert load_settings().rpc_url == "http://127.0.0.1:7545"

    def test_an_unknown_flag_is_the_programs_fault(self) -> None:
        with pytest.raises(ValueError, match="no_such"):
            load_settings({"no_such": 1}, {})

    def test_the_table_and_the_record_name_the_same_settings(self) -> None:
        fields = [field.name for field in dataclasses.fields(Settings)]
        assert sorted(fields) == sorted(setting.field for setting in SETTINGS)
        assert all(setting.help.endswith(".") for setting in SETTINGS)

    def test_settings_do_not_change(self) -> None:
        with pytest.raises(dataclasses.FrozenInstanceError):
            load_settings({}, {}).host = "0.0.0.0"  # type: ignore[misc]


class TestWhatTheValuesMean:
    def test_without_anything_all_is_local(self) -> None:
        settings = load_settings({}, {})
        home = Path.home() / ".chain"
        assert settings.home == home
        assert settings.host == "127.0.0.1"
        assert settings.rpc_url == "http://127.0.0.1:8545"
        assert settings.storage_url == (home / "store").as_uri()
        assert settings.contracts_file == home / "contracts.json"
        assert (settings.contract, settings.password_file, settings.port) == (None, None, None)

    def test_each_app_has_its_own_folder_and_database_and_both_share_the_store(self, tmp_path: Path) -> None:
        settings = load_settings({"home": tmp_path}, {})
        assert settings.app_home("company") != settings.app_home("data-owner")
        assert settings.database_url_of("company") == f"sqlite:///{tmp_path}/company/state.sqlite3"
        assert settings.storage_url == (tmp_path / "store").as_uri()

    def test_a_database_given_is_the_one_used(self) -> None:
        settings = load_settings({}, {"DATABASE_URL": "postgresql://host/name"})
        assert settings.database_url_of("company") == "postgresql://host/name"

    def test_paths_are_absolute_so_that_a_change_of_folder_changes_nothing(self) -> None:
        settings = load_settings({"home": "here", "password_file": "~/password"}, {})
        assert settings.home == Path.cwd() / "here"
        assert settings.password_file == Path.home() / "password"

    def test_megabytes_are_decimal(self) -> None:
        assert load_settings({"max_upload_mb": 2}, {}).max_upload_bytes == 2_000_000

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("CHAIN_KEY_BITS", "2047"),
            ("CHAIN_KEY_BITS", "many"),
            ("CHAIN_KEY_BITS", "3072.0"),
            ("CHAIN_KEY_BITS", "1" * 5000),
            ("CHAIN_MAX_UPLOAD_MB", "0"),
            ("CHAIN_MAX_UPLOAD_MB", "-1"),
            ("CHAIN_PORT", "65536"),
            ("CHAIN_RPC_URL", "localhost:8545"),
            ("CHAIN_RPC_URL", "file:///x"),
            ("CHAIN_RPC_URL", "http://"),
            ("CHAIN_STORAGE_URL", "/a/folder"),
            ("CHAIN_CONTRACT", "0x1234"),
            ("CHAIN_CONTRACT", "5FbDB2315678afecb367f032d93F642f64180aa3"),
        ],
    )
    def test_an_unusable_value_is_named_with_what_was_expected(self, name: str, value: str) -> None:
        with pytest.raises(BadInput, match=f"^{name} is .*Expected") as refused:
            load_settings({}, {name: value})
        assert refused.value.field == name
        assert len(str(refused.value)) < 300


class TestCredentials:
    def test_no_credential_is_shown(self) -> None:
        settings = load_settings(
            {},
            {
                "CHAIN_RPC_URL": "https://mainnet.example.org/v3/0123secret?key=secret",
                "CHAIN_STORAGE_URL": "http://user:secret@127.0.0.1:5001",
                "DATABASE_URL": "postgresql://chain:secret@db:5432/chain?password=secret",
            },
        )
        assert "secret" in settings.rpc_url
        assert "secret" not in repr(settings)
        assert "secret" not in "".join(settings.described().values())
        assert "https://mainnet.example.org/…" in repr(settings)
        assert "postgresql://db:5432/chain" in repr(settings)

    @pytest.mark.parametrize(
        ("url", "shown"),
        [
            ("http://127.0.0.1:8545", "http://127.0.0.1:8545"),
            ("http://127.0.0.1:8545/", "http://127.0.0.1:8545/"),
            ("http://[::1]:8545", "http://[::1]:8545"),
            ("file:///a/folder", "file:///a/folder"),
            ("sqlite:////a/state.sqlite3", "sqlite:////a/state.sqlite3"),
            ("http://host:port/x", "<unreadable URL>"),
            ("a text", "a text"),
        ],
    )
    def test_what_is_no_credential_is_shown(self, url: str, shown: str) -> None:
        assert redacted_url(url) == shown

    def test_a_refused_value_does_not_show_one_either(self) -> None:
        with pytest.raises(BadInput) as refused:
            load_settings({}, {"CHAIN_RPC_URL": "ftp://user:secret@host/secret2"})
        assert "user:secret" not in str(refused.value)


class TestTheExampleFile:
    def test_it_lists_every_setting_once(self) -> None:
        listed = re.findall(r"^#? ?([A-Z][A-Z0-9_]*)=", (ROOT / ".env.example").read_text(), re.MULTILINE)
        assert sorted({setting.name for setting in SETTINGS} - set(listed)) == []
        assert len(listed) == len(set(listed))

    def test_it_lists_nothing_that_nothing_reads(self) -> None:
        listed = re.findall(r"^#? ?([A-Z][A-Z0-9_]*)=", (ROOT / ".env.example").read_text(), re.MULTILINE)
        others = set(listed) - {setting.name for setting in SETTINGS}
        readers = [ROOT / "docker-compose.yml", ROOT / "Makefile"]
        for folder in ("chain_common", "company_app", "data_owner_app", "scripts", "tests"):
            readers += [path for path in (ROOT / folder).rglob("*.py") if path != Path(__file__)]
        text = "\n".join(path.read_text(encoding="utf-8") for path in readers if path.is_file())
        assert sorted(name for name in others if not re.search(rf"\b{name}\b", text)) == []
