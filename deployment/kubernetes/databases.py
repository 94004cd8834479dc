"""What prepares PostgreSQL: for each process a database, the role that owns it, and the role that reads and writes it.

For psql, which takes the passwords from its environment. May be run any number of times; a new password is set by it.
"""

from __future__ import annotations

from typing import Final

from deployment.catalogue import PROCESSES, ServiceProcess

_BEGIN: Final = "\\set ON_ERROR_STOP on\n"

_ONE: Final = """
-- {name}
\\connect {admin}
SET client_min_messages = warning;
\\getenv password {prefix}DATABASE_PASSWORD
\\getenv owner_password {prefix}OWNER_PASSWORD
SELECT set_config('log_statement', 'none', false), set_config('log_min_error_statement', 'panic', false)
 WHERE (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) \\g /dev/null
SELECT 'CREATE ROLE {name}_owner' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{name}_owner') \\gexec
SELECT 'CREATE ROLE {name}' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{name}') \\gexec
ALTER ROLE {name}_owner LOGIN PASSWORD :'owner_password';
ALTER ROLE {name} LOGIN PASSWORD :'password';
GRANT {name}_owner TO CURRENT_USER;
SELECT 'CREATE DATABASE {name} OWNER {name}_owner'
 WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '{name}') \\gexec
REVOKE ALL ON DATABASE {name} FROM PUBLIC;
GRANT CONNECT ON DATABASE {name} TO {name};
\\connect {name}
ALTER SCHEMA public OWNER TO {name}_owner;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO {name};
ALTER DEFAULT PRIVILEGES FOR ROLE {name}_owner IN SCHEMA public
  GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {name};
ALTER DEFAULT PRIVILEGES FOR ROLE {name}_owner IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO {name};
"""
_ADMIN: Final = "postgres"
_END: Final = f"""
-- the databases that are there from the start are nobody's business
\\connect {_ADMIN}
REVOKE ALL ON DATABASE postgres FROM PUBLIC;
REVOKE ALL ON DATABASE template1 FROM PUBLIC;
"""


def databases_script() -> str:
    """The script, for all processes."""
    return _BEGIN + "".join(_prepared(process) for process in PROCESSES) + _END


def passwords() -> tuple[str, ...]:
    """The variables that it reads."""
    return tuple(f"{process.prefix}{kind}_PASSWORD" for process in PROCESSES for kind in ("DATABASE", "OWNER"))


def _prepared(process: ServiceProcess) -> str:
    return _ONE.format(name=process.name, prefix=process.prefix, admin=_ADMIN)
