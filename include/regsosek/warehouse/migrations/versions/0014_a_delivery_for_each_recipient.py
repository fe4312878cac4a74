"""A delivery of its own for each recipient of a message, and messages with HTML and attachments"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0014"
down_revision: str | None = "0013"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# What was told before had mail alone, and one result for all recipients.
_KEPT = """
INSERT INTO alert.delivery
  (outbox_id, channel, role, address, backup_of, state, attempts, next_try_at, last_error, sent_at)
SELECT o.id, 'email', CASE o.recipient_group WHEN 'platform' THEN 'platform' ELSE 'operasional' END, a.address, '',
       o.state, o.attempts, CASE o.state WHEN 'waiting' THEN now() END, o.last_error, o.sent_at
FROM alert.outbox o, jsonb_array_elements_text(o.recipients) AS a(address)
ORDER BY o.id
"""


def upgrade() -> None:
    """Applies this migration: recipients become deliveries."""
    op.create_table(
        "delivery",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("outbox_id", sa.BigInteger(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("backup_of", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("unclear", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("next_try_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("quiet", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("last_result", sa.Text(), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery")),
        schema="alert",
    )
    op.create_index("ix_delivery_outbox", "delivery", ["outbox_id"], schema="alert")
    op.execute(_KEPT)
    op.drop_column("outbox", "recipients", schema="alert")
    for column in (
        sa.Column("language", sa.Text(), nullable=False, server_default="id"),
        sa.Column("html", sa.Text(), nullable=False, server_default=""),
        sa.Column("attachments", postgresql.JSONB(), nullable=False, server_default="[]"),
        sa.Column("urgent", sa.Boolean(), nullable=False, server_default="false"),
    ):
        op.add_column("outbox", column, schema="alert")
        op.alter_column("outbox", column.name, server_default=None, schema="alert")
    op.add_column("outbox", sa.Column("next_try_at", sa.DateTime(timezone=True), nullable=True), schema="alert")
    op.execute("UPDATE alert.outbox SET next_try_at = now() WHERE state = 'waiting'")
    op.execute("UPDATE alert.outbox SET language = 'en' WHERE recipient_group = 'platform'")
    op.drop_index("uq_outbox_once", table_name="outbox", schema="alert")
    key = ["recipient_group", "night", "kind", "language"]
    op.create_index("uq_outbox_once", "outbox", key, unique=True, schema="alert")


def downgrade() -> None:
    """Undoes this migration; of one message in two languages the one that was composed first stays."""
    op.execute(
        "DELETE FROM alert.outbox o USING alert.outbox first WHERE first.recipient_group = o.recipient_group "
        "AND first.night = o.night AND first.kind = o.kind AND first.id < o.id"
    )
    recipients = sa.Column("recipients", postgresql.JSONB(), nullable=False, server_default="[]")
    op.add_column("outbox", recipients, schema="alert")
    op.execute(
        "UPDATE alert.outbox o SET recipients = (SELECT coalesce(jsonb_agg(d.address ORDER BY d.id), '[]') "
        "FROM alert.delivery d WHERE d.outbox_id = o.id AND d.channel = 'email')"
    )
    op.alter_column("outbox", "recipients", server_default=None, schema="alert")
    # Before, nothing that is not sent was anything but waiting; what failed for good must not go out again.
    op.execute("UPDATE alert.outbox SET state = 'sent' WHERE state <> 'waiting'")
    op.drop_index("uq_outbox_once", table_name="outbox", schema="alert")
    op.create_index("uq_outbox_once", "outbox", ["recipient_group", "night", "kind"], unique=True, schema="alert")
    for name in ("language", "html", "attachments", "urgent", "next_try_at"):
        op.drop_column("outbox", name, schema="alert")
    op.drop_table("delivery", schema="alert")
