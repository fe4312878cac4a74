"""The tables of alerts that people read: the kinds in ``docs/alerts.md``, the pages in ``docs/runbooks/README.md``."""

from pathlib import Path
from typing import Any

from regsosek.alerts.conditions.kinds import kind_traits
from regsosek.alerts.conditions.thresholds import thresholds
from regsosek.wording import markdown

PAGES = (Path("docs/alerts.md"), Path("docs/runbooks/README.md"))


def documents(root: Path) -> dict[Path, str]:
    """The pages by their path below ``root``, their regions filled."""
    limits = thresholds()
    groups = {name: getattr(limits, name) for name in type(limits).model_fields}
    runbooks = sorted((root / PAGES[1]).parent.glob("*.md"))
    values: dict[str, Any] = {
        "kinds": kind_traits(),
        "with_limits": lambda words: words.format_map(groups),
        "runbooks": {page.name: _title(page) for page in runbooks if page != root / PAGES[1]},
    }
    regions = markdown.regions(__file__, values)
    return {root / page: markdown.filled((root / page).read_text(encoding="utf-8"), regions) for page in PAGES}


def _title(page: Path) -> str:
    return page.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ")
