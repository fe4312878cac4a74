"""Who looks at the portal, and what they may see: set on the request by the login, read by every page."""

from dataclasses import dataclass

from fastapi import Request


@dataclass(frozen=True)
class Viewer:
    """A logged-in account.

    Attributes:
        name: its name in Airflow, under which decisions are recorded.
        provinces: codes of the provinces it may see; all 34 for a national account.
        operator: whether it may see how nights are run, and decide.
        sensitive: whether it may see officers' codes and families' points.
    """

    name: str
    provinces: frozenset[str]
    operator: bool
    sensitive: bool


def viewer_of(request: Request) -> Viewer:
    """Who asks; the login stands before every route and has put it there."""
    viewer: Viewer = request.state.viewer
    return viewer
