/* sim_opa.c - OPA says yes, no or nothing, at once or late: nothing begins that it has refused.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "lib/json.h"
#include "tests/sim/sim_inside.h"

static sim_fn answers;

/* --- asked --- */

void
sim_opa_ask(struct sim *sim, struct sim_open *open)
{
	int64_t wait_ms = open->effect->u.opa.not_before - sim->now;

	sim_later(sim, sim->life, (wait_ms > 0 ? wait_ms : 0) + sim_delay(sim, 1, 2000), answers,
	    open->effect->id, 0);
}

/* What stands in the input, for who looks at it when the work begins. */
static void
note(struct sim *sim, const struct effect *effect, enum opa_verdict verdict)
{
	struct sim_opa *of = &sim->opa[effect->subject];
	CLEANUP(json_freep)
	struct json *input = json_decode(effect->u.opa.input, strlen(effect->u.opa.input), NULL);

	if (input == NULL)
		sim_fail(sim, "opa_is_sent_json", "%s", effect->u.opa.input);
	*of = (struct sim_opa){ .verdict = verdict,
		.at = effect->u.opa.not_before,
		.is_start = json_has(input, "stage", "start") };
	(void)text_copy(of->commit, LIMIT_COMMIT, json_text(input, "commit"));
	(void)text_copy(of->live, LIMIT_COMMIT, json_text(input, "live"));
}

/* Of what goes on without an answer there is little: it often gets none. */
static uint32_t
silent_one_in(const struct effect *effect)
{
	CLEANUP(json_freep)
	struct json *input = json_decode(effect->u.opa.input, strlen(effect->u.opa.input), NULL);

	return json_has(input, "action", "rollback") || json_get_bool(input, "emergency", false) ?
	    2 :
	    6;
}

static void
answers(struct sim *sim, int64_t effect, UNUSED int64_t b)
{
	struct sim_open *open = sim_server_find(sim, effect);
	struct opa_answer *said;

	if (open == NULL)
		return;
	said = &open->effect->result->u.opa_said;
	said->verdict = sim->is_resting			 ? OPA_YES :
	    sim_one_in(sim, silent_one_in(open->effect)) ? OPA_SILENT :
	    sim_one_in(sim, 8)				 ? OPA_NO :
							   OPA_YES;
	(void)text_copy(said->decision, OPA_DECISION, "none");
	if (said->verdict != OPA_YES)
		(void)text_copy(said->reason, LIMIT_LINE,
		    said->verdict == OPA_NO ? "not on Fridays" : "timed out");
	if (said->verdict != OPA_YES)
		sim_note(sim, said->verdict == OPA_NO ? SIM_OPA_NO : SIM_OPA_SILENT);
	note(sim, open->effect, said->verdict);
	sim_server_report(sim, open);
}

/* --- what begins --- */

void
sim_opa_check_begun(struct sim *sim, struct tx *tx, int64_t work)
{
	const struct sim_opa *of = &sim->opa[work];
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };
	bool goes_on;
	struct err err;

	if (tx->event->context.settings->opa.url == NULL)
		return;
	sim_check_must(sim,
	    db_query(&rows, tx->db, &err,
		"SELECT w.commit_id, w.program = 'rollback' OR w.emergency <> '',"
		" w.action IN ('maintenance-off', 'cf-normal'), COALESCE(r.commit_id, '')"
		" FROM work w LEFT JOIN environment e ON e.name = w.environment"
		" LEFT JOIN release r ON r.id = e.current_release WHERE w.id = $1",
		DB_I64(work)),
	    &err);
	if (!db_next(&rows) || db_col_i64(&rows, 2) != 0)
		return;
	goes_on = db_col_i64(&rows, 1) != 0 && of->verdict == OPA_SILENT;
	if (goes_on) {
		sim_note(sim, SIM_OPA_PASSED);
		return;
	}
	if (of->verdict != OPA_YES || !of->is_start)
		sim_fail(sim, "nothing_begins_that_opa_has_not_allowed", "%" PRId64, work);
	if (tx->at - of->at >= 60000 || tx->at < of->at)
		sim_fail(sim, "what_opa_said_counts_for_a_minute", "%" PRId64, work);
	if (strcmp(of->commit, db_col_text(&rows, 0)) != 0 ||
	    strcmp(of->live, db_col_text(&rows, 3)) != 0)
		sim_fail(sim, "what_opa_said_is_of_what_begins", "%" PRId64, work);
	sim_note(sim, SIM_OPA_YES);
}
