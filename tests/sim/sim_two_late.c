/* sim_two_late.c - what a server does that leads no more, and commits whose answer is lost.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "tests/sim/sim_two_inside.h"

#include <sys/socket.h>

#include "lib/db_libpq.h"
#include "lib/err.h"
#include "store/leader.h"
#include "tests/sim/sim_agent.h"

#define STATUS_GO	 200
#define LIVES_MOST	 6000 /* ms behind the other's start; its lease's thread ends it */
#define EVENTS		 3    /* that it still decides */
#define LOST_IN		 40   /* of so many commits one's answer */
#define LOST_AT_START_IN 8
#define GO_IN		 6 /* the same of a run's `go` */

static sim_fn late_acts;

/* Who led before. */
static struct {
	bool lives;
	int whose;
	int64_t n, end_ms;
	struct store *store; /* NULL: it has none, or has noticed */
	struct queue_list events, outcomes;
	int n_answered;
} late;

enum lost {
	LOST_NOTHING,
	LOST_BEFORE, /* the COMMIT */
	LOST_ANSWER,
	LOST_DEPOSED, /* the answer, and another has taken over */
};

static enum lost to_lose, has_lost;
static int64_t batch_before;
static bool is_deposed;
static struct sim *deciding;

/* --- it is cut --- */

size_t
sim_two_cut_at(struct sim *sim, const struct queue_list *outcomes)
{
	size_t i = 0;

	if (!sim_two_is() || sim->is_resting)
		return SIZE_MAX;
	for (const struct queue_link *l = outcomes->first; l != NULL; l = l->next, i++) {
		const struct outcome *outcome = QUEUE_ITEM(l, struct outcome, link);

		if (outcome->kind == OUTCOME_ANSWER && outcome->done == sim_run_recorded &&
		    sim_one_in(sim, GO_IN)) {
			sim_two_force();
			return i;
		}
	}
	return SIZE_MAX;
}

void
sim_two_keep(struct queue_list *outcomes)
{
	queue_list_append(&late.outcomes, outcomes);
}

bool
sim_two_has_left(void)
{
	return late.outcomes.length > 0;
}

static void
on_answered(UNUSED void *ctx, UNUSED const struct answer *answer)
{
	late.n_answered++;
}

static void
keep_event(struct event *event)
{
	if (event->done != NULL)
		event->done = on_answered;
	queue_list_add(&late.events, &event->link);
}

static void
die(void)
{
	struct queue_link *link;

	outcome_free_all(&late.outcomes);
	while ((link = queue_list_take(&late.events)) != NULL)
		event_free(QUEUE_ITEM(link, struct event, link));
	store_close(TAKE(late.store));
	late.lives = false;
}

void
sim_two_late_begins(struct sim *sim, bool lives)
{
	struct queue_list left = late.outcomes;
	struct queue_link *link;
	struct event *event;

	late.outcomes = (struct queue_list){ 0 };
	die();
	is_deposed = false;
	late.outcomes = left;
	late.lives = lives;
	late.whose = sim_two_leads();
	late.n++;
	late.n_answered = 0;
	if (!lives) {
		outcome_free_all(&late.outcomes);
		return;
	}
	sim_trace(sim, "... and lives on");
	if (sim_two_db() == NULL)
		return;
	for (int i = 0; i < EVENTS && (link = queue_list_take(&sim->events)) != NULL; i++)
		keep_event(QUEUE_ITEM(link, struct event, link));
	event = sim_server_event(sim, EVENT_SETTINGS); /* the audit has a line of it */
	event->u.settings_read.accepted = true;
	event->done = on_answered;
	keep_event(event);
}

void
sim_two_close(struct sim *sim)
{
	if (late.lives && sim_two_db() != NULL)
		late.store = sim->store;
	else
		store_close(sim->store);
	sim->store = NULL;
}

void
sim_two_late_goes_on(struct sim *sim, int64_t start_ms)
{
	late.end_ms = start_ms + sim_draw(sim, LIVES_MOST);
	if (late.lives)
		sim_later(sim, 0, late.end_ms, late_acts, late.n, 0);
}

int64_t
sim_two_gate_ms(struct sim *sim)
{
	return sim_delay(sim, 1, 2000) + (late.lives ? late.end_ms : 0);
}

/* --- the other leads --- */

struct rows {
	int64_t audit, effects, counters, batch, epoch;
};

static struct rows
look(struct sim *sim)
{
	struct rows rows;
	struct leader leader;
	struct err err;

	sim_check_must(sim, leader_read(sim_two_db(), &leader, &err), &err);
	rows.batch = leader.batch;
	rows.epoch = leader.epoch;
	rows.audit =
	    sim_check_number(sim, sim->eyes, "SELECT COUNT(*) FROM audit WHERE seq > $1", 0);
	rows.effects = sim_check_number(
	    sim, sim->eyes, "SELECT COUNT(*) + COALESCE(MAX(id), 0) FROM effect WHERE id > $1", 0);
	rows.counters = sim_check_number(
	    sim, sim->eyes, "SELECT COALESCE(SUM(value), 0) FROM counter WHERE value > $1", 0);
	return rows;
}

static void
try(struct sim *sim)
{
	struct queue_list outcomes = { 0 };
	struct rows before = look(sim), after;
	struct err err = { .code = ERR_NONE };
	bool ok = store_batch(late.store, &late.events, &outcomes, &err);

	after = look(sim);
	if (ok || err.code != ERR_CHANGED || outcomes.length > 0 || late.n_answered > 0 ||
	    memcmp(&before, &after, sizeof(after)) != 0)
		sim_fail(sim, "who_is_deposed_decides_nothing", "%s", ok ? "it has" : err.text);
	sim_note(sim, SIM_LATE_COMMIT);
	sim_trace(sim, "who led before decides nothing: %s", err.text);
	store_close(TAKE(late.store)); /* the program ends with that */
}

void
sim_two_late_tries_early(struct sim *sim)
{
	if (late.store != NULL && sim_one_in(sim, 3))
		try(sim);
}

/* What was handed over to it is said or sent, or was before. */
static void
act(struct sim *sim, struct outcome *outcome)
{
	if (outcome->kind == OUTCOME_ANSWER && outcome->done == sim_run_recorded) {
		const struct sim_process *process = outcome->done_ctx;

		if (sim_runner_has_abandoned(sim, process->run))
			return; /* behind that the next run's number stops it at its host */
		sim_note(sim, SIM_LATE_GO);
		sim_trace(sim, "who led before says %s late",
		    outcome->answer.status == STATUS_GO ? "go" : "that nothing goes");
		outcome->done(outcome->done_ctx, &outcome->answer);
	} else if (outcome->kind == OUTCOME_EFFECT &&
	    outcome->effect->kind == EFFECT_SEND_MESSAGE && sim_one_in(sim, 2)) {
		sim_note(sim, SIM_LATE_SAID);
		sim_chat_say_late(sim, &outcome->effect->u.send_message.message);
	}
}

static void
late_acts(struct sim *sim, int64_t n, UNUSED int64_t b)
{
	struct queue_link *link;

	if (!late.lives || late.n != n)
		return;
	if (late.store != NULL)
		try(sim);
	while ((link = queue_list_take(&late.outcomes)) != NULL) {
		struct outcome *outcome = QUEUE_ITEM(link, struct outcome, link);

		act(sim, outcome);
		outcome_free(outcome);
	}
	sim_trace(sim, "who led before is dead");
	die();
}

void
sim_two_late_lets_start(int whose)
{
	if (whose == late.whose || whose == SIM_ALONE)
		die();
}

/* --- a COMMIT whose answer is lost --- */

/* NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp): the linker names them */
PGresult *__real_PQexec(PGconn *conn, const char *query);
/* NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */
PGresult *sim_PQexec(PGconn *conn, const char *query);

PGresult *
sim_PQexec(PGconn *conn, const char *query)
{
	PGresult *res;

	if (to_lose == LOST_NOTHING || strcmp(query, "COMMIT") != 0)
		return __real_PQexec(conn, query);
	has_lost = to_lose;
	to_lose = LOST_NOTHING;
	(void)shutdown(PQsocket(conn), has_lost == LOST_BEFORE ? SHUT_WR : SHUT_RD);
	res = __real_PQexec(conn, query);
	if (has_lost == LOST_DEPOSED)
		sim_two_lead(deciding, sim_two_other()); /* waits for the row */
	return res;
}

void
sim_two_decides(struct sim *sim, bool is_turn)
{
	has_lost = LOST_NOTHING;
	if (sim_two_db() == NULL)
		return;
	deciding = sim;
	batch_before = look(sim).batch;
	to_lose = !sim->is_resting && sim_one_in(sim, is_turn ? LOST_IN : LOST_AT_START_IN) ?
	    (enum lost)(1 + sim_draw(sim, is_turn ? LOST_DEPOSED : LOST_ANSWER)) :
	    LOST_NOTHING;
}

bool
sim_two_is_there(struct sim *sim, bool ok, const struct err *err)
{
	bool is_there = ok;

	to_lose = LOST_NOTHING;
	if (has_lost != LOST_NOTHING)
		is_there = look(sim).batch > batch_before;
	is_deposed = !ok && err->code == ERR_CHANGED;
	if (is_deposed != (has_lost == LOST_DEPOSED) ||
	    is_there != (has_lost == LOST_NOTHING ? ok : has_lost != LOST_BEFORE) ||
	    (!is_deposed && ok != is_there))
		sim_fail(sim, "what_became_of_a_commit_is_known",
		    "lost %d: it is %sthere, and that is said: %s", (int)has_lost,
		    is_there ? "" : "not ", ok ? "yes" : err->text);
	if (has_lost != LOST_NOTHING)
		sim_note(sim,
		    has_lost == LOST_BEFORE	? SIM_COMMIT_LOST :
			has_lost == LOST_ANSWER ? SIM_ANSWER_LOST :
						  SIM_LOST_AND_DEPOSED);
	return is_there;
}

bool
sim_two_has_lost(void)
{
	return has_lost != LOST_NOTHING;
}

bool
sim_two_is_deposed(void)
{
	return is_deposed;
}
