/* decide_bake_said.c - what becomes of a release that bakes.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/work/decide_bake_said.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "chat/chat_deployment_bake.h"
#include "chat/chat_hosts.h"
#include "decide/audit/decide_record.h"
#include "decide/decide_reply.h"
#include "decide/question/decide_standing.h"
#include "decide/queue/decide_queue.h"
#include "decide/tell/decide_bake_buttons.h"
#include "decide/tell/decide_tell.h"
#include "decide/tell/decide_tell_batch.h"
#include "decide/work/decide_bake.h"
#include "decide/work/decide_deployment.h"
#include "decide/work/decide_unknown.h"
#include "decide/work/decide_waves.h"
#include "lib/text.h"
#include "store/row_bake.h"
#include "store/row_deployment.h"
#include "store/row_host_list.h"
#include "store/row_message.h"
#include "types/settings.h"

#define COUNT_MS (2 * DECIDE_BAKE_LOOK_MS) /* the most that one look counts: nobody saw the rest */

/* --- what was said --- */

static const struct bake_value *
find(const struct bake_value *values, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(values[i].name, name) == 0)
			return &values[i];
	return NULL;
}

/* Of the queries that the settings have now, with what was said before of the same names. */
struct said {
	struct bake_value values[LIMIT_BAKE_QUERIES];
	size_t n;
	const struct bake_finding
	    *wrong;	/* it fires for the second time in a row; NULL: none does */
	bool is_firing; /* one that counts does */
	bool is_known;
};

/* An answer that is not known is none: what fired before it has to fire twice again. */
static void
take_finding(struct said *said, const struct bake_finding *finding, bool is_before)
{
	struct bake_value *value = &said->values[said->n++];
	bool is_firing = finding->verdict == BAKE_FIRES;
	/* A counter of errors has no series before the first of them. */
	const char *text =
	    finding->value[0] != '\0' || finding->verdict == BAKE_UNKNOWN ? finding->value : "none";

	if (finding->verdict == BAKE_UNKNOWN)
		said->is_known = false;
	text_set(value->limit, finding->limit);
	if (is_before) {
		text_set(value->was, text);
		value->is_exempt = is_firing;
		return;
	}
	if (finding->verdict != BAKE_UNKNOWN)
		text_set(value->value, text);
	is_firing &= !value->is_exempt;
	if (is_firing && value->is_firing && said->wrong == NULL)
		said->wrong = finding;
	value->is_firing = is_firing;
	said->is_firing |= is_firing;
}

static void
take_look(
    struct tx *tx, int64_t work, const struct bake_look *look, bool is_before, struct said *ret)
{
	struct bake_value old[LIMIT_BAKE_QUERIES];
	size_t n = row_bake_list(tx, work, old);

	*ret = (struct said){ .is_known = look->is_present && look->why[0] == '\0' };
	for (size_t i = 0; i < look->n; i++) {
		const struct bake_value *before = find(old, n, look->findings[i].name);

		if (before != NULL)
			ret->values[ret->n] = *before;
		text_set(ret->values[ret->n].name, look->findings[i].name);
		take_finding(ret, &look->findings[i], is_before);
	}
	/* Where nothing could be asked what was said stays, and nothing of it fires. */
	for (size_t i = 0; i < n && ret->n < LIMIT_BAKE_QUERIES; i++)
		if (find(ret->values, ret->n, old[i].name) == NULL) {
			ret->values[ret->n] = old[i];
			ret->values[ret->n++].is_firing = false;
		}
	row_bake_set_list(tx, work, ret->values, ret->n);
}

/* --- what becomes of it --- */

static void
regress(struct tx *tx, struct deployment *work, const struct said *said)
{
	const struct bake_finding *wrong = said->wrong;
	const struct bake_value *value = find(said->values, said->n, wrong->name);
	char detail[2 * LIMIT_LINE];

	text_setf(detail, "%s %s %s, before %s%s%s", wrong->name,
	    wrong->value[0] != '\0' ? wrong->value : "?", wrong->limit,
	    value->was[0] != '\0' ? value->was : "not known", wrong->series[0] != '\0' ? "; " : "",
	    wrong->series);
	detail[text_cut(detail, strlen(detail), LIMIT_LINE - 1)] = '\0';
	work->why = DEPLOY_WHY_UNHEALTHY;
	text_set(work->detail, detail);
	(void)decide_step(tx, work,
	    deployment_can_roll_back(work) ? DEPLOY_ON_REGRESSED : DEPLOY_ON_REGRESSED_NO_ROLLBACK,
	    NULL);
}

/* It is over, and how it is was not known: once more as long, then a person has to say. */
static void
prolong(struct tx *tx, struct deployment *work, struct bake *row)
{
	char why[2 * LIMIT_LINE];

	if (row->is_prolonged) {
		text_setf(why, "health not known: %s", row->why);
		why[text_cut(why, strlen(why), LIMIT_LINE - 1)] = '\0';
		(void)text_copy(row->why, sizeof(row->why), why); /* fits */
		decide_record_pause(tx, work, row->why);
		row->counted_at = tx->at;
		row_bake_set(tx, row);
		(void)decide_step(tx, work, DEPLOY_ON_PAUSE, NULL);
		return;
	}
	row->is_prolonged = true;
	row->left_ms = row->length_ms;
	row->length_ms *= 2;
	row_bake_set(tx, row);
}

/* A clock that jumps, or a server that was away, has seen nothing. */
static void
count(struct tx *tx, struct bake *row)
{
	int64_t passed = tx->at - row->counted_at;

	passed = passed < 0 ? 0 : passed > COUNT_MS ? COUNT_MS : passed;
	row->left_ms = row->left_ms < passed ? 0 : row->left_ms - passed;
	row->counted_at = tx->at;
}

static void
go_on(struct tx *tx, struct deployment *work, const struct bake *row)
{
	if (work->state != DEPLOY_BAKING)
		return;
	decide_bake_wait(tx, work,
	    tx->at +
		(row->left_ms > 0 && row->left_ms < DECIDE_BAKE_LOOK_MS ? row->left_ms :
									  DECIDE_BAKE_LOOK_MS));
	decide_tell(tx, work, NULL);
	row_deployment_save(tx, work);
}

static void
note_unknown(struct tx *tx, const struct deployment *work, const struct bake *row)
{
	tx_count_metric(tx, INCREMENT_BAKE_UNKNOWN, work->environment, "", "", 1);
	tx_log(tx, LOG_LEVEL_WARNING,
	    "deployment %" PRId64 ": how it is while it bakes is not known: %s", work->id,
	    row->why);
}

static const char *
why_of(const struct said *said, const struct bake_look *look)
{
	return said->is_known	 ? "" :
	    look->why[0] != '\0' ? look->why :
				   "Prometheus did not say how it is";
}

static void
look_at(struct tx *tx, struct deployment *work, const struct bake_look *look)
{
	struct bake row;
	struct said said;

	row_bake_get(tx, work->id, &row);
	take_look(tx, work->id, look, false, &said);
	count(tx, &row);
	text_set(row.why, why_of(&said, look));
	row_bake_set(tx, &row);
	if (!said.is_known)
		note_unknown(tx, work, &row);
	if (said.wrong != NULL)
		regress(tx, work, &said);
	else if (row.left_ms == 0 && said.is_known && !said.is_firing)
		decide_waves_baked(tx, work);
	else if (row.left_ms == 0 && !said.is_known)
		prolong(tx, work, &row);
	go_on(tx, work, &row);
}

/* What git said of it stands in its text alone: that stays. */
static void
note_in(struct tx *tx, int64_t message, const struct chat_bake *bake)
{
	CLEANUP(message_done) struct message stands = { 0 };
	struct chat_text text = CHAT_TEXT_EMPTY;

	row_message_get(tx, message, &stands);
	if (stands.head == NULL || !chat_deployment_measured(&text, stands.head, bake))
		return;
	free(stands.head);
	stands.head = chat_text_take(&text);
	row_message_change(tx, message, &stands);
}

/* Where it is asked about; one of several questions in a message says it when it is by itself. */
static void
note(struct tx *tx, const struct deployment *work)
{
	int64_t rows[DECIDE_STANDING_ROWS];
	size_t n = decide_standing_list(tx, work, rows);
	struct chat_bake bake;

	(void)row_bake_get(tx, work->id, &bake.is);
	bake.n = row_bake_list(tx, work->id, bake.values);
	for (size_t i = 0; i < n && !decide_tell_batch_has(tx, work); i++)
		if (rows[i] != 0)
			note_in(tx, rows[i], &bake);
}

/* Of a question it is shown, and no more: what runs until its turn may be something else. */
static void
measured(struct tx *tx, struct deployment *work, const struct bake_look *look)
{
	bool is_turn = work->state == DEPLOY_QUEUED && !work->wait.is_asked_anew;
	struct bake row;
	struct said said;

	take_look(tx, work->id, look, true, &said);
	row_bake_get(tx, work->id, &row);
	row.work = work->id;
	row.measured_at = is_turn ? tx->at : 0;
	if (!row.is_to_pause)
		text_set(row.why, why_of(&said, look));
	row_bake_set(tx, &row);
	if (is_turn)
		decide_queue(tx, work->environment);
	else
		note(tx, work);
}

void
decide_bake_said(struct tx *tx, int64_t id, const struct bake_look *look)
{
	struct deployment work;

	row_deployment_get(tx, id, &work);
	if (work.state == DEPLOY_BAKING)
		look_at(tx, &work, look);
	else if (deploy_flow_class(work.state) == DEPLOY_CLASS_OPEN ||
	    deploy_flow_class(work.state) == DEPLOY_CLASS_QUEUED)
		measured(tx, &work, look);
}

void
decide_bake_due(struct tx *tx, int64_t id)
{
	struct deployment work;
	const struct environment_settings *of;
	struct bake row;

	row_deployment_get(tx, id, &work);
	if (work.state != DEPLOY_BAKING)
		return;
	row_bake_get(tx, id, &row);
	of = settings_environment(tx->settings, work.environment);
	if (row.is_to_pause) {
		row.is_to_pause = false;
		row.counted_at = tx->at;
		row_bake_set(tx, &row);
		decide_record_pause(tx, &work, "");
		(void)decide_step(tx, &work, DEPLOY_ON_PAUSE, NULL);
	} else if (of == NULL || bake_asks(of)) {
		decide_bake_measure(tx, &work);
	} else { /* it is watched by time alone */
		look_at(tx, &work, &(struct bake_look){ .is_present = true });
	}
}

/* --- what people want of it --- */

bool
decide_bake_is_meant(struct tx *tx, const struct update *update, const struct request *request,
    const struct deployment *active)
{
	int64_t meant = request_get_number(request, DECIDE_BAKE);

	if (meant == 0 || meant == active->id)
		return true;
	decide_expired(tx, update);
	return false;
}

static bool
pause(struct tx *tx, const struct update *update, struct deployment *work)
{
	bool is_running = work->state == DEPLOY_RUNNING || work->state == DEPLOY_VERIFYING;
	struct bake row;

	if (work->state != DEPLOY_BAKING &&
	    !(is_running && (decide_bakes(tx, work) || decide_waves_are_left(work))))
		return false;
	row_bake_get(tx, work->id, &row);
	row.work = work->id;
	row.is_to_pause = is_running;
	if (work->state == DEPLOY_BAKING)
		count(tx, &row);
	/* With nothing left it would be paused for want of an answer, and /live would end that. */
	if (row.left_ms == 0 && !is_running)
		row.left_ms = 1;
	row.counted_at = tx->at;
	text_setf(row.why, "by %s", update->name);
	row_bake_set(tx, &row);
	if (!is_running)
		(void)decide_step(tx, work, DEPLOY_ON_PAUSE, NULL);
	return true;
}

/* Before its time, also where none was left of it: what was last seen there was wrong, or is not
 * known and will not be. */
static void
cut(struct tx *tx, struct deployment *work)
{
	struct bake row;

	if (work->state == DEPLOY_PAUSED)
		(void)decide_step(tx, work, DEPLOY_ON_RESUME, NULL);
	row_bake_get(tx, work->id, &row);
	row.is_cut = true;
	if (decide_waves_are_left(work))
		row.left_ms =
		    0; /* where the next wave waits for a slot, that alone is waited for */
	row_bake_set(tx, &row);
	decide_waves_baked(tx, work);
}

#define LEFT_NAMED 3

/* "h1 and h2 run bbbbbbb, the others aaaaaaa"; of more hosts or releases, how many run which. */
static void
say_hosts(struct tx *tx, const struct deployment *work, struct chat_text *text)
{
	struct host_filter which = { work->environment, false, "" };
	struct host hosts[LEFT_NAMED];
	struct host_mix mix = { 0 }; /* all of its hosts may have left */
	struct host_share on;
	const char *others;
	char name[LIMIT_HOST];
	size_t n;

	row_host_mix(tx, work->environment, &mix);
	others = mix.of[mix.n == 2 && strcmp(mix.of[0].release, work->commit) == 0 ? 1 : 0].release;
	text_set(which.other_than, others);
	on = chat_host_share(&mix, work->commit);
	n = (size_t)on.n;
	if (mix.n != 2 || on.unknown > 0 || n > LEFT_NAMED ||
	    row_host_list(tx, &which, 0, hosts, n) != n || n == 0) {
		chat_host_mix(text, "", &mix);
		if (mix.n == 1 && on.unknown > 0)
			chat_text_add(text, "what any of its hosts runs is not known");
		else if (mix.n == 1)
			chat_text_add(text, "all hosts run %s", commit_name_here(COMMIT_OF(work)));
		return;
	}
	for (size_t i = 0; i < n; i++)
		chat_text_outside(text,
		    i == 0	  ? "" :
			i + 1 < n ? ", " :
				    " and ",
		    chat_host_name(&hosts[i], name));
	chat_text_add(text, " run%s %s, the others %.7s", n == 1 ? "s" : "",
	    commit_name_here(COMMIT_OF(work)), others[0] != '\0' ? others : "nothing");
}

/* What is on record does not run there, and nobody says that what does is well. */
static void
leave(struct tx *tx, const struct update *update, struct deployment *work)
{
	struct chat_text text = CHAT_TEXT_EMPTY;
	int64_t states[HOST_STATE_COUNT];
	const char *word = deploy_flow_why_word(DEPLOY_WHY_LEFT);
	char why[2 * LIMIT_LINE];
	bool is_known;

	(void)row_host_states(tx, work->environment, work->commit, states);
	is_known = work->waves == 0 || states[HOST_IS_UNKNOWN] + states[HOST_IS_TOUCHED] == 0;
	if (work->waves == 0)
		chat_text_add(&text, "%s runs there, and its bake had not ended",
		    commit_name_here(COMMIT_OF(work)));
	else
		say_hosts(tx, work, &text);
	text_setf(why, "%s by %s: %s", word, update->name, buf_text(&text.buf));
	buf_done(&text.buf);
	why[text_cut(why, strlen(why), LIMIT_LINE - 1)] = '\0';
	work->why = is_known ? DEPLOY_WHY_LEFT : DEPLOY_WHY_INTERRUPTED;
	text_set(work->detail, is_known ? why + strlen(word) + 1 : why);
	if (is_known)
		decide_unknown_mixed(tx, work->environment, why);
	else
		decide_unknown_left(tx, work, why);
	(void)decide_step(tx, work, DEPLOY_ON_LEAVE, NULL);
}

bool
decide_bake_wants(
    struct tx *tx, const struct update *update, struct deployment *work, enum decide_bake_wish wish)
{
	static const struct {
		enum deploy_state of;
		const char *outcome;
	} rows[] = {
		[DECIDE_BAKE_PAUSE] = { DEPLOY_BAKING, "paused" },
		[DECIDE_BAKE_RESUME] = { DEPLOY_PAUSED, "resumed" },
		[DECIDE_BAKE_LIVE] = { 0, "live" },
		[DECIDE_BAKE_LEAVE] = { DEPLOY_PAUSED, "left" },
	};
	bool is_done = wish == DECIDE_BAKE_PAUSE ? pause(tx, update, work) :
	    wish == DECIDE_BAKE_LIVE		 ? decide_bake_can_be_cut(tx, work) :
						   work->state == rows[wish].of;
	bool is_of_wave = wish == DECIDE_BAKE_LIVE && decide_waves_are_left(work);

	if (!is_done)
		return false;
	decide_audit_request(tx, work, update->person, AUDIT_CODE_BAKE_ANSWERED,
	    is_of_wave ? "bake_ended" : rows[wish].outcome,
	    (const char *const[]){ "name", update->name, NULL });
	if (wish == DECIDE_BAKE_RESUME)
		decide_waves_resume(tx, work);
	else if (wish == DECIDE_BAKE_LIVE)
		cut(tx, work);
	else if (wish == DECIDE_BAKE_LEAVE)
		leave(tx, update, work);
	return true;
}
