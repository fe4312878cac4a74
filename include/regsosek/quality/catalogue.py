"""The rule catalogue that statisticians read: ``docs/rules.md`` and, for the rules of the codebook, a page of tables.

Both pages are written by hand but for regions marked ``<!-- generated: NAME -->``. Ids, texts, severities, universes
and sources come from the suites, examples from the scenario tables that the tests hold the rules to.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from regsosek.contract.codebook import ALL_DATASETS, Block, block
from regsosek.contract.documentation import filled, table
from regsosek.quality.examples import Examples, violating_value
from regsosek.quality.generated import CodebookRule, codebook_rules
from regsosek.quality.rules import Rule, rule_from

RULES: Final = Path("docs/rules.md")
CODEBOOK_RULES: Final = Path("docs/rules-codebook.md")
SEVERITY_WORDS: Final = {"critical": "error", "warning": "warning"}

# The first letter of an id, in the order of the page. The second half is generated from the codebook alone.
DOMAINS: Final = {
    "G": "place and frame",
    "F": "family, dates and result",
    "H": "housing",
    "V": "programmes and livestock",
    "P": "persons and roster",
    "N": "NIK",
    "S": "structure of the delivered case",
    "L": "daily reports of the officers (progres)",
    "T": "tags of houses (geotag)",
    "R": "recap of the verified lists (rekap_vk)",
}


@dataclass(frozen=True)
class Catalogue:
    """All rules with their examples."""

    by_hand: Sequence[Rule]
    of_codebook: Sequence[CodebookRule]
    examples: Examples

    @property
    def rules(self) -> list[Rule]:
        """Every rule, those by hand first."""
        return [*self.by_hand, *(each.rule for each in self.of_codebook)]


def read_catalogue(expectations: Path, scenarios: Path) -> Catalogue:
    """Reads the rules by hand from directory ``expectations`` and the examples from directory ``scenarios``."""
    by_hand = [rule for dataset in ALL_DATASETS for rule in _by_hand(expectations / f"{dataset}.json", dataset)]
    of_codebook = [each for dataset in ALL_DATASETS for each in codebook_rules(dataset)]
    return Catalogue(by_hand, of_codebook, Examples.read(scenarios))


def _by_hand(path: Path, dataset: str) -> Iterator[Rule]:
    for expectation in json.loads(path.read_bytes())["expectations"]:
        yield rule_from(dataset, expectation)


def rule_documents(root: Path, catalogue: Catalogue) -> dict[Path, str]:
    """The text that each page of the catalogue below ``root`` must have.

    Raises:
        KeyError: a page marks a region that nothing fills.
    """
    regions: Mapping[str, Callable[[], str]] = {
        "figures": lambda: figures_table(catalogue),
        "index": lambda: index(catalogue),
        "by-hand": lambda: sections(catalogue),
        "codebook": lambda: codebook_tables(catalogue),
    }
    return {root / page: filled((root / page).read_text(encoding="utf-8"), regions) for page in (RULES, CODEBOOK_RULES)}


def figures_table(catalogue: Catalogue) -> str:
    """How many rules there are of each severity, by hand and from the codebook, by dataset."""
    sources = {"by hand": catalogue.by_hand, "from the codebook": [each.rule for each in catalogue.of_codebook]}
    rows = [
        (source, dataset, *(str(sum(r.dataset == dataset and r.severity == s for r in rules)) for s in SEVERITY_WORDS))
        for source, rules in sources.items()
        for dataset in ALL_DATASETS
    ]
    totals = (str(sum(rule.severity == severity for rule in catalogue.rules)) for severity in SEVERITY_WORDS)
    return table(("Rules", "Dataset", "Error", "Warning"), [*rows, ("all", "", *totals)])


def index(catalogue: Catalogue) -> str:
    """Every rule with a name of its own by id, and the others by the item that their id names, linked."""
    links = {rule.id: f"[{rule.id}](#{anchor(rule)})" for rule in catalogue.by_hand}
    links |= {e.rule.id: f"[{e.rule.id}]({CODEBOOK_RULES.name}#{anchor(e.rule)})" for e in catalogue.of_codebook}
    # A number after the letter: the kinds of generated rules (T-301a, R-409) begin with letters too.
    named = {letter: sorted(i for i in links if i[0] == letter and i[1].isdigit()) for letter in DOMAINS}
    by_id = [
        (f"**{letter}** {DOMAINS[letter]}", " · ".join(links[i] for i in ids)) for letter, ids in named.items() if ids
    ]
    return f"{table(('By id', ''), by_id)}\n\n{table(('By item', ''), _items(catalogue))}"


def _items(catalogue: Catalogue) -> Iterator[tuple[str, str]]:
    for dataset, name in _blocks(catalogue):
        first = {e.variable.reference: e.rule for e in reversed(_of_block(catalogue, dataset, name))}
        links = (f"[{item}]({CODEBOOK_RULES.name}#{anchor(rule)})" for item, rule in reversed(first.items()))
        yield f"{dataset}, {name} {_title(catalogue, dataset, name).title_en}", " · ".join(links)


def anchor(rule: Rule) -> str:
    """The anchor of ``rule`` in its page; a form of some versions of the questionnaire has one of its own."""
    return "-".join(("rule", rule.id, *rule.instrument_versions))


def sections(catalogue: Catalogue) -> str:
    """The rules by hand in full, a section for each domain letter."""
    parts = []
    for letter, title in DOMAINS.items():
        rules = sorted((r for r in catalogue.by_hand if r.id.startswith(letter)), key=lambda rule: rule.id)
        if rules:
            parts.append(f"### {letter}: {title}")
            parts += [_entry(rule, catalogue.examples) for rule in rules]
    return "\n\n".join(parts)


def _entry(rule: Rule, examples: Examples) -> str:
    lines = (
        f'<a id="{anchor(rule)}"></a>**{rule.id}** · {SEVERITY_WORDS[rule.severity]} · {rule.dataset}',
        rule.text_en,
        f"*{rule.text_id}*",
        f"Universe: {_predicate(rule.universe)}",
        f"Source: {rule.source}",
        f"Example: {examples.of(rule) or '–'}",
    )
    return "\\\n".join(lines)


def codebook_tables(catalogue: Catalogue) -> str:
    """The rules of the codebook as one table for each block of the questionnaire, in the order of its items."""
    return "\n\n".join(_block(catalogue, dataset, name) for dataset, name in _blocks(catalogue))


def _blocks(catalogue: Catalogue) -> Iterable[tuple[str, str]]:
    return dict.fromkeys((each.variable.dataset, each.variable.block) for each in catalogue.of_codebook)


def _of_block(catalogue: Catalogue, dataset: str, name: str) -> list[CodebookRule]:
    return [e for e in catalogue.of_codebook if (e.variable.dataset, e.variable.block) == (dataset, name)]


def _title(catalogue: Catalogue, dataset: str, name: str) -> Block:
    """The block as the newest version with a rule in it has it."""
    return block(dataset, name, _of_block(catalogue, dataset, name)[-1].version)


_HEADS: Final = ("Item", "Rule", "Severity", "What is wrong", "Universe", "Source", "Example")


def _block(catalogue: Catalogue, dataset: str, name: str) -> str:
    title = _title(catalogue, dataset, name)
    rows = (_row(each, catalogue.examples) for each in _of_block(catalogue, dataset, name))
    return f"### {dataset}, block {name}: {title.title_en} ({title.title_id})\n\n{table(_HEADS, rows)}"


def _row(each: CodebookRule, examples: Examples) -> tuple[str, ...]:
    rule, variable = each.rule, each.variable
    return (
        variable.item or f"`{variable.name}`",
        f'<a id="{anchor(rule)}"></a>{rule.id}{_versions(rule)}',
        SEVERITY_WORDS[rule.severity],
        f"{rule.text_en}<br>*{rule.text_id}*",
        _predicate(rule.universe),
        rule.source,
        examples.of(rule) or f"`{variable.name}` {violating_value(variable, each.kind, each.version)}",
    )


def _versions(rule: Rule) -> str:
    return f" (form {', '.join(rule.instrument_versions)})" if rule.instrument_versions else ""


def _predicate(universe: str) -> str:
    return "every row" if universe == "TRUE" else f"`{universe}`"
