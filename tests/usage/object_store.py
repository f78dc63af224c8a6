"""An object store on loopback for tests, and lakes on it."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from moto.server import ThreadedMotoServer

from bellwether.usage.lake import Lake, lake_at

NO_ACCOUNT = {"AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": os.devnull, "AWS_DEFAULT_REGION": "us-east-1"}


class Store:
    """A running store with one bucket."""

    def __init__(self, url: str) -> None:
        self.options: dict[str, Any] = {
            "endpoint_url": url,
            "key": "an-id",
            "secret": "a-secret",
        }
        self.bucket = f"lakes-{secrets.token_hex(4)}"
        lake = lake_at(f"s3://{self.bucket}/x", options=self.options, work=Path(os.devnull))
        self.filesystem = lake.root.fs  # type: ignore[union-attr]
        self.filesystem.mkdir(self.bucket)

    def location(self, prefix: str) -> str:
        return f"s3://{self.bucket}/{prefix}"

    def lake(self, prefix: str, work: Path) -> Lake:
        return lake_at(self.location(prefix), options=self.options, work=work)

    def content(self, prefix: str) -> dict[str, bytes]:
        """Return every object below `prefix` by its path there."""
        top = f"{self.bucket}/{prefix}"
        return {key.removeprefix(f"{top}/"): self.filesystem.cat_file(key) for key in self.filesystem.find(top)}


@contextmanager
def running_store() -> Iterator[Store]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    with patch.dict(os.environ, NO_ACCOUNT):
        server.start()
        host, port = server.get_host_and_port()
        try:
            yield Store(f"http://{host}:{port}")
        finally:
            server.stop()
