"""What a page says of the release at its end: who publishes, licence, citation, what comes next, its limits.

A page names no address elsewhere: those of publisher and licence stand in ``datapackage.json`` and on the cover sheet.
"""

from regsosek.release.figures.imprint import About
from regsosek.release.site.language import Language


def about_lines(about: About, language: Language) -> list[tuple[str, str]]:
    """Name and text of each line, in the page's language."""
    own, code = about.imprint, language.code
    publisher = own.publisher if code == "id" else own.publisher_en
    unit = own.unit if code == "id" else own.unit_en or own.unit
    told = {
        "nature": about.nature(code),
        "publisher": f"{publisher} ({unit})",
        "contact": own.contact,
        "licence": f"{own.licence} ({own.licence_title})",
        "citation": about.citation(code),
        "version": f"{about.version} (manifest.json: release_id, built_at)",
        "next": about.next_release(code),
    }
    return [(language.texts[f"about_{name}"], text) for name, text in told.items()]


def limit_lines(about: About, language: Language) -> list[str]:
    """What the figures cannot tell."""
    return about.limits(language.code)
