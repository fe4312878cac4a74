"""How deliveries stood before they were decided: held, or rejected for what the object store said"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision: str = "0023"
down_revision: str | None = "0022"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Applies this migration: whatever was decided before had been held."""
    op.create_table(
        "former_state",
        sa.Column("province", sa.Text(), nullable=False),
        sa.Column("delivery_id", sa.Text(), nullable=False),
        sa.Column("delivered_on", sa.Date(), nullable=False),
        sa.Column("until_night", sa.Date(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("instrument", sa.Text(), nullable=True),
        sa.Column("decided_night", sa.Date(), nullable=True),
        sa.Column("counts", JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("province", "delivery_id", "delivered_on", "until_night"),
        schema="ledger",
    )
    op.execute("""
        INSERT INTO ledger.former_state
        SELECT d.province, d.delivery_id, d.delivered_on, d.decided_night, 'held', NULL, NULL, d.instrument, NULL,
               coalesce((SELECT jsonb_object_agg(c.dataset, c.received) FROM ledger.delivery_count c
                         WHERE (c.province, c.delivery_id, c.delivered_on)
                             = (d.province, d.delivery_id, d.delivered_on)), '{}')
        FROM ledger.delivery d WHERE d.decided_night IS NOT NULL
    """)


def downgrade() -> None:
    """Undoes this migration."""
    op.drop_table("former_state", schema="ledger")
