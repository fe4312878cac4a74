"""What the lines of the codebook must keep to so that several versions of the questionnaire can stand side by side."""

from collections import Counter, defaultdict
from collections.abc import Iterator

from regsosek.contract.codebook import (
    ALL_DATASETS,
    Variable,
    all_variables,
    block_lines,
    code_list,
    variable_lines,
    variables,
)
from regsosek.contract.instruments import instrument_of, instrument_versions, instruments


def codebook_faults() -> list[str]:
    """What contradicts itself in the codebook, each with its fix; nothing if all is well.

    Raises:
        ConfigurationError: a line names a version that is not known, or none at all.
    """
    found = [fault for dataset in ALL_DATASETS for fault in _forms(dataset)]
    found += [fault for each in instruments() for d in each.datasets for fault in _version(d, each.version)]
    return list(dict.fromkeys([*found, *_shared_lists()]))


def _shared_lists() -> Iterator[str]:
    """The versions of a code list are those of the one instrument that uses it."""
    users: dict[str, set[str]] = defaultdict(set)
    for dataset in ALL_DATASETS:
        for variable in variable_lines(dataset):
            users[variable.codes].add(instrument_of(dataset))
    for name, instrument in users.items():
        if name and len(instrument) > 1:
            yield f"code list {name}: used by {' and '.join(sorted(instrument))}; give each a list of its own"


def _forms(dataset: str) -> Iterator[str]:
    """Faults between the lines of one variable."""
    lines = variable_lines(dataset)
    versions = instrument_versions(instrument_of(dataset))
    for newest in all_variables(dataset):
        places = [place for place, line in enumerate(lines) if line.name == newest.name]
        if places != list(range(places[0], places[0] + len(places))):
            yield f"{dataset}.{newest.name}: its lines lie apart; put them below each other, oldest first"
        forms = [lines[place] for place in places]
        begins = [versions.index(form.span.versions[0]) for form in forms]
        if begins != sorted(begins):
            yield f"{dataset}.{newest.name}: its lines are not in the order of their versions"
        if len({_stored(form) for form in forms}) > 1:
            yield f"{dataset}.{newest.name}: type or class changes between versions; give the new form another name"


def _stored(variable: Variable) -> tuple[str, str]:
    """What decides in which column of which schema a variable is kept."""
    return variable.kind, variable.pii


def _version(dataset: str, version: str) -> Iterator[str]:
    """Faults inside one version."""
    asked = variables(dataset, version)
    for name, count in Counter(v.name for v in asked).items():
        if count > 1:
            yield f"{dataset}.{name}: version {version} has it {count} times; bound its lines by since and until"
    blocks = Counter(b.block for b in block_lines(dataset) if version in b.span.versions)
    for name in dict.fromkeys(v.block for v in asked):
        if blocks[name] != 1:
            yield f"{dataset}, block {name}: version {version} has {blocks[name]} lines for it in blocks.csv"
    for name in dict.fromkeys(v.codes for v in asked if v.codes):
        yield from _code_list(name, version)


def _code_list(name: str, version: str) -> Iterator[str]:
    codes = Counter(code.code for code in code_list(name, version))
    if not codes:
        yield f"code list {name}: version {version} uses it and has no code in it"
    for code, count in codes.items():
        if count > 1:
            yield f"code list {name}: version {version} has code {code} {count} times"
