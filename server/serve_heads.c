/* serve_heads.c - behind a start: has the audit each entry that other rows name?  On a thread.  Side: start. */
/* SPDX-License-Identifier: ISC */
/*
 * The database is read by a connection of the thread's own, so that neither the start nor a
 * decision waits for it.  It is begun when the start was decided: what a copy ends
 * before is known by that.
 */
#include <inttypes.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <pthread.h>

#include "lib/err.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "lib/thread.h"
#include "serve_inside.h"
#include "store/audit_heads.h"

#define STACK_BYTES (1024 * 1024)
#define LINES	    10

struct serve_heads {
	struct serve *serve;
	pthread_t thread;
	struct loop_async wake;
	atomic_bool is_over; /* the program ends */
	char database[PATH_MAX];
	/* The thread's, until it has ended. */
	bool is_compared;
	struct err err;
	struct audit_heads_found found;
	struct heads_compared compared;
	char newer[LIMIT_LINE]; /* the newest that is newer than the copy */
	char line[LINES][LIMIT_LINE];
	size_t n;
};

/* --- the thread --- */

static bool
is_over(void *ctx)
{
	return atomic_load(&((struct serve_heads *)ctx)->is_over);
}

static void
on_head(void *ctx, const char *key, bool is_newer, const char *text)
{
	struct serve_heads *heads = ctx;
	struct heads_compared *compared = &heads->compared;

	if (is_newer) {
		if (heads->newer[0] == '\0')
			(void)text_copy(heads->newer, sizeof(heads->newer), text);
		return;
	}
	if (compared->n < HEADS_KEYS)
		(void)text_copy(compared->key[compared->n++], sizeof(compared->key[0]), key);
	if (compared->newest[0] == '\0')
		(void)text_copy(compared->newest, sizeof(compared->newest), text);
	if (heads->n < LINES)
		(void)text_copy(heads->line[heads->n++], sizeof(heads->line[0]), text);
}

static void *
compare(void *ctx)
{
	struct serve_heads *heads = ctx;
	const struct audit_source source = { .database = heads->database };

	heads->is_compared =
	    audit_heads_read(&source, on_head, is_over, heads, &heads->found, &heads->err);
	heads->compared.missing = heads->found.missing;
	loop_async_wake(&heads->wake);
	return NULL;
}

/* --- the loop --- */

static void
end_thread(struct serve_heads *heads)
{
	int failed = pthread_join(heads->thread, NULL);

	assert(failed == 0);
	(void)failed;
}

static void
finish(struct serve_heads *heads)
{
	loop_async_stop(&heads->wake);
	heads->serve->heads = NULL;
	free(heads);
}

static void
say(const struct serve_heads *heads)
{
	int64_t more = heads->found.missing - (int64_t)heads->n;

	if (!heads->is_compared)
		log_warning(
		    "audit: the heads that rows name could not be compared: %s", heads->err.text);
	for (size_t i = 0; i < heads->n; i++)
		log_error("audit: %s", heads->line[i]);
	if (more > 0)
		log_error("audit: and %" PRId64 " more: deploybot audit verify", more);
	if (heads->found.newer > 0)
		log_warning("audit: %s; %" PRId64 " such in all", heads->newer, heads->found.newer);
}

static void
submit(struct serve_heads *heads)
{
	struct event *event = event_new(EVENT_HEADS_COMPARED);

	event->u.heads_compared = heads->compared;
	if (!serve_submit(heads->serve, event))
		event_free(event);
}

static void
on_compared(UNUSED struct loop_async *async, void *ctx)
{
	struct serve_heads *heads = ctx;

	end_thread(heads); /* a wake alone does not say that what it wrote is seen here */
	say(heads);
	if (heads->is_compared)
		metric_set_value(heads->serve->metrics, METRIC_AUDIT_HEADS_MISSING,
		    (double)heads->found.missing);
	if (heads->found.missing > 0)
		submit(heads);
	finish(heads);
}

void
serve_heads_start(void *ctx, UNUSED const struct answer *decided)
{
	struct serve *serve = ctx;
	struct serve_heads *heads = mem_new(1, sizeof(*heads));

	if (serve_is_stopping(serve) ||
	    !text_copy(heads->database, sizeof(heads->database), serve->settings->database)) {
		free(heads);
		return;
	}
	heads->serve = serve;
	atomic_init(&heads->is_over, false);
	loop_async_init(&heads->wake, on_compared, heads);
	loop_async_start(serve->loop, &heads->wake);
	if (thread_start(&heads->thread, STACK_BYTES, compare, heads) == 0) {
		serve->heads = heads;
		return;
	}
	log_warning("audit: the heads that rows name were not compared: no thread");
	loop_async_stop(&heads->wake);
	free(heads);
}

void
serve_heads_stop(struct serve *serve)
{
	if (serve->heads == NULL)
		return;
	atomic_store(&serve->heads->is_over, true);
	end_thread(serve->heads);
	finish(serve->heads);
}
