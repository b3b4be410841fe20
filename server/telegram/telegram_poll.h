/* telegram_poll.h - polls Telegram for updates: the next time only after the last are on disk.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "telegram/telegram_config.h"

struct telegram_api;
struct telegram_poll;

/* own_name is read with each answer: "" until it is known; the config's settings are not.
 * pending() gets the updates of Telegram's last answer (LIMIT_UPDATES at most) that are not on
 * disk yet, receiving() after each answer whether updates come here: for two minutes after another
 * program has taken them (409) they count as lost to it, though it is our turn now and then. */
struct telegram_poll *telegram_poll_new(const struct telegram_config *config,
    struct telegram_api *api, const char *own_name) MUST_USE;

/* Removes a webhook where one is set (its updates stay), then asks, for ever. */
void telegram_poll_start(struct telegram_poll *poll);

/* Asks no more; an answer of the store that is still to come is awaited by nobody. */
void telegram_poll_stop(struct telegram_poll *poll);

/* Not while the store may still answer.  NULL is fine. */
void telegram_poll_free(struct telegram_poll *poll);
