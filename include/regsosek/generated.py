"""The files that follow from codebook and rules and are committed: which of them are stale."""

from pathlib import Path

from regsosek.contract.documentation import documents
from regsosek.quality.catalogue import read_catalogue, rule_documents
from regsosek.quality.generated import generated_suites
from regsosek.settings import PROJECT_ROOT

# The tables that the tests hold the rules to: an example in the catalogue is a case that was seen to be violated.
SCENARIOS = Path("tests/unit/quality/scenarios")


def stale_files(root: Path = PROJECT_ROOT) -> dict[Path, str]:
    """The generated files below ``root`` that are missing or differ, with the text that they must have."""
    expectations = root / "expectations"
    catalogue = read_catalogue(expectations, root / SCENARIOS)
    expected = generated_suites(expectations) | documents(root) | rule_documents(root, catalogue)
    return {path: text for path, text in expected.items() if not path.exists() or path.read_text("utf-8") != text}
