"""Laws open no sockets either: they are tests of units, over more examples than one waits for at every change."""

import pytest
from pytest_socket import disable_socket


@pytest.fixture(autouse=True)
def _no_sockets() -> None:
    disable_socket(allow_unix_socket=True)
