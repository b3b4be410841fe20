/* serve_stamp.c - a timer, one request at a time, a file.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "serve_stamp.h"

#include <inttypes.h>
#include <stdlib.h>

#include "clients/timestamp.h"
#include "lib/clock.h"
#include "lib/file.h"
#include "lib/log.h"
#include "lib/text.h"
#include "lib/mem.h"
#include "store/audit_day.h"
#include "types/settings.h"

#define MAGIC	      0x73747072u
#define LOOK_MS	      INT64_C(60000)
#define RETRY_MOST_MS INT64_C(3600000)
#define MARGIN_MS     INT64_C(300000) /* the last entry of a day is in the file by then */
#define STAMP_MODE    0640

struct serve_stamp {
	unsigned magic;
	struct loop *loop;
	struct http_client *client;
	struct timestamp_call *call;
	struct loop_timer timer;
	serve_stamp_note_fn *note;
	void *note_ctx;
	const struct settings *settings;
	struct audit_day day;	  /* that is asked for */
	char finished[AUDIT_DAY]; /* the day on which no older one was left */
	int64_t retry_ms;
};

static void on_time(struct loop_timer *timer, void *ctx);

static bool
has_authority(const struct settings *settings)
{
	return settings->audit_timestamp_url != NULL && settings->audit_log_path != NULL;
}

struct serve_stamp *
serve_stamp_start(struct loop *loop, serve_stamp_note_fn *note, void *ctx, struct err *err)
{
	struct serve_stamp *stamp = mem_new(1, sizeof(*stamp));

	stamp->magic = MAGIC;
	stamp->loop = loop;
	stamp->note = note;
	stamp->note_ctx = ctx;
	loop_timer_init(&stamp->timer, on_time, stamp);
	stamp->client = timestamp_client(loop, err);
	if (stamp->client == NULL) {
		serve_stamp_free(stamp);
		return NULL;
	}
	return stamp;
}

void
serve_stamp_settings(struct serve_stamp *stamp, const struct settings *settings)
{
	OBJ_CHECK(stamp, MAGIC);
	timestamp_cancel(TAKE(stamp->call));
	loop_timer_stop(&stamp->timer);
	stamp->settings = settings;
	stamp->finished[0] = '\0';
	stamp->retry_ms = LOOK_MS;
	stamp->note(stamp->note_ctx, has_authority(settings), 0);
	if (has_authority(settings))
		loop_timer_start(stamp->loop, &stamp->timer, 0, 0);
}

void
serve_stamp_free(struct serve_stamp *stamp)
{
	if (stamp == NULL)
		return;
	OBJ_CHECK(stamp, MAGIC);
	loop_timer_stop(&stamp->timer);
	timestamp_cancel(stamp->call);
	http_client_free(stamp->client);
	stamp->magic = 0;
	free(stamp);
}

static void
try_later(struct serve_stamp *stamp, const struct err *why)
{
	char wait[TEXT_DURATION_SIZE];

	log_warning("audit: no timestamp of %s: %s; tried again in %s",
	    stamp->day.day[0] == '\0' ? "the log" : stamp->day.day, why->text,
	    text_duration(wait, stamp->retry_ms));
	loop_timer_start(stamp->loop, &stamp->timer, stamp->retry_ms, 0);
	stamp->retry_ms = 2 * stamp->retry_ms > RETRY_MOST_MS ? RETRY_MOST_MS : 2 * stamp->retry_ms;
}

static void
on_done(
    void *ctx, const void *answer, size_t size, const struct crypto_ts *read, const struct err *why)
{
	struct serve_stamp *stamp = OBJ_OF(struct serve_stamp, ctx, MAGIC);
	char path[PATH_MAX], time[TEXT_TIME_SIZE];
	struct err err;

	stamp->call = NULL;
	if (answer == NULL) {
		try_later(stamp, why);
		return;
	}
	audit_day_path(stamp->settings->audit_log_path, stamp->day.day, path);
	if (!file_write(path, answer, size, STAMP_MODE, &err)) {
		try_later(stamp, &err);
		return;
	}
	log_info("audit: the last head of %s (entry %" PRId64 ") is stamped by %s, %s",
	    stamp->day.day, stamp->day.seq, read->by, text_time(time, read->at));
	stamp->retry_ms = LOOK_MS;
	loop_timer_start(stamp->loop, &stamp->timer, 0, 0);
}

static void
on_time(UNUSED struct loop_timer *timer, void *ctx)
{
	struct serve_stamp *stamp = OBJ_OF(struct serve_stamp, ctx, MAGIC);
	const struct settings *settings = stamp->settings;
	char today[TEXT_TIME_SIZE];
	struct err err;

	(void)text_time(today, clock_wall_ms() - MARGIN_MS);
	today[AUDIT_DAY - 1] = '\0';
	if (strcmp(today, stamp->finished) == 0) {
		loop_timer_start(stamp->loop, &stamp->timer, LOOK_MS, 0);
		return;
	}
	if (!audit_day_unstamped(settings->audit_log_path, today, &stamp->day, &err)) {
		try_later(stamp, &err);
		return;
	}
	stamp->note(stamp->note_ctx, true, audit_day_end(stamp->day.day));
	if (stamp->day.day[0] == '\0') {
		(void)text_copy(stamp->finished, sizeof(stamp->finished), today);
		loop_timer_start(stamp->loop, &stamp->timer, LOOK_MS, 0);
		return;
	}
	struct timestamp_request request = {
		.url = settings->audit_timestamp_url,
		.ca_file = settings->audit_timestamp_ca,
		.on_done = on_done,
		.ctx = stamp,
	};

	memcpy(request.hash, stamp->day.hash, sizeof(request.hash));
	stamp->call = timestamp_start(stamp->client, &request, &err);
	if (stamp->call == NULL)
		try_later(stamp, &err);
}
