"""Mail, page, table, JSON and API of one night say the same word and the same number of every region."""

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import date
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from local_services.mail_sink import MailSink
from regsosek.alerts.conditions.operator_actions import Verb
from regsosek.alerts.nightly import alert_provinces, read_digest
from regsosek.alerts.persistence.operating import take
from regsosek.geography.frame import SIMULATED
from regsosek.geography.provinces import provinces
from regsosek.night import dag_steps, nightly
from regsosek.night.outcome import Outcome
from regsosek.night.run_request import RunRequest
from regsosek.release import build
from regsosek.release.site import pages
from regsosek.release.site.language import LANGUAGES
from regsosek.statistics.definitions.definitions import definitions
from regsosek.statistics.measures.status import status_words
from regsosek.warehouse import tables
from support.checks.site_outline import Outline
from support.worlds.field_world import PROVINCE, FieldWorld, family
from support.worlds.published_world import FIRST, PUBLISHED_RULES, SECOND, THIRD, read, receive, release, table
from support.worlds.served_portal import API, NATIONAL, Portal

KEPT_RULES = PUBLISHED_RULES
TABLES_ALONE = True
KABKOTA = "6403"
LABELS = sorted((each.label.id for each in status_words().values()), key=len, reverse=True)
GAP = re.compile(rf"selisih (\S+) keluarga: ({'|'.join(map(re.escape, LABELS))})")
# Families visited by the end of each night, of 120 in the province and 220 in the kab/kota; planned are 28, 32, 36 %.
VISITED = {FIRST: 9, SECOND: 22, THIRD: 36}


STANDS = [
    definitions()[field].column
    for field in ("code", "visited", "plan_percent", "gap_points", "gap_families", "days_behind", "status")
]
INDONESIAN = LANGUAGES[0]
Row = Mapping[str, Any]


@pytest.fixture
def measured(world: FieldWorld, tmp_path: Path) -> FieldWorld:
    """The kab/kota has a target of its own, large enough to be told of."""
    targets = tmp_path / "targets.csv"
    targets.write_text(f"region,families,sls,source\n{KABKOTA},220,,test\n")
    world.resources = replace(
        world.resources, settings=world.resources.settings.model_copy(update={"region_targets_file": targets})
    )
    return world


def delivered(world: FieldWorld, night: date) -> None:
    before = max((n for day, n in VISITED.items() if day < night), default=0)
    receive(world, night, [family(f"D{n}", number=n) for n in range(before + 1, VISITED[night] + 1)])


def open_conditions(world: FieldWorld, night: date) -> dict[str, tuple[str, int]]:
    """Severity and families of BEHIND, by region."""
    query = select(tables.condition).where(
        tables.condition.c.night == night, tables.condition.c.kind == "BEHIND", tables.condition.c.state != "resolved"
    )
    with world.resources.engine.connect() as connection:
        return {row.region_code: (row.severity, row.families) for row in connection.execute(query)}


def told_as(row: Mapping[str, str]) -> tuple[str, int] | None:
    """What a digest tells of a region that stands so in the release."""
    labels = {each.label.id: status for status, each in status_words().items()}
    severity = {"far_behind": "KRITIS", "behind": "PERHATIAN"}.get(labels[row["status"]])
    return severity and (severity, -int(row["selisih_keluarga"]))


def test_a_night_is_told_as_it_is_published(measured: FieldWorld) -> None:
    resources, words = measured.resources, []
    for night in VISITED:
        delivered(measured, night)
        composed = alert_provinces(resources.alerter, resources.settings, night, provinces=[PROVINCE])
        assert not composed.failed
        digest = read_digest(resources.alerter, resources.settings, night, PROVINCE)
        published = release(measured, night)
        province = table(measured, published, "provinsi.csv")[PROVINCE]
        kabkota = table(measured, published, "kabkota.csv")[KABKOTA]
        gap, status = GAP.findall(" ".join(digest.body.split()))[-1]
        assert (int(gap.replace("−", "-")), status) == (int(province["selisih_keluarga"]), province["status"])
        expected = {PROVINCE: told_as(province), KABKOTA: told_as(kabkota)}
        assert open_conditions(measured, night) == {code: told for code, told in expected.items() if told}
        words.append((province["status"], kabkota["status"]))
        assert not digest.subject.startswith("[AMAN]")
    assert words == [
        ("jauh tertinggal", "jauh tertinggal"),
        ("tertinggal", "tertinggal"),
        ("di bawah rencana (dalam batas)", "tertinggal"),
    ]


def sent(files: Iterable[Path], about: str) -> EmailMessage:
    """A mail to the office or the nation, in Indonesian."""
    found = [message_from_bytes(file.read_bytes(), _class=EmailMessage, policy=policy.default) for file in files]
    return next(each for each in found if re.search(rf"\] {about}, \d+ Okt", each["Subject"]))


def body(mail: EmailMessage) -> str:
    plain = mail.get_body(("plain",))
    assert plain is not None
    return " ".join(plain.get_content().split())


def attached(mail: EmailMessage) -> dict[str, dict[str, str]]:
    """The list of all provinces, its rows by code."""
    [part] = mail.iter_attachments()
    content = part.get_payload(decode=True)
    assert isinstance(content, bytes)
    rows = csv.DictReader(io.StringIO(content.decode("utf-8-sig")), delimiter=";")
    return {row["kode"]: row for row in rows}


def stands(row: Row) -> dict[str, str]:
    """Word and numbers of a region as a table writes them."""
    return {name: _text(row[name]) for name in STANDS}


def _text(value: Any) -> str:
    return "" if value is None else f"{value:.2f}" if isinstance(value, float) else str(value)


def ranked(page: bytes) -> dict[str, dict[str, str]]:
    """What a page ranks: by name, the words of a region's line by the heads of their columns."""
    outline = Outline(page.decode())
    head, *lines = outline.tables["t-urutan"]
    statuses = outline.statuses[: len(lines)]
    return {
        line[0].strip(): {"status": status} | dict(zip(head[1:], line[1:], strict=True))
        for line, status in zip(lines, statuses, strict=True)
    }


def simulated_with_a_curve(measured: FieldWorld, tmp_path: Path) -> None:
    """The kab/kota plans less by the night than its province, and the reference calls itself a simulation."""
    plan = tmp_path / "plan.csv"
    plan.write_text(f"region,day,share_percent,source\n{KABKOTA},7,20,test\n{KABKOTA},31,100,test\n")
    settings = measured.resources.settings.model_copy(update={"plan_file": plan, "quiet_hours": False})
    measured.resources = replace(measured.resources, settings=settings)
    with measured.resources.engine.begin() as connection:
        connection.execute(update(tables.reference_version).values(note=f"{SIMULATED} (seed 7)"))


def is_ranked_as_published(page: bytes, rows: Collection[Row], shown: int) -> None:
    """So many regions stand on a page: of the kab/kota those that have a frame or families."""
    found = ranked(page)
    told = [row for row in rows if row["nama"] in found]
    assert len(told) == shown
    for row in told:
        line = found[row["nama"]]
        assert line["status"] == row["status"]
        for field in ("visited", "plan_percent", "gap_points", "days_behind"):
            number = row[definitions()[field].column]
            written = INDONESIAN.figure(field, float(number) if "." in number else int(number) if number else None)
            assert line[INDONESIAN.name(field)] == written, (row["nama"], field)


def test_mail_page_json_and_api_say_the_same_of_every_region(
    measured: FieldWorld, mail_sink: MailSink, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Through the night's own steps: what is compared was published, sent and served."""
    monkeypatch.setattr(build, "site", pages.site)
    simulated_with_a_curve(measured, tmp_path)
    delivered(measured, FIRST)
    resources, before, codes = measured.resources, set(mail_sink.received()), tuple(each.code for each in provinces())
    published = release(measured, FIRST)
    nightly.notify(resources, Outcome(FIRST, codes, failed={}, publication=None))
    mails = set(mail_sink.received()) - before
    by_level = {name: [*table(measured, published, f"{name}.csv").values()] for name in ("provinsi", "kabkota")}
    client = Portal(resources).seen_by(NATIONAL)
    for level, rows in by_level.items():
        served = client.get(f"{API}/figures", params={"tingkat": level, "limit": 1000}).json()["rows"]
        assert [stands(each) for each in served] == [stands(each) for each in rows], level
    summary = json.loads(read(measured, f"{published.prefix}progres.json"))
    assert [stands(each) for each in summary["provinsi"]] == [stands(each) for each in by_level["provinsi"]]
    is_ranked_as_published(read(measured, f"{published.prefix}index.html"), by_level["provinsi"], shown=34)
    is_ranked_as_published(read(measured, f"{published.prefix}provinsi/{PROVINCE}.html"), by_level["kabkota"], shown=1)
    nation, office = sent(mails, "Nasional"), sent(mails, "Kalimantan Timur")
    listed = {code: (row["status"], row["selisih_keluarga"]) for code, row in attached(nation).items()}
    assert listed == {row["kode"]: (row["status"], row["selisih_keluarga"]) for row in by_level["provinsi"]}
    behind = Counter(row["kode"][:2] for row in by_level["kabkota"] if told_as(row))
    assert {code: int(row["kab_kota_tertinggal"]) for code, row in attached(nation).items()} == {
        code: behind[code] for code in codes
    }
    assert sum(behind.values()) == 1
    [province] = [row for row in by_level["provinsi"] if row["kode"] == PROVINCE]
    [kabkota] = [row for row in by_level["kabkota"] if row["kode"] == KABKOTA]
    gap, status = GAP.findall(body(office))[-1]
    assert (int(gap.replace("−", "-")), status) == (int(province["selisih_keluarga"]), province["status"])
    short = -int(kabkota["selisih_keluarga"])
    assert f"Terbanyak di Kab. Kutai Kartanegara ({short})." in body(office)
    assert summary["simulasi"] and all("DATA SIMULASI" in body(each) for each in (nation, office))


def test_the_nation_reads_what_is_put_off_of_a_province_that_is_told_nothing(
    measured: FieldWorld, mail_sink: MailSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its office snoozed that it is behind: no mail to it, and the nation's list says which kind waits."""
    settings = measured.resources.settings.model_copy(update={"quiet_hours": False})
    resources = measured.resources = replace(measured.resources, settings=settings)
    monkeypatch.setattr(dag_steps, "load_settings", lambda **_: settings)
    codes, said = tuple(each.code for each in provinces()), {}
    for night in (FIRST, SECOND):
        delivered(measured, night)
        before = set(mail_sink.received())
        dag_steps.notify_all(RunRequest(night, codes, alerts=True), {})
        said[night] = set(mail_sink.received()) - before
        with resources.engine.begin() as connection:
            take(connection, f"{PROVINCE}/BEHIND/{PROVINCE}", Verb.SNOOZE, by="sari", reason="helpers are on their way",
                 until=THIRD)  # fmt: skip
    line = "- Kalimantan Timur (64): tertinggal; 1 dari 10 kab/kota tertinggal; ditunda: tertinggal"
    assert line not in body(sent(said[FIRST], "Nasional"))
    assert line in body(sent(said[SECOND], "Nasional")).partition("ATAU DITUNDA")[2]
    assert not [file for file in said[SECOND] if b"X-Envelope-To: prov64" in file.read_bytes()]
