"""The tables of the system of record, as SQLAlchemy Core sees them; the migrations make them."""

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ColumnElement,
    Computed,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Sequence,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from domain.document import DocumentState
from domain.failures import Stage
from domain.ladder.roles import Role

metadata = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
        "ck": "%(table_name)s_%(constraint_name)s_check",
    }
)

pgm_number_seq = Sequence("pgm_number_seq", data_type=BigInteger, metadata=metadata)

# A statement's own time, unlike now(), does not lag behind in a long transaction; unlike
# clock_timestamp() it is stable, so that an index may be asked with it.
NOW: ColumnElement[datetime] = func.statement_timestamp(type_=DateTime(timezone=True))


def _moment(name: str, *, known: bool = True) -> Column[object]:
    """A column of database time, filled in by the database where the moment is known at once."""
    return Column(name, DateTime(timezone=True), nullable=not known, server_default=NOW if known else None)


def _one_of(column: str, values: type[DocumentState | Role | Stage]) -> CheckConstraint:
    return CheckConstraint(f"{column} IN ({', '.join(repr(value.value) for value in values)})", name=column)


programs = Table(
    "programs",
    metadata,
    Column("pgm_id", Text, primary_key=True),
    Column("pgm_number", BigInteger, nullable=False, unique=True),
    Column("pgm_name", Text, nullable=False),
    # By what the name is found and ordered: without case and width, and no longer than an index row may be.
    Column("name_key", Text(collation="C"), Computed("left(lower(normalize(pgm_name, NFKC)), 200)", persisted=True)),
    Column("create_user", Text, nullable=False),
    Column("pgm_version", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("notes", Text, nullable=False),
    # What answers, the newest that was recorded, and the last number that was given out.
    Column("revision", Integer, nullable=False),
    Column("latest_revision", Integer, nullable=False, server_default=text("1")),
    Column("drawn_revision", Integer, nullable=False, server_default=text("1")),
    Column("drawn_document", Integer, nullable=False, server_default=text("0")),
    _moment("create_dt"),
    _moment("update_dt"),
    _moment("deleted_dt", known=False),
    _moment("purged_dt", known=False),
    CheckConstraint("pgm_id = 'PGM_' || pgm_number", name="pgm_number"),
    CheckConstraint("revision >= 1", name="revision"),
    CheckConstraint("revision <= latest_revision AND latest_revision <= drawn_revision", name="latest_revision"),
    CheckConstraint("purged_dt IS NULL OR deleted_dt IS NOT NULL", name="purged_dt"),
)
_IS_ALIVE = programs.c.deleted_dt.is_(None)
# The listing reads the living from the newest down.
Index("programs_listing_idx", programs.c.pgm_number.desc(), postgresql_where=_IS_ALIVE)
Index("programs_name_key_idx", programs.c.name_key, programs.c.pgm_number, postgresql_where=_IS_ALIVE)
Index("programs_create_user_idx", programs.c.create_user, programs.c.pgm_number, postgresql_where=_IS_ALIVE)
Index("programs_create_dt_idx", programs.c.create_dt, postgresql_where=_IS_ALIVE)

revisions = Table(
    "revisions",
    metadata,
    Column("pgm_id", Text, ForeignKey("programs.pgm_id"), primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("create_user", Text, nullable=False),
    _moment("create_dt"),
)


def _of_a_revision() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(["pgm_id", "revision"], ["revisions.pgm_id", "revisions.revision"], ondelete="CASCADE")


documents = Table(
    "documents",
    metadata,
    Column("document_id", Text, primary_key=True),
    Column("pgm_id", Text, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("ordinal", Integer, nullable=False),
    Column("document_type", Text, nullable=False),
    Column("document_name", Text, nullable=False),
    Column("blob_key", Text, nullable=False),
    Column("member", Text),
    Column("size_bytes", BigInteger, nullable=False),
    Column("sha256", Text, nullable=False),
    _moment("create_dt"),
    Column("state", Text, nullable=False),
    Column("generation", BigInteger, nullable=False),
    Column("logic_id", Text, nullable=False),
    Column("logic_name", Text, nullable=False),
    Column("folder_id", Text, nullable=False),
    Column("folder_name", Text, nullable=False),
    Column("sub_folder_name", Text, nullable=False),
    Column("ladder_encoding", Text),
    Column("ladder_delimiter", Text),
    Column("ladder_tool", Text),
    Column("ladder_cpu", Text),
    Column("ladder_row_count", Integer),
    Column("ladder_rung_count", Integer),
    Column("chunk_count", Integer, nullable=False),
    Column("failure_code", Text),
    Column("failure_message", Text),
    _moment("indexed_dt", known=False),
    Column("title", Text, nullable=False, server_default=text("''")),
    Column("description", Text, nullable=False, server_default=text("''")),
    _of_a_revision(),
    # Also the index of the listing, which pages by ordinal.
    UniqueConstraint("pgm_id", "revision", "ordinal"),
    # What failed and what waits, how many there are of each, and how large they are.
    Index("documents_state_idx", "state", "pgm_id", "revision", postgresql_include=["chunk_count", "size_bytes"]),
    # Not which types there are, so that a new one needs no migration (ADR 16).
    CheckConstraint("document_type ~ '^[A-Z][A-Z0-9_]*$'", name="document_type"),
    _one_of("state", DocumentState),
    CheckConstraint("generation >= 1", name="generation"),
    CheckConstraint("chunk_count >= 0", name="chunk_count"),
    CheckConstraint("(state = 'failed') = (failure_code IS NOT NULL)", name="failure_code"),
    CheckConstraint("(failure_code IS NULL) = (failure_message IS NULL)", name="failure_message"),
    CheckConstraint(
        "num_nulls(ladder_encoding, ladder_delimiter, ladder_tool, ladder_cpu, ladder_row_count, ladder_rung_count)"
        " IN (0, 6)",
        name="ladder",
    ),
)

template_rows = Table(
    "template_rows",
    metadata,
    Column("pgm_id", Text, primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("ordinal", Integer, primary_key=True),
    Column("row", Integer, nullable=False),
    Column("folder_id", Text, nullable=False),
    Column("folder_name", Text, nullable=False),
    Column("sub_folder_name", Text, nullable=False),
    Column("logic_id", Text, nullable=False),
    Column("logic_name", Text, nullable=False),
    _of_a_revision(),
)

FOLDER_CHARACTERS = 255
"""By how much of it a folder is found: nobody bounds what stands in a cell, and an index row is at most 2,704 bytes."""
for _name in ("folder_id", "folder_name"):
    Index(
        f"template_rows_{_name}_idx",
        func.left(template_rows.c[_name], text(str(FOLDER_CHARACTERS))),
        template_rows.c.pgm_id,
        template_rows.c.revision,
    )

device_comments = Table(
    "device_comments",
    metadata,
    Column("pgm_id", Text, primary_key=True),
    Column("revision", Integer, primary_key=True),
    # Not the device: nobody bounds its length, and an index row is at most 2,704 bytes.
    Column("ordinal", Integer, primary_key=True),
    Column("device", Text, nullable=False),
    Column("comment", Text, nullable=False),
    _of_a_revision(),
    # No device is that long; what people write into such a file may be.
    Index("device_comments_device_idx", "pgm_id", "revision", text('"left"(device, 64)')),
)

chunks = Table(
    "chunks",
    metadata,
    Column("chunk_id", Text, primary_key=True),
    # Two renderings of a document stand side by side while the index of the newer one is built.
    # The default is what a worker of release 0.1 means, which does not say it.
    Column("rendering_version", Integer, primary_key=True, autoincrement=False, server_default=text("2")),
    Column("document_id", Text, ForeignKey("documents.document_id", ondelete="CASCADE"), nullable=False),
    Column("generation", BigInteger, nullable=False),
    Column("ordinal", Integer, nullable=False),
    Column("logic_id", Text, nullable=False),
    Column("logic_name", Text, nullable=False),
    Column("folder_id", Text, nullable=False),
    Column("folder_name", Text, nullable=False),
    Column("sub_folder_name", Text, nullable=False),
    Column("first_step", BigInteger),
    Column("last_step", BigInteger),
    Column("title", Text, nullable=False),
    Column("ladder", Text, nullable=False),
    Column("devices", JSONB, nullable=False),
    # Of the text that was embedded; NULL where a worker of release 0.1 wrote the row.
    Column("dense_digest", LargeBinary),
    Index("chunks_document_id_idx", "document_id"),
)

# Whose uses are recorded, of which generation, and by which version of the instruction table.
used_documents = Table(
    "used_documents",
    metadata,
    Column("set_id", BigInteger, Identity(always=True), primary_key=True),
    Column("document_id", Text, ForeignKey("documents.document_id", ondelete="CASCADE"), nullable=False, unique=True),
    Column("generation", BigInteger, nullable=False),
    Column("uses_version", Integer, nullable=False),
    # Its bytes could not be read again: whoever asks is told that something is missing.
    Column("is_unreadable", Boolean, nullable=False),
    # How many uses were recorded, for the audit; NULL where a worker of before did so, which does not say it.
    Column("use_count", Integer),
)

device_uses = Table(
    "device_uses",
    metadata,
    Column("set_id", BigInteger, ForeignKey("used_documents.set_id", ondelete="CASCADE"), primary_key=True),
    Column("use_id", BigInteger, Identity(always=True), primary_key=True),
    # What orders the devices of one program without a look at its documents.
    Column("pgm_number", BigInteger, nullable=False),
    Column("rung", Integer, nullable=False),
    Column("step", Integer),
    Column("first", Integer, nullable=False),
    Column("last", Integer, nullable=False),
    # The bit of a word; -1 for all of it, so that it can be compared.
    Column("bit", SmallInteger, nullable=False),
    Column("is_open", Boolean, nullable=False),
    Column("is_shifted", Boolean, nullable=False),
    Column("space", Text(collation="C"), nullable=False),
    Column("role", Text, nullable=False),
    Column("mnemonic", Text, nullable=False),
    Column("operand", Text, nullable=False),
    _one_of("role", Role),
    CheckConstraint("first >= 0 AND first <= last", name="first"),
    Index("device_uses_device_idx", "space", "first", "use_id"),
    Index("device_uses_program_idx", "pgm_number", "space", "first", "bit", "use_id"),
    Index(
        "device_uses_program_ranges_idx", "pgm_number", "space", "first", "last", postgresql_where=text("last > first")
    ),
    # A range type without an extension; of which space it is, is looked at afterwards.
    Index(
        "device_uses_ranges_idx",
        text("int4range(first, last, '[]')"),
        postgresql_using="gist",
        postgresql_where=text("last > first"),
    ),
)

vector_indexes = Table(
    "vector_indexes",
    metadata,
    Column("index_id", Integer, Identity(always=True), primary_key=True),
    Column("model_name", Text, nullable=False),
    Column("dimension", Integer, nullable=False),
    Column("rendering_version", Integer, nullable=False),
    Column("is_current", Boolean, nullable=False),
    Column("is_complete", Boolean, nullable=False),
    # Who builds it now, and until when nobody else does.
    Column("builder", Uuid(as_uuid=False)),
    _moment("builder_until", known=False),
    _moment("create_dt"),
    UniqueConstraint("model_name", "dimension", "rendering_version"),
)
Index(
    "vector_indexes_current_idx",
    vector_indexes.c.is_current,
    unique=True,
    postgresql_where=vector_indexes.c.is_current,
)

indexed_documents = Table(
    "indexed_documents",
    metadata,
    Column("index_id", Integer, ForeignKey("vector_indexes.index_id", ondelete="CASCADE"), primary_key=True),
    Column("document_id", Text, ForeignKey("documents.document_id", ondelete="CASCADE"), primary_key=True),
    Column("generation", BigInteger, nullable=False),
    # What removes a document looks for it here.
    Index("indexed_documents_document_id_idx", "document_id"),
)

failures = Table(
    "failures",
    metadata,
    Column("failure_id", BigInteger, Identity(always=True), primary_key=True),
    Column("pgm_id", Text, ForeignKey("programs.pgm_id"), nullable=False),
    # Ids and generations as in the event, which is forgotten earlier.
    Column("documents", JSONB, nullable=False),
    Column("event_id", BigInteger, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("stage", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("is_final", Boolean, nullable=False),
    _moment("failed_dt"),
    _one_of("stage", Stage),
    Index("failures_pgm_id_idx", "pgm_id", "failure_id"),
)

uploads = Table(
    "uploads",
    metadata,
    Column("prefix", Text, primary_key=True),
    _moment("started_at"),
    # When a sweeper took the prefix over: its uploader can no longer finish.
    _moment("taken_at", known=False),
)
Index("uploads_started_at_idx", uploads.c.started_at)

# No foreign key to programs: a key is taken first, before anything that whoever takes it too would do in vain.
idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    # Whose key it is; blank where nobody has to say who they are.
    Column("client", Text, primary_key=True, server_default=text("''")),
    Column("operation", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("fingerprint", Text, nullable=False),
    Column("pgm_id", Text, nullable=False),
    Column("answer", LargeBinary, nullable=False),
    _moment("created_at"),
)
Index("idempotency_keys_created_at_idx", idempotency_keys.c.created_at)

outbox = Table(
    "outbox",
    metadata,
    Column("event_id", BigInteger, Identity(always=True), primary_key=True),
    Column("kind", Text, nullable=False),
    Column("payload", JSONB, nullable=False),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    _moment("next_attempt_at"),
    Column("lease_token", Uuid(as_uuid=False)),
    _moment("created_at"),
    _moment("done_at", known=False),
    _moment("dead_at", known=False),
    Column("last_error", Text),
    Column("trace_context", JSONB(none_as_null=True)),
    CheckConstraint("attempts >= 0", name="attempts"),
    CheckConstraint("done_at IS NULL OR dead_at IS NULL", name="ended"),
)
IS_PENDING = outbox.c.done_at.is_(None) & outbox.c.dead_at.is_(None)
# A million finished events must not slow down a claim: the index holds the pending alone.
Index("outbox_pending_idx", outbox.c.next_attempt_at, outbox.c.event_id, postgresql_where=IS_PENDING)
IS_DEAD = outbox.c.dead_at.is_not(None)
Index("outbox_dead_idx", outbox.c.event_id, postgresql_where=IS_DEAD)
IS_DONE = outbox.c.done_at.is_not(None)
Index("outbox_done_idx", outbox.c.done_at, postgresql_where=IS_DONE)

audits = Table(
    "audits",
    metadata,
    Column("name", Text, primary_key=True),
    _moment("started_at"),
    _moment("ended_at", known=False),
    Column("counts", JSONB(none_as_null=True)),
)

api_keys = Table(
    "api_keys",
    metadata,
    # What may be shown of a key; of the rest there is the SHA-256 alone.
    Column("prefix", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("scopes", ARRAY(Text), nullable=False),
    _moment("created_at"),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    _moment("revoked_at", known=False),
    _moment("last_used_at", known=False),
    CheckConstraint("scopes <> '{}' AND scopes <@ ARRAY['read', 'write', 'admin']", name="scopes"),
    # The listing's order, and how many an owner has.
    Index("api_keys_owner_idx", "owner", "prefix"),
)

webhooks = Table(
    "webhooks",
    metadata,
    Column("webhook_id", Text, primary_key=True),
    Column("url", Text, nullable=False),
    Column("kinds", ARRAY(Text), nullable=False),
    # As it is: a secret of which only a digest is kept signs nothing.
    Column("secret", Text, nullable=False),
    Column("former_secret", Text),
    _moment("former_until", known=False),
    _moment("created_at"),
    _moment("disabled_at", known=False),
    Column("disabled_reason", Text),
    CheckConstraint("kinds <> '{}'", name="kinds"),
    CheckConstraint("(disabled_at IS NULL) = (disabled_reason IS NULL)", name="disabled"),
    CheckConstraint("(former_secret IS NULL) = (former_until IS NULL)", name="former"),
)

# No foreign key to webhooks: one that is removed just now must not make a registration fail.
webhook_deliveries = Table(
    "webhook_deliveries",
    metadata,
    Column("delivery_id", Text, primary_key=True),
    Column("webhook_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("pgm_id", Text, nullable=False),
    Column("run", Text, nullable=False),
    Column("pgm_name", Text, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("status", Text, nullable=False),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    _moment("next_attempt_at"),
    Column("lease_token", Uuid(as_uuid=False)),
    _moment("created_at"),
    _moment("done_at", known=False),
    _moment("dead_at", known=False),
    Column("last_error", Text),
    # Which run of an indexing, so that its end is told once, however often it is met.
    UniqueConstraint("webhook_id", "pgm_id", "kind", "run"),
    CheckConstraint("done_at IS NULL OR dead_at IS NULL", name="ended"),
)
IS_ON_ITS_WAY = webhook_deliveries.c.done_at.is_(None) & webhook_deliveries.c.dead_at.is_(None)
Index(
    "webhook_deliveries_due_idx",
    webhook_deliveries.c.next_attempt_at,
    webhook_deliveries.c.webhook_id,
    postgresql_where=IS_ON_ITS_WAY,
)
IS_UNDELIVERABLE = webhook_deliveries.c.dead_at.is_not(None)
Index("webhook_deliveries_dead_idx", webhook_deliveries.c.dead_at, postgresql_where=IS_UNDELIVERABLE)
IS_DELIVERED = webhook_deliveries.c.done_at.is_not(None)
Index("webhook_deliveries_done_idx", webhook_deliveries.c.done_at, postgresql_where=IS_DELIVERED)
