"""One document speaks for a family: what waits in quarantine stands beside who is counted"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0017"
down_revision: str | None = "0016"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_INDEX = "ix_kasus_terkini_waiting"
# Figures of all nights follow from the log: `refresh_missing` computes them anew by the definition as it is now.
_COMPUTED = ("change", "total", "province_day", "region_day", "arrivals", "province_arrivals", "placement")


def upgrade() -> None:
    """Applies this migration; figures that rest on who is counted are computed anew from the log."""
    op.add_column("kasus_terkini", sa.Column("waiting", sa.Text(), nullable=True), schema="core")
    op.execute("UPDATE core.kasus_terkini SET waiting = state WHERE state IN ('quarantined', 'pending')")
    op.drop_index(_INDEX, table_name="kasus_terkini", schema="core")
    op.create_index(
        _INDEX,
        "kasus_terkini",
        ["province", "waiting", "night"],
        schema="core",
        postgresql_where=sa.text("waiting IS NOT NULL"),
    )
    for table in _COMPUTED:
        op.execute(f"DELETE FROM mart.{table}")


def downgrade() -> None:
    """Undoes this migration."""
    op.drop_index(_INDEX, table_name="kasus_terkini", schema="core")
    op.create_index(
        _INDEX,
        "kasus_terkini",
        ["province", "state", "night"],
        schema="core",
        postgresql_where=sa.text("state IN ('quarantined', 'pending')"),
    )
    op.drop_column("kasus_terkini", "waiting", schema="core")
