/* perform_inside.h - what performers offer each other and perform.c.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#ifndef PERFORM_INSIDE_H
#define PERFORM_INSIDE_H

#include "effects/perform.h"

/* Frees the effect with that id and cancels what is under way for it; false: not one of these. */
bool perform_timer_withdraw(struct perform *perform, int64_t id);
bool perform_probe_withdraw(struct perform *perform, int64_t id);
bool perform_git_query_withdraw(struct perform *perform, int64_t id);

/* A run whose order was put off is refused instead: its end is wished.  Any other is left alone. */
void perform_run_cancel(struct perform *perform, int64_t run);

/* What is in hand, at the end of the program. */
void perform_run_done(struct perform *perform);
void perform_purge_run_done(struct perform *perform);
void perform_send_message_done(struct perform *perform);
void perform_timer_done(struct perform *perform);
void perform_probe_done(struct perform *perform);
void perform_git_query_done(struct perform *perform);

#endif
