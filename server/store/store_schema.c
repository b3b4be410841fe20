/* store_schema.c - the tables, as numbered migrations.  Side: store. */
/* SPDX-License-Identifier: ISC */
/*
 * A migration is never edited once it was released, only followed by another: migration_1 is that
 * of 0.1.0.  A new state or why
 * of deployment/deploy_flow.h needs one that makes the table's CHECK and indexes anew.  Kinds of
 * effects and verbs of questions have no CHECK, so that a new one needs none.  Times are wall ms,
 * 0: not yet; a text that is not known is ''.
 */
#include "store/store_inside.h"

#include "lib/crash_point.h"

/* Not IN (...): see store_inside.h. */
#define OR_STATE(name, row, word, class) " OR state = '" row "'"
#define OR_WHY(name, row, word)		 " OR why = '" row "'"

static const char *const migration_1[] = {
	"CREATE TABLE inbox ("
	" seq INTEGER PRIMARY KEY,"
	" source TEXT NOT NULL,"
	" id TEXT NOT NULL,"
	" digest BLOB,"
	" at INTEGER NOT NULL,"
	" UNIQUE (source, id)) STRICT;"
	"CREATE UNIQUE INDEX inbox_digest ON inbox (source, digest) WHERE digest IS NOT NULL;",

	"CREATE TABLE effect ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" kind TEXT NOT NULL,"
	" lane TEXT,"
	" subject INTEGER NOT NULL,"
	" body TEXT NOT NULL,"
	" due INTEGER NOT NULL,"
	" at INTEGER NOT NULL) STRICT;"
	"CREATE INDEX effect_lane ON effect (lane, id) WHERE lane IS NOT NULL;"
	"CREATE INDEX effect_subject ON effect (kind, subject);",

	"CREATE TABLE environment ("
	" name TEXT NOT NULL PRIMARY KEY,"
	" current_release INTEGER NOT NULL,"
	" previous_release INTEGER NOT NULL,"
	" held_commit TEXT NOT NULL,"
	" seen_commit TEXT NOT NULL,"
	" is_down INTEGER NOT NULL CHECK (is_down IN (0, 1)),"
	" is_unacknowledged INTEGER NOT NULL CHECK (is_unacknowledged IN (0, 1))) STRICT;",

	/* Commits are called commit_id: COMMIT is a word of SQL. */
	"CREATE TABLE release ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" environment TEXT NOT NULL,"
	" commit_id TEXT NOT NULL,"
	" image TEXT NOT NULL,"
	" at INTEGER NOT NULL,"
	" deployment INTEGER NOT NULL,"
	" released_by TEXT NOT NULL,"
	" subject TEXT NOT NULL) STRICT;"
	"CREATE INDEX release_environment ON release (environment, id);",

	/* clang-format off */
	"CREATE TABLE deployment ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" environment TEXT NOT NULL,"
	" program TEXT NOT NULL CHECK (program IN ('deploy', 'rollback')),"
	" cause TEXT NOT NULL CHECK (cause = 'chat' OR cause = 'push' OR cause = 'poll'),"
	" state TEXT NOT NULL CHECK (state = ''" DEPLOY_STATES(OR_STATE) "),"
	" why TEXT NOT NULL CHECK (why = ''" DEPLOY_WHYS(OR_WHY) "),"
	" commit_id TEXT NOT NULL,"
	" image TEXT NOT NULL,"
	" ref TEXT NOT NULL,"
	" subject TEXT NOT NULL,"
	" author TEXT NOT NULL,"
	" is_forced INTEGER NOT NULL,"
	" is_foreign INTEGER NOT NULL,"
	" previous TEXT NOT NULL,"
	" previous_image TEXT NOT NULL,"
	" asked_by INTEGER NOT NULL,"
	" asker TEXT NOT NULL,"
	" chat INTEGER NOT NULL,"
	" thread INTEGER NOT NULL,"
	" message INTEGER NOT NULL,"
	" also_message INTEGER NOT NULL,"
	" run INTEGER NOT NULL,"
	" attempts INTEGER NOT NULL,"
	" is_touched INTEGER NOT NULL,"
	" has_no_way_back INTEGER NOT NULL,"
	" urls TEXT NOT NULL,"
	" detail TEXT NOT NULL,"
	" note TEXT NOT NULL,"
	" requested_at INTEGER NOT NULL,"
	" started_at INTEGER NOT NULL,"
	" ended_at INTEGER NOT NULL) STRICT;"
	/* These two are the busy flag and the place that waits. */
	"CREATE UNIQUE INDEX deployment_active ON deployment (environment)"
	" WHERE " STORE_IS_ACTIVE ";"
	"CREATE UNIQUE INDEX deployment_queued ON deployment (environment)"
	" WHERE state = 'QUEUED';"
	"CREATE INDEX deployment_open ON deployment (asked_by)"
	" WHERE " STORE_IS_OPEN ";"
	"CREATE INDEX deployment_environment ON deployment (environment, id);"
	/* How long it took is told again and again; most may have been superseded. */
	"CREATE INDEX deployment_live ON deployment (environment, id)"
	" WHERE state = 'LIVE' AND program = 'deploy';"
	"CREATE INDEX deployment_message ON deployment (message);"
	"CREATE INDEX deployment_also_message ON deployment (also_message);",
	/* clang-format on */

	"CREATE TABLE run ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" deployment INTEGER NOT NULL REFERENCES deployment (id),"
	" program TEXT NOT NULL CHECK (program IN ('deploy', 'rollback')),"
	" pid INTEGER NOT NULL,"
	" start_time INTEGER NOT NULL,"
	" boot TEXT NOT NULL,"
	" ordered_at INTEGER NOT NULL,"
	" started_at INTEGER NOT NULL,"
	" ended_at INTEGER NOT NULL,"
	" exit_status INTEGER NOT NULL,"
	" signal_number INTEGER NOT NULL,"
	" duration_ms INTEGER NOT NULL,"
	" detail TEXT NOT NULL,"
	" is_purged INTEGER NOT NULL) STRICT;"
	"CREATE INDEX run_kept ON run (id) WHERE is_purged = 0;"
	"CREATE INDEX run_deployment ON run (deployment);",

	"CREATE TABLE run_step ("
	" run INTEGER NOT NULL,"
	" n INTEGER NOT NULL,"
	" name TEXT NOT NULL,"
	" at INTEGER NOT NULL,"
	" PRIMARY KEY (run, n)) STRICT, WITHOUT ROWID;",

	"CREATE TABLE message ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" chat INTEGER NOT NULL,"
	" thread INTEGER NOT NULL,"
	" remote_id INTEGER NOT NULL,"
	" head TEXT NOT NULL,"
	" foot TEXT NOT NULL,"
	" buttons TEXT NOT NULL,"
	" live_run INTEGER NOT NULL,"
	" live_since INTEGER NOT NULL,"
	" live_estimate_ms INTEGER NOT NULL,"
	" at INTEGER NOT NULL) STRICT;"
	"CREATE INDEX message_chat ON message (chat);",

	"CREATE TABLE question ("
	" id TEXT NOT NULL PRIMARY KEY,"
	" verb TEXT NOT NULL,"
	" deployment INTEGER NOT NULL,"
	" run INTEGER NOT NULL,"
	" chat INTEGER NOT NULL,"
	" asker INTEGER NOT NULL,"
	" wait INTEGER NOT NULL,"
	" closed_at INTEGER NOT NULL) STRICT;"
	"CREATE INDEX question_deployment ON question (deployment);"
	"CREATE INDEX question_run ON question (run) WHERE run <> 0;",

	"CREATE TABLE bucket ("
	" who TEXT NOT NULL PRIMARY KEY,"
	" full_at INTEGER NOT NULL) STRICT;",

	"CREATE TABLE audit ("
	" seq INTEGER PRIMARY KEY,"
	" at INTEGER NOT NULL,"
	" user_id TEXT NOT NULL,"
	" action TEXT NOT NULL,"
	" environment TEXT,"
	" commit_id TEXT,"
	" outcome TEXT NOT NULL,"
	" severity TEXT NOT NULL,"
	" deployment INTEGER NOT NULL,"
	" meta TEXT NOT NULL,"
	" prev BLOB NOT NULL CHECK (length(prev) = 32),"
	" hash BLOB NOT NULL CHECK (length(hash) = 32)) STRICT;",
	NULL,
};

static const char *const migration_2[] = {
	/* How the last one ended is asked with each change, in a history of any length. */
	"CREATE INDEX deployment_ended ON deployment (environment, ended_at)"
	" WHERE " STORE_HAS_RUN ";",
	NULL,
};

static const char *const *const migrations[] = { migration_1, migration_2 };

static bool
migrate_to(struct db *db, int64_t version, struct err *err)
{
	bool ok = true;

	if (!db_begin(db, err))
		return false;
	for (const char *const *sql = migrations[version - 1]; ok && *sql != NULL; sql++)
		ok = db_script(db, *sql, err);
	if (!ok || !db_set_user_version(db, version, err)) {
		db_rollback(db);
		return false;
	}
	CRASH_POINT(migration_written);
	ok = db_commit(db, err);
	CRASH_POINT(migration_done);
	return ok;
}

bool
store_schema_migrate(struct db *db, struct err *err)
{
	const int64_t newest = COUNT(migrations);
	int64_t version;

	if (!db_user_version(db, &version, err))
		return false;
	if (version > newest)
		return err_set(err, ERR_CONFIG,
		    "the database has version %lld and this program knows %lld: start the newer "
		    "one",
		    (long long)version, (long long)newest);
	for (version++; version <= newest; version++)
		if (!migrate_to(db, version, err))
			return err_wrap(err, "migration %lld", (long long)version);
	return true;
}
