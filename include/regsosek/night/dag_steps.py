"""The steps as DAG tasks call them: settings from the environment in, small plain results out, no data through."""

import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date
from types import MappingProxyType
from typing import Any

from regsosek.alerts.sending.send_due import deliver
from regsosek.errors import RegsosekError
from regsosek.faults import edge
from regsosek.night import auditing, nightly, replaying
from regsosek.night.outcome import outcome
from regsosek.night.reference import load_reference
from regsosek.night.run_request import RunRequest, chosen
from regsosek.night.task_runs import DAG_VARIABLE, RUN_VARIABLE, note_conclusion, noted
from regsosek.release.lifecycle.thinning import thin_out
from regsosek.resources import Resources, open_resources
from regsosek.runbooks import configured_docs_url, link_of_error
from regsosek.settings import load_settings
from regsosek.telemetry.context import within
from regsosek.telemetry.setup import telling

log = logging.getLogger(__name__)

NOT_CHOSEN = {"skipped": "not among the chosen provinces"}


@contextmanager
def _resources(
    night: date | None = None, province: str | None = None, beneath: Mapping[str, str] = MappingProxyType({})
) -> Iterator[Resources]:
    with (
        telling(os.environ.get(DAG_VARIABLE, "regsosek"), os.environ.get(RUN_VARIABLE, ""), os.environ),
        within(night=night, province=province),
        _leading_to_a_runbook(),
        edge("the night's task"),
        open_resources(load_settings(beneath=beneath)) as resources,
    ):
        yield resources


@contextmanager
def _leading_to_a_runbook() -> Iterator[None]:
    try:
        yield
    except RegsosekError as error:
        # Airflow shows the error itself last, and this line above its traceback.
        log.error("Runbook: %s", link_of_error(error, configured_docs_url()))  # noqa: TRY400 - raised below
        raise


def receive_one(request: RunRequest, province: str) -> dict[str, Any]:
    """Receives ``province`` if it was chosen: deliveries by state."""
    if province not in request.provinces:
        return NOT_CHOSEN
    with _resources(request.night, province) as resources, noted(resources, request.night, province):
        done = nightly.receive(resources, province, request.night)
        log.info("%s", done)
    return dict(done.states)


def publish_night(request: RunRequest) -> str:
    """Publishes the night and answers with the release id."""
    with _resources(request.night) as resources, noted(resources, request.night):
        published = nightly.release(resources, request.night)
        log.info("release %s: %s", published.release_id, published.page)
    return published.release_id


def notify_all(request: RunRequest, mail: Mapping[str, str]) -> dict[str, int]:
    """Composes and sends the digests; a run without alerts notifies nobody.

    Args:
        mail: the mail relay of an Airflow connection, as variables, where the settings name none.
    """
    if not request.alerts:
        return {}
    with _resources(request.night, beneath=mail) as resources, noted(resources, request.night):
        delivered = nightly.notify(resources, outcome(resources, request.night, request.provinces))
    return asdict(delivered)


def send_due(mail: Mapping[str, str]) -> dict[str, int]:
    """Sends what is due in the outbox; ``mail`` as :func:`notify_all` takes it. Answers with counts of deliveries."""
    with _resources(beneath=mail) as resources:
        delivered = deliver(resources.alerter, resources.settings)
    log.info("%s", delivered)
    return asdict(delivered)


def conclude_night(request: RunRequest) -> str:
    """Checks the night against ledger and releases, and answers with how it went in a sentence.

    Raises:
        NightFailedError: naming every province that failed, and publication if it did.
    """
    with _resources(request.night) as resources, noted(resources, request.night):
        found = outcome(resources, request.night, request.provinces)
        for waiting in found.held:
            log.warning("%s", waiting)
        sentence = nightly.concluded(resources, found)
        note_conclusion(resources, request.night, sentence)
        log.info("night %s: %s", request.night, sentence)
    found.require_whole()
    return sentence


def retain_releases() -> list[str]:
    """Thins out releases beyond the configured nights, and answers with their ids; with none configured all stay."""
    with _resources() as resources:
        days = resources.settings.release_keep_days
        if days is None:
            log.info("REGSOSEK_RELEASE_KEEP_DAYS is not set: every release stays whole")
            return []
        thinned = thin_out(resources.publisher, resources.store, resources.settings.release_bucket, days, dry_run=False)
    log.info("thinned out: %s", thinned)
    return [each.release_id for each in thinned]


def load_reference_data() -> list[dict[str, Any]]:
    """Loads the reference data: versions, rows, faults."""
    with _resources() as resources:
        return [asdict(each) for each in load_reference(resources)]


def replay_one(params: Mapping[str, Any], province: str) -> dict[str, Any]:
    """Replays ``province`` if it was chosen: deliveries by state, by night."""
    if province not in chosen(params.get("provinces")):
        return NOT_CHOSEN
    with _resources() as resources:
        nights = replaying.replay(resources, date.fromisoformat(params["first"]), [province])
    return {str(each.night): dict(each.states) for each in nights}


def audit_one(province: str) -> list[str]:
    """Audits ``province`` in the newest release: what does not hold; :func:`conclude_audit` reports it."""
    with _resources(province=province) as resources:
        return list(auditing.audit(resources, province))


def conclude_audit(provinces: Sequence[str], mail: Mapping[str, str]) -> None:
    """Reports to the platform team what the audit found; ``mail`` as :func:`notify_all` takes it.

    Raises:
        AuditError: naming provinces and figures.
    """
    with _resources(beneath=mail) as resources:
        auditing.conclude(resources, provinces)
