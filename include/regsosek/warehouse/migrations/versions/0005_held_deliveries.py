"""Held deliveries: when their fate was decided, and the shares that they were held for"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0005"
down_revision: str | None = "0004"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Applies this migration."""
    op.add_column("delivery", sa.Column("decided_night", sa.Date(), nullable=True), schema="ledger")
    op.create_table(
        "error_share",
        sa.Column("province", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("delivery_id", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("dataset", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("judged", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("in_error", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("limit_percent", sa.Numeric(), nullable=True),
        sa.Column("least_rows", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("province", "delivery_id", "dataset", name=op.f("pk_error_share")),
        schema="quality",
    )
    op.create_table(
        "error_region",
        sa.Column("province", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("delivery_id", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("region_code", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("judged", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("in_error", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("province", "delivery_id", "region_code", name=op.f("pk_error_region")),
        schema="quality",
    )


def downgrade() -> None:
    """Undoes this migration."""
    op.drop_table("error_region", schema="quality")
    op.drop_table("error_share", schema="quality")
    op.drop_column("delivery", "decided_night", schema="ledger")
