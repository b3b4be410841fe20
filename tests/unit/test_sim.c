/* Goal: whatever breaks, and in whatever order, the invariants of sim_check.c hold.  Side: start. */
/* SPDX-License-Identifier: ISC */
/*
 * SEED=n replays one history, SEEDS=n plays so many new ones (`make check-sim`), FIRST=n begins
 * there.  TWO=1: each has two servers.
 * HAPPENINGS=n: of the long one.  Without any of these it plays the same ones each time: what fails
 * in `make test` is what was changed, and new histories are for the night.
 */
#include "tests/sim/sim.h"

#include <fcntl.h>
#include <inttypes.h>
#include <time.h>

#include "lib/log.h"
#include "tests/unit/database_aid.h"
#include "unit.h"

#define FIRST_OF_A_TEST	  9033
#define SEEDS_OF_A_TEST	  140
#define SEEDS_ON_A_SERVER 10 /* each statement is a way there and back */
#define SEEDS_FOR_MOST \
	200 /* from so many on, wherever they begin, all but the rarest are reached, */
#define SEEDS_FOR_ALL 1000 /* and from so many on each is */
#define RARE_FAULTS   4

static uint64_t
given(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text != NULL && *text != '\0' ? strtoull(text, NULL, 10) : otherwise;
}

static uint64_t
begins_at(void)
{
	return getenv("SEEDS") == NULL ? FIRST_OF_A_TEST : (uint64_t)time(NULL) % 1000000 * 1000;
}

static double
now_s(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now); /* cannot fail */
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void
print_totals(const struct sim_totals *totals, double seconds)
{
	print_message("%" PRIu64 " histories, %" PRIu64
		      " commits in %.1f s of one core: %.0f a minute\n",
	    totals->histories, totals->commits, seconds, 60 * (double)totals->histories / seconds);
	for (int s = 0; s < DEPLOY_STATE_COUNT; s++)
		if (totals->ends[s] > 0)
			print_message("  %8" PRIu64 " deployments: %s\n", totals->ends[s],
			    deploy_flow_word((enum deploy_state)s));
	for (int f = 0; f < SIM_FAULT_COUNT; f++)
		print_message("  %8" PRIu64 " times %s\n", totals->faults[f],
		    sim_fault_words((enum sim_fault)f));
}

/* A fault that was never reached tests nothing, an end neither. */
static void
all_was_reached(const struct sim_totals *totals, int may_be_missed)
{
	int n = database_aid_is_server() ? SIM_FAULT_COUNT : SIM_FAULTS_OF_FILES;

	for (int f = 0; f < n; f++)
		if (totals->faults[f] == 0 && --may_be_missed < 0)
			fail_msg("never: %s", sim_fault_words((enum sim_fault)f));
	for (int s = DEPLOY_LIVE; s < DEPLOY_STATE_COUNT; s++)
		if (totals->ends[s] == 0)
			fail_msg(
			    "no deployment was ever %s", deploy_flow_word((enum deploy_state)s));
}

TEST(in_every_history_the_invariants_hold)
{
	uint64_t one = given("SEED", 0);
	uint64_t first = one != 0 ? one : given("FIRST", begins_at());
	uint64_t n = one != 0 ?
	    1 :
	    given("SEEDS", database_aid_is_server() ? SEEDS_ON_A_SERVER : SEEDS_OF_A_TEST);
	bool is_the_same = first == FIRST_OF_A_TEST && n == SEEDS_OF_A_TEST;
	struct sim_totals totals = { 0 };
	double began = now_s();

	print_message("seeds from %" PRIu64 " on\n", first);
	if (one == 0)
		log_to(open("/dev/null", O_WRONLY | O_CLOEXEC)); /* faults are many, and wanted */
	sim_begin();
	for (uint64_t i = 0; i < n; i++)
		sim_play(first + i, &totals);
	sim_end();
	print_totals(&totals, now_s() - began);
	if (n >= SEEDS_FOR_MOST || is_the_same)
		all_was_reached(&totals, n >= SEEDS_FOR_ALL ? 0 : RARE_FAULTS);
}

/* In one short history in forty or so nothing goes live: something holds all of it to the end,
 * a lock, a window, no witness outside.  Another one is played then; so many are no chance. */
#define LONG_MOST 12

/* Fifty applications, one server; `make check-sim` plays 5,000 events. */
TEST(a_long_history_of_fifty_applications_holds)
{
	uint64_t seed = given("SEED", given("FIRST", begins_at()));
	int happenings = (int)given("HAPPENINGS", 200);
	struct sim_totals totals = { 0 };
	double began = now_s();

	sim_begin();
	for (uint64_t i = 0; i < LONG_MOST && totals.ends[DEPLOY_LIVE] == 0; i++) {
		print_message("a long one of seed %" PRIu64 "\n", seed + i);
		sim_play_long(seed + i, happenings, &totals);
	}
	sim_end();
	print_totals(&totals, now_s() - began);
	assert_true(totals.ends[DEPLOY_LIVE] > 0);
}
