/* Goal: the first forty characters of each message have its outcome and its environment.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "chat_aid.h"

#include "chat/chat_deployment_inside.h"
#include "chat/chat_text.h"
#include "lib/text.h"
#include "lib/zone.h"
#include "unit.h"

/* What a phone shows of a notification. */
TEST(the_first_forty_characters_tell_outcome_and_environment)
{
	static const char *const outcome[DEPLOY_STATE_COUNT] = {
		[DEPLOY_REQUESTED] = "asking git",
		[DEPLOY_AWAITING_CONFIRMATION] = "Deploy to",
		[DEPLOY_AWAITING_APPROVAL] = "Awaiting approval",
		[DEPLOY_QUEUED] = "Queued",
		[DEPLOY_RUNNING] = "Deploying",
		[DEPLOY_STOPPING] = "Stopping",
		[DEPLOY_VERIFYING] = "Deploying",
		[DEPLOY_BAKING] = "Baking",
		[DEPLOY_PAUSED] = "Paused",
		[DEPLOY_ROLLING_BACK] = "Failed",
		[DEPLOY_VERIFYING_ROLLBACK] = "Rolling back",
		[DEPLOY_LIVE] = "Live",
		[DEPLOY_FAILED] = "Failed",
		[DEPLOY_ROLLED_BACK] = "Rolled back",
		[DEPLOY_ROLLBACK_FAILED] = "DOWN",
		[DEPLOY_DONE] = "Done",
		[DEPLOY_REFUSED] = "Not deployed",
		[DEPLOY_CANCELLED] = "Cancelled",
		[DEPLOY_EXPIRED] = "Not confirmed",
		[DEPLOY_SUPERSEDED] = "Skipped",
	};

	for (int s = 0; s < DEPLOY_STATE_COUNT; s++) {
		struct deployment deployment = chat_sample((enum deploy_state)s);
		struct chat_deployment what = chat_about(&deployment);
		char head[41];

		(void)snprintf(head, sizeof(head), "%s", chat_plain(&what));
		if (outcome[s] == NULL || strstr(head, outcome[s]) == NULL ||
		    strstr(head, "staging") == NULL)
			fail_msg("%s: %s", deploy_flow_word(deployment.state), head);
	}
}

/* A name of 20 letters, the longest that the 40 have room for. */
#define NAME "storefront/stagings1"
#define GATE NAME " 1a2b3c4, run 4711 \"Make it blue\""

static const struct golden {
	enum deploy_state state;
	enum deploy_why why;
	const char *first; /* up to its end */
	const char *step, *migration, *detail, *down_on, *looked;
	enum program program;
	bool changed, barred, is_awaited, is_forward, is_live, is_killed;
	bool is_unprobed, is_first, was_down;
	bool is_over, is_left; /* LIVE: as it is said later */
	bool is_gate, is_loan, is_stopped, is_to_hosts;
	int64_t lacking; /* of 10 hosts */
	enum chat_loan loan;
	enum { LOOKED_AT, NOT_STARTED, UNKNOWN } how;
	enum run_end run_end;
} golden[] = {
	{ DEPLOY_LIVE, 0, "✅ Live: " NAME " \"Make it blue\" 1a2b3c4", .step = NULL },
	{ DEPLOY_LIVE, 0, "Live: " NAME ", not checked \"Make it blue\" 1a2b3c4",
	    .is_unprobed = true },
	{ DEPLOY_LIVE, 0, "🟡 Live: " NAME " on 9 of 10 hosts \"Make it blue\" 1a2b3c4",
	    .lacking = 1 },
	{ DEPLOY_LIVE, 0,
	    "✅ Live: " NAME " on 2 more hosts, 10 of 10 run it \"Make it blue\" 1a2b3c4",
	    .is_to_hosts = true },
	{ DEPLOY_LIVE, 0,
	    "Live: " NAME " on 2 more hosts, 10 of 10 run it \"Make it blue\" 1a2b3c4",
	    .is_to_hosts = true, .is_unprobed = true },
	{ DEPLOY_LIVE, 0,
	    "🟡 Live: " NAME " on 2 more hosts, 7 of 10 run it \"Make it blue\" 1a2b3c4",
	    .is_to_hosts = true, .lacking = 3 },
	{ DEPLOY_ROLLED_BACK, DEPLOY_WHY_SCRIPT,
	    "❌ Hosts failed: " NAME ", 8 of 10 run 1a2b3c4: \"Make it blue\" (script failed)",
	    .is_to_hosts = true, .lacking = 2 },
	{ DEPLOY_ROLLED_BACK, DEPLOY_WHY_CANCELLED,
	    "⛔ Hosts stopped: " NAME ", 8 of 10 run 1a2b3c4: \"Make it blue\" (cancelled by @ada)",
	    .is_to_hosts = true, .lacking = 2, .detail = "by @ada" },
	{ DEPLOY_ROLLBACK_FAILED, DEPLOY_WHY_SCRIPT,
	    "🔥 May be DOWN: " NAME ", some hosts: \"Make it blue\"", .is_to_hosts = true,
	    .lacking = 2 },
	{ DEPLOY_FAILED, DEPLOY_WHY_SCRIPT, "🔥 May be DOWN: " NAME ", some hosts: \"Make it blue\"",
	    .is_to_hosts = true, .lacking = 2, .changed = true },
	{ DEPLOY_LIVE, 0, "↩️ Rolled back: " NAME " to \"Make it blue\" 1a2b3c4",
	    .program = PROGRAM_ROLLBACK },
	{ DEPLOY_LIVE, 0, "↩️ Rolled back: " NAME " (not checked) to \"Make it blue\" 1a2b3c4",
	    .program = PROGRAM_ROLLBACK, .is_unprobed = true },
	{ DEPLOY_LIVE, 0, "✅ Rolled forward: " NAME " to \"Make it blue\" 1a2b3c4",
	    .program = PROGRAM_ROLLBACK, .is_forward = true },
	{ DEPLOY_FAILED, DEPLOY_WHY_SCRIPT,
	    "❌ Preflight failed: " NAME ", nothing was changed: \"Make it blue\"",
	    .step = "preflight 5 checks", .run_end = RUN_FAILED },
	{ DEPLOY_FAILED, DEPLOY_WHY_SCRIPT,
	    "❌ Build failed: " NAME ", nothing was changed: \"Make it blue\"", .step = "build",
	    .run_end = RUN_FAILED },
	{ DEPLOY_FAILED, DEPLOY_WHY_SCRIPT,
	    "❌ Fetch failed: " NAME ", nothing was changed: \"Make it blue\"", .step = "git",
	    .run_end = RUN_FAILED },
	{ DEPLOY_FAILED, DEPLOY_WHY_SCRIPT,
	    "❌ Image not pushed: " NAME ", nothing was changed: \"Make it blue\"", .step = "push",
	    .run_end = RUN_FAILED },
	{ DEPLOY_FAILED, DEPLOY_WHY_SCRIPT,
	    "❌ No usable image: " NAME ", nothing was changed: \"Make it blue\"", .step = "image",
	    .run_end = RUN_FAILED },
	{ DEPLOY_FAILED, DEPLOY_WHY_SCRIPT,
	    "❌ Image not pulled: " NAME ", nothing was changed: \"Make it blue\"", .step = "pull",
	    .run_end = RUN_FAILED },
	{ DEPLOY_FAILED, DEPLOY_WHY_SCRIPT,
	    "❌ Hook failed: " NAME ", nothing was changed: \"Make it blue\"",
	    .step = "hook pre-deploy", .run_end = RUN_FAILED },
	{ DEPLOY_FAILED, DEPLOY_WHY_SCRIPT,
	    "❌ Did not start: " NAME ", nothing was changed: \"Make it blue\"", .step = "start",
	    .run_end = RUN_FAILED },
	{ DEPLOY_FAILED, DEPLOY_WHY_SCRIPT,
	    "❌ Did not start: " NAME ", what it left is not known: \"Make it blue\"",
	    .step = "start", .is_killed = true, .run_end = RUN_FAILED },
	{ DEPLOY_FAILED, DEPLOY_WHY_SCRIPT,
	    "❌ Build failed: " NAME ", nothing was changed: \"Make it blue\"", .step = "build",
	    .is_killed = true, .run_end = RUN_FAILED },
	{ DEPLOY_FAILED, DEPLOY_WHY_CANCELLED,
	    "⛔ Stopped: " NAME
	    ", what it left is not known: \"Make it blue\" in start by @ada, then killed by signal 9",
	    .step = "start", .is_killed = true, .detail = "by @ada, then killed by signal 9",
	    .run_end = RUN_FAILED },
	{ DEPLOY_REFUSED, DEPLOY_WHY_REFUSED,
	    "⛔ Runs already: " NAME " \"Make it blue\" 1a2b3c4, so it is not deployed again",
	    .is_live = true },
	{ DEPLOY_FAILED, DEPLOY_WHY_LEFT, "🟡 Left as it is: " NAME " \"Make it blue\"",
	    .changed = true },
	{ DEPLOY_FAILED, DEPLOY_WHY_INTERRUPTED,
	    "❌ Failed: " NAME ", nothing was changed: \"Make it blue\"", .step = "builder",
	    .run_end = RUN_FAILED },
	{ DEPLOY_FAILED, DEPLOY_WHY_SCRIPT, "🔥 May be DOWN: " NAME " \"Make it blue\"",
	    .step = "start h1", .changed = true, .run_end = RUN_FAILED },
	{ DEPLOY_FAILED, DEPLOY_WHY_CANCELLED, "🔥 May be DOWN: " NAME " \"Make it blue\"",
	    .step = "start h1", .detail = "by @ada", .changed = true, .run_end = RUN_FAILED },
	{ DEPLOY_FAILED, DEPLOY_WHY_SCRIPT,
	    "❌ Rollback failed: " NAME ", nothing was changed: \"Make it blue\"",
	    .program = PROGRAM_ROLLBACK, .step = "preflight", .run_end = RUN_FAILED },
	{ DEPLOY_FAILED, DEPLOY_WHY_SCRIPT,
	    "🔥 Rollback failed: " NAME ", may be DOWN: \"Make it blue\"",
	    .program = PROGRAM_ROLLBACK, .changed = true },
	{ DEPLOY_FAILED, DEPLOY_WHY_UNHEALTHY,
	    "🔥 DOWN: " NAME ", rollback failed: \"Make it blue\" (HTTP 500)",
	    .program = PROGRAM_ROLLBACK, .detail = "HTTP 500", .changed = true },
	{ DEPLOY_FAILED, DEPLOY_WHY_UNHEALTHY,
	    "🔥 DOWN: " NAME ", nothing to roll back to: \"Make it blue\" (HTTP 500)",
	    .detail = "HTTP 500", .changed = true, .is_first = true },
	{ DEPLOY_FAILED, DEPLOY_WHY_UNHEALTHY,
	    "🔥 DOWN: " NAME ", not rolled back: \"Make it blue\" (HTTP 500)", .detail = "HTTP 500",
	    .changed = true },
	{ DEPLOY_FAILED, DEPLOY_WHY_SCRIPT,
	    "🔥 May be DOWN: " NAME ", not rolled back: \"Make it blue\"", .changed = true,
	    .barred = true },
	{ DEPLOY_FAILED, DEPLOY_WHY_UNHEALTHY,
	    "🔥 DOWN: " NAME ", not rolled back: \"Make it blue\" (HTTP 500)", .detail = "HTTP 500",
	    .changed = true, .barred = true },
	{ DEPLOY_FAILED, DEPLOY_WHY_SCRIPT,
	    "🔥 Failed: " NAME ", still may be DOWN: \"Make it blue\"", .step = "preflight 5 checks",
	    .was_down = true, .run_end = RUN_FAILED },
	{ DEPLOY_FAILED, DEPLOY_WHY_SCRIPT,
	    "🔥 Rollback failed: " NAME ", still may be DOWN: \"Make it blue\"",
	    .program = PROGRAM_ROLLBACK, .step = "preflight", .was_down = true,
	    .run_end = RUN_FAILED },
	{ DEPLOY_FAILED, DEPLOY_WHY_SCRIPT,
	    "❌ Migration failed: " NAME ", old one serves: \"Make it blue\"",
	    .migration = "migrate-failed 3", .run_end = RUN_FAILED },
	{ DEPLOY_FAILED, DEPLOY_WHY_CANCELLED, "❌ Migration killed: " NAME " \"Make it blue\"",
	    .migration = "migrate-stopped", .detail = "by @ada", .run_end = RUN_FAILED },
	{ DEPLOY_FAILED, DEPLOY_WHY_CANCELLED,
	    "⛔ Stopped: " NAME ", nothing was changed: \"Make it blue\" in build by @ada",
	    .step = "build", .detail = "by @ada", .run_end = RUN_FAILED },
	{ DEPLOY_FAILED, DEPLOY_WHY_CANCELLED, "⛔ Stopped: " NAME " \"Make it blue\" by @ada",
	    .program = PROGRAM_ACTION, .detail = "by @ada" },
	{ DEPLOY_FAILED, DEPLOY_WHY_INTERRUPTED, "❌ Result unknown: " NAME " \"Make it blue\"",
	    .program = PROGRAM_ACTION },
	{ DEPLOY_FAILED, DEPLOY_WHY_SCRIPT, "❌ Failed: " NAME " \"Make it blue\"",
	    .program = PROGRAM_ACTION },
	{ DEPLOY_ROLLED_BACK, DEPLOY_WHY_UNHEALTHY,
	    "❌ Rolled back: " NAME " from \"Make it blue\" (HTTP 500)", .detail = "HTTP 500",
	    .changed = true },
	{ DEPLOY_ROLLED_BACK, DEPLOY_WHY_TIMED_OUT,
	    "❌ Rolled back: " NAME " from \"Make it blue\" (timed out)", .changed = true },
	{ DEPLOY_ROLLED_BACK, DEPLOY_WHY_CANCELLED,
	    "⛔ Rolled back: " NAME " from \"Make it blue\" (cancelled by @ada)",
	    .detail = "by @ada", .changed = true },
	{ DEPLOY_ROLLBACK_FAILED, DEPLOY_WHY_UNHEALTHY,
	    "🔥 DOWN: " NAME ", rollback failed: \"Make it blue\"", .changed = true,
	    .run_end = RUN_SUCCEEDED },
	{ DEPLOY_ROLLBACK_FAILED, DEPLOY_WHY_UNHEALTHY,
	    "🔥 DOWN: " NAME ", rollback failed: on h1 (1 of 2 hosts), \"Make it blue\"",
	    .changed = true, .run_end = RUN_SUCCEEDED, .down_on = "h1 (1 of 2 hosts)" },
	{ DEPLOY_ROLLBACK_FAILED, DEPLOY_WHY_UNHEALTHY,
	    "🔥 Rollback failed: " NAME ", may be DOWN: \"Make it blue\"", .changed = true,
	    .run_end = RUN_FAILED },
	{ DEPLOY_ROLLBACK_FAILED, DEPLOY_WHY_UNHEALTHY,
	    "🔥 Rollback failed: " NAME ", may be DOWN: \"Make it blue\"", .changed = true,
	    .how = NOT_STARTED },
	{ DEPLOY_ROLLBACK_FAILED, DEPLOY_WHY_UNHEALTHY,
	    "🔥 Rollback failed: " NAME ", may be DOWN: \"Make it blue\"", .changed = true,
	    .how = UNKNOWN },
	{ DEPLOY_ROLLBACK_FAILED, DEPLOY_WHY_SCRIPT,
	    "🔥 DOWN: " NAME ", rollback failed: \"Make it blue\"", .changed = true,
	    .run_end = RUN_FAILED, .looked = "answers unhealthy: HTTP 500" },
	{ DEPLOY_ROLLBACK_FAILED, DEPLOY_WHY_SCRIPT,
	    "🔥 Rollback failed: " NAME ", may be DOWN: \"Make it blue\"", .changed = true,
	    .run_end = RUN_FAILED, .looked = "" },
	{ DEPLOY_FAILED, DEPLOY_WHY_SCRIPT,
	    "🔥 DOWN: " NAME ", nothing to roll back to: \"Make it blue\" (exit 1)",
	    .detail = "exit 1", .changed = true, .is_first = true, .run_end = RUN_FAILED,
	    .looked = "does not answer: connection refused" },
	{ DEPLOY_DONE, 0, "✅ Done: " NAME " \"Make it blue\"", .program = PROGRAM_ACTION },
	{ DEPLOY_REFUSED, DEPLOY_WHY_REFUSED, "⛔ Not deployed: " NAME " \"Make it blue\" 1a2b3c4",
	    .step = NULL },
	{ DEPLOY_REFUSED, DEPLOY_WHY_REFUSED,
	    "⛔ Not rolled back: " NAME " \"Make it blue\" 1a2b3c4", .program = PROGRAM_ROLLBACK },
	{ DEPLOY_REFUSED, DEPLOY_WHY_REFUSED, "⛔ Not done: " NAME " \"Make it blue\" 1a2b3c4",
	    .program = PROGRAM_ACTION },
	{ DEPLOY_REFUSED, DEPLOY_WHY_CI, "⛔ CI not passed: " NAME " \"Make it blue\" 1a2b3c4",
	    .step = NULL },
	{ DEPLOY_FAILED, DEPLOY_WHY_CANCELLED, "⛔ Gate closed: " GATE ", by @ada",
	    .program = PROGRAM_ACTION, .is_gate = true, .detail = "by @ada" },
	{ DEPLOY_FAILED, DEPLOY_WHY_ELSEWHERE, "⛔ Run may go on: " GATE ", by @ada",
	    .program = PROGRAM_ACTION, .is_gate = true, .detail = "by @ada" },
	{ DEPLOY_CANCELLED, DEPLOY_WHY_ELSEWHERE, "❌ Gate bypassed: " GATE,
	    .program = PROGRAM_ACTION, .is_gate = true },
	{ DEPLOY_FAILED, DEPLOY_WHY_SCRIPT, "❌ Gate ended badly: " GATE, .program = PROGRAM_ACTION,
	    .is_gate = true },
	{ DEPLOY_DONE, 0, "✅ Done anyway: " NAME " \"Make it blue\"", .program = PROGRAM_ACTION,
	    .is_stopped = true },
	{ DEPLOY_DONE, 0, "✅ Lent: " NAME " secret for \"Make it blue\"", .program = PROGRAM_ACTION,
	    .is_loan = true },
	{ DEPLOY_DONE, 0, "⏳ Revoking: " NAME " secret for \"Make it blue\"",
	    .program = PROGRAM_ACTION, .is_loan = true, .loan = CHAT_LOAN_REVOKING },
	{ DEPLOY_DONE, 0, "↩️ Revoked: " NAME " secret for \"Make it blue\"",
	    .program = PROGRAM_ACTION, .is_loan = true, .loan = CHAT_LOAN_REVOKED },
	{ DEPLOY_DONE, 0, "✅ Was lent: " NAME " secret for \"Make it blue\"",
	    .program = PROGRAM_ACTION, .is_loan = true, .loan = CHAT_LOAN_ENDED },
	{ DEPLOY_DONE, 0, "❌ Was lent: " NAME " secret for \"Make it blue\"",
	    .program = PROGRAM_ACTION, .is_loan = true, .loan = CHAT_LOAN_ENDED_BADLY },
	{ DEPLOY_FAILED, DEPLOY_WHY_SCRIPT, "⛔ Not lent: " NAME " secret for \"Make it blue\"",
	    .program = PROGRAM_ACTION, .is_loan = true },
	{ DEPLOY_DONE, 0, "✅ Gate done: " GATE, .program = PROGRAM_ACTION, .is_gate = true },
	{ DEPLOY_REFUSED, DEPLOY_WHY_REFUSED, "⛔ Gate refused: " GATE, .program = PROGRAM_ACTION,
	    .is_gate = true },
	{ DEPLOY_REFUSED, DEPLOY_WHY_REJECTED, "⛔ Gate rejected: " GATE, .program = PROGRAM_ACTION,
	    .is_gate = true, .detail = "rejected by @bob" },
	{ DEPLOY_CANCELLED, DEPLOY_WHY_CANCELLED, "⛔ Gate cancelled: " GATE " by @bob",
	    .program = PROGRAM_ACTION, .is_gate = true, .detail = "by @bob" },
	{ DEPLOY_EXPIRED, 0, "⛔ Gate expired: " GATE, .program = PROGRAM_ACTION, .is_gate = true,
	    .is_awaited = true },
	{ DEPLOY_REFUSED, DEPLOY_WHY_REJECTED, "⛔ Rejected: " NAME " \"Make it blue\" 1a2b3c4",
	    .detail = "rejected by @bob" },
	{ DEPLOY_CANCELLED, DEPLOY_WHY_CANCELLED, "⛔ Cancelled: " NAME " \"Make it blue\"",
	    .step = NULL },
	{ DEPLOY_CANCELLED, DEPLOY_WHY_CANCELLED, "⛔ Cancelled: " NAME " \"Make it blue\" by @bob",
	    .detail = "by @bob" },
	{ DEPLOY_EXPIRED, 0, "⛔ Not confirmed: " NAME " \"Make it blue\"", .step = NULL },
	{ DEPLOY_EXPIRED, 0, "⛔ Approval expired: " NAME " \"Make it blue\"", .is_awaited = true },
	{ DEPLOY_LIVE, 0, "✅ Was live: " NAME " \"Make it blue\" 1a2b3c4", .is_over = true },
	{ DEPLOY_LIVE, 0, "↩️ Was rolled back: " NAME " \"Make it blue\" 1a2b3c4",
	    .is_over = true, .is_left = true },
	{ DEPLOY_SUPERSEDED, 0, "⛔ Skipped: " NAME ", already live", .detail = "already live" },
	{ DEPLOY_SUPERSEDED, DEPLOY_WHY_ELSEWHERE, "⛔ Closed: " NAME ", started by @ada",
	    .detail = "started by @ada" },
	{ DEPLOY_SUPERSEDED, DEPLOY_WHY_ELSEWHERE,
	    "⛔ Closed: " NAME ", waits for the end of the freeze",
	    .detail = "waits for the end of the freeze" },
	{ DEPLOY_SUPERSEDED, DEPLOY_WHY_ELSEWHERE,
	    "⛔ Closed: " NAME ", awaits approval already, as #1",
	    .detail = "awaits approval already, as #1" },
	{ DEPLOY_SUPERSEDED, DEPLOY_WHY_ELSEWHERE,
	    "⛔ Closed: " NAME ", the newest is asked for, by @ada",
	    .detail = "the newest is asked for, by @ada" },
	{ DEPLOY_SUPERSEDED, 0, "⛔ Skipped: " NAME ", replaced by a newer commit", .step = NULL },
};

/* The text's first line; and its name ends within 40 letters, as Telegram counts them. */
static void
begins(const char *text, const char *first)
{
	const char *name = strstr(text, NAME);
	size_t size = strcspn(text, "\n");

	if (size != strlen(first) || memcmp(text, first, size) != 0)
		fail_msg("\"%s\" is not the first line of:\n%s", first, text);
	assert_non_null(name);
	assert_true(text_utf16_length(text, (size_t)(name - text) + strlen(NAME)) <= 40);
}

/* Goal: whoever sees the button alone knows what it does, and to what; of a long name its end. */
TEST(a_button_says_what_it_does_to_what)
{
	static const char most[] = "a-shop-of-20-letters/its-env-of-20-letter";
	struct deployment work = chat_sample(DEPLOY_AWAITING_CONFIRMATION);
	char label[LIMIT_BUTTON];

	(void)text_copy(work.environment, sizeof(work.environment), "shop/production");
	assert_string_equal(chat_deployment_yes(&work, label), "🚀 Deploy to shop/production");
	work.is_again = true;
	assert_string_equal(chat_deployment_yes(&work, label), "🔁 Deploy again to shop/production");
	work.wait.is_behind = true;
	assert_string_equal(
	    chat_deployment_yes(&work, label), "↩️ Go back to 1a2b3c4 in shop/production");
	work.program = PROGRAM_ROLLBACK;
	assert_string_equal(chat_deployment_yes(&work, label), "↩️ Roll back shop/production");
	work.is_forward = true;
	assert_string_equal(
	    chat_deployment_yes(&work, label), "↪️ Roll forward shop/production");
	(void)text_copy(work.environment, sizeof(work.environment), most);
	assert_int_equal(strlen(most), 41);
	assert_string_equal(chat_deployment_yes(&work, label),
	    "↪️ Roll forward a-shop-of-20-letters/its-env-of-20-letter");
	work.program = PROGRAM_DEPLOY;
	assert_string_equal(chat_deployment_yes(&work, label),
	    "↩️ Go back to 1a2b3c4 in …20-letters/its-env-of-20-letter");
	assert_true(strlen(label) < LIMIT_BUTTON);
}

/* Of 10 hosts of its environment two are its own; so many do not run its commit, which is live. */
static void
is_to_hosts(struct deployment *deployment, struct chat_deployment *what, struct chat_waves *waves,
    struct promotion *promotion, int64_t lacking)
{
	(void)text_copy(promotion->from, sizeof(promotion->from), deployment->environment);
	what->promotion = promotion;
	(void)text_copy(deployment->previous, LIMIT_COMMIT, deployment->commit);
	waves->hosts.all = waves->hosts.current = 2;
	waves->planned.n = 1;
	waves->planned.of[0] = 2;
	waves->runs.n = 2;
	waves->runs.of[0].n = 10 - lacking;
	(void)text_copy(waves->runs.of[0].release, LIMIT_COMMIT, deployment->commit);
	waves->runs.of[1].n = lacking;
	what->waves = waves;
}

/* What a row's message says of an environment of that name, until the next call. */
static const char *
says(const struct golden *row, const char *name, struct zone *zone, enum chat_first *first)
{
	struct deployment deployment = chat_sample(row->state);
	struct chat_deployment what = chat_about(&deployment);
	struct environment environment = chat_there;
	struct step step = { .at = NOW - 1000 };
	struct barrier barrier = { .reason = "drops column price" };
	struct chat_approvals approvals = { .needed = 2, .n = 1, .changes = "" };
	struct chat_history since = { .until = NOW, .is_left = row->is_left, .loan = row->loan };
	struct chat_waves waves = { .hosts = { .all = 10, .current = 10 - row->lacking } };
	struct promotion promotion = { .since = NOW };

	(void)text_copy(deployment.environment, sizeof(deployment.environment), name);
	(void)text_copy(
	    deployment.detail, sizeof(deployment.detail), row->detail != NULL ? row->detail : "");
	(void)text_copy(deployment.look.down_on, sizeof(deployment.look.down_on),
	    row->down_on != NULL ? row->down_on : "");
	(void)text_copy(deployment.look.said, sizeof(deployment.look.said),
	    row->looked != NULL ? row->looked : "");
	deployment.look.at = row->looked != NULL ? NOW : 0;
	(void)text_copy(deployment.migration, sizeof(deployment.migration),
	    row->migration != NULL ? row->migration : "");
	(void)text_copy(step.name, sizeof(step.name), row->step != NULL ? row->step : "");
	deployment.why = row->why;
	deployment.cancelled_by = row->is_stopped ? 11 : 0;
	deployment.program = row->program;
	if (row->is_gate)
		(void)text_copy(deployment.action, sizeof(deployment.action), "open-gate");
	if (row->is_loan)
		(void)text_copy(deployment.action, sizeof(deployment.action), "lend-secret");
	what.run = row->is_gate ? "run 4711" : NULL;
	deployment.target_changed = row->changed;
	deployment.is_forward = row->is_forward;
	deployment.ended_at = NOW;
	if (row->is_unprobed)
		deployment.urls[0] = '\0';
	if (row->is_first)
		deployment.previous[0] = '\0';
	environment.unknown_since = row->how == UNKNOWN ? NOW : 0;
	environment.is_down = row->was_down;
	if (row->lacking > 0)
		what.waves = &waves;
	if (row->is_to_hosts)
		is_to_hosts(&deployment, &what, &waves, &promotion, row->lacking);
	what.environment = &environment;
	what.clock.zone = zone;
	what.steps = &step;
	what.n_steps = row->step != NULL;
	what.run_end = row->run_end;
	what.newest.is_killed = row->is_killed;
	what.rollback_not_started = row->how == NOT_STARTED;
	what.barriers = &barrier;
	what.n_barriers = row->barred;
	if (row->is_over || row->is_loan)
		what.since = &since;
	if (row->is_awaited)
		what.approvals = &approvals;
	if (row->is_live)
		(void)text_copy(environment.current.commit, LIMIT_COMMIT, deployment.commit);
	*first = chat_first_of(&what);
	return chat_plain(&what);
}

/* Goal: who reads nothing else knows how it ended, and where; of each end and each way to it. */
TEST(each_end_begins_with_its_outcome_and_environment)
{
	bool said[CHAT_FIRST_COUNT] = { false };
	struct zone *zone = zone_new("UTC", NULL);

	assert_non_null(zone);
	assert_int_equal(strlen(NAME), 20);
	for (size_t i = 0; i < COUNT(golden); i++) {
		enum chat_first first;

		const char *text = says(&golden[i], NAME, zone, &first);

		begins(text, golden[i].first);
		/* Who asked is said once; who stopped it is another fact. */
		if (golden[i].why == 0 && strstr(text, "requested by @ada") != NULL)
			assert_null(strstr(golden[i].first, " by @ada"));
		said[first] = true;
	}
	for (int f = 0; f < CHAT_FIRST_COUNT; f++) {
		const struct chat_first_row *row = &chat_first_rows[f];

		if (row->state != DEPLOY_STATE_COUNT &&
		    deploy_flow_class(row->state) == DEPLOY_CLASS_FINAL && !said[f])
			fail_msg(
			    "no end begins with \"%s\": a row of golden[] is missing", row->before);
	}
	zone_free(zone);
}

/* The first `letters` of what stands in front of the subject. */
static const char *
locked(const char *text, size_t letters, char ret[160])
{
	const char *end = strstr(text, "\"Make it blue\"");
	size_t size = end != NULL ? (size_t)(end - text) : strcspn(text, "\n"), at = 0;

	for (; at < size && letters > 0; letters--)
		do
			at++;
		while (((unsigned char)text[at] & 0xc0) == 0x80);
	assert_true(at < 160);
	memcpy(ret, text, at);
	ret[at] = '\0';
	return ret;
}

/* "May be DOWN: shop/production, rollback" was read as a rollback in progress, and what may be DOWN
 * looked like what changed nothing. */
TEST(what_tells_two_ends_apart_stands_within_forty_letters)
{
	static const char *const names[] = { "shop/production", "shop/staging" };
	struct zone *zone = zone_new("UTC", NULL);
	enum chat_first first;

	for (size_t i = 0; i < COUNT(names) * COUNT(golden); i++) {
		const char *name = names[i / COUNT(golden)], *failed;
		char text[160], cut[160], other[160], other_cut[160];
		const char *said = says(&golden[i % COUNT(golden)], name, zone, &first);

		if (golden[i % COUNT(golden)].down_on != NULL)
			continue;
		(void)locked(said, 159, text);
		(void)locked(said, 40, cut);
		failed = strstr(text, "ailed");
		if ((failed != NULL && strstr(cut, "ailed") == NULL) ||
		    (strstr(text, " DOWN") != NULL && strstr(cut, " DOWN") == NULL &&
			!text_starts(cut, "🔥 ")))
			fail_msg("\"%s\" is cut to \"%s\"", text, cut);
		for (size_t k = 0; k < COUNT(golden); k++) {
			said = says(&golden[k], name, zone, &first);
			if (golden[k].down_on == NULL && /* of the hosts no more than that */
			    strcmp(locked(said, 159, other), text) != 0 &&
			    strcmp(locked(said, 40, other_cut), cut) == 0)
				fail_msg(
				    "\"%s\" and \"%s\" are both cut to \"%s\"", text, other, cut);
		}
	}
	zone_free(zone);
}

/* Goal: the same of what has not ended, of names of 18 letters; and each row is of a message. */
#define SHORTER "storefront/staging"

TEST(each_cell_of_the_table_is_said_within_forty_characters)
{
	static const struct {
		const char *changed;
		int64_t confirmed_by, answered_at;
		enum deploy_why why;
		bool is_forward, is_again, is_emergency, is_gate, is_pipeline, is_loan,
		    waits_for_ci, waits_for_vault, is_to_hosts;
	} ways[] = {
		{ .changed = "", .is_gate = true },
		{ .changed = "", .is_pipeline = true },
		{ .changed = "", .is_loan = true },
		{ .changed = "", .is_loan = true, .waits_for_vault = true },
		{ .changed = "", .waits_for_ci = true },
		{ .changed = "" },
		{ .changed = "", .is_forward = true },
		{ .changed = "", .is_again = true },
		{ .changed = "", .is_to_hosts = true },
		{ .changed = "", .is_to_hosts = true, .why = DEPLOY_WHY_SCRIPT },
		{ .changed = "", .is_emergency = true },
		{ .changed = "", .confirmed_by = 11 },
		{ .changed = "the settings changed" },
		{ .changed = "the settings changed", .answered_at = NOW },
		{ .changed = "", .why = DEPLOY_WHY_CANCELLED },
		{ .changed = "", .why = DEPLOY_WHY_UNHEALTHY },
		{ .changed = "", .why = DEPLOY_WHY_SCRIPT },
	};
	bool said[CHAT_FIRST_COUNT] = { false };

	for (int f = 0; f < CHAT_FIRST_COUNT; f++)
		for (size_t i = 0; i < 3 * COUNT(ways); i++) {
			const struct chat_first_row *row = &chat_first_rows[f];
			enum program program = (enum program)(i / COUNT(ways));
			struct chat_deployment what;
			struct deployment work;
			struct chat_waves waves = { .n_bad = 0 };
			struct promotion promotion = { .since = NOW };
			const char *text, *name;
			size_t way = i % COUNT(ways);

			if (row->state == DEPLOY_STATE_COUNT ||
			    deploy_flow_class(row->state) == DEPLOY_CLASS_FINAL ||
			    (row->programs & DEPLOY_OF(program)) == 0 ||
			    (ways[way].is_forward && program != PROGRAM_ROLLBACK))
				continue;
			work = chat_sample(row->state);
			work.program = program;
			work.confirmed_by = ways[way].confirmed_by;
			work.answered_at = ways[way].answered_at;
			work.why = ways[way].why;
			work.is_forward = ways[way].is_forward;
			work.is_again = ways[way].is_again;
			(void)text_copy(work.exempt.emergency, sizeof(work.exempt.emergency),
			    ways[way].is_emergency ? "the shop is down" : "");
			(void)text_copy(work.changed, sizeof(work.changed), ways[way].changed);
			if (ways[way].is_gate)
				(void)text_copy(work.action, sizeof(work.action), "open-gate");
			if (ways[way].is_pipeline)
				(void)text_copy(work.action, sizeof(work.action), "run-pipeline");
			if (ways[way].is_loan)
				(void)text_copy(work.action, sizeof(work.action), "lend-secret");
			(void)text_copy(work.detail, sizeof(work.detail),
			    ways[way].waits_for_vault ? "503: Vault is sealed" : "");
			if (ways[way].waits_for_ci)
				(void)text_copy(work.waits_for, sizeof(work.waits_for), "ci");
			(void)text_copy(work.environment, sizeof(work.environment), SHORTER);
			what = chat_about(&work);
			if (ways[way].is_to_hosts)
				is_to_hosts(&work, &what, &waves, &promotion, 2);
			text = chat_plain(&what);
			if (!text_starts(text, row->before) ||
			    chat_first_of(&what) != (enum chat_first)f)
				continue; /* another row's */
			name = strstr(text, SHORTER);
			if (name == NULL ||
			    text_utf16_length(text, (size_t)(name - text) + strlen(SHORTER)) > 40)
				fail_msg("where it is stands too late: %.80s", text);
			said[f] = true;
		}
	for (int f = 0; f < CHAT_FIRST_COUNT; f++)
		if (!said[f] && chat_first_rows[f].state != DEPLOY_STATE_COUNT &&
		    deploy_flow_class(chat_first_rows[f].state) != DEPLOY_CLASS_FINAL)
			fail_msg("no message begins with \"%s\"", chat_first_rows[f].before);
}

/* Goal: messages of no state, pushes, locks, freezes, Cloudflare, answers: the same, of the longest
 * name that the 40 have room for.  All rows, for no test can say each. */
TEST(each_message_of_its_own_has_room_for_its_target)
{
	for (int f = 0; f < CHAT_FIRST_COUNT; f++) {
		const struct chat_first_row *row = &chat_first_rows[f];
		struct chat_text text = CHAT_TEXT_EMPTY;
		const char *said, *name;

		if (row->state != DEPLOY_STATE_COUNT)
			continue;
		chat_first(&text, (enum chat_first)f, NAME);
		chat_first_commit(&text, "Make it blue", SOURCE_GIT, "1a2b3c4d5e6f7a8b");
		said = buf_text(&text.buf);
		name = strstr(said, NAME);
		assert_non_null(name);
		/* the mark in front of it is no letter */
		if (text_utf16_length(said, (size_t)(name - said) - 1) + strlen(NAME) > 40)
			fail_msg("where it is stands too late: %s", said);
		assert_true(strstr(said, "\"Make it blue\"") < strstr(said, "1a2b3c4"));
		buf_done(&text.buf);
	}
}

/* Goal: a message begins with a sign of the eleven, or with a word. */
TEST(each_message_begins_with_one_of_eleven_signs_or_a_word)
{
	static const char *const signs[] = {
#define SIGN(sign, ...) sign " ",
#include "chat/sign.def"
	};

	assert_int_equal(COUNT(signs), 11);
	for (int f = 0; f < CHAT_FIRST_COUNT; f++) {
		const char *before = chat_first_rows[f].before;
		bool is_ours = (unsigned char)before[0] < 0x80;

		for (size_t i = 0; i < COUNT(signs); i++)
			is_ours = is_ours || text_starts(before, signs[i]);
		if (!is_ours)
			fail_msg("no sign of chat/sign.def: %s", before);
	}
}

/* Goal: a new rule that brings a program to a state asks for how that is said. */
TEST(each_state_that_a_program_comes_to_has_a_row)
{
	unsigned rows[DEPLOY_STATE_COUNT] = { 0 };

	for (int f = 0; f < CHAT_FIRST_COUNT; f++)
		if (chat_first_rows[f].state != DEPLOY_STATE_COUNT)
			rows[chat_first_rows[f].state] |= chat_first_rows[f].programs;
	for (size_t i = 0; i < deploy_rule_count; i++)
		if ((deploy_rules[i].programs & ~rows[deploy_rules[i].to]) != 0)
			fail_msg("%s of programs %x: no row in first.def",
			    deploy_flow_name(deploy_rules[i].to), deploy_rules[i].programs);
}
