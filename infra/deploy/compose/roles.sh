#!/bin/sh
# Of the first start of PostgreSQL: the logins, and the roles that migrations give their rights to (docs/installation.md).
set -eu
psql --set=ON_ERROR_STOP=1 --username="$POSTGRES_USER" --dbname="$POSTGRES_DB" \
  --set=owner="$(cat /run/secrets/owner-password)" --set=service="$(cat /run/secrets/service-password)" <<'SQL'
CREATE ROLE indbakke_app NOLOGIN NOSUPERUSER NOBYPASSRLS;
CREATE ROLE indbakke_worker NOLOGIN NOSUPERUSER NOBYPASSRLS;
CREATE ROLE indbakke_queue NOLOGIN NOSUPERUSER NOBYPASSRLS;
CREATE ROLE indbakke_owner LOGIN CREATEROLE PASSWORD :'owner';
CREATE ROLE indbakke_service LOGIN NOINHERIT PASSWORD :'service';
GRANT indbakke_app, indbakke_worker, indbakke_queue TO indbakke_owner WITH ADMIN OPTION;
GRANT indbakke_app, indbakke_worker, indbakke_queue TO indbakke_service;
ALTER DATABASE indbakke OWNER TO indbakke_owner;
GRANT pg_checkpoint, pg_read_all_stats TO indbakke_owner;
GRANT EXECUTE ON FUNCTION pg_switch_wal(), pg_ls_waldir() TO indbakke_owner;
SQL
