"""The main table, progress by province and day, as SDMX: SDMX-CSV 1.0 and 2.0, and its structure as SDMX-ML 2.1.

One observation for each area, indicator and day of enumeration. An area is ``ID`` and the BPS code (``ID11``), the
nation ``ID``: readers that guess types would make the number 0 of code 00.
"""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC
from functools import partial

from pysdmx.io import write_sdmx
from pysdmx.io.format import Format
from pysdmx.model import (
    Code,
    Codelist,
    Component,
    Components,
    Concept,
    ConceptScheme,
    Dataflow,
    DataStructureDefinition,
    DataType,
    ItemReference,
    Organisation,
    Role,
)
from pysdmx.model.message import Header

from regsosek.geography.provinces import provinces
from regsosek.geography.regions import NATION
from regsosek.release.figures.disclosure import RESULTS
from regsosek.release.figures.imprint import About
from regsosek.release.figures.schema import typed
from regsosek.statistics.definitions.definitions import definitions
from regsosek.warehouse.tables import PROGRESS_MEASURES

DATA, DATA_2, STRUCTURE = "harian.sdmx.csv", "harian-2.0.sdmx.csv", "struktur.sdmx.xml"
TABLE = "harian.csv"
FLOW, VERSION = "REGSOSEK_DAILY", "1.2"
_TITLE = "Regsosek: progress of enumeration by province and day"
DAILY, PROVISIONAL = "D", "P"
# Codes of the cross-domain lists of SDMX: a value that is missing because it is suppressed; confidentiality.
SUPPRESSED, FREE, CONFIDENTIAL = "Q", "F", "C"
_OF_RESULTS = frozenset((*RESULTS, "complete_so_far"))
INDICATORS = (*PROGRESS_MEASURES, "visited_so_far", "complete_so_far", "plan_families", "target_families")
# What is told beside each observation: id, field of the table, what it hangs on.
_TOLD = (
    ("DATA_UNTIL", "data_until", "REF_AREA"),
    ("NIGHT", "night", "D"),
    ("SCALE", "scale", "REF_AREA"),
    ("INCOMPLETE_PROVINCES", "missing", "D"),
)
# Empty when every province is whole.
_GAPS = "INCOMPLETE_PROVINCES"
_DIMENSIONS = ("FREQ", "REF_AREA", "INDICATOR", "TIME_PERIOD")
_COLUMNS = (*_DIMENSIONS, "OBS_VALUE", "UNIT_MEASURE", "OBS_STATUS", "CONF_STATUS", *(name for name, _, _ in _TOLD))
_STATUSES = {PROVISIONAL: "Provisional value", SUPPRESSED: "Missing value; suppressed"}
_CONFIDENTIALITY = {FREE: "Free (free for publication)", CONFIDENTIAL: "Confidential statistical information"}
# The words of SDMX for what every dataset has.
_CONCEPTS = {
    "FREQ": "Frequency",
    "REF_AREA": "Area: ID for Indonesia, ID and the BPS code of a province",
    "INDICATOR": "Indicator",
    "TIME_PERIOD": "Day of enumeration, local time of the province",
    "OBS_VALUE": "Value",
    "UNIT_MEASURE": "Unit",
    "OBS_STATUS": "Status of the value",
    "CONF_STATUS": "Confidentiality of the value",
}


def sdmx_files(about: About, tables: Mapping[str, bytes]) -> dict[str, bytes]:
    """The main table in both versions of SDMX-CSV and its structure, by name."""
    observed = list(_observations(tables[TABLE]))
    leading = _leading(f"{about.imprint.agency}:{FLOW}({VERSION})")
    return {**{name: _data(each, observed) for name, each in leading.items()}, STRUCTURE: _structure(about)}


def area(code: str) -> str:
    """``ID11`` for province 11, ``ID`` for the nation."""
    return "ID" if code == NATION else f"ID{code}"


def _leading(dataflow: str) -> dict[str, dict[str, str]]:
    """What stands before the components, by version of SDMX-CSV; 2.0 says what is done with a row, too."""
    return {DATA: {"DATAFLOW": dataflow}, DATA_2: {"STRUCTURE": "dataflow", "STRUCTURE_ID": dataflow, "ACTION": "I"}}


def _data(leading: Mapping[str, str], observed: Sequence[Sequence[object]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*leading, *_COLUMNS])
    writer.writerows([*leading.values(), *each] for each in observed)
    return text.getvalue().encode()


def _observations(table: bytes) -> Iterable[list[object]]:
    """Rows in order of area, indicator and day; what is not known is no observation.

    What is not told is one without a value: a result that is empty where the visits of its day are known.
    """
    by_column = {field: definitions()[field].column for field in (*INDICATORS, "day", "code")}
    told = [definitions()[field].column for _, field, _ in _TOLD]
    rows = typed(TABLE, table).sort_by([("kode", "ascending"), (by_column["day"], "ascending")]).to_pylist()
    for code in dict.fromkeys(row["kode"] for row in rows):
        of_area = [row for row in rows if row["kode"] == code]
        for field in INDICATORS:
            name, unit = by_column[field], _unit(field)
            for row in of_area:
                suppressed = row[name] is None and field in _OF_RESULTS and row[by_column["visited"]] is not None
                if row[name] is not None or suppressed:
                    key = (DAILY, area(code), field.upper(), row[by_column["day"]])
                    status = (SUPPRESSED, CONFIDENTIAL) if suppressed else (PROVISIONAL, FREE)
                    value = "" if suppressed else row[name]
                    yield [*key, value, unit, *status, *(row[column] for column in told)]


def _unit(field: str) -> str:
    return "PERSONS" if definitions()[field].unit == "orang" else "FAMILIES"


def _structure(about: About) -> bytes:
    """Codelists, concepts, data structure and dataflow; prepared, so to speak, when data stopped to count."""
    agency = about.imprint.agency
    lists = _codelists(agency)
    parts = _components(agency, lists)
    structure = DataStructureDefinition(id=FLOW, name=_TITLE, agency=agency, version=VERSION, components=parts)
    told = f"{about.nature('en')}. {about.citation('en')} {' '.join(about.limits('en'))}"
    flow = Dataflow(id=FLOW, name=_TITLE, description=told, agency=agency, version=VERSION, structure=structure)
    header = Header(
        id=f"REGSOSEK_{about.night:%Y%m%d}",
        test=about.simulated,
        prepared=about.created.astimezone(UTC),
        sender=Organisation(id=agency, name=about.imprint.publisher),
    )
    content = [*lists.values(), _concepts(agency), structure, flow]
    return str(write_sdmx(content, Format.STRUCTURE_SDMX_ML_2_1, header=header, prettyprint=True)).encode()


def _codelists(agency: str) -> dict[str, Codelist]:
    """By the component whose values they name."""
    areas = [Code(id=area(NATION), name="Indonesia"), *(Code(id=area(p.code), name=p.name) for p in provinces())]
    figures = [definitions()[field] for field in INDICATORS]
    indicators = [Code(id=each.field.upper(), name=each.name.en, description=each.definition.en) for each in figures]
    units = [Code(id="FAMILIES", name="Families"), Code(id="PERSONS", name="Persons")]
    lists = {
        "FREQ": ("CL_FREQ", "Frequency", [Code(id=DAILY, name="Daily")]),
        "REF_AREA": ("CL_AREA", f"Indonesia and its {len(provinces())} provinces of 2022", areas),
        "INDICATOR": ("CL_INDICATOR", "Indicators", indicators),
        "UNIT_MEASURE": ("CL_UNIT", "Units", units),
        "OBS_STATUS": ("CL_OBS_STATUS", "Observation status", _codes(_STATUSES)),
        "CONF_STATUS": ("CL_CONF_STATUS", "Confidentiality status", _codes(_CONFIDENTIALITY)),
    }
    return {
        component: Codelist(id=name, name=title, agency=agency, version=VERSION, items=codes)
        for component, (name, title, codes) in lists.items()
    }


def _codes(names: Mapping[str, str]) -> list[Code]:
    return [Code(id=code, name=name) for code, name in names.items()]


def _concepts(agency: str) -> ConceptScheme:
    told = {name: definitions()[field].name.en for name, field, _ in _TOLD}
    items = [Concept(id=name, name=title) for name, title in {**_CONCEPTS, **told}.items()]
    return ConceptScheme(id="CS_REGSOSEK", name="Concepts", agency=agency, version=VERSION, items=items)


def _components(agency: str, lists: Mapping[str, Codelist]) -> Components:
    component = partial(_component, agency)
    coded = [component(name, Role.DIMENSION, DataType.STRING, lists[name]) for name in _DIMENSIONS[:-1]]
    time_period = component(_DIMENSIONS[-1], Role.DIMENSION, DataType.PERIOD)
    value = component("OBS_VALUE", Role.MEASURE, DataType.LONG)
    unit = component("UNIT_MEASURE", Role.ATTRIBUTE, DataType.STRING, lists["UNIT_MEASURE"], of="INDICATOR")
    status = component("OBS_STATUS", Role.ATTRIBUTE, DataType.STRING, lists["OBS_STATUS"], of="O")
    free = component("CONF_STATUS", Role.ATTRIBUTE, DataType.STRING, lists["CONF_STATUS"], of="O")
    told = [component(name, Role.ATTRIBUTE, DataType.STRING, of=of, needed=name != _GAPS) for name, _, of in _TOLD]
    return Components([*coded, time_period, value, unit, status, free, *told])


def _component(
    agency: str,
    name: str,
    role: Role,
    type_: DataType,
    codes: Codelist | None = None,
    *,
    of: str | None = None,
    needed: bool = True,
) -> Component:
    concept = ItemReference(sdmx_type="Concept", agency=agency, id="CS_REGSOSEK", version=VERSION, item_id=name)
    return Component(name, needed, role, concept, type_, local_codes=codes, attachment_level=of)
