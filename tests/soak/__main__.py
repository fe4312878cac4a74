"""The long soak: ``python -m soak --nights 20 --seed 1``; `make soak`. Ends with 1 if a law does not hold."""

import argparse
import sys
from pathlib import Path
from random import randrange
from tempfile import mkdtemp

from soak.soak import announced, soak


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nights", type=int, default=20)
    parser.add_argument("--seed", type=int, default=None, help="equal seeds draw equal nights and faults")
    given = parser.parse_args()
    seed = randrange(10**6) if given.seed is None else given.seed
    place = Path(mkdtemp(prefix="soak-"))
    announced(f"seed {seed}, {given.nights} nights; logs in {place}")
    report = soak(place / "stage", seed, given.nights, announced)
    announced(str(report))
    return 1 if report.failed_at else 0


if __name__ == "__main__":
    sys.exit(main())
