"""The chassis's own chain of migrations, and the one Alembic environment that every chain runs in."""
