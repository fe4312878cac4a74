"""The last fault of each province and of the publication in a night"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0019"
down_revision: str | None = "0018"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Applies this migration: of faults before it nobody knows the class."""
    op.create_table(
        "fault",
        sa.Column("province", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("night", sa.Date(), autoincrement=False, nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("province", "night", name=op.f("pk_fault")),
        schema="ledger",
    )


def downgrade() -> None:
    """Undoes this migration."""
    op.drop_table("fault", schema="ledger")
