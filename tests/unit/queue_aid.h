/* queue_aid.h - people and pushes that wait for their turn in staging.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "decide_aid.h"

/* /deploy staging of that commit, which needs no confirmation; its number. */
int64_t queue_aid_ask(struct world *w, int64_t person, const char *commit);
/* ... behind one that has started. */
void queue_aid_waits(struct world *w, const char *started, int64_t person, const char *commit);

/* A button of that message, which must be there. */
void queue_aid_press(
    struct world *w, int64_t person, const struct world_message *message, const char *label);

enum deploy_state queue_aid_state(struct world *w, int64_t id);

/* What runs succeeds. */
void queue_aid_go_live(struct world *w);

/* Git compares a queued commit with the live one: it is so many commits ahead of it, or behind. */
void queue_aid_is_ahead(struct world *w, int count);
void queue_aid_is_ancestor(struct world *w);

/* The queue as "#3 #1", by the rows; valid until the next call. */
const char *queue_aid_list(struct world *w);
