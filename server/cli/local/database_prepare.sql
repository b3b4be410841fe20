-- Roles and a database for deploybot.  As the cluster's superuser, once:
--   deploybot database prepare | sudo -u postgres psql -v ON_ERROR_STOP=1
-- Then give both roles a password (\password deploybot), or a line in pg_hba.conf.
CREATE ROLE deploybot LOGIN;
CREATE ROLE deploybot_read LOGIN;
-- Of what a session of deploybot_read may undo by itself: against mistakes, not against ill will.
ALTER ROLE deploybot_read SET default_transaction_read_only = on;
ALTER ROLE deploybot_read SET statement_timeout = '60s';
ALTER ROLE deploybot_read SET idle_in_transaction_session_timeout = '60s';
GRANT pg_read_all_stats TO deploybot, deploybot_read;
CREATE DATABASE deploybot OWNER deploybot ENCODING 'UTF8' LOCALE 'C' TEMPLATE template0;
REVOKE ALL ON DATABASE deploybot FROM PUBLIC;
GRANT CONNECT ON DATABASE deploybot TO deploybot_read;
\connect deploybot
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE, CREATE ON SCHEMA public TO deploybot;
GRANT USAGE ON SCHEMA public TO deploybot_read;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO deploybot_read;
ALTER DEFAULT PRIVILEGES FOR ROLE deploybot IN SCHEMA public GRANT SELECT ON TABLES TO deploybot_read;
