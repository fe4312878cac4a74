"""What failed a province's night, or the publication of a night: kept until the same is tried again and succeeds."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, Connection, func, select
from sqlalchemy.dialects.postgresql import insert

from regsosek.errors import RegsosekError
from regsosek.telemetry.guard import masked
from regsosek.warehouse.tables import fault


@dataclass(frozen=True)
class NightFault:
    """The last fault of a province (of the publication: ``00``) in a night.

    Attributes:
        error: the class of the error.
        message: its words, which name no value.
        begun_at: when the try began that failed; what succeeded after that has mended it.
    """

    error: str
    message: str
    begun_at: datetime

    def __str__(self) -> str:
        return f"{self.error}: {self.message}"


Moment = datetime | ColumnElement[datetime]
# By the warehouse's clock, which says when a province or a release was whole, too.
WAREHOUSE_NOW: Moment = func.now()


def note_fault(
    connection: Connection,
    province: str,
    night: date,
    error: RegsosekError,
    begun_at: datetime | ColumnElement[datetime],
) -> None:
    """Keeps the error that ended a try, in place of what an earlier try ended with."""
    key = {"province": province, "night": night}
    values = {
        "error": type(error).__name__,
        "message": masked(str(error))[0],
        "begun_at": begun_at,
        "at": WAREHOUSE_NOW,
    }
    statement = insert(fault).values(**key, **values)
    connection.execute(statement.on_conflict_do_update(index_elements=list(key), set_=values))


def forget_fault(connection: Connection, province: str, night: date) -> None:
    """Forgets the fault of a province, or of the publication, that is mended."""
    connection.execute(fault.delete().where(fault.c.province == province, fault.c.night == night))


def faults_of(connection: Connection, night: date) -> Mapping[str, NightFault]:
    """The kept faults of ``night`` by province, the publication's under ``00``."""
    query = select(fault.c.province, fault.c.error, fault.c.message, fault.c.begun_at).where(fault.c.night == night)
    return {row.province: NightFault(row.error, row.message, row.begun_at) for row in connection.execute(query)}
