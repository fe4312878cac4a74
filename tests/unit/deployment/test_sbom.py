"""The bill of materials: in step with the lock, the same everywhere, valid by its standard, with fitting licences."""

import json
from collections.abc import Callable
from types import ModuleType

import pytest

from regsosek.settings import PROJECT_ROOT

LOCK = "jinja2==3.1.2 \\\n    --hash=sha256:aa\nnumpy==2.4.6 ; python_version < '3.12' \\\nnumpy==2.5.5 \\\n"
WANTED = "Jinja2>=3  # pages\n"
LICENCES = {"jinja2": "BSD-3-Clause", "numpy": "BSD-3-Clause AND MIT"}


@pytest.fixture(scope="module")
def sbom(command: Callable[[str], ModuleType]) -> ModuleType:
    return command("tools/sbom.py")


def read(name: str) -> str:
    return (PROJECT_ROOT / name).read_text(encoding="utf-8")


def test_the_committed_one_is_what_the_lock_says(sbom: ModuleType) -> None:
    written = sbom.bill(read("requirements.txt"), read("requirements.in"), sbom.known_licences())
    assert written == read("docs/sbom/sbom.cdx.json"), "run `make sbom` and commit it"
    assert sbom.invalid(written) is None


def test_every_package_has_a_licence_that_is_taken(sbom: ModuleType) -> None:
    assert sbom.faults_of(sorted(sbom.pins(read("requirements.txt"))), sbom.known_licences()) == []
    assert sbom.licence_list(sbom.known_licences()) == read("docs/sbom/licences.csv")


def test_every_version_is_in_it_and_what_we_ask_for_hangs_on_us(sbom: ModuleType) -> None:
    made = json.loads(sbom.bill(LOCK, WANTED, LICENCES))
    assert [part["purl"] for part in made["components"]] == [
        "pkg:pypi/jinja2@3.1.2", "pkg:pypi/numpy@2.4.6", "pkg:pypi/numpy@2.5.5",
    ]  # fmt: skip
    assert {"ref": "regsosek", "dependsOn": ["pkg:pypi/jinja2@3.1.2"]} in made["dependencies"]
    assert made["components"][1]["licenses"] == [{"expression": "BSD-3-Clause AND MIT"}]
    assert made["metadata"]["component"]["licenses"] == [{"license": {"id": "Apache-2.0"}}]


def test_the_same_text_until_the_lock_or_a_licence_changes(sbom: ModuleType) -> None:
    first = sbom.bill(LOCK, WANTED, LICENCES)
    assert sbom.bill(LOCK, WANTED, LICENCES) == first
    numbers = {
        json.loads(text)["serialNumber"]
        for text in (
            first,
            sbom.bill(LOCK + "# \n", WANTED, LICENCES),
            sbom.bill(LOCK, WANTED, LICENCES | {"numpy": "MIT"}),
        )
    }
    assert len(numbers) == 3


@pytest.mark.parametrize(
    ("licences", "fault"),
    [
        ({"jinja2": "BSD-3-Clause"}, "numpy: write its licence into licences.csv"),
        ({"jinja2": "BSD-3-Clause", "numpy": "see LICENSE file"}, "numpy: see LICENSE file is no SPDX expression"),
        ({"jinja2": "BSD-3-Clause", "numpy": "AGPL-3.0-only"}, "numpy: AGPL-3.0-only is none of the licences"),
        (LICENCES | {"pandas": "MIT"}, "pandas: it is in the lock no more"),
    ],
)
def test_what_is_refused(sbom: ModuleType, licences: dict[str, str], fault: str) -> None:
    assert any(said.startswith(fault) for said in sbom.faults_of(["jinja2", "numpy"], licences))


@pytest.mark.parametrize(
    ("expression", "refused"),
    [
        ("MIT", False), ("GPL-3.0-only", True), ("MIT OR GPL-3.0-only", False), ("MIT AND GPL-3.0-only", True),
        ("(MIT AND Zlib) OR AGPL-3.0-only", False), ("Artistic-1.0-Perl OR GPL-2.0-or-later", False),
    ],
)  # fmt: skip
def test_one_choice_must_be_taken_whole(sbom: ModuleType, expression: str, refused: bool) -> None:
    assert sbom.refused(expression) is refused


def test_a_new_package_speaks_for_itself_where_it_can(sbom: ModuleType) -> None:
    assert sbom.with_new(["attrs", "no-such-package"], {}) == {"attrs": "MIT", "no-such-package": ""}
    assert sbom.with_new(["attrs"], {"attrs": "ISC", "gone": "MIT"}) == {"attrs": "ISC"}
