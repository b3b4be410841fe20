/* store_schema.c - the tables, as numbered migrations.  Side: store. */
/* SPDX-License-Identifier: ISC */
/*
 * A migration is literal SQL and is never edited, only followed by another: builds with it may be
 * installed, also unreleased ones, and a database that has it never runs it again.
 * tests/fixtures/migrations.txt holds a digest of each.  A new state needs one that makes the
 * indexes anew that name its like; words have no CHECK.
 * State lists are not IN (...): see store_inside.h.  Times are wall ms, 0: not yet; a text that is
 * not known is ''.
 */
#include "store/store_inside.h"

#include "lib/crash_point.h"
#include "lib/db_upkeep.h"
#include "lib/embed.h"

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

	"CREATE TABLE deployment ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" environment TEXT NOT NULL,"
	" program TEXT NOT NULL CHECK (program IN ('deploy', 'rollback')),"
	" cause TEXT NOT NULL CHECK (cause = 'chat' OR cause = 'push' OR cause = 'poll'),"
	" state TEXT NOT NULL CHECK (state = '' OR state = 'REQUESTED'"
	" OR state = 'AWAITING_CONFIRMATION' OR state = 'QUEUED' OR state = 'RUNNING'"
	" OR state = 'STOPPING' OR state = 'VERIFYING' OR state = 'ROLLING_BACK'"
	" OR state = 'VERIFYING_ROLLBACK' OR state = 'LIVE' OR state = 'FAILED'"
	" OR state = 'ROLLED_BACK' OR state = 'ROLLBACK_FAILED' OR state = 'REFUSED'"
	" OR state = 'CANCELLED' OR state = 'EXPIRED' OR state = 'SUPERSEDED'),"
	" why TEXT NOT NULL CHECK (why = '' OR why = 'NONE' OR why = 'CANCELLED'"
	" OR why = 'TIMED_OUT' OR why = 'INTERRUPTED' OR why = 'SCRIPT'"
	" OR why = 'UNHEALTHY' OR why = 'NOT_STARTED' OR why = 'REFUSED'),"
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
	" WHERE (state = '' OR state = 'RUNNING' OR state = 'STOPPING'"
	" OR state = 'VERIFYING' OR state = 'ROLLING_BACK'"
	" OR state = 'VERIFYING_ROLLBACK');"
	"CREATE UNIQUE INDEX deployment_queued ON deployment (environment)"
	" WHERE state = 'QUEUED';"
	"CREATE INDEX deployment_open ON deployment (asked_by)"
	" WHERE (state <> '' AND state <> 'LIVE' AND state <> 'FAILED'"
	" AND state <> 'ROLLED_BACK' AND state <> 'ROLLBACK_FAILED'"
	" AND state <> 'REFUSED' AND state <> 'CANCELLED' AND state <> 'EXPIRED'"
	" AND state <> 'SUPERSEDED');"
	"CREATE INDEX deployment_environment ON deployment (environment, id);"
	/* How long it took is shown again and again; most may have been superseded. */
	"CREATE INDEX deployment_live ON deployment (environment, id)"
	" WHERE state = 'LIVE' AND program = 'deploy';"
	"CREATE INDEX deployment_message ON deployment (message);"
	"CREATE INDEX deployment_also_message ON deployment (also_message);",

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
	" WHERE (state = 'LIVE' OR state = 'FAILED' OR state = 'ROLLED_BACK'"
	" OR state = 'ROLLBACK_FAILED');",
	NULL,
};

static const char *const migration_3[] = {
	/* What runs there is not known: nothing is started there without a person's word. */
	"ALTER TABLE environment ADD COLUMN unknown_since INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE environment ADD COLUMN unknown_why TEXT NOT NULL DEFAULT '';",
	/* The button that ends this stands for an environment, not for a deployment. */
	"ALTER TABLE question ADD COLUMN environment TEXT NOT NULL DEFAULT '';",
	NULL,
};

static const char *const migration_4[] = {
	/* What a question showed, who confirmed it, and who else may answer it. */
	"ALTER TABLE deployment ADD COLUMN is_again INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE deployment ADD COLUMN confirmed_by INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE deployment ADD COLUMN confirmer TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE deployment ADD COLUMN shown_live TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE deployment ADD COLUMN shown_blocked INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE deployment ADD COLUMN changed TEXT NOT NULL DEFAULT '';",
	"CREATE TABLE question_requester ("
	" deployment INTEGER NOT NULL,"
	" person INTEGER NOT NULL,"
	" message INTEGER NOT NULL,"
	" PRIMARY KEY (deployment, person)) STRICT, WITHOUT ROWID;",
	/* Which messages notify, what they reply to, and which deployment they rang for. */
	"ALTER TABLE deployment ADD COLUMN request INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE message ADD COLUMN is_silent INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE message ADD COLUMN is_answer INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE message ADD COLUMN reply_to INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE message ADD COLUMN reply_row INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE message ADD COLUMN rings_for INTEGER NOT NULL DEFAULT 0;"
	"CREATE INDEX message_rings_for ON message (rings_for) WHERE rings_for <> 0;",
	/* The first poll only remembers what it finds; an installation that polls has done so. */
	"ALTER TABLE environment ADD COLUMN polled_commit TEXT NOT NULL DEFAULT '';"
	"UPDATE environment SET polled_commit = seen_commit WHERE EXISTS (SELECT 1 FROM effect"
	" WHERE kind = 'wait' AND body LIKE '%\"wait\":\"poll\"%'"
	" OR kind = 'ask' AND body LIKE '%\"question\":\"heads\"%');",

	/* What git says that a release will not have: submodules, LFS files. */
	"ALTER TABLE deployment ADD COLUMN missing TEXT NOT NULL DEFAULT '';",
	/* A release is called by a number of its environment's own.  renumbered_at: until then its
	 * id was its number.  origin: the release that it is of, where a rollback brought that
	 * back.  left_by: the deployment that rolled it back. */
	"ALTER TABLE release ADD COLUMN number INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE release ADD COLUMN renumbered_at INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE release ADD COLUMN origin INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE release ADD COLUMN left_by INTEGER NOT NULL DEFAULT 0;"
	"UPDATE release SET number = n, origin = id,"
	" renumbered_at = CAST(strftime('%s', 'now') AS INTEGER) * 1000"
	" FROM (SELECT id AS i, ROW_NUMBER() OVER (PARTITION BY environment ORDER BY id) AS n"
	" FROM release) WHERE id = i;"
	"CREATE UNIQUE INDEX release_number ON release (environment, number);"
	/* A rollback went to the newest release of its commit. */
	"UPDATE release SET origin = COALESCE((SELECT MAX(t.id) FROM release t"
	" WHERE t.environment = release.environment AND t.commit_id = release.commit_id"
	" AND t.id < release.id AND t.deployment NOT IN (SELECT d.id FROM deployment d"
	" WHERE d.program = 'rollback' OR d.state = 'ROLLED_BACK')), id)"
	" WHERE deployment IN (SELECT d.id FROM deployment d"
	" WHERE d.program = 'rollback' OR d.state = 'ROLLED_BACK');"
	"UPDATE release SET left_by = b FROM (SELECT r.id AS i, MIN(n.deployment) AS b"
	" FROM release n JOIN release r ON r.environment = n.environment AND r.id > n.origin"
	" AND r.id < n.id GROUP BY r.id) WHERE id = i;",

	/* To where a rollback goes, and whether that is newer than what it leaves. */
	"ALTER TABLE deployment ADD COLUMN to_release INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE deployment ADD COLUMN is_forward INTEGER NOT NULL DEFAULT 0;",

	/* environment.held_commit is used no more. */
	"CREATE TABLE block ("
	" id INTEGER PRIMARY KEY,"
	" environment TEXT NOT NULL,"
	" commit_id TEXT NOT NULL,"
	" blocked_by TEXT NOT NULL,"
	" at INTEGER NOT NULL,"
	" why TEXT NOT NULL,"
	" UNIQUE (environment, commit_id)) STRICT;"
	"INSERT INTO block SELECT NULL, e.name, e.held_commit, 'deploybot',"
	" COALESCE((SELECT MAX(d.ended_at) FROM deployment d WHERE d.environment = e.name"
	" AND d.commit_id = e.held_commit), 0), '' FROM environment e WHERE e.held_commit <> ''"
	" AND e.held_commit <> COALESCE((SELECT r.commit_id FROM release r"
	" WHERE r.id = e.current_release), '');"
	"UPDATE environment SET held_commit = '';"
	/* Blocked commits that a deployment's commit has in its history. */
	"CREATE TABLE contained ("
	" deployment INTEGER NOT NULL,"
	" commit_id TEXT NOT NULL,"
	" PRIMARY KEY (deployment, commit_id)) STRICT, WITHOUT ROWID;",

	/* What strangers repeat is counted here, and is an entry of the audit once an hour. */
	"CREATE TABLE stranger ("
	" input TEXT NOT NULL PRIMARY KEY,"
	" source TEXT NOT NULL,"
	" action TEXT NOT NULL,"
	" outcome TEXT NOT NULL,"
	" severity TEXT NOT NULL,"
	" last TEXT NOT NULL,"
	" n INTEGER NOT NULL,"
	" due INTEGER NOT NULL) STRICT;",

	/* The audit's head that a message shows, and the newest that Telegram has confirmed. */
	"ALTER TABLE message ADD COLUMN audit_head TEXT NOT NULL DEFAULT '';"
	"CREATE TABLE witness ("
	" id INTEGER PRIMARY KEY CHECK (id = 1),"
	" head TEXT NOT NULL) STRICT;",
	/* Bytes; of runs from before: not known, and counted as none. */
	"ALTER TABLE run ADD COLUMN log_size INTEGER NOT NULL DEFAULT 0;",
	NULL,
};

/* Text: "shop" of "shop/staging", "" of "staging". */
#define APPLICATION_OF_ENVIRONMENT \
	"application TEXT NOT NULL GENERATED ALWAYS AS" \
	" (substr(environment, 1, max(instr(environment, '/') - 1, 0))) VIRTUAL"

static const char *const migration_5[] = {
	/* All work on a target is of one table, which a deployment is a program of.  No CHECK: a
	 * new program, cause, state or why needs no table made anew, only the indexes that name
	 * it.  place: 0, it has none.  waits_for: '', 'slot', 'git', or a claim's resource. */
	"CREATE TABLE work ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" environment TEXT NOT NULL,"
	" " APPLICATION_OF_ENVIRONMENT ","
	" program TEXT NOT NULL,"
	" cause TEXT NOT NULL,"
	" state TEXT NOT NULL,"
	" why TEXT NOT NULL,"
	" commit_id TEXT NOT NULL,"
	" image TEXT NOT NULL,"
	" ref TEXT NOT NULL,"
	" subject TEXT NOT NULL,"
	" author TEXT NOT NULL,"
	" is_forced INTEGER NOT NULL,"
	" is_foreign INTEGER NOT NULL,"
	" is_again INTEGER NOT NULL DEFAULT 0,"
	" previous TEXT NOT NULL,"
	" previous_image TEXT NOT NULL,"
	" missing TEXT NOT NULL DEFAULT '',"
	" to_release INTEGER NOT NULL DEFAULT 0,"
	" is_forward INTEGER NOT NULL DEFAULT 0,"
	" requested_by INTEGER NOT NULL,"
	" requester TEXT NOT NULL,"
	" confirmed_by INTEGER NOT NULL DEFAULT 0,"
	" confirmer TEXT NOT NULL DEFAULT '',"
	" shown_live TEXT NOT NULL DEFAULT '',"
	" shown_blocked INTEGER NOT NULL DEFAULT 0,"
	" changed TEXT NOT NULL DEFAULT '',"
	" chat INTEGER NOT NULL,"
	" thread INTEGER NOT NULL,"
	" request INTEGER NOT NULL DEFAULT 0,"
	" message INTEGER NOT NULL,"
	" also_message INTEGER NOT NULL,"
	" place INTEGER NOT NULL DEFAULT 0,"
	" waits_for TEXT NOT NULL DEFAULT '',"
	" is_asked_anew INTEGER NOT NULL DEFAULT 0,"
	/* Since when; what was live when git last compared its commit with that, and whether it
	 * was found behind it. */
	" queued_at INTEGER NOT NULL DEFAULT 0,"
	" compared_live TEXT NOT NULL DEFAULT '',"
	" is_behind INTEGER NOT NULL DEFAULT 0,"
	" is_told_next INTEGER NOT NULL DEFAULT 0,"
	" run INTEGER NOT NULL,"
	" attempts INTEGER NOT NULL,"
	" is_touched INTEGER NOT NULL,"
	" has_no_way_back INTEGER NOT NULL,"
	" urls TEXT NOT NULL,"
	" detail TEXT NOT NULL,"
	" note TEXT NOT NULL,"
	" requested_at INTEGER NOT NULL,"
	" answered_at INTEGER NOT NULL DEFAULT 0,"
	" started_at INTEGER NOT NULL,"
	" ended_at INTEGER NOT NULL) STRICT;"
	"INSERT INTO work (id, environment, program, cause, state, why, commit_id, image, ref,"
	" subject, author, is_forced, is_foreign, is_again, previous, previous_image, missing,"
	" to_release, is_forward, requested_by, requester, confirmed_by, confirmer,"
	" shown_live, shown_blocked, changed, chat, thread, request, message, also_message, place,"
	" run, attempts, is_touched, has_no_way_back, urls, detail, note, requested_at,"
	" answered_at, started_at, ended_at)"
	" SELECT id, environment, program, cause, state, why, commit_id, image, ref,"
	" subject, author, is_forced, is_foreign, is_again, previous, previous_image, missing,"
	" to_release, is_forward,"
	" asked_by, asker, confirmed_by, confirmer,"
	" shown_live, shown_blocked, changed, chat, thread, request, message, also_message,"
	" CASE WHEN state = 'QUEUED'"
	" THEN ROW_NUMBER() OVER (PARTITION BY state = 'QUEUED' ORDER BY id) ELSE 0 END,"
	" run, attempts, is_touched, has_no_way_back, urls, detail, note, requested_at,"
	" requested_at, started_at, ended_at FROM deployment ORDER BY id;"
	/* Numbers that were given are given to no other. */
	"DELETE FROM sqlite_sequence WHERE name = 'work';"
	"INSERT INTO sqlite_sequence (name, seq) SELECT 'work', seq FROM sqlite_sequence"
	" WHERE name = 'deployment';",

	"ALTER TABLE run RENAME TO run_4;"
	"CREATE TABLE run ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" deployment INTEGER NOT NULL REFERENCES work (id),"
	" program TEXT NOT NULL,"
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
	" is_purged INTEGER NOT NULL,"
	" log_size INTEGER NOT NULL DEFAULT 0) STRICT;"
	"INSERT INTO run (id, deployment, program, pid, start_time, boot, ordered_at, started_at,"
	" ended_at, exit_status, signal_number, duration_ms, detail, is_purged, log_size)"
	" SELECT id, deployment, program, pid, start_time, boot, ordered_at, started_at,"
	" ended_at, exit_status, signal_number, duration_ms, detail, is_purged, log_size"
	" FROM run_4 ORDER BY id;"
	"DELETE FROM sqlite_sequence WHERE name = 'run';"
	"INSERT INTO sqlite_sequence (name, seq) SELECT 'run', seq FROM sqlite_sequence"
	" WHERE name = 'run_4';"
	"DROP TABLE run_4;"
	"DROP TABLE deployment;"
	"CREATE INDEX run_kept ON run (id) WHERE is_purged = 0;"
	"CREATE INDEX run_deployment ON run (deployment);",

	/* The busy flag, the queue, and the one push that may wait in it. */
	"CREATE UNIQUE INDEX work_active ON work (environment)"
	" WHERE (state = '' OR state = 'RUNNING' OR state = 'STOPPING'"
	" OR state = 'VERIFYING' OR state = 'ROLLING_BACK'"
	" OR state = 'VERIFYING_ROLLBACK');"
	"CREATE INDEX work_queued ON work (environment, place) WHERE state = 'QUEUED';"
	"CREATE UNIQUE INDEX work_waiting_push ON work (environment)"
	" WHERE state = 'QUEUED' AND cause <> 'chat';"
	"CREATE INDEX work_open ON work (requested_by)"
	" WHERE (state <> '' AND state <> 'LIVE' AND state <> 'FAILED'"
	" AND state <> 'ROLLED_BACK' AND state <> 'ROLLBACK_FAILED' AND state <> 'DONE'"
	" AND state <> 'REFUSED' AND state <> 'CANCELLED' AND state <> 'EXPIRED'"
	" AND state <> 'SUPERSEDED');"
	"CREATE INDEX work_asking ON work (environment, id)"
	" WHERE (state = '' OR state = 'REQUESTED' OR state = 'AWAITING_CONFIRMATION'"
	" OR state = 'AWAITING_APPROVAL');"
	"CREATE INDEX work_environment ON work (environment, id);"
	/* There may be an action each minute between two deployments. */
	"CREATE INDEX work_changes ON work (environment, id)"
	" WHERE (program = 'deploy' OR program = 'rollback');"
	"CREATE INDEX work_live ON work (environment, id)"
	" WHERE state = 'LIVE' AND program = 'deploy';"
	"CREATE INDEX work_message ON work (message);"
	"CREATE INDEX work_also_message ON work (also_message);"
	"CREATE INDEX work_ended ON work (environment, ended_at)"
	" WHERE (state = 'LIVE' OR state = 'FAILED' OR state = 'ROLLED_BACK'"
	" OR state = 'ROLLBACK_FAILED') AND (program = 'deploy' OR program = 'rollback');",

	/* What is drawn from it is never drawn again, whatever is removed. */
	"CREATE TABLE counter ("
	" name TEXT NOT NULL PRIMARY KEY,"
	" value INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
	"INSERT INTO counter SELECT 'place', COALESCE(MAX(place), 0) FROM work;"
	/* What the logs of runs take: asked whenever a run ends, and a sum would read all runs. */
	"INSERT INTO counter SELECT 'logs', COALESCE(SUM(log_size), 0) FROM run WHERE is_purged = 0;"
	/* What work in progress occupies: "env:shop/staging", "host:db1:22/srv/shop". */
	"CREATE TABLE claim ("
	" resource TEXT NOT NULL PRIMARY KEY,"
	" work INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
	"CREATE INDEX claim_work ON claim (work);",
	/* Who waits for what, the oldest place first. */
	"CREATE INDEX work_waits ON work (waits_for, place)"
	" WHERE state = 'QUEUED' AND waits_for <> '';",

	/* A button stands for a request.  These five words are what buttons stood for before; a
	 * button of yesterday keeps its id. */
	"CREATE TABLE button ("
	" id TEXT NOT NULL PRIMARY KEY,"
	" chat INTEGER NOT NULL,"
	" person INTEGER NOT NULL,"
	" action TEXT NOT NULL,"
	" target TEXT NOT NULL,"
	" arguments TEXT NOT NULL,"
	" is_once INTEGER NOT NULL,"
	" message INTEGER NOT NULL,"
	" timer INTEGER NOT NULL,"
	" expires_at INTEGER NOT NULL,"
	" closed_at INTEGER NOT NULL) STRICT;"
	"CREATE INDEX button_target ON button (target, action);"
	"CREATE INDEX button_message ON button (message) WHERE message <> 0;"
	"CREATE INDEX button_expires ON button (expires_at) WHERE expires_at <> 0;"
	"INSERT INTO button SELECT id, chat, 0,"
	" CASE verb WHEN 'CONFIRM' THEN 'confirm' WHEN 'DECLINE' THEN 'confirm'"
	"  WHEN 'CANCEL' THEN 'cancel' WHEN 'LOG' THEN 'log' ELSE 'looked' END,"
	" CASE verb WHEN 'LOG' THEN 'run/' || run WHEN 'LOOKED' THEN environment"
	"  ELSE 'work/' || deployment END,"
	" CASE verb WHEN 'CONFIRM' THEN 'answer=yes' WHEN 'DECLINE' THEN 'answer=no' ELSE '' END,"
	" verb IN ('CONFIRM', 'DECLINE'), 0, wait, 0, closed_at FROM question"
	" WHERE verb IN ('CONFIRM', 'DECLINE', 'CANCEL', 'LOG', 'LOOKED');"
	"DROP TABLE question;",
	/* Trouble stands first in /status, of any number of environments. */
	"CREATE INDEX environment_trouble ON environment (name)"
	" WHERE is_down <> 0 OR unknown_since <> 0;",
	/* Pushes that change nothing in PATHS, of which what is live is behind. */
	"ALTER TABLE environment ADD COLUMN skipped_count INTEGER NOT NULL DEFAULT 0;",
	/* When each person last did what needs a grant; person 0: since when that is counted. */
	"CREATE TABLE grant_use ("
	" person INTEGER NOT NULL,"
	" action TEXT NOT NULL,"
	" at INTEGER NOT NULL,"
	" PRIMARY KEY (person, action)) STRICT, WITHOUT ROWID;",
	NULL,
};

static const char *const migration_6[] = {
	/* Groups that became supergroups, and that settings name by the id that they had. */
	"CREATE TABLE moved_chat ("
	" old INTEGER NOT NULL PRIMARY KEY,"
	" new INTEGER NOT NULL) STRICT;"
	"CREATE INDEX moved_chat_new ON moved_chat (new);",
	/* What each person asked for in an hour since 1970, in tenths. */
	"CREATE TABLE cost ("
	" person INTEGER NOT NULL,"
	" hour INTEGER NOT NULL,"
	" tenths INTEGER NOT NULL,"
	" PRIMARY KEY (person, hour)) STRICT, WITHOUT ROWID;",
	/* Locks and freezes.  target: an environment, 'shop/<star>', or all; until_at 0: until
	 * somebody ends it.  exception: why this work is not held by a freeze. */
	"CREATE TABLE hold ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" kind TEXT NOT NULL,"
	" target TEXT NOT NULL,"
	" person INTEGER NOT NULL,"
	" by_name TEXT NOT NULL,"
	" reason TEXT NOT NULL,"
	" at INTEGER NOT NULL,"
	" until_at INTEGER NOT NULL,"
	" chat INTEGER NOT NULL,"
	" thread INTEGER NOT NULL,"
	" request INTEGER NOT NULL,"
	" asked_at INTEGER NOT NULL DEFAULT 0,"
	" asked_chat INTEGER NOT NULL DEFAULT 0,"
	" asked_thread INTEGER NOT NULL DEFAULT 0) STRICT;"
	"CREATE INDEX hold_target ON hold (target);"
	"ALTER TABLE work ADD COLUMN exception TEXT NOT NULL DEFAULT '';"
	/* Who pushed what waits for the end; and what of the two holds was there at the last look:
	 * 1 locked, 2 frozen. */
	"ALTER TABLE environment ADD COLUMN waiting_push TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE environment ADD COLUMN held INTEGER NOT NULL DEFAULT 0;"
	"CREATE INDEX environment_held ON environment (name)"
	" WHERE held <> 0 OR waiting_push <> '';"
	/* What is answered by a reply to its message. */
	"CREATE INDEX button_reply ON button (message)"
	" WHERE action = 'override' AND closed_at = 0;",
	NULL,
};

static const char *const migration_7[] = {
	/* What an action does, to which client ("": to the environment itself), how, with what. */
	"ALTER TABLE work ADD COLUMN executor TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE work ADD COLUMN action TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE work ADD COLUMN argument TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE work ADD COLUMN client TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE work ADD COLUMN shown_settings TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE work ADD COLUMN is_read INTEGER NOT NULL DEFAULT 0;"
	"CREATE INDEX work_actions ON work (environment, id) WHERE program = 'action';",
	/* Approvals: one of each person counts.  binding: what was approved, as one line.  What is
	 * asked for, and the messages in which. */
	"CREATE TABLE approval ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" work INTEGER NOT NULL,"
	" person INTEGER NOT NULL,"
	" name TEXT NOT NULL,"
	" role TEXT NOT NULL,"
	" factor TEXT NOT NULL DEFAULT '',"
	" at INTEGER NOT NULL,"
	" binding TEXT NOT NULL,"
	" voided_at INTEGER NOT NULL DEFAULT 0,"
	" void_why TEXT NOT NULL DEFAULT '') STRICT;"
	"CREATE UNIQUE INDEX approval_person ON approval (work, person) WHERE voided_at = 0;"
	"CREATE TABLE approval_request ("
	" work INTEGER PRIMARY KEY,"
	" asked_at INTEGER NOT NULL,"
	" timer INTEGER NOT NULL,"
	" is_reminded INTEGER NOT NULL,"
	" n_changes INTEGER NOT NULL,"
	" changes TEXT NOT NULL) STRICT;"
	/* Who has written to the bot in private: it may write to them. */
	"CREATE TABLE private_chat ("
	" person INTEGER PRIMARY KEY,"
	" at INTEGER NOT NULL) STRICT;"
	"CREATE TABLE work_shown ("
	" work INTEGER NOT NULL,"
	" message INTEGER NOT NULL,"
	" why TEXT NOT NULL,"
	" PRIMARY KEY (work, message)) STRICT, WITHOUT ROWID;"
	"CREATE INDEX work_approval ON work (id) WHERE state = 'AWAITING_APPROVAL';"
	"ALTER TABLE work ADD COLUMN approvers TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE work ADD COLUMN untouched TEXT NOT NULL DEFAULT '';"
	"DROP INDEX button_reply;"
	"CREATE INDEX button_reply ON button (message)"
	" WHERE (action = 'override' OR action = 'reject') AND closed_at = 0;",
	/* Second factors.  sealed: the secret and the key of recovery codes, lib/seal.h for
	 * 'factor/PERSON'; enrolled_at 0: no code has confirmed it yet; last_step: of the code that
	 * was accepted last; failures: codes in a row that were wrong. */
	"CREATE TABLE factor ("
	" person INTEGER NOT NULL PRIMARY KEY,"
	" sealed TEXT NOT NULL,"
	" made_at INTEGER NOT NULL,"
	" made_by INTEGER NOT NULL,"
	" enrolled_at INTEGER NOT NULL DEFAULT 0,"
	" last_step INTEGER NOT NULL DEFAULT 0,"
	" failures INTEGER NOT NULL DEFAULT 0,"
	" locked_until INTEGER NOT NULL DEFAULT 0,"
	/* Made in the chat: its picture's message (0: none, or deleted), and when a code confirmed
	 * that it was scanned; enrolled_at is when somebody else has confirmed whose it is. */
	" picture INTEGER NOT NULL DEFAULT 0,"
	" proven_at INTEGER NOT NULL DEFAULT 0,"
	/* It was reset, and ends when this message was sent, or then. */
	" reset_message INTEGER NOT NULL DEFAULT 0,"
	" reset_at INTEGER NOT NULL DEFAULT 0) STRICT;"
	/* Recovery codes, as HMAC-SHA256 under that key: each is taken once. */
	"CREATE TABLE recovery ("
	" person INTEGER NOT NULL,"
	" mac TEXT NOT NULL,"
	" PRIMARY KEY (person, mac)) STRICT, WITHOUT ROWID;"
	/* The one pad that somebody types a code on: its message, the digits so far (sealed for
	 * 'pad/MESSAGE'), and what they did that is done again when the code is right. */
	"CREATE TABLE pad ("
	" person INTEGER NOT NULL PRIMARY KEY,"
	" message INTEGER NOT NULL,"
	" digits TEXT NOT NULL,"
	" wants TEXT NOT NULL,"
	" expires_at INTEGER NOT NULL,"
	" kind INTEGER NOT NULL,"
	" chat INTEGER NOT NULL,"
	" thread INTEGER NOT NULL,"
	" written INTEGER NOT NULL,"
	" reply_to INTEGER NOT NULL,"
	" is_private INTEGER NOT NULL,"
	" name TEXT NOT NULL,"
	" button TEXT NOT NULL,"
	" text TEXT NOT NULL,"
	/* Which work it is about (0: none), and how that was shown then. */
	" work INTEGER NOT NULL DEFAULT 0,"
	" shown TEXT NOT NULL DEFAULT '') STRICT;",
	/* What one person repeats of locks and freezes within a minute: entries of the audit
	 * (chat 0), and copies to a team's chat that are not sent. */
	"CREATE TABLE hold_repeat ("
	" person INTEGER NOT NULL,"
	" chat INTEGER NOT NULL,"
	" action TEXT NOT NULL,"
	" target TEXT NOT NULL,"
	" by_name TEXT NOT NULL,"
	" until_at INTEGER NOT NULL,"
	" reason TEXT NOT NULL,"
	" n INTEGER NOT NULL,"
	" due INTEGER NOT NULL,"
	" PRIMARY KEY (person, chat, action, target)) STRICT;",
	"ALTER TABLE work ADD COLUMN is_requested INTEGER NOT NULL DEFAULT 0;"
	/* Nonces of APPROVE lines: those that were accepted, and those of requests.  ts is the
	 * line's, in seconds.  counter: the newest ts of those that went. */
	"CREATE TABLE nonce ("
	" nonce TEXT NOT NULL,"
	" person INTEGER NOT NULL,"
	" ts INTEGER NOT NULL,"
	" at INTEGER NOT NULL,"
	" work INTEGER NOT NULL,"
	" is_requests INTEGER NOT NULL CHECK (is_requests IN (0, 1)),"
	" PRIMARY KEY (nonce, person)) STRICT, WITHOUT ROWID;"
	"CREATE UNIQUE INDEX nonce_once ON nonce (nonce) WHERE is_requests = 0;"
	"CREATE INDEX nonce_old ON nonce (MAX(at, ts * 1000), nonce, person);"
	"INSERT INTO counter VALUES ('nonce', 0);"
	"CREATE TABLE request_nonce ("
	" nonce TEXT NOT NULL PRIMARY KEY,"
	" work INTEGER NOT NULL UNIQUE) STRICT, WITHOUT ROWID;",
	/* Zones at Cloudflare whose level we have set, or are setting. */
	"CREATE TABLE cloudflare_zone ("
	" zone TEXT NOT NULL PRIMARY KEY,"
	" target TEXT NOT NULL,"
	" phase TEXT NOT NULL,"
	" old TEXT NOT NULL,"
	" set_to TEXT NOT NULL,"
	" at INTEGER NOT NULL,"
	" until_at INTEGER NOT NULL,"
	" work INTEGER NOT NULL,"
	" by_name TEXT NOT NULL,"
	" chat INTEGER NOT NULL,"
	" thread INTEGER NOT NULL,"
	" effect INTEGER NOT NULL,"
	" timer INTEGER NOT NULL,"
	" tries INTEGER NOT NULL,"
	" failed_at INTEGER NOT NULL,"
	" told_at INTEGER NOT NULL,"
	" detail TEXT NOT NULL) STRICT, WITHOUT ROWID;",
	/* What may ship it: the digest of the runner's list, and that list.  differing: what of it
	 * is not as its question showed; n_changed: so often the runner refused it; not_before:
	 * when it is decided on again. */
	"ALTER TABLE work ADD COLUMN binding TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE work ADD COLUMN binding_list TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE work ADD COLUMN differing TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE work ADD COLUMN n_changed INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE work ADD COLUMN not_before INTEGER NOT NULL DEFAULT 0;",
	/* What its question warned of: a zone under attack keeps out who looks at its health. */
	"ALTER TABLE work ADD COLUMN warning TEXT NOT NULL DEFAULT '';",
	/* Which image of its commit the registry had when it was shown, or why none is named. */
	"ALTER TABLE work ADD COLUMN shown_image TEXT NOT NULL DEFAULT '';",
	/* What approvers were asked about, as an approval has it, and when they had said enough.
	 * is_unconfirmed: what somebody has confirmed has changed since, and nobody confirmed what
	 * is. */
	"ALTER TABLE approval_request ADD COLUMN binding TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE approval_request ADD COLUMN left_at INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE work ADD COLUMN is_unconfirmed INTEGER NOT NULL DEFAULT 0;",
	"ALTER TABLE work ADD COLUMN seen_by TEXT NOT NULL DEFAULT '';",
	/* An action's last lines. */
	"ALTER TABLE run ADD COLUMN tail TEXT NOT NULL DEFAULT '';",
	/* The settings asked for a confirmation of it: they may not when git answers. */
	"ALTER TABLE work ADD COLUMN is_to_be_asked INTEGER NOT NULL DEFAULT 0;",
	/* Why it passed approvals, locks and freezes; who looked at that afterwards, and when; how
	 * often others were reminded to. */
	"ALTER TABLE work ADD COLUMN emergency TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE work ADD COLUMN reviewer TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE work ADD COLUMN reviewed_at INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE work ADD COLUMN n_reminders INTEGER NOT NULL DEFAULT 0;"
	"CREATE INDEX work_review ON work (environment, id)"
	" WHERE emergency <> '' AND reviewed_at = 0;",
	/* A failure: it is sent before all else in its chat. */
	"ALTER TABLE message ADD COLUMN is_alarm INTEGER NOT NULL DEFAULT 0;",
	/* What an action does to what, in words, as it was shown. */
	"ALTER TABLE work ADD COLUMN shown_touches TEXT NOT NULL DEFAULT '';",
	/* Why nobody rolls back past its release; a rollback that was asked for all the same. */
	"ALTER TABLE work ADD COLUMN barrier TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE work ADD COLUMN is_past_barrier INTEGER NOT NULL DEFAULT 0;",
	/* Who had it ended: a person, whom its requester reads of. */
	"ALTER TABLE work ADD COLUMN cancelled_by INTEGER NOT NULL DEFAULT 0;",
	/* The last step of a migration that it has begun. */
	"ALTER TABLE work ADD COLUMN migration TEXT NOT NULL DEFAULT '';"
	"CREATE INDEX work_migration ON work (environment, run) WHERE migration <> '';",
	/* What it replaced runs until a run `drain` has ended that. */
	"ALTER TABLE work ADD COLUMN drains INTEGER NOT NULL DEFAULT 0;"
	"CREATE INDEX run_drain ON run (deployment) WHERE program = 'drain' AND ended_at = 0;",
	/* The last lines that the application itself had logged, which a rollback took. */
	"ALTER TABLE run ADD COLUMN application_log TEXT NOT NULL DEFAULT '';",
	/* The newest of its branch, as git said last, how many commits ahead of what. */
	"ALTER TABLE environment ADD COLUMN head_branch TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE environment ADD COLUMN head_commit TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE environment ADD COLUMN head_base TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE environment ADD COLUMN head_count INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE environment ADD COLUMN head_at INTEGER NOT NULL DEFAULT 0;",
	/* What /show lists of one deployment. */
	"CREATE INDEX audit_deployment ON audit (deployment) WHERE deployment <> 0;",
	/* An end that nobody has seen, and the reminders of it that were due. */
	"ALTER TABLE environment ADD COLUMN unseen_work INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE environment ADD COLUMN n_nags INTEGER NOT NULL DEFAULT 0;",
	/* Git's name of the files of its commit. */
	"ALTER TABLE work ADD COLUMN tree TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE release ADD COLUMN tree TEXT NOT NULL DEFAULT '';"
	"CREATE INDEX work_tree ON work (environment, tree, id) WHERE tree <> '';"
	"CREATE INDEX work_commit ON work (environment, commit_id, id) WHERE commit_id <> '';",
	/* The summary that a chat keeps pinned: its message, the platform's id that was pinned,
	 * when it was written and pinned last, whether the chat knows that it cannot be.  health:
	 * what its environments' URLs answered when they were asked for it. */
	"CREATE TABLE pin ("
	" chat INTEGER NOT NULL PRIMARY KEY,"
	" message INTEGER NOT NULL,"
	" pinned INTEGER NOT NULL,"
	" timer INTEGER NOT NULL,"
	" due INTEGER NOT NULL,"
	" shown_at INTEGER NOT NULL,"
	" tried_at INTEGER NOT NULL,"
	" is_told INTEGER NOT NULL CHECK (is_told IN (0, 1))) STRICT;"
	"CREATE INDEX pin_message ON pin (message);"
	"CREATE TABLE health ("
	" environment TEXT NOT NULL PRIMARY KEY,"
	" is_healthy INTEGER NOT NULL CHECK (is_healthy IN (0, 1)),"
	" at INTEGER NOT NULL) STRICT, WITHOUT ROWID;",
	/* The second version of the audit's lines; what is there is of the first. */
	"ALTER TABLE audit ADD COLUMN version INTEGER NOT NULL DEFAULT 1;"
	"ALTER TABLE audit ADD COLUMN code TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE audit ADD COLUMN principal TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE audit ADD COLUMN violation_type TEXT;"
	"ALTER TABLE audit ADD COLUMN application TEXT;"
	"ALTER TABLE audit ADD COLUMN need TEXT;"
	"ALTER TABLE audit ADD COLUMN factor TEXT;",
	/* What /audit lists of one environment. */
	"CREATE INDEX audit_environment ON audit (environment) WHERE environment IS NOT NULL;",
	/* What the ids in the audit are called: apart from the chain, so that it can be removed. */
	"CREATE TABLE person_name ("
	" who TEXT NOT NULL PRIMARY KEY,"
	" name TEXT NOT NULL,"
	" at INTEGER NOT NULL) STRICT;",
	/* Calls of hooks and their answers.  key: 'key ' and what the caller said, or 'body ' and
	 * the digest. */
	"CREATE TABLE hook_call ("
	" hook TEXT NOT NULL,"
	" key TEXT NOT NULL,"
	" digest BLOB NOT NULL,"
	" status INTEGER NOT NULL,"
	" work INTEGER NOT NULL,"
	" at INTEGER NOT NULL,"
	" PRIMARY KEY (hook, key)) STRICT, WITHOUT ROWID;"
	"CREATE INDEX hook_call_at ON hook_call (at);",
	/* Tokens: mac is HMAC-SHA256 of its text under AUTH_TOKEN_SECRET; person: the
	 * account that was the first to log in with it; 0: none.  Rows name a
	 * token by its number, which no other gets. */
	"CREATE TABLE token ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" name TEXT NOT NULL,"
	" mac TEXT NOT NULL UNIQUE,"
	" role TEXT NOT NULL,"
	" made_at INTEGER NOT NULL,"
	" made_by INTEGER NOT NULL,"
	" by_name TEXT NOT NULL,"
	" expires_at INTEGER NOT NULL,"
	" person INTEGER NOT NULL DEFAULT 0,"
	" used_at INTEGER NOT NULL DEFAULT 0,"
	" revoked_at INTEGER NOT NULL DEFAULT 0,"
	" revoked_why TEXT NOT NULL DEFAULT '') STRICT;"
	"CREATE UNIQUE INDEX token_name ON token (name) WHERE revoked_at = 0;"
	"CREATE TABLE session ("
	" person INTEGER NOT NULL PRIMARY KEY,"
	" token INTEGER NOT NULL,"
	" name TEXT NOT NULL,"
	" began_at INTEGER NOT NULL,"
	" used_at INTEGER NOT NULL) STRICT;"
	/* Wrong tokens that somebody typed, since the first of them within an hour. */
	"CREATE TABLE login_try ("
	" person INTEGER NOT NULL PRIMARY KEY,"
	" failures INTEGER NOT NULL,"
	" since INTEGER NOT NULL,"
	" locked_until INTEGER NOT NULL) STRICT;",
	/* Values of secrets that are in force (gone_at 0), or were.  mark: HMAC-SHA256 of it
	 * under a key that is not here; `key` says which; used_at, uses: of a previous
	 * value; said_at: in the log. */
	"CREATE TABLE secret ("
	" application TEXT NOT NULL,"
	" name TEXT NOT NULL,"
	" mark TEXT NOT NULL,"
	" key TEXT NOT NULL,"
	" seen_at INTEGER NOT NULL,"
	" looked_at INTEGER NOT NULL,"
	" gone_at INTEGER NOT NULL DEFAULT 0,"
	" used_at INTEGER NOT NULL DEFAULT 0,"
	" uses INTEGER NOT NULL DEFAULT 0,"
	" said_at INTEGER NOT NULL DEFAULT 0,"
	" PRIMARY KEY (application, name, mark)) STRICT, WITHOUT ROWID;",
	"ALTER TABLE work ADD COLUMN without_witness INTEGER NOT NULL DEFAULT 0;"
	/* How far each witness outside has confirmed the audit. */
	"CREATE TABLE audit_witness ("
	" place TEXT NOT NULL PRIMARY KEY,"
	" confirmed INTEGER NOT NULL,"
	" head TEXT NOT NULL,"
	" confirmed_at INTEGER NOT NULL,"
	" ordered_at INTEGER NOT NULL,"
	" last INTEGER NOT NULL,"
	" last_head TEXT NOT NULL,"
	" tries INTEGER NOT NULL,"
	" failing_since INTEGER NOT NULL,"
	" is_late INTEGER NOT NULL,"
	" detail TEXT NOT NULL,"
	" removed INTEGER NOT NULL DEFAULT 0) STRICT;",
	/* Who was counted; others: how often somebody else was. */
	"ALTER TABLE stranger ADD COLUMN who TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE stranger ADD COLUMN others INTEGER NOT NULL DEFAULT 0;",
	/* How far each collector has got it; is_out: an effect is open. */
	"CREATE TABLE audit_forward ("
	" place TEXT NOT NULL PRIMARY KEY,"
	" sent INTEGER NOT NULL,"
	" tried_at INTEGER NOT NULL,"
	" is_out INTEGER NOT NULL,"
	" tries INTEGER NOT NULL,"
	" detail TEXT NOT NULL) STRICT;",
	/* The one link for a first admin that may be open; digest: of its code; person: who has
	 * opened it, 0: nobody yet. */
	"CREATE TABLE first_admin ("
	" digest TEXT NOT NULL PRIMARY KEY,"
	" until INTEGER NOT NULL,"
	" person INTEGER NOT NULL) STRICT, WITHOUT ROWID;",
	/* What a deployment rolls back past. */
	"CREATE TABLE past ("
	" id INTEGER PRIMARY KEY,"
	" deployment INTEGER NOT NULL,"
	" commit_id TEXT NOT NULL,"
	" reason TEXT NOT NULL) STRICT;"
	"CREATE INDEX past_deployment ON past (deployment);",
	/* What each deployment brought beside what was live: n from 0, the newest first; n -1 has
	 * in `of` how many there were. */
	"CREATE TABLE change ("
	" deployment INTEGER NOT NULL,"
	" n INTEGER NOT NULL,"
	" of INTEGER NOT NULL,"
	" commit_id TEXT NOT NULL,"
	" subject TEXT NOT NULL,"
	" PRIMARY KEY (deployment, n)) STRICT, WITHOUT ROWID;",
	/* What the settings were at the last look, but secrets.  mark: a digest; value: of those
	 * that say who may what (deciding 1); look: its number. */
	"CREATE TABLE setting ("
	" application TEXT NOT NULL,"
	" name TEXT NOT NULL,"
	" mark TEXT NOT NULL,"
	" value TEXT NOT NULL,"
	" deciding INTEGER NOT NULL,"
	" look INTEGER NOT NULL,"
	" PRIMARY KEY (application, name)) STRICT, WITHOUT ROWID;",
	/* What its script has warned people of, and how often. */
	"ALTER TABLE run ADD COLUMN warnings TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE run ADD COLUMN n_warnings INTEGER NOT NULL DEFAULT 0;",
	/* What one of its URLs named though it was not live; '': none did. */
	"ALTER TABLE health ADD COLUMN commit_id TEXT NOT NULL DEFAULT '';",
	NULL,
};

static const char *const migration_8[] = {
	/* Polls of its repository, asked with its settings, fail since then; 0: they do not. */
	"ALTER TABLE environment ADD COLUMN poll_failing_since INTEGER NOT NULL DEFAULT 0;",
	NULL,
};

static const char *const migration_9[] = {
	/* What an emergency goes past, as all are told: marked lines.  '': of before, or none. */
	"ALTER TABLE work ADD COLUMN passed TEXT NOT NULL DEFAULT '';",
	/* The newest that rang in each chat for work that is being rolled back: it will say how
	 * that ended. */
	"INSERT OR IGNORE INTO work_shown (work, message, why)"
	" SELECT w.id, max(m.id), 'rolling' FROM message m JOIN work w ON m.rings_for = w.id"
	" WHERE m.rings_for <> 0 AND w.state IN ('ROLLING_BACK', 'VERIFYING_ROLLBACK')"
	" GROUP BY w.id, m.chat;",
	NULL,
};

static const char *const migration_10[] = {
	/* held_until: it is not shown before, unless what it says is changed; 0: at once.  Of one
	 * that is said anew: was_id, the platform's id of the copy that goes when the new one is
	 * there (0: none); anew, the effect from which on a result is of the new one.  rings: how
	 * often it has rung for rings_for. */
	"ALTER TABLE message ADD COLUMN held_until INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE message ADD COLUMN was_id INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE message ADD COLUMN anew INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE message ADD COLUMN rings INTEGER NOT NULL DEFAULT 0;"
	"UPDATE message SET rings = 1 WHERE rings_for <> 0 AND is_silent = 0;",
	/* Who cannot be written to, since when: Telegram refuses it until they write.  at 0: they
	 * have not written. */
	"ALTER TABLE private_chat ADD COLUMN refused_at INTEGER NOT NULL DEFAULT 0;",
	/* What rang when a release began to be rolled back was a message beside the work's own, and
	 * is said by that one now. */
	"INSERT INTO effect (kind, subject, body, due, at)"
	" SELECT 'delete', m.id, '{\"person\":' || m.chat || ',\"message\":' || m.remote_id ||"
	" ',\"made_at\":0}', 0, m.at FROM message m JOIN work_shown s ON s.message = m.id"
	" JOIN work w ON w.id = s.work WHERE s.why = 'rolling' AND m.remote_id <> 0"
	" AND m.id <> w.message AND m.id <> w.also_message;"
	"DELETE FROM work_shown WHERE why = 'rolling';"
	/* The one push that may wait: what somebody asked for, by whichever door, is none. */
	"DROP INDEX work_waiting_push;"
	"CREATE UNIQUE INDEX work_waiting_push ON work (environment)"
	" WHERE state = 'QUEUED' AND (cause = '' OR cause = 'push' OR cause = 'poll');",
	/* By which token somebody asked for some work, confirmed or reviewed it: of who used none
	 * there is no row.  An approval's stands with it. */
	"CREATE TABLE press ("
	" work INTEGER NOT NULL,"
	" act TEXT NOT NULL,"
	" person INTEGER NOT NULL,"
	" token INTEGER NOT NULL,"
	" PRIMARY KEY (work, act, person, token)) STRICT, WITHOUT ROWID;"
	"ALTER TABLE approval ADD COLUMN token INTEGER NOT NULL DEFAULT 0;",
	/* Of before: a token's own number says which it is; of an account that logged in with one
	 * it is not known whether it was by that, so it counts. */
	"INSERT INTO press (work, act, person, token)"
	" SELECT w.id, 'request', w.requested_by, t.id FROM work w, token t"
	" WHERE (w.ended_at = 0 OR (w.emergency <> '' AND w.reviewed_at = 0))"
	" AND (w.requested_by = t.person OR w.requested_by = -1099511627776 - t.id)"
	" AND w.requested_by <> 0;"
	"INSERT INTO press (work, act, person, token)"
	" SELECT w.id, 'confirm', w.confirmed_by, t.id FROM work w, token t"
	" WHERE (w.ended_at = 0 OR (w.emergency <> '' AND w.reviewed_at = 0))"
	" AND (w.confirmed_by = t.person OR w.confirmed_by = -1099511627776 - t.id)"
	" AND w.confirmed_by <> 0;"
	"INSERT INTO press (work, act, person, token)"
	" SELECT q.deployment, 'request', q.person, t.id FROM question_requester q, token t"
	" WHERE (q.person = t.person OR q.person = -1099511627776 - t.id) AND q.person <> 0"
	" ON CONFLICT DO NOTHING;",
	/* Root's roles and hooks, by what they are: rows know them by the number of a row here. */
	"CREATE TABLE principal ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" kind TEXT NOT NULL,"
	" application TEXT NOT NULL,"
	" name TEXT NOT NULL,"
	" UNIQUE (kind, application, name)) STRICT;",
	/* In whose file a token's role stands; '*': of before, when a name was enough, and not
	 * found yet; '?': several had one.  fault: why it was not valid when it was last looked
	 * at; ended_at: when it ended for good. */
	"ALTER TABLE token ADD COLUMN application TEXT NOT NULL DEFAULT '*';"
	"ALTER TABLE token ADD COLUMN fault TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE token ADD COLUMN ended_at INTEGER NOT NULL DEFAULT 0;",
	/* Ends of roles (person 0), and of who had them, that have come, whatever a clock says. */
	"CREATE TABLE ended ("
	" application TEXT NOT NULL,"
	" role TEXT NOT NULL,"
	" person INTEGER NOT NULL,"
	" until INTEGER NOT NULL,"
	" PRIMARY KEY (application, role, person, until)) STRICT, WITHOUT ROWID;",
	/* Who loses a right by this version is named once, at its first start. */
	"INSERT INTO counter SELECT 'rights_lost', 1 WHERE EXISTS (SELECT 1 FROM audit);",
	/* A push that asks in several environments is one message: whose questions stand in it. */
	"CREATE INDEX work_shown_message ON work_shown (message);",
	/* Blocks are numbered in their order: ids of those that ended are given again.  Of a block:
	 * 0, and as its id was. */
	"ALTER TABLE block ADD COLUMN number INTEGER NOT NULL DEFAULT 0;"
	"UPDATE block SET number = id;"
	"INSERT INTO counter SELECT 'block', COALESCE(MAX(id), 0) FROM block;"
	"CREATE INDEX block_number ON block (environment, number);"
	/* The newest that git was asked about for its commit, and that who let it start was shown;
	 * of a push, or a program's request: that was there when it came. */
	"ALTER TABLE work ADD COLUMN compared_block INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE work ADD COLUMN shown_block INTEGER NOT NULL DEFAULT 0;"
	"UPDATE work SET shown_block = COALESCE((SELECT MAX(b.number) FROM block b"
	" WHERE b.environment = work.environment AND b.at <= work.requested_at), 0)"
	" WHERE ended_at = 0;"
	"UPDATE work SET compared_block = shown_block WHERE ended_at = 0;"
	/* It was 1 where the question named the block of its commit: it is that one's number. */
	"UPDATE work SET shown_blocked = COALESCE((SELECT b.number FROM block b"
	" WHERE b.environment = work.environment AND b.commit_id = work.commit_id), 0)"
	" WHERE ended_at = 0 AND shown_blocked <> 0;"
	/* The newest block when git first named the head of its branch; and when its repository's
	 * host announced a push, of this commit last. */
	"ALTER TABLE environment ADD COLUMN head_block INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE environment ADD COLUMN announced_commit TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE environment ADD COLUMN announced_block INTEGER NOT NULL DEFAULT 0;"
	/* Git no longer knows the commit, and with it whether it has this one in its history. */
	"ALTER TABLE contained ADD COLUMN is_unsure INTEGER NOT NULL DEFAULT 0;",
	/* It could not be acted on, which was said: it is acted on when it comes again. */
	"ALTER TABLE inbox ADD COLUMN is_given_up INTEGER NOT NULL DEFAULT 0;",
	/* What strangers send is forgotten first. */
	"CREATE INDEX inbox_update ON inbox (at) WHERE source = 'telegram';",
	/* Which entry has the head; 0: a row of before, whose head alone is known. */
	"ALTER TABLE message ADD COLUMN audit_seq INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE witness ADD COLUMN seq INTEGER NOT NULL DEFAULT 0;"
	"CREATE INDEX message_audit ON message (audit_seq) WHERE audit_seq > 0;"
	/* What chats were sent: an entry and its head, once a day. */
	"CREATE TABLE audit_line ("
	" seq INTEGER PRIMARY KEY,"
	" head TEXT NOT NULL,"
	" at INTEGER NOT NULL) STRICT;"
	/* The newest entry when the server ended in order; it stays until it does so again. */
	"CREATE TABLE audit_end ("
	" id INTEGER PRIMARY KEY CHECK (id = 1),"
	" seq INTEGER NOT NULL,"
	" head TEXT NOT NULL) STRICT;",
	NULL,
};

static const char *const migration_11[] = {
	/* Hosts that a rollback leaves out where they do not answer, a comma between; '': none. */
	"ALTER TABLE work ADD COLUMN without TEXT NOT NULL DEFAULT '';",
	/* Hosts that one has left out, until a release reaches them, and what they have. */
	"CREATE TABLE left_host ("
	" environment TEXT NOT NULL,"
	" host TEXT NOT NULL,"
	" commit_id TEXT NOT NULL,"
	" since INTEGER NOT NULL,"
	" PRIMARY KEY (environment, host)) STRICT, WITHOUT ROWID;",
	NULL,
};

static const char *const migration_12[] = {
	/* Hosts that alone failed at the health gate, and of how many; '': all, or none. */
	"ALTER TABLE work ADD COLUMN down_on TEXT NOT NULL DEFAULT '';",
	NULL,
};

static const char *const migration_13[] = {
	/* When a script said that its image or folders are removed; 0: they are kept. */
	"ALTER TABLE release ADD COLUMN removed_at INTEGER NOT NULL DEFAULT 0;"
	"CREATE INDEX release_commit ON release (environment, commit_id);"
	"CREATE INDEX release_image ON release (image) WHERE image <> '';",
	/* What health URLs answered behind an end that no probe had led to; at 0: not asked. */
	"ALTER TABLE work ADD COLUMN looked_at INTEGER NOT NULL DEFAULT 0;",
	"ALTER TABLE work ADD COLUMN looked TEXT NOT NULL DEFAULT '';",
	NULL,
};

static const char *const migration_14[] = {
	/* The newest hold when its exception was given, which is from none that is newer. */
	"ALTER TABLE work ADD COLUMN excepted_hold INTEGER NOT NULL DEFAULT 0;",
	"UPDATE work SET excepted_hold = COALESCE((SELECT MAX(h.id) FROM hold h"
	" WHERE h.at <= work.requested_at), 0) WHERE exception <> '' AND ended_at = 0;",
	/* When what its question shows was so; 0: of before, or nobody was asked. */
	"ALTER TABLE work ADD COLUMN shown_at INTEGER NOT NULL DEFAULT 0;",
	NULL,
};

static const char *const migration_15[] = {
	/* The newest block when git last showed the branch's head: what it shows next may have been
	 * pushed right behind that. */
	"ALTER TABLE environment ADD COLUMN head_seen INTEGER NOT NULL DEFAULT 0;",
	"UPDATE environment SET head_seen = head_block;",
	NULL,
};

/* A column stands in another table from here on. */
#define MOVED(column) "ALTER TABLE work DROP COLUMN " column ";"

static const char *const migration_16[] = {
	/* What whoever answers for some work was shown, and what is compared with it: of work that
	 * nobody was asked about, and that nothing was bound to, there need be no row. */
	"CREATE TABLE question ("
	" work INTEGER PRIMARY KEY,"
	" shown_live TEXT NOT NULL DEFAULT '', shown_at INTEGER NOT NULL DEFAULT 0,"
	" shown_blocked INTEGER NOT NULL DEFAULT 0, shown_block INTEGER NOT NULL DEFAULT 0,"
	" compared_block INTEGER NOT NULL DEFAULT 0, warning TEXT NOT NULL DEFAULT '',"
	" shown_image TEXT NOT NULL DEFAULT '', differing TEXT NOT NULL DEFAULT '',"
	" n_changed INTEGER NOT NULL DEFAULT 0, not_before INTEGER NOT NULL DEFAULT 0,"
	" is_unconfirmed INTEGER NOT NULL DEFAULT 0, seen_by TEXT NOT NULL DEFAULT '') STRICT;"
	"INSERT INTO question SELECT id, shown_live, shown_at, shown_blocked, shown_block,"
	" compared_block, warning, shown_image, differing, n_changed, not_before, is_unconfirmed,"
	" seen_by FROM work;",
	MOVED("shown_live") MOVED("shown_at") MOVED("shown_blocked") MOVED("shown_block")
	    MOVED("compared_block") MOVED("warning") MOVED("shown_image") MOVED("differing")
		MOVED("n_changed") MOVED("not_before") MOVED("is_unconfirmed") MOVED("seen_by"),
	/* What only an action has: who carries it out, whether somebody else has to approve it,
	 * the settings that it was shown with, and what that touches. */
	"CREATE TABLE work_action ("
	" work INTEGER PRIMARY KEY, executor TEXT NOT NULL, is_requested INTEGER NOT NULL,"
	" shown_settings TEXT NOT NULL, shown_touches TEXT NOT NULL) STRICT;"
	"INSERT INTO work_action SELECT id, executor, is_requested, shown_settings, shown_touches"
	" FROM work WHERE program = 'action';",
	MOVED("executor") MOVED("is_requested") MOVED("shown_settings") MOVED("shown_touches"),
	/* What only an emergency has, or who may start in a freeze: the newest hold when that was
	 * said, how many were reminded that nobody has reviewed it, and what it goes past. */
	"CREATE TABLE exempt ("
	" work INTEGER PRIMARY KEY, excepted_hold INTEGER NOT NULL DEFAULT 0,"
	" n_reminders INTEGER NOT NULL DEFAULT 0, passed TEXT NOT NULL DEFAULT '') STRICT;"
	"INSERT INTO exempt SELECT id, excepted_hold, n_reminders, passed FROM work"
	" WHERE exception <> '' OR emergency <> '';",
	MOVED("excepted_hold") MOVED("n_reminders") MOVED("passed"),
	NULL,
};

static const char *const migration_17[] = {
	/* By which way they came is another kind.  Of those of before their minute is known. */
	"ALTER TABLE hold_repeat RENAME TO hold_repeat_before;"
	"CREATE TABLE hold_repeat (person INTEGER NOT NULL, principal TEXT NOT NULL,"
	" chat INTEGER NOT NULL, action TEXT NOT NULL, target TEXT NOT NULL, by_name TEXT NOT NULL,"
	" until_at INTEGER NOT NULL, reason TEXT NOT NULL, n INTEGER NOT NULL, due INTEGER NOT NULL,"
	" first_at INTEGER NOT NULL DEFAULT 0, last_at INTEGER NOT NULL DEFAULT 0,"
	" PRIMARY KEY (person, principal, chat, action, target)) STRICT;"
	"INSERT INTO hold_repeat SELECT person, '', chat, action, target, by_name, until_at, reason,"
	" n, due, due - 60000, due FROM hold_repeat_before;"
	"DROP TABLE hold_repeat_before;",
	NULL,
};

/* Which job has asked for some work; gates, by their environments. */
static const char *const migration_18[] = {
	"CREATE TABLE work_job (work INTEGER PRIMARY KEY, workflow TEXT NOT NULL,"
	" repository TEXT NOT NULL, repository_id TEXT NOT NULL, run TEXT NOT NULL,"
	" attempt INTEGER NOT NULL, check_run TEXT NOT NULL, actor TEXT NOT NULL,"
	" asked_at INTEGER NOT NULL, opened_at INTEGER NOT NULL, timer INTEGER NOT NULL) STRICT;",
	"CREATE INDEX work_job_run ON work_job (repository_id, run);",
	"CREATE INDEX work_gate ON work (environment, id)"
	" WHERE action = 'open-gate' AND state IN ('DONE', 'FAILED');",
	"CREATE INDEX work_gate_open ON work (id)"
	" WHERE action = 'open-gate' AND (state <> '' AND state <> 'LIVE' AND state <> 'FAILED'"
	" AND state <> 'ROLLED_BACK' AND state <> 'ROLLBACK_FAILED' AND state <> 'DONE'"
	" AND state <> 'REFUSED' AND state <> 'CANCELLED' AND state <> 'EXPIRED'"
	" AND state <> 'SUPERSEDED');",
	/* What a job says of its commit is a push; what waits of it is that commit alone. */
	"ALTER TABLE environment ADD COLUMN waiting_commit TEXT NOT NULL DEFAULT '';",
	"DROP INDEX work_waiting_push;"
	"CREATE UNIQUE INDEX work_waiting_push ON work (environment)"
	" WHERE state = 'QUEUED' AND (cause = '' OR cause = 'push' OR cause = 'poll'"
	" OR cause = 'job');",
	/* The newest run of each workflow on a commit, as an application's forge has said it. */
	"CREATE TABLE ci_run (application TEXT NOT NULL, file TEXT NOT NULL,"
	" commit_id TEXT NOT NULL, branch TEXT NOT NULL, repository TEXT NOT NULL, repository_id TEXT NOT NULL,"
	" run INTEGER NOT NULL, number INTEGER NOT NULL, attempt INTEGER NOT NULL,"
	" rank INTEGER NOT NULL, conclusion TEXT NOT NULL, at INTEGER NOT NULL,"
	" seen_at INTEGER NOT NULL,"
	" PRIMARY KEY (application, file, commit_id, branch)) STRICT;",
	"ALTER TABLE environment ADD COLUMN job_run INTEGER NOT NULL DEFAULT 0;",
	/* Who has begun the runs whose jobs have asked for some work. */
	"CREATE TABLE work_actor (work INTEGER NOT NULL, login TEXT NOT NULL,"
	" PRIMARY KEY (work, login)) STRICT, WITHOUT ROWID;",
	"ALTER TABLE work ADD COLUMN ci_since INTEGER NOT NULL DEFAULT 0;",
	NULL,
};

static const char *const migration_19[] = {
	/* The runs of workflows that CI is asked of, or that are watched, one row each. */
	"CREATE TABLE pipeline_run (application TEXT NOT NULL, repository TEXT NOT NULL,"
	" repository_id TEXT NOT NULL, file TEXT NOT NULL, commit_id TEXT NOT NULL,"
	" branch TEXT NOT NULL, title TEXT NOT NULL, actor TEXT NOT NULL, run INTEGER NOT NULL,"
	" number INTEGER NOT NULL, attempt INTEGER NOT NULL, rank INTEGER NOT NULL,"
	" conclusion TEXT NOT NULL, counts INTEGER NOT NULL, at INTEGER NOT NULL,"
	" seen_at INTEGER NOT NULL, PRIMARY KEY (application, repository_id, run)) STRICT;"
	"INSERT INTO pipeline_run SELECT application, repository, repository_id, file, commit_id,"
	" branch, '', '', run, number, attempt, rank, conclusion, 1, at, seen_at FROM ci_run"
	" WHERE true ON CONFLICT DO NOTHING;"
	"DROP TABLE ci_run;"
	"CREATE INDEX pipeline_run_commit ON pipeline_run (application, file, commit_id);"
	"CREATE INDEX pipeline_run_branch ON pipeline_run (application, file, branch, number);"
	"CREATE INDEX pipeline_run_at ON pipeline_run (application, at, run);",
	/* A workflow that fails on a branch, and the message that says it. */
	"CREATE TABLE pipeline_red (id INTEGER PRIMARY KEY AUTOINCREMENT, chat INTEGER NOT NULL,"
	" application TEXT NOT NULL,"
	" repository_id TEXT NOT NULL, file TEXT NOT NULL, branch TEXT NOT NULL,"
	" run INTEGER NOT NULL, attempt INTEGER NOT NULL, message INTEGER NOT NULL,"
	" since INTEGER NOT NULL, failures INTEGER NOT NULL, details TEXT NOT NULL,"
	" UNIQUE (chat, repository_id, file, branch)) STRICT;"
	"CREATE INDEX pipeline_red_message ON pipeline_red (message);",
	/* What GitHub could not deliver, by which webhook, and how often it was asked for again. */
	"CREATE TABLE forge_hook (id INTEGER PRIMARY KEY, application TEXT NOT NULL,"
	" repository TEXT NOT NULL COLLATE NOCASE, number INTEGER NOT NULL,"
	" looked_at INTEGER NOT NULL, UNIQUE (application, repository)) STRICT;",
	"CREATE TABLE undelivered (hook INTEGER NOT NULL, guid TEXT NOT NULL,"
	" delivery INTEGER NOT NULL, at INTEGER NOT NULL, is_ok INTEGER NOT NULL,"
	" asks_branch INTEGER NOT NULL, branch TEXT NOT NULL, tries INTEGER NOT NULL,"
	" due INTEGER NOT NULL, PRIMARY KEY (hook, guid)) STRICT, WITHOUT ROWID;",
	/* What GitHub itself asks for; its repositories, by their numbers. */
	"ALTER TABLE work_job ADD COLUMN rule TEXT NOT NULL DEFAULT '';",
	"ALTER TABLE work_job ADD COLUMN deployment INTEGER NOT NULL DEFAULT 0;",
	"ALTER TABLE work_job ADD COLUMN is_answered INTEGER NOT NULL DEFAULT 0;",
	"CREATE INDEX work_job_deployment ON work_job (deployment) WHERE deployment <> 0;",
	"CREATE TABLE forge_repository (name TEXT NOT NULL COLLATE NOCASE PRIMARY KEY,"
	" id INTEGER NOT NULL) STRICT, WITHOUT ROWID;",
	/* Runs of workflows that we began: they keep no environment busy. */
	"CREATE TABLE work_pipeline (work INTEGER PRIMARY KEY, words TEXT NOT NULL,"
	" again INTEGER NOT NULL, nonce TEXT NOT NULL, run INTEGER NOT NULL,"
	" attempt INTEGER NOT NULL, repository_id TEXT NOT NULL) STRICT;"
	"CREATE INDEX work_pipeline_run ON work_pipeline (run) WHERE run <> 0;",
	"DROP INDEX work_active;"
	"CREATE UNIQUE INDEX work_active ON work (environment)"
	" WHERE (state = '' OR state = 'RUNNING' OR state = 'STOPPING' OR state = 'VERIFYING'"
	" OR state = 'ROLLING_BACK' OR state = 'VERIFYING_ROLLBACK') AND action <> 'run-pipeline';"
	"CREATE INDEX work_pipelines ON work (id)"
	" WHERE (state = '' OR state = 'RUNNING' OR state = 'STOPPING' OR state = 'VERIFYING'"
	" OR state = 'ROLLING_BACK' OR state = 'VERIFYING_ROLLBACK') AND action = 'run-pipeline';",
	NULL,
};

static const char *const migration_20[] = {
	/* Another push was announced before announced_commit, and git has not shown it yet. */
	"ALTER TABLE environment ADD COLUMN announced_others INTEGER NOT NULL DEFAULT 0;",
	NULL,
};

static const char *const migration_21[] = {
	/* GitLab sends nothing by that webhook until then, wall ms; 0: it is on. */
	"ALTER TABLE forge_hook ADD COLUMN off_until INTEGER NOT NULL DEFAULT 0;",
	NULL,
};

static const char *const migration_22[] = {
	/* Why that call began nothing; '': it did. */
	"ALTER TABLE hook_call ADD COLUMN said TEXT NOT NULL DEFAULT '';",
	/* Whose those tokens are is not known. */
	"INSERT INTO hook_call SELECT ':job:' || f.word || ':' || p.application, h.key, h.digest,"
	" h.status, h.work, h.at, h.said FROM hook_call AS h"
	" CROSS JOIN (SELECT 'github' AS word UNION ALL SELECT 'gitlab') AS f"
	" CROSS JOIN (SELECT DISTINCT application FROM principal WHERE kind = 'workflow') AS p"
	" WHERE h.hook = ':job';",
	"DELETE FROM hook_call WHERE hook = ':job';",
	NULL,
};

static const char *const migration_23[] = {
	/* What Vault has made for a loan; the token itself is in no row. */
	"CREATE TABLE loan (work INTEGER PRIMARY KEY, phase TEXT NOT NULL, accessor TEXT NOT NULL,"
	" until_at INTEGER NOT NULL, timer INTEGER NOT NULL) STRICT;"
	"CREATE INDEX loan_open ON loan (phase, work) WHERE phase <> 'over';",
	/* Nor does a loan keep an environment busy: whoever asks for it may be what does. */
	"DROP INDEX work_active;"
	"CREATE UNIQUE INDEX work_active ON work (environment)"
	" WHERE (state = '' OR state = 'RUNNING' OR state = 'STOPPING' OR state = 'VERIFYING'"
	" OR state = 'ROLLING_BACK' OR state = 'VERIFYING_ROLLBACK') AND action <> 'run-pipeline'"
	" AND action <> 'lend-secret';",
	NULL,
};

static const char *const migration_24[] = {
	/* Of what a person was lent: the chat where it is, and its message there. */
	"ALTER TABLE loan ADD COLUMN chat INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE loan ADD COLUMN message INTEGER NOT NULL DEFAULT 0;",
	NULL,
};

static const char *const migration_25[] = {
	/* Which runner has a run, and which runners are disconnected since when. */
	"ALTER TABLE run ADD COLUMN runner TEXT NOT NULL DEFAULT 'local';"
	"ALTER TABLE run ADD COLUMN is_abandoned INTEGER NOT NULL DEFAULT 0;"
	"CREATE INDEX run_open ON run (runner, id) WHERE ended_at = 0;"
	"CREATE TABLE runner (name TEXT PRIMARY KEY, gone_at INTEGER NOT NULL)"
	" STRICT, WITHOUT ROWID;",
	NULL,
};

static const char *const migration_26[] = {
	/* Agents and remote runners that are enrolled: which key each of them has. */
	"CREATE TABLE peer ("
	" identity TEXT PRIMARY KEY,"
	" digest TEXT NOT NULL UNIQUE,"
	" made_at INTEGER NOT NULL,"
	" made_by INTEGER NOT NULL,"
	" by_name TEXT NOT NULL,"
	" revoked_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;",
	NULL,
};

static const char *const migration_27[] = {
	/* What an agent may be ordered, as it says so itself: the list, its digest, since when. */
	"ALTER TABLE peer ADD COLUMN manifest TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE peer ADD COLUMN manifest_digest TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE peer ADD COLUMN manifest_at INTEGER NOT NULL DEFAULT 0;",
	NULL,
};

static const char *const migration_28[] = {
	/* Codes by which a host enrols: one of each name. */
	"CREATE TABLE peer_code ("
	" identity TEXT PRIMARY KEY,"
	" digest TEXT NOT NULL UNIQUE,"
	" secret TEXT NOT NULL,"
	" until INTEGER NOT NULL,"
	" made_by INTEGER NOT NULL,"
	" by_name TEXT NOT NULL,"
	" is_move INTEGER NOT NULL,"
	" key TEXT NOT NULL) STRICT, WITHOUT ROWID;",
	NULL,
};

static const char *const migration_29[] = {
	/* When the certificate of a key ends, 0: not known; the key that it is to have next. */
	"ALTER TABLE peer ADD COLUMN ends_at INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE peer ADD COLUMN next_digest TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE peer ADD COLUMN next_ends_at INTEGER NOT NULL DEFAULT 0;",
	"CREATE UNIQUE INDEX peer_next ON peer (next_digest) WHERE next_digest <> '';",
	NULL,
};

static const char *const migration_30[] = {
	/* Rows are numbered by counters of ours, on every engine: from what was given last on. */
	"INSERT INTO counter SELECT name, MAX(seq) FROM sqlite_sequence GROUP BY name;"
	"INSERT INTO counter SELECT 'forge_hook', COALESCE(MAX(id), 0) FROM forge_hook;"
	"INSERT INTO counter SELECT 'inbox', COALESCE(MAX(seq), 0) FROM inbox;"
	"INSERT INTO counter SELECT 'past', COALESCE(MAX(id), 0) FROM past;"
	"UPDATE counter SET value = MAX(value, (SELECT COALESCE(MAX(id), 0) FROM block))"
	" WHERE name = 'block';"
	"DELETE FROM sqlite_sequence;",
	NULL,
};

static const char *const migration_31[] = {
	/* What a commit is of: git, or an archive that somebody sent. */
	"ALTER TABLE work ADD COLUMN source TEXT NOT NULL DEFAULT 'git';"
	"ALTER TABLE work ADD COLUMN previous_source TEXT NOT NULL DEFAULT 'git';"
	"ALTER TABLE release ADD COLUMN source TEXT NOT NULL DEFAULT 'git';"
	"ALTER TABLE block ADD COLUMN source TEXT NOT NULL DEFAULT 'git';"
	"ALTER TABLE past ADD COLUMN source TEXT NOT NULL DEFAULT 'git';",
	NULL,
};

static const char *const migration_32[] = {
	/* Archives that somebody sent: what is there, and by which word the chat gives it again. */
	"CREATE TABLE upload (digest TEXT NOT NULL PRIMARY KEY, file TEXT NOT NULL,"
	" size INTEGER NOT NULL, at INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
	"CREATE INDEX upload_old ON upload (at);"
	"CREATE INDEX work_upload ON work (commit_id) WHERE source = 'upload';"
	"CREATE INDEX release_upload ON release (commit_id) WHERE source = 'upload';"
	/* What is done again once a code was typed, where it was sent under a file. */
	"ALTER TABLE pad ADD COLUMN file TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE pad ADD COLUMN file_name TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE pad ADD COLUMN file_size INTEGER NOT NULL DEFAULT 0;",
	NULL,
};

static const char *const migration_33[] = {
	/* What OPA was asked of some work last, at which moment, and what it said. */
	"CREATE TABLE opa ("
	" work INTEGER PRIMARY KEY,"
	" at INTEGER NOT NULL,"
	" digest TEXT NOT NULL,"
	" verdict INTEGER NOT NULL,"
	" reason TEXT NOT NULL,"
	" decision TEXT NOT NULL,"
	" tries INTEGER NOT NULL,"
	" since INTEGER NOT NULL,"
	" is_to_ask INTEGER NOT NULL,"
	" is_noted INTEGER NOT NULL,"
	" git TEXT NOT NULL DEFAULT '') STRICT;",
	NULL,
};

static const char *const migration_34[] = {
	/* What the files of an archive take, once it is unpacked. */
	"ALTER TABLE upload ADD COLUMN unpacked INTEGER NOT NULL DEFAULT 0;",
	NULL,
};

static const char *const migration_35[] = {
	/* Which trouble others were notified of ("down", "rolled-back"), and who of "down". */
	"ALTER TABLE environment ADD COLUMN notified TEXT NOT NULL DEFAULT '';"
	"UPDATE environment SET notified = 'down' WHERE is_down <> 0;"
	/* Who else is notified: since when nothing is sent there and why, and what was not. */
	"CREATE TABLE notify ("
	" name TEXT NOT NULL PRIMARY KEY,"
	" off_since INTEGER NOT NULL,"
	" off_why TEXT NOT NULL,"
	" unsent INTEGER NOT NULL) STRICT, WITHOUT ROWID;",
	NULL,
};

static const char *const migration_36[] = {
	/* Sessions of the console: mac is HMAC-SHA256 of its token under AUTH_TOKEN_SECRET; bot is
	 * the digest of the bot's token that initData was signed with, "": a code opened it. */
	"CREATE TABLE console_session ("
	" mac TEXT NOT NULL PRIMARY KEY,"
	" person INTEGER NOT NULL,"
	" name TEXT NOT NULL,"
	" bot TEXT NOT NULL,"
	" began_at INTEGER NOT NULL,"
	" used_at INTEGER NOT NULL,"
	" ends_at INTEGER NOT NULL,"
	" proof_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
	"CREATE INDEX console_session_person ON console_session (person, used_at);"
	"CREATE INDEX console_session_used ON console_session (used_at);"
	/* The code that opens one, once, as such a MAC: the newest of each person. */
	"CREATE TABLE console_code ("
	" person INTEGER NOT NULL PRIMARY KEY,"
	" mac TEXT NOT NULL UNIQUE,"
	" name TEXT NOT NULL,"
	" until INTEGER NOT NULL) STRICT;",
	NULL,
};

static const char *const migration_37[] = {
	/* When its commit was made; which release it made. */
	"ALTER TABLE work ADD COLUMN committed_at INTEGER NOT NULL DEFAULT 0;",
	"CREATE INDEX release_deployment ON release (deployment);",
	NULL,
};

static const char *const migration_38[] = {
	/* A release that bakes, or is paused, keeps its environment busy. */
	"DROP INDEX work_active;"
	"CREATE UNIQUE INDEX work_active ON work (environment)"
	" WHERE (state = '' OR state = 'RUNNING' OR state = 'STOPPING' OR state = 'VERIFYING'"
	" OR state = 'BAKING' OR state = 'PAUSED' OR state = 'ROLLING_BACK'"
	" OR state = 'VERIFYING_ROLLBACK') AND action <> 'run-pipeline'"
	" AND action <> 'lend-secret';"
	"DROP INDEX work_pipelines;"
	"CREATE INDEX work_pipelines ON work (id)"
	" WHERE (state = '' OR state = 'RUNNING' OR state = 'STOPPING' OR state = 'VERIFYING'"
	" OR state = 'BAKING' OR state = 'PAUSED' OR state = 'ROLLING_BACK'"
	" OR state = 'VERIFYING_ROLLBACK') AND action = 'run-pipeline';",
	/* How far it is (row_bake.h), and what Prometheus said of it, by the queries' names. */
	"CREATE TABLE bake ("
	" work INTEGER PRIMARY KEY,"
	" measured_at INTEGER NOT NULL,"
	" began_at INTEGER NOT NULL,"
	" length_ms INTEGER NOT NULL,"
	" left_ms INTEGER NOT NULL,"
	" counted_at INTEGER NOT NULL,"
	" is_prolonged INTEGER NOT NULL,"
	" is_to_pause INTEGER NOT NULL,"
	" why TEXT NOT NULL) STRICT;"
	"CREATE TABLE bake_value ("
	" work INTEGER NOT NULL,"
	" nth INTEGER NOT NULL,"
	" name TEXT NOT NULL,"
	" was TEXT NOT NULL,"
	" is_exempt INTEGER NOT NULL,"
	" value TEXT NOT NULL,"
	" threshold TEXT NOT NULL,"
	" is_firing INTEGER NOT NULL,"
	" PRIMARY KEY (work, nth)) STRICT, WITHOUT ROWID;",
	NULL,
};

static const char *const migration_39[] = {
	/* What only a promotion has: whose release it brings, which is open until its work ends. */
	"CREATE TABLE promotion ("
	" work INTEGER PRIMARY KEY,"
	" environment TEXT NOT NULL,"
	" is_open INTEGER NOT NULL CHECK (is_open IN (0, 1)),"
	" from_environment TEXT NOT NULL,"
	" image TEXT NOT NULL,"
	" since INTEGER NOT NULL,"
	" release INTEGER NOT NULL,"
	" seen_release INTEGER NOT NULL) STRICT;"
	"CREATE INDEX promotion_open ON promotion (environment, work) WHERE is_open = 1;",
	NULL,
};

static const char *const migration_40[] = {
	/* Of work in waves: which is in hand, of how many; 0: it is in none. */
	"ALTER TABLE work ADD COLUMN wave INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE work ADD COLUMN waves INTEGER NOT NULL DEFAULT 0;",
	/* What each host of an environment that is released to in waves runs (row_host.h). */
	"CREATE TABLE host ("
	" environment TEXT NOT NULL,"
	" name TEXT NOT NULL,"
	" plan INTEGER NOT NULL," /* the work that it was last given a wave of */
	" wave INTEGER NOT NULL,"
	" run INTEGER NOT NULL,"   /* the newest that was ordered to it */
	" drain INTEGER NOT NULL," /* the newest run that ends what it replaced */
	" work INTEGER NOT NULL,"  /* that touched it last */
	" state TEXT NOT NULL,"
	" release TEXT NOT NULL,"
	" image TEXT NOT NULL,"
	" previous TEXT NOT NULL," /* that it ran before `work` */
	" previous_image TEXT NOT NULL,"
	" detail TEXT NOT NULL,"
	" failed_at INTEGER NOT NULL,"
	" at INTEGER NOT NULL,"
	" PRIMARY KEY (environment, name)) STRICT, WITHOUT ROWID;",
	NULL,
};

static const char *const migration_41[] = {
	/* Since when the settings name it no more; 0: they do. */
	"ALTER TABLE host ADD COLUMN left_at INTEGER NOT NULL DEFAULT 0;"
	"CREATE INDEX host_left ON host (left_at) WHERE left_at <> 0;",
	/* What work touches where the hosts of its environment stand in a file (row_resource.h). */
	"CREATE TABLE resource ("
	" environment TEXT NOT NULL,"
	" name TEXT NOT NULL,"
	" PRIMARY KEY (environment, name)) STRICT, WITHOUT ROWID;",
	NULL,
};

static const char *const migration_42[] = {
	/* Of work that is asked about: a line for each wave, with a blank between its hosts. */
	"CREATE TABLE wave_plan ("
	" work INTEGER PRIMARY KEY,"
	" hosts TEXT NOT NULL) STRICT;",
	NULL,
};

static const char *const migration_43[] = {
	/* A person has ended the bake of a wave of it, or its last, before its time. */
	"ALTER TABLE bake ADD COLUMN is_cut INTEGER NOT NULL DEFAULT 0;",
	NULL,
};

static const char *const migration_44[] = {
	/* The release that a host ran for all we knew when its run was ordered; '': not known. */
	"ALTER TABLE host ADD COLUMN expected TEXT NOT NULL DEFAULT '';",
	NULL,
};

extern const char store_schema_whole[];
EMBED_HERE(store_schema_whole, "server/store/store_schema.sql");

static const char *const *const migrations[] = { migration_1, migration_2, migration_3, migration_4,
	migration_5, migration_6, migration_7, migration_8, migration_9, migration_10, migration_11,
	migration_12, migration_13, migration_14, migration_15, migration_16, migration_17,
	migration_18, migration_19, migration_20, migration_21, migration_22, migration_23,
	migration_24, migration_25, migration_26, migration_27, migration_28, migration_29,
	migration_30, migration_31, migration_32, migration_33, migration_34, migration_35,
	migration_36, migration_37, migration_38, migration_39, migration_40, migration_41,
	migration_42, migration_43, migration_44 };

const char *const *
store_schema_sql(int64_t version)
{
	return migrations[version - 1];
}

static bool
run_migrations(struct db *db, int64_t version, int64_t to, struct err *err)
{
	bool ok = true;

	for (; ok && version < to; version++)
		for (const char *const *sql = store_schema_sql(version + 1); ok && *sql != NULL;
		     sql++)
			ok = db_script(db, *sql, err) ||
			    err_wrap(err, "migration %lld", (long long)version + 1);
	return ok;
}

/* In one transaction.  SQLite reads all tables anew for each column that is added to one: on a new
 * database all migrations take 60 ms, and what they lead to takes 5. */
static bool
migrate(struct db *db, int64_t version, int64_t to, struct err *err)
{
	bool ok;

	if (!db_begin(db, err))
		return false;
	ok = version == 0 && to == store_schema_newest() ? db_script(db, store_schema_whole, err) :
							   run_migrations(db, version, to, err);
	if (!ok || !db_set_user_version(db, to, err)) {
		db_rollback(db);
		return false;
	}
	CRASH_POINT(migration_written);
	ok = db_commit(db, err);
	CRASH_POINT(migration_done);
	return ok;
}

int64_t
store_schema_newest(void)
{
	return COUNT(migrations);
}

bool
store_schema_migrate(struct db *db, const char *copy_of, int64_t to, struct err *err)
{
	int64_t version;

	assert(to <= store_schema_newest());
	if (!db_user_version(db, &version, err))
		return false;
	if (version > to)
		return err_set(err, ERR_CONFIG,
		    "the database has version %lld and this program knows %lld: start the newer one",
		    (long long)version, (long long)to);
	if (copy_of != NULL && version > 0 && version < to &&
	    !store_copy_make(copy_of, version, err))
		return false;
	return version == to || migrate(db, version, to, err);
}
