"""How long the mailbox of bounces could not be read, so that it is told once"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0016"
down_revision: str | None = "0015"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Applies this migration."""
    op.create_table(
        "unread_mailbox",
        sa.Column("mailbox", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("readings", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("fault", sa.Text(), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("mailbox", name=op.f("pk_unread_mailbox")),
        schema="alert",
    )


def downgrade() -> None:
    """Undoes this migration."""
    op.drop_table("unread_mailbox", schema="alert")
