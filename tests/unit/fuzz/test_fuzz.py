"""The short profile of the fuzzing: some seconds of what `make fuzz` does for minutes, with inputs that shrink."""

from collections.abc import Iterator
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fuzz.inputs import FORMATS, delivered_bytes, manifests, part
from fuzz.targets import Bench, open_bench
from support.checks.matrix import FULL

EXAMPLES = settings().max_examples
slow = settings(deadline=None, suppress_health_check=list(HealthCheck))
chances = st.randoms(use_true_random=False)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with open_bench(tmp_path_factory.mktemp("fuzz")) as bench:
        yield bench


@settings(slow, max_examples=2 * EXAMPLES)
@given(manifests() | st.binary(max_size=300))
def test_any_manifest_is_read_or_refused(bench: Bench, document: bytes) -> None:
    bench.try_manifest(document)


@pytest.mark.parametrize("format_", FORMATS)
@settings(slow, max_examples=EXAMPLES // 2)
@given(chances, st.sampled_from(["keluarga", "anggota"]), st.sampled_from([2, 1, 0]))
def test_any_file_is_read_whole_or_refused(bench: Bench, format_: str, chance: Random, dataset: str, rows: int) -> None:
    bench.try_file(dataset, format_, delivered_bytes(format_, dataset, chance), rows)


@FULL
@settings(slow, max_examples=max(2, EXAMPLES // 50))
@given(st.integers(0, 2**32))
def test_any_cells_are_judged_by_all_rules_or_refused(bench: Bench, seed: int) -> None:
    bench.try_part(*part(Random(seed), families=10))
