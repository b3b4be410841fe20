/* Goal: in any order of what people and the world do, the promises about deployments hold.  Side: start. */
/* SPDX-License-Identifier: ISC */
/*
 * A history is a random sequence of commands, presses, pushes, results (also late and doubled
 * ones), faults and crashes on one store; after each step the invariants are checked.  The seed is
 * printed; SEED=n replays one history.
 */
#include "decide_aid.h"

#include <time.h>

#include "lib/text.h"

#define STEPS	  120
#define BUDGET_S  2.0
#define SEEDS_MIN 2 /* on the slowest machine */
#define RUNS_MAX  512

static const char *const commits[] = { COMMIT_A, COMMIT_B, COMMIT_C, COMMIT_D };
static const char *const environments[] = { "staging", "production" };
static const int64_t people[] = { WORLD_ADMIN, WORLD_ADMIN, WORLD_ADMIN, WORLD_ADMIN,
	WORLD_OTHER_ADMIN, WORLD_OTHER_ADMIN, WORLD_STAGING_USER, WORLD_STRANGER };

struct history {
	struct world w;
	uint64_t x;
	unsigned seed;
	int step;
	size_t n_gates;
	int64_t gate[RUNS_MAX]; /* deployments that were healthy, or had no gate and ended well */
	int64_t closed_effect;	/* a result to be told twice */
	struct run_ended closed_record;
	char old_button[LIMIT_QUESTION];
};

static unsigned
draw(struct history *h, unsigned below)
{
	h->x ^= h->x << 13;
	h->x ^= h->x >> 7;
	h->x ^= h->x << 17;
	return (unsigned)(h->x >> 33) % below;
}

#define HOLDS(h, what) \
	do { \
		if (!(what)) \
			fail_msg("SEED=%u, step %d: not so: %s", (h)->seed, (h)->step, #what); \
	} while (0)

/* --- what can happen --- */

typedef void happen_fn(struct history *h);

static void
somebody_types(struct history *h)
{
	static const char *const typed[] = { "/deploy %s", "/deploy %s", "/deploy %s v1",
		"/cancel %s", "/rollback %s", "/rollback %s 1", "/status %s", "/history %s" };
	char text[64];

	(void)snprintf(text, sizeof(text), typed[draw(h, COUNT(typed))],
	    environments[draw(h, COUNT(environments))]);
	h->w.aid.at += 5000; /* by hand */
	(void)world_text_in(
	    &h->w, people[draw(h, COUNT(people))], draw(h, 2) ? WORLD_GROUP : WORLD_TEAM, text);
}

static void
somebody_presses(struct history *h)
{
	const struct world_message *message;
	const struct button *button;

	if (h->w.n_screen == 0)
		return;
	/* Mostly a late one: early buttons are dead. */
	message = &h->w.screen[h->w.n_screen - 1 -
	    draw(h, h->w.n_screen < 6 ? (unsigned)h->w.n_screen : 6)];
	if (message->buttons.n == 0)
		return;
	button = &message->buttons.at[draw(h, (unsigned)message->buttons.n)];
	(void)text_copy(h->old_button, sizeof(h->old_button), button->question);
	(void)world_press(&h->w, people[draw(h, COUNT(people))], message->chat, button->question);
}

static void
somebody_presses_an_old_button(struct history *h)
{
	(void)world_press(&h->w, WORLD_ADMIN, draw(h, 2) ? WORLD_GROUP : WORLD_TEAM, h->old_button);
}

static void
a_branch_is_pushed(struct history *h)
{
	(void)world_decide(&h->w, world_push(&h->w, draw(h, 2) ? "develop" : "main"));
}

static void
git_answers(struct history *h)
{
	const struct effect *ask = world_peek(&h->w, EFFECT_ASK);

	if (ask == NULL)
		return;
	if (ask->u.ask.kind == ASK_HEADS)
		world_git_heads(&h->w, commits[draw(h, 4)], commits[draw(h, 4)]);
	else
		world_git(&h->w,
		    (struct world_git){ .commit = commits[draw(h, 4)],
			.is_unreachable = draw(h, 12) == 0 && !ask->u.ask.is_patient,
			.error = draw(h, 12) == 0 ? "no such ref" : NULL });
}

static void
a_deadline_comes(struct history *h)
{
	static const enum wait_kind kinds[] = { WAIT_QUESTION, WAIT_POLL, WAIT_DAILY };
	enum wait_kind kind = kinds[draw(h, COUNT(kinds))];

	for (size_t i = 0; i < h->w.n_open; i++) {
		if (h->w.open[i]->kind == EFFECT_WAIT && h->w.open[i]->u.wait.kind == kind) {
			world_due(&h->w, kind);
			return;
		}
	}
}

static void
a_script_waits_at_its_gate(struct history *h)
{
	if (world_peek(&h->w, EFFECT_RUN) != NULL)
		(void)world_run_starts(&h->w);
}

static void
a_script_says_a_step(struct history *h)
{
	static const char *const names[] = { "build", "release", "no-rollback" };

	if (world_peek(&h->w, EFFECT_RUN) != NULL) {
		unsigned n = draw(h, 6) == 0 ? 2 : draw(h, 2);

		world_run_step(&h->w, (int)n, names[n]);
	}
}

static void
a_keeper_is_lost(struct history *h)
{
	if (world_peek(&h->w, EFFECT_RUN) != NULL)
		world_run_lost(&h->w);
}

/* Any of the open runs may end first. */
static void
a_run_ends(struct history *h)
{
	static const struct run_ended records[] = {
		{ .gate_opened = true, .released = true },
		{ .gate_opened = true },
		{ .gate_opened = true, .exit_status = 1 },
		{ .gate_opened = true, .exit_status = 65 },
		{ .gate_opened = true, .released = true, .exit_status = 1 },
		{ .gate_opened = true,
		    .released = true,
		    .exit_status = -1,
		    .signal_number = 9,
		    .timed_out = true },
		{ .gate_opened = true,
		    .ended_on_request = true,
		    .exit_status = -1,
		    .signal_number = 15 },
		{ .gate_opened = true, .lost = true },
		{ .gate_opened = false },
		{ .refused = true, .detail = "no space left on device" },
		{ .gate_opened = true, .exec_errno = 2 },
	};
	const struct effect *run = world_peek(&h->w, EFFECT_RUN);

	if (run == NULL)
		return;
	h->closed_effect = run->id;
	h->closed_record = records[draw(h, 2) ? 0 : draw(h, COUNT(records))];
	h->closed_record.run = run->u.run.run;
	if (h->closed_record.exit_status == 0 && h->closed_record.gate_opened &&
	    !h->closed_record.lost && strcmp(run->u.run.environment, "production") == 0) {
		assert_true(h->n_gates < RUNS_MAX); /* production has no health URL */
		h->gate[h->n_gates++] = run->u.run.deployment;
	}
	world_run_ends(&h->w, h->closed_record);
}

static void
a_record_is_told_twice(struct history *h)
{
	struct event *event;

	if (h->closed_effect == 0)
		return;
	event = store_aid_event(&h->w.aid, EVENT_RUN_ENDED);
	event->effect = h->closed_effect;
	event->u.run_ended = h->closed_record;
	event->u.run_ended.exit_status = draw(h, 2) ? 0 : 1;
	(void)world_decide(&h->w, event);
}

static void
a_probe_ends(struct history *h)
{
	const struct effect *probe = world_peek(&h->w, EFFECT_PROBE);
	bool well = draw(h, 3) != 0;

	if (probe == NULL)
		return;
	if (well && probe->subject != 0) {
		assert_true(h->n_gates < RUNS_MAX);
		h->gate[h->n_gates++] = probe->subject;
	}
	world_probed(&h->w, well ? NULL : "HTTP 500");
}

static void
an_end_was_asked_for(struct history *h)
{
	struct effect *effect = world_take(&h->w, EFFECT_END);

	if (effect != NULL)
		(void)store_aid_report(&h->w.aid, effect);
}

static void
the_server_crashes(struct history *h)
{
	while (h->w.n_open > 0)
		effect_free(h->w.open[--h->w.n_open]);
	store_aid_reopen(&h->w.aid);
	(void)world_decide(&h->w, store_aid_event(&h->w.aid, EVENT_STARTED));
}

static const struct {
	happen_fn *happen;
	unsigned weight;
} happenings[] = {
	{ somebody_types, 8 },
	{ somebody_presses, 8 },
	{ somebody_presses_an_old_button, 1 },
	{ a_branch_is_pushed, 3 },
	{ git_answers, 10 },
	{ a_deadline_comes, 1 },
	{ a_script_waits_at_its_gate, 3 },
	{ a_script_says_a_step, 4 },
	{ a_keeper_is_lost, 1 },
	{ a_run_ends, 5 },
	{ a_record_is_told_twice, 1 },
	{ a_probe_ends, 7 },
	{ an_end_was_asked_for, 2 },
	{ the_server_crashes, 1 },
};

static void
something_happens(struct history *h)
{
	unsigned total = 0, at;

	for (size_t i = 0; i < COUNT(happenings); i++)
		total += happenings[i].weight;
	at = draw(h, total);
	for (size_t i = 0; i < COUNT(happenings); i++) {
		if (at < happenings[i].weight) {
			happenings[i].happen(h);
			return;
		}
		at -= happenings[i].weight;
	}
}

/* --- what must hold --- */

static void
check_environment(struct history *h, struct tx *tx, const char *name)
{
	struct deployment active = row_deployment_active(tx, name);
	struct environment environment = row_environment_get(tx, name);
	size_t runs = 0, probes = 0;
	bool passed = false;

	for (size_t i = 0; i < h->w.n_open; i++) {
		const struct effect *effect = h->w.open[i];

		if (effect->kind == EFFECT_RUN && strcmp(effect->u.run.environment, name) == 0) {
			runs++;
			HOLDS(h, effect->subject == active.id);
			HOLDS(h, effect->u.run.run == active.run);
		}
		if (effect->kind == EFFECT_PROBE && effect->subject != 0 &&
		    effect->subject == active.id)
			probes++;
	}
	/* No two programs, and whoever keeps the environment waits for something. */
	HOLDS(h, runs + probes == (active.id != 0 ? 1 : 0));
	HOLDS(h, active.id != 0 || row_deployment_queued(tx, name).id == 0);
	/* The current release names only what passed its gate. */
	for (size_t i = 0; i < h->n_gates; i++)
		passed |= h->gate[i] == environment.current.deployment;
	HOLDS(h, environment.current.id == 0 || passed);
}

/* What its message says now is the last word about it. */
static bool
is_told(struct history *h, const struct deployment *deployment)
{
	static const char *const words[DEPLOY_STATE_COUNT] = {
		[DEPLOY_LIVE] = "✅",
		[DEPLOY_FAILED] = "❌",
		[DEPLOY_ROLLED_BACK] = "↩️",
		[DEPLOY_ROLLBACK_FAILED] = "🔥",
		[DEPLOY_REFUSED] = "🚫",
		[DEPLOY_CANCELLED] = "✖️",
		[DEPLOY_EXPIRED] = "⌛",
		[DEPLOY_SUPERSEDED] = "⏭️",
	};

	for (size_t i = 0; i < h->w.n_screen; i++)
		if (h->w.screen[i].row == deployment->message)
			return text_starts(h->w.screen[i].text, words[deployment->state]);
	return false;
}

static void
check_deployment(struct history *h, const struct deployment *deployment)
{
	enum deploy_class class = deploy_flow_class(deployment->state);

	HOLDS(h, (class == DEPLOY_CLASS_FINAL) == (deployment->ended_at != 0));
	if (class == DEPLOY_CLASS_FINAL)
		HOLDS(h, is_told(h, deployment));
	if (class == DEPLOY_CLASS_ACTIVE)
		HOLDS(h, deployment->started_at != 0);
}

static void
check_rows(struct tx *tx, void *arg)
{
	struct history *h = arg;
	struct deployment deployment;

	for (size_t i = 0; i < COUNT(environments); i++)
		check_environment(h, tx, environments[i]);
	for (int64_t id = 1; (deployment = row_deployment_get(tx, id)).id != 0; id++)
		check_deployment(h, &deployment);
}

/* --- a history --- */

static size_t reached[DEPLOY_STATE_COUNT]; /* deployments that ended so, in all histories */

static void
count_ends(struct tx *tx, void *arg)
{
	struct deployment deployment;

	(void)arg;
	for (int64_t id = 1; (deployment = row_deployment_get(tx, id)).id != 0; id++)
		reached[deployment.state]++;
}

/* When the world answers what is open, everything comes to its end. */
static void
everything_ends(struct history *h)
{
	for (int i = 0; i < 200 && h->w.n_open > 0; i++) {
		h->step++;
		git_answers(h);
		a_run_ends(h);
		a_probe_ends(h);
		an_end_was_asked_for(h);
	}
	for (size_t i = 0; i < h->w.n_open; i++)
		HOLDS(h,
		    h->w.open[i]->kind == EFFECT_WAIT || h->w.open[i]->kind == EFFECT_DOCUMENT ||
			h->w.open[i]->kind == EFFECT_FORGET);
	store_aid_act(&h->w.aid, check_rows, h);
	for (size_t i = 0; i < COUNT(environments); i++)
		HOLDS(h, world_active(&h->w, environments[i]).id == 0);
}

static void
play(unsigned seed)
{
	struct history *h = calloc(1, sizeof(*h));

	assert_non_null(h);
	h->seed = seed;
	h->x = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
	world_open(&h->w, "STAGING_HEALTH_URL=http://127.0.0.1:1/health",
	    "POLL_REPOSITORY_SECONDS=60", NULL);
	for (h->step = 0; h->step < STEPS; h->step++) {
		something_happens(h);
		store_aid_act(&h->w.aid, check_rows, h);
	}
	everything_ends(h);
	store_aid_act(&h->w.aid, count_ends, h);
	world_close(&h->w);
	free(h);
}

static double
now_s(void)
{
	struct timespec now;

	assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &now), 0);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void
in_any_history_the_promises_hold(void **state)
{
	const char *given = getenv("SEED"), *count = getenv("SEEDS");
	double end = now_s() + BUDGET_S;
	unsigned first = given != NULL ? (unsigned)strtoul(given, NULL, 10) : (unsigned)time(NULL);
	unsigned most = given != NULL ? 1 :
	    count != NULL	      ? (unsigned)strtoul(count, NULL, 10) :
					1000;
	unsigned n = 0;

	(void)state;
	print_message("seeds from %u on\n", first);
	for (; n < most && (n < SEEDS_MIN || count != NULL || now_s() < end); n++)
		play(first + n);
	print_message("seeds %u to %u, %d steps each (SEED=n replays one, SEEDS=n plays so many)\n",
	    first, first + n - 1, STEPS);
	for (int s = 0; s < DEPLOY_STATE_COUNT; s++)
		if (reached[s] > 0)
			print_message(
			    "  %zu %s\n", reached[s], deploy_flow_word((enum deploy_state)s));
	assert_int_not_equal(reached[DEPLOY_LIVE], 0); /* else nothing was tried */
	assert_int_not_equal(reached[DEPLOY_FAILED], 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(in_any_history_the_promises_hold),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
