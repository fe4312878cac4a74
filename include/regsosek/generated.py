"""The files that follow from codebook, rules and definitions and are committed: which of them are stale."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from regsosek.alerts.conditions.alert_pages import documents as alert_documents
from regsosek.contract.codebook_check import codebook_faults
from regsosek.contract.pages.documentation import documents
from regsosek.contract.pages.hostile import PAGE, hostile_page
from regsosek.contract.publication import PUBLISHED, publication_faults, publish, published_text, unpublished
from regsosek.errors import ConfigurationError
from regsosek.portal.login.routes_page import routes_page
from regsosek.privacy.records.records_page import documents as record_documents
from regsosek.quality.catalogue import read_catalogue, rule_documents
from regsosek.quality.fit import unfit_rules
from regsosek.quality.generated import generated_suites
from regsosek.quality.hold_limits import regions as limit_regions
from regsosek.quality.odcs import ODCS, odcs_text
from regsosek.quality.rules import load_suites
from regsosek.release.files.satu_data import documents as satu_data_documents
from regsosek.rooms_page import documents as rooms_documents
from regsosek.settings import PROJECT_ROOT
from regsosek.simulation.documentation import documents as simulation_documents
from regsosek.simulation.proof.forecast_proof import documents as forecast_documents
from regsosek.statistics.glossary import documents as glossary_documents
from regsosek.warehouse.access.rights_page import documents as rights_documents

# The tables that the tests hold the rules to: an example in the catalogue is a case that was seen to be violated.
SCENARIOS = Path("tests/unit/quality/scenarios")


def stale_files(root: Path = PROJECT_ROOT, *, besides: Mapping[Path, str] = MappingProxyType({})) -> dict[Path, str]:
    """The generated files below ``root`` that are missing or differ, with the text that they must have.

    Args:
        besides: files whose text only the caller knows, by path.

    Raises:
        ConfigurationError: the codebook contradicts itself, or a published version was changed.
    """
    if faults := codebook_faults() + publication_faults(published_text()):
        raise ConfigurationError("; ".join(faults))
    expectations = root / "expectations"
    catalogue = read_catalogue(expectations, root / SCENARIOS)
    expected = generated_suites(expectations) | documents(root, limit_regions()) | rule_documents(root, catalogue)
    expected |= simulation_documents(root) | glossary_documents(root) | forecast_documents(root)
    expected |= {root / ODCS: odcs_text(catalogue.rules)}
    expected |= routes_page(root)
    expected |= rights_documents(root)
    expected |= alert_documents(root)
    expected |= record_documents(root)
    expected |= rooms_documents(root)
    expected |= satu_data_documents(root, catalogue.rules)
    texts = {rule.id: (rule.text_en, rule.text_id) for rule in catalogue.rules}
    expected |= {root / PAGE: hostile_page(root, texts)}
    expected |= besides
    return {path: text for path, text in expected.items() if not path.exists() or path.read_text("utf-8") != text}


def check_rules(root: Path = PROJECT_ROOT) -> None:
    """Holds the rules by hand to the versions of the questionnaire that they judge.

    Raises:
        ConfigurationError: a rule reads a variable that one of its versions lacks.
    """
    if unfit := unfit_rules(load_suites(root / "expectations")):
        raise ConfigurationError("; ".join(unfit))


def publish_version(name: str, root: Path = PROJECT_ROOT) -> Path:
    """Fixes the form of ``name`` (``INSTRUMENT/VERSION``) and returns the file that now holds its fingerprints.

    Raises:
        ConfigurationError: the version is unknown or published already, or the codebook is faulty.
    """
    path = root / PUBLISHED
    if faults := codebook_faults():
        raise ConfigurationError("; ".join(faults))
    path.write_text(publish(published_text(), name), encoding="utf-8")
    return path


def unpublished_versions() -> list[str]:
    """The versions whose form is not fixed yet."""
    return unpublished(published_text())
