"""`regsosek contract check` says of every kind of the hostile corpus what the night says of it."""

from collections.abc import Iterator

import pytest

from checked_folder import no_services, written
from field_world import CompiledJudge
from hostile.corpus import KINDS, deliveries, rules_of_the_corpus
from hostile.draft import NIGHT, SECRETS
from reference_folder import frame_row, write_reference
from regsosek.contract.hostile import HostileKind
from regsosek.night import contract_check
from regsosek.night.contract_check import Asked, Checked, check_delivery
from regsosek.quality.rules import load_suites

# What a delivery alone cannot show: whether the pipeline knows an id.
KNOWN_ON_ARRIVAL = {"id_reused", "supersedes_unknown"}
NO_DELIVERY = {"stray": "folder_misnamed", "unfinished": "manifest_missing"}
# The night knows that there was one; a check reads what lies there.
MANIFEST_TAKEN_AWAY = "manifest_taken_away_after_registration"
pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def checks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Checked]]:
    suites = load_suites(rules_of_the_corpus(tmp_path_factory.mktemp("expectations")))
    reference = write_reference(tmp_path_factory.mktemp("frame"), [frame_row()])
    settings = no_services(tmp_path_factory.mktemp("work"))
    found: dict[str, Checked] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(contract_check, "Judge", CompiledJudge)
        for kind, draft in deliveries():
            folder = written(draft, tmp_path_factory.mktemp("delivered"))
            found[kind.kind] = check_delivery(Asked(folder, settings, suites, NIGHT, reference=reference))
    assert list(settings.scratch.iterdir()) == []
    yield found


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_a_kind_is_told_what_the_night_would_say(checks: dict[str, Checked], kind: HostileKind) -> None:
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


@pytest.mark.parametrize(
    "kind", [each for each in KINDS.values() if each.verdict in {"accepted", "held"}], ids=lambda kind: kind.kind
)
def test_what_is_judged_and_repaired_is_the_night_s(checks: dict[str, Checked], kind: HostileKind) -> None:
    checked = checks[kind.kind]
    repaired: dict[str, int] = {}
    for (_, repair, _), amount in checked.repairs.items():
        repaired[repair] = repaired.get(repair, 0) + amount
    assert {name: n for name, n in repaired.items() if name != "crlf"} == kind.repairs
    assert not kind.rule or kind.rule in {rule for (_, rule, _), n in checked.violations.items() if n}
    if kind.verdict == "accepted":
        assert checked.shares[0].in_error == kind.keluarga.get("quarantined", 0)


def test_no_answer_and_no_name_is_told(checks: dict[str, Checked]) -> None:
    for name, checked in checks.items():
        told = f"{checked.findings} {checked.repairs} {checked.violations}"
        assert [secret for secret in SECRETS if secret in told] == [], name
