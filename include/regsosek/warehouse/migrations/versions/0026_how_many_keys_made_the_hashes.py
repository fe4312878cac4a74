"""How many keys made the hashes of each province

Until now it was one. A line is written with the first delivery that is received afterwards.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0026"
down_revision: str | None = "0025"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Applies this migration."""
    op.create_table(
        "hash_key",
        sa.Column("province", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("proof", sa.LargeBinary(), nullable=False),
        sa.Column("rotated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("rotated_by", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("rebuild_from", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("province", name=op.f("pk_hash_key")),
        schema="ledger",
    )


def downgrade() -> None:
    """Undoes this migration."""
    op.drop_table("hash_key", schema="ledger")
