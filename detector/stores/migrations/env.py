"""Alembic's entry: runs the steps on the connection that the store hands over, in its transaction."""

from alembic import context

from detector.stores.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    # The store has begun a transaction already, and holds a lock in it.
    transactional_ddl=False,
)
context.run_migrations()
