"""Rules that read what their version of the questionnaire does not have: staging leaves such columns empty."""

import re
from collections.abc import Iterator, Mapping

from regsosek.contract.codebook import all_variables, variables
from regsosek.contract.instruments import datasets_of, instrument_of, instrument_versions
from regsosek.quality.rules import Suite, violation
from regsosek.staging.reading.typing_sql import untyped_column


def unfit_rules(suites: Mapping[str, Suite]) -> list[str]:
    """Every rule that names a variable which a version judged by it lacks, with the fix."""
    return [
        f"{dataset}, rule {rule_id} reads {name}, which version {version} does not have: "
        "give the rule its instrument_versions"
        for dataset, suite in suites.items()
        for version in instrument_versions(instrument_of(dataset))
        for rule_id, name in _absent_in(suite, version)
    ]


def _absent_in(suite: Suite, version: str) -> Iterator[tuple[str, str]]:
    """Rule and variable; the rules of members read answers of their family too."""
    together = datasets_of(instrument_of(suite.dataset), version)
    present = {v.name for dataset in together for v in variables(dataset, version)}
    absent = {v.name for dataset in together for v in all_variables(dataset)} - present
    columns = {column: name for name in absent for column in (name, untyped_column(name))}
    for rule in suite.applying(version):
        read = {columns[word] for word in re.findall(r"\w+", violation(rule)) if word in columns}
        yield from ((rule.id, name) for name in sorted(read))
