"""The files that follow from the codebook and are committed: which of them are stale."""

from pathlib import Path

from regsosek.contract.documentation import documents
from regsosek.quality.generated import generated_suites
from regsosek.settings import PROJECT_ROOT
from regsosek.simulation.documentation import documents as simulation_documents


def stale_files(root: Path = PROJECT_ROOT) -> dict[Path, str]:
    """The generated files below ``root`` that are missing or differ, with the text that they must have."""
    expected = generated_suites(root / "expectations") | documents(root) | simulation_documents(root)
    return {path: text for path, text in expected.items() if not path.exists() or path.read_text("utf-8") != text}
