"""What an office is told of families in quarantine, held against the families that wait, through whole nights."""

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from local_services.mail_sink import MailSink
from regsosek.alerts.nightly import alert_provinces
from regsosek.night import dag_steps
from regsosek.night.discovery import applicable_rules
from regsosek.night.run_request import RunRequest
from regsosek.warehouse.reference import load_psls
from support.deliveries.families import DESA, PROVINCE, SUBSLS
from support.worlds.field_world import CompiledJudge, Family, FieldWorld, family, faulty, withdrawal

KEPT_RULES = ("C-303", "G01", "G02", "G03")
FIRST = date(2022, 10, 20)  # day 6
KABKOTA = DESA[:4]
PSLS_COLUMNS = ["province", "id_subsls_lama", "id_subsls_baru", "status", "valid_from", "version"]


@pytest.fixture(autouse=True)
def told_world(world: FieldWorld, mail_sink: MailSink, monkeypatch: pytest.MonkeyPatch) -> FieldWorld:
    """The tasks of the DAG on this world."""
    monkeypatch.setattr(applicable_rules, "Judge", CompiledJudge)
    monkeypatch.setattr(dag_steps, "load_settings", lambda **_: world.resources.settings)
    return world


def new_sls(document: str, versi: int = 1, *, number: int = 1) -> Family:
    """A family of an SLS that the frame does not know."""
    return family(document, versi, number=number, id_subsls=DESA + "099900", r105a_sls="0999")


def clean(first: int, count: int) -> list[Family]:
    return [family(f"D{n}", number=n) for n in range(first, first + count)]


def night_of(world: FieldWorld, n: int, families: Sequence[Family], **more: Any) -> str | None:
    """Receives the n-th night and tells of it, as the DAG does."""
    night = FIRST + timedelta(days=n)
    produced = datetime.combine(night, datetime.min.time(), UTC)
    delivered = world.deliver(night, list(families), produced_at=produced, **more) if families else None
    world.run(night)
    dag_steps.notify_all(RunRequest(night, (PROVINCE,), alerts=True), {})
    return delivered


def told(world: FieldWorld, n: int) -> dict[tuple[str, str], str]:
    """Why each condition of families that wait was told in the n-th night, by kind and place."""
    rows = world.rows(
        "SELECT kind, region_code, why FROM alert.told WHERE night = :night AND kind IN ('QUALITY', 'CODE') "
        "AND level IN ('provinsi', 'kabkota')",
        night=FIRST + timedelta(days=n),
    )
    return {(kind, code): why for kind, code, why in rows}


def opened(world: FieldWorld, n: int) -> dict[tuple[str, str], int]:
    """Families of each condition that stands after the n-th night, by kind and place."""
    rows = world.rows(
        "SELECT kind, region_code, families FROM alert.condition WHERE night = :night AND state <> 'resolved' "
        "AND level IN ('provinsi', 'kabkota')",
        night=FIRST + timedelta(days=n),
    )
    return {(kind, code): families for kind, code, families in rows if kind in {"QUALITY", "CODE"}}


def waiting(world: FieldWorld) -> dict[str, int]:
    """Families whose newest document is in quarantine, by the pointer that operators work by: for a code, or else."""
    rows = world.rows("SELECT case_id FROM core.kasus_terkini WHERE waiting IS NOT NULL")
    newest = (
        "SELECT count(*) FROM quality.reason WHERE rule_id IN ('G01', 'G03') AND (delivery_id, row_no) = "
        "(SELECT delivery_id, row_no FROM core.kasus WHERE case_id = :case AND status = 'quarantined' "
        "ORDER BY rank_versi DESC LIMIT 1)"
    )
    coded = [case for (case,) in rows if world.rows(newest, case=case)[0][0]]
    return {"QUALITY": len(rows) - len(coded), "CODE": len(coded)}


def mail(world: FieldWorld, n: int) -> Any:
    [row] = world.rows(
        "SELECT subject, body FROM alert.outbox WHERE night = :night AND recipient_group = 'prov64'",
        night=FIRST + timedelta(days=n),
    )
    return row[0], " ".join(row[1].split())


def test_families_told_of_are_told_as_waiting_until_the_last_of_them_is_corrected(world: FieldWorld) -> None:
    """A night of 5 in 25; one without errors; one that corrects four; one that withdraws the last."""
    night_of(world, 0, [*clean(1, 20), *(faulty(f"D{n}", number=n) for n in range(21, 26))])
    assert told(world, 0) == {("QUALITY", PROVINCE): "new", ("QUALITY", KABKOTA): "new"}
    of_province, of_kabkota = mail(world, 0)[1].split("KAB/KOTA YANG DIDAHULUKAN")
    assert "5 keluarga: " in of_province and re.search(r"5 keluarga: .+ \(aturan \S+\)", of_kabkota)
    night_of(world, 1, clean(101, 25))
    assert told(world, 1) == {}
    assert opened(world, 1) == {("QUALITY", PROVINCE): 5, ("QUALITY", KABKOTA): 5}
    night_of(world, 2, [family(f"D{n}", 2, number=n) for n in range(21, 25)] + clean(201, 60))
    subject, body = mail(world, 2) if told(world, 2) else ("", "")
    assert "eratasi" not in subject + body
    assert opened(world, 2) == {("QUALITY", PROVINCE): 1, ("QUALITY", KABKOTA): 1}
    night_of(world, 3, [withdrawal("D25", 2, number=25)])
    assert told(world, 3) == {("QUALITY", PROVINCE): "recovered", ("QUALITY", KABKOTA): "recovered"}
    assert opened(world, 3) == {}


def test_families_of_an_sls_that_was_split_are_no_condition(world: FieldWorld, tmp_path: Path) -> None:
    """G02 places them at what the SLS became, though that is no single sub-SLS: they are accepted."""
    old = DESA + "000900"
    halves = [(PROVINCE, old, new, 1, "2022-10-18", "2022-10-18") for new in (SUBSLS, DESA + "000200")]
    with world.resources.engine.begin() as connection:
        load_psls(connection, halves, PSLS_COLUMNS, tmp_path)
    split = [family(f"D{n}", number=n, id_subsls=old, r105a_sls="0009") for n in range(1, 13)]
    night_of(world, 0, [*split, *clean(21, 20)])
    with world.resources.engine.begin() as connection:
        connection.execute(text("DELETE FROM reference.psls"))
    assert world.rows("SELECT count(*) FROM quality.reason WHERE rule_id = 'G02'") == [(12,)]
    assert world.rows("SELECT count(*) FROM mart.arrivals WHERE placed_code = :desa", desa=DESA) == [(1,)]
    assert opened(world, 0) == {}


def test_families_of_an_unknown_sls_wait_under_their_code(world: FieldWorld) -> None:
    night_of(world, 0, [*(new_sls(f"D{n}", number=n) for n in range(1, 13)), *clean(21, 60)])
    assert opened(world, 0) == {("CODE", PROVINCE): 12, ("CODE", KABKOTA): 12}
    night_of(world, 1, clean(101, 30))
    assert {key for key in opened(world, 1) if key[0] == "CODE"} == {("CODE", PROVINCE), ("CODE", KABKOTA)}
    assert "recovered" not in told(world, 1).values()


def test_a_night_judged_again_knows_nothing_of_what_was_corrected_later(world: FieldWorld) -> None:
    bad = [*clean(1, 20), *(faulty(f"D{n}", number=n) for n in range(21, 29))]
    night_of(world, 0, bad)
    night_of(world, 1, [family(f"D{n}", 2, number=n) for n in range(21, 29)])
    assert opened(world, 1) == {}
    alert_provinces(world.resources.alerter, world.resources.settings, FIRST, provinces=[PROVINCE])
    assert opened(world, 0) == {("QUALITY", PROVINCE): 8, ("QUALITY", KABKOTA): 8}


NIGHTS = st.lists(
    st.fixed_dictionaries({
        "clean": st.sampled_from([0, 4, 20, 40]),
        "bad": st.sampled_from([0, 1, 5, 9]),
        "coded": st.sampled_from([0, 0, 3, 10]),
        "mended": st.sampled_from([0, 1, 5, 99]),
        "how": st.sampled_from(["clean", "withdrawn", "faulty again", "replaced"]),
    }),
    min_size=3, max_size=3,
)  # fmt: skip


class Field:
    """What was delivered, so that later nights can mend it, spoil it again, withdraw or replace it."""

    def __init__(self) -> None:
        self.families = 0
        self.bad: dict[str, tuple[int, int]] = {}
        self.last: str | None = None

    def night(self, *, clean: int, bad: int, coded: int, mended: int, how: str) -> tuple[list[Family], dict[str, Any]]:
        """What one night delivers, and what beside."""
        chosen = [] if how == "replaced" else list(self.bad)[:mended]
        again = [self._again(document, how) for document in chosen]
        fresh = [*self._new(clean, family), *self._new(bad, faulty), *self._new(coded, new_sls)]
        replaces = how == "replaced" and mended and self.last and fresh
        return [*again, *fresh], {"supersedes": [self.last]} if replaces else {}

    def _again(self, document: str, how: str) -> Family:
        number, versi = self.bad.pop(document)
        if how == "faulty again":
            self.bad[document] = number, versi + 1
        form = {"clean": family, "withdrawn": withdrawal, "faulty again": faulty}[how]
        return form(document, versi + 1, number=number)

    def _new(self, count: int, form: Callable[..., Family]) -> Iterator[Family]:
        for _ in range(count):
            self.families += 1
            document = f"D{self.families}"
            if form is not family:
                self.bad[document] = self.families, 1
            yield form(document, number=self.families)


# A night costs a second: nothing is shrunk.
@settings(
    max_examples=3, deadline=None, derandomize=True, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
)
@given(nights=NIGHTS)
def test_nothing_is_told_as_gone_while_it_waits_and_all_that_wait_are_open_or_few(
    world: FieldWorld, nights: list[dict[str, Any]]
) -> None:
    world.fresh()
    field = Field()
    for n, plan in enumerate(nights):
        families, more = field.night(**plan)
        field.last = night_of(world, n, families, **more) or field.last
        stock, stands = waiting(world), opened(world, n)
        gone = {kind for (kind, _), why in told(world, n).items() if why == "recovered"}
        assert not [kind for kind in gone if stock[kind]], (n, plan)
        [(visited,)] = world.rows("SELECT coalesce(max(visited), 0) FROM mart.total WHERE code = :p", p=PROVINCE)
        few = {"QUALITY": max(4, 0.05 * visited), "CODE": max(2, 0.005 * visited)}
        for kind, families_waiting in stock.items():
            unless_few = families_waiting if families_waiting <= few[kind] or visited < 20 else None
            assert stands.get((kind, PROVINCE), unless_few) == families_waiting, (n, plan)
