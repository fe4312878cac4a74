"""The weekly audit as the DAG and the command line call it: recorded by province, and reported if it fails."""

import logging
from collections.abc import Sequence

from regsosek.alerts.audit_message import alert_audit
from regsosek.alerts.sending.send_due import deliver
from regsosek.errors import AuditError
from regsosek.faults import edge
from regsosek.geography.regions import NATION
from regsosek.landing.archive import archived_seals
from regsosek.release.audit import full_audit
from regsosek.release.audit.full_audit import AuditedRelease
from regsosek.release.rereading.archived_cases import Archive
from regsosek.resources import Resources
from regsosek.warehouse.nights.lost_nights import note_archived

log = logging.getLogger(__name__)

Faults = dict[str, tuple[str, ...]]


def audit(resources: Resources, province: str) -> tuple[str, ...]:
    """Audits ``province`` (or the nation, 00) in the newest release, and records what does not hold.

    Raises:
        EngineFaultError: in place of an error of a database, whose text and traceback may quote personal data.
    """
    with edge(f"audit of province {province}"), resources.scratch(f"audit{province}") as scratch:
        _look_into_archive(resources)
        with resources.publisher.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
            standing = full_audit.newest_release(connection)
            bucket = resources.settings.release_bucket
            if province == NATION:
                faults = full_audit.nation_faults(resources.store, bucket, standing)
            else:
                archive = Archive(resources.archive, scratch, resources.settings.hash_keys)
                faults = full_audit.audit_province(connection, archive, bucket, standing, province)
        with resources.publisher.begin() as connection:
            full_audit.note(connection, standing.release_id, province, faults)
    for fault in faults:
        log.error("audit of release %s: %s", standing.release_id, fault)
    return faults


def _look_into_archive(resources: Resources) -> None:
    """Notes what the archive has sealed: what is left of a warehouse that lost nights may well add up."""
    with resources.publisher.begin() as connection:
        note_archived(connection, archived_seals(resources.store, resources.settings.archive_bucket))


def results(resources: Resources) -> tuple[AuditedRelease, Faults]:
    """The newest release, and what its audit found so far by province."""
    with resources.publisher.begin() as connection:
        standing = full_audit.newest_release(connection)
        return standing, full_audit.noted(connection, standing.release_id)


def conclude(resources: Resources, asked: Sequence[str]) -> None:
    """Audits the nation, and reports to the platform team what failed or was not audited.

    Raises:
        AuditError: naming provinces and figures.
    """
    audit(resources, NATION)
    standing, found = results(resources)
    wrong = [fault for faults in found.values() for fault in faults]
    wrong += [f"province {code}: not audited; see the log of its task" for code in asked if code not in found]
    alert_audit(resources.alerter, resources.settings, standing.night, standing.release_id, wrong)
    deliver(resources.alerter, resources.settings)
    if wrong:
        raise AuditError(f"release {standing.release_id}: " + "; ".join(wrong))
