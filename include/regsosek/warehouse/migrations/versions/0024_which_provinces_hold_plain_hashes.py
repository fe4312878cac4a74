"""Which provinces hold hashes of cases that were made without a key"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0024"
down_revision: str | None = "0023"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Applies this migration; the hashes are made anew by whoever has the key (warehouse/hashes/rekeying.py)."""
    op.create_table(
        "plain_hash",
        sa.Column("province", sa.Text(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("province", name=op.f("pk_plain_hash")),
        schema="ledger",
    )
    op.execute("INSERT INTO ledger.plain_hash SELECT DISTINCT province FROM core.kasus")


def downgrade() -> None:
    """Undoes this migration."""
    op.drop_table("plain_hash", schema="ledger")
