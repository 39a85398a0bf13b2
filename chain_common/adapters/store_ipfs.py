"""A content store on IPFS: a small client of Kubo's HTTP RPC.

Each blob is one raw block, so its CID says the same as the digest on chain. Blocks we write are pinned at our node;
what others wrote is looked for on the network for a bounded time.

References
----------
https://docs.ipfs.tech/reference/kubo/rpc/
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import requests

from chain_common.domain.content_id import MAX_BLOB_BYTES, cid_of, digest_of, require_digest
from chain_common.errors import PayloadRejected, Unavailable
from chain_common.settings import redacted_url
from chain_common.state_errors import BlobTooLarge, ContentMissing

_CONNECT_TIMEOUT_S: Final = 5.0
# Kubo's own answers (keys, versions, errors) are far shorter.
_MAX_ANSWER_BYTES: Final = 64 * 1024
_CHUNK_BYTES: Final = 64 * 1024


class KuboStore:
    """Blocks at a Kubo node, checked against their digest at every read.

    Parameters
    ----------
    url
        Where the node's RPC listens, such as ``http://127.0.0.1:5001``.
    find_timeout_s
        How long the node may look for a block on the network.
    """

    def __init__(self, url: str, *, find_timeout_s: float = 20.0) -> None:
        self._api = url.rstrip("/") + "/api/v0/"
        self._location = redacted_url(url)
        self._find_timeout_s = find_timeout_s

    def __repr__(self) -> str:
        return f"KuboStore({self._location!r})"

    def put(self, blob: bytes) -> bytes:
        """Store and pin a blob and return its digest (32 bytes).

        Raises
        ------
        BlobTooLarge
            Above 1 MiB, the largest block that IPFS nodes exchange.
        Unavailable
            If the node cannot be reached or does not take it.
        """
        if len(blob) > MAX_BLOB_BYTES:
            raise BlobTooLarge(len(blob), MAX_BLOB_BYTES)
        digest = digest_of(blob)
        options = {"cid-codec": "raw", "mhtype": "sha2-256", "mhlen": "32", "pin": "true"}
        with self._post("block/put", options, blob=blob) as response:
            self._require_ok(response)
            key = self._json(response).get("Key")
        if key != cid_of(digest):
            raise Unavailable(
                f"The node at {self._location} stored the content as {str(key)[:80]!r}.",
                expected=f"Expected {cid_of(digest)}.",
                do="Check that CHAIN_STORAGE_URL names a Kubo node's RPC.",
            )
        return digest

    def get(self, digest: bytes) -> bytes:
        """Return the blob.

        Raises
        ------
        ContentMissing
            If the node does not find it in time.
        PayloadRejected
            If what it returns is something else, or longer than a block.
        Unavailable
            If the node cannot be reached.
        """
        options = {"arg": cid_of(digest), "timeout": f"{self._find_timeout_s:g}s"}
        with self._post("block/get", options) as response:
            if not response.ok:
                raise self._missing(digest, response)
            blob = self._read(response, MAX_BLOB_BYTES)
        return require_digest(blob, digest)

    def has(self, digest: bytes) -> bool:
        """Tell whether our node holds the blob; it does not ask the network."""
        try:
            with self._post("block/stat", {"arg": cid_of(digest), "offline": "true"}) as response:
                return response.ok
        except Unavailable:
            return False

    def check(self) -> None:
        """Raise ``Unavailable`` if the node cannot be reached."""
        with self._post("version", {}) as response:
            self._require_ok(response)
            self._json(response)

    def location(self) -> str:
        """Return the node's URL without credentials."""
        return self._location

    @contextmanager
    def _post(
        self, command: str, options: Mapping[str, str], *, blob: bytes | None = None
    ) -> Iterator[requests.Response]:
        # A session for each call, as sessions are not meant to be shared by threads. It ignores proxies and .netrc:
        # an RPC is an administrator's door and is reached directly.
        with requests.Session() as session:
            session.trust_env = False
            try:
                response = session.post(
                    self._api + command,
                    params=dict(options),
                    files=None if blob is None else {"data": ("blob", blob, "application/octet-stream")},
                    timeout=(_CONNECT_TIMEOUT_S, self._find_timeout_s + _CONNECT_TIMEOUT_S),
                    stream=True,
                    allow_redirects=False,
                )
            except requests.RequestException as error:
                raise self._away(error) from error
            with response:
                yield response

    def _read(self, response: requests.Response, limit: int) -> bytes:
        received = bytearray()
        try:
            for chunk in response.iter_content(_CHUNK_BYTES):
                received += chunk
                if len(received) > limit:
                    raise PayloadRejected(
                        f"The store at {self._location} returned more than {limit} bytes.",
                        do="It is no block of ours; try another store.",
                    )
        except requests.RequestException as error:
            raise self._away(error) from error
        return bytes(received)

    def _json(self, response: requests.Response) -> dict[str, Any]:
        raw = self._read(response, _MAX_ANSWER_BYTES)
        try:
            answer = json.loads(raw)
        except (ValueError, RecursionError):
            answer = None
        if not isinstance(answer, dict):
            raise Unavailable(
                f"What answers at {self._location} is not a Kubo node.",
                do="Check CHAIN_STORAGE_URL and its port.",
            )
        return answer

    def _require_ok(self, response: requests.Response) -> None:
        if not response.ok:
            raise Unavailable(
                f"The node at {self._location} refused: {self._message(response)}.",
                do="Check CHAIN_STORAGE_URL, and the node's disk and settings.",
            )

    def _missing(self, digest: bytes, response: requests.Response) -> Unavailable:
        message = self._message(response)
        if any(sign in message for sign in ("not found", "could not find", "deadline exceeded", "timed out")):
            return ContentMissing(cid_of(digest), self._location)
        return Unavailable(f"The node at {self._location} refused: {message}.", do="Check the node and try again.")

    def _message(self, response: requests.Response) -> str:
        """Return what the node says about a failure; Kubo puts it into JSON, a proxy before it need not."""
        try:
            message = self._json(response).get("Message")
        except (Unavailable, PayloadRejected):
            message = None
        return str(message)[:300] if message else f"HTTP status {response.status_code}"

    def _away(self, error: requests.RequestException) -> Unavailable:
        kind = "does not answer in time" if isinstance(error, requests.Timeout) else "cannot be reached"
        return Unavailable(
            f"The content store at {self._location} {kind}.",
            do="Start the node (ipfs daemon), or set CHAIN_STORAGE_URL to another store.",
        )
