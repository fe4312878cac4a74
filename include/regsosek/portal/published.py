"""Which rows of a published table an account is shown: the regions of its provinces, and what is said of no others."""

import csv
import io
from collections.abc import Callable

from regsosek.geography.provinces import provinces
from regsosek.geography.regions import NATION, region_master
from regsosek.portal.viewer import Viewer
from regsosek.release.datapackage import NAME as DATAPACKAGE
from regsosek.release.schema import GLOSSARY
from regsosek.statistics.definitions import definitions

CODE = definitions()["code"].column
MISSING = definitions()["missing"].column
_BETWEEN = "; "
# What tells no figure of any region, and the page that is open to everybody without a login.
_FOR_EVERYBODY = frozenset(
    {
        "index.html",
        GLOSSARY,
        GLOSSARY.replace(".csv", ".parquet"),
        DATAPACKAGE,
        "struktur.sdmx.xml",
        "manifest.json.minisig",
    }
)


def province_of_region(code: str) -> str | None:
    """The province that a region lies in, "00" of the nation; none of a code that the region master does not know."""
    return NATION if code == NATION else region_master().province_of(code)


def shown_file(viewer: Viewer, name: str, content: Callable[[], bytes | None]) -> bytes | None:
    """A file of a release as an account is shown it: whole, cut to its provinces, or not at all.

    Of the tables the account of a province gets the CSV form, cut; their other forms hold every province.
    """
    if not viewer.of_provinces or name in _FOR_EVERYBODY:
        return content()
    found = content() if name.endswith(".csv") and ".sdmx." not in name else None
    return None if found is None else cut_table(viewer, found)


def cut_table(viewer: Viewer, content: bytes) -> bytes:
    """The CSV bytes of a table with the rows that an account is shown, under the same header."""
    header, *rows = csv.reader(io.StringIO(content.decode(), newline=""))
    code, missing = header.index(CODE), header.index(MISSING)
    written = io.StringIO(newline="")
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow(header)
    for row in rows:
        if viewer.reads(province_of_region(row[code])):
            row[missing] = named_missing(viewer, row[missing])
            writer.writerow(row)
    return written.getvalue().encode()


def named_missing(viewer: Viewer, told: str | None) -> str:
    """Of the provinces that a row names as missing those that an account is shown."""
    named = told or ""
    if not viewer.of_provinces:
        return named
    own = {province.name for province in provinces() if province.code in viewer.provinces}
    return _BETWEEN.join(name for name in named.split(_BETWEEN) if name in own)
