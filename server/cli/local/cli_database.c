/* cli_database.c - `deploybot database`: into PostgreSQL and back, and what is there.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sysexits.h>

#include "cli/cli.h"
#include "cli/local/cli_state.h"
#include "lib/db_upkeep.h"
#include "lib/db_url.h"
#include "lib/embed.h"
#include "lib/err.h"
#include "lib/file.h"
#include "lib/text.h"
#include "settings/checks/settings_runners.h"
#include "store/leader.h"
#include "store/store_move.h"
#include "store/store_restore.h"

extern const char cli_database_sql[];
EMBED_HERE(cli_database_sql, "server/cli/local/database_prepare.sql");

int
cli_database_prepare(UNUSED const struct cli *cli)
{
	(void)fputs(cli_database_sql, stdout);
	return EX_OK;
}

/* --- copy --- */

/* A URL as it is, that of the settings for its name, else the path of a file. */
static const char *
read_end(const struct settings *s, const char *text, char path[PATH_MAX])
{
	struct stat st;
	bool is_folder;

	if (strcmp(text, "DATABASE_URL") == 0 && db_is_url(s->database))
		return s->database;
	if (db_is_url(text))
		return text;
	if (text_starts(text, "sqlite:"))
		text += strlen("sqlite:");
	is_folder = stat(text, &st) == 0 && S_ISDIR(st.st_mode);
	(void)snprintf(path, PATH_MAX, "%s%s", text, is_folder ? "/" STORE_FILE : "");
	return path;
}

/* The file that a server of that folder has; any other is a backup, or is to be one. */
static bool
is_served(const char *path)
{
	const char *slash = strrchr(path, '/');

	return strcmp(slash == NULL ? path : slash + 1, STORE_FILE) == 0;
}

static bool
lock_folder(const struct settings *s, const char *file, int *ret_fd, struct err *err)
{
	char copy[PATH_MAX];

	if (db_is_url(file) || !is_served(file))
		return true;
	(void)snprintf(copy, sizeof(copy), "%s", file);
	*ret_fd = cli_state_lock(s, dirname(copy), err);
	return *ret_fd >= 0;
}

static void
say_moved(const struct store_move *move, const struct store_moved *moved)
{
	(void)printf("ok: %" PRId64 " rows are at TO, and as many as at FROM;\n"
		     "    %" PRId64 " audit entries verify at both ends, head %s\n",
	    moved->rows, moved->entries, moved->head);
	if (!move->is_backup)
		(void)puts("FROM is marked as moved: no server starts on it, but by\n"
			   "    deploybot serve --moved-back");
	(void)printf("now: %s,\n    then start deploybot%s\n",
	    db_is_url(move->to) ? "set DATABASE_URL to TO, and SERVER_NAME" :
				  "take DATABASE_URL and SERVER_NAME out of the settings",
	    move->is_backup ? ", at first as: deploybot serve --restored" : "");
}

int
cli_database_copy(const struct cli *cli)
{
	CLEANUP(settings_unrefp) struct settings *s = cli_settings(cli, false);
	CLEANUP(file_closep) int from_fd = -1;
	CLEANUP(file_closep) int to_fd = -1;
	char from[PATH_MAX], to[PATH_MAX];
	struct store_move move = { .cleans = cli->value[OPTION_CLEAN] != NULL };
	struct store_moved moved = { 0 };
	struct err err;

	if (s == NULL)
		return EX_CONFIG;
	move.from = read_end(s, cli->argv[0], from);
	move.to = read_end(s, cli->argv[1], to);
	move.is_backup = !db_is_url(move.from) && !is_served(move.from);
	move.server_name = settings_text(s, SETTING_SERVER_NAME);
	if (move.server_name == NULL)
		(void)err_set(&err, ERR_CONFIG,
		    "SERVER_NAME is not set: rows of PostgreSQL call this machine's runner so");
	else if (cli_state_become_owner(s, &err) && lock_folder(s, move.from, &from_fd, &err) &&
	    lock_folder(s, move.to, &to_fd, &err) && store_move(&move, &moved, &err)) {
		say_moved(&move, &moved);
		return EX_OK;
	}
	(void)err_wrap(&err, "nothing was copied");
	return cli_fail(&err);
}

/* --- status --- */

static bool
say_leader(struct db *db, struct err *err)
{
	struct leader leader = { 0 };
	char since[TEXT_TIME_SIZE];
	int64_t is_there;

	if (!db_has(db, "leader", NULL, &is_there, err) ||
	    (is_there != 0 && !leader_read(db, &leader, err)))
		return false;
	if (leader.holder[0] != '\0')
		(void)printf("leader:   %s, epoch %" PRId64 ", since %s%s\n", leader.holder,
		    leader.epoch, text_time(since, leader.since),
		    leader.left_ms < 0 ? "; its lease has ended" : "");
	else
		(void)printf("leader:   nobody leads, epoch %" PRId64 "\n", leader.epoch);
	return true;
}

/* What a machine has not flushed yet is lost with the other one. */
static bool
say_standbys(struct db *db, struct err *err)
{
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };
	int n = 0;

	if (!db_query(&rows, db, err,
		"SELECT application_name, sync_state,"
		" CAST(COALESCE(EXTRACT(EPOCH FROM flush_lag), 0) * 1000 AS BIGINT)"
		" FROM pg_stat_replication WHERE sync_state IN ('sync', 'quorum')"
		" ORDER BY application_name"))
		return false;
	for (; db_next(&rows); n++)
		(void)printf("standby:  %s (%s), %" PRId64 " ms behind\n", db_col_text(&rows, 0),
		    db_col_text(&rows, 1), db_col_i64(&rows, 2));
	if (n == 0)
		(void)puts("standby:  none is synchronous: one machine has what was decided last");
	return db_rows_end(&rows, err);
}

static bool
say_status(struct db *db, const struct settings *s, struct err *err)
{
	bool is_server = db_is_url(s->database);
	int64_t version;
	struct err why;

	if (!db_user_version(db, &version, err))
		return false;
	(void)printf("engine:   %s\n", is_server ? "PostgreSQL, by DATABASE_URL" : "SQLite");
	if (!is_server)
		(void)printf("file:     %s\n", s->database);
	if (version == 0)
		(void)puts("schema:   none: it is empty");
	else
		(void)printf("schema:   %" PRId64 "\n", version);
	if (version != 0 &&
	    (!store_restore_knows(db, "the database", &why) ||
		!store_move_check(db, false, false, &why)))
		(void)printf("serve:    refused: %s\n", why.text);
	return !is_server || (say_leader(db, err) && say_standbys(db, err));
}

int
cli_database_status(const struct cli *cli)
{
	CLEANUP(settings_unrefp) struct settings *s = cli_settings(cli, false);
	CLEANUP(db_closep) struct db *db = NULL;
	struct err err;

	if (s == NULL)
		return EX_CONFIG;
	db = db_open(s->database, DB_READ_ONLY, &err);
	return db != NULL && say_status(db, s, &err) ? EX_OK : cli_fail(&err);
}
