"""The release as files: bytes by name, a function of the figures alone, so that building again gives the same."""

from collections.abc import Mapping

from regsosek.geography.boundaries import NO_BOUNDARIES, Boundaries
from regsosek.release.figures.figures import Figures
from regsosek.release.figures.imprint import About
from regsosek.release.figures.parquet_tables import parquet_files
from regsosek.release.figures.renamed import under_former_names
from regsosek.release.files import datapackage, workbook
from regsosek.release.files.changelog import changelogs
from regsosek.release.files.sdmx import sdmx_files
from regsosek.release.files.summary import summary_files
from regsosek.release.files.tables import table_files
from regsosek.release.site.pages import site


def build(figures: Figures, boundaries: Boundaries = NO_BOUNDARIES, served: str | None = None) -> dict[str, bytes]:
    """Every content file of the release by name; nothing in them tells when they were made.

    A name may lead into a folder of the release: ``kabkota/3578.html``.

    Args:
        served: where the pages of the newest release are served, if anywhere.
    """
    tables = table_files(figures)
    return {
        **tables,
        **formats(figures.about, tables),
        **under_former_names(tables, figures.changes.renamed),
        **changelogs(figures),
        **summary_files(figures),
        **site(figures, boundaries, served),
    }


def formats(about: About, tables: Mapping[str, bytes]) -> dict[str, bytes]:
    """The CSV tables in all other formats: Parquet, workbook, SDMX, and the description for machines."""
    return {
        **parquet_files(about, tables),
        **sdmx_files(about, tables),
        workbook.NAME: workbook.workbook(about, tables),
        datapackage.NAME: datapackage.datapackage(about, tables),
    }
