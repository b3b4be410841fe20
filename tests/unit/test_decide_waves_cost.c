/* Goal: what 64 hosts say at once is decided in three statements.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <sqlite3.h>

#include "database_aid.h"
#include "decide_aid_inside.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "waves_aid.h"

TESTS_OF_A_FILE

static char seen[32][64];
static size_t n_seen;

/* What begins and ends a decision is no part of it. */
static int
note(UNUSED unsigned kind, UNUSED void *arg, UNUSED void *statement, void *text)
{
	static const char *const frame[] = { "--", "BEGIN", "SAVEPOINT", "RELEASE", "COMMIT" };

	for (size_t i = 0; i < COUNT(frame); i++)
		if (strncmp(text, frame[i], strlen(frame[i])) == 0)
			return 0;
	if (n_seen < COUNT(seen))
		(void)snprintf(seen[n_seen], sizeof(seen[0]), "%s", (const char *)text);
	n_seen++;
	return 0;
}

static int
attach(sqlite3 *db, UNUSED char **error, UNUSED const void *api)
{
	return sqlite3_trace_v2(db, SQLITE_TRACE_STMT, note, NULL);
}

static void
all_say(struct world *w, enum host_word word)
{
	struct event *event = store_aid_event(&w->aid, EVENT_HOSTS_SAID);
	struct hosts_said *said = &event->u.hosts_said;

	said->run = waves_run(w);
	said->list = mem_new(HOSTS_SAID_MAX, sizeof(*said->list));
	for (; said->n < HOSTS_SAID_MAX; said->n++) {
		(void)snprintf(
		    said->list[said->n].host, sizeof(said->list[0].host), "k%zu:22", said->n + 1);
		said->list[said->n].word = word;
	}
	n_seen = 0;
	(void)world_decide(w, event);
}

#define GAUGES 6 /* of the environment, read once behind a commit, whatever it has decided */

static void
costs_three(void)
{
	assert_int_equal(n_seen, 3 + GAUGES);
	assert_true(strncmp(seen[1], "WITH packed", 11) == 0);
	assert_true(strncmp(seen[3], "SELECT (SELECT cause FROM work", 30) == 0); /* the first */
}

WORLD_TEST_BARE(what_64_hosts_say_costs_three_statements)
{
	char hosts[640] = "STAGING_HOST=h1";

	for (int i = 2; i <= HOSTS_SAID_MAX; i++)
		(void)snprintf(hosts + strlen(hosts), sizeof(hosts) - strlen(hosts), ",k%d", i);
	assert_int_equal(sqlite3_auto_extension((void (*)(void))attach), SQLITE_OK);
	world_open(w, hosts, "STAGING_WAVES=1, 100%", NULL);
	(void)sqlite3_cancel_auto_extension((void (*)(void))attach);
	waves_begin(w);
	waves_say(w, "h1 began, h1 ok");
	world_run_releases(w, GOOD);
	w->aid.is_measured = true;
	all_say(w, HOST_BEGAN);
	costs_three();
	all_say(w, HOST_OK);
	costs_three();
	w->aid.is_measured = false;
	world_run_releases(w, GOOD);
	assert_int_equal(world_state(w), DEPLOY_LIVE);
}
