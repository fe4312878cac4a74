"""What operators ask: memory of steps, runs of tasks, and an index of what waits in quarantine"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0012"
down_revision: str | None = "0011"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Applies this migration: of steps timed before nobody knows the memory."""
    op.add_column("step_timing", sa.Column("peak_rss_bytes", sa.BigInteger(), nullable=True), schema="ledger")
    op.create_table(
        "task_run",
        sa.Column("province", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("night", sa.Date(), autoincrement=False, nullable=False),
        sa.Column("dag_id", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("run_id", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("task_id", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("map_index", sa.Integer(), nullable=False),
        sa.Column("try_number", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=True),
        sa.Column("peak_rss_bytes", sa.BigInteger(), nullable=True),
        sa.Column("told", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("province", "night", "dag_id", "run_id", "task_id", name=op.f("pk_task_run")),
        schema="ledger",
    )
    op.create_index(
        "ix_kasus_terkini_waiting",
        "kasus_terkini",
        ["province", "state", "night"],
        schema="core",
        postgresql_where=sa.text("state IN ('quarantined', 'pending')"),
    )


def downgrade() -> None:
    """Undoes this migration."""
    op.drop_index("ix_kasus_terkini_waiting", table_name="kasus_terkini", schema="core")
    op.drop_table("task_run", schema="ledger")
    op.drop_column("step_timing", "peak_rss_bytes", schema="ledger")
