/* doctor_database.c - the database: is it sound, who leads, and may it be relied on?  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/doctor/doctor.h"
#include "lib/clock.h"
#include "lib/db_upkeep.h"
#include "lib/db_url.h"
#include "lib/err.h"
#include "lib/fingerprint.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "lib/version.h"
#include "lib/when.h"
#include "settings/checks/settings_runners.h"
#include "store/leader.h"
#include "store/row_server.h"
#include "store/store_beside.h"
#include "store/store_foreign.h"
#include "store/store_move.h"
#include "store/store_restore.h"

/* --- a file --- */

static void
examine_file(struct doctor *doctor, const char *path)
{
	struct err err;

	doctor->db = db_open(path, DB_READ_ONLY, &err);
	if (doctor->db == NULL || !db_quick_check(doctor->db, NULL, &err)) /* it may be whole */
		TELL(doctor, STORE, ERROR, "store: %s: %s", err.text,
		    err.code == ERR_CONFIG ?
			"stop deploybot and restore it from a backup" :
			err.code == ERR_DENIED ?
			"run doctor as the service's user; where that is this one, chown the file" :
			"it could not be read: run doctor as the service's user, and look at the disk");
	else if (!store_restore_knows(doctor->db, path, &err))
		TELL(doctor, STORE, ERROR, "store: %s", err.text);
	else
		TELL(doctor, STORE, OK, "store: %s is sound", path);
}

/* --- a server of PostgreSQL --- */

/* What the server says of itself, and of our role. */
static bool
examine_server(struct doctor *doctor, struct err *err)
{
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };
	long long off;

	if (!db_query(&rows, doctor->db, err,
		"SELECT CAST(rolname AS TEXT), rolsuper,"
		" current_setting('synchronous_standby_names') = ''"
		" OR current_setting('synchronous_commit') = 'local', " LEADER_NOW_MS
		" FROM pg_roles WHERE rolname = current_user"))
		return false;
	if (!db_next(&rows))
		return db_rows_end(&rows, err);
	off = clock_wall_ms() - db_col_i64(&rows, 3);
	if (db_col_i64(&rows, 1) != 0)
		TELL(doctor, STORE, WARNING,
		    "database: %s, the role of DATABASE_URL, is a superuser: give deploybot a role that is none",
		    db_col_text(&rows, 0));
	if (db_col_i64(&rows, 2) != 0)
		TELL(doctor, STORE, WARNING,
		    "database: one machine: no commit waits for a second one, so what is lost with that machine has been promised: set synchronous_standby_names (a cloud's own copies are not visible from here)");
	if (llabs(off) > LEADER_CLOCK_MS)
		TELL(doctor, CLOCK, ERROR,
		    "clock: it is %lld s %s the database's, and a server whose clock is 2 s off does not lead: set up time synchronisation on both (chrony, systemd-timesyncd)",
		    llabs(off) / 1000, off < 0 ? "behind" : "ahead of");
	return true;
}

/* A standby that differs is noticed by its first push, or by nobody. */
static void
compare(struct doctor *doctor, const struct db_rows *rows, const char *marks)
{
	const char *name = db_col_text(rows, 0), *version = db_col_text(rows, 1);
	char differing[LIMIT_LINE], ago[TEXT_DURATION_SIZE];
	CLEANUP(freep) char *ours = mem_text(marks), *theirs = mem_text(db_col_text(rows, 2));

	if (db_col_i64(rows, 3) > ROW_SERVER_ALIVE_MS)
		TELL(doctor, STORE, WARNING,
		    "servers: %s is not connected to the database: it was last seen %s ago", name,
		    text_age(ago, db_col_i64(rows, 3)));
	if (strcmp(version, version_text) != 0) {
		TELL(doctor, STORE, WARNING,
		    "servers: %s is of version %s, and this one of %s: upgrade it", name, version,
		    version_text);
		/* One of them may not know users by their numbers, or secrets, yet. */
		(void)fingerprint_cut(ours);
		(void)fingerprint_cut(theirs);
	}
	row_server_differing(ours, theirs, differing);
	if (differing[0] != '\0')
		TELL(doctor, STORE, WARNING,
		    "servers: %s goes by other values than stand here of %s: make them the same on both",
		    name, differing);
}

static bool
examine_others(struct doctor *doctor, struct err *err)
{
	CLEANUP(freep) char *marks = row_server_marks(doctor->settings);
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };

	if (!db_query(&rows, doctor->db, err,
		"SELECT name, version, marks, " LEADER_NOW_MS
		" - seen FROM server WHERE name <> $1 AND seen > " LEADER_NOW_MS
		" - $2 ORDER BY name",
		DB_TEXT(settings_server_name(doctor->settings)), DB_I64(ROW_SERVER_KNOWN_MS)))
		return false;
	while (db_next(&rows))
		compare(doctor, &rows, marks);
	return db_rows_end(&rows, err);
}

static bool
examine_leader(struct doctor *doctor, int64_t version, struct err *err)
{
	char since[WHEN_STAMP];
	char namesake[LIMIT_RUNNER];
	struct leader leader;
	int64_t there;
	struct err why;
	bool is_led;

	if (!db_has(doctor->db, "server", NULL, &there, err))
		return false;
	if (there == 0)
		return true; /* no server was ever started */
	if (!leader_read(doctor->db, &leader, err) ||
	    !row_server_namesake(doctor->db, namesake, err))
		return false;
	is_led = leader.holder[0] != '\0' && leader.left_ms >= 0 &&
	    strcmp(leader.holder, LEADER_MOVED) != 0;
	if (namesake[0] != '\0')
		TELL(doctor, STORE, ERROR, ROW_SERVER_NAMESAKE, "servers: ", namesake);
	if (!is_led && version != 0 && !store_move_check(doctor->db, false, false, &why))
		TELL(doctor, STORE, ERROR, "servers: nobody leads: it is refused: %s", why.text);
	else if (!is_led)
		TELL(doctor, STORE, WARNING,
		    "servers: nobody leads: start one (systemctl start deploybot); its log says why it cannot lead");
	else
		TELL(doctor, STORE, OK,
		    "servers: %s leads since %s (epoch %" PRId64 "); this one is %s", leader.holder,
		    when_stamp(doctor->settings->zone, leader.since, since), leader.epoch,
		    settings_server_name(doctor->settings));
	return examine_others(doctor, err);
}

static bool
examine_rows(struct doctor *doctor, struct err *err)
{
	int64_t version;

	if (!store_foreign_check(doctor->db, &version, err) ||
	    !store_restore_knows(doctor->db, "the database of DATABASE_URL", err))
		return false;
	TELL(doctor, STORE, OK, "store: the database of DATABASE_URL answers%s",
	    version == 0 ? "; its tables are made at the first start" : "");
	return examine_server(doctor, err) && examine_leader(doctor, version, err);
}

static void
examine_url(struct doctor *doctor, const struct settings *s)
{
	char beside[STORE_BESIDE];
	struct err err;

	doctor->db = db_open(s->database, DB_READ_ONLY, &err);
	if (doctor->db == NULL || !examine_rows(doctor, &err))
		TELL(doctor, STORE, ERROR, "store: %s%s", err.text,
		    doctor->db != NULL || err.code == ERR_CONFIG ?
			"" :
			db_url_answers(s->database) ?
			": are role, database and password right (%40 for @)?" :
			": is the name right, does it run, and let this machine in?");
	else if (store_beside(s->database, s->state_directory, beside))
		TELL(doctor, STORE, WARNING, "store: %s", beside);
}

void
doctor_database(struct doctor *doctor)
{
	const char *path = doctor->settings->database;

	if (db_is_url(path))
		examine_url(doctor, doctor->settings);
	else if (access(path, F_OK) != 0 && (errno == ENOENT || errno == ENOTDIR))
		TELL(doctor, STORE, OK,
		    "store: there is no database yet; it is made at the first start");
	else
		examine_file(doctor, path);
}
