"""`regsosek contract check`: everything that is wrong with a delivery, told before it is sent, without any service."""

import csv
import json
from datetime import date
from pathlib import Path
from shutil import copytree

import pytest
from typer.testing import CliRunner

from hostile.draft import NIGHT, SECRETS, Draft, clean, household
from regsosek.cli.main import app
from regsosek.contract.manifest import MANIFEST_NAME, SIGNATURE_NAME
from regsosek.contract.pages.documentation import EXAMPLE
from regsosek.errors import ReferenceDataError
from regsosek.landing.discovery import DeliveryFolder
from regsosek.landing.producer_keys import require_signature, trusted_keys
from regsosek.minisign import Signer
from regsosek.night.checking import contract_check
from regsosek.night.checking.contract_check import Asked, CaseReason, Checked, check_delivery
from regsosek.quality.rules import Suite, load_suites
from regsosek.settings import PROJECT_ROOT
from regsosek.simulation.field.campaign import Campaign
from regsosek.simulation.output.sinks import DirectorySink, SigningSink
from regsosek.simulation.simulate import simulate
from support.checks.matrix import FULL
from support.deliveries.checked_folder import no_services, written
from support.deliveries.families import DESA
from support.deliveries.reference_folder import frame_row, write_reference
from support.worlds.field_world import CompiledJudge, few_rules

EXAMPLE_FOLDER = next((PROJECT_ROOT / EXAMPLE).rglob("manifest.json")).parent


@pytest.fixture(scope="module")
def suites() -> dict[str, Suite]:
    return load_suites(PROJECT_ROOT / "expectations")


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contract_check, "Judge", CompiledJudge)


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("WAREHOUSE_URL", "S3_ENDPOINT_URL", "S3_ACCESS_KEY_ID", "S3_SECRET_ACCESS_KEY", "HMAC_KEY"):
        monkeypatch.delenv(f"REGSOSEK_{name}", raising=False)
    monkeypatch.setenv("REGSOSEK_ENV_FILE", str(tmp_path / "none.env"))
    monkeypatch.setenv("REGSOSEK_WORK_DIR", str(tmp_path / "work"))


def checked(folder: Path, suites: dict[str, Suite], tmp_path: Path, reference: Path | None = None) -> Checked:
    return check_delivery(Asked(folder, no_services(tmp_path / "work"), suites, NIGHT, reference=reference))


def reasons(found: Checked) -> list[str]:
    return [each.reason for each in found.findings]


def two_parts() -> Draft:
    draft = clean(1)
    draft.parts = [[household(1, 1)], [household(1, 2)], [household(1, 3)]]
    draft.pack()
    return draft


@pytest.mark.usefixtures("compiled")
def test_every_fault_is_told_at_once(suites: dict[str, Suite], tmp_path: Path) -> None:
    draft = two_parts()
    draft.manifest["province"] = "63"
    draft.files["keluarga-00001.csv.gz"] += b"!"
    draft.entry("keluarga", 3)["sha256"] = "0" * 64
    del draft.files["anggota-00001.csv.gz"]
    draft.rewrite(lambda packed: packed[:-20], "anggota", 2)
    found = checked(written(draft, tmp_path), suites, tmp_path)
    of_manifest = ["wrong_province", "file_size", "file_missing", "file_altered"]
    assert reasons(found) == [*of_manifest, "file_unreadable", "file_unreadable"]
    assert found.verdict == "rejected"
    assert found.judged_parts == 1
    assert found.shares[0].judged == 1


def test_every_fault_of_a_manifest_is_told(suites: dict[str, Suite], tmp_path: Path) -> None:
    draft = two_parts()
    for file in draft.manifest["files"]:
        file["rows"], file["sha256"] = "1", "no hash"
    [finding] = checked(written(draft, tmp_path), suites, tmp_path).findings
    assert finding.reason == "manifest_invalid"
    assert finding.detail.count("files.") == 12


@FULL
@pytest.mark.usefixtures("compiled")
def test_repeats_are_counted_over_the_parts(suites: dict[str, Suite], tmp_path: Path) -> None:
    draft = two_parts()
    for row, members in (draft.parts[2][0],):
        for each in (row, *members):
            each["r110_no_keluarga"] = "001"
    draft.pack()
    found = checked(written(draft, tmp_path), suites, tmp_path)
    assert found.violations["keluarga", "F04", "critical"] == 2


@FULL
@pytest.mark.usefixtures("compiled")
def test_rules_on_the_frame_are_judged_with_a_frame_alone(suites: dict[str, Suite], tmp_path: Path) -> None:
    draft = clean(1)
    folder = written(draft, tmp_path)
    without = checked(folder, suites, tmp_path)
    assert without.unjudged == ("G02", "G03")
    assert without.verdict == "accepted"
    assert without.shares[0].in_error == 0
    other = write_reference(tmp_path / "other", [frame_row(id_subsls=DESA + "000900")])
    unknown = checked(folder, suites, tmp_path, other)
    assert unknown.violations["keluarga", "G03", "critical"] == 3
    known = checked(folder, suites, tmp_path, write_reference(tmp_path / "own", [frame_row()]))
    assert known.unjudged == ()
    assert known.violations["keluarga", "G03", "critical"] == 0


@pytest.mark.usefixtures("compiled")
def test_a_reference_without_a_frame_is_refused(suites: dict[str, Suite], tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(ReferenceDataError, match="reference/sls"):
        checked(written(clean(1), tmp_path), suites, tmp_path, tmp_path / "empty")


@pytest.mark.usefixtures("compiled")
def test_a_folder_outside_of_the_layout_is_placed_by_its_manifest(suites: dict[str, Suite], tmp_path: Path) -> None:
    folder = written(clean(1), tmp_path)
    moved = folder.rename(tmp_path / "kiriman")
    found = checked(moved, suites, tmp_path)
    assert found.verdict == "accepted"
    assert found.folder is not None
    assert found.folder.delivered_on == date(2022, 10, 20)


@pytest.mark.usefixtures("compiled")
def test_what_the_manifest_does_not_name_is_counted(suites: dict[str, Suite], tmp_path: Path) -> None:
    folder = written(clean(1), tmp_path)
    (folder / "Thumbs.db").write_bytes(b"")
    (folder / "catatan.xlsx").write_bytes(b"")
    found = checked(folder, suites, tmp_path)
    assert (found.besides, found.verdict) == (1, "accepted")


@pytest.mark.usefixtures("compiled")
def test_rows_that_break_rules_are_listed_by_their_keys(suites: dict[str, Suite], tmp_path: Path) -> None:
    draft = clean(1)
    draft.change(r303_lantai="99")
    draft.change("anggota", r405_jenis_kelamin="")
    taken: list[CaseReason] = []
    asked = Asked(written(draft, tmp_path), no_services(tmp_path / "work"), suites, NIGHT)
    check_delivery(asked, cases=taken.extend)
    assert CaseReason(1, "keluarga", 1, "H001-1", "C-303", "critical") in taken
    assert CaseReason(1, "anggota", 1, "H001-1", "U-405", "critical") in taken
    assert [secret for secret in SECRETS if secret in str(taken)] == []


@FULL
@pytest.mark.usefixtures("compiled")
def test_the_simulator_s_deliveries_would_be_accepted(suites: dict[str, Suite], tmp_path: Path) -> None:
    campaign = Campaign(scale=1 / 4000, first_delivery=NIGHT, streams=True)
    simulate(campaign, DirectorySink(tmp_path), nights=[NIGHT], provinces=["75"])
    folders = [path.parent for path in (tmp_path / "landing").rglob("manifest.json")]
    found = [checked(folder, suites, tmp_path, tmp_path) for folder in folders]
    instruments = {each.manifest.instrument for each in found if each.manifest}
    assert len(instruments) > 1
    assert [(each.verdict, each.findings) for each in found] == [("accepted", [])] * len(found)
    assert all(each.shares[0].judged for each in found)


@FULL
@pytest.mark.usefixtures("environment")
def test_the_command_accepts_the_example_of_the_contract() -> None:
    """With Great Expectations, as at night; sockets are forbidden to unit tests."""
    answer = CliRunner().invoke(app, ["contract", "check", str(EXAMPLE_FOLDER)])
    assert answer.exit_code == 0, answer.output
    assert "Kiriman ini akan diterima." in answer.output
    assert "batas 40" in answer.output


@pytest.mark.usefixtures("environment", "compiled")
@pytest.mark.parametrize(
    ("language", "verdict"), [("id", "akan ditolak seluruhnya"), ("en", "would be rejected whole")]
)
def test_the_command_tells_in_both_languages(tmp_path: Path, language: str, verdict: str) -> None:
    draft = clean(1)
    draft.retext(lambda text: text.replace("JALAN", "JALÁN"), encoding="latin-1")
    folder = written(draft, tmp_path)
    answer = CliRunner().invoke(app, ["contract", "check", str(folder), "--lang", language])
    assert answer.exit_code == 1
    told = " ".join(answer.output.replace("│", " ").split())
    assert "encoding_unsupported" in told
    assert verdict in told


@pytest.mark.usefixtures("environment", "compiled")
def test_the_command_writes_json_and_a_list_of_cases(tmp_path: Path) -> None:
    draft = clean(1)
    draft.change(r303_lantai="99")
    listed = tmp_path / "cases.csv"
    folder = written(draft, tmp_path)
    asked = ["contract", "check", str(folder), "--json", "--lang", "en", "--cases", str(listed)]
    answer = CliRunner().invoke(app, asked)
    told = json.loads(answer.output)
    assert (answer.exit_code, told["verdict"]) == (0, "accepted")
    assert told["error_shares"][0] == {
        "dataset": "keluarga", "judged": 3, "in_error": 1, "limit_percent": 40.0, "least_rows": 50, "exceeded": False,
    }  # fmt: skip
    assert told["rules"][0]["rule"] == "C-303"
    rows = list(csv.DictReader(listed.read_text(encoding="utf-8").splitlines()))
    assert [(row["document"], row["row"]) for row in rows if row["rule"] == "C-303"] == [("H001-1", "1")]
    assert [secret for secret in SECRETS if secret in answer.output + listed.read_text(encoding="utf-8")] == []


def test_a_signature_is_made_and_checked_before_anything_is_sent(
    compiled: None, environment: None, tmp_path: Path
) -> None:
    own, other, folder = tmp_path / "own.key", tmp_path / "other.key", tmp_path / "delivery"
    copytree(EXAMPLE_FOLDER, folder)
    signers = {}
    for secret in (own, other):
        assert CliRunner().invoke(app, ["contract", "new-key", "--secret", str(secret)]).exit_code == 0
        signers[secret] = Signer.read(secret.read_text())

    def told() -> list[str]:
        asked = Asked(folder, no_services(tmp_path / "work"), few_rules(), NIGHT, trusted=(signers[own].public,))
        return reasons(check_delivery(asked))

    assert told() == ["signature_missing"]
    for secret, expected in ((other, ["signature_untrusted"]), (own, [])):
        assert CliRunner().invoke(app, ["contract", "sign", str(folder), "--key", str(secret)]).exit_code == 0
        assert told() == expected
    manifest = folder / "manifest.json"
    manifest.write_bytes(manifest.read_bytes() + b" ")
    assert told() == ["signature_invalid"]


def test_the_simulation_signs_each_manifest_before_it_stands(tmp_path: Path) -> None:
    written: list[str] = []

    class Recording(DirectorySink):
        def put_bytes(self, key: str, content: bytes) -> None:
            written.append(key)
            super().put_bytes(key, content)

    sink = SigningSink.opened(Recording(tmp_path), tmp_path / "keys", ["63", "64"])
    folder = DeliveryFolder(province="64", delivered_on=NIGHT, delivery_id="01GFWC1W80A0B1C2D3E4F5G6H7")
    sink.put_bytes(folder.prefix + MANIFEST_NAME, b"{}")
    assert written == [folder.prefix + SIGNATURE_NAME, folder.prefix + MANIFEST_NAME]
    trusted = trusted_keys(tmp_path / "keys" / "producer-keys.csv", "64", NIGHT, demanded=False)
    assert trusted is not None
    require_signature(b"{}", (tmp_path / written[0]).read_bytes(), trusted)
