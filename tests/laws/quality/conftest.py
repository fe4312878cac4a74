"""The rules that the laws are about."""

import pytest

from regsosek.contract.codebook import DATASETS
from regsosek.quality.rules import Suite, load_suites
from regsosek.settings import PROJECT_ROOT


@pytest.fixture(scope="session")
def all_suites() -> dict[str, Suite]:
    return load_suites(PROJECT_ROOT / "expectations")


@pytest.fixture(scope="session")
def suites(all_suites: dict[str, Suite]) -> dict[str, Suite]:
    """Those of questionnaire K."""
    return {dataset: all_suites[dataset] for dataset in DATASETS}
