"""The verdict on one part: every rule evaluated twice, the two counts compared, each case judged as a whole.

A case is a family with its members; a message of a stream stands alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import duckdb

from regsosek.contract.codebook import DATASETS
from regsosek.contract.instruments import QUESTIONNAIRE, datasets_of
from regsosek.errors import ParityError
from regsosek.quality.engine import Validator
from regsosek.quality.hold_limits import ErrorShare
from regsosek.quality.reasons import explain
from regsosek.quality.rules import Rule, Suite


@dataclass(frozen=True)
class RuleCount:
    """How many rows of one part violate one rule."""

    dataset: str
    rule_id: str
    severity: str
    violations: int


class Judge:
    """Judges the parts of deliveries of one version of an instrument, one after the other, on one DuckDB."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        suites: Mapping[str, Suite],
        version: str,
        instrument: str = QUESTIONNAIRE,
    ) -> None:
        self._connection = connection
        self._datasets = datasets_of(instrument, version)
        self._rules: dict[str, tuple[Rule, ...]] = {d: suites[d].applying(version) for d in self._datasets}
        self._validators: dict[str, Validator] = {}

    def judge(self) -> tuple[RuleCount, ...]:
        """Evaluates all rules on the staged part and fills table ``verdict``.

        ``verdict`` has one row per family row that is not withdrawn (of a stream: per message): ``keluarga_row``
        (``row_no``), and ``status`` with the words of BPS, ``error``, ``warning`` or ``clean``: one error anywhere in
        family or roster is an error of the case.

        Raises:
            ParityError: a rule could not be evaluated, or Great Expectations and SQL count differently.
        """
        counts = tuple(count for dataset in self._datasets for count in self._judge_dataset(dataset))
        self._connection.execute(_VERDICT if self._datasets == DATASETS else _of_messages(*self._datasets))
        return counts

    def _judge_dataset(self, dataset: str) -> list[RuleCount]:
        rules = self._rules[dataset]
        compiled = explain(self._connection, dataset, rules)
        if self._connection.execute(f"SELECT 1 FROM {dataset} LIMIT 1").fetchone() is None:
            # Great Expectations gives no count where there are no rows, as in a part of nothing but withdrawals.
            return [RuleCount(dataset, rule.id, rule.severity, 0) for rule in rules]
        if dataset not in self._validators:
            self._validators[dataset] = Validator(self._connection, dataset, rules)
        check_parity(self._validators[dataset].counts(), compiled)
        return [RuleCount(dataset, rule.id, rule.severity, compiled[rule.id]) for rule in rules]


def check_parity(verdicts: Mapping[str, int | None], compiled: Mapping[str, int]) -> None:
    """Compares what Great Expectations counted with what the compiled SQL counted.

    Raises:
        ParityError: naming every rule that was not evaluated or differs. Our fault, never the province's.
    """
    faults = [f"{rule_id}: not evaluated" for rule_id in compiled if verdicts.get(rule_id) is None]
    faults += [
        f"{rule_id}: Great Expectations {verdicts[rule_id]}, SQL {n}"
        for rule_id, n in compiled.items()
        if verdicts.get(rule_id) not in {None, n}
    ]
    if faults:
        raise ParityError("rules without a trustworthy verdict: " + "; ".join(faults))


def error_shares(connection: duckdb.DuckDBPyConnection, datasets: Sequence[str] = DATASETS) -> tuple[ErrorShare, ...]:
    """How many cases and members of the judged part are in error, of how many; withdrawn documents are not judged.

    A case is in error with any row of it, a member only with an error of its own. Of a stream: its messages.
    """
    [cases] = connection.execute("SELECT count(*), count(*) FILTER (status = 'error') FROM verdict").fetchall()
    if tuple(datasets) != DATASETS:
        return (ErrorShare(datasets[0], *cases),)
    [members] = connection.execute(
        "SELECT (SELECT count(*) FROM anggota), count(DISTINCT row_no) FROM anggota_reasons WHERE severity = 'critical'"
    ).fetchall()
    return ErrorShare("keluarga", *cases), ErrorShare("anggota", *members)


_VERDICT = """
CREATE OR REPLACE TABLE verdict AS
WITH reasons AS (
    SELECT row_no AS keluarga_row, severity FROM keluarga_reasons
    UNION ALL
    SELECT a.keluarga_row, r.severity FROM anggota_reasons r JOIN anggota a ON a.row_no = r.row_no
),
worst AS (SELECT keluarga_row, bool_or(severity = 'critical') AS error FROM reasons GROUP BY keluarga_row)
SELECT k.row_no AS keluarga_row,
       CASE WHEN w.error THEN 'error' WHEN NOT w.error THEN 'warning' ELSE 'clean' END AS status
FROM keluarga k LEFT JOIN worst w ON w.keluarga_row = k.row_no
"""


def _of_messages(dataset: str) -> str:
    return f"""
CREATE OR REPLACE TABLE verdict AS
WITH worst AS (SELECT row_no, bool_or(severity = 'critical') AS error FROM {dataset}_reasons GROUP BY row_no)
SELECT m.row_no, CASE WHEN w.error THEN 'error' WHEN NOT w.error THEN 'warning' ELSE 'clean' END AS status
FROM {dataset} m LEFT JOIN worst w USING (row_no)
"""
