"""What a record of the log is about: fields that every record carries while the work on it goes on."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

from structlog.contextvars import bound_contextvars, get_contextvars

FIELDS = ("run", "night", "province", "delivery_id", "part", "step")


@contextmanager
def within(
    *,
    run: str | None = None,
    night: date | None = None,
    province: str | None = None,
    delivery_id: str | None = None,
    part: int | None = None,
    step: str | None = None,
) -> Iterator[None]:
    """Records that are written inside carry the fields given here, besides those of what lies around it."""
    given = {
        "run": run,
        "night": night and night.isoformat(),
        "province": province,
        "delivery_id": delivery_id,
        "part": part,
        "step": step,
    }
    with bound_contextvars(**{name: value for name, value in given.items() if value is not None}):
        yield


def current(field: str) -> str | None:
    """The value of ``field`` where the caller stands, as text."""
    value = get_contextvars().get(field)
    return None if value is None else str(value)
