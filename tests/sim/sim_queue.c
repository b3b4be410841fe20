/* sim_queue.c - several people want one environment: they wait, leave, give, come too late.  Side: start. */
/* SPDX-License-Identifier: ISC */
/*
 * Each of these begins with some requests and goes on by itself.  Whatever else happens comes in
 * between.
 */
#include "tests/sim/sim_inside.h"

#define LATEST 8 /* commits that somebody may ask for */

static sim_fn somebody_joins, somebody_looks, place_is_changed, settings_change;

/* --- a request, and the answer to what is asked about it --- */

/* By its commit: of several requests for a branch all but the first are in vain. */
static void
somebody_joins(struct sim *sim, int64_t environment, int64_t person)
{
	int newest = sim->n_commits - 1, n = newest < LATEST ? newest : LATEST;
	const char *commit = sim->commits[newest - (int)sim_draw(sim, (uint32_t)n + 1)];
	const char *name = sim_environments[environment];
	char text[LIMIT_REF];

	if (sim_one_in(sim, 6))
		(void)snprintf(text, sizeof(text), "/rollback %s", name);
	else
		(void)snprintf(text, sizeof(text), "/deploy %s %s", name, commit);
	sim_chat_type(sim, person, text);
	for (int i = 1; i <= 2; i++)
		sim_later(sim, 0, i * 20000, sim_chat_question_is_answered, person, 0);
}

/* --- places --- */

/* One of those who wait there, mostly the first; 0: nobody does. */
static int64_t
somebody_queued(struct sim *sim, int64_t environment)
{
	struct db_rows rows = { 0 };
	int64_t people[16], n = 0;
	struct err err;

	sim_check_must(sim,
	    db_query(&rows, sim->eyes, &err,
		"SELECT requested_by FROM work WHERE state = 'QUEUED' AND cause NOT IN ('push', 'poll', 'job')"
		" AND requested_by > 0 AND environment = $1 ORDER BY place",
		DB_TEXT(sim_environments[environment])),
	    &err);
	while (n < (int64_t)COUNT(people) && db_next(&rows))
		people[n++] = db_col_i64(&rows, 0);
	sim_check_must(sim, db_rows_end(&rows, &err), &err);
	if (n == 0)
		return 0;
	return people[sim_one_in(sim, 2) ? 0 : sim_draw(sim, (uint32_t)n)];
}

static void
somebody_looks(struct sim *sim, int64_t environment, int64_t b)
{
	int64_t person = somebody_queued(sim, environment);
	char text[LIMIT_REF];

	(void)b;
	if (person == 0)
		return;
	(void)snprintf(text, sizeof(text), "/queue %s", sim_environments[environment]);
	sim_chat_type(sim, person, text);
	sim_later(sim, 0, 8000, place_is_changed, person, 0);
}

static void
place_is_changed(struct sim *sim, int64_t person, int64_t b)
{
	bool gives = !sim_one_in(sim, 3);

	(void)b;
	if (!gives || !sim_chat_press(sim, person, "Give my place"))
		(void)sim_chat_press(sim, person, "Leave the queue");
}

static void
settings_change(struct sim *sim, int64_t variant, UNUSED int64_t b)
{
	sim_server_reload(sim, (int)variant);
}

/* Sometimes most of them may do nothing any more, for a while. */
void
sim_queue_forms(struct sim *sim)
{
	static const int64_t people[] = { SIM_ADMIN, SIM_OTHER, SIM_STAGING, SIM_CONTRACTOR };
	int environment = 2 * sim_application(sim);

	sim_trace(sim, "people queue in %s", sim_environments[environment]);
	for (uint32_t i = 0; i < COUNT(people); i++)
		sim_later(sim, 0, sim_draw(sim, 15000), somebody_joins, environment, people[i]);
	for (int i = 1; i <= 3; i++)
		sim_later(sim, 0, i * 12000 + (int64_t)sim_draw(sim, 12000), somebody_looks,
		    environment, 0);
	if (sim_one_in(sim, 2))
		return;
	sim_later(sim, 0, 30000 + (int64_t)sim_draw(sim, 30000), settings_change,
	    sim_settings_draw_poor(sim), 0);
	sim_later(sim, 0, 90000, settings_change, sim_settings_draw(sim), 0);
}

/* --- a folder of a host that two applications want --- */

void
sim_queue_moves(struct sim *sim)
{
	int now = sim_settings_holder(sim->variant), variant = sim_settings_draw(sim);

	while (sim_settings_holder(variant) == now)
		variant = sim_settings_draw(sim);
	sim_trace(sim, "a folder is given from %s to %s", sim_applications[now],
	    sim_applications[sim_settings_holder(variant)]);
	sim_later(sim, 0, 0, somebody_joins, 2 * now, SIM_ADMIN);
	sim_later(sim, 0, 25000 + sim_draw(sim, 20000), settings_change, variant, 0);
	sim_later(sim, 0, 46000, somebody_joins, 2 * sim_settings_holder(variant), SIM_ADMIN);
}
