"""What a delivery is judged by: the suites that its receipt, or the decision that freed it, names by hash."""

from collections.abc import Mapping

from regsosek.contract.codebook import codebook_version
from regsosek.errors import ConfigurationError, ReferenceDataError
from regsosek.landing.archive import fetch_archived
from regsosek.night.house import House
from regsosek.quality.rules import Suite, suite_from
from regsosek.warehouse.reference import loaded_versions

SUITE = "suite_"


def suite_versions(suites: Mapping[str, Suite]) -> dict[str, str]:
    """The names and hashes under which ``suites`` stand in a receipt."""
    return {f"{SUITE}{dataset}": suite.version for dataset, suite in suites.items()}


def suites_named(house: House, versions: Mapping[str, str]) -> dict[str, Suite]:
    """The suites that ``versions`` names, from the archive, by dataset."""
    bucket = house.settings.archive_bucket
    with house.scratch("suites") as scratch:
        documents = [
            fetch_archived(house.store, bucket, sha256, scratch / f"{name}.json").read_bytes()
            for name, sha256 in versions.items()
            if name.startswith(SUITE)
        ]
    return {suite.dataset: suite for suite in map(suite_from, documents)}


def require_same(house: House, versions: Mapping[str, str], what: str) -> None:
    """Refuses to judge ``what`` again by another codebook or frame than the first time.

    Raises:
        ReferenceDataError: another frame is loaded.
        ConfigurationError: the codebook is another one.
    """
    if versions["codebook"] != codebook_version():
        raise ConfigurationError(f"{what} was judged by another codebook; check out its version first")
    with house.engine.begin() as connection:
        loaded = loaded_versions(connection)
    if loaded.get("sls") != versions.get("sls"):
        raise ReferenceDataError(
            f"{what} was judged by another frame; load that version with `regsosek reference` first"
        )
