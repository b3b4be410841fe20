/* share.h - how much of what is kept for all one may take up, and how much their group.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/base.h"

/* A workflow takes up a quarter at most, and all workflows of one application a half: whatever they
 * ask for, others find room.  Each is what the whole is divided by. */
enum share { SHARE_OF_ALL = 1, SHARE_OF_GROUP = 2, SHARE_OF_ONE = 4 };

/* Whose it is, by numbers: of the one, and of the group that it is of. */
struct share_by {
	uint64_t one, group;
};

/* Does what is of one of them count where the other one asks for more? */
MUST_USE static inline bool
share_counts(enum share share, const struct share_by *a, const struct share_by *b)
{
	return share == SHARE_OF_ALL ||
	    (share == SHARE_OF_GROUP ? a->group == b->group : a->one == b->one);
}
