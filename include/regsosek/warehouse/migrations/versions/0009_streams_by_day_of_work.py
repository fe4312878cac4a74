"""Streams by place: what each night changed by day of work, and totals as of each night"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0009"
down_revision: str | None = "0008"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_COUNTS = ("families", "messages", "verified", "poor", "photographed", "without_document")


def upgrade() -> None:
    """Applies this migration."""
    op.create_table(
        "stream_day",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("province", "stream", "id_subsls")),
        *(sa.Column(name, sa.Date(), nullable=False) for name in ("told_on", "night")),
        *(sa.Column(name, sa.BigInteger(), server_default=sa.text("0"), nullable=False) for name in _COUNTS),
        sa.PrimaryKeyConstraint(
            "province", "stream", "id_subsls", "told_on", "night", name=op.f("pk_stream_day")
        ),
        schema="mart",
    )  # fmt: skip
    op.create_table(
        "stream_total",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("province", "stream", "id_subsls")),
        sa.Column("night", sa.Date(), nullable=False),
        *(sa.Column(name, sa.BigInteger(), server_default=sa.text("0"), nullable=False) for name in _COUNTS),
        sa.PrimaryKeyConstraint("province", "stream", "id_subsls", "night", name=op.f("pk_stream_total")),
        schema="mart",
    )
    op.create_index(op.f("ix_stream_total_province_night"), "stream_total", ["province", "night"], schema="mart")
    op.create_table(
        "stream_place",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("province", "stream", "id_subsls")),
        sa.PrimaryKeyConstraint("province", "stream", "id_subsls", name=op.f("pk_stream_place")),
        schema="mart",
    )
    op.create_index(op.f("ix_stream_day_province_night"), "stream_day", ["province", "night"], schema="mart")
    op.create_index(
        "ix_geotag_family", "geotag", ["province", "id_subsls", "r109_no_bangunan", "r110_no_keluarga"], schema="stream"
    )


def downgrade() -> None:
    """Undoes this migration."""
    op.drop_index("ix_geotag_family", table_name="geotag", schema="stream")
    for table in ("stream_place", "stream_total", "stream_day"):
        op.drop_table(table, schema="mart")
