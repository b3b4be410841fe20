/* decide_aid_inside.h - between the files of decide_aid.h.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "decide_aid.h"

#define TICK_MS 10 /* between two events */

/* The oldest open effect of that kind, which must be there; its result, as it was filled in. */
struct effect *world_must_take(struct world *w, enum effect_kind kind);
/* The oldest that asks behind an end. */
struct effect *world_take_look(struct world *w);
void world_report(struct world *w, struct effect *effect);

/* The runner's list; of a settings file what the server has read of it, and a hook.  To free. */
char *world_list_of(struct world *w, const char *name);
