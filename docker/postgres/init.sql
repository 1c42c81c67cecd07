-- Two databases, each with the one role that may use it: the Iceberg catalog's, and Dagster's. A role owns one schema in
-- its own database, which has its name, so that it is where its tables go; it can do nothing else anywhere.
--
-- The container runs this once, when its volume is new. It can be run again, by a superuser, to set other passwords:
--   CATALOG_PASSWORD=... DAGSTER_PASSWORD=... psql -X -h HOST -U postgres -d postgres -f init.sql
\set ON_ERROR_STOP on
\getenv catalog_password CATALOG_PASSWORD
\getenv dagster_password DAGSTER_PASSWORD

-- A statement that fails is written to the server's log, and these have passwords in them.
SET log_min_error_statement = 'panic';
SET log_statement = 'none';
SET password_encryption = 'scram-sha-256';

SELECT format('CREATE ROLE %I', name) FROM unnest(ARRAY['shoplake_catalog', 'shoplake_dagster']) AS name
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) \gexec
ALTER ROLE shoplake_catalog LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD :'catalog_password';
ALTER ROLE shoplake_dagster LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD :'dagster_password';

SELECT format('CREATE DATABASE %I', name) FROM unnest(ARRAY['catalog', 'dagster']) AS name
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = name) \gexec
REVOKE ALL ON DATABASE catalog, dagster, postgres, template1 FROM PUBLIC;
GRANT CONNECT ON DATABASE catalog TO shoplake_catalog;
GRANT CONNECT ON DATABASE dagster TO shoplake_dagster;

\connect catalog
REVOKE ALL ON SCHEMA public FROM PUBLIC;
CREATE SCHEMA IF NOT EXISTS AUTHORIZATION shoplake_catalog;

\connect dagster
REVOKE ALL ON SCHEMA public FROM PUBLIC;
CREATE SCHEMA IF NOT EXISTS AUTHORIZATION shoplake_dagster;
