/* telegram.h - our bot: who it is, how it receives, how it sends.  Joins the parts of this room.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/err.h"
#include "telegram/telegram_menu.h"
#include "telegram/telegram_send.h"
#include "types/event.h"

struct http_route;
struct refusals;
struct telegram;

/* Everything is borrowed for telegram's life; settings is referenced.  Callbacks may be NULL but
 * for submit. */
struct telegram_config {
	struct loop *loop;
	struct settings *settings;

	/* Hands an event from outside (EVENT_UPDATE) to the store: stamps it (time,
	 * random bytes, settings) and takes it; false: refused, it stays the caller's. */
	bool (*submit)(void *ctx, struct event *event);
	struct refusals *refusals;	/* counts who comes to the webhook without its secret */
	/* The last lines of a run's output, to be shown: clean, redacted UTF-8 without marks. */
	void (*tail)(void *ctx, int64_t run, struct buf *out);
	/* For the metrics: a call of the Bot API; a request to our webhook; updates that wait;
	 * whether updates come here. */
	void (*count_call)(void *ctx, const char *method, int code);
	void (*count_request)(void *ctx, int status);
	void (*pending)(void *ctx, int64_t updates);
	void (*receiving)(void *ctx, bool is_receiving);
	void *ctx;

	const struct telegram_menu_command *commands;
	size_t command_count;
};

struct telegram *telegram_new(const struct telegram_config *config, struct err *err) MUST_USE;

/* Begins: getMe, then polling or registering the webhook, menus.  Waits for nothing. */
void telegram_start(struct telegram *telegram);

/* Receives no more: polling ends, the webhook's requests are answered 503. */
void telegram_quiesce(struct telegram *telegram);

/* Ends everything; what was still to be sent is called back so (telegram_send.h).  NULL is fine. */
void telegram_free(struct telegram *telegram);

/* Other settings hold from now on: roles in menus, the webhook's secret.  Token, URL and
 * mode need a restart: settings has them as they were (see settings_reload). */
void telegram_change_settings(struct telegram *telegram, struct settings *settings);

/* The route of the webhook for http_server_config; in polling mode false: there is none. */
bool telegram_route(struct telegram *telegram, struct http_route *ret);

/* Our own name, "" before getMe has answered. */
const char *telegram_name(const struct telegram *telegram);

/* telegram_api_clock() */
bool telegram_clock(const struct telegram *telegram, int64_t *ret_ahead_s);

/* A run goes on that was in progress when the program started: its message lives again. */
void telegram_live_resume(struct telegram *telegram, const struct message *message);

/* Speaks: see telegram_send.h. */
struct telegram_send *telegram_sender(struct telegram *telegram);
