"""A case limited on request, and the limit lifted: in the archive first, then in the warehouse."""

from datetime import UTC, datetime

from regsosek.errors import DecisionError
from regsosek.faults import edge
from regsosek.privacy.erasure.limitation import (
    Limit,
    enter_limits,
    is_case,
    list_limits,
    read_limit,
    write_limit,
)
from regsosek.resources import Resources
from regsosek.warehouse.nights.reason import stated


def limit_case(resources: Resources, province: str, case_id: str, *, request: str, by: str, reason: str) -> Limit:
    """Limits a case from this moment on.

    Raises:
        DecisionError: the province has no such case, it is limited already, or there is no reason.
    """
    request, reason = stated(request), stated(reason)
    with edge(f"limit in province {province}"):
        standing = _standing(resources, province, case_id)
        if standing is not None and standing.lifted_at is None:
            raise DecisionError(f"the case is limited already, by {standing.by} for request {standing.request}")
        with resources.loader.begin() as connection:
            if not is_case(connection, province, case_id):
                raise DecisionError(f"province {province} has no such case")
        limit = Limit(province=province, case_id=case_id, request=request, by=by, at=datetime.now(UTC), reason=reason)
        return _keep(resources, limit)


def lift_limit(resources: Resources, province: str, case_id: str, *, by: str, reason: str) -> Limit:
    """Lets a limited case be seen again.

    Raises:
        DecisionError: it is not limited, or there is no reason.
    """
    reason = stated(reason)
    with edge(f"limit in province {province}"):
        standing = _standing(resources, province, case_id)
        if standing is None or standing.lifted_at is not None:
            raise DecisionError("the case is not limited")
        lifted = {"lifted_at": datetime.now(UTC), "lifted_by": by, "lift_reason": reason}
        return _keep(resources, standing.model_copy(update=lifted))


def complete_limits(resources: Resources, province: str) -> None:
    """Enters what the archive knows: after a kill, a rebuild or a restored dump."""
    limits = list_limits(resources.store, resources.settings.archive_bucket, province)
    if limits:
        with resources.loader.begin() as connection:
            enter_limits(connection, limits)


def _standing(resources: Resources, province: str, case_id: str) -> Limit | None:
    return read_limit(resources.store, resources.settings.archive_bucket, province, case_id)


def _keep(resources: Resources, limit: Limit) -> Limit:
    write_limit(resources.store, resources.settings.archive_bucket, limit)
    with resources.loader.begin() as connection:
        enter_limits(connection, [limit])
    return limit
