"""What pages and API enter in the trail of access before they show cases."""

from collections.abc import Iterable

from regsosek.portal.login.accounts import OPERATOR, SENSITIVE
from regsosek.portal.login.viewer import Viewer
from regsosek.portal.sources import Sources
from regsosek.privacy.trail.access_trail import EVERYWHERE, Access


def enter_shown(
    sources: Sources, viewer: Viewer, way: str, province: str, cases: Iterable[str], told: str = ""
) -> None:
    """Writes that ``viewer`` sees ``cases`` of ``province``; where there are none, nothing.

    Raises:
        AccessTrailError: it could not be written: nothing may be shown.
    """
    seen = list(cases)
    if seen:
        provinces = (EVERYWHERE,) if viewer.national else tuple(sorted(viewer.provinces))
        sources.trail.enter(Access(viewer.name, _role(viewer), provinces, way, told), province, seen)


def _role(viewer: Viewer) -> str:
    rights = [name for name, held in ((OPERATOR, viewer.operator), (SENSITIVE, viewer.sensitive)) if held]
    return " ".join(["nation" if viewer.national else "province", *rights])
