/* cli_hand_over.c - `deploybot hand-over`: the leader stops where a standby could lead.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <stdio.h>
#include <sysexits.h>
#include <time.h>

#include "cli/cli_server.h"
#include "lib/db.h"
#include "lib/err.h"
#include "lib/when.h"
#include "settings/checks/settings_runners.h"
#include "store/leader.h"
#include "store/row_leader.h"
#include "store/store_foreign.h"
#include "types/settings.h"

#define LOOK_MS	 100
#define EXTRA_MS 15000 /* behind the time that its runs have */

/* Does this server lead, and is there another that could?  An exit status. */
static int
look(const struct cli_server *local, struct db *db, const char *name, struct leader *ret)
{
	char standby[LIMIT_RUNNER], text[200];
	int64_t version;
	struct err err;

	if (!store_foreign_check(db, &version, &err))
		return cli_server_fail(local, err_exit_status(err.code), err.text);
	if (version == 0)
		return cli_server_fail(local, EX_CONFIG, STORE_FOREIGN_EMPTY);
	if (!leader_read(db, ret, &err) || !row_leader_standby(db, standby, &err))
		return cli_server_fail(local, err_exit_status(err.code), err.text);
	if (ret->holder[0] == '\0' || ret->left_ms < 0)
		return cli_server_fail(local, EX_UNAVAILABLE, "no server leads");
	if (strcmp(ret->holder, name) != 0) {
		(void)snprintf(
		    text, sizeof(text), "%s leads; this server is %s", ret->holder, name);
		return cli_server_fail(local, EX_UNAVAILABLE, text);
	}
	if (standby[0] == '\0')
		return cli_server_fail(local, EX_UNAVAILABLE,
		    "no standby could lead: see /readyz and the log of the other server");
	return EX_OK;
}

/* Of its own runner, of which the standby has none; is_behind: another leads now. */
static bool
say_runs(struct db *db, const struct settings *s, bool is_behind, struct err *err)
{
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };

	if (!db_query(&rows, db, err,
		"SELECT DISTINCT work.id, work.environment FROM run"
		" CROSS JOIN work ON work.id = run.deployment"
		" WHERE run.ended_at = 0 AND run.started_at <> 0 AND run.is_abandoned = 0"
		" AND run.program <> 'drain' AND run.runner = $1 ORDER BY work.id",
		DB_TEXT(settings_server_name(s))))
		return false;
	while (db_next(&rows)) {
		long long id = db_col_i64(&rows, 0);

		if (is_behind)
			(void)printf("#%lld goes on at %s: hand back to it, or /abandon %lld\n", id,
			    settings_server_name(s), id);
		else if (s->runner_socket == NULL)
			(void)printf("waiting for #%lld (%s), at most %d s\n", id,
			    db_col_text(&rows, 1), s->shutdown_timeout_seconds);
	}
	(void)fflush(stdout); /* who waits reads it now */
	return db_rows_end(&rows, err);
}

/* An exit status. */
static int
follow(const struct cli_server *local, struct db *db, const struct settings *s,
    const struct leader *before)
{
	static const struct timespec pause = { .tv_nsec = LOOK_MS * 1000000L };
	int64_t most = s->shutdown_timeout_seconds * INT64_C(1000) + EXTRA_MS;
	char since[WHEN_STAMP];
	struct leader now;
	struct err err;

	do {
		(void)nanosleep(&pause, NULL); /* shorter does no harm */
		if (!leader_read(db, &now, &err))
			return cli_server_fail(local, err_exit_status(err.code), err.text);
	} while (now.epoch == before->epoch && now.clock_ms - before->clock_ms < most);
	if (now.epoch == before->epoch || leader_is(&now, before))
		return cli_server_fail(
		    local, EX_TEMPFAIL, "no other server leads: see the logs of both");
	(void)printf("%s%s leads since %s (%" PRId64 ".%" PRId64 " s)\n",
	    strcmp(now.holder, before->holder) == 0 ? "another server that is called " : "",
	    now.holder, when_stamp(s->zone, now.since, since),
	    (now.since - before->clock_ms) / 1000, (now.since - before->clock_ms) % 1000 / 100);
	return say_runs(db, s, true, &err) ?
	    EX_OK :
	    cli_server_fail(local, err_exit_status(err.code), err.text);
}

int
cli_hand_over(struct cli_server *local)
{
	CLEANUP(settings_unrefp) struct settings *s = cli_settings(local->cli, false);
	CLEANUP(cli_answer_done) struct cli_answer answer = { 0 };
	CLEANUP(db_closep) struct db *db = NULL;
	struct leader before;
	struct err err;
	int status;

	if (s == NULL)
		return EX_CONFIG;
	if (settings_server_name(s) == NULL)
		return cli_server_fail(
		    local, EX_USAGE, "there is one server: DATABASE_URL is not set");
	db = db_open(s->database, 0, &err);
	if (db == NULL)
		return cli_server_fail(local, err_exit_status(err.code), err.text);
	status = look(local, db, settings_server_name(s), &before);
	if (status != EX_OK)
		return status;
	if (!cli_api_ask(&local->api, "/hand-over", "{}", &answer, &err))
		return cli_server_fail(local, EX_UNAVAILABLE, err.text);
	if (answer.status != 202)
		return cli_server_show_said(local, &answer);
	(void)!say_runs(db, s, false, NULL); /* what fails is asked again at once */
	return follow(local, db, s, &before);
}
