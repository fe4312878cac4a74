"""Optional, for developers: the unpacking and the manifest under atheris, which follows the branches that inputs take.

    uv pip install --target /tmp/atheris atheris
    PYTHONPATH=/tmp/atheris:include python tests/fuzz/coverage_guided.py unpacking -max_total_time=300

Readers written in C are opaque to it, so the other targets stay with `make fuzz`.
"""

import sys
from pathlib import Path
from tempfile import mkdtemp

import atheris

sys.path.insert(0, str(Path(__file__).parents[1]))

with atheris.instrument_imports(include=["regsosek.staging", "regsosek.contract"]):
    from fuzz.inputs import SEEDS, sound_manifest  # noqa: F401 (their modules are instrumented with the rest)
    from fuzz.targets import check_breach
    from regsosek.contract.manifest import parse_manifest
    from regsosek.errors import ContractBreachError
    from regsosek.staging.reading.unpacking import unpack
    from support.deliveries.families import described_file

SCRATCH = Path(mkdtemp(prefix="fuzz-"))


def unpacking(content: bytes) -> None:
    """Any bytes are unpacked or refused."""
    file, path = described_file("anggota", content, 2, SCRATCH)
    try:
        unpack(file, path, SCRATCH / "plain")
    except ContractBreachError as breach:
        check_breach(breach)


def text(content: bytes) -> None:
    """Any bytes inside of sound gzip are unpacked as they are, but for a byte order mark, or refused."""
    import gzip

    file, path = described_file("anggota", gzip.compress(content, 1), 2, SCRATCH)
    try:
        facts = unpack(file, path, SCRATCH / "plain")
    except ContractBreachError as breach:
        check_breach(breach)
        return
    assert (SCRATCH / "plain").read_bytes() == content[3 if facts.bom else 0 :]


def manifest(content: bytes) -> None:
    """Any bytes are a manifest or refused."""
    try:
        parse_manifest(content, province="64", delivery_id="01GFWC1W80A0B1C2D3E4F5G6H7")
    except ContractBreachError as breach:
        check_breach(breach)


TARGETS = {each.__name__: each for each in (unpacking, text, manifest)}

if __name__ == "__main__":
    target = TARGETS[sys.argv.pop(1)]
    atheris.Setup(sys.argv, target)
    atheris.Fuzz()
