/* telegram_api.h - calls of the Bot API's methods: one try each, nothing about when or why.  Side: loop. */
/* SPDX-License-Identifier: ISC */
/*
 * Knows the base URL and the token, which stands in every URL and never in a log, an error or a
 * result.  TELEGRAM_PROXY is the only proxy ever used.  https://core.telegram.org/bots/api
 */
#pragma once

#include "lib/err.h"

struct buf;
struct http_client_part;
struct json;
struct loop;
struct settings;
struct telegram_api;
struct telegram_call;

#define TELEGRAM_PATH_MAX 256 /* bytes of a file_path */

/* What a call came to. */
/* What to do where no answer has come (code 0), behind a ": ". */
#define TELEGRAM_UNREACHED "is TELEGRAM_API_BASE reachable, or is a TELEGRAM_PROXY needed?"

struct telegram_result {
	bool ok;
	int code;		/* error_code; 200 when ok; 0: no answer that can be read came */
	const char *description; /* why not; "" when ok.  Cleaned, never NULL */
	bool is_unanswered;	/* it may have been done: nobody said that it was not */
	int64_t retry_after_s;	/* of a 429; 0: not said */
	int64_t new_chat;	/* migrate_to_chat_id; 0: none */
	const struct json *result; /* when ok and the call wanted it parsed */
	const char *body;	/* when ok: the whole answer */
	size_t body_size;
};

typedef void telegram_done_fn(void *ctx, const struct telegram_result *result);

/* A piece of a file; false: no more of it. */
typedef bool telegram_piece_fn(void *ctx, const void *data, size_t size);

struct telegram_request {
	const char *method;	/* "sendMessage"; a literal, which names the call in errors */
	const char *file;	/* file_path of getFile, checked: a GET of that, which on_piece
				 * takes; NULL: a method is called */
	telegram_piece_fn *on_piece;
	const struct buf *json;	/* arguments; NULL: none */
	const struct http_client_part *parts;	/* multipart instead of json */
	size_t part_count;
	int64_t timeout_ms;	/* 0: 20,000 */
	size_t answer_max;	/* 0: 256 KB */
	bool is_raw;		/* an ok answer is not parsed: only body is given */
	telegram_done_fn *on_done;
	void *ctx;
};

/* settings: telegram_bot_token, telegram_api_base, telegram_proxy.  count (may be NULL) gets
 * of every call that ended: method and code, 0 when nothing answered. */
struct telegram_api *telegram_api_new(struct loop *loop, const struct settings *settings,
    void (*count)(void *ctx, const char *method, int code), void *count_ctx,
    struct err *err) MUST_USE;

/* Cancels every call, without on_done.  NULL is fine.  Not inside on_done. */
void telegram_api_free(struct telegram_api *api);

/* telegram_api_call() with arguments (NULL: none) and nothing else. */
struct telegram_call *telegram_api_post(struct telegram_api *api, const char *method,
    const struct buf *json, telegram_done_fn *on_done, void *ctx, struct err *err) MUST_USE;

/* Starts a call; on_done comes exactly once, from the loop and never in here, unless cancelled.
 * What request points at may go at once, but for ctx and a part's read_ctx.  NULL: could not be
 * started (curl's memory, queue); *err says why. */
struct telegram_call *telegram_api_call(struct telegram_api *api,
    const struct telegram_request *request, struct err *err) MUST_USE;

/* Without on_done.  NULL is fine. */
void telegram_api_cancel(struct telegram_call *call);

/* In progress: may it have been done by now?  Not while there is no connection. */
bool telegram_api_may_be_done(const struct telegram_call *call);

/* By how many seconds our clock is ahead of Telegram's (below 0: behind), by the Date of its newest
 * answer.  False: none has come for ten minutes. */
bool telegram_api_clock(const struct telegram_api *api, int64_t *ret_ahead_s);

/* Worth trying again later, unchanged: no answer, 429, 5xx, a refused token. */
bool telegram_result_is_passing(const struct telegram_result *result);

/* The token is not (or no longer) accepted. */
bool telegram_result_is_token_refused(const struct telegram_result *result);
