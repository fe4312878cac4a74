"""Markdown that is written from data, by a template beside the module that has the data.

A template makes a whole page, or fills the regions of a page by hand: those between ``<!-- generated: NAME -->`` and
``<!-- end -->``, each by the macro of that name. A bar in a value is escaped, so that no value ends a cell of a table;
``safe`` lets one stand.
"""

import re
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader
from jinja2.runtime import Macro
from markupsafe import Markup

from regsosek.wording.templates import environment

Regions = Mapping[str, Callable[..., str]]
SUFFIX: Final = ".md.j2"
_REGION = re.compile(r"(?s)(<!-- generated: (?P<name>[a-z-]+) -->\n).*?(<!-- end -->)")


def page(module: str, values: Mapping[str, Any]) -> str:
    """The page that the template beside ``module``, the path of a Python file, makes of ``values``."""
    template = Path(module).with_suffix(SUFFIX)
    return _environment(template.parent).get_template(template.name).render(values).strip("\n") + "\n"


def regions(module: str, values: Mapping[str, Any]) -> Regions:
    """The regions that the template beside ``module`` fills, by name; each is written when it is called."""
    template = Path(module).with_suffix(SUFFIX)
    made = _environment(template.parent).get_template(template.name).make_module(dict(values))
    return {name.replace("_", "-"): macro for name, macro in vars(made).items() if isinstance(macro, Macro)}


def filled(text: str, with_regions: Regions) -> str:
    """``text`` with what lies between its marks replaced by what the regions say, by name.

    Raises:
        KeyError: it marks a region that is not among them.
    """
    return _REGION.sub(lambda found: f"{found[1]}{with_regions[found['name']]().strip()}\n{found[3]}", text)


@cache
def _environment(folder: Path) -> Environment:
    return environment(FileSystemLoader(folder), html=False, finalize=_without_bars)


def _without_bars(value: Any) -> Any:
    return value if isinstance(value, Markup) or not isinstance(value, str) else value.replace("|", r"\|")
