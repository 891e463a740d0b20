"""Calls with their turns, evidence, messages and fingerprints; the lists."""

import sqlalchemy as sa
from alembic import op

from detector.stores.schema import UtcDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def _of_call(table: str) -> tuple[sa.Column[str], sa.ForeignKeyConstraint]:
    return (
        sa.Column("call_id", sa.String(128), nullable=False),
        sa.ForeignKeyConstraint(["call_id"], ["calls.id"], name=f"fk_{table}_call_id", ondelete="CASCADE"),
    )


def upgrade() -> None:
    op.create_table(
        "calls",
        sa.Column("id", sa.String(128), nullable=False),
        sa.Column("agent", sa.String(64), nullable=False),
        sa.Column("started_at", UtcDateTime, nullable=False),
        sa.Column("answered_at", UtcDateTime),
        sa.Column("ended_at", UtcDateTime),
        sa.Column("end_reason", sa.String(32)),
        sa.Column("number", sa.String(32), nullable=False),
        sa.Column("display_name", sa.Text),
        sa.Column("language", sa.String(8)),
        sa.Column("label", sa.String(32)),
        sa.Column("action", sa.String(32)),
        sa.Column("unwanted", sa.Float),
        sa.Column("playback", sa.Float),
        sa.Column("patter", sa.Float),
        sa.Column("unresponsive", sa.Float),
        sa.Column("decided_at", sa.Float),
        sa.Column("reason", sa.Text),
        sa.Column("lost", sa.Boolean, nullable=False),
        sa.Column("refused_at", UtcDateTime),
        sa.Column("audio_path", sa.Text),
        sa.Column("rating", sa.String(16)),
        sa.PrimaryKeyConstraint("id", name="pk_calls"),
    )
    op.create_index("ix_calls_number_started_at", "calls", ["number", "started_at"])
    op.create_index("ix_calls_started_at", "calls", ["started_at"])
    _create_parts_of_calls()
    op.create_table(
        "list_entries",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("owner", sa.String(8), nullable=False),
        sa.Column("verdict", sa.String(8), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("value", sa.String(64), nullable=False),
        sa.Column("tag", sa.String(64)),
        sa.Column("note", sa.Text),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_list_entries"),
        sa.UniqueConstraint(
            "owner", "verdict", "kind", "value", name="uq_list_entries_owner_verdict_kind_value"
        ),
    )


def _create_parts_of_calls() -> None:
    op.create_table(
        "turns",
        sa.Column("id", sa.Integer, nullable=False),
        *_of_call("turns"),
        sa.Column("speaker", sa.String(8), nullable=False),
        sa.Column("start", sa.Float, nullable=False),
        sa.Column("end", sa.Float, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_turns"),
    )
    op.create_table(
        "evidence",
        sa.Column("id", sa.Integer, nullable=False),
        *_of_call("evidence"),
        sa.Column("source", sa.String(64), nullable=False),
        sa.Column("axis", sa.String(16), nullable=False),
        sa.Column("llr", sa.Float, nullable=False),
        sa.Column("media_time", sa.Float, nullable=False),
        sa.Column("arrived", sa.Float, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_evidence"),
    )
    op.create_table(
        "messages",
        sa.Column("id", sa.Integer, nullable=False),
        *_of_call("messages"),
        sa.Column("taken_at", UtcDateTime, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("audio_path", sa.Text),
        sa.Column("read_at", UtcDateTime),
        sa.PrimaryKeyConstraint("id", name="pk_messages"),
    )
    op.create_table(
        "fingerprints",
        sa.Column("id", sa.Integer, nullable=False),
        *_of_call("fingerprints"),
        sa.Column("landmarks", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_fingerprints"),
    )
    for table in ("turns", "evidence", "messages", "fingerprints"):
        op.create_index(f"ix_{table}_call_id", table, ["call_id"])
    op.create_index("ix_messages_taken_at", "messages", ["taken_at"])


def downgrade() -> None:
    for table in ("list_entries", "fingerprints", "messages", "evidence", "turns", "calls"):
        op.drop_table(table)
