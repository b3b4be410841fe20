#!/usr/bin/env bash
# with_postgresql.sh COMMAND... - runs it beside a PostgreSQL of its own, and ends that.
# SPDX-License-Identifier: ISC
# The cluster is in memory, reached by a socket alone, and flushes nothing: what a test proves here is not its durability.
# TEST_DATABASE is its URL.  As root the cluster is user nobody's, who may not be root.
set -euo pipefail
shopt -s nullglob

found=(/usr/lib/postgresql/*/bin/pg_ctl)
[[ ${#found[@]} -gt 0 ]] || { echo "with_postgresql.sh: no PostgreSQL here: make packages-test" >&2; exit 69; }
bin=${found[-1]%/pg_ctl}
folder=$(mktemp -d /dev/shm/postgresql.XXXXXX)
chmod 711 "$folder" # a test may be another user
as=()
[[ $EUID -ne 0 ]] || { as=(setpriv --reuid nobody --regid nogroup --clear-groups); chown nobody:nogroup "$folder"; }
stop() { "${as[@]}" "$bin/pg_ctl" -D "$folder/data" -m immediate -s stop || true; rm -rf "$folder"; }
trap stop EXIT

cd "$folder"
"${as[@]}" "$bin/initdb" -D data -A trust -U deploybot -E UTF8 --locale C.UTF-8 --no-sync >initdb.log ||
	{ cat initdb.log >&2; exit 70; }
cat >>data/postgresql.conf <<END
listen_addresses = ''
unix_socket_directories = '$folder'
fsync = off
full_page_writes = off
synchronous_commit = off
max_connections = 60
autovacuum = off
END
"${as[@]}" "$bin/pg_ctl" -D data -l "$folder/log" -w -s start || { cat log >&2; exit 70; }
# What tests use of SQLite to look at rows, and, once, what each schema would make.
"${as[@]}" "$bin/psql" -q -v ON_ERROR_STOP=1 -h "$folder" -U deploybot postgres <<'END'
CREATE FUNCTION json_member(text, text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT CAST($1 AS json) ->> $2';
CREATE FUNCTION hex(bytea) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT upper(encode($1, 'hex')) $$;
CREATE FUNCTION zeroblob(int) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$ SELECT decode(repeat('00', $1), 'hex') $$;
CREATE FUNCTION quote(anyelement) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT quote_nullable($1)';
CREATE OPERATOR ->> (LEFTARG = text, RIGHTARG = text, FUNCTION = json_member);
CREATE COLLATION nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
END
cd "$OLDPWD"
TEST_DATABASE="postgresql:///postgres?host=$folder&user=deploybot" "$@"
