"""Fingerprints have a campaign, a label and an index of hashes; some come without a call."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("fingerprints") as table:
        table.alter_column("call_id", existing_type=sa.String(128), nullable=True)
        table.add_column(sa.Column("campaign", sa.Integer))
        table.add_column(sa.Column("label", sa.String(12)))
        table.add_column(sa.Column("name", sa.String(64)))
        table.create_index("ix_fingerprints_campaign", ["campaign"])
    op.create_table(
        "fingerprint_hashes",
        sa.Column("hash", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("fingerprint_id", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("frame", sa.Integer, nullable=False, autoincrement=False),
        sa.PrimaryKeyConstraint("hash", "fingerprint_id", "frame", name="pk_fingerprint_hashes"),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    op.drop_table("fingerprint_hashes")
    op.execute("DELETE FROM fingerprints WHERE call_id IS NULL")
    with op.batch_alter_table("fingerprints") as table:
        table.drop_index("ix_fingerprints_campaign")
        for column in ("name", "label", "campaign"):
            table.drop_column(column)
        table.alter_column("call_id", existing_type=sa.String(128), nullable=False)
