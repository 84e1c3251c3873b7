"""Run by Alembic, on the connection that `upgrade` hands over."""

from alembic import context

given = context.config.attributes
context.configure(
    connection=given["connection"],
    target_metadata=given["metadata"],
    version_table=given["version_table"],
    transactional_ddl=True,
)
context.run_migrations()
