/* sim_actions.c - actions beside deployments, and APPROVE lines: done once, by who may.  Side: start. */
/* SPDX-License-Identifier: ISC */
/*
 * What an action may not touch is read around the decision on its run's end; what a line has led to
 * is counted at rest, by the names of its updates.
 */
#include "tests/sim/sim_agent.h"

static sim_fn line_is_copied;

#define DAY_S  86400
#define NONCES 4 /* so few that most lines are of one that was said before */

static int64_t
number(struct sim *sim, struct db *db, const char *sql, struct db_value a)
{
	int64_t n = 0;
	struct err err;

	sim_check_must(sim, db_one_i64(&n, db, &err, sql, a), &err);
	return n;
}

/* --- what people do --- */

static int64_t
somebody(struct sim *sim)
{
	static const int64_t people[] = { SIM_ADMIN, SIM_ADMIN, SIM_OTHER, SIM_STAGING, SIM_LEAD,
		SIM_STRANGER };

	return people[sim_draw(sim, COUNT(people))];
}

static const char *
some_client(struct sim *sim)
{
	return sim_one_in(sim, 2) ? "acme" : "solo";
}

void
sim_actions_somebody_does(struct sim *sim)
{
	static const char *const actions[] = { "service-status", "disk-free", "reload-nginx",
		"reload-nginx", "restart-web", "restart-web" };
	int64_t person = somebody(sim);
	char text[64];

	(void)snprintf(text, sizeof(text), "/do %s %s", actions[sim_draw(sim, COUNT(actions))],
	    some_client(sim));
	sim_chat_type(sim, person, text);
	sim_later(sim, 0, 15000, sim_chat_question_is_answered, person, 0);
}

void
sim_actions_somebody_runs_a_job(struct sim *sim)
{
	int64_t person = sim->day == SIM_DAY_CALM ? SIM_ADMIN : somebody(sim);
	char text[64];

	(void)snprintf(
	    text, sizeof(text), "/do run-job %s migrate", sim_environments[sim_one_in(sim, 4)]);
	sim_chat_type(sim, person, text);
	sim_later(sim, 0, 15000, sim_chat_question_is_answered, person, 0);
}

/* With a code, or without; in a chat of their own, or where others hear it. */
static void
say_line(struct sim *sim, int64_t person, const char *line)
{
	char text[96], code[8];

	sim_factor_draw_code(sim, person, code);
	(void)snprintf(text, sizeof(text), "%s%s%s", line, sim_one_in(sim, 2) ? " otp=" : "", code);
	if (strstr(text, "otp=") == NULL)
		(void)text_copy(text, sizeof(text), line);
	sim_chat_type_in(sim, person, sim_one_in(sim, 2) ? SIM_TEAM : person, text);
}

/* The same line may come again at once, from another, much later, or behind a cut. */
void
sim_actions_somebody_says_a_line(struct sim *sim)
{
	int64_t ts = sim->now / 1000 + (sim_one_in(sim, 6) ? -1000 : (int64_t)sim_draw(sim, 200));
	char text[96];

	(void)snprintf(text, sizeof(text), "APPROVE: %s %s nonce=%016x ts=%" PRId64,
	    sim_one_in(sim, 2) ? "reload-nginx" : "restart-web", some_client(sim),
	    sim_draw(sim, NONCES), ts);
	for (uint32_t i = sim_draw(sim, 3) + 1; i > 0; i--)
		say_line(sim, somebody(sim), text);
}

/* As it is shown under a request: mostly word for word. */
static void
line_is_copied(struct sim *sim, int64_t person, int64_t b)
{
	const char *line = NULL;
	char text[96], *at;

	(void)b;
	for (size_t i = sim->n_posts; i > 0 && line == NULL; i--)
		for (size_t n = 0; n < sim->posts[i - 1].buttons.n; n++)
			if (sim->posts[i - 1].buttons.at[n].copy[0] != '\0')
				line = sim->posts[i - 1].buttons.at[n].copy;
	if (line == NULL)
		return;
	(void)text_copy(text, sizeof(text), line);
	at = strstr(text, "nonce=");
	if (at != NULL && sim_one_in(sim, 12))
		at[6] = at[6] == 'a' ? 'b' : 'a';
	at = strstr(text, "solo");
	if (at != NULL && sim_one_in(sim, 12))
		memcpy(at, "acme", 4);
	say_line(sim, person, text);
	if (sim_one_in(sim, 2))
		sim_later(sim, 0, sim_delay(sim, 100, 600000), line_is_copied, person, 0);
}

void
sim_actions_somebody_requests(struct sim *sim)
{
	static const int64_t approvers[] = { SIM_OTHER, SIM_OTHER, SIM_LEAD, SIM_SECOND, SIM_ADMIN,
		SIM_STAGING };
	int64_t person = sim_one_in(sim, 4) ? SIM_OTHER : SIM_ADMIN;
	char text[64];

	(void)snprintf(text, sizeof(text), "/request %s %s",
	    sim_one_in(sim, 2) ? "reload-nginx" : "restart-web", some_client(sim));
	sim_chat_type(sim, person, text);
	for (int i = 0; i < 3; i++)
		sim_later(sim, 0, 10000 + sim_draw(sim, 90000), line_is_copied,
		    approvers[sim_draw(sim, COUNT(approvers))], 0);
	sim_later(sim, 0, 10000 + sim_draw(sim, 60000), sim_approvals_answer_comes, 0, 0);
}

/* --- around a decision --- */

/* What is live, down, not known and blocked everywhere, as a number. */
static int64_t
state_of_all(struct sim *sim, struct tx *tx)
{
	return number(sim, tx->db,
		   "SELECT COALESCE(SUM((is_down"
		   " + CASE WHEN unknown_since <> 0 THEN 2 ELSE 0 END + 4 * current_release) * 1009), 0) FROM environment WHERE $1 <> 0",
		   DB_I64(1)) +
	    number(sim, tx->db, "SELECT COUNT(*) FROM block WHERE $1 <> 0", DB_I64(1));
}

static bool
is_of_action(struct sim *sim, struct tx *tx)
{
	return tx->event->kind == EVENT_RUN_ENDED &&
	    number(sim, tx->db,
		"SELECT COUNT(*) FROM run r JOIN work w ON w.id = r.deployment"
		" WHERE r.id = $1 AND w.program = 'action'",
		DB_I64(tx->event->u.run_ended.run)) > 0;
}

void
sim_actions_before(struct sim *sim, struct tx *tx, struct sim_before *ret)
{
	ret->is_action_end = is_of_action(sim, tx);
	if (ret->is_action_end)
		ret->state_of_all = state_of_all(sim, tx);
}

void
sim_actions_after(struct sim *sim, struct tx *tx, const struct sim_before *before)
{
	if (!before->is_action_end || tx->failed)
		return;
	if (state_of_all(sim, tx) != before->state_of_all)
		sim_fail(sim, "an_action_changes_nothing_of_what_is_live", "run %" PRId64,
		    tx->event->u.run_ended.run);
}

/* --- runs --- */

/* Whatever became of it: once its gate has opened no other run of it is ordered. */
void
sim_actions_check_order(struct sim *sim, const struct effect_run *order)
{
	for (size_t i = 0; i < sim->n_processes; i++)
		if ((sim->processes[i].deployment == order->deployment &&
			sim->processes[i].was_opened) ||
		    sim_agents_starts(order->deployment) > 0)
			sim_fail(sim, "an_action_is_done_once", "deployment %" PRId64,
			    order->deployment);
	sim_note(sim, SIM_ACTION_DONE);
	if (strcmp(order->action, "run-job") != 0)
		return;
	sim_note(sim, SIM_JOB_DONE);
	if (number(sim, sim->eyes,
		"SELECT COUNT(*) FROM work w JOIN environment e ON e.name = w.environment"
		" JOIN release r ON r.id = e.current_release AND r.commit_id = w.commit_id"
		" WHERE w.id = $1",
		DB_I64(order->deployment)) != 1)
		sim_fail(
		    sim, "a_job_runs_in_what_is_live", "deployment %" PRId64, order->deployment);
}

/* --- at rest --- */

/* It has made work, or was an approval of what somebody had requested. */
static bool
is_accepted(struct sim *sim, const struct sim_update *update, bool *ret_is_approval)
{
	char name[48];

	(void)snprintf(name, sizeof(name), "@p%" PRId64 ".%" PRId64, update->person, update->id);
	*ret_is_approval = number(sim, sim->eyes, "SELECT COUNT(*) FROM approval WHERE name = $1",
			       DB_TEXT(name)) > 0;
	return *ret_is_approval ||
	    number(sim, sim->eyes, "SELECT COUNT(*) FROM work WHERE requester = $1",
		DB_TEXT(name)) > 0;
}

/* A day later nobody knows a nonce any more, and of that day no line is accepted. */
static bool
is_of_that_day(const char *one, const char *other)
{
	int64_t a = strtoll(strstr(one, " ts=") + 4, NULL, 10);
	int64_t b = strtoll(strstr(other, " ts=") + 4, NULL, 10);

	return a - b < DAY_S && b - a < DAY_S;
}

/* Each once; that of a request once by each person. */
void
sim_actions_check_rest(struct sim *sim)
{
	size_t n = 0;

	for (size_t i = 0; i < sim->n_updates; i++) {
		const struct sim_update *update = &sim->updates[i];
		const char *nonce = strstr(update->text, " nonce=");
		bool is_approval;

		if (nonce == NULL)
			continue;
		if (!is_accepted(sim, update, &is_approval)) {
			sim_note(sim, SIM_LINE_REFUSED);
			continue;
		}
		sim_note(sim, SIM_LINE_ACCEPTED);
		for (size_t other = 0; other < n; other++)
			if (strncmp(sim->accepted[other].nonce, nonce, 23) == 0 &&
			    is_of_that_day(sim->accepted[other].nonce, nonce) &&
			    (!is_approval || sim->accepted[other].person == update->person))
				sim_fail(sim, "no_line_is_accepted_twice", "update %" PRId64 ": %s",
				    update->id, update->text);
		assert(n < COUNT(sim->accepted));
		sim->accepted[n++] = (struct sim_accepted){ nonce, update->person };
	}
}
