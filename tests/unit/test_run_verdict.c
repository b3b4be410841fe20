/* Goal: each exit record means one thing for the deployment that it ends.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "deployment/run_verdict.h"

#include "unit.h"

#define ATTEMPTS 3
#define RAN	 .gate_opened = true

struct row {
	const char *what;
	struct deployment before;
	struct run_ended ended;
	enum deploy_event event;
	enum deploy_why why;
	bool target_changed;
	const char *detail; /* a part of it; NULL: anything */
};

/* state, urls, previous: what a deployment that began has. */
#define RUNNING .state = DEPLOY_RUNNING, .previous = "9f8e7d6", .attempts = 1
#define STOPPING \
	.state = DEPLOY_STOPPING, .previous = "9f8e7d6", .attempts = 1, .why = DEPLOY_WHY_CANCELLED
#define ROLLING_BACK_TO \
	.state = DEPLOY_ROLLING_BACK, .previous = "9f8e7d6", .attempts = 1, \
	.target_changed = true, .why = DEPLOY_WHY_SCRIPT
#define ACTION .program = PROGRAM_ACTION, URLS
#define URLS   .urls = "http://127.0.0.1:1/"

/* A last line of which the chat shows the most, and says that there is more. */
#define TEN  "ten bytes "
#define MOST "deploy.sh: " TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN
#define LONG MOST TEN TEN TEN

static const struct row rows[] = {
	{ "exit 0, health URLs", { RUNNING, URLS }, { RAN, .released = true }, DEPLOY_ON_SCRIPT_OK,
	    DEPLOY_WHY_NONE, true, "" },
	{ "exit 0, no health URL", { RUNNING }, { RAN, .released = true },
	    DEPLOY_ON_SCRIPT_OK_UNPROBED, DEPLOY_WHY_NONE, true, "" },
	{ "exit 0 without `==> release`: the target must be taken to have changed",
	    { RUNNING, URLS }, { RAN }, DEPLOY_ON_SCRIPT_OK, DEPLOY_WHY_NONE, true, "" },

	{ "exit 1 before release", { RUNNING }, { RAN, .exit_status = 1, .detail = "oh no" },
	    DEPLOY_ON_FAILED_BEFORE_RELEASE, DEPLOY_WHY_SCRIPT, false, "exit 1: oh no" },
	{ "exit 69, a line that is too long", { RUNNING },
	    { RAN, .exit_status = 69, .detail = LONG }, DEPLOY_ON_FAILED_BEFORE_RELEASE,
	    DEPLOY_WHY_SCRIPT, false, "exit 69: " MOST TEN "ten b…" },
	{ "exit 1 after release", { RUNNING }, { RAN, .exit_status = 1, .released = true },
	    DEPLOY_ON_SCRIPT_FAILED, DEPLOY_WHY_SCRIPT, true, "exit 1" },
	{ "exit 64 after release: no status takes the release back", { RUNNING },
	    { RAN, .exit_status = 64, .released = true }, DEPLOY_ON_SCRIPT_FAILED,
	    DEPLOY_WHY_SCRIPT, true, "exit 64" },
	{ "exit 65", { RUNNING }, { RAN, .exit_status = 65 }, DEPLOY_ON_FAILED_BEFORE_RELEASE,
	    DEPLOY_WHY_SCRIPT, false, NULL },
	{ "exit 69 after release", { RUNNING }, { RAN, .exit_status = 69, .released = true },
	    DEPLOY_ON_SCRIPT_FAILED, DEPLOY_WHY_SCRIPT, true, NULL },
	{ "exit 69, release was told live", { RUNNING, .target_changed = true },
	    { RAN, .exit_status = 69 }, DEPLOY_ON_SCRIPT_FAILED, DEPLOY_WHY_SCRIPT, true, NULL },
	{ "release was told live, the record does not know", { RUNNING, .target_changed = true },
	    { RAN, .exit_status = 1 }, DEPLOY_ON_SCRIPT_FAILED, DEPLOY_WHY_SCRIPT, true, NULL },

	{ "nothing to go back to", { .state = DEPLOY_RUNNING, .attempts = 1 },
	    { RAN, .exit_status = 1, .released = true }, DEPLOY_ON_SCRIPT_FAILED_NO_ROLLBACK,
	    DEPLOY_WHY_SCRIPT, true, NULL },
	{ "`==> no-rollback` in the record", { RUNNING },
	    { RAN, .exit_status = 1, .released = true, .no_rollback = true },
	    DEPLOY_ON_SCRIPT_FAILED_NO_ROLLBACK, DEPLOY_WHY_SCRIPT, true, NULL },
	{ "`==> no-rollback` was told live", { RUNNING, .cannot_roll_back = true },
	    { RAN, .exit_status = 1, .released = true }, DEPLOY_ON_SCRIPT_FAILED_NO_ROLLBACK,
	    DEPLOY_WHY_SCRIPT, true, NULL },
	{ "a person's rollback has no way back of its own",
	    { RUNNING, .program = PROGRAM_ROLLBACK }, { RAN, .exit_status = 1, .released = true },
	    DEPLOY_ON_SCRIPT_FAILED_NO_ROLLBACK, DEPLOY_WHY_SCRIPT, true, NULL },

	/* Of a first release alone it is believed that nothing of it runs. */
	{ "a first release that its hosts took back whole",
	    { .state = DEPLOY_RUNNING, .attempts = 1, .target_changed = true },
	    { RAN, .exit_status = 70, .released = true, .undone = true },
	    DEPLOY_ON_FAILED_BEFORE_RELEASE, DEPLOY_WHY_SCRIPT, false, "exit 70" },
	{ "the same behind its migration",
	    { .state = DEPLOY_RUNNING, .attempts = 1, .migration = "migrated" },
	    { RAN, .exit_status = 70, .released = true, .undone = true, .migration = true },
	    DEPLOY_ON_MIGRATION_FAILED, DEPLOY_WHY_SCRIPT, false, "exit 70" },
	{ "the same, and exit 0", { .state = DEPLOY_RUNNING, .attempts = 1, URLS },
	    { RAN, .released = true, .undone = true }, DEPLOY_ON_SCRIPT_OK, DEPLOY_WHY_NONE, true,
	    "" },
	{ "the same, and it was cut", { .state = DEPLOY_RUNNING, .attempts = 1 },
	    { RAN, .released = true, .undone = true, .lost = true, .exit_status = -1 },
	    DEPLOY_ON_SCRIPT_FAILED_NO_ROLLBACK, DEPLOY_WHY_INTERRUPTED, true, NULL },
	{ "where there is a release before it that one is rolled back to", { RUNNING },
	    { RAN, .exit_status = 70, .released = true, .undone = true }, DEPLOY_ON_SCRIPT_FAILED,
	    DEPLOY_WHY_SCRIPT, true, NULL },
	{ "of a rollback it is no word",
	    { .state = DEPLOY_RUNNING, .attempts = 1, .program = PROGRAM_ROLLBACK },
	    { RAN, .exit_status = 70, .released = true, .undone = true },
	    DEPLOY_ON_SCRIPT_FAILED_NO_ROLLBACK, DEPLOY_WHY_SCRIPT, true, NULL },

	/* Behind `==> migrate`, before `==> release`: nothing is rolled back, whatever the end. */
	{ "a migration that failed", { RUNNING }, { RAN, .exit_status = 70, .migration = true },
	    DEPLOY_ON_MIGRATION_FAILED, DEPLOY_WHY_SCRIPT, false, "exit 70" },
	{ "64 says untouched, and a migration was begun", { RUNNING },
	    { RAN, .exit_status = 64, .migration = true }, DEPLOY_ON_MIGRATION_FAILED,
	    DEPLOY_WHY_SCRIPT, false, "exit 64" },
	{ "a migration was told live, and the record does not know",
	    { RUNNING, .migration = "migrated" }, { RAN, .exit_status = 1 },
	    DEPLOY_ON_MIGRATION_FAILED, DEPLOY_WHY_SCRIPT, false, NULL },
	{ "timed out in a migration", { RUNNING },
	    { RAN, .timed_out = true, .exit_status = -1, .signal_number = 9, .migration = true },
	    DEPLOY_ON_MIGRATION_FAILED, DEPLOY_WHY_TIMED_OUT, false, "signal 9" },
	{ "cancelled in a migration", { STOPPING },
	    { RAN, .ended_on_request = true, .exit_status = 143, .migration = true },
	    DEPLOY_ON_MIGRATION_FAILED, DEPLOY_WHY_NONE, false, "" },
	{ "cancelled, but it ended well before, with its migration and no release", { STOPPING },
	    { RAN, .migration = true }, DEPLOY_ON_MIGRATION_FAILED, DEPLOY_WHY_NONE, false, "" },
	{ "a migration, and the release failed", { RUNNING },
	    { RAN, .exit_status = 70, .released = true, .migration = true },
	    DEPLOY_ON_SCRIPT_FAILED, DEPLOY_WHY_SCRIPT, true, NULL },
	{ "a migration, and exit 0", { RUNNING }, { RAN, .released = true, .migration = true },
	    DEPLOY_ON_SCRIPT_OK_UNPROBED, DEPLOY_WHY_NONE, true, "" },
	{ "of a rollback it is a step like any other", { RUNNING, .program = PROGRAM_ROLLBACK },
	    { RAN, .exit_status = 1, .migration = true }, DEPLOY_ON_FAILED_BEFORE_RELEASE,
	    DEPLOY_WHY_SCRIPT, false, NULL },
	{ "lost in a migration", { RUNNING, .migration = "migrate" },
	    { RAN, .lost = true, .migration = true }, DEPLOY_ON_MIGRATION_FAILED,
	    DEPLOY_WHY_INTERRUPTED, false, "it was killed; all that it had started" },
	{ "lost in a migration, and its record says nothing of it", { RUNNING },
	    { RAN, .lost = true, .migration = true }, DEPLOY_ON_MIGRATION_FAILED,
	    DEPLOY_WHY_INTERRUPTED, false, NULL },
	{ "lost while it was cancelled in a migration", { STOPPING, .migration = "migrate" },
	    { RAN, .lost = true, .migration = true }, DEPLOY_ON_MIGRATION_FAILED, DEPLOY_WHY_NONE,
	    false, "" },
	{ "lost behind a migration, in the release", { RUNNING, .migration = "migrated" },
	    { RAN, .lost = true, .migration = true, .released = true }, DEPLOY_ON_SCRIPT_FAILED,
	    DEPLOY_WHY_INTERRUPTED, true, NULL },
	{ "lost, and the record knows of the migration alone: the release was told live",
	    { RUNNING, .migration = "migrated", .target_changed = true },
	    { RAN, .lost = true, .migration = true }, DEPLOY_ON_SCRIPT_FAILED,
	    DEPLOY_WHY_INTERRUPTED, true, NULL },
	{ "lost, and what its record knows is nothing: it counts as having touched",
	    { RUNNING, .migration = "migrate" }, { RAN, .lost = true }, DEPLOY_ON_SCRIPT_FAILED,
	    DEPLOY_WHY_INTERRUPTED, true, NULL },
	{ "lost in a migration, and it could not be swept", { RUNNING, .migration = "migrate" },
	    { RAN, .lost = true, .unswept = true, .migration = true }, DEPLOY_ON_FOLDER_GONE,
	    DEPLOY_WHY_INTERRUPTED, true, "it was killed; some of it may still be running" },
	{ "a rollback that was lost behind that word counts as having touched",
	    { RUNNING, .program = PROGRAM_ROLLBACK }, { RAN, .lost = true, .migration = true },
	    DEPLOY_ON_SCRIPT_FAILED_NO_ROLLBACK, DEPLOY_WHY_INTERRUPTED, true, NULL },

	/* What an action did it did: it is neither probed, nor rolled back, nor done twice. */
	{ "an action, exit 0", { RUNNING, ACTION }, { RAN }, DEPLOY_ON_SCRIPT_OK, DEPLOY_WHY_NONE,
	    false, "" },
	{ "an action, exit 69", { RUNNING, ACTION }, { RAN, .exit_status = 69, .released = true },
	    DEPLOY_ON_SCRIPT_FAILED, DEPLOY_WHY_SCRIPT, false, "exit 69" },
	{ "an action whose gate never opened", { RUNNING, ACTION }, { .lost = true },
	    DEPLOY_ON_AGAIN, DEPLOY_WHY_NONE, false, "" },
	{ "an action whose gate opened", { RUNNING, ACTION }, { RAN, .lost = true },
	    DEPLOY_ON_SCRIPT_FAILED, DEPLOY_WHY_INTERRUPTED, false,
	    "it was killed; all that it had started" },
	{ "an action, refused", { RUNNING, ACTION }, { .refused = true, .detail = "no" },
	    DEPLOY_ON_FAILED_BEFORE_RELEASE, DEPLOY_WHY_NOT_STARTED, false, "no" },
	{ "an action, too often", { .state = DEPLOY_RUNNING, ACTION, .attempts = ATTEMPTS }, { 0 },
	    DEPLOY_ON_FAILED_BEFORE_RELEASE, DEPLOY_WHY_NOT_STARTED, false, NULL },
	{ "an action, cancelled, but done before", { STOPPING, ACTION }, { RAN },
	    DEPLOY_ON_SCRIPT_OK, DEPLOY_WHY_NONE, false, "" },
	{ "an action, cancelled", { STOPPING, ACTION },
	    { RAN, .exit_status = -1, .signal_number = 15, .ended_on_request = true },
	    DEPLOY_ON_SCRIPT_FAILED, DEPLOY_WHY_NONE, false, "" },

	{ "timed out before release", { RUNNING },
	    { RAN, .timed_out = true, .exit_status = -1, .signal_number = 15 },
	    DEPLOY_ON_FAILED_BEFORE_RELEASE, DEPLOY_WHY_TIMED_OUT, false, "signal 15" },
	{ "timed out after release", { RUNNING },
	    { RAN, .timed_out = true, .exit_status = -1, .signal_number = 9, .released = true },
	    DEPLOY_ON_SCRIPT_FAILED, DEPLOY_WHY_TIMED_OUT, true, "signal 9" },
	{ "timed out, and the script made it an exit 0", { RUNNING },
	    { RAN, .timed_out = true, .released = true }, DEPLOY_ON_SCRIPT_FAILED,
	    DEPLOY_WHY_TIMED_OUT, true, NULL },

	{ "killed by somebody else", { RUNNING },
	    { RAN, .exit_status = -1, .signal_number = 9, .released = true },
	    DEPLOY_ON_SCRIPT_FAILED, DEPLOY_WHY_SCRIPT, true, "out of memory?" },
	{ "crashed", { RUNNING }, { RAN, .exit_status = -1, .signal_number = 11 },
	    DEPLOY_ON_FAILED_BEFORE_RELEASE, DEPLOY_WHY_SCRIPT, false, "signal 11" },

	{ "lost before its gate opened", { RUNNING }, { .lost = true }, DEPLOY_ON_AGAIN,
	    DEPLOY_WHY_NONE, false, "" },
	{ "lost after its gate opened counts as having touched", { RUNNING }, { RAN, .lost = true },
	    DEPLOY_ON_SCRIPT_FAILED, DEPLOY_WHY_INTERRUPTED, true,
	    "it was killed; all that it had started" },

	{ "lost, and what it started may be at work: nothing begins beside it", { RUNNING },
	    { RAN, .lost = true, .unswept = true }, DEPLOY_ON_FOLDER_GONE, DEPLOY_WHY_INTERRUPTED,
	    true, "it was killed; some of it may still be running" },
	{ "lost before its gate opened: nothing can be at work", { RUNNING },
	    { .lost = true, .unswept = true }, DEPLOY_ON_AGAIN, DEPLOY_WHY_NONE, false, "" },
	{ "going back, lost and not swept: no second one begins", { ROLLING_BACK_TO },
	    { RAN, .lost = true, .unswept = true }, DEPLOY_ON_FOLDER_GONE, DEPLOY_WHY_NONE, true,
	    "it was killed; some of it may still be running" },

	{ "gate never opened, first", { RUNNING }, { 0 }, DEPLOY_ON_AGAIN, DEPLOY_WHY_NONE, false,
	    "" },
	{ "gate never opened, second", { .state = DEPLOY_RUNNING, .attempts = 2 }, { 0 },
	    DEPLOY_ON_AGAIN, DEPLOY_WHY_NONE, false, "" },
	{ "gate never opened, third", { .state = DEPLOY_RUNNING, .attempts = 3 }, { 0 },
	    DEPLOY_ON_FAILED_BEFORE_RELEASE, DEPLOY_WHY_NOT_STARTED, false, "was not started" },
	{ "ended on request before its gate opened", { STOPPING }, { .ended_on_request = true },
	    DEPLOY_ON_FAILED_BEFORE_RELEASE, DEPLOY_WHY_NONE, false, "" },
	{ "gate never opened while stopping: no other is ordered", { STOPPING }, { 0 },
	    DEPLOY_ON_FAILED_BEFORE_RELEASE, DEPLOY_WHY_NONE, false, "" },
	{ "refused by the runner", { RUNNING }, { .refused = true, .detail = "no space left" },
	    DEPLOY_ON_FAILED_BEFORE_RELEASE, DEPLOY_WHY_NOT_STARTED, false, "no space left" },
	{ "could not be executed", { RUNNING },
	    { RAN, .exec_errno = 2, .exit_status = 127, .detail = "No such file" },
	    DEPLOY_ON_FAILED_BEFORE_RELEASE, DEPLOY_WHY_NOT_STARTED, false,
	    "could not be started" },

	{ "stopping, ended by itself before release", { STOPPING, .detail = "by @ada" },
	    { RAN, .ended_on_request = true, .exit_status = 143 }, DEPLOY_ON_FAILED_BEFORE_RELEASE,
	    DEPLOY_WHY_NONE, false, "" },
	{ "stopping, no trap of it before release", { STOPPING, .detail = "by @ada" },
	    { RAN, .ended_on_request = true, .exit_status = -1, .signal_number = 15 },
	    DEPLOY_ON_FAILED_BEFORE_RELEASE, DEPLOY_WHY_NONE, false,
	    "by @ada, then killed by signal 15" },
	{ "stopping, did not end by itself before release", { STOPPING, .detail = "by @ada" },
	    { RAN, .ended_on_request = true, .exit_status = -1, .signal_number = 9 },
	    DEPLOY_ON_FAILED_BEFORE_RELEASE, DEPLOY_WHY_NONE, false,
	    "by @ada, then killed by signal 9" },
	{ "stopping, did not end by itself after release", { STOPPING, .detail = "by @ada" },
	    { RAN, .ended_on_request = true, .exit_status = -1, .signal_number = 9,
		.released = true },
	    DEPLOY_ON_SCRIPT_FAILED, DEPLOY_WHY_NONE, true, "" },
	{ "stopping, killed after release", { STOPPING },
	    { RAN, .ended_on_request = true, .exit_status = -1, .signal_number = 15,
		.released = true },
	    DEPLOY_ON_SCRIPT_FAILED, DEPLOY_WHY_NONE, true, "" },
	{ "stopping, came to its end first", { STOPPING, URLS }, { RAN, .released = true },
	    DEPLOY_ON_SCRIPT_OK, DEPLOY_WHY_NONE, true, "" },
	{ "stopping, came to its end first, no way back", { .state = DEPLOY_STOPPING, URLS },
	    { RAN, .released = true }, DEPLOY_ON_SCRIPT_FAILED_NO_ROLLBACK, DEPLOY_WHY_NONE, true,
	    "" },
	{ "stopping, lost",
	    { .state = DEPLOY_STOPPING,
		.previous = "9f8e7d6",
		.attempts = 1,
		.why = DEPLOY_WHY_INTERRUPTED },
	    { RAN, .lost = true }, DEPLOY_ON_SCRIPT_FAILED, DEPLOY_WHY_NONE, true,
	    "it was killed; all that it had started" },

	{ "going back, exit 0", { ROLLING_BACK_TO, URLS }, { RAN, .released = true },
	    DEPLOY_ON_SCRIPT_OK, DEPLOY_WHY_NONE, true, "" },
	{ "going back, exit 0, no health URL", { ROLLING_BACK_TO }, { RAN, .released = true },
	    DEPLOY_ON_SCRIPT_OK_UNPROBED, DEPLOY_WHY_NONE, true, "" },
	{ "going back, lost", { ROLLING_BACK_TO }, { RAN, .lost = true }, DEPLOY_ON_AGAIN,
	    DEPLOY_WHY_NONE, true, "" },
	{ "going back, lost for the third time",
	    { .state = DEPLOY_ROLLING_BACK,
		.attempts = 3,
		.previous = "9f8e7d6",
		.target_changed = true },
	    { RAN, .lost = true }, DEPLOY_ON_SCRIPT_FAILED, DEPLOY_WHY_NONE, true,
	    "it was killed; all that it had started" },
	{ "going back, exit 65", { ROLLING_BACK_TO }, { RAN, .exit_status = 65 },
	    DEPLOY_ON_SCRIPT_FAILED, DEPLOY_WHY_NONE, true, "exit 65" },
	{ "going back, refused by the runner", { ROLLING_BACK_TO },
	    { .refused = true, .detail = "fork: try again" }, DEPLOY_ON_SCRIPT_FAILED,
	    DEPLOY_WHY_NONE, true, "could not be started: fork: try again" },
	{ "going back, could not be executed", { ROLLING_BACK_TO },
	    { RAN, .exec_errno = 2, .exit_status = 127, .detail = "No such file" },
	    DEPLOY_ON_SCRIPT_FAILED, DEPLOY_WHY_NONE, true, "could not be started: No such file" },
	{ "going back after a cancel, refused by the runner",
	    { .state = DEPLOY_ROLLING_BACK,
		.attempts = 1,
		.previous = "9f8e7d6",
		.target_changed = true,
		.why = DEPLOY_WHY_CANCELLED },
	    { .refused = true, .detail = "no space left" }, DEPLOY_ON_SCRIPT_FAILED,
	    DEPLOY_WHY_NONE, true, "could not be started: no space left" },
	{ "going back, timed out", { ROLLING_BACK_TO },
	    { RAN, .timed_out = true, .exit_status = -1, .signal_number = 9,
		.duration_ms = 900000 },
	    DEPLOY_ON_SCRIPT_FAILED, DEPLOY_WHY_NONE, true,
	    "killed by signal 9 at its deadline, after 15 min" },
};

TEST(each_exit_record_means_one_thing)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct row *row = &rows[i];
		struct run_verdict verdict = run_verdict(&row->before, &row->ended, ATTEMPTS);

		if (verdict.event != row->event)
			fail_msg("%s: %s", row->what, deploy_flow_event_name(verdict.event));
		if (verdict.why != row->why)
			fail_msg("%s: why is \"%s\"", row->what, deploy_flow_why_word(verdict.why));
		if (verdict.target_changed != row->target_changed)
			fail_msg("%s: is_touched is %d", row->what, verdict.target_changed);
		if (row->detail != NULL &&
		    (row->detail[0] == '\0' ? verdict.detail[0] != '\0' :
					      strstr(verdict.detail, row->detail) == NULL))
			fail_msg("%s: detail is \"%s\"", row->what, verdict.detail);
	}
}

/* Whatever the record: the event has a rule in the state that it comes in. */
TEST(no_exit_record_is_left_without_a_rule)
{
	static const enum deploy_state states[] = { DEPLOY_RUNNING, DEPLOY_STOPPING,
		DEPLOY_ROLLING_BACK };

	for (unsigned bits = 0; bits < 8192 * PROGRAM_COUNT; bits++) {
		for (size_t s = 0; s < COUNT(states); s++) {
			struct deployment before = {
				.state = states[s],
				.program = (enum program)(bits / 8192),
				.attempts = bits & 2 ? 3 : 1,
				.target_changed = (bits & 4) != 0,
			};
			struct run_ended ended = {
				.folder_gone = (bits & 1) != 0,
				.gate_opened = (bits & 8) != 0,
				.released = (bits & 16) != 0,
				.lost = (bits & 32) != 0,
				.timed_out = (bits & 64) != 0,
				.ended_on_request = (bits & 128) != 0,
				.refused = (bits & 256) != 0,
				.exec_errno = bits & 512 ? 2 : 0,
				.exit_status = bits & 1024 ? 1 : 0,
				.no_rollback = (bits & 2048) != 0,
				.migration = (bits & 4096) != 0,
			};
			struct deploy_acts acts;

			if (before.program != PROGRAM_DEPLOY && states[s] == DEPLOY_ROLLING_BACK)
				continue; /* it never goes back: test_deploy_flow */
			for (int p = 0; p < 4; p++) {
				before.previous[0] = p & 1 ? 'a' : '\0';
				before.urls[0] = p & 2 ? 'h' : '\0';
				(void)deploy_flow_step(before.program, before.state,
				    run_verdict(&before, &ended, ATTEMPTS).event, &acts);
				assert_int_not_equal(acts.n, 0);
			}
		}
	}
}
