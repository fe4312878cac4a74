"""Who looks at the portal, and what they may see: set on the request by the login, read by every page and path."""

from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from typing import Annotated

from fastapi import Depends, HTTPException, Request

from regsosek.geography.provinces import provinces
from regsosek.geography.regions import NATION

NOT_SIGNED_IN = 401


@dataclass(frozen=True)
class Viewer:
    """A logged-in account.

    Attributes:
        name: its name in Airflow, under which decisions are recorded.
        provinces: codes of the provinces it may see, all for a national one. None: it reads what is published,
            as everybody does, and nothing else.
        operator: whether it may see how nights are run, and decide; such an account is national.
        sensitive: whether it may see officers' codes, and families' points and photos.
    """

    name: str
    provinces: frozenset[str]
    operator: bool
    sensitive: bool

    @property
    def national(self) -> bool:
        """Whether it sees every province."""
        return self.provinces >= all_provinces()

    @property
    def of_provinces(self) -> bool:
        """Whether it is the account of some provinces, to which the others do not exist."""
        return bool(self.provinces) and not self.national

    def sees(self, province: str) -> bool:
        """Whether it may see what is not public of a province; of an unknown code nobody may see anything."""
        return province in self.provinces and province in all_provinces()

    def reads(self, province: str | None) -> bool:
        """Whether published figures of a province, or of the nation ("00"), are shown to it.

        To the account of a province neither the nation nor its neighbours are: whoever reads only what is public, reads
        all of it. A region that lies in no known province (None) is shown where nothing is hidden.
        """
        return not self.of_provinces or province in self.provinces

    def readable(self, codes: Collection[str]) -> list[str]:
        """Those of some provinces whose published figures are shown to it, in their order."""
        return [code for code in codes if self.reads(code)]


@cache
def all_provinces() -> frozenset[str]:
    """The codes that a national account sees."""
    return frozenset(province.code for province in provinces())


def viewer_of(request: Request) -> Viewer:
    """Who asks: the login stands before every route and has put it there; where none did, nobody is let in.

    Raises:
        HTTPException: 401, the request passed no login.
    """
    viewer = getattr(request.state, "viewer", None)
    if not isinstance(viewer, Viewer):
        raise HTTPException(NOT_SIGNED_IN)
    return viewer


def current_viewer(request: Request) -> Viewer:
    """Who asks, as a dependency of a route."""
    return viewer_of(request)


CurrentViewer = Annotated[Viewer, Depends(current_viewer)]
assert NATION not in all_provinces(), "the nation is no province: no account sees it as one"
