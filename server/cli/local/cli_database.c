/* cli_database.c - `deploybot database`: into PostgreSQL and back, and what is there.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <inttypes.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/local/cli_restore.h"
#include "lib/db_upkeep.h"
#include "lib/db_url.h"
#include "lib/embed.h"
#include "lib/err.h"
#include "lib/text.h"
#include "store/leader.h"
#include "store/row_leader.h"
#include "store/row_server.h"
#include "store/store_foreign.h"
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

struct end {
	const char *database; /* a URL, or path */
	char path[PATH_MAX];
	bool is_served; /* a file that is called as a server's is: its folder is locked */
};

/* The lock stays until this program ends. */
static bool
take_end(const struct settings *s, const char *text, struct end *end, struct err *err)
{
	char folder[PATH_MAX], base[PATH_MAX];
	struct stat st;

	end->database = strcmp(text, "DATABASE_URL") == 0 ? s->database : text;
	if (db_is_url(end->database))
		return true;
	if (end->database != text)
		return err_set(err, ERR_CONFIG, "DATABASE_URL is not set");
	text += text_starts(text, "sqlite:") ? strlen("sqlite:") : 0;
	(void)snprintf(end->path, PATH_MAX, "%s%s", text,
	    stat(text, &st) == 0 && S_ISDIR(st.st_mode) ? "/" STORE_FILE : "");
	end->database = end->path;
	(void)text_copy(folder, sizeof(folder), end->path);
	(void)text_copy(base, sizeof(base), end->path);
	if (access(end->path, R_OK) != 0 && errno == EACCES)
		return err_set(err, ERR_DENIED,
		    "%.200s: this runs as the user %u, who may not read it: sudo chown %u FILE",
		    end->path, (unsigned)geteuid(), (unsigned)geteuid());
	end->is_served = strcmp(basename(base), STORE_FILE) == 0;
	return !end->is_served || cli_lock_state(s, dirname(folder), err) >= 0;
}

static void
say_moved(const struct store_move *move, const struct store_moved *moved)
{
	(void)printf("ok: %" PRId64 " rows, as many at both ends\n", moved->rows);
	(void)printf("    %" PRId64 " audit entries, verified at both ends, head %s\n",
	    moved->entries, moved->head);
	if (!move->is_backup)
		(void)puts("FROM is marked as moved: no server starts on it any more");
	(void)printf("now: %s, and start %s\n",
	    db_is_url(move->to) ? "let DATABASE_URL be TO" : "take DATABASE_URL away",
	    move->is_backup ? "once: deploybot serve --restored" : "deploybot");
}

static bool
copy(const struct settings *s, const struct cli *cli, struct err *err)
{
	struct store_move move = { .server_name = settings_text(s, SETTING_SERVER_NAME),
		.cleans = cli->value[OPTION_CLEAN] != NULL };
	struct end from = { 0 }, to = { 0 };
	struct store_moved moved;

	if (move.server_name == NULL)
		return err_set(err, ERR_CONFIG,
		    "SERVER_NAME is not set: in PostgreSQL the runner of this machine has that name");
	if (!cli_become_owner(s, err) || !take_end(s, cli->argv[0], &from, err) ||
	    !take_end(s, cli->argv[1], &to, err))
		return false;
	move.from = from.database;
	move.to = to.database;
	move.is_backup = !db_is_url(move.from) && !from.is_served;
	if (!db_is_url(move.to) && !to.is_served)
		return err_set(err, ERR_INVALID,
		    "TO is no folder of a server, and no " STORE_FILE
		    ": a backup is made by deploybot backup");
	if (!store_move(&move, &moved, err))
		return false;
	say_moved(&move, &moved);
	return true;
}

int
cli_database_copy(const struct cli *cli)
{
	CLEANUP(settings_unrefp) struct settings *s = cli_settings(cli, false);
	struct err err;

	if (s == NULL)
		return EX_CONFIG;
	return copy(s, cli, &err) ? EX_OK : cli_fail(&err);
}

/* --- status --- */

/* What a machine has not flushed yet is lost with the other one. */
static bool
say_replicas(struct db *db, struct err *err)
{
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };
	bool is_alone = true;

	if (!db_query(&rows, db, err,
		"SELECT application_name, sync_state,"
		" CAST(COALESCE(EXTRACT(EPOCH FROM flush_lag), 0) * 1000 AS BIGINT)"
		" FROM pg_stat_replication WHERE sync_state IN ('sync', 'quorum')"
		" ORDER BY application_name"))
		return false;
	for (; db_next(&rows); is_alone = false)
		(void)printf("replica:  %s (%s), %" PRId64 " ms behind\n", db_col_text(&rows, 0),
		    db_col_text(&rows, 1), db_col_i64(&rows, 2));
	if (is_alone)
		(void)puts("replica:  none is synchronous: one machine has what is newest");
	return db_rows_end(&rows, err);
}

static bool
say_leader(struct db *db, struct err *err)
{
	struct leader leader = { 0 };
	char since[TEXT_TIME_SIZE], standby[LIMIT_RUNNER], namesake[LIMIT_RUNNER];
	int64_t is_there;

	if (!db_has(db, "leader", NULL, &is_there, err) ||
	    (is_there != 0 && !leader_read(db, &leader, err)) ||
	    !row_leader_standby(db, standby, err) || !row_server_namesake(db, namesake, err))
		return false;
	(void)printf("leader:   %s, epoch %" PRId64 "%s%s%s\n",
	    leader.holder[0] == '\0' ? "nobody" : leader.holder, leader.epoch,
	    leader.since == 0 ? "" : ", since ",
	    leader.since == 0 ? "" : text_time(since, leader.since),
	    leader.left_ms < 0 && leader.holder[0] != '\0' ? ", gone" : "");
	(void)printf("standby:  %s\n", standby[0] != '\0' ? standby : "none could lead now");
	if (namesake[0] != '\0')
		(void)printf(ROW_SERVER_NAMESAKE "\n", "names:    ", namesake);
	return say_replicas(db, err);
}

static bool
say_status(struct db *db, const char *database, struct err *err)
{
	int64_t version;
	struct err why;
	bool is_ours = !db_is_url(database) || store_foreign_check(db, &version, &why);

	if (!db_user_version(db, &version, err))
		return false;
	(void)printf("engine:   %s\nschema:   %" PRId64 "%s\n",
	    db_is_url(database) ? "PostgreSQL, by DATABASE_URL" : "SQLite, for one server", version,
	    version != 0 ? "" :
		is_ours	 ? ": it is empty" :
			   ": none of deploybot's is in it");
	if (!is_ours)
		(void)printf("serve:    refused: %s\n", why.text);
	else if (version != 0 &&
	    (!store_restore_knows(db, "it", &why) || !store_move_check(db, false, false, &why)))
		(void)printf("serve:    refused: %s\n", why.text);
	return !db_is_url(database) || !is_ours || say_leader(db, err);
}

int
cli_database_show(const struct cli *cli)
{
	CLEANUP(settings_unrefp) struct settings *s = cli_settings(cli, false);
	CLEANUP(db_closep) struct db *db = NULL;
	struct err err;

	if (s == NULL)
		return EX_CONFIG;
	db = db_open(s->database, DB_READ_ONLY, &err);
	return db != NULL && say_status(db, s->database, &err) ? EX_OK : cli_fail(&err);
}
