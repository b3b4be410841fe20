/* row_actor.h - who has begun the runs whose jobs have asked for some work.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/tx.h"
#include "types/job.h"

struct row_actor {
	char login[LIMIT_PERSON]; /* "": nobody knows who */
};

/* That of a job that asks; of a run that was begun again whoever was first, and nobody known. */
void row_actor_add(struct tx *tx, int64_t work, const struct job *job);

/* Whose jobs have asked for that work have asked for the other. */
void row_actor_share(struct tx *tx, int64_t from, int64_t to);

/* Each once; returns how many.  Where all the room is taken there may be more. */
#define ROW_ACTORS 64
size_t row_actor_list(struct tx *tx, int64_t work, struct row_actor ret[ROW_ACTORS]);
