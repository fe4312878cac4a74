"""The soak's law on messages keeps to what a message is, also when a restore gives its ids again."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from soak.laws import LawError, Told, told_once

LETTER = "20221103.platform.{}.7"
TAG = "0123456789abcdef"


class Relay:
    """Keeps what came, as the relay of a soak does."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def take(self, outbox_id: int) -> None:
        number = len(self.received())
        content = f"Message-ID: <{LETTER.format(outbox_id)}.{TAG}@hurt.test>\n\nx"
        (self.folder / f"{number}.eml").write_text(content, encoding="ascii")

    def received(self) -> list[Path]:
        return sorted(self.folder.glob("*.eml"))


def world(outbox_id: int, kind: str = "ops", unclear: int = 0) -> Any:
    rows = [(LETTER.format(outbox_id), f"platform 2022-11-03 {kind}", "sent", unclear)]
    settings = SimpleNamespace(mail_sender="nightly@hurt.test")
    return SimpleNamespace(resources=SimpleNamespace(settings=settings), rows=lambda _: rows)


@pytest.fixture
def relay(tmp_path: Path) -> Any:
    return Relay(tmp_path)


def test_a_message_composed_again_after_a_restore_came_under_its_former_id(relay: Any) -> None:
    told = Told()
    relay.take(50)
    told.before_restore(world(50), relay)
    assert told_once(world(60), relay, told) == 0


def test_a_message_that_goes_again_after_a_restore_is_told(relay: Any) -> None:
    told = Told()
    relay.take(50)
    told.before_restore(world(50), relay)
    relay.take(60)
    with pytest.raises(LawError, match="every message comes once"):
        told_once(world(60), relay, told)
    assert told_once(world(60, unclear=1), relay, told) == 1


def test_another_message_under_an_id_that_is_given_again_must_come_itself(relay: Any) -> None:
    told = Told()
    relay.take(50)
    told.before_restore(world(50), relay)
    with pytest.raises(LawError, match="every message comes once"):
        told_once(world(50, kind="digest"), relay, told)
