"""The long profile: each target for some minutes, inputs drawn from a seed that is printed; `make fuzz`."""

import argparse
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).parents[1]))

from hypothesis import HealthCheck, Phase, given, settings

from fuzz.inputs import FORMATS, delivered_bytes, manifests, part
from fuzz.targets import Bench, open_bench, peak_memory
from regsosek.contract.codebook import ALL_DATASETS
from support.deliveries.faulty_writers import WRITERS, mixed_rows

FAMILIES = 40
BATCH = 500


def manifest(bench: Bench, _: random.Random) -> None:
    """Some hundred manifests by their grammar."""

    @settings(
        max_examples=BATCH,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(manifests())
    def batch(document: bytes) -> None:
        bench.try_manifest(document)

    batch()


def file_of(format_: str) -> Callable[[Bench, random.Random], None]:
    """One file of ``format_``."""

    def one(bench: Bench, chance: random.Random) -> None:
        dataset = chance.choice(("keluarga", "anggota"))
        bench.try_file(dataset, format_, delivered_bytes(format_, dataset, chance), chance.choice((2, 2, 2, 1, 3, 0)))

    return one


def rules(bench: Bench, chance: random.Random) -> None:
    """One part under all rules."""
    bench.try_part(*part(chance, FAMILIES))


def writers(bench: Bench, chance: random.Random) -> None:
    """Rows with every mixture of quotes, commas, blanks and line ends, by a writer with a fault of its own."""
    dataset = chance.choice(ALL_DATASETS)
    rows = mixed_rows(dataset, chance, chance.choice((1, 1, 2, 3, 5, 50, 400, 2000)))
    bench.try_writer(dataset, rows, WRITERS[chance.choice(sorted(WRITERS))](rows, chance))


TARGETS = {
    "manifest": manifest,
    "writers": writers,
    **{format_: file_of(format_) for format_ in FORMATS},
    "rules": rules,
}


def run(name: str, seconds: float, seed: int) -> None:
    """Tries inputs for so long and prints how many there were and how they ended."""
    with TemporaryDirectory() as directory, open_bench(Path(directory)) as bench:
        number, end = 0, time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                TARGETS[name](bench, random.Random(f"{seed}-{number}"))
            except BaseException:
                print(f"{name}: failed at seed {seed}, input {number}", file=sys.stderr)
                raise
            number += 1
        told = ", ".join(f"{outcome} {n}" for outcome, n in bench.tally.outcomes.most_common())
        print(f"{name}: {bench.tally.tried} inputs ({told}); dearest {bench.tally.longest:.1f} CPU-s; "
              f"peak {peak_memory()} MiB", flush=True)  # fmt: skip


def main() -> None:
    """Runs the targets asked for."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--minutes", type=float, default=2, help="per target")
    asked.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    asked.add_argument("--target", choices=TARGETS, action="append")
    told = asked.parse_args()
    print(f"seed {told.seed}")
    for name in told.target or TARGETS:
        run(name, told.minutes * 60, told.seed)


if __name__ == "__main__":
    main()
