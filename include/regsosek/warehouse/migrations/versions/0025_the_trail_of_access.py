"""Who saw which cases: entries that are only ever added to"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision: str = "0025"
down_revision: str | None = "0024"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

TABLES = ("access", "access_case")
# For the owner as well, by whose account somebody might mend what is to stay; retention says that it ends entries.
_KEEP = """
CREATE FUNCTION ledger.keep_access() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF current_setting('regsosek.ends_access', true) IS DISTINCT FROM 'on' THEN
        RAISE EXCEPTION 'the trail of access is only added to' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NULL;
END $$
"""


def upgrade() -> None:
    """Applies this migration."""
    op.create_table(
        "access",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("provinces", ARRAY(sa.Text()), nullable=False),
        sa.Column("way", sa.Text(), nullable=False),
        sa.Column("told", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=True),
        sa.Column("transaction", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access")),
        schema="ledger",
    )
    op.create_index(op.f("ix_access_way_at"), "access", ["way", "at"], schema="ledger")
    op.create_table(
        "access_case",
        sa.Column("province", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("case_key", sa.LargeBinary(), autoincrement=False, nullable=False),
        sa.Column("access_id", sa.Uuid(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("province", "case_key", "access_id", name=op.f("pk_access_case")),
        schema="ledger",
    )
    op.create_index(op.f("ix_access_case_access_id"), "access_case", ["access_id"], schema="ledger")
    op.execute(_KEEP)
    for table in TABLES:
        op.execute(
            f"CREATE TRIGGER keep_access BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.{table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION ledger.keep_access()"
        )


def downgrade() -> None:
    """Undoes this migration."""
    for table in reversed(TABLES):
        op.drop_table(table, schema="ledger")
    op.execute("DROP FUNCTION ledger.keep_access()")
