"""A release of the software: what the tag holds and nothing else, the same bytes again, checked without us."""

import io
import shutil
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from regsosek.errors import SignatureError
from regsosek.minisign import Signer, check_signature

SIGNER = Signer.new()
IDENTITY = [
    "-c",
    "user.name=a",
    "-c",
    "user.email=a@b.example",
    "-c",
    "commit.gpgsign=false",
    "-c",
    "tag.gpgsign=false",
]
FILES = {
    "pyproject.toml": '[project]\nversion = "1.2.0"\n',
    "requirements.txt": "jinja2==3.1.6\n",
    "docs/sbom/sbom.cdx.json": "{}\n",
    "docs/sbom/licences.csv": "package,licence\n",
}


@pytest.fixture(scope="module")
def release(command: Callable[[str], ModuleType]) -> ModuleType:
    return command("tools/release.py")


def git(root: Path, *arguments: str) -> None:
    subprocess.run(["git", *IDENTITY, *arguments], cwd=root, check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A tagged version, and changes since that are in no tag."""
    root = tmp_path / "repository"
    root.mkdir()
    git(root, "init", "--quiet")
    for name, content in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content, encoding="utf-8")
    git(root, "add", ".")
    git(root, "commit", "--quiet", "--message", "One")
    git(root, "tag", "--annotate", "--message", "1.2.0", "v1.2.0")
    (root / "requirements.txt").write_text("jinja2==3.1.7\n", encoding="utf-8")
    (root / ".env").write_text("REGSOSEK_HMAC_KEY=secret\n", encoding="utf-8")
    return root


def test_what_the_tag_holds_and_nothing_else(release: ModuleType, repository: Path, tmp_path: Path) -> None:
    release.make(repository, "v1.2.0", SIGNER, tmp_path / "out")
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "regsosek-1.2.0.tar.gz",
        "sbom.cdx.json",
        "licences.csv",
        "requirements.txt",
        "SHA256SUMS",
        "SHA256SUMS.minisig",
    }
    assert (tmp_path / "out" / "requirements.txt").read_text() == FILES["requirements.txt"]
    with tarfile.open(tmp_path / "out" / "regsosek-1.2.0.tar.gz") as sources:
        names = {member.name for member in sources if member.isfile()}
    assert names == {f"regsosek-1.2.0/{name}" for name in FILES}


def test_the_same_bytes_again(release: ModuleType, repository: Path) -> None:
    first = release.files_of(repository, "v1.2.0")
    assert release.files_of(repository, "v1.2.0") == first
    with tarfile.open(fileobj=io.BytesIO(first["regsosek-1.2.0.tar.gz"])) as sources:
        assert len({member.mtime for member in sources}) == 1


def test_it_is_checked_without_us(release: ModuleType, repository: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    release.make(repository, "v1.2.0", SIGNER, out)
    signed = (out / "SHA256SUMS.minisig").read_bytes()
    assert check_signature((out / "SHA256SUMS").read_bytes(), signed, [SIGNER.public]) == SIGNER.public
    assert b"trusted comment: Regsosek nightly v1.2.0, commit " in signed
    with pytest.raises(SignatureError):
        check_signature((out / "SHA256SUMS").read_bytes() + b"\n", signed, [SIGNER.public])
    checked = [str(shutil.which("sha256sum")), "--check", "--strict", "SHA256SUMS"]
    assert subprocess.run(checked, cwd=out, capture_output=True, check=False).returncode == 0
    (out / "requirements.txt").write_text("jinja2==0.1\n", encoding="utf-8")
    assert subprocess.run(checked, cwd=out, capture_output=True, check=False).returncode == 1


@pytest.mark.parametrize(
    ("tag", "words"),
    [("v9", "v9"), ("light", "no annotated tag"), ("v2.0.0", "the tag must be v1.2.0"), ("--help", "--help")],
)
def test_other_tags_do_not_go_out(release: ModuleType, repository: Path, tmp_path: Path, tag: str, words: str) -> None:
    git(repository, "tag", "light")
    git(repository, "tag", "--annotate", "--message", "two", "v2.0.0")
    with pytest.raises(release.ReleaseError, match=words):
        release.make(repository, tag, SIGNER, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_nothing_is_written_over(release: ModuleType, repository: Path, tmp_path: Path) -> None:
    release.make(repository, "v1.2.0", SIGNER, tmp_path / "out")
    with pytest.raises(FileExistsError):
        release.make(repository, "v1.2.0", SIGNER, tmp_path / "out")
