"""The verified list per sub-SLS and night"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0007"
down_revision: str | None = "0006"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Applies this migration."""
    op.create_table(
        "verified",
        sa.Column("province", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("id_subsls", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("night", sa.Date(), autoincrement=False, nullable=False),
        sa.Column("families", sa.BigInteger(), nullable=True),
        sa.Column("non_response", sa.BigInteger(), nullable=True),
        sa.Column("sangat_miskin", sa.BigInteger(), nullable=True),
        sa.Column("miskin", sa.BigInteger(), nullable=True),
        sa.Column("tidak_miskin", sa.BigInteger(), nullable=True),
        sa.Column("not_found", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("delivery_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("province", "id_subsls", "night", name=op.f("pk_verified")),
        schema="mart",
    )


def downgrade() -> None:
    """Undoes this migration."""
    op.drop_table("verified", schema="mart")
