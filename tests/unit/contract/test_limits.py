"""Sizes that a manifest promises: refused before anything is fetched, by file and in all."""

from hypothesis import given
from hypothesis import strategies as st

from regsosek.contract.limits import ALLOWANCE_BYTES, MAX_ROW_BYTES, size_breaches, unpacked_bound
from regsosek.contract.manifest import DeliveredFile, Manifest

FILE, DELIVERY = 64 << 20, 100 << 20


def manifest(*sizes: tuple[int, int]) -> Manifest:
    """A manifest whose files have these rows and bytes; nothing else of it is asked."""
    files = tuple(
        DeliveredFile(
            name=f"keluarga-{part:05d}.csv.gz", dataset="keluarga", part=part, format="csv.gz",
            rows=rows, bytes=size, sha256="a" * 64,
        )
        for part, (rows, size) in enumerate(sizes, start=1)
    )  # fmt: skip
    return Manifest.model_construct(files=files)


def refused(*sizes: tuple[int, int]) -> list[str]:
    found = size_breaches(manifest(*sizes), file_bytes=FILE, delivery_bytes=DELIVERY)
    return [each.reason for each in found]


def test_a_file_that_its_rows_do_not_explain_is_refused() -> None:
    assert refused((1, ALLOWANCE_BYTES + MAX_ROW_BYTES)) == []
    assert refused((1, ALLOWANCE_BYTES + MAX_ROW_BYTES + 1)) == ["file_too_large"]


def test_a_file_over_the_limit_is_refused_however_many_rows_it_claims() -> None:
    assert refused((2**31 - 1, FILE)) == []
    assert refused((2**31 - 1, FILE + 1)) == ["file_too_large"]


def test_files_that_are_too_much_together_are_refused() -> None:
    assert refused((10_000, FILE), (10_000, DELIVERY - FILE)) == []
    assert refused((10_000, FILE), (10_000, DELIVERY - FILE + 1)) == ["delivery_too_large"]


@given(st.integers(0, 2**31 - 1), st.integers(0, FILE))
def test_no_file_is_refused_packed_that_could_be_read_unpacked(rows: int, size: int) -> None:
    """Packed text is no longer than itself, but for the frame around it."""
    if size <= unpacked_bound(rows, size):
        assert refused((rows, size)) == []
