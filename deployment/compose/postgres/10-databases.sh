#!/bin/sh
# One database for each process, two roles for each: <name>_owner owns it and its tables and runs the migrations, <name>
# reads and writes rows. Nobody can connect to another's database.
#
# Runs by itself when the volume is new. May be run again at any time, with other passwords, or for a process that a
# newer version added: docker compose exec postgres sh /docker-entrypoint-initdb.d/10-databases.sh
set -eu

: "${POSTGRES_USER:=postgres}"

# one statement a line on standard input; passwords come from the environment, and are on no command line and in no log
run() {
  psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$1"
}

role() { # ROLE VARIABLE-WITH-ITS-PASSWORD
  cat <<SQL
\\getenv password $2
SET log_statement = 'none';
SET log_min_error_statement = 'panic';
SELECT format('CREATE ROLE %I', '$1') WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '$1')
\\gexec
ALTER ROLE "$1" WITH LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION PASSWORD :'password';
SQL
}

database() { # NAME
  cat <<SQL
SELECT format('CREATE DATABASE %I OWNER %I', '$1', '$1_owner')
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '$1')
\\gexec
REVOKE ALL ON DATABASE "$1" FROM PUBLIC;
GRANT CONNECT ON DATABASE "$1" TO "$1";
SQL
}

schema() { # NAME, in its database
  cat <<SQL
ALTER SCHEMA public OWNER TO "$1_owner";
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO "$1";
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO "$1";
GRANT USAGE, SELECT, UPDATE ON ALL SEQUENCES IN SCHEMA public TO "$1";
ALTER DEFAULT PRIVILEGES FOR ROLE "$1_owner" IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO "$1";
ALTER DEFAULT PRIVILEGES FOR ROLE "$1_owner" IN SCHEMA public GRANT USAGE, SELECT, UPDATE ON SEQUENCES TO "$1";
SQL
}

given() { # VARIABLE: must be set, by its name
  eval "[ -n \"\${$1:-}\" ]" || { echo "$1 is not set; ./rapport keys new --to .env makes it" >&2; exit 1; }
}

for process in gateway identity scoring lifecycle nurture routing metrics; do
  prefix=$(echo "$process" | tr '[:lower:]' '[:upper:]')
  given "${prefix}_OWNER_PASSWORD"
  given "${prefix}_DATABASE_PASSWORD"
  { role "${process}_owner" "${prefix}_OWNER_PASSWORD"; role "$process" "${prefix}_DATABASE_PASSWORD"; } | run postgres
  database "$process" | run postgres
  schema "$process" | run "$process"
done

# the databases that are there from the start are nobody's business
run postgres <<SQL
REVOKE ALL ON DATABASE postgres FROM PUBLIC;
REVOKE ALL ON DATABASE template1 FROM PUBLIC;
SQL
