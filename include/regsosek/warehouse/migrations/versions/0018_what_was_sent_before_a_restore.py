"""What was sent, as traces in the archive say it to a warehouse that was restored from a dump"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0018"
down_revision: str | None = "0017"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_OF_MESSAGE = ("recipient_group", "kind", "language", "channel", "address_sha256")


def upgrade() -> None:
    """Applies this migration: the next run leaves a trace of all that was sent so far."""
    op.add_column(
        "delivery",
        sa.Column("traced", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        schema="alert",
    )
    op.create_table(
        "sending_trace",
        sa.Column("key", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_sending_trace")),
        schema="alert",
    )
    op.create_table(
        "sent_before",
        *(sa.Column(name, sa.Text(), nullable=False) for name in _OF_MESSAGE),
        sa.Column("night", sa.Date(), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint(
            "recipient_group", "night", "kind", "language", "channel", "address_sha256", name=op.f("pk_sent_before")
        ),
        schema="alert",
    )


def downgrade() -> None:
    """Undoes this migration."""
    op.drop_table("sent_before", schema="alert")
    op.drop_table("sending_trace", schema="alert")
    op.drop_column("delivery", "traced", schema="alert")
