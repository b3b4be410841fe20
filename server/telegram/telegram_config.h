/* telegram_config.h - what the bot is given, and the parts of this room with it.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/base.h"

struct buf;
struct event;
struct loop;
struct refusals;
struct settings;
struct telegram_menu_command;

/* Callbacks may be NULL but for submit. */
struct telegram_config {
	struct loop *loop;
	struct settings *settings;

	/* Hands an event from outside (EVENT_UPDATE) to the store: stamps it (time,
	 * random bytes, settings) and takes it; false: refused, it stays the caller's. */
	bool (*submit)(void *ctx, struct event *event);
	/* May something be sent now?  Where it may not, that is asked again. */
	bool (*may_act)(void *ctx);
	struct refusals *refusals;	/* counts who comes to the webhook without its secret */
	/* The last lines of a run's output, to be shown: clean, redacted UTF-8 without marks. */
	void (*tail)(void *ctx, int64_t run, struct buf *out);
	/* How its health gate stands, one line; nothing: it has none at work.  May be NULL. */
	void (*gate)(void *ctx, int64_t run, struct buf *out);
	/* For the metrics: a call of the Bot API; a request to our webhook; updates that wait;
	 * whether updates come here.  The last two: telegram_poll.h, telegram_register.h. */
	void (*count_call)(void *ctx, const char *method, int code);
	void (*count_request)(void *ctx, int status);
	void (*pending)(void *ctx, int64_t updates);
	void (*receiving)(void *ctx, bool is_receiving);
	void *ctx;

	const struct telegram_menu_command *commands;
	size_t command_count;
};
