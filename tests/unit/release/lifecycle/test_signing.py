"""Anyone with a public key can check a release: what was signed, by whom, and that every file is as published."""

import shutil
import subprocess
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from regsosek.cli.main import app
from regsosek.errors import ConfigurationError, SignatureError
from regsosek.minisign import SIGNATURE_SUFFIX, PublicKey, Signer, check_signature
from regsosek.release.lifecycle.key_list import KeyList, read_list, release_keys, require_signer
from regsosek.release.lifecycle.manifest import MANIFEST, ReleaseFiles, document, manifest
from regsosek.release.lifecycle.signing import signer_of
from regsosek.release.lifecycle.verification import in_folder, is_inside, verify
from regsosek.settings import Settings
from support.figures import made_up

SIGNER, FORMER, STRANGER, NEWER = (Signer.new() for _ in range(4))
CONTENT = b"the manifest"
# Made by minisign 0.11 (-G, -S) of CONTENT: what the tool itself writes is read, wherever it is not installed.
TOOLS_KEY = "RWSBK35rdZYAFoLMjFL8/uGQm264Fgwn0Ubeage/9AOUU+uVu75uuH/Y"
TOOLS_SIGNATURE = b"""untrusted comment: signature from minisign secret key
RUSBK35rdZYAFi03fxHHYPIpkPM/znMKY8OS6mb0NM3KP1hsRp7lq4F/8U70WbsQ9I+NOU6npUlbl/lPJ9+bi90y5mTUx5M3eQY=
trusted comment: release 2022-10-21
cKtUsy2XgAwenlyhH0ipCkiz4FpBj8DcBq+Ua6MmRU5Ad3fiQdez2tEGp0sq/py1VWPjyDAwhro7PxZUgiPACQ==
"""
# Made by our own Signer with this key (the same each time), and accepted by minisign 0.11 (-V).
OUR_SEED = "5e" * 32
OUR_SIGNATURE = b"""untrusted comment: signature of a Regsosek manifest
RUSLgchiaBtxK4xsfWqkCdU7lsQIa9kz+z9dHwqvpSCa2KCuaT7cEzc5iCx71WMY+yhbFMA0jqb0uylYJLWxkTz0Q7g888Wecwo=
trusted comment: release x
xdcqwsAXkZYuBY361zBEpiJcGPekLkOMq7Hy7d9VH548Qz93Klk7om3BX49EU6e0mwyq0MXt7/pcp1n6ZPffDg==
"""
FILES = ReleaseFiles(made_up.NIGHT, {"a.csv": b"a\n1\n", "b.csv": b"b\n2\n"})


def described(signer: Signer | None) -> bytes:
    at = datetime(2022, 10, 24, tzinfo=UTC)
    return document(manifest(made_up.figures(), FILES, "0", at, signer.public.id if signer else None))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, content in FILES.files.items():
        (tmp_path / name).write_bytes(content)
    written = described(SIGNER)
    (tmp_path / MANIFEST).write_bytes(written)
    (tmp_path / (MANIFEST + SIGNATURE_SUFFIX)).write_bytes(SIGNER.sign(written, "release x"))
    return tmp_path


def test_a_signature_is_known_by_its_key_among_several() -> None:
    trusted = [SIGNER.public, FORMER.public]
    assert check_signature(CONTENT, SIGNER.sign(CONTENT, "x"), trusted) == SIGNER.public
    assert check_signature(CONTENT, FORMER.sign(CONTENT, "x"), trusted) == FORMER.public
    with pytest.raises(SignatureError, match="none of the trusted"):
        check_signature(CONTENT, STRANGER.sign(CONTENT, "x"), trusted)


@pytest.mark.parametrize("line", range(1, 4))
def test_any_changed_line_of_a_signature_is_refused(line: int) -> None:
    ours, other = (SIGNER.sign(content, told).splitlines() for content, told in ((CONTENT, "x"), (b"other", "y")))
    forged = b"\n".join([*ours[:line], other[line], *ours[line + 1 :]])
    with pytest.raises(SignatureError):
        check_signature(CONTENT, forged, [SIGNER.public])


@pytest.mark.parametrize("written", [b"", b"x\n", b"a\nb\nc\nd\n", b"\xff\xfe\n" * 4])
def test_what_is_no_signature_is_refused(written: bytes) -> None:
    with pytest.raises(SignatureError, match="not one of minisign"):
        check_signature(CONTENT, written, [SIGNER.public])


def test_keys_are_read_as_they_are_written() -> None:
    assert Signer.read(SIGNER.secret_text + "\n").public == SIGNER.public
    assert PublicKey.read(f"untrusted comment: x\n{SIGNER.public.text}\n") == SIGNER.public
    with pytest.raises(ConfigurationError, match="not a public key"):
        PublicKey.read(SIGNER.secret_text)
    with pytest.raises(ConfigurationError) as told:
        Signer.read(SIGNER.public.text)
    assert SIGNER.public.text not in str(told.value)


def test_the_key_comes_from_the_environment_or_a_file(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text(SIGNER.secret_text)
    for given in ({"release_signing_key": SIGNER.secret_text}, {"release_signing_key_file": path}):
        settings = Settings.model_validate(
            {
                "warehouse_url": "postgresql+psycopg://x",
                "s3_access_key_id": "x",
                "s3_secret_access_key": "x",
                "hmac_key": "x" * 32,
                **given,
            }
        )
        found = signer_of(settings)
        assert found is not None
        assert found.public == SIGNER.public


def test_a_whole_release_is_as_published(folder: Path) -> None:
    found = verify(in_folder(folder), [FORMER.public, SIGNER.public])
    assert (found.faults, found.signed_by, found.files) == ((), SIGNER.public.id, 2)
    assert found.release_id == FILES.release_id


def _drop(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


def _write(name: str, content: bytes) -> Callable[[Path], None]:
    return lambda folder: (folder / name).write_bytes(content) and None


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (_write("a.csv", b"a\n2\n"), "a.csv is not the published file"),
        (_write("a.csv", b"a\n1\n\n"), "a.csv is not the published file"),
        (_drop("b.csv"), "b.csv is missing"),
        (_drop(MANIFEST), "manifest.json is missing"),
        (_drop(MANIFEST + SIGNATURE_SUFFIX), "it is not signed"),
        (_write(MANIFEST, b"{}"), "is no manifest"),
        (_write(MANIFEST, described(None)), "one of them was changed"),
        (_write(MANIFEST, described(SIGNER).replace(b'"a.csv"', b'"../a.csv"')), "'../a.csv' is no file name"),
        (_write(MANIFEST, described(SIGNER).replace(b'"content_hash": "', b'"content_hash": "0')), "content hash or"),
    ],
)
def test_whatever_is_done_to_a_release_is_found(folder: Path, spoil: Callable[[Path], None], told: str) -> None:
    spoil(folder)
    assert any(told in fault for fault in verify(in_folder(folder), [SIGNER.public]).faults)


@pytest.mark.parametrize(
    ("name", "inside"),
    [
        ("index.html", True), ("en/kabkota/3578.html", True), ("", False), ("/etc/passwd", False), ("../a", False),
        ("en/../../a", False), ("en//a", False), ("./a", False), ("en/", False), ("c:/a", False), ("en\\..\\a", False),
    ],
)  # fmt: skip
def test_a_name_stays_in_the_folder_of_its_release(name: str, inside: bool) -> None:
    assert is_inside(name) is inside


def test_a_link_that_leads_out_of_a_folder_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "a.csv").write_bytes(b"a\n1\n")
    folder = tmp_path / "release"
    folder.mkdir()
    (folder / "en").symlink_to(tmp_path / "outside")
    assert in_folder(folder)("en/a.csv", 10) is None
    assert in_folder(tmp_path / "outside")("a.csv", 10) == b"a\n1\n"


TABLE = "public_key,valid_from,valid_to,revoked_on,note\n{},2022-01-01,{},{},first\n{},2022-10-01,,,second\n"
OF_LONG_AGO = "2022-10-01"


@pytest.mark.parametrize(
    ("ended", "revoked", "vouched", "told"),
    [
        ("", "", False, None),
        (OF_LONG_AGO, "", False, "signed from 2022-01-01 to 2022-10-01, and this was built on"),
        ("", "2022-10-15", False, "was revoked on 2022-10-15"),
        ("", "2022-10-15", True, None),
    ],
    ids=["in use", "after its time", "revoked", "vouched for"],
)
def test_a_former_key_counts_for_its_time_by_a_list_that_the_new_one_signed(
    folder: Path, tmp_path_factory: pytest.TempPathFactory, ended: str, revoked: str, vouched: bool, told: str | None
) -> None:
    place = tmp_path_factory.mktemp("keys")
    (place / "keys.csv").write_text(TABLE.format(SIGNER.public.text, ended, revoked, NEWER.public.text))
    known = {FILES.content_hash: FILES.release_id} if vouched else {}
    written = KeyList(release_keys(place / "keys.csv"), known).document
    listed = read_list(written, NEWER.sign(written, "keys"), [NEWER.public])
    found = verify(in_folder(folder), [NEWER.public], listed)
    assert found.signed_by == SIGNER.public.id
    assert [told in fault for fault in found.faults if told] == [True] * (told is not None)
    for signature in (SIGNER.sign(written, "keys"), NEWER.sign(written + b" ", "keys"), None):
        with pytest.raises(SignatureError):
            read_list(written, signature, [NEWER.public])
    (place / "kunci.json").write_bytes(written)
    (place / "kunci.json.minisig").write_bytes(NEWER.sign(written, "keys"))
    words = ["release", "verify", str(folder), "--key", NEWER.public.text, "--keys", str(place / "kunci.json")]
    assert CliRunner().invoke(app, words).exit_code == (told is not None)


def test_only_a_key_of_the_table_signs_the_list(tmp_path: Path) -> None:
    table = tmp_path / "keys.csv"
    table.write_text(TABLE.format(SIGNER.public.text, "", "2022-10-15", NEWER.public.text), encoding="utf-8")
    keys, day = release_keys(table), date(2022, 10, 20)
    assert require_signer(keys, NEWER, day) == NEWER
    for signer, on in ((SIGNER, day), (NEWER, date(2022, 9, 1)), (FORMER, day), (None, day)):
        with pytest.raises(ConfigurationError, match="sign"):
            require_signer(keys, signer, on)


def test_signed_or_not_the_content_hash_is_the_same() -> None:
    nobody, somebody = b'"signed_by": null', b'"signed_by": "%s"' % SIGNER.public.id.encode()
    assert nobody in described(None) and somebody in described(SIGNER)
    assert described(SIGNER).replace(somebody, nobody) == described(None)


def test_the_command_makes_keys_and_checks_with_them(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    run, secret = CliRunner().invoke, tmp_path_factory.mktemp("keys") / "secret"
    made = run(app, ["release", "new-key", "--secret", str(secret)])
    assert Signer.read(secret.read_text()).public.text in made.output.replace("\n", "")
    assert secret.stat().st_mode & 0o777 == 0o600
    assert isinstance(run(app, ["release", "new-key", "--secret", str(secret)]).exception, ConfigurationError)
    good = run(app, ["release", "verify", str(folder), "--key", FORMER.public.text, "--key", SIGNER.public.text])
    assert (good.exit_code, f"signed by key {SIGNER.public.id}" in " ".join(good.output.split())) == (0, True)
    (folder / (MANIFEST + SIGNATURE_SUFFIX)).write_bytes(b"")
    alone = run(app, ["release", "verify", str(folder), "--unsigned"])
    assert (alone.exit_code, "NO SIGNATURE WAS CHECKED" in " ".join(alone.output.split())) == (0, True)
    assert run(app, ["release", "verify", str(folder), "--key", STRANGER.public.text]).exit_code == 1
    assert isinstance(run(app, ["release", "verify", str(folder)]).exception, ConfigurationError)


def test_what_minisign_wrote_is_read_and_what_it_accepted_is_written() -> None:
    key = PublicKey.read(TOOLS_KEY)
    assert check_signature(CONTENT, TOOLS_SIGNATURE, [key]) == key
    for changed in (TOOLS_SIGNATURE.replace(b"10-21", b"10-22"), TOOLS_SIGNATURE.replace(b"IpkPM", b"IpkPN")):
        with pytest.raises(SignatureError):
            check_signature(CONTENT, changed, [key])
    assert Signer.read(OUR_SEED).sign(CONTENT, "release x") == OUR_SIGNATURE


def test_minisign_checks_it_too(folder: Path) -> None:
    minisign = shutil.which("minisign")
    if minisign is None:
        pytest.skip("minisign is not installed here")
    command = [minisign, "-V", "-m", str(folder / MANIFEST), "-P"]
    assert subprocess.run([*command, SIGNER.public.text], capture_output=True, check=False).returncode == 0
    assert subprocess.run([*command, FORMER.public.text], capture_output=True, check=False).returncode != 0
