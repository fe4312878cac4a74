"""Row-level reasons: one SQL pass over each dataset, compiled from the suites that Great Expectations evaluates."""

from collections.abc import Sequence

import duckdb

from regsosek.errors import ParityError
from regsosek.quality.rules import Rule, violation

# An unsigned 64-bit word would do, but a signed cast of its top bit is a trap for readers of the table.
BITS_PER_WORD = 62


def explain(connection: duckdb.DuckDBPyConnection, dataset: str, rules: Sequence[Rule]) -> dict[str, int]:
    """Fills ``<dataset>_reasons`` (``row_no, rule_id, severity``) and counts the violating rows by rule id.

    Raises:
        ParityError: naming the rules that could not be evaluated.
    """
    _evaluate(connection, dataset, rules)
    connection.execute("CREATE OR REPLACE TABLE rule (word INTEGER, bit BIGINT, rule_id VARCHAR, severity VARCHAR)")
    if rules:
        connection.executemany(
            "INSERT INTO rule VALUES (?, ?, ?, ?)",
            [(n // BITS_PER_WORD, 1 << (n % BITS_PER_WORD), rule.id, rule.severity) for n, rule in enumerate(rules)],
        )
    connection.execute(
        f"CREATE OR REPLACE TABLE {dataset}_reasons AS SELECT v.row_no, rule.rule_id, rule.severity "
        f"FROM (SELECT row_no, unnest(words) AS bits, generate_subscripts(words, 1) - 1 AS word "
        f"FROM {dataset}_violations) v "
        f"JOIN rule ON rule.word = v.word AND v.bits & rule.bit <> 0"
    )
    counted = connection.execute(f"SELECT rule_id, count(*) FROM {dataset}_reasons GROUP BY rule_id").fetchall()
    return {rule.id: 0 for rule in rules} | dict(counted)


def _evaluate(connection: duckdb.DuckDBPyConnection, dataset: str, rules: Sequence[Rule]) -> None:
    words = [rules[start : start + BITS_PER_WORD] for start in range(0, len(rules), BITS_PER_WORD)] or [[]]
    masks = [" + ".join(map(_bit, word, range(len(word)))) or "0::BIGINT" for word in words]
    columns = ", ".join(f"{mask} AS w{n}" for n, mask in enumerate(masks))
    any_set = " OR ".join(f"w{n} <> 0" for n in range(len(words)))
    listed = ", ".join(f"w{n}" for n in range(len(words)))
    try:
        connection.execute(
            f"CREATE OR REPLACE TABLE {dataset}_violations AS "
            f"SELECT row_no, [{listed}] AS words FROM (SELECT row_no, {columns} FROM {dataset}) WHERE {any_set}"
        )
    except duckdb.Error as error:
        # The kind of error is enough: its text may quote a value.
        culprits = ", ".join(rule.id for rule in rules if not _can_be_evaluated(connection, dataset, rule))
        raise ParityError(
            f"reasons of {dataset} not computed ({type(error).__name__}): not evaluated: {culprits or 'none alone'}"
        ) from None


def _can_be_evaluated(connection: duckdb.DuckDBPyConnection, dataset: str, rule: Rule) -> bool:
    try:
        connection.execute(f"SELECT count(*) FROM {dataset} WHERE {violation(rule)}").fetchall()
    except duckdb.Error:
        return False
    return True


def _bit(rule: Rule, position: int) -> str:
    return f"CASE WHEN {violation(rule)} THEN {1 << position}::BIGINT ELSE 0::BIGINT END"
