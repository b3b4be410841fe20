/* row_effect.h - the outbox: effects as rows, and the lanes in which messages stand.  Side: store. */
/* SPDX-License-Identifier: ISC */
/*
 * Kinds whose row in effect.def says so stand in lanes of their own ("say:<chat>", "toast:<chat>",
 * "ask:<environment>"): only the head of a lane is handed out, its result hands out the next.
 * Between lanes there is no order.  In an environment's lane the newest takes the place of the one
 * that waits, so that a flood of pushes is two git queries.  A DOCUMENT of a run that stands in its
 * chat's lane is not added again.  The others are handed out with the commit.
 *
 * Closing an effect deletes its row; ids are never used again.  The subject of a SEND_MESSAGE is
 * its message's row.
 */
#pragma once

#include "store/tx.h"

/* Adds the effect's row and hands it out (or lets it stand in its lane).  Takes the effect;
 * returns its id, 0 when the tx has failed.  A DOCUMENT that is open
 * already: the id of that one. */
int64_t row_effect_add(struct tx *tx, struct effect *effect);

/* The same of an effect like this one: its kind, subject, due and u. */
int64_t row_effect_order(struct tx *tx, const struct effect *as);

/* A message should be shown: adds a SEND_MESSAGE for its row unless one waits behind the lane's
 * head already, which will read the row when its turn comes.  Nothing where its chat is a person
 * to whom Telegram sends nothing (row_chat_is_refused()). */
void row_effect_send(struct tx *tx, int64_t message);

/* As row_effect_send(), before all other edits of its chat: it takes buttons away. */
void row_effect_close(struct tx *tx, int64_t message);

/* As row_effect_send(), as a new message, whatever stands there or is in hand: that is not sent any
 * more.  Returns the effect; 0: Telegram sends nothing to that chat. */
int64_t row_effect_send_anew(struct tx *tx, int64_t message);

void row_effect_toast(struct tx *tx, const struct chat_address *address, const char *callback,
    bool is_alert, const char *fmt, ...) PRINTF(5, 6);

/* A TIMER until wall time `due`; returns its id. */
int64_t row_effect_timer(
    struct tx *tx, enum timer_kind kind, const char *name, int64_t subject, int64_t due);

/* Withdraws an effect that may be, as its row in effect.def says; any other stays.  A result that
 * still comes finds nothing.  id 0: nothing. */
void row_effect_withdraw(struct tx *tx, int64_t id);

/* The open effect of a kind with this subject; 0: none. */
int64_t row_effect_find(struct tx *tx, enum effect_kind kind, int64_t subject);

/* An open effect of that kind as its row says it, and its subject; NULL: there is none (or the tx
 * has failed).  The caller's. */
struct effect *row_effect_get(struct tx *tx, enum effect_kind kind, int64_t id) MUST_USE;

/* Its row says this from now on; who carries it out already knows nothing of that. */
void row_effect_save(struct tx *tx, int64_t id, const struct effect *effect);

/* A timer of which there may be many, by its name, and TIMER_PUSH by its environment; 0: none. */
int64_t row_effect_find_named(struct tx *tx, enum timer_kind kind, const char *name);

/* Is git being asked already for the head of this environment's branch? */
bool row_effect_is_querying(struct tx *tx, const char *environment);

/* Is git being asked already for the heads of this environment's repository?  And of how many
 * repositories is it? */
bool row_effect_is_polling(struct tx *tx, const char *environment);
int64_t row_effect_count_polls(struct tx *tx);

/* The open TIMER of a kind of which there is one at most (its subject is 0), and when it is due;
 * 0: none. */
int64_t row_effect_find_timer(struct tx *tx, enum timer_kind kind, int64_t *ret_due);

/* The open TIMER of that kind with this subject, and when it is due; 0: there is none. */
int64_t row_effect_timer_of(struct tx *tx, enum timer_kind kind, int64_t subject);
int64_t row_effect_timer_due(struct tx *tx, enum timer_kind kind, int64_t subject);

bool row_effect_has_timer(struct tx *tx, enum timer_kind kind);
