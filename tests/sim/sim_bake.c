/* sim_bake.c - Prometheus says that a release is healthy, wrong, or nothing: what is live has baked.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "lib/text.h"
#include "tests/sim/sim_inside.h"

static sim_fn answers;

void
sim_bake_ask(struct sim *sim, struct sim_open *open)
{
	sim_later(sim, sim->life, sim_delay(sim, 1, 10000), answers, open->effect->id, 0);
}

/* What is paused bakes on some minutes later, or somebody else ends it. */
static void
somebody_turns(struct sim *sim, const char *environment)
{
	static const char *const words[] = { "pause", "pause", "resume", "rollback" };
	char text[64];

	(void)snprintf(
	    text, sizeof(text), "/%s %.40s", words[sim_draw(sim, COUNT(words))], environment);
	sim_chat_type(sim, SIM_ADMIN, text);
}

/* What is wrong stays so for some looks: it is mostly of one kind for a work. */
static void
answers(struct sim *sim, int64_t effect, UNUSED int64_t b)
{
	struct sim_open *open = sim_server_find(sim, effect);
	bool is_bad, is_silent;
	struct bake_look *look;

	if (open == NULL)
		return;
	if (!sim->is_resting && sim_one_in(sim, 8))
		somebody_turns(sim, open->effect->u.prom_query.environment);
	is_bad = open->effect->subject % 4 == 1 && !sim_one_in(sim, 4);
	is_silent = open->effect->subject % 4 == 2 && !sim_one_in(sim, 6);
	look = &open->effect->result->u.prom_said;
	*look = (struct bake_look){ .n = 1, .is_present = !is_silent || sim->is_resting };
	text_set(look->findings[0].name, "errors");
	text_set(look->findings[0].limit, "> 1 %");
	look->findings[0].verdict = BAKE_HEALTHY;
	if (is_silent && !sim->is_resting) {
		look->findings[0].verdict = sim_one_in(sim, 2) ? BAKE_UNKNOWN : BAKE_HEALTHY;
		text_set(look->why, "timed out");
		sim_note(sim, SIM_BAKE_UNKNOWN);
	} else if (is_bad && !sim->is_resting) {
		look->findings[0].verdict = BAKE_FIRES;
		text_set(look->findings[0].value, "4.1 %");
		sim_note(sim, SIM_BAKE_WRONG);
	}
	sim_server_report(sim, open);
}

/* Nobody has said that it is live before its time, or that stands in the audit. */
void
sim_bake_check(struct sim *sim, struct tx *tx)
{
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };
	struct err err;

	sim_check_must(sim,
	    db_query(&rows, tx->db, &err,
		"SELECT b.work FROM bake b JOIN work w ON w.id = b.work"
		" WHERE b.began_at <> 0 AND b.left_ms <> 0 AND w.state = 'LIVE'"
		" AND NOT EXISTS (SELECT 1 FROM audit a WHERE a.deployment = w.id"
		" AND a.outcome = 'live' AND a.action = 'bake_answered') LIMIT 1"),
	    &err);
	if (db_next(&rows))
		sim_fail(sim, "what_is_live_has_baked", "%" PRId64, db_col_i64(&rows, 0));
}

bool
sim_bake_is_over(struct sim *sim)
{
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };
	bool is_over = true;
	struct err err;
	char text[64];

	sim_check_must(sim,
	    db_query(&rows, sim->eyes, &err,
		"SELECT environment FROM work WHERE state = 'PAUSED' ORDER BY id"),
	    &err);
	while (db_next(&rows)) {
		(void)snprintf(text, sizeof(text), "/cancel %s", db_col_text(&rows, 0));
		sim_chat_type(sim, SIM_ADMIN, text);
		is_over = false;
	}
	return is_over;
}
