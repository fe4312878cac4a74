"""`regsosek contract check` says of every kind of the hostile corpus what the night says of it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from hostile.corpus import KINDS, delivery, rules_of_the_corpus
from hostile.draft import NIGHT, SECRETS
from regsosek.contract.pages.hostile import HostileKind
from regsosek.night.checking import contract_check
from regsosek.night.checking.contract_check import Asked, Checked, check_delivery
from regsosek.quality.rules import load_suites
from support.checks.matrix import sampled
from support.deliveries.checked_folder import no_services, written
from support.deliveries.reference_folder import frame_row, write_reference
from support.worlds.field_world import CompiledJudge

# What a delivery alone cannot show: whether the pipeline knows an id.
KNOWN_ON_ARRIVAL = {"id_reused", "supersedes_unknown"}
NO_DELIVERY = {"stray": "folder_misnamed", "unfinished": "manifest_missing"}
# The night knows that there was one; a check reads what lies there.
MANIFEST_TAKEN_AWAY = "manifest_taken_away_after_registration"
JUDGED = {name: kind for name, kind in KINDS.items() if kind.verdict in {"accepted", "held"}}


@dataclass
class Checker:
    """Checks a delivery of each kind once, when it is first asked for."""

    asked: Callable[[Path], Asked]
    folder: Callable[[], Path]
    found: dict[str, Checked] = field(default_factory=dict)

    def __getitem__(self, kind: str) -> Checked:
        if kind not in self.found:
            self.found[kind] = check_delivery(self.asked(written(delivery(kind), self.folder())))
        return self.found[kind]


@pytest.fixture(scope="module")
def checks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checker]:
    suites = load_suites(rules_of_the_corpus(tmp_path_factory.mktemp("expectations")))
    reference = write_reference(tmp_path_factory.mktemp("frame"), [frame_row()])
    settings = no_services(tmp_path_factory.mktemp("work"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(contract_check, "Judge", CompiledJudge)
        yield Checker(
            lambda folder: Asked(folder, settings, suites, NIGHT, reference=reference),
            lambda: tmp_path_factory.mktemp("delivered"),
        )
    assert list(settings.scratch.iterdir()) == []


@pytest.mark.parametrize("kind", sampled(KINDS, 25))
def test_a_kind_is_told_what_the_night_would_say(checks: Checker, kind: HostileKind) -> None:
    checked = checks[kind.kind]
    reasons = [each.reason for each in checked.findings]
    verdict = "unfinished" if kind.kind == MANIFEST_TAKEN_AWAY else kind.verdict
    if verdict in NO_DELIVERY:
        assert checked.verdict == "not_found"
        assert reasons[0] == NO_DELIVERY[verdict]
    elif kind.verdict == "rejected" and kind.reason not in KNOWN_ON_ARRIVAL:
        assert checked.verdict == "rejected"
        assert reasons[0] == kind.reason
    else:
        assert reasons == []
        assert checked.verdict == ("held" if kind.verdict == "held" else "accepted")


@pytest.mark.parametrize("kind", sampled(JUDGED, 25))
def test_what_is_judged_and_repaired_is_the_night_s(checks: Checker, kind: HostileKind) -> None:
    checked = checks[kind.kind]
    repaired: dict[str, int] = {}
    for (_, repair, _), amount in checked.repairs.items():
        repaired[repair] = repaired.get(repair, 0) + amount
    assert {name: n for name, n in repaired.items() if name != "crlf"} == kind.repairs
    assert not kind.rule or kind.rule in {rule for (_, rule, _), n in checked.violations.items() if n}
    if kind.verdict == "accepted":
        assert checked.shares[0].in_error == kind.keluarga.get("quarantined", 0)


@pytest.mark.parametrize("kind", sampled(KINDS, 25))
def test_no_answer_and_no_name_is_told(checks: Checker, kind: HostileKind) -> None:
    checked = checks[kind.kind]
    told = f"{checked.findings} {checked.repairs} {checked.violations}"
    assert [secret for secret in SECRETS if secret in told] == []
