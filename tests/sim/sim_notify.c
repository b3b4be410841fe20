/* sim_notify.c - who else is notified: what comes there, how often, and what only a summary counts.  Side: start. */
/* SPDX-License-Identifier: ISC */
/*
 * What has to be told is known here by the ends of works and a table of this file's own; what came
 * there by what a destination was sent.  Whatever else becomes of a message is counted.
 */
#include "tests/sim/sim_inside.h"

#include "lib/json.h"
#include "types/notify.h"
#include "types/settings.h"

enum { HOOK, OPS, CEO, NOBODY /* it was looked at */ };

/* In some variants of the settings; all ends, those of production alone, and what is down. */
static const struct destination {
	const char *name;
	int one_in; /* variants */
	const char *lines[5];
} destinations[SIM_NOTIFIED_NAMES] = {
	[HOOK] = { "hook", 5,
	    { "NOTIFY_HOOK_TO=webhook", "NOTIFY_HOOK_URL=http://127.0.0.1:4/hook",
		"NOTIFY_HOOK_SECRET=whsec_MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1ub3BxcnN0dXY=",
		"NOTIFY_HOOK_WHAT=*/*: question live failed rolled-back down restored" } },
	[OPS] = { "ops", 5,
	    { "NOTIFY_OPS_TO=slack", "NOTIFY_OPS_URL=http://127.0.0.1:5/ops",
		"NOTIFY_OPS_WHAT=*/production: live failed rolled-back down restored" } },
	[CEO] = { "ceo", 10,
	    { "NOTIFY_CEO_TO=discord", "NOTIFY_CEO_URL=http://127.0.0.1:6/ceo",
		"NOTIFY_CEO_WHAT=*/*: down" } },
};

static sim_fn call_ends;

const char *const *
sim_notify_lines(int variant, int name)
{
	static const char *const none[] = { NULL };

	return variant % destinations[name].one_in == 0 ? destinations[name].lines : none;
}

static int
name_of(struct sim *sim, const char *name)
{
	for (int i = 0; i < SIM_NOTIFIED_NAMES; i++)
		if (strcmp(name, destinations[i].name) == 0)
			return i;
	sim_fail(sim, "only_destinations_are_notified", "%s", name);
}

static struct sim_notified *
find(struct sim_notify *notify, int64_t effect)
{
	for (size_t i = notify->n; i > 0; i--)
		if (notify->at[i - 1].effect == effect)
			return &notify->at[i - 1];
	return NULL;
}

/* --- a destination --- */

/* What was begun is over, or is begun again with the key that it had; nothing overtakes. */
static void
take(struct sim *sim, const struct effect *effect)
{
	const struct effect_notify *sent = &effect->u.notify;
	struct sim_notified *is = find(&sim->notify, effect->id);
	int64_t *last;

	if (is == NULL || strcmp(is->key, sent->key) != 0 || strcmp(is->word, sent->word) != 0)
		sim_fail(
		    sim, "a_repetition_has_the_id_of_the_message", "effect %" PRId64, effect->id);
	last = &sim->notify.last[is->name];
	if (effect->id < *last)
		sim_fail(sim, "each_destination_has_its_messages_in_order",
		    "%s: %" PRId64 " behind %" PRId64, sent->name, effect->id, *last);
	*last = effect->id;
	if (is->is_taken)
		sim_note(sim, SIM_NOTIFIED_AGAIN);
	else if (is->n > 0)
		sim_note(sim, SIM_NOTIFIED_SUMMARY);
	is->is_taken = true;
}

static void
report(struct sim *sim, struct sim_open *open, enum notify_verdict verdict)
{
	struct sim_notified *is = find(&sim->notify, open->effect->id);

	if (is != NULL)
		is->is_sent = verdict == NOTIFY_SENT;
	if (verdict != NOTIFY_SENT)
		sim_note(sim, verdict == NOTIFY_OFF ? SIM_NOTIFIED_OFF : SIM_NOTIFIED_NOT);
	open->effect->result->u.notified = (struct notify_said){ .verdict = verdict, .why = "no" };
	sim_server_report(sim, open);
}

static void
call_ends(struct sim *sim, int64_t effect, UNUSED int64_t b)
{
	struct sim_open *open = sim_server_find(sim, effect);
	uint32_t how = sim->is_resting ? 9 : sim_draw(sim, 10);
	struct notify to;

	if (open == NULL)
		return;
	if (!notify_find(sim_settings_get(sim->loaded), open->effect->u.notify.name, &to)) {
		report(sim, open, NOTIFY_NO_NAME);
		return;
	}
	if (how == 0 && sim_one_in(sim, 2)) {
		report(sim, open, NOTIFY_OFF);
		return;
	}
	if (how == 1) {
		report(sim, open, sim_one_in(sim, 2) ? NOTIFY_NOT_IT : NOTIFY_TOO_OLD);
		return;
	}
	if (how > 2) /* else nothing came there */
		take(sim, open->effect);
	if (how > 3)
		report(sim, open, NOTIFY_SENT);
	else /* its answer, or it, was lost */
		sim_later(sim, sim->life, sim_delay(sim, 1000, 60000), call_ends, effect, 0);
}

void
sim_notify_call(struct sim *sim, struct sim_open *open)
{
	for (size_t i = 0; i < SIM_OPEN; i++) {
		const struct effect *other = sim->open[i].effect;

		if (other != NULL && other != open->effect && other->kind == EFFECT_NOTIFY &&
		    strcmp(other->u.notify.name, open->effect->u.notify.name) == 0)
			sim_fail(
			    sim, "a_destination_has_one_out", "%s", open->effect->u.notify.name);
	}
	sim_later(sim, sim->life, sim_delay(sim, 1, 3000), call_ends, open->effect->id, 0);
}

/* What was being sent may have come there. */
void
sim_notify_cut(struct sim *sim)
{
	for (size_t i = 0; i < SIM_OPEN; i++)
		if (sim->open[i].effect != NULL && sim->open[i].effect->kind == EFFECT_NOTIFY &&
		    sim_one_in(sim, 2))
			take(sim, sim->open[i].effect);
}

/* --- what has to be told --- */

static bool
is_due(struct sim *sim, int64_t work, int name)
{
	for (size_t i = sim->notify.n_due; i > 0; i--)
		if (sim->notify.due[i - 1].work == work && sim->notify.due[i - 1].name == name)
			return true;
	return false;
}

static void
add_due(struct sim *sim, int64_t work, int name)
{
	assert(sim->notify.n_due < COUNT(sim->notify.due));
	sim->notify.due[sim->notify.n_due++] = (struct sim_notify_due){ work, name };
}

/* Of each end, by the settings that it was decided with: what follows in the same moment may be
 * decided with others. */
void
sim_notify_after(struct sim *sim, struct tx *tx)
{
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };
	struct err err;

	if (tx->failed || tx->event->context.settings == NULL)
		return;
	sim_check_must(sim,
	    db_query(&rows, tx->db, &err,
		"SELECT id, environment FROM work WHERE ended_at = $1 AND ended_at <> 0"
		" AND program <> 'action'"
		" AND state IN ('LIVE', 'FAILED', 'ROLLED_BACK', 'ROLLBACK_FAILED')",
		DB_I64(tx->at)),
	    &err);
	while (db_next(&rows)) {
		int64_t work = db_col_i64(&rows, 0);
		int variant = sim_settings_variant(tx->event->context.settings);
		bool is_production = sim_environment(db_col_text(&rows, 1)) % 2 == 1;

		if (is_due(sim, work, NOBODY))
			continue;
		add_due(sim, work, NOBODY);
		if (sim_notify_lines(variant, HOOK)[0] != NULL)
			add_due(sim, work, HOOK);
		if (sim_notify_lines(variant, OPS)[0] != NULL && is_production)
			add_due(sim, work, OPS);
	}
}

/* --- after every commit --- */

static void
note_message(struct sim *sim, const struct db_rows *row)
{
	CLEANUP(json_freep) struct json *body = NULL;
	struct sim_notified *is = &sim->notify.at[sim->notify.n];
	struct err err;

	assert(sim->notify.n < COUNT(sim->notify.at));
	body = json_decode(db_col_text(row, 2), strlen(db_col_text(row, 2)), &err);
	sim_check_must(sim, body != NULL, &err);
	*is = (struct sim_notified){ .effect = db_col_i64(row, 0),
		.work = db_col_i64(row, 1),
		.is_open = true,
		.name = name_of(sim, json_text(body, "name")) };
	text_set(is->key, json_text(body, "key"));
	text_set(is->word, json_text(body, "word"));
	if (strcmp(is->word, "unsent") == 0)
		is->n = strtoll(json_text(body, "text"), NULL, 10);
	for (size_t i = 0; i < sim->notify.n; i++)
		if (strcmp(sim->notify.at[i].key, is->key) == 0)
			sim_fail(sim, "each_message_has_an_id_of_its_own",
			    "effects %" PRId64 " and %" PRId64, sim->notify.at[i].effect,
			    is->effect);
	sim->notify.n++;
}

static void
look_at_open(struct sim *sim)
{
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };
	struct sim_notify *notify = &sim->notify;
	int64_t known = notify->n > 0 ? notify->at[notify->n - 1].effect : 0;
	struct err err;

	for (size_t i = 0; i < notify->n; i++)
		notify->at[i].is_open = false;
	sim_check_must(sim,
	    db_query(&rows, sim->eyes, &err,
		"SELECT id, subject, body FROM effect WHERE kind = 'notify' ORDER BY id"),
	    &err);
	while (db_next(&rows)) {
		struct sim_notified *is = find(notify, db_col_i64(&rows, 0));

		if (is == NULL && db_col_i64(&rows, 0) < known)
			sim_fail(sim, "a_message_is_ordered_once", "effect %" PRId64,
			    db_col_i64(&rows, 0));
		if (is == NULL)
			note_message(sim, &rows);
		else
			is->is_open = true;
	}
}

/* Of which nothing is on its way, and nothing has come. */
static int64_t
count_missing(const struct sim *sim, int name)
{
	const struct sim_notify *notify = &sim->notify;
	int64_t n = 0;

	for (size_t i = 0; i < notify->n_due; i++) {
		bool is_there = notify->due[i].name != name;

		for (size_t k = 0; k < notify->n && !is_there; k++)
			is_there = notify->at[k].name == name &&
			    notify->at[k].work == notify->due[i].work &&
			    strcmp(notify->at[k].word, "question") != 0 &&
			    (notify->at[k].is_open || notify->at[k].is_taken);
		n += is_there ? 0 : 1;
	}
	return n;
}

/* In a summary that has come or is on its way, or in the row for the next one.  What came and was
 * not known to have come is counted too. */
static void
all_is_sent_or_counted(struct sim *sim, int name)
{
	int64_t missing = count_missing(sim, name), counted, also = 0;
	struct err err;

	sim_check_must(sim,
	    db_one_i64(&counted, sim->eyes, &err,
		"SELECT COALESCE(SUM(unsent), 0) FROM notify WHERE name = $1",
		DB_TEXT(destinations[name].name)),
	    &err);
	for (size_t i = 0; i < sim->notify.n; i++) {
		const struct sim_notified *is = &sim->notify.at[i];

		if (is->name != name)
			continue;
		if (is->is_open || is->is_taken)
			counted += is->n;
		if (!is->is_open && is->is_taken && !is->is_sent)
			also += is->n > 0 ? is->n : 1;
	}
	if (counted < missing)
		sim_fail(sim, "who_is_notified_gets_all_or_a_number",
		    "%s lacks %" PRId64 ", and %" PRId64 " are counted", destinations[name].name,
		    missing, counted);
	if (name == OPS && counted > missing + also) /* the other one has questions too */
		sim_fail(sim, "what_was_sent_is_not_counted",
		    "%s lacks %" PRId64 ", and %" PRId64 " are counted", destinations[name].name,
		    missing, counted);
}

void
sim_notify_check(struct sim *sim)
{
	look_at_open(sim);
	for (int name = HOOK; name <= OPS; name++)
		all_is_sent_or_counted(sim, name);
}
