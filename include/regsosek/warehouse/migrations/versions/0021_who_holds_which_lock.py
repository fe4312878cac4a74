"""Who holds the lock of a province or of the release, and the token that fences off whoever held it before"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0021"
down_revision: str | None = "0020"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Applies this migration."""
    op.create_table(
        "lock_holder",
        sa.Column("province", sa.Text(), nullable=False),
        sa.Column("token", sa.BigInteger(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("province", name=op.f("pk_lock_holder")),
        schema="ledger",
    )


def downgrade() -> None:
    """Undoes this migration."""
    op.drop_table("lock_holder", schema="ledger")
