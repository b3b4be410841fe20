/* store_batch.c - decides a batch: decode, BEGIN, a savepoint for each event, COMMIT, hand over.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "lib/crash_point.h"
#include "lib/crypto.h"
#include "lib/db_upkeep.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "store/leader_fence.h"
#include "store/row_stranger.h"
#include "store/store_inside.h"
#include "types/api.h"
#include "types/effect_codec.h"

#define KEY_MAX 112 /* of an event from outside, for the poison page */

/* An event as it came, with what it was decoded to: one answer for all of that. */
struct group {
	struct event *event;
	struct queue_list decoded;
	struct outcome *answer; /* NULL: nobody waits */
	bool is_quarantined;	/* it ended the program three times */
	bool is_unreadable;	/* decode's status stands */
	bool is_decided;
	struct answer told;
};

struct batch {
	size_t n;
	struct group *groups;
	struct queue_list outcomes;
	struct queue_list lines; /* for the log, once it is durable */
};

enum verdict {
	KEPT,
	UNDONE, /* its savepoint was rolled back */
	BROKEN, /* the transaction cannot go on */
};

/* --- before the transaction: decoding --- */

/* Only compared with itself: nobody gains by making two bodies that share it. */
static uint64_t
fingerprint(const struct bytes *bytes)
{
	uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a */

	for (size_t i = 0; i < bytes->size; i++)
		hash = (hash ^ (unsigned char)bytes->data[i]) * UINT64_C(1099511628211);
	return hash;
}

/* What an event from outside is known by when it comes again; "" for others. */
static void
key_of(const struct event *event, char out[KEY_MAX])
{
	out[0] = '\0';
	if (event->kind == EVENT_DELIVERY)
		(void)snprintf(out, KEY_MAX, "delivery %s", event->u.delivery.id);
	else if (event->source != SOURCE_NONE)
		(void)snprintf(out, KEY_MAX, "raw %d %zu %016" PRIx64, (int)event->source,
		    event->raw.size, fingerprint(&event->raw));
	else if (event->kind == EVENT_UPDATE && event->u.update != NULL)
		(void)snprintf(out, KEY_MAX, "update %lld", (long long)event->u.update->id);
	else if (event->kind == EVENT_API)
		(void)snprintf(out, KEY_MAX, "%s %lld %.40s %.32s",
		    api_rows[event->u.api->operation].path, (long long)event->u.api->from.person,
		    event->u.api->request.target, event->u.api->from.text); /* cut is fine */
	else if (event->kind == EVENT_HOOK)
		(void)snprintf(out, KEY_MAX, "hook %.41s %016" PRIx64, event->u.hook->id,
		    fingerprint(&(struct bytes){
			(char *)event->u.hook->digest, sizeof(event->u.hook->digest) }));
}

/* Decoded events are of the moment of the one they came in, each with a seed of its own. */
static bool
set_context(struct event *event, const struct event *from, uint32_t index, struct err *err)
{
	uint8_t seed[sizeof(from->context.random) + sizeof(index)];

	event_set_context(event, from);
	memcpy(seed, from->context.random, sizeof(from->context.random));
	memcpy(seed + sizeof(from->context.random), &index, sizeof(index));
	_Static_assert(sizeof(event->context.random) == CRYPTO_SHA256_SIZE, "a hash is a seed");
	return crypto_sha256(seed, sizeof(seed), event->context.random, err);
}

static bool
decode(struct store *store, struct group *group, struct err *err)
{
	store_decode *const decoder =
	    store->config.decoders == NULL ? NULL : store->config.decoders[group->event->source];
	uint32_t index = 0;
	char key[KEY_MAX];

	assert(decoder != NULL); /* serve.c joins every source with its decoder */
	key_of(group->event, key);
	if (store_poison_is(store->poison, key)) {
		group->is_quarantined = true;
		return true;
	}
	store_poison_enter(store->poison, key);
	group->is_unreadable =
	    !decoder(group->event, &group->decoded, &group->told.status, &group->told.offset);
	store_poison_leave(store->poison);
	for (struct queue_link *l = group->decoded.first; l != NULL; l = l->next)
		if (!set_context(QUEUE_ITEM(l, struct event, link), group->event, index++, err))
			return false;
	return true;
}

/* No decision is of a time before one of another server. */
static void
keep_time(struct leader_fence *fence, struct event *event)
{
	if (event->context.at < fence->at)
		event->context.at = fence->at;
	fence->at = event->context.at;
}

/* Takes the events; what an answer needs is there before anything is decided. */
static bool
batch_init(struct batch *batch, struct store *store, struct queue_list *events, struct err *err)
{
	struct queue_link *link;

	*batch = (struct batch){ 0 };
	batch->groups = mem_new(events->length, sizeof(*batch->groups));
	while ((link = queue_list_take(events)) != NULL) {
		struct group *group = &batch->groups[batch->n++];

		group->event = QUEUE_ITEM(link, struct event, link);
		group->told.status = 200;
		if (store->config.fence != NULL)
			keep_time(store->config.fence, group->event);
		if (group->event->done != NULL) {
			group->answer = outcome_new(OUTCOME_ANSWER);
			group->answer->done = group->event->done;
			group->answer->done_ctx = group->event->done_ctx;
		}
	}
	for (size_t i = 0; i < batch->n; i++)
		if (batch->groups[i].event->source != SOURCE_NONE &&
		    !decode(store, &batch->groups[i], err))
			return false;
	return true;
}

static void
batch_done(struct batch *batch)
{
	for (size_t i = 0; i < batch->n; i++) {
		event_free_all(&batch->groups[i].decoded);
		event_free(batch->groups[i].event);
		outcome_free(batch->groups[i].answer);
		free(batch->groups[i].told.text);
	}
	free(batch->groups);
	outcome_free_all(&batch->outcomes);
	tx_free_lines(&batch->lines);
}

/* --- one decision in its savepoint --- */

/* The effect that a result closes. */
struct closed {
	bool was_open;
	enum effect_kind kind;
	int64_t subject;
	struct effect *effect; /* owned; NULL: its body cannot be read */
};

/* RETURNING would fill a tree of its own with the one row. */
static bool
close_effect(struct tx *tx, int64_t id, struct closed *ret)
{
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };

	*ret = (struct closed){ 0 };
	if (!tx_query(&rows, tx,
		"SELECT kind, subject, body, due, lane, at FROM effect WHERE id = $1", DB_I64(id)))
		return false;
	if (db_next(&rows)) {
		ret->was_open = true;
		ret->kind = effect_codec_kind(db_col_text(&rows, 0));
		ret->subject = db_col_i64(&rows, 1);
		if (ret->kind != EFFECT_KIND_COUNT)
			ret->effect = effect_codec_decode(ret->kind, db_col_text(&rows, 2), NULL);
		if (ret->effect != NULL) {
			ret->effect->id = id;
			ret->effect->subject = ret->subject;
			ret->effect->due = db_col_i64(&rows, 3);
			ret->effect->ordered_at = db_col_i64(&rows, 5);
		}
		if (!db_col_is_null(&rows, 4))
			store_lane_touch(tx->store, db_col_text(&rows, 4));
		tx->store->mark.n_outbox -= effect_is_outbox(ret->kind) ? 1 : 0;
		while (db_next(&rows))
			continue;
	}
	if (!tx_end(tx, &rows))
		return false;
	return !ret->was_open || tx_run(tx, "DELETE FROM effect WHERE id = $1", DB_I64(id));
}

/* Closes the effect that the event is the result of, then lets the handler decide (NULL: none).
 * A result whose effect is no longer open changes nothing. */
static void
act(struct tx *tx, store_handler *handler, struct closed *closed)
{
	if (tx->event->effect != 0) {
		if (!close_effect(tx, tx->event->effect, closed) || !closed->was_open)
			return;
		if (closed->effect == NULL && tx->event->kind != EVENT_FAULT)
			tx_fail(tx, ERR_INVALID, "the row of effect %lld cannot be read",
			    (long long)tx->event->effect);
		tx->effect = closed->effect;
	}
	if (handler != NULL && !tx->failed)
		handler(tx, tx->event);
}

static enum verdict
attempt(struct tx *tx, struct store *store, const struct event *event, store_handler *handler,
    struct closed *ret_closed)
{
	const struct store_mark mark = store->mark;

	*ret_closed = (struct closed){ 0 };
	tx_begin(tx, store, event);
	if (!db_savepoint(store->db, &tx->err))
		return BROKEN;
	act(tx, handler, ret_closed);
	CRASH_POINT(decision_made);
	effect_free(TAKE(ret_closed->effect));
	tx->effect = NULL;
	free(TAKE(tx->factor));
	if (!tx->failed && db_release(store->db, &tx->err))
		return KEPT;
	store->mark = mark;
	free(TAKE(tx->answer.text));
	outcome_free_all(&tx->outcomes);
	tx_free_lines(&tx->lines);
	free(TAKE(tx->answer.targets));
	if (!db_in_transaction(store->db) || !db_rollback_to(store->db, NULL))
		return BROKEN;
	return UNDONE;
}

/* What a decision that was kept hands out with the commit. */
static void
keep(struct batch *batch, struct tx *tx)
{
	queue_list_append(&batch->outcomes, &tx->outcomes);
	queue_list_append(&batch->lines, &tx->lines);
}

/* The disk: it may well be decided another time. */
static bool
is_passing(const struct err *err)
{
	return err->code == ERR_FULL || err->code == ERR_IO;
}

static store_handler *
handler_of(const struct store *store, enum event_kind kind)
{
	return store->config.handlers == NULL ? NULL : store->config.handlers[kind];
}

/* --- when a handler failed --- */

/* Nothing that its handler wrote was kept; the effect is closed all the same, and FAULT says what
 * becomes of what it served. */
static enum verdict
decide_fault(struct store *store, struct batch *batch, const struct event *event,
    const struct closed *closed, const struct err *reason)
{
	struct event fault = {
		.kind = EVENT_FAULT,
		.context = event->context, /* borrowed, with its reference */
		.effect = event->effect,
		.u.fault = { .kind = (int)closed->kind, .subject = closed->subject },
	};
	struct closed again;
	enum verdict verdict;
	struct tx tx;

	if (!closed->was_open) /* not even its row was seen: FAULT would not know what ends */
		return BROKEN;
	if (event->kind == EVENT_MESSAGE_SENT) {
		fault.u.fault.chat = event->u.message_sent.chat;
		fault.u.fault.remote_id = event->u.message_sent.remote_id;
	}
	if (event->kind == EVENT_RUN_ENDED)
		fault.u.fault.folder_gone =
		    event->u.run_ended.folder_gone || event->u.run_ended.unswept;
	fault.u.fault.is_of_database = reason->is_of_database;
	(void)text_copy(fault.u.fault.reason, sizeof(fault.u.fault.reason), reason->text);
	verdict = attempt(&tx, store, &fault, handler_of(store, EVENT_FAULT), &again);
	if (verdict == UNDONE && is_passing(&tx.err))
		return BROKEN;
	if (verdict == UNDONE) {
		log_error("event fault: %s", tx.err.text);
		verdict = attempt(&tx, store, &fault, NULL, &again);
	}
	if (verdict == KEPT)
		keep(batch, &tx);
	return verdict == KEPT ? KEPT : BROKEN;
}

/* The entry that stands for an event that could not be handled. */
static void
audit_quarantined(struct tx *tx, const struct event *event)
{
	bool is_update = event->kind == EVENT_UPDATE;
	const char *source = is_update	  ? "telegram" :
	    event->kind == EVENT_API	  ? "api" :
	    event->kind == EVENT_HOOK	  ? "hook" :
	    event->kind == EVENT_DELIVERY ? delivery_forge_word(event->u.delivery.forge) :
					    "github";
	char key[KEY_MAX];
	const struct audit_entry entry = {
		.code = AUDIT_CODE_EVENT_QUARANTINED,
		.user = "system",
		.outcome = "put aside",
	};
	const char *const meta[] = { "source", source, "event", key, "reason",
		"deciding on it fails", NULL };

	key_of(event, key);
	if (is_update) /* anybody can send one */
		row_stranger_audit(tx, "telegram: quarantined", 1, key, &entry, meta);
	else
		row_audit_add(tx, &entry, meta);
}

static enum verdict
quarantined(struct store *store, struct batch *batch, const struct event *event)
{
	struct closed none;
	struct tx tx;
	enum verdict verdict = attempt(&tx, store, event, audit_quarantined, &none);

	if (verdict == KEPT)
		keep(batch, &tx);
	return verdict;
}

/* A 200 means never lost: only an update gets it, which would block its chat for a day. */
static enum verdict
decide_failure(struct store *store, struct batch *batch, const struct event *event,
    const struct closed *closed, const struct err *reason, int *ret_status)
{
	enum verdict verdict;

	if (is_passing(reason)) {
		log_warning("event %s: %s", event_name(event->kind), reason->text);
		*ret_status = 503;
		return event_is_from_outside(event) ? UNDONE : BROKEN;
	}
	log_error("event %s: %s", event_name(event->kind), reason->text);
	*ret_status = event->kind == EVENT_UPDATE || event->effect != 0 ? 200 : 500;
	if (event->effect != 0)
		return decide_fault(store, batch, event, closed, reason);
	if (!event_is_from_outside(event))
		return UNDONE;
	verdict = quarantined(store, batch, event);
	if (verdict == UNDONE) /* not even the entry could be written */
		*ret_status = 503;
	return verdict;
}

/* --- a batch --- */

static void
tell(struct group *group, const struct answer *answer, int status)
{
	struct answer *told = &group->told;

	if (!group->is_unreadable || status >= 500)
		told->status = status > told->status ? status : told->status;
	told->is_duplicate = answer->is_duplicate && (told->is_duplicate || !group->is_decided);
	if (answer->offset > told->offset)
		told->offset = answer->offset;
	if (answer->text != NULL) { /* one event, one answer */
		told->text = answer->text;
		told->work = answer->work;
		told->is_ended = answer->is_ended;
		told->log_work = answer->log_work;
		told->log_goes_on = answer->log_goes_on;
		told->as = answer->as;
		told->is_lent = answer->is_lent;
		told->targets = answer->targets;
		told->n_targets = answer->n_targets;
		memcpy(told->log_of, answer->log_of, sizeof(told->log_of));
		told->log_lines = answer->log_lines;
		memcpy(told->log_note, answer->log_note, sizeof(told->log_note));
		memcpy(told->log_runner, answer->log_runner, sizeof(told->log_runner));
	}
	group->is_decided = true;
}

static bool
decide_one(struct store *store, struct batch *batch, struct group *group, const struct event *event,
    struct err *err)
{
	struct closed closed;
	enum verdict verdict;
	char key[KEY_MAX];
	struct tx tx;
	int status;

	key_of(event, key);
	if (group->is_quarantined || (key[0] != '\0' && store_poison_is(store->poison, key))) {
		verdict = quarantined(store, batch, event);
		tell(group, &(struct answer){ 0 }, verdict == KEPT ? 200 : 503);
		return verdict != BROKEN ||
		    err_set(err, ERR_IO, "an event could not be quarantined");
	}
	store_poison_enter(store->poison, key);
	verdict = attempt(&tx, store, event, handler_of(store, event->kind), &closed);
	store_poison_leave(store->poison);
	status = tx.answer.status;
	if (verdict == KEPT) {
		keep(batch, &tx);
		store->mark.audit_seen = store->mark.audit.seq;
	} else if (verdict == UNDONE) {
		verdict = decide_failure(store, batch, event, &closed, &tx.err, &status);
	}
	if (verdict == BROKEN) {
		*err = tx.err;
		return false;
	}
	tell(group, verdict == KEPT ? &tx.answer : &(struct answer){ 0 }, status);
	return true;
}

static bool
decide_group(struct store *store, struct batch *batch, struct group *group, struct err *err)
{
	struct queue_link *link;

	store_remember(store, group->event->context.settings, group->event->context.at);
	if (group->event->source == SOURCE_NONE || group->is_quarantined)
		return decide_one(store, batch, group, group->event, err);
	for (link = group->decoded.first; link != NULL; link = link->next)
		if (!decide_one(store, batch, group, QUEUE_ITEM(link, struct event, link), err))
			return false;
	return true;
}

static double
seconds_now(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail */
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* The lease is not renewed while a batch is decided: of one that is long the rest is another. */
static void
put_back(struct batch *batch, size_t from, struct queue_list *events)
{
	for (size_t i = from; i < batch->n; i++) {
		struct group *group = &batch->groups[i];

		queue_list_add(events, &TAKE(group->event)->link);
		event_free_all(&group->decoded);
		outcome_free(group->answer);
	}
	batch->n = from;
}

static bool
decide_all(struct store *store, struct batch *batch, struct queue_list *events, struct err *err)
{
	const struct leader_fence *fence = store->config.fence;
	const struct store_ids before = store->mark.ids;
	double began;

	if (db_flush_failed(store->db))
		return err_set(err, ERR_IO, "fsync failed: the state on disk is unknown");
	if (!db_begin(store->db, err))
		return false;
	for (size_t i = 0; i < batch->n; i++) {
		if (!decide_group(store, batch, &batch->groups[i], err))
			return false;
		if (fence != NULL && leader_fence_is_long(fence))
			put_back(batch, i + 1, events);
	}
	if (!store_lane_advance(store, &batch->outcomes, err) ||
	    !store_lane_fill_runs(store, &batch->outcomes, err) ||
	    !store_gauges_add(store, &batch->outcomes, err) ||
	    !store_ids_write(store->db, &before, &store->mark.ids, err))
		return false;
	began = seconds_now();
	CRASH_POINT(batch_decided);
	if (!db_commit(store->db, err))
		return false;
	CRASH_POINT(batch_committed);
	store_count_metric(&batch->outcomes, INCREMENT_COMMIT, seconds_now() - began);
	return true;
}

/* The log reports what has happened, so not before it has. */
static void
write_lines(struct batch *batch)
{
	for (struct queue_link *l = batch->lines.first; l != NULL; l = l->next) {
		const struct tx_line *line = QUEUE_ITEM(l, struct tx_line, link);

		log_line(line->level, NULL, 0, "%s", line->text);
	}
}

static void
note_gauges(struct store *store, const struct batch *batch)
{
	for (struct queue_link *l = batch->outcomes.first; l != NULL; l = l->next) {
		const struct outcome *outcome = QUEUE_ITEM(l, struct outcome, link);

		if (outcome->kind == OUTCOME_GAUGES)
			store->gauges =
			    (struct gauges){ .outbox_pending = outcome->gauges->outbox_pending,
				    .audit_entries = outcome->gauges->audit_entries,
				    .missing_since = outcome->gauges->missing_since };
	}
	store_names_clear(&store->changed);
	store->is_outside_changed = false;
	store->are_tokens_stale = false;
	store->are_peers_stale = false;
}

/* What is on disk did not end the program: each may count anew. */
static void
forget_decided(struct store *store, const struct batch *batch)
{
	char key[KEY_MAX];

	for (size_t i = 0; i < batch->n; i++) {
		const struct group *group = &batch->groups[i];

		if (group->told.status >= 500)
			continue; /* it comes again */
		key_of(group->event, key);
		store_poison_forget(store->poison, key);
		for (struct queue_link *l = group->decoded.first; l != NULL; l = l->next) {
			key_of(QUEUE_ITEM(l, struct event, link), key);
			store_poison_forget(store->poison, key);
		}
	}
}

/* Answers first: somebody waits for them. */
static void
hand_over(struct store *store, struct batch *batch, struct queue_list *ret_outcomes)
{
	note_gauges(store, batch);
	if (!store_poison_is_empty(store->poison))
		forget_decided(store, batch);
	for (size_t i = 0; i < batch->n; i++) {
		struct group *group = &batch->groups[i];

		if (group->answer == NULL)
			continue;
		group->answer->answer = group->told;
		group->told.text = NULL;
		if (group->told.status >= 500)
			group->answer->answer.offset = 0; /* it has to come again */
		queue_list_add(ret_outcomes, &TAKE(group->answer)->link);
	}
	queue_list_append(ret_outcomes, &batch->outcomes);
}

/* Nothing was decided: who can come again is answered so, what is ours is given again. */
static void
give_back(struct store *store, struct batch *batch, struct queue_list *events,
    struct queue_list *ret_outcomes)
{
	struct outcome *fatal = db_flush_failed(store->db) ? outcome_new(OUTCOME_FATAL) : NULL;
	struct queue_list ours = { 0 };

	if (fatal != NULL)
		queue_list_add(ret_outcomes, &fatal->link);
	for (size_t i = 0; i < batch->n; i++) {
		struct group *group = &batch->groups[i];

		if (!event_is_from_outside(group->event)) {
			queue_list_add(&ours, &TAKE(group->event)->link);
			continue;
		}
		if (group->answer == NULL)
			continue;
		group->answer->answer = (struct answer){ .status = 503 };
		queue_list_add(ret_outcomes, &TAKE(group->answer)->link);
	}
	queue_list_append(&ours, events);
	*events = ours;
}

bool
store_batch(struct store *store, struct queue_list *events, struct queue_list *ret_outcomes,
    struct err *err)
{
	const struct store_mark mark = store->mark;
	struct batch batch;
	bool ok;

	if (events->length == 0)
		return true;
	ok = batch_init(&batch, store, events, err) && decide_all(store, &batch, events, err);
	if (!ok) {
		db_rollback(store->db);
		store->mark = mark;
		if (store->config.fence != NULL && store->config.fence->is_deposed)
			err->code = ERR_CHANGED;
	}
	store_lane_close(store, ok);
	assert(db_idle(store->db));
	if (ok)
		hand_over(store, &batch, ret_outcomes);
	else if (err->code != ERR_CHANGED)
		give_back(store, &batch, events, ret_outcomes);
	if (ok)
		write_lines(&batch);
	batch_done(&batch);
	return ok;
}

void
store_refuse(struct queue_list *events, struct queue_list *ret_outcomes)
{
	struct queue_list ours = { 0 };
	struct queue_link *link;

	while ((link = queue_list_take(events)) != NULL) {
		struct event *event = QUEUE_ITEM(link, struct event, link);

		if (!event_is_from_outside(event)) {
			queue_list_add(&ours, link);
			continue;
		}
		if (event->done != NULL) {
			struct outcome *answer = outcome_new(OUTCOME_ANSWER);

			answer->done = event->done;
			answer->done_ctx = event->done_ctx;
			answer->answer = (struct answer){ .status = 503 };
			queue_list_add(ret_outcomes, &answer->link);
		}
		event_free(event);
	}
	*events = ours;
}
