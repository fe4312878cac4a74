"""Lineage of a province's night and of a release: reported at its begin and its end, where anybody wants to know."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from typing import TYPE_CHECKING

from regsosek.geography.regions import NATION
from regsosek.release.publish import Published
from regsosek.resources import Resources
from regsosek.telemetry.lineage import current_emitter
from regsosek.warehouse.nights.delivery_outcome import DeliveryOutcome

if TYPE_CHECKING:
    from regsosek.night.lineage.events import Facts


@contextmanager
def province_lineage(
    resources: Resources, province: str, night: date
) -> Iterator[Callable[[Sequence[DeliveryOutcome]], None]]:
    """Reports the deliveries of a province's night, their quality and the tables that took them, once given."""
    given: list[Sequence[DeliveryOutcome]] = []

    def facts() -> "Facts":
        from regsosek.night.lineage.facts import province_facts  # noqa: PLC0415 - see _reported

        return province_facts(resources.loader.url, resources.settings.landing_bucket, given[0])

    with _reported("receive", night, province, facts):
        yield given.append


@contextmanager
def release_lineage(resources: Resources, night: date) -> Iterator[Callable[[Published], None]]:
    """Reports a release, the tables that it is made of and its audit; the caller says what was published."""
    published: list[Published] = []

    def facts() -> "Facts":
        from regsosek.night.lineage.facts import release_facts  # noqa: PLC0415 - see _reported

        return release_facts(resources.publisher.url, resources.settings.release_bucket, published[0])

    with _reported("publish", night, NATION, facts):
        yield published.append


@contextmanager
def _reported(job: str, night: date, province: str, facts: Callable[[], "Facts"]) -> Iterator[None]:
    emitter = current_emitter()
    if emitter is None:
        yield
        return
    from regsosek.night.lineage.events import Work  # noqa: PLC0415 - the client costs a third of a second to import

    work = Work(job, night, province, emitter.namespace, emitter.parent)
    emitter.emit(work.started)
    try:
        yield
    except BaseException as error:
        kind = type(error).__name__
        emitter.emit(lambda: work.failed(kind))
        raise
    emitter.emit(lambda: work.completed(facts()))
