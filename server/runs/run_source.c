/* run_source.c - a run's log, wherever it is.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "runs/run_source.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/err.h"
#include "lib/file.h"
#include "lib/loop.h"
#include "lib/mem.h"
#include "runs/agents.h"
#include "runs/run_files.h"
#include "runs/run_log.h"
#include "runs/run_piece.h"

/* What is waited for: a piece, or the next of a copy. */
struct waiting {
	LIST_ENTRY(waiting) next;
	struct run_source *source;
	struct agent_link *runner;
	struct agent_read read;
	struct loop_timer timer;
	struct run_source_order order;
	run_source_piece_fn *on_piece; /* NULL: it is copied */
	run_source_document_fn *on_document;
	int copy; /* -1: its first piece has not come */
};

struct run_source {
	struct loop *loop;
	struct agents *agents;
	struct redact *redact;
	LIST_HEAD(waiting_list, waiting) waiting;
	char state_directory[];
};

/* --- what is waited for ------------------------------------------------------------------- */

static void
free_waiting(struct waiting *waiting)
{
	LIST_REMOVE(waiting, next);
	loop_timer_stop(&waiting->timer);
	agent_reads_cancel(agent_link_channels(waiting->runner), &waiting->read);
	if (waiting->copy != -1)
		(void)close(waiting->copy); /* it has no name: nothing is lost by it */
	free(waiting);
}

static void
fail(struct waiting *waiting, const char *why)
{
	if (waiting->on_piece != NULL)
		waiting->on_piece(waiting->order.ctx, NULL, waiting->order.offset, why);
	else
		waiting->on_document(waiting->order.ctx, NULL, why);
	free_waiting(waiting);
}

/* Nothing is waited for where it is known that nothing comes. */
static bool
is_away(const struct agent_link *runner, char why[LIMIT_LINE])
{
	if (agent_link_seen(runner).state == AGENT_CONNECTED)
		return false;
	agent_link_why(runner, why);
	return true;
}

static void
on_late(UNUSED struct loop_timer *timer, void *ctx)
{
	struct waiting *waiting = ctx;
	char why[LIMIT_LINE];

	if (!is_away(waiting->runner, why))
		(void)snprintf(why, sizeof(why), "the runner %s does not answer",
		    strchr(agent_link_identity(waiting->runner), '/') + 1);
	fail(waiting, why);
}

static void
ask(struct waiting *waiting, int64_t offset)
{
	waiting->read.from = offset + 1;
	loop_timer_stop(&waiting->timer);
	loop_timer_start(waiting->source->loop, &waiting->timer, RUN_SOURCE_WAIT_MS, 0);
	agent_reads_add(agent_link_channels(waiting->runner), &waiting->read);
}

/* --- a piece ------------------------------------------------------------------------------ */

static void
show_piece(struct waiting *waiting, const struct protocol_message *said)
{
	CLEANUP(buf_done) struct buf text = buf_make((size_t)2 * RUN_PIECE);
	const struct run_piece piece = { .data = said->body,
		.size = said->body_len,
		.log_size = (int64_t)said->place.size,
		.is_ended = waiting->order.is_ended };
	int64_t next =
	    run_piece_show(&piece, waiting->order.offset, waiting->source->redact, &text);

	waiting->on_piece(waiting->order.ctx, buf_failed(&text) ? NULL : &text, next,
	    buf_failed(&text) ? "the log is too long" : NULL);
	free_waiting(waiting);
}

/* --- a copy ------------------------------------------------------------------------------- */

static bool
write_at(int file, const char *data, size_t size, int64_t at)
{
	for (ssize_t n; size > 0; data += n, at += n, size -= (size_t)n) {
		n = pwrite(file, data, size, (off_t)at);
		if (n <= 0)
			return false;
	}
	return true;
}

static void
begin_document(const struct run_source *source, const struct run_source_order *order, int log,
    run_source_document_fn *on_document)
{
	struct err err = { .code = ERR_NONE };
	struct run_log_job *job =
	    run_log_start(source->state_directory, log, order->head, source->redact, &err);

	on_document(order->ctx, job, job == NULL ? err.text : NULL);
}

/* Of a log that has grown since then what is behind its first size is left out. */
static void
copy_piece(struct waiting *waiting, const struct protocol_message *said)
{
	int64_t at = waiting->read.from - 1, head, tail;
	int64_t size = waiting->copy == -1 ? (int64_t)said->place.size : waiting->order.offset;
	struct err err = { .code = ERR_NONE };

	waiting->order.offset = size;
	if (waiting->copy == -1)
		waiting->copy = run_log_nameless(waiting->source->state_directory, &err);
	if (waiting->copy == -1) {
		fail(waiting, err.text);
		return;
	}
	if (!write_at(waiting->copy, said->body, said->body_len, at) ||
	    ftruncate(waiting->copy, (off_t)size) != 0) {
		fail(waiting, strerrordesc_np(errno));
		return;
	}
	run_log_parts(size, &head, &tail);
	at += (int64_t)said->body_len;
	if (at >= head && at < tail)
		at = tail;
	if (at < size && said->body_len == PROTOCOL_PIECE_MAX) {
		ask(waiting, at);
	} else if (at < size) {
		fail(waiting, "its runner has less of it than it said");
	} else {
		begin_document(
		    waiting->source, &waiting->order, TAKE_FD(waiting->copy), waiting->on_document);
		free_waiting(waiting);
	}
}

static void
on_read(struct agent_read *read, const struct protocol_message *piece)
{
	struct waiting *waiting = read->ctx;

	if (waiting->on_piece != NULL)
		show_piece(waiting, piece);
	else
		copy_piece(waiting, piece);
}

/* --- who asks ----------------------------------------------------------------------------- */

/* NULL: it is here. */
static struct agent_link *
runner_of(const struct run_source *source, const char *runner)
{
	return source->agents == NULL || runner[0] == '\0' ? NULL :
							     agents_find(source->agents, runner);
}

bool
run_source_is_here(const struct run_source *source, const char *runner)
{
	return runner_of(source, runner) == NULL;
}

static struct waiting *
wait_for(struct run_source *source, const struct run_source_order *order, struct agent_link *runner)
{
	struct waiting *waiting = mem_new(1, sizeof(*waiting));

	waiting->source = source;
	waiting->order = *order;
	waiting->order.runner = NULL; /* it was the caller's */
	waiting->runner = runner;
	waiting->copy = -1;
	waiting->read.run = order->run;
	waiting->read.on_piece = on_read;
	waiting->read.ctx = waiting;
	loop_timer_init(&waiting->timer, on_late, waiting);
	LIST_INSERT_HEAD(&source->waiting, waiting, next);
	return waiting;
}

static void
show_local(const struct run_source *source, const struct run_source_order *order,
    run_source_piece_fn *on_piece)
{
	CLEANUP(buf_done) struct buf text = buf_make((size_t)2 * RUN_PIECE);
	const struct run_tail_log log = { .state_directory = source->state_directory,
		.run = order->run,
		.redact = source->redact };
	struct err err = { .code = ERR_NONE };
	int64_t next = order->offset;
	bool is_read = run_piece_read(&log, order->offset, order->is_ended, &text, &next, &err);
	const char *failure = !is_read ? err.text :
	    buf_failed(&text)	       ? "the log is too long" :
					 NULL;

	on_piece(order->ctx, failure == NULL ? &text : NULL, next, failure);
}

void
run_source_piece(
    struct run_source *source, const struct run_source_order *order, run_source_piece_fn *on_piece)
{
	struct agent_link *runner = runner_of(source, order->runner);
	struct waiting *waiting;
	char why[LIMIT_LINE];

	if (runner == NULL) {
		show_local(source, order, on_piece);
	} else if (is_away(runner, why)) {
		on_piece(order->ctx, NULL, order->offset, why);
	} else {
		waiting = wait_for(source, order, runner);
		waiting->on_piece = on_piece;
		ask(waiting, order->offset - (int64_t)run_piece_before(order->offset));
	}
}

void
run_source_document(struct run_source *source, const struct run_source_order *order,
    run_source_document_fn *on_document)
{
	struct agent_link *runner = runner_of(source, order->runner);
	struct err err = { .code = ERR_NONE };
	struct waiting *waiting;
	char why[LIMIT_LINE];
	uint64_t size;
	int log;

	if (runner == NULL) {
		log = run_files_open_log(source->state_directory, order->run, &size, &err);
		if (log == -1)
			on_document(order->ctx, NULL, err.text);
		else
			begin_document(source, order, log, on_document);
	} else if (is_away(runner, why)) {
		on_document(order->ctx, NULL, why);
	} else {
		waiting = wait_for(source, order, runner);
		waiting->on_document = on_document;
		ask(waiting, 0);
	}
}

struct run_source *
run_source_new(
    struct loop *loop, struct agents *agents, const char *state_directory, struct redact *redact)
{
	size_t size = strlen(state_directory) + 1;
	struct run_source *source = mem_new(1, sizeof(*source) + size);

	source->loop = loop;
	source->agents = agents;
	source->redact = redact;
	LIST_INIT(&source->waiting);
	memcpy(source->state_directory, state_directory, size);
	return source;
}

void
run_source_free(struct run_source *source)
{
	if (source == NULL)
		return;
	for (struct waiting *waiting = LIST_FIRST(&source->waiting), *next; waiting != NULL;
	     waiting = next) {
		next = LIST_NEXT(waiting, next);
		fail(waiting,
		    waiting->on_piece == NULL ? NULL : "the server stops: ask again in a moment");
	}
	free(source);
}
