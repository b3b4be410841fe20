/* decide_offered.h - which environments are offered where none was named, and in which order.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "decide/question/decide_where.h"

/* A rollback: those with something to roll back to, the newest release first; n may be 0 then.  A
 * deployment: the last three of who asks first.  Everything else stays in its order. */
void decide_offered(struct tx *tx, enum policy_action action, struct decide_scope *scope);

/* Moves that one, where it is in the scope behind *front, there, and *front on. */
void decide_put_first(struct decide_scope *scope, const char *name, size_t *front);
