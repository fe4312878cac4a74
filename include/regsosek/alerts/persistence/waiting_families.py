"""The families of a province that wait in quarantine as of a night, from the warehouse: by place, rule and officer."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, replace
from datetime import date
from typing import Any

from sqlalchemy import Connection, text

from regsosek.alerts.conditions.province_figures import (
    CODE_RULES,
    NOBODY,
    CodeDesa,
    OfficerFigures,
    ProvinceFigures,
    RuleViolations,
    Waiting,
)
from regsosek.alerts.conditions.thresholds import Thresholds
from regsosek.alerts.persistence.night_figures import PLACES
from regsosek.warehouse.access.hidden_cases import ERASED_CASES
from regsosek.warehouse.cases.case_state import case_state_steps, revised
from regsosek.warehouse.database import step_tables

# What waits today, and what a later night touched: that may have waited as of the night that is asked for.
_OWN = """
SELECT case_id FROM core.kasus_terkini WHERE province = :province AND waiting IS NOT NULL
UNION
SELECT case_id FROM core.kasus WHERE province = :province AND night > :night
"""
_CODE_RULES = f"({', '.join(map(repr, CODE_RULES))})"
_WAITING = f"""
WITH {PLACES}, {case_state_steps("night", "revised")}
SELECT n.case_id, n.night, n.delivery_id, n.part, n.ppl, coalesce(u.kabkota, '') AS kabkota,
       coalesce(s.id_desa, n.placed_code) AS desa,
       (SELECT min(r.rule_id) FROM quality.reason r
        WHERE r.province = :province AND r.night = n.night AND r.delivery_id = n.delivery_id AND r.part = n.part
              AND r.dataset = 'keluarga' AND r.row_no = n.row_no AND r.rule_id IN {_CODE_RULES}) AS code_rule
FROM newest n JOIN uncontested c USING (case_id)
LEFT JOIN sub_sls s ON s.id_subsls = n.placed_code
LEFT JOIN upward u ON u.region = coalesce(s.id_desa, n.placed_code)
WHERE c.state IN ('quarantined', 'pending') AND n.case_id NOT IN {ERASED_CASES}
"""
# Who breaks a critical rule that a corrected code does not mend.
_ASKED = f"""
SELECT DISTINCT w.case_id
FROM waiting w JOIN quality.reason r ON r.province = :province AND r.night = w.night AND r.delivery_id = w.delivery_id
     AND r.part = w.part AND r.case_id = w.case_id AND r.severity = 'critical' AND r.rule_id NOT IN {_CODE_RULES}
"""
_BY_KABKOTA = """
SELECT kabkota, count(*) AS families, min(night) AS since, count(*) FILTER (WHERE night = :night) AS tonight,
       count(*) FILTER (WHERE code_rule = 'G03') AS new_sls, count(*) FILTER (WHERE code_rule = 'G01') AS wrong_code,
       min(night) FILTER (WHERE code_rule IS NOT NULL) AS code_since,
       count(*) FILTER (WHERE code_rule IS NOT NULL AND night = :night) AS code_tonight,
       count(*) FILTER (WHERE code_alone) AS code_alone,
       count(*) FILTER (WHERE code_alone AND night = :night) AS alone_tonight,
       min(night) FILTER (WHERE NOT code_alone) AS asked_since
FROM (SELECT w.*, w.code_rule IS NOT NULL AND a.case_id IS NULL AS code_alone
      FROM waiting w LEFT JOIN asked a USING (case_id)) own
GROUP BY kabkota
"""
_BY_RULE = """
SELECT w.kabkota, r.rule_id, count(DISTINCT w.case_id) AS rows
FROM waiting w JOIN quality.reason r ON r.province = :province AND r.night = w.night AND r.delivery_id = w.delivery_id
     AND r.part = w.part AND r.case_id = w.case_id AND r.severity = 'critical'
GROUP BY w.kabkota, r.rule_id ORDER BY 3 DESC, 2
"""
_BY_DESA = """
SELECT w.desa AS code, w.kabkota, count(*) AS families, r.name
FROM waiting w JOIN reference.region r ON r.code = w.desa AND r.level = 'desa'
WHERE w.code_rule IS NOT NULL AND w.kabkota <> ''
GROUP BY w.desa, w.kabkota, r.name HAVING count(*) >= :desa_families ORDER BY 3 DESC, 1 LIMIT :most_desa
"""
# What stands in the field may be anything; a code is short.
_BY_OFFICER = """
SELECT ppl AS code, kabkota, count(*) AS waiting FROM waiting LEFT JOIN asked a USING (case_id)
WHERE (code_rule IS NULL OR a.case_id IS NOT NULL) AND ppl ~ '^[0-9A-Za-z]{1,8}$' AND kabkota <> ''
GROUP BY ppl, kabkota HAVING count(*) >= :officer_families ORDER BY 3 DESC, 1, 2 LIMIT :most_officers
"""


def with_waiting(connection: Connection, figures: ProvinceFigures, limits: Thresholds) -> ProvinceFigures:
    """``figures`` with the families that wait in quarantine: of the province, by kab/kota, rule, desa and officer."""
    limit = {
        "desa_families": limits.code.desa_families,
        "most_desa": limits.rows.desa,
        "officer_families": limits.quality.officer_families,
        "most_officers": 10 * limits.rows.officers,
    }
    found = _found(connection, _QUERIES, {"province": figures.province, "night": figures.night, **limit})
    by_kabkota, rules = _by_kabkota(found["kabkota"]), _rules_by_kabkota(found["rule"])
    return replace(
        figures,
        waiting=together(by_kabkota.values()),
        kabkota=tuple(
            replace(each, waiting=by_kabkota.get(each.code, NOBODY), rules=tuple(rules.get(each.code, ())))
            for each in figures.kabkota
        ),
        rules=_rules_of_all(rules),
        code_desa=tuple(CodeDesa(*row) for row in found["desa"]),
        officers=tuple(OfficerFigures(*row) for row in found["officer"]),
    )


def waiting_by_kabkota(connection: Connection, province: str, night: date) -> dict[str, Waiting]:
    """The families of each kab/kota that wait as of ``night``; of cases that were erased since, none."""
    asked = {"province": province, "night": night}
    return _by_kabkota(_found(connection, {"kabkota": _BY_KABKOTA}, asked)["kabkota"])


def _found(connection: Connection, queries: Mapping[str, str], asked: Mapping[str, Any]) -> dict[str, Sequence[Any]]:
    with revised(connection, _OWN, asked), step_tables(connection, {"waiting": _WAITING, "asked": _ASKED}, asked):
        return {name: list(connection.execute(text(query), asked)) for name, query in queries.items()}


def _by_kabkota(rows: Iterable[Any]) -> dict[str, Waiting]:
    return {row.kabkota: Waiting(*row[1:]) for row in rows}


def _rules_by_kabkota(rows: Iterable[Any]) -> dict[str, list[RuleViolations]]:
    """By kab/kota, the rules that its families break; the most families first."""
    found: dict[str, list[RuleViolations]] = {}
    for row in rows:
        found.setdefault(row.kabkota, []).append(RuleViolations(row.rule_id, row.rows))
    return found


def _rules_of_all(parts: Mapping[str, Sequence[RuleViolations]]) -> tuple[RuleViolations, ...]:
    """The rules of the province: a case lies in one kab/kota, or in none that is known."""
    counts: Counter[str] = Counter()
    for each in (rule for own in parts.values() for rule in own):
        counts[each.rule_id] += each.rows
    return tuple(RuleViolations(*each) for each in sorted(counts.items(), key=lambda each: (-each[1], each[0])))


_QUERIES: Mapping[str, str] = {
    "kabkota": _BY_KABKOTA, "rule": _BY_RULE, "desa": _BY_DESA, "officer": _BY_OFFICER,
}  # fmt: skip


def together(parts: Iterable[Waiting]) -> Waiting:
    """The families of several places: counts added up, and the earliest nights."""
    rows = [[getattr(each, field.name) for field in fields(Waiting)] for each in parts]
    columns = zip(*rows, strict=True) if rows else ()
    return Waiting(*(_joined([each for each in column if each is not None]) for column in columns))


def _joined(values: list[Any]) -> Any:
    """The sum of counts, the first of nights; nothing of nothing."""
    if not values:
        return None
    return sum(values) if isinstance(values[0], int) else min(values)
