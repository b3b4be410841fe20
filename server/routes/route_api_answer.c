/* route_api_answer.c - what a request to /v1 is answered, once it is decided.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "routes/route_api_inside.h"

#include <stdlib.h>

#include "chat/chat_first.h"
#include "clients/loan_shelf.h"
#include "lib/buf.h"
#include "lib/clock.h"
#include "lib/crypto.h"
#include "lib/err.h"
#include "lib/json.h"
#include "lib/mem.h"
#include "lib/mem_wiped.h"
#include "lib/text.h"
#include "lib/url.h"
#include "policy/policy.h"
#include "runs/run_piece.h"
#include "runs/run_source.h"

/* Each byte of what is lent may become six. */
#define LENT_JSON_MAX(size) (6 * (size) + 64)

static void
answer(struct http_request *request, int status, const char *json)
{
	static const struct http_header unknown = { "WWW-Authenticate", "Bearer" },
					later = { "Retry-After", "10" };

	http_request_answer_text(request, status, "application/json",
	    status == 401		       ? &unknown :
		status == 429 || status == 503 ? &later :
						 NULL,
	    json);
}

void
route_api_said(struct http_request *request, int status, const char *said)
{
	CLEANUP(buf_done) struct buf out = buf_make(LIMIT_LINE * 8 + LIMIT_LOG_ANSWER * 6);
	struct json_out json = json_out_begin(&out, '{');

	json_put_str(&json, "said", said);
	json_put_str(&json, "work", NULL);
	json_put_bool(&json, "is_to_be_answered", false);
	json_put_str(&json, "asked_until", NULL);
	json_out_end(&json);
	answer(request, status, buf_text(&out));
}

void
route_api_free_asked(struct asked *asked)
{
	settings_unref(asked->settings);
	free(asked->text);
	free(asked->targets);
	free(asked);
}

/* text NULL: nothing new came; is_unchanged: for as long as it was asked to wait for. */
static void
answer_piece(const struct asked *asked, const struct buf *text, int64_t next, bool is_unchanged)
{
	CLEANUP(buf_done) struct buf out = buf_make((size_t)16 * RUN_PIECE);
	struct json_out json = json_out_begin(&out, '{');

	json_put_i64(&json, "run", asked->run);
	json_put_i64(&json, "next", next);
	json_put_bool(&json, "is_over", asked->is_ended);
	json_put_bool(&json, "is_unchanged", is_unchanged);
	json_out_key(&json, "text");
	json_out_strn(&json, text == NULL ? "" : buf_text(text), text == NULL ? 0 : text->size);
	json_out_end(&json);
	if (buf_failed(&out))
		route_api_said(asked->request, 503, "the log is too long");
	else
		answer(asked->request, 200, buf_text(&out));
}

/* --- what waits for something new --- */

/* What is already there is worth an answer in a second: whoever follows gets one a second. */
static bool
park(struct asked *asked, bool is_new)
{
	bool waits = asked->waits;

	asked->waits = false;
	asked->parked.who = asked->who;
	asked->parked.is_network = asked->config->is_network;
	asked->parked.is_due = is_new;
	asked->parked.ctx = asked;
	return waits && route_watch_park(asked->config->waiting, &asked->parked);
}

static void read_piece(struct asked *asked);

static void
on_log_wake(void *ctx, enum route_watch_why why)
{
	struct asked *asked = ctx;

	if (why == ROUTE_WATCH_NEW && !asked->is_elsewhere) {
		read_piece(asked);
		return;
	}
	answer_piece(asked, NULL, asked->offset, why == ROUTE_WATCH_TIME);
	route_api_free_asked(asked);
}

/* From its beginning on, and where much has been printed since, it is caught up with at once. */
static bool
park_log(struct asked *asked, int64_t next)
{
	if (((asked->is_ended || asked->run == 0) && !asked->goes_on) ||
	    (next != asked->offset &&
		(asked->offset == 0 || next - asked->offset >= RUN_PIECE / 2)))
		return false;
	asked->parked.run = asked->is_elsewhere || asked->is_ended ? 0 : asked->run;
	asked->parked.offset = asked->offset;
	asked->parked.on_wake = on_log_wake;
	return park(asked, next != asked->offset);
}

static void
on_log_piece(void *ctx, const struct buf *text, int64_t next, const char *failure)
{
	struct asked *asked = ctx;

	if (text == NULL)
		route_api_said(asked->request, 503, failure);
	else if (park_log(asked, next))
		return;
	else
		answer_piece(asked, text, next, false);
	route_api_free_asked(asked);
}

static void
read_piece(struct asked *asked)
{
	run_source_piece(asked->config->source,
	    &(struct run_source_order){ .runner = asked->parked.runner,
		.run = asked->run,
		.offset = asked->offset,
		.is_ended = asked->is_ended,
		.ctx = asked },
	    on_log_piece);
}

/* What is shown of a log, which only the loop reads. */
static void
answer_log(struct asked *asked, const struct answer *decided)
{
	CLEANUP(buf_done) struct buf note = buf_make(LIMIT_LINE + 1);
	int64_t next = asked->offset;

	asked->run = decided->work;
	asked->is_ended = decided->is_ended;
	asked->is_elsewhere = decided->log_note[0] != '\0';
	asked->parked.work = decided->log_work;
	asked->goes_on = asked->operation == API_LOG && decided->log_goes_on;
	text_set(asked->parked.runner, decided->log_runner);
	if (!asked->is_elsewhere) {
		read_piece(asked);
		return;
	}
	if (next == 0) { /* once, and nothing follows it */
		buf_addf(&note, "%s\n", decided->log_note);
		next = (int64_t)note.size;
	}
	on_log_piece(asked, &note, next, NULL);
}

/* Of several environments each may be theirs. */
static bool
wants(void *ctx, const struct news_entry *entry)
{
	const struct asked *asked = ctx;

	return entry->news.environment[0] == '\0' ||
	    policy_sees(asked->settings, asked->as, entry->news.environment, clock_wall_ms());
}

static void
put_entry(struct json_out *json, const struct news_entry *entry)
{
	bool is_one = entry->news.environment[0] != '\0';

	json_out_object(json);
	json_put_i64(json, "number", entry->number);
	json_put_str(json, "environment", is_one ? entry->news.environment : NULL);
	if (entry->news.work != 0)
		json_put_i64(json, "work", entry->news.work);
	else
		json_put_str(json, "work", NULL);
	json_out_end(json);
}

static void
answer_news(struct asked *asked, bool is_unchanged)
{
	const struct news_ring *ring = route_watch_ring(asked->config->waiting);
	bool is_again = asked->is_another || !news_ring_has(ring, asked->offset);
	CLEANUP(buf_done) struct buf out = buf_make(LIMIT_ANSWER_TEXT);
	struct json_out json = json_out_begin(&out, '{');
	const struct news_entry *entry;

	json_put_str(&json, "instance", asked->config->instance);
	json_put_i64(&json, "number", ring->last);
	json_put_bool(&json, "again", is_again);
	json_put_bool(&json, "is_unchanged", is_unchanged);
	json_put_open(&json, "news", '[');
	for (int64_t at = asked->offset; !is_again && (entry = news_ring_next(ring, at)) != NULL;
	     at = entry->number)
		if (wants(asked, entry))
			put_entry(&json, entry);
	json_out_end(&json);
	json_out_end(&json);
	answer(asked->request, 200, buf_text(&out));
	route_api_free_asked(asked);
}

static void
on_news_wake(void *ctx, enum route_watch_why why)
{
	answer_news(ctx, why == ROUTE_WATCH_TIME);
}

static void
look_for_news(struct asked *asked, const struct answer *decided)
{
	const struct news_ring *ring = route_watch_ring(asked->config->waiting);
	const struct news_entry *entry;
	bool is_new = false;

	asked->as = decided->as;
	asked->parked.wants = wants;
	asked->parked.on_wake = on_news_wake;
	for (int64_t at = asked->offset; !is_new && (entry = news_ring_next(ring, at)) != NULL;
	     at = entry->number)
		is_new = wants(asked, entry);
	if (asked->is_another || !news_ring_has(ring, asked->offset) || !park(asked, is_new))
		answer_news(asked, false);
}

static void
put_finding(
    struct json_out *json, const struct probe_target *target, const struct probe_finding *finding)
{
	char place[URL_PLACE];

	json_out_object(json);
	json_put_str(json, "environment", target->environment);
	json_put_str(json, "at", url_place(target->url, place));
	if (finding->is_unknown)
		json_put_str(json, "is_healthy", NULL);
	else
		json_put_bool(json, "is_healthy", finding->is_healthy);
	json_put_i64_if(json, "http_status", finding->http_status != 0, finding->http_status);
	json_put_i64_if(json, "latency_ms", finding->http_status != 0, finding->latency_ms);
	json_put_str(json, "commit", finding->commit[0] == '\0' ? NULL : finding->commit);
	json_put_bool(
	    json, "is_other_commit", probe_is_other_commit(finding->commit, target->commit));
	json_put_str(json, "detail", finding->detail[0] == '\0' ? NULL : finding->detail);
	json_out_end(json);
}

/* The store's object, and behind all of it the health. */
static void
on_looked(void *ctx, const struct probe_finding *findings)
{
	struct asked *asked = ctx;
	size_t size = strlen(asked->text) - 1; /* without its brace */
	CLEANUP(buf_done) struct buf health = buf_make(LIMIT_ANSWER_TEXT);
	CLEANUP(buf_done) struct buf out = buf_make((size_t)2 * LIMIT_ANSWER_TEXT);
	struct json_out json = json_out_begin(&health, '{');

	json_put_open(&json, "health", '[');
	for (size_t i = 0; i < asked->n_targets; i++)
		put_finding(&json, &asked->targets[i], &findings[i]);
	json_out_end(&json);
	json_out_end(&json);
	buf_add(&out, asked->text, size);
	buf_addf(&out, ",%s", buf_text(&health) + 1);
	if (!buf_failed(&health) && !buf_failed(&out))
		answer(asked->request, 200, buf_text(&out));
	else
		route_api_said(asked->request, 503, "the answer is too long");
	route_api_free_asked(asked);
}

static void
answer_status(struct asked *asked, const struct answer *decided)
{
	const struct route_api_config *config = asked->config;

	asked->n_targets = decided->n_targets;
	asked->text = mem_text(decided->text);
	asked->targets = mem_new(decided->n_targets + 1, sizeof(*asked->targets));
	if (decided->n_targets > 0)
		memcpy(
		    asked->targets, decided->targets, decided->n_targets * sizeof(*asked->targets));
	config->look(config->ctx, asked->who, asked->targets, asked->n_targets, on_looked, asked);
}

static void
on_log_read(void *ctx, bool is_read, const char *text)
{
	struct asked *asked = ctx;
	char line[LIMIT_LINE];

	text_setf(line, "%s%s", chat_first_rows[FIRST_NO_LOG].before, text); /* cut is fine */
	route_api_said(asked->request, is_read ? 200 : 409, is_read ? text : line);
	route_api_free_asked(asked);
}

static void
answer_application_log(struct asked *asked, const struct answer *decided)
{
	const struct route_api_config *config = asked->config;
	struct err err;

	if (config->read_log(
		config->ctx, decided->log_of, decided->log_lines, on_log_read, asked, &err))
		return;
	route_api_said(asked->request, 503, err.text);
	route_api_free_asked(asked);
}

/* The store's object, and behind all of it what was lent. */
static void
put_lent(struct asked *asked, const struct answer *decided, const char *key, const char *text)
{
	size_t size = strlen(decided->text) - 1, most = LENT_JSON_MAX(strlen(text)); /* no brace */
	CLEANUP(buf_wipe) struct buf lent = buf_make(most);
	CLEANUP(buf_wipe) struct buf out = buf_make(size + most);

	/* What grows leaves copies behind. */
	buf_reserve(&lent);
	buf_reserve(&out);
	struct json_out json = json_out_begin(&lent, '{');

	json_put_str(&json, key, text);
	json_out_end(&json);
	buf_add(&out, decided->text, size);
	buf_addf(&out, ",%s", buf_text(&lent) + 1);
	if (!buf_failed(&lent) && !buf_failed(&out))
		answer(asked->request, 200, buf_text(&out));
	else
		route_api_said(asked->request, 503, "the answer is too long");
}

/* Nobody is given it a second time. */
static void
answer_loan(struct asked *asked, const struct answer *decided)
{
	CLEANUP(mem_wiped_freep)
	char *value = loan_shelf_take_value(asked->config->loans, decided->work);
	char token[VAULT_TOKEN_MAX + 1];

	if (value != NULL) {
		put_lent(asked, decided, "value", value);
	} else if (loan_shelf_take(asked->config->loans, decided->work, token)) {
		put_lent(asked, decided, "token", token);
		crypto_wipe(token, sizeof(token));
	} else {
		route_api_said(asked->request, 410, "What was lent is gone: ask again.");
	}
}

void
route_api_decided(void *ctx, const struct answer *decided)
{
	struct asked *asked = ctx;

	if (asked->operation == API_STATUS && decided->status == 200 && decided->text != NULL) {
		answer_status(asked, decided);
		return;
	}
	if (decided->status == 200 && decided->log_of[0] != '\0') {
		answer_application_log(asked, decided);
		return;
	}
	if (decided->text != NULL && decided->status == 200 &&
	    (asked->operation == API_LOG || asked->operation == API_RUN)) {
		answer_log(asked, decided);
		return;
	}
	if (decided->text != NULL && decided->status == 200 && asked->operation == API_NEWS) {
		look_for_news(asked, decided);
		return;
	}
	if (decided->text == NULL)
		route_api_said(asked->request, decided->status >= 400 ? decided->status : 503,
		    "the server could not decide on it: try again, and see its log");
	else if (decided->is_lent && decided->status == 200)
		answer_loan(asked, decided);
	else
		answer(asked->request, decided->status, decided->text);
	route_api_free_asked(asked);
}
