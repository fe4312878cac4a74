"""Data over their time: what goes, what a case still needs, and that no figure moves."""

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from regsosek.errors import ConfigurationError
from regsosek.geography.calendar import field_windows
from regsosek.night.erasure.limiting import lift_limit, limit_case
from regsosek.privacy.retention import Due, due, end, rules
from support.deliveries.families import PROVINCE
from support.worlds.field_world import FieldWorld, family, faulty
from support.worlds.published_world import FIRST, PUBLISHED_RULES, SECOND, THIRD, receive, release

TABLES_ALONE = True
KEPT_RULES = PUBLISHED_RULES
NIK = "6472015505800078"
WINDOWS = {PROVINCE: field_windows()[PROVINCE]}
SOON, LATE = SECOND + timedelta(days=70), date(2025, 1, 1)
MESSAGE = (
    "INSERT INTO alert.outbox (recipient_group, night, kind, language, subject, body, html, attachments, fingerprint, "
    "urgent, state, composed_at) VALUES (:kind, '2022-10-21', :kind, 'id', 's', 'b', 'h', '[1]', 'f', false, :kind, "
    "'2022-10-21') RETURNING id"
)


def ended(world: FieldWorld, today: date) -> dict[str, int]:
    found: list[Due] = list(end(world.resources.engine, WINDOWS, rules(), today, by="sari", reason="term"))
    return {each.rule.name: each.rows for each in found}


def told(world: FieldWorld, today: date) -> dict[str, int]:
    with world.resources.engine.connect() as connection:
        return {each.rule.name: each.rows for each in due(connection, WINDOWS, rules(), today)}


def kept(world: FieldWorld, query: str) -> Any:
    return world.rows(query)[0][0]


def test_what_is_over_its_time_goes_and_no_figure_moves(world: FieldWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    row, members = family("A")
    numbered = (row, [member | {"r403_nik": NIK} for member in members])
    receive(world, FIRST, [numbered, faulty("B", number=2), family("C", number=3), faulty("D", number=4)])
    receive(world, SECOND, [faulty("C", 2, number=3), family("D", 2, number=4)])  # C waits, D is well
    published = release(world, SECOND).content_hash
    quarantined = kept(world, "SELECT count(*) FROM restricted.quarantined")
    with world.resources.engine.begin() as connection:
        for state in ("sent", "waiting"):
            number = connection.execute(text(MESSAGE), {"kind": state}).scalar_one()
            connection.execute(
                text(
                    "INSERT INTO alert.delivery (outbox_id, channel, role, address, backup_of, state) "
                    "VALUES (:id, 'mail', 'operasional', 'a@bps.example', '', :state)"
                ),
                {"id": number, "state": state},
            )
    assert told(world, SECOND + timedelta(days=7)) == {}
    assert told(world, SOON) == {"quarantined": 3}  # of D, its members too; B and C wait
    with monkeypatch.context() as killed, pytest.raises(ConfigurationError):
        killed.setattr("regsosek.privacy.retention.retention_run.insert", _killed)
        ended(world, SOON)
    assert ended(world, SOON) == {"quarantined": 3}
    assert (ended(world, SOON), told(world, SOON)) == ({}, {})
    limit_case(world.resources, PROVINCE, "A", request="P-1", by="sari", reason="what it says is disputed")
    assert ended(world, LATE) == {"identities": 3, "messages": 1}  # of D; C waits, and A is disputed
    lift_limit(world.resources, PROVINCE, "A", by="sari", reason="settled")
    assert ended(world, LATE) == {"identities": 3}
    assert kept(world, "SELECT count(*) FROM restricted.keluarga_identity") == 1
    assert kept(world, "SELECT count(*) FROM restricted.quarantined") == quarantined
    letters = "SELECT o.state, body, address FROM alert.outbox o JOIN alert.delivery d ON d.outbox_id = o.id ORDER BY 1"
    assert world.rows(letters) == [("sent", "", ""), ("waiting", "b", "a@bps.example")]
    noted = world.rows('SELECT class, rows, "by", reason FROM ledger.retention_run ORDER BY id')
    assert noted[0] == ("quarantined", 3, "sari", "term")
    assert release(world, SECOND).content_hash == published
    receive(world, THIRD, [numbered])  # what it said is known by its hash
    assert (
        kept(world, "SELECT duplicate FROM ledger.delivery_count ORDER BY delivered_on DESC, dataset DESC LIMIT 1") == 1
    )


def _killed(*_: object) -> None:
    raise ConfigurationError("killed")
