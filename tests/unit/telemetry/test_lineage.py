"""Lineage leaves beside the work: a receiver that fails or hangs costs seconds at most, and is told of once."""

import logging
import threading
import time
from datetime import date

import pytest
from openlineage.client.event_v2 import RunEvent

from regsosek.night.lineage.events import Facts, Work
from regsosek.telemetry import exporting, lineage
from regsosek.telemetry.lineage import Emitter, ParentRun, wanted

WORK = Work("receive", date(2022, 10, 21), "64", "regsosek", ParentRun.of("regsosek_nightly", "scheduled__1"))


class Client:
    def __init__(self) -> None:
        self.got: list[RunEvent] = []
        self.gate = threading.Event()
        self.gate.set()
        self.broken = False

    def emit(self, event: RunEvent) -> None:
        self.gate.wait()
        if self.broken:
            raise RuntimeError("disk full at /secret/place")
        self.got.append(event)


@pytest.fixture
def client() -> Client:
    return Client()


def emitter(client: Client) -> Emitter:
    return Emitter(client, "regsosek")  # type: ignore[arg-type]


def test_events_are_sent_in_their_order_before_the_end(client: Client) -> None:
    own = emitter(client)
    own.emit(WORK.started)
    own.emit(lambda: WORK.completed(Facts()))
    own.close(5)
    assert [each.eventType.value for each in client.got] == ["START", "COMPLETE"]
    assert len({each.run.runId for each in client.got}) == 1


def test_a_receiver_that_hangs_is_not_waited_for(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    client.gate.clear()
    own = emitter(client)
    began = time.monotonic()
    for _ in range(lineage.WAITING + 10):
        own.emit(WORK.started)
    assert time.monotonic() - began < 2
    began = time.monotonic()
    own.close(0.2)
    assert 0.2 <= time.monotonic() - began < 2
    assert own.faults >= 10
    assert len([each for each in caplog.records if each.levelno >= logging.WARNING]) == 1
    client.gate.set()


def test_faults_are_told_once_by_their_kind_alone(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    client.broken = True
    own = emitter(client)
    own.emit(WORK.started)
    own.emit(WORK.started)
    own.close(5)
    assert own.faults == 2
    assert [each.getMessage() for each in caplog.records if "RuntimeError" in each.getMessage()] != []
    assert "secret" not in caplog.text
    assert caplog.text.count("lineage is incomplete") == 1


def test_an_event_that_cannot_be_made_is_a_fault_and_nothing_else(client: Client) -> None:
    own = emitter(client)

    def broken() -> RunEvent:
        raise LookupError("the ledger is gone")

    own.emit(broken)
    own.close(1)
    assert (own.faults, client.got) == (1, [])


def test_all_processes_of_a_run_name_the_same_parent() -> None:
    assert ParentRun.of("regsosek_nightly", "scheduled__1") == ParentRun.of("regsosek_nightly", "scheduled__1")
    assert ParentRun.of("regsosek_nightly", "scheduled__1") != ParentRun.of("regsosek_nightly", "scheduled__2")
    assert ParentRun.of("regsosek_nightly", "scheduled__1").run_id != ParentRun.of("regsosek", "scheduled__1").run_id


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, False),
        ({"OPENLINEAGE__TRANSPORT": ""}, False),
        ({"OPENLINEAGE_NAMESPACE": "bps"}, False),
        ({"OPENLINEAGE__TRANSPORT__TYPE": "file"}, True),
        ({"OPENLINEAGE_URL": "http://marquez:5000"}, True),
        ({"OPENLINEAGE_URL": "http://marquez:5000", "OPENLINEAGE_DISABLED": "True"}, False),
    ],
)
def test_events_are_made_only_where_the_environment_names_a_transport(environ: dict[str, str], expected: bool) -> None:
    assert wanted(environ) is expected


def test_what_does_not_end_in_time_goes_on_alone(caplog: pytest.LogCaptureFixture) -> None:
    gate = threading.Event()
    began = time.monotonic()
    assert exporting.in_time(gate.wait, 0.1, "the last measures") is False
    assert time.monotonic() - began < 2
    assert "not waited for" in caplog.text
    gate.set()
    assert exporting.in_time(lambda: None, 5, "nothing") is True
