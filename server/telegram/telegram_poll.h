/* telegram_poll.h - polls Telegram for updates: the next time only after the last are on disk.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/base.h"

struct event;
struct loop;
struct telegram_api;
struct telegram_poll;

struct telegram_poll_config {
	struct loop *loop;
	struct telegram_api *api;
	bool (*submit)(void *ctx, struct event *event);	/* see struct telegram_config */
	const char *own_name;	/* read with each answer: "" until it is known */
	/* Updates of Telegram's last answer (LIMIT_UPDATES at most) that are not on disk yet. */
	void (*pending)(void *ctx, int64_t updates); /* may be NULL */
	/* After each answer: do updates come here?  For two minutes after another program has taken
	 * them (409) they count as lost to it, though it is our turn now and then.  May be NULL. */
	void (*receiving)(void *ctx, bool is_receiving);
	void *ctx;
};

struct telegram_poll *telegram_poll_new(const struct telegram_poll_config *config) MUST_USE;

/* Removes a webhook where one is set (its updates stay), then asks, for ever. */
void telegram_poll_start(struct telegram_poll *poll);

/* Asks no more; an answer of the store that is still to come is awaited by nobody. */
void telegram_poll_stop(struct telegram_poll *poll);

/* Not while the store may still answer.  NULL is fine. */
void telegram_poll_free(struct telegram_poll *poll);
