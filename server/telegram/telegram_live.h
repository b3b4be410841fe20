/* telegram_live.h - keeps messages about running programs moving: time, bar, last lines.  Side: loop. */
/* SPDX-License-Identifier: ISC */
/*
 * Decoration: what it shows may be lost, nothing final comes from here.  A message lives from the
 * SEND_MESSAGE that has a live_run to the next one that has none.
 */
#pragma once

#include "lib/base.h"

struct buf;
struct loop;
struct message;
struct telegram_live;
struct telegram_send;

#define TELEGRAM_LIVE_MAX 32	/* edits every 2 s of more are more than Telegram takes of a bot;
				 * what is beyond shows its output when it has ended */

typedef void telegram_live_tail_fn(void *ctx, int64_t run, struct buf *out);

/* gate: a line in the place of the tail, while there is one; as the clock, it makes no news of its
 * own.  Each may be NULL. */
struct telegram_live *telegram_live_new(struct loop *loop, telegram_live_tail_fn *tail,
    telegram_live_tail_fn *gate, void *ctx) MUST_USE;
void telegram_live_free(struct telegram_live *live);

/* What edits go through; once, before the loop runs. */
void telegram_live_join(struct telegram_live *live, struct telegram_send *send);

/* What it says now (with its remote_id); live_run 0, or no remote_id: it lives no more. */
void
telegram_live_set(struct telegram_live *live, const struct message *message, int64_t remote_id);

/* Appends the live part as marked text, as it is at wall time now_ms (0: now). */
void telegram_live_fill(struct telegram_live *live, const struct message *message, int64_t now_ms,
    struct buf *marked);
