"""The content store that a URL names."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from chain_common.adapters.store_ipfs import KuboStore
from chain_common.adapters.store_local import LocalStore
from chain_common.errors import BadInput
from chain_common.ports import ContentStore
from chain_common.settings import redacted_url


def open_store(url: str) -> ContentStore:
    """Return the store of a URL; nothing is connected yet (see :meth:`ContentStore.check`).

    Parameters
    ----------
    url
        ``file:///a/folder``, or ``http://host:port`` of a Kubo node's RPC.

    Raises
    ------
    BadInput
        If the URL is of another kind.
    """
    parts = urlsplit(url)
    if parts.scheme == "file" and parts.path and parts.netloc in ("", "localhost"):
        return LocalStore(Path(url2pathname(parts.path)))
    if parts.scheme in ("http", "https") and parts.hostname:
        return KuboStore(url)
    raise BadInput(
        f"{redacted_url(url)!r} names no content store.",
        expected="Expected file:///a/folder or the URL of a Kubo node such as http://127.0.0.1:5001.",
        do="Correct CHAIN_STORAGE_URL.",
        field="CHAIN_STORAGE_URL",
    )
