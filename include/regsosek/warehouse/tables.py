"""The warehouse's tables as SQLAlchemy metadata; columns of answers derive from all versions of the codebook.

Every key starts with the province, so that the tables can be distributed by it without redesign. Personal data
stands in schema ``restricted`` alone.
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Double,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    SmallInteger,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.types import TypeEngine

from regsosek.contract.codebook import DATASETS, STREAMS, Kind, Variable, all_variables
from regsosek.contract.stream_kinds import FAMILY_KEY, MESSAGES
from regsosek.staging.case_facts import case_facts

SCHEMAS = ("reference", "ledger", "core", "stream", "quality", "restricted", "mart", "release", "alert")
# Restricted columns that must still be compared across families stand in core as keyed hashes of 16 bytes.
HASHED = {"r403_nik": "nik_hash", "r114_no_kk": "kk_hash"}

SqlType = type[TypeEngine[Any]]

metadata = MetaData(naming_convention={"pk": "pk_%(table_name)s", "ix": "ix_%(table_name)s_%(column_0_N_name)s"})

_COLUMN_TYPES: dict[Kind, SqlType] = {
    "key": Text, "digits": Text, "text": Text, "integer": Integer, "choice": SmallInteger, "bits": SmallInteger,
    "date": Date, "decimal": Double,
}  # fmt: skip


def _key(name: str, type_: SqlType = Text) -> Column[Any]:
    return Column(name, type_, primary_key=True, autoincrement=False)


def _moment(name: str, *, default: bool = False, nullable: bool = False) -> Column[Any]:
    return Column(name, DateTime(timezone=True), nullable=nullable, server_default=text("now()") if default else None)


def _count(name: str) -> Column[Any]:
    return Column(name, BigInteger, nullable=False, server_default=text("0"))


def _needed(name: str, type_: SqlType = Text) -> Column[Any]:
    return Column(name, type_, nullable=False)


# --- reference: regions, frame, its changes, officers, targets -------------------------------------------------------

region = Table(
    "region", metadata, _key("code"), _needed("level"), _needed("name"), Column("parent_code", Text),
    _needed("code_system"), _needed("version"), _needed("valid_from", Date), Column("valid_to", Date),
    schema="reference",
)  # fmt: skip
# Every region with itself and all that lie above it: sums up the tree are one join, and no code is cut into pieces.
region_ancestor = Table("region_ancestor", metadata, _key("code"), _key("ancestor_code"), schema="reference")
subsls = Table(
    "subsls", metadata, _key("province"), _key("id_subsls"), _key("valid_from", Date), Column("valid_to", Date),
    _needed("id_desa"), Column("name", Text), _needed("kind", SmallInteger), _needed("families_load", Integer),
    _needed("code_system"), _needed("version"),
    Index(None, "province", "id_desa"), schema="reference",
)  # fmt: skip
# What became of retired codes: one row for each pair of old and new code.
psls = Table(
    "psls", metadata, _key("province"), _key("id_subsls_lama"), _key("id_subsls_baru"), _needed("status", SmallInteger),
    _needed("valid_from", Date), _needed("version"), schema="reference",
)  # fmt: skip
officer = Table(
    "officer", metadata, _key("province"), _key("id_kabkota"), _key("role"), _key("code"), _key("valid_from", Date),
    Column("valid_to", Date), Column("supervisor_code", Text), _needed("version"), schema="reference",
)  # fmt: skip
target = Table(
    "target", metadata, _key("province"), _needed("families", BigInteger), _needed("source"),
    Column("scale", Numeric, nullable=False), _needed("version"), schema="reference",
)  # fmt: skip
reference_version = Table(
    "version", metadata, _key("dataset"), _key("version"), _needed("manifest_sha256"),
    Column("scale", Numeric, nullable=False), _needed("note"), _needed("report", JSONB),
    _moment("loaded_at", default=True), schema="reference",
)  # fmt: skip

# --- ledger: what arrived, what became of it ------------------------------------------------------------------------

seal = Table(
    "seal", metadata, _key("province"), _key("night", Date), _moment("sealed_at"),
    # Its size in the archive; not known of seals that were written before sizes were kept.
    Column("unfinished", JSONB, nullable=False), _count("strays"), Column("archived_bytes", BigInteger),
    schema="ledger",
)  # fmt: skip
# The seals that the archive had when it was last looked at, whether the warehouse has those nights or lost them.
archived_seal = Table(
    "archived_seal", metadata, _key("province"), _key("night", Date), _needed("bytes", BigInteger), schema="ledger"
)
delivery = Table(
    "delivery", metadata, _key("province"), _key("delivery_id"), _key("delivered_on", Date), _needed("night", Date),
    _needed("position", Integer), _needed("prefix"), _needed("state"), Column("reason", Text), Column("detail", Text),
    _moment("produced_at", nullable=True), Column("producer", Text), Column("enumerated_from", Date),
    # The instrument is known once a valid manifest was read; until then a delivery counts as one of questionnaire K.
    Column("enumerated_to", Date), Column("instrument", Text), Column("instrument_version", Text),
    Column("manifest_sha256", Text),
    Column("supersedes", JSONB), Column("versions", JSONB, nullable=False), _moment("registered_at"),
    _moment("decided_at", nullable=True),
    # The night in which the fate of a delivery was decided that had been held, or rejected for what a reading said.
    Column("decided_night", Date),
    Index(None, "province", "night"), schema="ledger",
)  # fmt: skip
ROW_STATES = ("loaded", "quarantined", "superseded", "duplicate", "withdrawn", "held", "rejected")
delivery_count = Table(
    "delivery_count", metadata, _key("province"), _key("delivery_id"), _key("delivered_on", Date), _key("dataset"),
    _count("received"), *(_count(state) for state in ROW_STATES), schema="ledger",
)  # fmt: skip
# How a delivery stood for all nights before ``until_night``, in which it was decided anew; counts: received by dataset.
former_state = Table(
    "former_state", metadata, _key("province"), _key("delivery_id"), _key("delivered_on", Date),
    _key("until_night", Date), _needed("state"), Column("reason", Text), Column("detail", Text),
    Column("instrument", Text), Column("decided_night", Date), _needed("counts", JSONB), schema="ledger",
)  # fmt: skip
step_timing = Table(
    "step_timing", metadata, _key("province"), _key("delivery_id"), _key("part", Integer), _key("step"),
    # The most memory that the process had held by the end of the step.
    Column("seconds", Double, nullable=False), Column("peak_rss_bytes", BigInteger), schema="ledger",
)  # fmt: skip
# Which task instance of Airflow worked on a night of a province (of the nation: 00), so that its log can be found; no
# seconds: it still works, or it was killed.
task_run = Table(
    "task_run", metadata, _key("province"), _key("night", Date), _key("dag_id"), _key("run_id"), _key("task_id"),
    _needed("map_index", Integer), _needed("try_number", Integer), _moment("started_at"), Column("seconds", Double),
    Column("peak_rss_bytes", BigInteger), Column("told", Text), schema="ledger",
)  # fmt: skip
# What failed a province's night, or (of the nation: 00) its publication, until a later try succeeds.
fault = Table(
    "fault", metadata, _key("province"), _key("night", Date), _needed("error"), _needed("message"),
    _moment("begun_at"), _moment("at"), schema="ledger",
)  # fmt: skip
# Who took the right to a province (00: to the release) last; the token grows each time (warehouse/locks.py).
lock_holder = Table(
    "lock_holder", metadata, _key("province"), _needed("token", BigInteger), _needed("holder"),
    _moment("taken_at", default=True), schema="ledger",
)  # fmt: skip
# Provinces whose hashes of cases an earlier version made without a key (warehouse/hashes/rekeying.py).
plain_hash = Table("plain_hash", metadata, _key("province"), schema="ledger")
# How many keys of the chain the hashes of a province are made with, and what these make of a text that is known: the
# proof that a process has the same ones. The last rotation, and from which night it has to be built again, if so.
hash_key = Table(
    "hash_key", metadata, _key("province"), _needed("generation", Integer), _needed("proof", LargeBinary),
    _moment("rotated_at", nullable=True), Column("rotated_by", Text), Column("reason", Text),
    Column("rebuild_from", Date), schema="ledger",
)  # fmt: skip
# What an operator ended of a class of data that was over its time (privacy/retention.csv); ``00``: of no province.
retention_run = Table(
    "retention_run", metadata, Column("id", BigInteger, primary_key=True), _moment("at", default=True),
    _needed("class"), _needed("province"), _needed("rows", BigInteger), _needed("by"), _needed("reason"),
    schema="ledger",
)  # fmt: skip
repair = Table(
    "repair", metadata, _key("province"), _key("night", Date), _key("delivery_id"), _key("part", Integer),
    _key("dataset"), _key("kind"), _key("variable"), _count("amount"), schema="ledger",
)  # fmt: skip
# What a delivery takes the place of, by kab/kota: counted families of the deliveries it replaces, those of them that it
# withdraws, and those that it does not name but another delivery brings.
replacement = Table(
    "replacement", metadata, _key("province"), _key("delivery_id"), _key("region_code"), _count("families"),
    _count("withdrawn"), _count("kept"), schema="ledger",
)  # fmt: skip
event = Table(
    "event", metadata, Column("id", BigInteger, primary_key=True), _needed("province"), _needed("night", Date),
    Column("delivery_id", Text), _needed("kind"), Column("detail", JSONB, nullable=False),
    _moment("at", default=True), schema="ledger",
)  # fmt: skip

# Who saw cases, when and by which way; which cases, by keyed hash (privacy/trail/access_trail.py). Only ever added to.
access = Table(
    "access", metadata, Column("id", Uuid, primary_key=True), _moment("at", default=True), _needed("account"),
    _needed("role"), Column("provinces", ARRAY(Text), nullable=False), _needed("way"), _needed("told"),
    # The key that its cases are hashed by; of an opened SQL session, which names no cases, its transaction.
    _needed("reason"), Column("key_id", Text), Column("transaction", BigInteger),
    Index(None, "way", "at"), schema="ledger",
)  # fmt: skip
access_case = Table(
    "access_case", metadata, _key("province"), _key("case_key", LargeBinary), _key("access_id", Uuid),
    Index(None, "access_id"), schema="ledger",
)  # fmt: skip

# What the law asks of a case: erased (under its mark), or limited until it is lifted.
case_request = Table(
    "case_request", metadata, _key("province"), _key("case_id"), _key("kind"), _needed("request"), _needed("by"),
    _needed("reason"), _moment("at"), _moment("lifted_at", nullable=True), Column("lifted_by", Text),
    Column("lift_reason", Text), schema="ledger",
)  # fmt: skip

# --- core: cases and answers, partitioned by province (answers then by night) ----------------------------------------

_BY_PROVINCE: dict[str, Any] = {"postgresql_partition_by": "LIST (province)"}


def _row_key() -> list[Column[Any]]:
    return [_key("province"), _key("night", Date), _key("delivery_id"), _key("part", Integer), _key("row_no", Integer)]


kasus = Table(
    "kasus", metadata, *_row_key(),
    _needed("case_id"), _needed("versi", Integer), _needed("rank_versi", Integer), _moment("produced_at"),
    _needed("content_hash", LargeBinary), _needed("status"), Column("verdict", Text),
    Column("id_subsls", Text), Column("r109_no_bangunan", Integer), Column("r110_no_keluarga", Integer),
    _needed("placed_code"), _needed("enumerated_on", Date), Column("result", SmallInteger), Column("ppl", Text),
    _needed("members", Integer), *(_needed(fact, Integer) for fact in case_facts()),
    Index(None, "province", "case_id"),
    Index("ix_kasus_family", "province", "id_subsls", "r109_no_bangunan", "r110_no_keluarga"),
    schema="core", **_BY_PROVINCE,
)  # fmt: skip
kasus_terkini = Table(
    "kasus_terkini", metadata, _key("province"), _key("case_id"), _needed("state"),
    # ``quarantined`` or ``pending`` while its newest revision is in quarantine, whoever speaks for the family.
    Column("waiting", Text),
    Column("night", Date), Column("delivery_id", Text), Column("part", Integer), Column("row_no", Integer),
    Column("id_subsls", Text), Column("r109_no_bangunan", Integer), Column("r110_no_keluarga", Integer),
    Index(None, "province", "id_subsls", "r109_no_bangunan", "r110_no_keluarga"),
    # What waits in quarantine is looked for among tens of millions of cases that do not.
    Index("ix_kasus_terkini_waiting", "province", "waiting", "night", postgresql_where=text("waiting IS NOT NULL")),
    schema="core",
)  # fmt: skip


def _answer(variable: Variable) -> Column[Any]:
    if variable.kind == "timestamp":
        return Column(variable.name, DateTime(timezone=True))
    return Column(variable.name, _COLUMN_TYPES[variable.kind])


def answers(dataset: str, *, personal: bool) -> list[Variable]:
    """The variables of ``dataset`` that schema ``restricted`` (``personal``) or ``core`` stores."""
    return [v for v in all_variables(dataset) if bool(v.pii) == personal]


def kept_answer(variable: Variable) -> str:
    """SQL over ``t``: an answer as ``core`` and ``stream`` keep it; of what is measured no more than one decimal.

    A device tells its accuracy with many; a longitude in its place would name a house.
    """
    column = f"t.{variable.name}"
    return f"round({column}, 1) AS {variable.name}" if variable.kind == "decimal" else column


def _core_table(dataset: str) -> Table:
    hashes = [Column(HASHED[v.name], LargeBinary) for v in all_variables(dataset) if v.name in HASHED]
    family = [Column("keluarga_row", Integer, nullable=False)] if dataset == "anggota" else []
    columns = [*family, *map(_answer, answers(dataset, personal=False)), *hashes]
    return Table(dataset, metadata, *_row_key(), *columns, schema="core", **_BY_PROVINCE)


def _identity_table(dataset: str) -> Table:
    columns = map(_answer, answers(dataset, personal=True))
    return Table(f"{dataset}_identity", metadata, *_row_key(), *columns, schema="restricted", **_BY_PROVINCE)


def _personal(dataset: str) -> bool:
    return bool(answers(dataset, personal=True))


core_tables = {dataset: _core_table(dataset) for dataset in DATASETS}
identity_tables = {dataset: _identity_table(dataset) for dataset in (*DATASETS, *filter(_personal, STREAMS))}

# --- stream: every message that was accepted beside the questionnaire; the newest of a key holds ----------------------


def _stream_table(dataset: str) -> Table:
    columns = map(_answer, answers(dataset, personal=False))
    # row_state: loaded, withdrawn, or duplicate; what was stated again stays too, for the order of messages.
    own = (_moment("produced_at"), _needed("content_hash", LargeBinary), _needed("row_state"))
    indexes = [Index(f"ix_{dataset}_message", "province", *MESSAGES[dataset].key)]
    if MESSAGES[dataset].of_families:
        indexes.append(Index(f"ix_{dataset}_family", "province", *FAMILY_KEY))
    return Table(dataset, metadata, *_row_key(), *columns, *own, *indexes, schema="stream", **_BY_PROVINCE)


stream_tables = {dataset: _stream_table(dataset) for dataset in STREAMS}

# --- restricted and quality ----------------------------------------------------------------------------------------

quarantined = Table(
    "quarantined", metadata, _key("province"), _key("night", Date), _key("delivery_id"), _key("part", Integer),
    _key("dataset"), _key("row_no", Integer), _needed("case_id"), Column("payload", JSONB, nullable=False),
    schema="restricted", **_BY_PROVINCE,
)  # fmt: skip
untyped_value = Table(
    "untyped_value", metadata, _key("province"), _key("night", Date), _key("delivery_id"), _key("part", Integer),
    _key("dataset"), _key("row_no", Integer), _key("variable"), _needed("value"), schema="restricted",
    **_BY_PROVINCE,
)  # fmt: skip
reason = Table(
    "reason", metadata, _key("province"), _key("night", Date), _key("delivery_id"), _key("part", Integer),
    _key("dataset"), _key("row_no", Integer), _key("rule_id"), _needed("severity"), _needed("case_id"),
    Column("r401_no_urut", Integer), schema="quality", **_BY_PROVINCE,
)  # fmt: skip
rule_result = Table(
    "rule_result", metadata, _key("province"), _key("delivery_id"), _key("dataset"), _key("rule_id"),
    _needed("severity"), _count("violations"), schema="quality",
)  # fmt: skip
# Why a delivery is held, or is not: rows judged and rows in error, and the limit that they were held against.
error_share = Table(
    "error_share", metadata, _key("province"), _key("delivery_id"), _key("dataset"), _count("judged"),
    _count("in_error"), Column("limit_percent", Numeric), Column("least_rows", BigInteger), schema="quality",
)  # fmt: skip
# Where the errors of a held delivery lie: cases by kab/kota, or by province where the code leads no lower.
error_region = Table(
    "error_region", metadata, _key("province"), _key("delivery_id"), _key("region_code"), _count("judged"),
    _count("in_error"), schema="quality",
)  # fmt: skip

# --- mart, release, alert ------------------------------------------------------------------------------------------

PROGRESS_MEASURES = (
    "visited", "complete", "incomplete", "no_respondent", "refused", "moved", "quarantined", "pending", "conflicting",
    *case_facts(),
)  # fmt: skip
ARRIVAL_MEASURES = (
    "received", "loaded", "quarantined", "superseded", "duplicate", "withdrawn", "warned", "late", "days_late",
    "persons",
)  # fmt: skip


def each_measure(template: str) -> str:
    """SQL: ``template`` for every measure of progress, which it names as ``{0}``."""
    return ", ".join(template.format(measure) for measure in PROGRESS_MEASURES)


# What a night changed, signed. View mart.progress sums it up: what was known of a place and a day as of each night.
change = Table(
    "change", metadata, _key("province"), _key("placed_code"), _key("enumerated_on", Date), _key("night", Date),
    _key("cause"), *(_count(measure) for measure in PROGRESS_MEASURES),
    Index(None, "province", "night"), schema="mart",
)  # fmt: skip
# Sums of all days as of a night, of a place (``placed``: what is counted at this very code) or of a region with all
# that lies below it; a row only where the night changed it. The newest row up to a night holds. ``last_day``: of a
# place, the latest day of enumeration with a family visited.
total = Table(
    "total", metadata, _key("province"), _key("code"), _key("placed", Boolean), _key("night", Date),
    Column("last_day", Date), *(_count(measure) for measure in PROGRESS_MEASURES),
    Index(None, "province", "night"), schema="mart",
)  # fmt: skip
# The same by day of enumeration, of the whole province.
province_day = Table(
    "province_day", metadata, _key("province"), _key("enumerated_on", Date), _key("night", Date),
    *(_count(measure) for measure in PROGRESS_MEASURES), schema="mart",
)  # fmt: skip
# What each night changed of a province or kab/kota by day of enumeration, signed: what a forecast goes by.
region_day = Table(
    "region_day", metadata, _key("province"), _key("code"), _key("enumerated_on", Date), _key("night", Date),
    _count("visited"), Index(None, "province", "night"), schema="mart",
)  # fmt: skip
# The region that counts a place by today's frame; ``unmapped``: no desa is known for it.
placement = Table(
    "placement", metadata, _key("province"), _key("placed_code"), _needed("region_code"),
    Column("unmapped", Boolean, nullable=False), schema="mart",
)  # fmt: skip
arrivals = Table(
    "arrivals", metadata, _key("province"), _key("placed_code"), _key("night", Date),
    *(_count(measure) for measure in ARRIVAL_MEASURES), Index(None, "province", "night"), schema="mart",
)  # fmt: skip
# The sum over all places; a row for every night whose changes are computed, whatever arrived.
province_arrivals = Table(
    "province_arrivals", metadata, _key("province"), _key("night", Date),
    *(_count(measure) for measure in ARRIVAL_MEASURES), schema="mart",
)  # fmt: skip
refreshed = Table(
    "refreshed", metadata, _key("province"), _key("night", Date), _moment("at", default=True), schema="mart",
)  # fmt: skip
# The verified list (VK) of a sub-SLS of the frame as it stood after a night; no families: not entered yet.
verified = Table(
    "verified", metadata, _key("province"), _key("id_subsls"), _key("night", Date), Column("families", BigInteger),
    Column("non_response", BigInteger), Column("sangat_miskin", BigInteger), Column("miskin", BigInteger),
    Column("tidak_miskin", BigInteger), Column("not_found", Boolean, nullable=False, server_default=text("false")),
    _needed("delivery_id"), schema="mart",
)  # fmt: skip
# What a night changed of daily counts and tags, signed, by place as delivered and day of work (statistics/streams).
STREAM_COUNTS = ("families", "messages", "verified", "poor", "photographed", "without_document")
stream_day = Table(
    "stream_day", metadata, _key("province"), _key("stream"), _key("id_subsls"), _key("told_on", Date),
    _key("night", Date), *(_count(name) for name in STREAM_COUNTS), Index(None, "province", "night"), schema="mart",
)  # fmt: skip
# Their sums as of a night, a row only where it changed; and every place that ever had one, to look the newest up by.
stream_total = Table(
    "stream_total", metadata, _key("province"), _key("stream"), _key("id_subsls"), _key("night", Date),
    *(_count(name) for name in STREAM_COUNTS), Index(None, "province", "night"), schema="mart",
)  # fmt: skip
stream_place = Table(
    "stream_place", metadata, _key("province"), _key("stream"), _key("id_subsls"), schema="mart",
)  # fmt: skip
published_release = Table(
    "release", metadata, _key("release_id"), _needed("night", Date), _needed("content_hash"), _needed("prefix"),
    Column("manifest", JSONB, nullable=False), _moment("built_at"), _moment("published_at", nullable=True),
    # Kept when the same release is published once more: whether it was in time is asked of the first time.
    _moment("first_published_at", default=True),
    # Which content of its night it is, and when an operator led readers back to the one before.
    _needed("revision", Integer), _moment("rolled_back_at", nullable=True),
    schema="release",
)  # fmt: skip
# The last full audit of a release, by province (the nation under 00): what does not hold, or nothing.
full_audit = Table(
    "full_audit", metadata, _key("release_id"), _key("province"), _moment("at", default=True),
    Column("faults", JSONB, nullable=False), schema="release",
)  # fmt: skip
# A message as it was composed, for one group in one language; what follows from its deliveries stands beside it.
outbox = Table(
    "outbox", metadata, Column("id", BigInteger, primary_key=True), _needed("recipient_group"), _needed("night", Date),
    _needed("kind"), _needed("language"), _needed("subject"), _needed("body"), _needed("html"),
    Column("attachments", JSONB, nullable=False), _needed("fingerprint"), _needed("urgent", Boolean),
    _needed("state"), _count("attempts"), Column("last_error", Text), _moment("next_try_at", nullable=True),
    _moment("composed_at", default=True), _moment("sent_at", nullable=True),
    Index("uq_outbox_once", "recipient_group", "night", "kind", "language", unique=True), schema="alert",
)  # fmt: skip
# What became of it for each recipient. ``unclear``: tries of which nobody knows whether the server took the message.
delivery_of_message = Table(
    "delivery", metadata, Column("id", BigInteger, primary_key=True), _needed("outbox_id", BigInteger),
    _needed("channel"), _needed("role"), _needed("address"), _needed("backup_of"), _needed("state"),
    _count("attempts"), _count("unclear"), _moment("next_try_at", nullable=True), Column("quiet", JSONB),
    Column("last_result", Text), Column("last_error", Text), _moment("sent_at", nullable=True),
    _moment("told_at", nullable=True), Column("traced", Boolean, nullable=False, server_default=text("false")),
    Index("ix_delivery_outbox", "outbox_id"), schema="alert",
)  # fmt: skip
# Traces of sending in the archive that are known here, and what those say that were not left from here.
sending_trace = Table("sending_trace", metadata, _key("key"), schema="alert")
sent_before = Table(
    "sent_before", metadata, _key("recipient_group"), _key("night", Date), _key("kind"), _key("language"),
    _key("channel"), _key("address_sha256"), _moment("sent_at"), schema="alert",
)  # fmt: skip
# The mailbox of bounces while it cannot be read: since when, how often in a row, and whether that was told.
unread_mailbox = Table(
    "unread_mailbox", metadata, _key("mailbox"), _moment("since"), _count("readings"), _needed("fault"),
    _moment("told_at", nullable=True), schema="alert",
)  # fmt: skip
# Conditions as they stood after a night; ``kabkota`` owns the place, empty at and above the province.
condition = Table(
    "condition", metadata, _key("province"), _key("night", Date), _key("kind"), _key("level"), _key("region_code"),
    _key("kabkota"), _needed("name"), _needed("severity"), _needed("state"),
    _needed("since", Date), _count("families"), _needed("news"), Column("until", Date),
    _needed("event"), Column("judged", Boolean, nullable=False),
    Column("figures", JSONB, nullable=False), schema="alert",
)  # fmt: skip
# What was told of a condition in the message of a night and ``dispatch`` (the kind of the message in the outbox).
told = Table(
    "told", metadata, _key("province"), _key("night", Date), _key("dispatch"), _key("kind"), _key("level"),
    _key("region_code"), _key("kabkota"), _needed("why"), _needed("severity"), _needed("since", Date),
    _count("families"), _needed("news"), schema="alert",
)  # fmt: skip
# What the platform team did about conditions; ``night`` is the newest one that it knew of.
act = Table(
    "act", metadata, Column("id", BigInteger, primary_key=True), _needed("province"), _needed("kind"),
    _needed("level"), _needed("region_code"), _needed("kabkota"), _needed("verb"), _needed("by"), _needed("reason"),
    _moment("at", default=True), _needed("night", Date), Column("severity", Text), Column("until", Date),
    Index(None, "province", "night"), schema="alert",
)  # fmt: skip
