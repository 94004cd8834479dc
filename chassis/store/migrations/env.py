"""The Alembic environment of every chain: `chassis.store.migrate` hands over the connection and the names, so no
service writes one.
"""

from __future__ import annotations

from alembic import context

_attributes = context.config.attributes
_options = {
    "target_metadata": _attributes.get("metadata"),
    "version_table": _attributes["version_table"],
    "include_object": _attributes["include_object"],
    "transactional_ddl": True,  # SQLite can too, once BEGIN is explicit
    "render_as_batch": True,  # SQLite alters a column only by copying the table
}

if context.is_offline_mode():
    context.configure(dialect_name=_attributes["dialect"], literal_binds=True, **_options)
else:
    context.configure(connection=_attributes["connection"], **_options)

with context.begin_transaction():
    context.run_migrations()
