"""The version of the questionnaire that a delivery was made with"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Applies this migration."""
    op.add_column("delivery", sa.Column("instrument_version", sa.Text(), nullable=True), schema="ledger")
    # Until now no other version was let in.
    op.execute("UPDATE ledger.delivery SET instrument_version = '1' WHERE manifest_sha256 IS NOT NULL")


def downgrade() -> None:
    """Takes this migration back."""
    op.drop_column("delivery", "instrument_version", schema="ledger")
