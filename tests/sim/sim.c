/* sim.c - a history: clock, chance, what happens when, and how it comes to rest.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "tests/sim/sim_agent.h"
#include "tests/sim/sim_two.h"

#include <ftw.h>
#include <signal.h>
#include <stdarg.h>
#include <unistd.h>

#include "lib/environment_id.h"
#include "lib/log.h"

#define BEGINS_AT	   INT64_C(1767225600000) /* 2026-01-01T00:00:00Z */
#define DAY_MS		   INT64_C(86400000)
#define SLEEPS_MOST	   2 /* fewer days than a request is remembered */
#define SLEEP_DAYS	   40
#define HAPPENINGS_LEAST   10
#define HAPPENINGS_MOST	   68
#define HAPPENINGS_CALM	   42
#define HAPPENINGS_CROWDED 20
#define RARE		   14 /* what seldom goes wrong goes wrong still less on a calm day */
#define LOOKS_MAX	   (SIM_ENVIRONMENTS / 4)
#define UNLOCKS_MAX	   8
#define REST_STEPS_MAX	   50000 /* locks and freezes of fifty applications end in days */

const char *sim_environments[SIM_ENVIRONMENTS];
const char *sim_applications[SIM_APPLICATIONS] = { "", "shop", "api", "auth", "docs", "mail", "web",
	"bill", "ship" };

static char names[SIM_ENVIRONMENTS][LIMIT_ENVIRONMENT];
static char application_names[SIM_APPLICATIONS][16];
static char folder[64];
static struct sim *playing; /* for the signal of an assert that failed */

/* --- chance --- */

/* splitmix64 */
static uint64_t
next(struct sim *sim)
{
	uint64_t z = sim->x += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

uint32_t
sim_draw(struct sim *sim, uint32_t below)
{
	return (uint32_t)((next(sim) >> 32) * below >> 32);
}

bool
sim_one_in(struct sim *sim, uint32_t n)
{
	if (sim->day >= SIM_DAY_CROWDED && n >= RARE)
		n *= 8;
	return sim_draw(sim, n) == 0;
}

int64_t
sim_delay(struct sim *sim, int64_t least, int64_t most)
{
	int64_t span = most - least + 1;

	if (!sim_one_in(sim, 4))
		span = span / 16 + 1;
	return least + (int64_t)(next(sim) % (uint64_t)span);
}

int
sim_environment(const char *name)
{
	int e = 0;

	while (strcmp(name, sim_environments[e]) != 0)
		if (++e == SIM_ENVIRONMENTS)
			abort();
	return e;
}

int
sim_branch(int environment)
{
	bool is_shared = environment / 2 == SIM_FEW; /* ship's is bill's */

	return is_shared ? environment - 2 : environment;
}

const char *
sim_branch_name(int branch)
{
	return branch % 2 == 0 ? "develop" : "main";
}

int
sim_application(struct sim *sim)
{
	if (!sim->is_many)
		return 0;
	return sim_one_in(sim, 2) ? 1 : 1 + (int)sim_draw(sim, (uint32_t)sim->n_applications);
}

/* --- telling --- */

void
sim_trace(struct sim *sim, const char *fmt, ...)
{
	char *line = sim->trace[sim->n_trace++ % SIM_TRACE];
	int64_t since = sim->now - BEGINS_AT;
	va_list args;
	int n = snprintf(line, sizeof(sim->trace[0]), "%10.3f ", (double)since / 1000);

	va_start(args, fmt);
	(void)vsnprintf(line + n, sizeof(sim->trace[0]) - (size_t)n, fmt, args);
	va_end(args);
}

static void
print_trace(const struct sim *sim)
{
	size_t from = sim->n_trace > SIM_TRACE ? sim->n_trace - SIM_TRACE : 0;

	for (size_t i = from; i < sim->n_trace; i++)
		/* NOLINTNEXTLINE(bugprone-signal-handler,cert-sig30-c): it ends here anyway */
		(void)fprintf(stderr, "%s\n", sim->trace[i % SIM_TRACE]);
}

_Noreturn void
sim_ends(const char *what)
{
	perror(what);
	abort();
}

void
sim_note(struct sim *sim, enum sim_fault fault)
{
	sim->totals->faults[fault]++;
}

void
sim_fail(struct sim *sim, const char *invariant, const char *fmt, ...)
{
	va_list args;

	print_trace(sim);
	(void)fprintf(stderr, "\nSEED=%" PRIu64 ": broken: %s: ", sim->seed, invariant);
	va_start(args, fmt);
	(void)vfprintf(stderr, fmt, args);
	va_end(args);
	(void)fprintf(stderr, "\n");
	_exit(1);
}

/* An assert of the program itself: it ends here anyway, so what is not safe in a signal may be. */
static void
on_abort(int number)
{
	if (playing != NULL) {
		print_trace(playing);
		(void)fprintf(
		    stderr, "\nSEED=%" PRIu64 ": ended by signal %d\n", playing->seed, number);
	}
	_exit(1);
}

const char *
sim_fault_words(enum sim_fault fault)
{
	static const char *const words[] = {
#define F(name, text) text,
		SIM_FAULTS(F)
#undef F
	};

	return words[fault];
}

/* --- the clock: a heap of what is still to come --- */

static bool
is_before(const struct sim_later *a, const struct sim_later *b)
{
	return a->at != b->at ? a->at < b->at : a->order < b->order;
}

static void
swap(struct sim_later *a, struct sim_later *b)
{
	struct sim_later c = *a;

	*a = *b;
	*b = c;
}

void
sim_later(struct sim *sim, unsigned life, int64_t delay_ms, sim_fn *fn, int64_t a, int64_t b)
{
	size_t i = sim->n_laters++;

	assert(i < SIM_LATERS);
	sim->laters[i] = (struct sim_later){ sim->now + delay_ms, sim->order++, life, fn, a, b };
	for (; i > 0 && is_before(&sim->laters[i], &sim->laters[(i - 1) / 2]); i = (i - 1) / 2)
		swap(&sim->laters[i], &sim->laters[(i - 1) / 2]);
}

static struct sim_later
take_first(struct sim *sim)
{
	struct sim_later first = sim->laters[0];
	size_t i = 0;

	assert(sim->n_laters > 0);
	sim->laters[0] = sim->laters[--sim->n_laters];
	for (;;) {
		size_t least = i;

		for (size_t child = 2 * i + 1; child <= 2 * i + 2 && child < sim->n_laters; child++)
			if (is_before(&sim->laters[child], &sim->laters[least]))
				least = child;
		if (least == i)
			return first;
		swap(&sim->laters[i], &sim->laters[least]);
		i = least;
	}
}

static void
step(struct sim *sim)
{
	struct sim_later later = take_first(sim);

	if (later.at > sim->now)
		sim->now = later.at;
	if (later.life == 0 || (later.life == sim->life && sim->store != NULL))
		later.fn(sim, later.a, later.b);
}

/* --- what happens by itself --- */

static void
the_server_is_killed(struct sim *sim)
{
	sim_server_cut(sim, false);
}

static void
the_power_goes(struct sim *sim)
{
	sim_server_cut(sim, true);
}

static void
settings_change(struct sim *sim)
{
	sim_server_reload(sim, sim_settings_draw(sim));
}

/* Timers are monotonic; what the rows keep is wall time. */
static void
the_clock_is_set_back(struct sim *sim)
{
	int64_t back = sim_delay(sim, 1000, 7200000);

	sim_note(sim, SIM_CLOCK_SET_BACK);
	sim_trace(sim, "the clock is set back by %" PRId64 " s", back / 1000);
	sim->now -= back;
	for (size_t i = 0; i < sim->n_laters; i++)
		sim->laters[i].at -= back;
	sim->away_until -= back;
	sim->witness.away_until -= back;
	sim_rules_clock_back(sim, back);
	sim_pipelines_clock_back(sim, back);
	sim_loans_clock_back(sim, back);
	sim_loop_clock_back(back);
	for (int e = 0; e < sim->n_environments; e++) {
		sim->targets[e].answers_at -= back;
		sim->lags_until[e] -= back; /* what a replica has shown it shows */
	}
}

/* Suspended: what is due in that time comes when it wakes. */
static void
the_machine_sleeps(struct sim *sim)
{
	int64_t nights = 1 + sim_draw(sim, SLEEP_DAYS);

	if (sim->n_sleeps == SLEEPS_MOST)
		return;
	sim->n_sleeps++;
	sim_note(sim, SIM_SLEPT);
	sim_trace(sim, "the machine sleeps for %" PRId64 " days", nights);
	sim->now += nights * DAY_MS;
	memset(sim->is_shown, 0, sizeof(sim->is_shown)); /* no report is made a day late */
}

/* How often what happens, on which day. */
static const struct {
	void (*happen)(struct sim *sim);
	uint32_t weight[SIM_DAY_COUNT];
} happenings[] = {
	/* any, of several applications, crowded, calm */
	{ sim_chat_somebody_types, { 50, 50, 10, 50 } },
	{ sim_chat_somebody_presses, { 50, 50, 10, 50 } },
	{ sim_forge_push, { 30, 30, 10, 30 } },
	{ sim_uploads_somebody_sends, { 60, 60, 10, 20 } },
	{ the_server_is_killed, { 6, 6, 2, 6 } },
	{ the_power_goes, { 3, 3, 0, 0 } },
	{ sim_run_supervisor_is_killed, { 12, 12, 2, 0 } },
	{ sim_runner_goes, { 4, 4, 1, 0 } },
	{ sim_runner_somebody_abandons, { 8, 8, 1, 0 } },
	{ settings_change, { 4, 4, 4, 0 } },
	{ sim_run_somebody_edits, { 4, 4, 4, 0 } },
	{ sim_chat_goes_away, { 4, 4, 0, 0 } },
	{ sim_chat_moves, { 2, 2, 0, 0 } },
	{ sim_chat_topic_goes, { 2, 2, 0, 0 } },
	{ sim_chat_message_goes, { 4, 4, 0, 0 } },
	{ sim_chat_bot_is_thrown_out, { 1, 1, 0, 0 } },
	{ the_clock_is_set_back, { 1, 1, 0, 0 } },
	{ sim_disk_refuses, { 3, 3, 0, 0 } },
	{ the_machine_sleeps, { 2, 2, 0, 0 } },
	{ sim_queue_forms, { 0, 4, 30, 0 } },
	{ sim_queue_moves, { 0, 4, 20, 0 } },
	{ sim_locks_somebody_locks, { 12, 12, 3, 0 } },
	{ sim_locks_somebody_excepts, { 6, 6, 1, 6 } },
	{ sim_limits_somebody_floods, { 2, 2, 1, 2 } },
	{ sim_local_somebody_asks, { 20, 40, 12, 0 } },
	{ sim_jobs_somebody_begins, { 50, 50, 12, 0 } },
	{ sim_rules_somebody_begins, { 24, 8, 3, 0 } },
	{ sim_pipelines_somebody_runs, { 50, 0, 0, 0 } },
	{ sim_loans_somebody_begins, { 24, 12, 4, 10 } },
	{ sim_loans_somebody_revokes, { 24, 12, 4, 8 } },
	{ sim_loans_somebody_asks, { 6, 6, 1, 3 } },
	{ sim_actions_somebody_does, { 10, 0, 0, 0 } },
	{ sim_agents_somebody_does, { 70, 0, 0, 20 } },
	{ sim_agents_something_happens, { 30, 0, 0, 0 } },
	{ sim_actions_somebody_says_a_line, { 6, 0, 0, 0 } },
	{ sim_actions_somebody_requests, { 6, 0, 0, 0 } },
	{ sim_actions_somebody_runs_a_job, { 4, 0, 0, 10 } },
	{ sim_factor_question_falls_away, { 3, 0, 0, 0 } },
	{ sim_factor_somebody_resets, { 10, 0, 0, 0 } },
	{ sim_cloudflare_somebody_asks, { 20, 0, 0, 0 } },
	{ sim_cloudflare_somebody_sets, { 12, 0, 0, 0 } },
	{ sim_witness_goes_away, { 10, 10, 4, 6 } },
	{ sim_waves_somebody_turns, { 110, 0, 0, 70 } },
	{ sim_emergency_somebody_cries, { 8, 8, 4, 0 } },
	{ sim_approvals_somebody_asks, { 12, 12, 3, 0 } },
	{ sim_approvals_somebody_answers, { 24, 24, 6, 0 } },
};

static void
something_happens(struct sim *sim, int64_t a, int64_t b)
{
	uint32_t total = 0, at;

	(void)a;
	(void)b;
	for (size_t i = 0; i < COUNT(happenings); i++)
		total += happenings[i].weight[sim->day];
	at = sim_draw(sim, total);
	for (size_t i = 0; i < COUNT(happenings); i++) {
		if (at < happenings[i].weight[sim->day]) {
			happenings[i].happen(sim);
			break;
		}
		at -= happenings[i].weight[sim->day];
	}
	if (--sim->happenings_left > 0)
		sim_later(sim, 0,
		    sim->day == SIM_DAY_CALM	    ? sim_delay(sim, 5000, 400000) :
			sim->day == SIM_DAY_CROWDED ? sim_delay(sim, 20000, 100000) :
						      sim_delay(sim, 0, 60000),
		    something_happens, 0, 0);
}

/* --- a history --- */

static bool
is_at_rest(struct sim *sim)
{
	return sim->happenings_left <= 0 && sim_server_is_idle(sim) && sim_chat_is_idle(sim) &&
	    !sim_remote_is_missed(sim);
}

static void
play_on(struct sim *sim)
{
	for (int i = 0; i < REST_STEPS_MAX && sim->n_laters > 0 && !is_at_rest(sim); i++)
		step(sim);
	if (is_at_rest(sim))
		return;
	for (size_t i = 0; i < SIM_OPEN; i++)
		if (sim->open[i].effect != NULL)
			sim_trace(sim, "open: %s %" PRId64 " for %" PRId64,
			    effect_name(sim->open[i].effect->kind), sim->open[i].effect->id,
			    sim->open[i].effect->subject);
	sim_fail(sim, "everything_ends", "it never came to rest");
}

/* Nobody asks for more at once than they may. */
static void
play_a_minute(struct sim *sim)
{
	play_on(sim);
	sim->now += 60000;
}

/* Nothing new goes wrong; what is under way comes to its end, and git is asked once more. */
static void
come_to_rest(struct sim *sim)
{
	sim->is_resting = true;
	sim->away_until = 0;
	sim->now = sim_settings_windows_end(sim->now);
	sim_disk_heals(sim);
	sim_agents_rest(sim);
	sim_two_rest(sim);
	play_on(sim);
	sim_server_poll(sim);
	play_on(sim);
	for (int i = 0; i < LOOKS_MAX && !sim_chat_all_is_known(sim); i++)
		play_a_minute(sim);
	for (int i = 0; i < UNLOCKS_MAX && !sim_locks_are_ended(sim); i++)
		play_a_minute(sim);
	for (int i = 0; i < UNLOCKS_MAX && !sim_cloudflare_is_over(sim); i++)
		play_a_minute(sim);
	for (int i = 0; i < UNLOCKS_MAX && !sim_bake_is_over(sim); i++)
		play_a_minute(sim);
	for (int i = 0; i < 2 * sim->n_applications + 1; i++) { /* one after another */
		sim->now = sim_settings_windows_end(sim->now);	/* what came before took weeks */
		sim_server_poll(sim);
		play_on(sim);
	}
}

static struct sim *
new_history(uint64_t seed, struct sim_totals *totals)
{
	struct sim *sim = calloc(1, sizeof(*sim));

	assert(sim != NULL);
	playing = sim;
	sim->seed = seed;
	sim->x = seed * UINT64_C(0xd1342543de82ef95);
	sim->totals = totals;
	sim->now = BEGINS_AT;
	sim->settled_below = 1;
	return sim;
}

static void
play(struct sim *sim, int n_applications)
{
	sim->n_applications = n_applications;
	sim->is_many = n_applications > 0;
	sim->at_gitlab = !sim->is_many && sim_one_in(sim, 4);
	sim_two_new(sim);
	sim_settings_play(sim);
	sim->n_environments = 2 + 2 * n_applications;
	if (sim->is_many || sim->at_gitlab)
		sim_note(sim, sim->is_many ? SIM_MANY : SIM_AT_GITLAB);
	sim->variant = sim_settings_draw(sim);
	sim_forge_new(sim);
	sim_chat_new(sim);
	sim_server_new(sim);
	sim_later(sim, 0, 100, something_happens, 0, 0);
	while (sim->happenings_left > 0 && sim->n_laters > 0)
		step(sim);
	come_to_rest(sim);
	sim_check_rest(sim);
	sim_two_check_rest(sim);
	sim->totals->histories++;
	sim_server_free(sim);
	sim_chat_free(sim);
	sim_witness_free(sim);
	playing = NULL;
	free(sim);
}

static const enum sim_day days[] = { SIM_DAY_CALM, SIM_DAY_CROWDED, SIM_DAY_ANY, SIM_DAY_ANY,
	SIM_DAY_CALM, SIM_DAY_ANY, SIM_DAY_ANY, SIM_DAY_SEVERAL, SIM_DAY_CALM, SIM_DAY_ANY,
	SIM_DAY_SEVERAL, SIM_DAY_ANY };

void
sim_play(uint64_t seed, struct sim_totals *totals)
{
	struct sim *sim = new_history(seed, totals);

	sim->day = days[seed % COUNT(days)];
	sim->happenings_left =
	    HAPPENINGS_LEAST + (int)sim_draw(sim, HAPPENINGS_MOST - HAPPENINGS_LEAST);
	if (sim->day == SIM_DAY_CALM)
		sim->happenings_left = HAPPENINGS_CALM;
	if (sim->day == SIM_DAY_CROWDED)
		sim->happenings_left = HAPPENINGS_CROWDED;
	play(sim, sim->day == SIM_DAY_SEVERAL || sim->day == SIM_DAY_CROWDED ? SIM_FEW : 0);
}

void
sim_play_long(uint64_t seed, int n, struct sim_totals *totals)
{
	struct sim *sim = new_history(seed, totals);

	assert(n <= SIM_HAPPENINGS_MOST);
	sim->day = SIM_DAY_SEVERAL;
	sim->happenings_left = n;
	play(sim, SIM_APPLICATIONS - 1);
}

static void
name_all(void)
{
	for (int a = SIM_FEW + 1; a < SIM_APPLICATIONS; a++) {
		(void)snprintf(application_names[a], sizeof(application_names[a]), "app%d", a);
		sim_applications[a] = application_names[a];
	}
	sim_environments[SIM_CLIENT] = "client/solo";
	for (int e = 0; e < SIM_CLIENT; e++) {
		(void)environment_id_text(
		    sim_applications[e / 2], e % 2 == 0 ? "staging" : "production", names[e]);
		sim_environments[e] = names[e];
	}
}

void
sim_begin(void)
{
	log_set_level(LOG_LEVEL_ERROR);
	name_all();
	(void)snprintf(folder, sizeof(folder), "%s/deploybot-sim.XXXXXX",
	    access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	if (mkdtemp(folder) == NULL)
		abort();
	(void)signal(SIGABRT, on_abort);
	(void)signal(SIGSEGV, on_abort);
	sim_settings_begin(folder);
	sim_server_begin(folder);
}

static int
remove_one(const char *path, UNUSED const struct stat *st, UNUSED int type, UNUSED struct FTW *ftw)
{
	return remove(path);
}

void
sim_end(void)
{
	sim_settings_end();
	sim_agents_end();
	(void)nftw(
	    folder, remove_one, 8, FTW_DEPTH | FTW_PHYS); /* in memory: gone at the next boot */
}
