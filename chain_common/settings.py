"""What can be set from outside: by a flag, else by the environment, else by a default."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from chain_common.errors import BadInput

MIN_KEY_BITS: Final = 2048


@dataclass(frozen=True, slots=True)
class Setting:
    """One row of the table of settings; ``default`` is spelled as in the environment."""

    name: str
    field: str
    default: str
    help: str


SETTINGS: Final = (
    Setting("CHAIN_RPC_URL", "rpc_url", "http://127.0.0.1:8545", "JSON-RPC endpoint of the chain."),
    Setting(
        "CHAIN_STORAGE_URL",
        "storage_url",
        "local",
        "Content store: local (a folder in CHAIN_HOME), file:///a/folder, or the URL of a Kubo node's RPC.",
    ),
    Setting("CHAIN_HOME", "home", "~/.chain", "Folder of keys, vault, database and local store; back it up."),
    Setting(
        "DATABASE_URL",
        "database_url",
        "",
        "postgresql://user:password@host/name; by default SQLite in CHAIN_HOME.",
    ),
    Setting(
        "CHAIN_CONTRACT",
        "contract",
        "",
        "Address of ModelRepository; by default the one in CHAIN_CONTRACTS_FILE.",
    ),
    Setting(
        "CHAIN_CONTRACTS_FILE",
        "contracts_file",
        "",
        "Where chain deploy records the contracts' addresses; by default contracts.json in CHAIN_HOME.",
    ),
    Setting(
        "CHAIN_PASSWORD_FILE",
        "password_file",
        "",
        "File whose first line unlocks the account at start; by default the app asks.",
    ),
    Setting("CHAIN_HOST", "host", "127.0.0.1", "Address the app listens on; anything but loopback is your risk."),
    Setting("CHAIN_PORT", "port", "", "Port the app listens on; by default the app's own (8100, 8200), 0 for any."),
    Setting("CHAIN_MAX_UPLOAD_MB", "max_upload_mb", "200", "Largest CSV upload, in MB."),
    Setting("CHAIN_KEY_BITS", "key_bits", "3072", "Size of new Paillier keys in bits; 2048 is the least."),
)


@dataclass(frozen=True, slots=True, repr=False)
class Settings:
    """The settings of one process.

    Parameters
    ----------
    home
        Holds a folder per app, so that both run from one home; see :meth:`app_home`.
    storage_url
        ``file://`` or ``http(s)://``; ``local`` has become the folder it means.
    database_url
        Empty for SQLite in the app's home; see :meth:`database_url_of`.
    contract, password_file, port
        ``None`` where not given.
    """

    rpc_url: str
    storage_url: str
    home: Path
    database_url: str
    contract: str | None
    contracts_file: Path
    password_file: Path | None
    host: str
    port: int | None
    max_upload_mb: int
    key_bits: int

    def app_home(self, app: str) -> Path:
        """Return the folder that only one process of an app works in at a time."""
        return self.home / app

    def database_url_of(self, app: str) -> str:
        """Return the URL of an app's database."""
        return self.database_url or f"sqlite:///{self.app_home(app) / 'state.sqlite3'}"

    @property
    def max_upload_bytes(self) -> int:
        """Largest CSV upload, in bytes."""
        return self.max_upload_mb * 1_000_000

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in self.described().items())
        return f"Settings({shown})"

    def described(self) -> dict[str, str]:
        """Return every setting by its environment name, for logs and people, without credentials."""
        texts = {setting.name: getattr(self, setting.field) for setting in SETTINGS}
        return {name: "" if value is None else redacted_url(str(value)) for name, value in texts.items()}


def load_settings(flags: Mapping[str, object] | None = None, environment: Mapping[str, str] | None = None) -> Settings:
    """Read the settings.

    Parameters
    ----------
    flags
        Values by field name (``rpc_url``); ``None`` and empty text count as not given.
    environment
        By default the process's own; empty text counts as not set.

    Raises
    ------
    BadInput
        If a value cannot be used; ``field`` is the setting's environment name.
    """
    environment = os.environ if environment is None else environment
    given = {name: str(value) for name, value in (flags or {}).items() if value is not None}
    unknown = given.keys() - {setting.field for setting in SETTINGS}
    if unknown:
        raise ValueError(f"no such settings: {sorted(unknown)}")
    texts = {
        setting.field: (given.get(setting.field) or environment.get(setting.name) or setting.default).strip()
        for setting in SETTINGS
    }
    home = Path(texts["home"]).expanduser().absolute()
    return Settings(
        rpc_url=_url("CHAIN_RPC_URL", texts["rpc_url"], ("http", "https", "ws", "wss")),
        storage_url=_storage_url(texts["storage_url"], home),
        home=home,
        database_url=texts["database_url"],
        contract=_address("CHAIN_CONTRACT", texts["contract"]) if texts["contract"] else None,
        contracts_file=_path(texts["contracts_file"]) or home / "contracts.json",
        password_file=_path(texts["password_file"]),
        host=texts["host"],
        port=_number("CHAIN_PORT", texts["port"], 0, 65_535) if texts["port"] else None,
        max_upload_mb=_number("CHAIN_MAX_UPLOAD_MB", texts["max_upload_mb"], 1, 10_000),
        key_bits=_number("CHAIN_KEY_BITS", texts["key_bits"], MIN_KEY_BITS, 8192),
    )


def redacted_url(url: str) -> str:
    """Return a URL without what may be a credential: user, query, and the path of a web address.

    Providers of chain access put their key into the path. Text that is not a URL is returned as it is.
    """
    if "://" not in url:
        return url
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port is not None else ""
    except ValueError:
        return "<unreadable URL>"
    host = parts.hostname or ""
    if ":" in host:
        host = f"[{host}]"
    hides_path = parts.scheme in ("http", "https", "ws", "wss") and parts.path.strip("/")
    return f"{parts.scheme}://{host}{port}{'/…' if hides_path else parts.path}"


def _storage_url(text: str, home: Path) -> str:
    if text == "local":
        return (home / "store").as_uri()
    return _url("CHAIN_STORAGE_URL", text, ("file", "http", "https"))


def _url(name: str, text: str, schemes: tuple[str, ...]) -> str:
    scheme, separator, rest = text.partition("://")
    if scheme not in schemes or not separator or not rest:
        raise BadInput(
            f"{name} is {redacted_url(text)!r}.",
            expected=f"Expected a URL that starts with {' or '.join(f'{known}://' for known in schemes)}.",
            field=name,
        )
    return text


def _path(text: str) -> Path | None:
    return Path(text).expanduser().absolute() if text else None


def _address(name: str, text: str) -> str:
    if not re.fullmatch(r"0x[0-9a-fA-F]{40}", text):
        raise BadInput(f"{name} is {text[:80]!r}.", expected="Expected 0x and 40 hexadecimal digits.", field=name)
    return text


def _number(name: str, text: str, least: int, most: int) -> int:
    number = int(text) if re.fullmatch(r"[0-9]{1,9}", text) else -1
    if not least <= number <= most:
        raise BadInput(
            f"{name} is {text[:80]!r}.",
            expected=f"Expected a whole number from {least} to {most}.",
            field=name,
        )
    return number
