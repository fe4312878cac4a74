"""What commands enter in the trail of access before they show cases, or write them into a file."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from regsosek.cli.common import operator

if TYPE_CHECKING:
    from regsosek.privacy.trail.access_trail import Access, AccessTrail
    from regsosek.resources import Resources

ROLE = "command line"


def trail_of(opened: "Resources") -> "AccessTrail":
    """The trail, by the account that commands work with."""
    from regsosek.privacy.trail.access_trail import AccessTrail

    return AccessTrail(opened.loader, opened.settings.trail_secret)


def access_of(way: str, by: str, told: str = "", reason: str = "") -> "Access":
    """The entry of whoever runs this command, which reads every province.

    Raises:
        DecisionError: it runs under a service's account, and ``by`` names nobody.
    """
    from regsosek.privacy.trail.access_trail import EVERYWHERE, Access

    return Access(operator(by), ROLE, (EVERYWHERE,), way, told, reason)


def enter_shown(opened: "Resources", access: "Access", province: str, cases: Iterable[str]) -> None:
    """Writes that whoever runs this command sees ``cases``; where there are none, nothing.

    Raises:
        AccessTrailError: it could not be written: nothing may be shown.
    """
    seen = list(cases)
    if seen:
        trail_of(opened).enter(access, province, seen)


def enter_looked_up(opened: "Resources", access: "Access") -> None:
    """Writes that whoever runs this command asked about cases in counts.

    Raises:
        AccessTrailError: it could not be written: nothing may be told.
    """
    trail_of(opened).enter(access, "", ())
