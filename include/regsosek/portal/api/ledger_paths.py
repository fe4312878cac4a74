"""Paths that tell from the ledger how nights went, what was delivered and which rules were broken."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy import Connection, text

from regsosek.asking.deliveries import delivery_lines
from regsosek.geography.planning import windows_of
from regsosek.portal.api.problems import not_there
from regsosek.portal.api.releases import missing_line
from regsosek.portal.api.responses import Answer, Envelope, answers, page_of, written
from regsosek.portal.api.warehouse_shapes import (
    DeliveryQuery,
    DeliveryRow,
    NightQuery,
    NightRow,
    QualityQuery,
    QualityRow,
)
from regsosek.portal.login.viewer import CurrentViewer, Viewer
from regsosek.portal.sources import Sources
from regsosek.portal.views.night_rows import last_nights, read_night
from regsosek.release.figures.words import night_states
from regsosek.settings import Settings
from regsosek.statistics.definitions.as_of import last_refreshed
from regsosek.statistics.nights.province_nights import provinces_of_the_night

# BPS calls critical rules errors.
_QUALITY = """
WITH judged AS (
    SELECT d.province, d.delivery_id, d.delivered_on FROM ledger.delivery d
    WHERE d.night = :night AND d.province = ANY(:provinces) AND d.reason IS DISTINCT FROM 'id_reused'
)
SELECT CAST(:night AS date) AS malam, r.province AS provinsi, r.dataset, r.rule_id AS aturan,
       CASE r.severity WHEN 'critical' THEN 'error' ELSE 'warning' END AS tingkat_aturan,
       sum(r.violations)::bigint AS pelanggaran, coalesce(sum(c.received), 0)::bigint AS baris
FROM judged j
JOIN quality.rule_result r ON r.province = j.province AND r.delivery_id = j.delivery_id
LEFT JOIN ledger.delivery_count c ON c.province = j.province AND c.delivery_id = j.delivery_id
     AND c.delivered_on = j.delivered_on AND c.dataset = r.dataset
WHERE (:dataset = '' OR r.dataset = :dataset) AND (:rule = '' OR r.rule_id = :rule)
GROUP BY r.province, r.dataset, r.rule_id, r.severity
"""


def ledger_paths(sources: Sources) -> APIRouter:
    """The router of nights, deliveries and quality."""
    router = APIRouter(tags=["nights"])

    @router.get("/nights", response_model=Envelope[NightRow], responses=answers("Nights"))
    def nights(request: Request, viewer: CurrentViewer, query: Annotated[NightQuery, Query()]) -> Response:
        """The last nights of each province, as the operator's page shows them."""
        provinces = asked_provinces(viewer, query.provinsi)
        with sources.reading() as connection:
            shown = last_nights(connection, sources.settings.operator_nights)
            if query.malam and query.malam not in shown:
                raise not_there("malam", "take one of the last nights from nights")
            rows = _nights(connection, sources.settings, [query.malam] if query.malam else shown, provinces)
            return _written(request, viewer, connection, sources.settings, NightRow, *page_of(rows, query))

    @router.get("/deliveries", response_model=Envelope[DeliveryRow], responses=answers("Deliveries"))
    def deliveries(request: Request, viewer: CurrentViewer, query: Annotated[DeliveryQuery, Query()]) -> Response:
        """Every delivery with what became of it, by province, night of arrival and id."""
        provinces = asked_provinces(viewer, query.provinsi)
        with sources.reading() as connection:
            rows = _deliveries(connection, provinces, query)
            return _written(request, viewer, connection, sources.settings, DeliveryRow, *page_of(rows, query))

    @router.get("/quality", response_model=Envelope[QualityRow], responses=answers("Rules"))
    def quality(request: Request, viewer: CurrentViewer, query: Annotated[QualityQuery, Query()]) -> Response:
        """Violations by province, dataset and rule of one night's deliveries, by default the last night's."""
        provinces = asked_provinces(viewer, query.provinsi)
        with sources.reading() as connection:
            rows = _quality(connection, provinces, query)
            return _written(request, viewer, connection, sources.settings, QualityRow, *page_of(rows, query))

    return router


Keyed = list[tuple[tuple[str, ...], Mapping[str, Any]]]


def asked_provinces(viewer: Viewer, code: str | None) -> tuple[str, ...]:
    """The provinces that are asked about: the one named, or all that the account sees.

    Raises:
        ProblemError: it does not see the one named, or there is none of that code.
    """
    if code is None:
        return tuple(sorted(viewer.provinces))
    if not viewer.sees(code):
        raise not_there("provinsi", "take the code of a province from regions")
    return (code,)


def _nights(connection: Connection, settings: Settings, nights: Sequence[date], provinces: tuple[str, ...]) -> Keyed:
    windows = windows_of(settings)
    return [
        (
            (night.isoformat(), each.province),
            {
                "malam": night,
                "kode": each.province,
                "nama": each.name,
                "keadaan_malam_ini": night_states()[each.published_state].label.id,
                "kiriman": each.deliveries,
                "alasan": list(each.reasons),
            },
        )
        for night in nights
        for each in read_night(connection, night, windows).provinces
        if each.province in provinces
    ]


def _deliveries(connection: Connection, provinces: tuple[str, ...], query: DeliveryQuery) -> Keyed:
    lines = delivery_lines(connection, provinces, state=query.keadaan or "", night=query.malam)
    return [
        (
            (each.province, each.night.isoformat(), each.delivery_id, each.delivered_on.isoformat()),
            {
                "provinsi": each.province,
                "id_kiriman": each.delivery_id,
                "tanggal_kiriman": each.delivered_on,
                "malam": each.night,
                "dihitung_sejak": each.decided_night,
                "keadaan": each.state,
                "alasan": each.reason,
                "instrumen": each.instrument,
                "keluarga": each.families,
                "anggota": each.persons,
                "pesan": each.messages,
            },
        )
        for each in lines
    ]


def _quality(connection: Connection, provinces: tuple[str, ...], query: QualityQuery) -> Keyed:
    night = query.malam or _last_night(connection)
    asked = {"night": night, "provinces": list(provinces), "dataset": query.dataset or "", "rule": query.aturan or ""}
    rows = [dict(row._mapping) for row in connection.execute(text(_QUALITY), asked)] if night else []
    return [((row["provinsi"], row["dataset"], row["aturan"], row["tingkat_aturan"]), row) for row in rows]


def _last_night(connection: Connection) -> date | None:
    return next(iter(last_nights(connection, 1)), None)


def _written(
    request: Request,
    viewer: Viewer,
    connection: Connection,
    settings: Settings,
    model: Any,
    page: Sequence[Mapping[str, Any]],
    mark: tuple[str, ...] | None,
) -> Response:
    night = _last_night(connection)
    of = {"malam": night, "rilis": None, "versi": str(night or "")}
    gaps = missing(connection, settings, viewer, night)
    return written(request, viewer, Answer(of, gaps, list(model.model_fields), page, mark))


def missing(connection: Connection, settings: Settings, viewer: Viewer, night: date | None) -> list[dict[str, Any]]:
    """The provinces that an account sees and that miss something of ``night``."""
    if night is None:
        return []
    windows = windows_of(settings)
    states = provinces_of_the_night(connection, last_refreshed(connection, night), windows)
    return [
        missing_line(row["province"], row["name"], row["state"], int(row["held_families"]))
        for row in states.to_dict("records")
        if viewer.sees(row["province"]) and not night_states()[row["state"]].complete
    ]
