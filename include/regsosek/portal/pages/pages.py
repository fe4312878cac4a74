"""The portal's pages as text: values in, HTML out, everything from outside escaped, nothing fetched from elsewhere."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache

from jinja2 import Environment, PackageLoader
from markupsafe import Markup

from regsosek.asking.quarantine import without_officer
from regsosek.contract.codebook import ALL_DATASETS
from regsosek.contract.instruments import QUESTIONNAIRE, instrument_of
from regsosek.contract.reasons import rejection_reasons
from regsosek.geography.provinces import province as province_of
from regsosek.portal.login.viewer import Viewer
from regsosek.portal.pages.airflow_links import SIGN_IN, SIGN_OUT, log_address, run_address
from regsosek.portal.views import state_words
from regsosek.portal.views.delivery_rows import DeliveryRow
from regsosek.portal.views.night_rows import COMPLETE, NightRow
from regsosek.portal.views.repair_counts import Repaired
from regsosek.portal.views.validation import Validation
from regsosek.release.lifecycle.current_release import StandingRelease
from regsosek.warehouse.nights.holding import HeldDelivery
from regsosek.wording.templates import environment

_FILTERS = (
    "number", "signed", "share", "long_day", "short_day", "moment", "sentence", "duration", "memory",
    "severity", "acted", "level",
)  # fmt: skip


@dataclass(frozen=True)
class Section:
    """An entry of the navigation: its address below the portal's, and whether it is for operators alone."""

    address: str
    name: str
    operators: bool = False


SECTIONS = (
    Section("/", "Nights"),
    Section("/held", "Held"),
    Section("/quarantine", "Quarantine"),
    Section("/steps", "Steps", operators=True),
    Section("/alerts", "Alerts"),
    Section("/corrections", "Corrections"),
    Section("/releases", "Releases", operators=True),
)


@dataclass(frozen=True)
class Frame:
    """What every page knows of where it stands.

    Attributes:
        base: path of the portal as the browser sees it, without a slash at its end.
        read_at: when the figures were read.
        viewer: who reads it; None before the login.
        here: address of the section that the page belongs to.
    """

    base: str
    read_at: datetime
    viewer: Viewer | None = None
    here: str = ""

    @property
    def airflow(self) -> str:
        """Path of Airflow itself: the portal is mounted one step below it."""
        return self.base.rpartition("/")[0]

    @property
    def sections(self) -> list[Section]:
        """What the viewer finds in the navigation."""
        if self.viewer is None:
            return []
        return [each for each in SECTIONS if self.viewer.operator or not each.operators]

    @property
    def operator(self) -> bool:
        """Whether the viewer runs the nights."""
        return self.viewer is not None and self.viewer.operator


@dataclass(frozen=True)
class Brought:
    """What a night brought: its deliveries, those that wait for a decision now, and what reading mended in each."""

    deliveries: Sequence[DeliveryRow]
    held: Sequence[HeldDelivery] = ()
    repairs: Mapping[tuple[str, str], Sequence[Repaired]] = field(default_factory=dict)


@cache
def _environment() -> Environment:
    made = environment(PackageLoader("regsosek.portal.pages", "templates"), html=True)
    made.filters |= {name: getattr(state_words, name) for name in _FILTERS}
    made.globals |= {
        "condition_words": state_words.condition_words(),
        "event_labels": state_words.event_words(),
        "log_address": log_address,
        "run_address": run_address,
        "sign_in": SIGN_IN,
        "sign_out": SIGN_OUT,
        "night_words": state_words.night_words(),
        "delivery_words": state_words.delivery_words(),
        "reasons": rejection_reasons(),
        "datasets_of": _datasets_of,
        "province_of": province_of,
        "without_officer": without_officer,
        "complete": COMPLETE,
    }
    return made


def _datasets_of(lines: Sequence[DeliveryRow | HeldDelivery]) -> list[str]:
    """The datasets that were judged of some deliveries, in the order of the codebook: each has Data Docs."""
    judged = {line.instrument or QUESTIONNAIRE for line in lines if getattr(line, "judged", True)}
    return [dataset for dataset in ALL_DATASETS if instrument_of(dataset) in judged]


def page(template: str, frame: Frame, **values: object) -> str:
    """The page that ``template`` makes of ``values``."""
    return _environment().get_template(template).render(frame=frame, **values)


def board(
    frame: Frame, nights: Sequence[NightRow], held: Sequence[HeldDelivery], standing: StandingRelease | None = None
) -> str:
    """The operator's page: what waits for a decision, the last night, and the nights before it; newest night first.

    Args:
        standing: what readers of the release see.
    """
    last = nights[0] if nights else None
    shown = {each.night for each in nights}
    values = {"nights": nights, "last": last, "held": held, "shown_nights": shown, "standing": standing}
    return page("board.html.j2", frame, **values)


def night_page(frame: Frame, night: NightRow, brought: Brought, nights: Sequence[date]) -> str:
    """One night, province by province, with what it brought; ``nights`` are those that can be opened."""
    by_province: defaultdict[str, list[DeliveryRow]] = defaultdict(list)
    for line in brought.deliveries:
        by_province[line.province].append(line)
    held = {(each.province, each.delivery_id): each for each in brought.held}
    values = {"by_province": by_province, "held": held, "repairs": brought.repairs, "nights": sorted(nights)}
    return page("night.html.j2", frame, night=night, **values)


def data_docs_page(frame: Frame, validation: Validation, sections: str) -> str:
    """The Data Docs of one province, night and dataset; ``sections`` is what Great Expectations rendered."""
    together = [each for each in ALL_DATASETS if instrument_of(each) == instrument_of(validation.dataset)]
    return page("validation.html.j2", frame, validation=validation, datasets=together, sections=Markup(sections))  # noqa: S704 - rendered from our own suites and counts, its parameters escaped


def message(frame: Frame, title: str, told: str) -> str:
    """A page that says why there is no other."""
    return page("message.html.j2", frame, title=title, told=told)


def script() -> str:
    """The one script of the pages."""
    return _environment().get_template("script.js.j2").render()
