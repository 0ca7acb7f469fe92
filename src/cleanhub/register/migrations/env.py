"""Runs the migrations of the register on the connection that ``database.upgrade`` hands over."""

from alembic import context

from cleanhub.register.database import VERSION_TABLE

connection = context.config.attributes["connection"]
context.configure(connection=connection, version_table=VERSION_TABLE)
with context.begin_transaction():
    context.run_migrations()
