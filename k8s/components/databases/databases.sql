-- Written by `python -m deployment.kubernetes`.
\set ON_ERROR_STOP on

-- gateway
\connect postgres
SET client_min_messages = warning;
\getenv password GATEWAY_DATABASE_PASSWORD
\getenv owner_password GATEWAY_OWNER_PASSWORD
SELECT set_config('log_statement', 'none', false), set_config('log_min_error_statement', 'panic', false)
 WHERE (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) \g /dev/null
SELECT 'CREATE ROLE gateway_owner' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'gateway_owner') \gexec
SELECT 'CREATE ROLE gateway' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'gateway') \gexec
ALTER ROLE gateway_owner LOGIN PASSWORD :'owner_password';
ALTER ROLE gateway LOGIN PASSWORD :'password';
GRANT gateway_owner TO CURRENT_USER;
SELECT 'CREATE DATABASE gateway OWNER gateway_owner'
 WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'gateway') \gexec
REVOKE ALL ON DATABASE gateway FROM PUBLIC;
GRANT CONNECT ON DATABASE gateway TO gateway;
\connect gateway
ALTER SCHEMA public OWNER TO gateway_owner;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO gateway;
ALTER DEFAULT PRIVILEGES FOR ROLE gateway_owner IN SCHEMA public
  GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO gateway;
ALTER DEFAULT PRIVILEGES FOR ROLE gateway_owner IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO gateway;

-- identity
\connect postgres
SET client_min_messages = warning;
\getenv password IDENTITY_DATABASE_PASSWORD
\getenv owner_password IDENTITY_OWNER_PASSWORD
SELECT set_config('log_statement', 'none', false), set_config('log_min_error_statement', 'panic', false)
 WHERE (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) \g /dev/null
SELECT 'CREATE ROLE identity_owner' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'identity_owner') \gexec
SELECT 'CREATE ROLE identity' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'identity') \gexec
ALTER ROLE identity_owner LOGIN PASSWORD :'owner_password';
ALTER ROLE identity LOGIN PASSWORD :'password';
GRANT identity_owner TO CURRENT_USER;
SELECT 'CREATE DATABASE identity OWNER identity_owner'
 WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'identity') \gexec
REVOKE ALL ON DATABASE identity FROM PUBLIC;
GRANT CONNECT ON DATABASE identity TO identity;
\connect identity
ALTER SCHEMA public OWNER TO identity_owner;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO identity;
ALTER DEFAULT PRIVILEGES FOR ROLE identity_owner IN SCHEMA public
  GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO identity;
ALTER DEFAULT PRIVILEGES FOR ROLE identity_owner IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO identity;

-- scoring
\connect postgres
SET client_min_messages = warning;
\getenv password SCORING_DATABASE_PASSWORD
\getenv owner_password SCORING_OWNER_PASSWORD
SELECT set_config('log_statement', 'none', false), set_config('log_min_error_statement', 'panic', false)
 WHERE (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) \g /dev/null
SELECT 'CREATE ROLE scoring_owner' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'scoring_owner') \gexec
SELECT 'CREATE ROLE scoring' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'scoring') \gexec
ALTER ROLE scoring_owner LOGIN PASSWORD :'owner_password';
ALTER ROLE scoring LOGIN PASSWORD :'password';
GRANT scoring_owner TO CURRENT_USER;
SELECT 'CREATE DATABASE scoring OWNER scoring_owner'
 WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'scoring') \gexec
REVOKE ALL ON DATABASE scoring FROM PUBLIC;
GRANT CONNECT ON DATABASE scoring TO scoring;
\connect scoring
ALTER SCHEMA public OWNER TO scoring_owner;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO scoring;
ALTER DEFAULT PRIVILEGES FOR ROLE scoring_owner IN SCHEMA public
  GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO scoring;
ALTER DEFAULT PRIVILEGES FOR ROLE scoring_owner IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO scoring;

-- lifecycle
\connect postgres
SET client_min_messages = warning;
\getenv password LIFECYCLE_DATABASE_PASSWORD
\getenv owner_password LIFECYCLE_OWNER_PASSWORD
SELECT set_config('log_statement', 'none', false), set_config('log_min_error_statement', 'panic', false)
 WHERE (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) \g /dev/null
SELECT 'CREATE ROLE lifecycle_owner' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'lifecycle_owner') \gexec
SELECT 'CREATE ROLE lifecycle' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'lifecycle') \gexec
ALTER ROLE lifecycle_owner LOGIN PASSWORD :'owner_password';
ALTER ROLE lifecycle LOGIN PASSWORD :'password';
GRANT lifecycle_owner TO CURRENT_USER;
SELECT 'CREATE DATABASE lifecycle OWNER lifecycle_owner'
 WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'lifecycle') \gexec
REVOKE ALL ON DATABASE lifecycle FROM PUBLIC;
GRANT CONNECT ON DATABASE lifecycle TO lifecycle;
\connect lifecycle
ALTER SCHEMA public OWNER TO lifecycle_owner;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO lifecycle;
ALTER DEFAULT PRIVILEGES FOR ROLE lifecycle_owner IN SCHEMA public
  GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO lifecycle;
ALTER DEFAULT PRIVILEGES FOR ROLE lifecycle_owner IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO lifecycle;

-- nurture
\connect postgres
SET client_min_messages = warning;
\getenv password NURTURE_DATABASE_PASSWORD
\getenv owner_password NURTURE_OWNER_PASSWORD
SELECT set_config('log_statement', 'none', false), set_config('log_min_error_statement', 'panic', false)
 WHERE (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) \g /dev/null
SELECT 'CREATE ROLE nurture_owner' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'nurture_owner') \gexec
SELECT 'CREATE ROLE nurture' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'nurture') \gexec
ALTER ROLE nurture_owner LOGIN PASSWORD :'owner_password';
ALTER ROLE nurture LOGIN PASSWORD :'password';
GRANT nurture_owner TO CURRENT_USER;
SELECT 'CREATE DATABASE nurture OWNER nurture_owner'
 WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'nurture') \gexec
REVOKE ALL ON DATABASE nurture FROM PUBLIC;
GRANT CONNECT ON DATABASE nurture TO nurture;
\connect nurture
ALTER SCHEMA public OWNER TO nurture_owner;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO nurture;
ALTER DEFAULT PRIVILEGES FOR ROLE nurture_owner IN SCHEMA public
  GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO nurture;
ALTER DEFAULT PRIVILEGES FOR ROLE nurture_owner IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO nurture;

-- routing
\connect postgres
SET client_min_messages = warning;
\getenv password ROUTING_DATABASE_PASSWORD
\getenv owner_password ROUTING_OWNER_PASSWORD
SELECT set_config('log_statement', 'none', false), set_config('log_min_error_statement', 'panic', false)
 WHERE (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) \g /dev/null
SELECT 'CREATE ROLE routing_owner' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'routing_owner') \gexec
SELECT 'CREATE ROLE routing' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'routing') \gexec
ALTER ROLE routing_owner LOGIN PASSWORD :'owner_password';
ALTER ROLE routing LOGIN PASSWORD :'password';
GRANT routing_owner TO CURRENT_USER;
SELECT 'CREATE DATABASE routing OWNER routing_owner'
 WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'routing') \gexec
REVOKE ALL ON DATABASE routing FROM PUBLIC;
GRANT CONNECT ON DATABASE routing TO routing;
\connect routing
ALTER SCHEMA public OWNER TO routing_owner;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO routing;
ALTER DEFAULT PRIVILEGES FOR ROLE routing_owner IN SCHEMA public
  GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO routing;
ALTER DEFAULT PRIVILEGES FOR ROLE routing_owner IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO routing;

-- metrics
\connect postgres
SET client_min_messages = warning;
\getenv password METRICS_DATABASE_PASSWORD
\getenv owner_password METRICS_OWNER_PASSWORD
SELECT set_config('log_statement', 'none', false), set_config('log_min_error_statement', 'panic', false)
 WHERE (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) \g /dev/null
SELECT 'CREATE ROLE metrics_owner' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'metrics_owner') \gexec
SELECT 'CREATE ROLE metrics' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'metrics') \gexec
ALTER ROLE metrics_owner LOGIN PASSWORD :'owner_password';
ALTER ROLE metrics LOGIN PASSWORD :'password';
GRANT metrics_owner TO CURRENT_USER;
SELECT 'CREATE DATABASE metrics OWNER metrics_owner'
 WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'metrics') \gexec
REVOKE ALL ON DATABASE metrics FROM PUBLIC;
GRANT CONNECT ON DATABASE metrics TO metrics;
\connect metrics
ALTER SCHEMA public OWNER TO metrics_owner;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO metrics;
ALTER DEFAULT PRIVILEGES FOR ROLE metrics_owner IN SCHEMA public
  GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO metrics;
ALTER DEFAULT PRIVILEGES FOR ROLE metrics_owner IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO metrics;

-- the databases that are there from the start are nobody's business
\connect postgres
REVOKE ALL ON DATABASE postgres FROM PUBLIC;
REVOKE ALL ON DATABASE template1 FROM PUBLIC;
