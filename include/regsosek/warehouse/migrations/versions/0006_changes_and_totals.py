"""What each night changed, and the totals after it; what was known of a place is the sum of its changes"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0006"
down_revision: str | None = "0005"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_PROGRESS = (
    "visited", "complete", "incomplete", "no_respondent", "refused", "moved", "quarantined", "pending", "conflicting",
    "persons",
)  # fmt: skip
_ARRIVALS = (
    "received", "loaded", "quarantined", "superseded", "duplicate", "withdrawn", "warned", "late", "days_late",
    "persons",
)  # fmt: skip


def upgrade() -> None:
    """Applies this migration; the next run of `regsosek reference` computes the nights that the warehouse holds."""
    op.drop_table("progress", schema="mart")
    _table("change", "province", "placed_code", "enumerated_on", "night", "cause", measures=_PROGRESS)
    _table("total", "province", "code", "placed", "night", measures=_PROGRESS)
    op.add_column("total", sa.Column("last_day", sa.Date()), schema="mart")
    _table("province_day", "province", "enumerated_on", "night", measures=_PROGRESS)
    _table("province_arrivals", "province", "night", measures=_ARRIVALS)
    op.create_table(
        "placement",
        *(_key(name) for name in ("province", "placed_code")),
        sa.Column("region_code", sa.Text(), nullable=False),
        sa.Column("unmapped", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("province", "placed_code", name=op.f("pk_placement")),
        schema="mart",
    )
    for table in ("change", "total", "arrivals"):
        op.create_index(op.f(f"ix_{table}_province_night"), table, ["province", "night"], schema="mart")
    summed = ", ".join(f"sum({name}) AS {name}" for name in _PROGRESS)
    so_far = ", ".join(f"(sum({name}) OVER so_far)::bigint AS {name}" for name in _PROGRESS)
    op.execute(
        f"CREATE VIEW mart.progress AS SELECT province, placed_code, enumerated_on, night, {so_far} FROM ("
        f"SELECT province, placed_code, enumerated_on, night, {summed} FROM mart.change GROUP BY 1, 2, 3, 4) AS of_night "
        "WINDOW so_far AS (PARTITION BY province, placed_code, enumerated_on ORDER BY night)"
    )
    op.create_table(
        "full_audit",
        *(_key(name) for name in ("release_id", "province")),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("faults", postgresql.JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("release_id", "province", name=op.f("pk_full_audit")),
        schema="release",
    )
    # Cases that claim one family key are looked for by it; by place nobody looks any more.
    op.drop_index(op.f("ix_kasus_province_placed_code"), table_name="kasus", schema="core")
    family = ["province", "id_subsls", "r109_no_bangunan", "r110_no_keluarga"]
    op.create_index("ix_kasus_family", "kasus", family, schema="core")


def downgrade() -> None:
    """Takes this migration back; nights must be processed again to fill the former table."""
    op.drop_index("ix_kasus_family", table_name="kasus", schema="core")
    op.create_index(op.f("ix_kasus_province_placed_code"), "kasus", ["province", "placed_code"], schema="core")
    op.drop_index(op.f("ix_arrivals_province_night"), table_name="arrivals", schema="mart")
    op.drop_table("full_audit", schema="release")
    op.execute("DROP VIEW mart.progress")
    for table in ("placement", "province_arrivals", "province_day", "total", "change"):
        op.drop_table(table, schema="mart")
    _table("progress", "province", "placed_code", "enumerated_on", "night", measures=_PROGRESS)


_TYPES: dict[str, sa.types.TypeEngine[Any]] = {"night": sa.Date(), "enumerated_on": sa.Date(), "placed": sa.Boolean()}


def _key(name: str) -> sa.Column[Any]:
    return sa.Column(name, _TYPES.get(name, sa.Text()), autoincrement=False, nullable=False)


def _table(table: str, *key: str, measures: Sequence[str]) -> None:
    op.create_table(
        table,
        *(_key(name) for name in key),
        *(sa.Column(name, sa.BigInteger(), server_default=sa.text("0"), nullable=False) for name in measures),
        sa.PrimaryKeyConstraint(*key, name=op.f(f"pk_{table}")),
        schema="mart",
    )
