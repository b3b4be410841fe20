/* store_lane.c - lanes: who is out, who waits, whose turn it is.  Side: store. */
/* SPDX-License-Identifier: ISC */
/*
 * The rows say who stands in a lane, memory says who was handed out.  At the end of a transaction
 * every lane that it touched is looked at: where nobody is out, the head goes.
 */
#include <stdio.h>

#include "lib/array.h"
#include "lib/log.h"
#include "lib/text.h"
#include "settings/checks/settings_runners.h"
#include "store/row_runner_name.h"
#include "store/store_inside.h"
#include "types/effect_codec.h"

void
store_lane_of_chat(
    char out[STORE_LANE], enum effect_kind kind, enum store_lane_part part, int64_t chat)
{
	static const char *const parts[] = { [STORE_LANE_REST] = "",
		[STORE_LANE_EDITS] = ":edit",
		[STORE_LANE_ANSWERS] = ":answer",
		[STORE_LANE_ALARMS] = ":alarm",
		[STORE_LANE_CLOSING] = ":close",
		[STORE_LANE_HELD] = ":held",
		[STORE_LANE_PINNED] = ":pin" };

	/* Always fits. */
	(void)snprintf(
	    out, STORE_LANE, "%s:%lld%s", effect_name(kind), (long long)chat, parts[part]);
}

static enum store_lane_part
part_of(const struct effect *effect)
{
	const struct message *message = &effect->u.send_message.message;

	if (effect->kind != EFFECT_SEND_MESSAGE)
		return STORE_LANE_REST;
	if (message->held_until != 0)
		return STORE_LANE_HELD;
	if (message->remote_id != 0 && message->is_closing)
		return STORE_LANE_CLOSING;
	if (message->remote_id != 0 && message->is_pinned)
		return STORE_LANE_PINNED;
	if (message->is_alarm)
		return STORE_LANE_ALARMS;
	if (message->is_answer)
		return STORE_LANE_ANSWERS;
	return message->remote_id != 0 ? STORE_LANE_EDITS : STORE_LANE_REST;
}

void
store_lane_of_environment(char out[STORE_LANE], enum effect_kind kind, const char *name)
{
	(void)snprintf(out, STORE_LANE, "%s:%s", effect_name(kind), name); /* as above */
}

/* A poll keeps nobody from asking for an environment's commits. */
void
store_lane_of_polls(char out[STORE_LANE], const char *environment)
{
	(void)snprintf(out, STORE_LANE, "heads:%s", environment); /* as above */
}

void
store_lane_of(char out[STORE_LANE], const struct effect *effect)
{
	const struct effect_columns *columns = &effect_columns[effect->kind];
	const void *whose = (const char *)effect + columns->lane_at;

	out[0] = '\0';
	switch (columns->lane) {
	case EFFECT_LANE_NONE:
		break;
	case EFFECT_LANE_CHAT:
	case EFFECT_LANE_CALLBACK:
		store_lane_of_chat(out, effect->kind, part_of(effect), *(const int64_t *)whose);
		break;
	case EFFECT_LANE_ENVIRONMENT:
		if (effect->kind == EFFECT_GIT_QUERY && effect->u.git_query.kind == GIT_QUERY_HEADS)
			store_lane_of_polls(out, effect->u.git_query.environment);
		else if (effect->subject == 0 &&
		    !(effect->kind == EFFECT_GIT_QUERY && effect->u.git_query.push.by_job))
			store_lane_of_environment(out, effect->kind, whose);
		break;
	case EFFECT_LANE_EACH:
		store_lane_of_environment(out, effect->kind, whose);
		break;
	}
}

/* --- memory --- */

void
store_lane_touch(struct store *store, const char *lane)
{
	store_names_add(&store->lanes.touched, lane);
}

void
store_lane_touch_all(struct store *store)
{
	store->lanes.touched.is_all = true;
}

bool
store_lane_is_handed(const struct store *store, int64_t id)
{
	for (size_t i = 0; i < store->lanes.n_heads; i++)
		if (store->lanes.heads[i].id == id)
			return true;
	return false;
}

static void
add_head(struct lanes *lanes, int64_t id, const char *lane)
{
	struct lane_head *head = array_add(&lanes->heads, &lanes->n_heads, sizeof(*head));

	head->id = id;
	head->is_new = true;
	(void)text_copy(head->lane, sizeof(head->lane), lane);
}

void
store_lane_close(struct store *store, bool committed)
{
	struct lanes *lanes = &store->lanes;
	size_t kept = 0;

	for (size_t i = 0; i < lanes->n_heads; i++) {
		struct lane_head *head = &lanes->heads[i];
		bool goes = committed ? head->is_gone : head->is_new;

		head->is_new = false;
		head->is_gone = false;
		if (!goes)
			lanes->heads[kept++] = *head;
	}
	lanes->n_heads = kept;
	lanes->touched.n = 0;
	if (committed)
		lanes->touched.is_all = false;
}

void
store_lane_done(struct store *store)
{
	free(store->lanes.heads);
	store_names_done(&store->lanes.touched);
	store->lanes = (struct lanes){ 0 };
}

/* --- rows → effects --- */

#define COLUMNS "id, kind, lane, subject, body, due, at"

struct effect_row {
	int64_t id;
	int64_t at;
	char lane[STORE_LANE]; /* "": none */
	bool is_outbox;
	struct effect *effect; /* NULL: unreadable */
	struct err err;	       /* why */
};

static void
read_row(const struct db_rows *rows, struct effect_row *ret)
{
	enum effect_kind kind = effect_codec_kind(db_col_text(rows, 1));

	*ret = (struct effect_row){ .id = db_col_i64(rows, 0),
		.at = db_col_i64(rows, 6),
		.is_outbox = effect_is_outbox(kind) };
	tx_text(rows, 2, ret->lane, sizeof(ret->lane));
	if (kind == EFFECT_KIND_COUNT) {
		(void)err_set(&ret->err, ERR_INVALID, "an unknown kind of effect");
		return;
	}
	ret->effect = effect_codec_decode(kind, db_col_text(rows, 4), &ret->err);
	if (ret->effect == NULL)
		return;
	ret->effect->id = ret->id;
	ret->effect->subject = db_col_i64(rows, 3);
	ret->effect->due = db_col_i64(rows, 5);
	ret->effect->result->effect = ret->id;
}

/* Takes the row's effect. */
static void
hand_out(struct store *store, struct effect_row *row, bool is_recovered, struct queue_list *out)
{
	struct outcome *outcome = outcome_new(OUTCOME_EFFECT);

	if (row->lane[0] != '\0')
		add_head(&store->lanes, row->id, row->lane);
	outcome->effect = TAKE(row->effect);
	outcome->effect->is_recovered = is_recovered;
	outcome->effect->ordered_at = row->at;
	if (store->settings != NULL)
		outcome->effect->settings = settings_ref(store->settings);
	row_runner_name_read(store->settings, outcome->effect);
	queue_list_add(out, &outcome->link);
}

static bool
remove_row(struct store *store, const struct effect_row *row, struct err *err)
{
	if (!db_run(store->db, err, "DELETE FROM effect WHERE id = $1", DB_I64(row->id)))
		return false;
	store->mark.n_outbox -= row->is_outbox ? 1 : 0;
	return true;
}

/* Nobody is shown a button that does nothing any more. */
static bool
drop_closed_buttons(struct store *store, struct buttons *buttons, struct err *err)
{
	static const char closed[] =
	    "SELECT id FROM button WHERE (closed_at <> 0 OR (expires_at <> 0 AND expires_at <= $1))"
	    " AND id IN ($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
	_Static_assert(LIMIT_BUTTONS == 12, "as many as the statement names");
	struct db_value values[LIMIT_BUTTONS + 1];
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };
	bool is_closed[LIMIT_BUTTONS] = { 0 };
	size_t kept = 0;

	if (buttons->n == 0)
		return true;
	values[0] = DB_I64(store->at);
	for (size_t i = 0; i < LIMIT_BUTTONS; i++)
		values[i + 1] = DB_TEXT(i < buttons->n ? buttons->at[i].id : ""); /* none */
	if (!db_query_sql(
		&rows, store->db, err, &(const struct db_sql){ closed, values, COUNT(values) }))
		return false;
	while (db_next(&rows))
		for (size_t i = 0; i < buttons->n; i++)
			if (strcmp(buttons->at[i].id, db_col_text(&rows, 0)) == 0)
				is_closed[i] = true;
	for (size_t i = 0; i < buttons->n; i++)
		if (!is_closed[i])
			buttons->at[kept++] = buttons->at[i];
	buttons->n = kept;
	return db_rows_end(&rows, err);
}

/* The message that it shows is read now.  A row that can never be handed out goes: *ret_drop. */
static bool
complete(struct store *store, struct effect_row *row, bool *ret_drop, struct err *err)
{
	struct effect *effect = row->effect;
	const struct effect_columns *columns;
	struct message message = { 0 }, *shown;

	*ret_drop = false;
	if (effect == NULL) {
		log_error("effect %lld is dropped: %s", (long long)row->id, row->err.text);
		*ret_drop = true;
		return true;
	}
	columns = &effect_columns[effect->kind];
	*ret_drop = columns->drop_after_s > 0 &&
	    store->at - row->at > columns->drop_after_s * INT64_C(1000);
	if (columns->message_at == 0)
		return true;
	shown = (struct message *)((char *)effect + columns->message_at);
	if (store_message_show(store->db, shown->id, &message, err)) {
		*shown = message;
		shown->is_alarm = shown->remote_id == 0 && strstr(row->lane, ":alarm") != NULL;
		shown->is_closing = strstr(row->lane, ":close") != NULL;
		return shown->remote_id != 0 || drop_closed_buttons(store, &shown->buttons, err);
	}
	*ret_drop = err->code == ERR_MISSING;
	return *ret_drop;
}

/* --- turns --- */

static bool
read_head(struct store *store, const char *lane, struct effect_row *ret, struct err *err)
{
	struct db_rows rows = { 0 };

	*ret = (struct effect_row){ 0 };
	if (!db_query(&rows, store->db, err,
		"SELECT " COLUMNS " FROM effect WHERE lane = $1 ORDER BY id LIMIT 1",
		DB_TEXT(lane)))
		return false;
	if (db_next(&rows))
		read_row(&rows, ret);
	if (db_rows_end(&rows, err))
		return true;
	effect_free(ret->effect);
	return false;
}

/* Is one of the lane still out?  Those whose rows are gone are marked. */
static bool
is_out(struct store *store, const char *lane, bool *ret, struct err *err)
{
	*ret = false;
	for (size_t i = 0; i < store->lanes.n_heads; i++) {
		struct lane_head *head = &store->lanes.heads[i];
		int64_t n;

		if (head->is_gone || strcmp(head->lane, lane) != 0)
			continue;
		if (!db_one_i64(&n, store->db, err, "SELECT COUNT(*) FROM effect WHERE id = $1",
			DB_I64(head->id)))
			return false;
		head->is_gone = n == 0;
		if (n > 0)
			*ret = true;
	}
	return true;
}

static bool hand_out_head(struct store *store, const char *lane, bool is_recovered,
    struct queue_list *out, struct err *err);

/* Its head, where nobody of it is out. */
static bool
advance(struct store *store, const char *lane, bool is_recovered, struct queue_list *out,
    struct err *err)
{
	bool busy;

	return is_out(store, lane, &busy, err) &&
	    (busy || hand_out_head(store, lane, is_recovered, out, err));
}

/* What was sent while this waited is edited by it: it keeps nobody waiting any more. */
static bool
move(struct store *store, const struct effect_row *row, bool *ret_moved, bool is_recovered,
    struct queue_list *out, struct err *err)
{
	char lane[STORE_LANE];

	store_lane_of(lane, row->effect);
	*ret_moved = row->effect->kind == EFFECT_SEND_MESSAGE && strcmp(lane, row->lane) != 0;
	return !*ret_moved ||
	    (db_run(store->db, err, "UPDATE effect SET lane = $2 WHERE id = $1", DB_I64(row->id),
		 DB_TEXT(lane)) &&
		advance(store, lane, is_recovered, out, err));
}

/* NOLINTNEXTLINE(misc-no-recursion): of another lane, where what it was has changed */
static bool
hand_out_head(struct store *store, const char *lane, bool is_recovered, struct queue_list *out,
    struct err *err)
{
	struct effect_row row;
	bool moved = false, drop, ok;

	do {
		drop = false;
		if (!read_head(store, lane, &row, err))
			return false;
		if (row.id == 0)
			return true;
		ok = complete(store, &row, &drop, err);
		if (ok && drop)
			ok = remove_row(store, &row, err);
		else if (ok)
			ok = move(store, &row, &moved, is_recovered, out, err);
		if (ok && !drop && !moved)
			hand_out(store, &row, is_recovered, out);
		effect_free(row.effect);
		if (!ok)
			return false;
	} while (drop);
	/* What it let go may have been of this lane, and be out by now. */
	return !moved || advance(store, lane, is_recovered, out, err);
}

/* Lanes were renamed: what is out stands where its row says now. */
static bool
refresh_heads(struct store *store, struct err *err)
{
	for (size_t i = 0; i < store->lanes.n_heads; i++) {
		struct lane_head *head = &store->lanes.heads[i];
		struct db_rows rows = { 0 };

		if (!db_query(&rows, store->db, err, "SELECT lane FROM effect WHERE id = $1",
			DB_I64(head->id)))
			return false;
		head->is_gone = true;
		if (db_next(&rows)) {
			head->is_gone = false;
			tx_text(&rows, 0, head->lane, sizeof(head->lane));
		}
		if (!db_rows_end(&rows, err))
			return false;
	}
	return true;
}

static bool
touch_every_lane(struct store *store, struct err *err)
{
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };

	if (!refresh_heads(store, err) ||
	    !db_query(&rows, store->db, err,
		"SELECT DISTINCT lane FROM effect WHERE lane IS NOT NULL ORDER BY lane"))
		return false;
	store->lanes.touched.n = 0;
	while (db_next(&rows))
		store_lane_touch(store, db_col_text(&rows, 0));
	return db_rows_end(&rows, err);
}

bool
store_lane_advance(struct store *store, struct queue_list *out, struct err *err)
{
	const struct store_names *touched = &store->lanes.touched;

	if (touched->is_all && !touch_every_lane(store, err))
		return false;
	for (size_t i = 0; i < touched->n; i++)
		if (!advance(store, touched->names[i], false, out, err))
			return false;
	return true;
}

/* --- runs: their messages, and whether they were started --- */

static bool
fill_run(struct store *store, struct effect *effect, struct err *err)
{
	struct message message = { 0 };
	struct db_rows rows = { 0 };
	int64_t id = 0;
	bool is_in_waves = false, has_hosts = false, is_back;

	if (!db_query(&rows, store->db, err,
		"SELECT d.message, COALESCE(r.started_at, 0), COALESCE(r.ordered_at, 0),"
		" COALESCE(r.runner, 'local'), d.waves, EXISTS (SELECT 1 FROM host h"
		" WHERE h.environment = d.environment AND (h.run = $2 OR h.drain = $2))"
		" FROM work d LEFT JOIN run r ON r.id = $2 WHERE d.id = $1",
		DB_I64(effect->u.run.deployment), DB_I64(effect->u.run.run)))
		return false;
	if (db_next(&rows)) {
		id = db_col_i64(&rows, 0);
		effect->u.run.started_at = db_col_i64(&rows, 1);
		effect->u.run.ordered_at = db_col_i64(&rows, 2);
		(void)text_copy(effect->u.run.runner, LIMIT_RUNNER, db_col_text(&rows, 3));
		settings_runner_read(store->settings, effect->u.run.runner);
		is_in_waves = db_col_i64(&rows, 4) > 0;
		has_hosts = is_in_waves || db_col_i64(&rows, 5) != 0;
	}
	is_back = is_in_waves && effect->u.run.program == PROGRAM_ROLLBACK;
	if (!db_rows_end(&rows, err) ||
	    (has_hosts && !store_host_lines(store, effect, is_back, err)))
		return false;
	/* A drain's output is shown nowhere: the message is about its deployment. */
	if (effect->u.run.program == PROGRAM_DRAIN)
		id = 0;
	if (!store_message_show(store->db, id, &message, err) && err->code != ERR_MISSING)
		return false;
	message_done(&effect->u.run.message);
	effect->u.run.message = message;
	return true;
}

/* As they stand at the end of the transaction; the row's range is what fits in `most`. */
static bool
fill_lines(struct store *store, int64_t first, int64_t last, size_t most, char **lines,
    size_t *ret_size, struct err *err)
{
	int64_t found = last;
	CLEANUP(buf_done) struct buf text = buf_make(most + AUDIT_LINE_MAX + 1);
	bool ok;

	ok = store_audit_lines(store->db, first, last - first + 1, &text, &found, err) &&
	    buf_check(&text, err);
	*ret_size = found == last ? text.size : 0; /* rows are gone: nothing to send */
	free(*lines);
	*lines = ok ? buf_take(&text) : NULL;
	return ok;
}

static bool
fill(struct store *store, struct effect *effect, struct err *err)
{
	struct effect_witness *witness = &effect->u.witness;

	if (effect->kind == EFFECT_WITNESS)
		return fill_lines(store, witness->first, witness->last, WITNESS_OBJECT_MAX,
		    &witness->lines, &witness->size, err);
	if (effect->kind == EFFECT_PROBE || effect->kind == EFFECT_PROM_QUERY)
		return store_host_lines(store, effect, false, err);
	return effect->kind != EFFECT_RUN || fill_run(store, effect, err);
}

bool
store_lane_fill_runs(struct store *store, struct queue_list *out, struct err *err)
{
	for (struct queue_link *link = out->first; link != NULL; link = link->next) {
		struct outcome *outcome = QUEUE_ITEM(link, struct outcome, link);

		if (outcome->kind == OUTCOME_EFFECT && !fill(store, outcome->effect, err))
			return false;
	}
	return true;
}

/* --- at start --- */

static bool
recover_rest(struct store *store, struct queue_list *out, struct err *err)
{
	struct db_rows rows = { 0 };
	struct effect_row row;
	bool ok = true;

	if (!db_query(&rows, store->db, err,
		"SELECT " COLUMNS " FROM effect WHERE lane IS NULL ORDER BY id"))
		return false;
	while (ok && db_next(&rows)) {
		read_row(&rows, &row);
		if (row.effect == NULL)
			ok = err_set(err, ERR_CONFIG, "open effect %lld: %s", (long long)row.id,
			    row.err.text);
		else
			hand_out(store, &row, true, out);
		effect_free(row.effect);
	}
	return db_rows_end(&rows, ok ? err : NULL) && ok;
}

/* What a message was to say before it is sent anew: nothing of it is in hand any more. */
static bool
drop_passed(struct store *store, struct err *err)
{
	if (!db_run(store->db, err,
		"DELETE FROM effect WHERE kind = 'say'"
		" AND id < (SELECT m.anew FROM message m WHERE m.id = effect.subject)"))
		return false;
	store->mark.n_outbox -= db_changes(store->db);
	return true;
}

/* Of versions before: the server sent the audit to collectors itself, and new second factors into
 * chats as pictures.  One of which it is not known who has seen it counts no more. */
static bool
drop_removed(struct store *store, struct err *err)
{
	return db_run(store->db, err,
		   "DELETE FROM factor WHERE enrolled_at = 0 AND EXISTS (SELECT 1 FROM effect"
		   " WHERE kind IN ('picture', 'delete') AND body LIKE '{\"person\":' ||"
		   " factor.person || ',%\"made_at\":' || factor.made_at || '}')") &&
	    db_run(store->db, err,
		"DELETE FROM effect WHERE kind IN ('forward', 'picture')"
		" OR (kind = 'wait' AND (body LIKE '{\"wait\":\"forward\"%'"
		" OR body LIKE '{\"wait\":\"picture\"%'))");
}

bool
store_lane_recover(struct store *store, struct queue_list *out, struct err *err)
{
	if (!drop_removed(store, err) || !drop_passed(store, err) ||
	    !recover_rest(store, out, err) || !store_lane_fill_runs(store, out, err) ||
	    !touch_every_lane(store, err))
		return false;
	for (size_t i = 0; i < store->lanes.touched.n; i++)
		if (!advance(store, store->lanes.touched.names[i], true, out, err))
			return false;
	return true;
}
