"""Makes a signed release of the software from a tag: sources, bill of materials, lock, one signature over all of them.

    python tools/release.py v0.1.0 --key FILE --into DIRECTORY

The same tag gives the same bytes, so that anyone who has the repository can make the sources again. The key is made by
``regsosek release new-key`` and is another one than that of the published figures. Whoever installs needs minisign
alone: ``minisign -Vm SHA256SUMS -P <public key> && sha256sum --check SHA256SUMS``.
"""

import argparse
import gzip
import subprocess
import sys
import tomllib
from hashlib import sha256
from pathlib import Path

from regsosek.minisign import SIGNATURE_SUFFIX, Signer

ROOT = Path(__file__).resolve().parents[1]
SUMS = "SHA256SUMS"
# What goes out beside the sources, as the tag has it.
BESIDE = {
    "sbom.cdx.json": "docs/sbom/sbom.cdx.json",
    "licences.csv": "docs/sbom/licences.csv",
    "requirements.txt": "requirements.txt",
}


class ReleaseError(Exception):
    """The tag is none that may go out."""


def git(root: Path, *arguments: str) -> bytes:
    """What git answers.

    Raises:
        ReleaseError: it refuses; its own words.
    """
    done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, check=False)  # noqa: S607 - the caller's git
    if done.returncode != 0:
        raise ReleaseError(done.stderr.decode("utf-8", "replace").strip())
    return done.stdout


def require_fit(root: Path, tag: str) -> None:
    """Lets a tag go out that somebody made as one, for the version that its own pyproject.toml names.

    Raises:
        ReleaseError: it is another.
    """
    if git(root, "cat-file", "-t", f"refs/tags/{tag}").strip() != b"tag":
        raise ReleaseError(f"{tag} is no annotated tag: make it with git tag --sign, or --annotate")
    version = tomllib.loads(git(root, "show", f"{tag}:pyproject.toml").decode())["project"]["version"]
    if tag != f"v{version}":
        raise ReleaseError(f"pyproject.toml of {tag} says version {version}: the tag must be v{version}")


def files_of(root: Path, tag: str) -> dict[str, bytes]:
    """What the release of a tag consists of, by name; nothing of the working tree."""
    name = f"regsosek-{tag.removeprefix('v')}"
    sources = git(root, "archive", "--format=tar", f"--prefix={name}/", tag)
    beside = {each: git(root, "show", f"{tag}:{path}") for each, path in BESIDE.items()}
    return {f"{name}.tar.gz": gzip.compress(sources, mtime=0)} | beside


def sums_of(files: dict[str, bytes]) -> bytes:
    """As sha256sum writes and checks it."""
    return "".join(f"{sha256(content).hexdigest()}  {name}\n" for name, content in sorted(files.items())).encode()


def make(root: Path, tag: str, signer: Signer, into: Path) -> list[Path]:
    """Writes the files of a release into a new directory.

    Raises:
        ReleaseError: the tag may not go out.
        FileExistsError: the directory is there.
    """
    require_fit(root, tag)
    files = files_of(root, tag)
    sums = sums_of(files)
    commit = git(root, "rev-parse", f"{tag}^{{commit}}").decode().strip()
    files |= {SUMS: sums, SUMS + SIGNATURE_SUFFIX: signer.sign(sums, f"Regsosek nightly {tag}, commit {commit}")}
    into.mkdir(parents=True)
    for name, content in files.items():
        (into / name).write_bytes(content)
    return [into / name for name in files]


def main() -> int:
    """Entry of `make dist`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tag")
    parser.add_argument("--key", type=Path, required=True, help="the secret key's file")
    parser.add_argument("--into", type=Path, required=True, help="a directory that is not there yet")
    arguments = parser.parse_args()
    signer = Signer.read(arguments.key.read_text(encoding="ascii"))
    try:
        made = make(ROOT, arguments.tag, signer, arguments.into)
    except (ReleaseError, FileExistsError) as error:
        print(error, file=sys.stderr)
        return 1
    print(*made, f"public key {signer.public.text}", sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
