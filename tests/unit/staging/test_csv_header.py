"""What stands in place of the header is named, so that an office knows which line to take away."""

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

from delivered import VERSION, anggota_row, csv_gz, described_file
from regsosek.errors import ContractBreachError
from regsosek.staging.files import read_part

TEXT = gzip.decompress(csv_gz("anggota", [anggota_row()])).decode()


@pytest.mark.parametrize(
    ("reason", "told", "edit"),
    [
        ("header_preceded", "the line 'sep='", lambda text: "sep=,\r\n" + text),
        ("header_preceded", "the line 'sep='", lambda text: '"sep=;"\n' + text.replace(",", ";")),
        ("header_preceded", "an empty line", lambda text: "\r\n" + text),
        ("header_preceded", "an empty line", lambda text: "\n\n \n" + text),
        ("header_preceded", "an empty line", lambda text: "\r" + text.replace("\r\n", "\r")),
        ("header_preceded", "an empty line", lambda text: ",,,\r\n" + text),
        ("header_preceded", "a comment", lambda text: "# RAHASIA\n" + text),
        ("header_preceded", "another line; .* in line 3", lambda text: "DAFTAR RAHASIA\nOktober\n" + text),
        ("separator_unsupported", "semicolons", lambda text: text.replace(",", ";")),
        ("separator_unsupported", "semicolons", lambda text: text.replace(",", '";"')),
        ("separator_unsupported", "tabs", lambda text: text.replace(",", "\t")),
        ("columns_differ", "missing", lambda text: text.split("\r\n", 1)[1]),
        ("columns_differ", "missing", lambda _: ""),
    ],
)
def test_what_stands_in_place_of_the_header_is_named(
    engine, tmp_path: Path, reason: str, told: str, edit: Callable[[str], str]
) -> None:
    file, path = described_file("anggota", gzip.compress(edit(TEXT).encode()), 1, tmp_path)
    with pytest.raises(ContractBreachError, match=f"^{reason}: anggota-00001.csv.gz.*{told}") as raised:
        read_part(engine, file, path, version=VERSION)
    assert "RAHASIA" not in str(raised.value)
