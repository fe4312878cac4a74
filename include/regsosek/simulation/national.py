"""One national field day: every province's share of the families, the provinces in several processes side by side."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import date
from functools import partial
from multiprocessing import get_context

from regsosek.geography.provinces import provinces as all_provinces
from regsosek.simulation.field.campaign import Campaign
from regsosek.simulation.field.field_day import families_by_province
from regsosek.simulation.field.frame import province_frame
from regsosek.simulation.output.delivery import SimulatedDelivery
from regsosek.simulation.output.reference_files import Files, write_province_files, write_reference_manifests
from regsosek.simulation.output.sinks import Sink
from regsosek.simulation.planted.defects import DefectTable, default_defects
from regsosek.simulation.simulate import SimulationReport, deliver_day, workshop

# A sink that holds a connection cannot travel into another process; what opens one can.
OpenSink = Callable[[], Sink]


@dataclass(frozen=True)
class _ProvinceDay:
    """What one province wrote; ``delivered`` is None if it was not asked to deliver."""

    province: str
    target: int
    files: Files
    delivered: SimulatedDelivery | None


def simulate_national_day(
    campaign: Campaign,
    open_sink: OpenSink,
    *,
    night: date,
    families: int,
    provinces: Sequence[str] | None = None,
    processes: int = 1,
    progress: Callable[[SimulatedDelivery], None] = lambda _: None,
    defects: DefectTable | None = None,
) -> SimulationReport:
    """Writes all reference files, and one delivery of each province with what was enumerated on ``night``.

    A province's files are the same bytes whichever others deliver and however many processes work.

    Args:
        campaign: what is simulated; its scale bounds the families that there are.
        open_sink: opens the sink, once in every process and province; must be picklable if ``processes`` > 1.
        night: day of enumeration, of synchronisation and of delivery.
        families: of the nation, split over the provinces by their targets.
        provinces: who delivers; none means all.
        processes: at once; each takes some 600 MB.
        progress: called after each delivery, in the order in which they are ready.
        defects: what is planted; none means what the project carries.

    Raises:
        ConfigurationError: a province has fewer families than its share, at the campaign's scale.
    """
    shares = families_by_province(families)
    asked = set(provinces or shares)
    work = partial(_province_day, campaign, open_sink, night, defects or default_defects())
    done: dict[str, _ProvinceDay] = {}
    # The largest first: no process is left alone with West Java at the end.
    tasks = [(code, shares[code] if code in asked else None) for code in sorted(shares, key=lambda p: -shares[p])]
    for day in _worked_off(work, tasks, processes):
        done[day.province] = day
        if day.delivered is not None:
            progress(day.delivered)
    days = [done[province.code] for province in all_provinces()]
    targets = {day.province: day.target for day in days}
    write_reference_manifests(campaign, [day.files for day in days], targets, open_sink())
    delivered = tuple(day.delivered for day in days if day.delivered is not None)
    return SimulationReport(campaign.seed, campaign.scale, targets, delivered, ())


Task = tuple[str, int | None]


def _worked_off(work: Callable[[Task], _ProvinceDay], tasks: Sequence[Task], processes: int) -> Iterator[_ProvinceDay]:
    if processes == 1:
        yield from map(work, tasks)
        return
    # Spawned, not forked: DuckDB's threads do not survive a fork.
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        for future in as_completed([pool.submit(work, task) for task in tasks]):
            yield future.result()


def _province_day(campaign: Campaign, open_sink: OpenSink, night: date, table: DefectTable, task: Task) -> _ProvinceDay:
    province, families = task
    sink, frame = open_sink(), province_frame(campaign, province)
    with workshop(sink, table) as (writer, _, scratch):
        files = write_province_files(campaign, frame, sink, scratch)
        delivered = None
        if families is not None:
            delivered = deliver_day(campaign, frame, writer, sink, night, families, table.share_of_documents)
    return _ProvinceDay(province, frame.target, files, delivered)
