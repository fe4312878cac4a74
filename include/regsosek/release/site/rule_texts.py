"""What the rules say, in both languages: from the suites that the deployment judges by."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from regsosek.quality.rules import load_suites
from regsosek.release.site.language import Code


@dataclass(frozen=True)
class RuleTexts:
    """Texts in Indonesian and English, by dataset and rule."""

    texts: Mapping[tuple[str, str], tuple[str, str]]

    def text(self, dataset: str, rule_id: str, code: Code) -> str:
        """What a rule says; its id where the suite no longer has it."""
        return self.texts.get((dataset, rule_id), (rule_id, rule_id))[0 if code == "id" else 1]


NO_RULES = RuleTexts({})


def rule_texts(directory: Path) -> RuleTexts:
    """The texts of all suites.

    Raises:
        ConfigurationError: a suite is missing or faulty.
    """
    return RuleTexts(
        {
            (dataset, rule.id): (rule.text_id, rule.text_en)
            for dataset, suite in load_suites(directory).items()
            for rule in suite.rules
        }
    )
