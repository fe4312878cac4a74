"""Which rows of a published table an account is shown: the regions of its provinces, and what is said of no others."""

import csv
import io
from collections.abc import Callable
from pathlib import PurePosixPath

from regsosek.geography.provinces import provinces
from regsosek.geography.regions import NATION, region_master
from regsosek.portal.login.viewer import Viewer
from regsosek.release.figures.schema import GLOSSARY
from regsosek.release.files.datapackage import NAME as DATAPACKAGE
from regsosek.release.files.summary import SCHEMA as SUMMARY_SCHEMA
from regsosek.release.site.assets import FOLDER as ASSETS
from regsosek.statistics.definitions.definitions import definitions

_OF_REGIONS = frozenset({".html", ".svg"})
CODE = definitions()["code"].column
MISSING = definitions()["missing"].column
_BETWEEN = "; "
# What tells no figure of any region.
_FOR_EVERYBODY = frozenset(
    {
        GLOSSARY,
        GLOSSARY.replace(".csv", ".parquet"),
        DATAPACKAGE,
        SUMMARY_SCHEMA,
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
    if not viewer.of_provinces or name in _FOR_EVERYBODY or _of_site(viewer, name):
        return content()
    found = content() if name.endswith(".csv") and ".sdmx." not in name else None
    return None if found is None else cut_table(viewer, found)


def _of_site(viewer: Viewer, name: str) -> bool:
    """Whether a file belongs to the pages that an account is shown: its own regions', and the first, open to everybody.

    Pages and drawings of a region have its code for a name, or for the beginning of one.
    """
    path = PurePosixPath(name)
    if path.suffix == ".html" and path.stem == "index":
        return True
    region = path.stem.partition("-")[0]
    if path.suffix in _OF_REGIONS and region.isdecimal() and region != NATION:
        return viewer.reads(province_of_region(region))
    return path.parts[:1] == (ASSETS,)


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
