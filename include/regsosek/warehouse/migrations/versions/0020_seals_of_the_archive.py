"""Which nights the archive has sealed: a warehouse that lacks some of them must know it by itself"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0020"
down_revision: str | None = "0019"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Applies this migration: of seals written before, the size is not known."""
    op.add_column("seal", sa.Column("archived_bytes", sa.BigInteger(), nullable=True), schema="ledger")
    op.create_table(
        "archived_seal",
        sa.Column("province", sa.Text(), nullable=False),
        sa.Column("night", sa.Date(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("province", "night", name=op.f("pk_archived_seal")),
        schema="ledger",
    )


def downgrade() -> None:
    """Undoes this migration."""
    op.drop_table("archived_seal", schema="ledger")
    op.drop_column("seal", "archived_bytes", schema="ledger")
