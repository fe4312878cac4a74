"""What a delivery replaces: families of the replaced deliveries, withdrawn and kept, by kab/kota"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0022"
down_revision: str | None = "0021"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Applies this migration: what was replaced before is counted by a replay alone."""
    op.create_table(
        "replacement",
        sa.Column("province", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("delivery_id", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("region_code", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("families", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("withdrawn", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("kept", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("province", "delivery_id", "region_code", name=op.f("pk_replacement")),
        schema="ledger",
    )


def downgrade() -> None:
    """Undoes this migration."""
    op.drop_table("replacement", schema="ledger")
