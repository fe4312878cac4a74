"""The rule catalogue that statisticians read: ``docs/rules.md`` and, for the rules of the codebook, a page of tables.

Both pages are written by hand but for regions marked ``<!-- generated: NAME -->``. Ids, texts, severities, universes
and sources come from the suites, examples from the scenario tables that the tests hold the rules to.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from regsosek.contract.codebook import ALL_DATASETS, Block, block
from regsosek.contract.stream_kinds import MESSAGES, stream_lines, stream_words
from regsosek.quality.examples import Examples, violating_value
from regsosek.quality.generated import CodebookRule, codebook_rules
from regsosek.quality.rules import Rule, expectations_of, rule_from
from regsosek.wording import markdown

RULES: Final = Path("docs/rules.md")
CODEBOOK_RULES: Final = Path("docs/rules-codebook.md")
SEVERITY_WORDS: Final = {"critical": "error", "warning": "warning"}

_WORDS: Final = stream_words(stream_lines())
# The first letter of an id, in the order of the page. The second half is generated from the codebook alone.
QUESTIONNAIRE_DOMAINS: Final = {
    "G": "place and frame",
    "F": "family, dates and result",
    "H": "housing",
    "V": "programmes and livestock",
    "P": "persons and roster",
    "N": "NIK",
    "S": "structure of the delivered case",
}
DOMAINS: Final = QUESTIONNAIRE_DOMAINS | {
    kind.letter: f"{_WORDS[stream].name.en.lower()} ({stream})" for stream, kind in MESSAGES.items()
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
    """Reads the rules by hand from directory ``expectations`` and the examples from directory ``scenarios``.

    Raises:
        ConfigurationError: a dataset has no rules by hand, or they cannot be read.
    """
    by_hand = [rule for dataset in ALL_DATASETS for rule in _by_hand(expectations / f"{dataset}.json", dataset)]
    of_codebook = [each for dataset in ALL_DATASETS for each in codebook_rules(dataset)]
    return Catalogue(by_hand, of_codebook, Examples.read(scenarios))


def _by_hand(path: Path, dataset: str) -> Iterator[Rule]:
    for expectation in expectations_of(path):
        yield rule_from(dataset, expectation)


def rule_documents(root: Path, catalogue: Catalogue) -> dict[Path, str]:
    """The text that each page of the catalogue below ``root`` must have.

    Raises:
        KeyError: a page marks a region that nothing fills.
    """
    regions = _regions(catalogue)
    return {
        root / page: markdown.filled((root / page).read_text(encoding="utf-8"), regions)
        for page in (RULES, CODEBOOK_RULES)
    }


def _regions(catalogue: Catalogue) -> markdown.Regions:
    values = {
        "count": partial(_count, catalogue),
        "severities": SEVERITY_WORDS,
        "datasets": ALL_DATASETS,
        "by_letter": partial(_by_letter, catalogue),
        "sections": partial(_sections, catalogue),
        "blocks": [_block(catalogue, dataset, name) for dataset, name in _blocks(catalogue)],
        "codebook_page": CODEBOOK_RULES.name,
        "anchor": anchor,
        "example": catalogue.examples.of,
        "violating": _violating,
    }
    return markdown.regions(__file__, values)


def _count(catalogue: Catalogue, source: str, dataset: str, severity: str) -> int:
    """How many rules there are of a severity, by hand or from the codebook; of every dataset if it is empty."""
    from_codebook = [each.rule for each in catalogue.of_codebook]
    rules = {"by hand": catalogue.by_hand, "from the codebook": from_codebook, "all": catalogue.rules}[source]
    return sum(rule.severity == severity and dataset in {rule.dataset, ""} for rule in rules)


def _by_letter(catalogue: Catalogue) -> Iterator[tuple[str, str, list[tuple[Rule, str]]]]:
    """Letter and title of each domain that has named rules, these by id, each with the page that it stands on."""
    pages = [(rule, "") for rule in catalogue.by_hand]
    pages += [(each.rule, CODEBOOK_RULES.name) for each in catalogue.of_codebook]
    # A number after the letter: the kinds of generated rules (T-301a, R-409) begin with letters too.
    named = {rule.id: (rule, page) for rule, page in pages if rule.id[1].isdigit()}
    for letter, title in DOMAINS.items():
        if ids := sorted(each for each in named if each[0] == letter):
            yield letter, title, [named[each] for each in ids]


def anchor(rule: Rule) -> str:
    """The anchor of ``rule`` in its page; a form of some versions of the questionnaire has one of its own."""
    return "-".join(("rule", rule.id, *rule.instrument_versions))


def _sections(catalogue: Catalogue) -> Iterator[tuple[str, str, list[Rule]]]:
    """Letter and title of each domain that has rules by hand, and these by id."""
    for letter, title in DOMAINS.items():
        rules = sorted((r for r in catalogue.by_hand if r.id.startswith(letter)), key=lambda rule: rule.id)
        if rules:
            yield letter, title, rules


def _blocks(catalogue: Catalogue) -> Iterable[tuple[str, str]]:
    return dict.fromkeys((each.variable.dataset, each.variable.block) for each in catalogue.of_codebook)


def _block(catalogue: Catalogue, dataset: str, name: str) -> tuple[Block, list[CodebookRule], dict[str, Rule]]:
    """A block as the newest version with a rule in it has it, its rules, and the first rule of each of its items."""
    own = [e for e in catalogue.of_codebook if (e.variable.dataset, e.variable.block) == (dataset, name)]
    first = {each.variable.reference: each.rule for each in reversed(own)}
    return block(dataset, name, own[-1].version), own, dict(reversed(first.items()))


def _violating(each: CodebookRule) -> str:
    return violating_value(each.variable, each.kind, each.version)
