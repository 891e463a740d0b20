"""Steps from one shape of the database to the next, run by alembic when a store is opened."""
