/* sim_runner.c - the runner is disconnected for a while, and people abandon runs.  Side: start. */
/* SPDX-License-Identifier: ISC */
/*
 * While it is disconnected no order reaches it; supervisors are still followed.  Whoever abandons a
 * run looks after what it left: it touches nothing more.  If it was not seen at its gate, the gate
 * never opens (open_gate() asks).
 */
#include "tests/sim/sim_agent.h"
#include "tests/sim/sim_two.h"

#define SAID_MS 10000 /* a shorter absence is no event */

static sim_fn absence_is_said, runner_comes_back, admin_abandons, question_is_answered;

static void
submit(struct sim *sim, enum event_kind kind)
{
	struct event *event;

	if (sim->store == NULL)
		return;
	event = sim_server_event(sim, kind);
	(void)text_copy(event->u.runner.name, sizeof(event->u.runner.name), "local");
	sim_server_submit(sim, event);
}

void
sim_runner_server_started(struct sim *sim)
{
	if (!sim->is_runner_away)
		submit(sim, EVENT_RUNNER_HELLO);
	else
		sim_later(sim, sim->life, SAID_MS, absence_is_said, 0, 0);
}

void
sim_runner_goes(struct sim *sim)
{
	if (sim->is_runner_away)
		return;
	sim_note(sim, SIM_RUNNER_AWAY);
	sim_trace(sim, "the runner is disconnected");
	sim->is_runner_away = true;
	sim_later(sim, sim->life, SAID_MS, absence_is_said, 0, 0);
	sim_later(sim, 0, sim_delay(sim, 1000, 3600000), runner_comes_back, 0, 0);
}

static void
absence_is_said(struct sim *sim, int64_t a, int64_t b)
{
	(void)a;
	(void)b;
	if (!sim->is_runner_away)
		return;
	submit(sim, EVENT_RUNNER_GONE);
	if (sim_one_in(sim, 2))
		sim_later(sim, sim->life, sim_delay(sim, 1000, 60000), admin_abandons, 0, 0);
}

static void
runner_comes_back(struct sim *sim, int64_t a, int64_t b)
{
	(void)a;
	(void)b;
	sim_trace(sim, "the runner is connected");
	sim->is_runner_away = false;
	submit(sim, EVENT_RUNNER_HELLO);
}

/* --- abandoned --- */

/* The newest work of which that runner ("": any) has a run; 0: it has none. */
static int64_t
open_work(struct sim *sim, const char *runner)
{
	int64_t work;
	struct err err;

	sim_check_must(sim,
	    db_one_i64(&work, sim->eyes, &err,
		"SELECT COALESCE(MAX(deployment), 0) FROM run WHERE ended_at = 0"
		" AND ($1 = '' OR runner = $1)",
		DB_TEXT(runner)),
	    &err);
	return work;
}

void
sim_runner_abandon(struct sim *sim, int64_t person, int64_t work)
{
	char text[40];

	(void)snprintf(text, sizeof(text), "/abandon %" PRId64, work);
	sim_chat_type(sim, person, text);
	sim_later(sim, 0, 15000, question_is_answered, person, 0);
}

/* As long as the runner is disconnected: orders wait that come meanwhile. */
static void
admin_abandons(struct sim *sim, int64_t a, int64_t b)
{
	int64_t work;

	if (!sim->is_runner_away || sim->is_resting)
		return;
	work = open_work(sim, sim_two_runner());
	if (work != 0)
		sim_runner_abandon(sim, SIM_ADMIN, work);
	sim_later(sim, sim->life, sim_delay(sim, 20000, 200000), admin_abandons, a, b);
}

/* Who may not is drawn too; then nothing may come of it. */
void
sim_runner_somebody_abandons(struct sim *sim)
{
	static const int64_t people[] = { SIM_ADMIN, SIM_ADMIN, SIM_ADMIN, SIM_STAGING, SIM_LEAD,
		SIM_STRANGER };

	if (sim->eyes != NULL)
		sim_runner_abandon(sim, people[sim_draw(sim, COUNT(people))], open_work(sim, ""));
}

static void
question_is_answered(struct sim *sim, int64_t person, int64_t b)
{
	(void)b;
	(void)sim_chat_press(sim, person, "Abandon #");
}

bool
sim_runner_has_abandoned(struct sim *sim, int64_t run)
{
	int64_t n = 0;
	struct err err;

	sim_check_must(sim,
	    db_one_i64(&n, sim->eyes, &err,
		"SELECT COUNT(*) FROM run WHERE id = $1 AND is_abandoned = 1", DB_I64(run)),
	    &err);
	return n > 0;
}

/* After every commit.  Of most the order has not reached the runner: they have no process. */
void
sim_runner_check(struct sim *sim)
{
	int64_t n;
	struct err err;

	sim_check_must(sim,
	    db_one_i64(
		&n, sim->eyes, &err, "SELECT COUNT(*) FROM run WHERE is_abandoned = $1", DB_I64(1)),
	    &err);
	if (n == sim->n_abandoned)
		return;
	sim->n_abandoned = n;
	sim_note(sim, SIM_RUN_ABANDONED);
	sim_agents_note_abandoned(sim);
	for (size_t i = 0; i < sim->n_processes; i++) {
		struct sim_process *process = &sim->processes[i];

		if (process->is_abandoned || !sim_runner_has_abandoned(sim, process->run))
			continue;
		sim_trace(sim, "run %" PRId64 " is abandoned", process->run);
		if (!process->is_remote && process->server != sim_two_leads())
			sim_note(sim, SIM_OTHERS_ABANDONED);
		process->is_abandoned = true;
		process->script = SIM_SCRIPT_TOUCHES_NOTHING;
	}
}
