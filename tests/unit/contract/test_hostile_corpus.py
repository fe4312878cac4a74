"""The table of the hostile corpus: a builder for every line, words that exist, and no reason that no kind is about."""

from collections import Counter

import pytest

from hostile.corpus import BUILT_IN, KINDS, deliveries
from hostile.draft import BUILDERS
from regsosek.contract.pages.hostile import HostileKind, hostile_page, read_corpus
from regsosek.contract.reasons import rejection_reasons
from regsosek.contract.repairs import repair_kinds
from regsosek.settings import PROJECT_ROOT

VERDICTS = {"accepted", "rejected", "held", "stray", "unfinished", "later"}
# Decisions of operators, and a reason that is no longer given: no delivery alone ends with them.
DECIDED_BY_PEOPLE = {"rejected_by_operator", "superseded_while_held", "format_unsupported"}
# Of provinces that have a key, which nobody has here: tests/integration/night/test_producers.py.
OF_SIGNATURES = {"signature_missing", "signature_invalid", "signature_untrusted"}


def test_every_kind_has_a_builder_and_every_builder_a_kind() -> None:
    assert set(BUILDERS) == set(KINDS)
    assert {builder.__module__ for builder in BUILDERS.values()} == {module.__name__ for module in BUILT_IN}


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_a_line_is_complete(kind: HostileKind) -> None:
    assert kind.verdict in VERDICTS
    assert (kind.reason in rejection_reasons()) == (kind.verdict == "rejected")
    assert set(kind.repairs) <= set(repair_kinds())
    assert kind.what
    assert kind.why
    if kind.verdict == "accepted":
        assert sum(kind.keluarga.values()) in {3, 0}


def test_every_reason_and_every_repair_has_its_kind() -> None:
    assert {kind.reason for kind in KINDS.values()} - {""} == set(
        rejection_reasons()
    ) - DECIDED_BY_PEOPLE - OF_SIGNATURES
    assert {repair for kind in KINDS.values() for repair in kind.repairs} == set(repair_kinds()) - {"crlf"}


def test_no_two_kinds_share_a_folder() -> None:
    folders = Counter(draft.prefix for _, draft in deliveries())
    assert len(folders) == len(KINDS)


def test_the_page_has_a_line_for_every_kind() -> None:
    rules = {kind.rule: ("in English", "dalam bahasa Indonesia") for kind in KINDS.values()}
    page = hostile_page(PROJECT_ROOT, rules)
    assert [kind.kind for kind in read_corpus(PROJECT_ROOT) if f"| `{kind.kind}` |" not in page] == []
    assert page.count("dalam bahasa Indonesia") == len([kind for kind in KINDS.values() if kind.rule])
