/* story_aid.h - stories of deployments, one decision after another, for tests that disturb them.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "decide_aid.h"

#define STORIES(S) \
	S(STAGING, staging)		/* live, then sick and taken back */ \
	S(PRODUCTION, production)	/* asked, confirmed, declined by time, cancelled */ \
	S(CANCELLED, cancelled)		/* while it runs; its way back is lost, and fails */ \
	S(ROLLBACK, rollback)		/* a person goes back */ \
	S(PUSHES, pushes)		/* followed branches, git that is away, a poll */ \
	S(COPY, copy)			/* a run without a folder, a start with --restored */ \
	S(HELD, held)			/* a lock, a freeze, an exception */ \
	S(EMERGENCY, emergency)		/* live, reminded of, reviewed */ \
	S(PINNED, pinned)		/* a summary that is written, pinned, edited */ \
	S(UNPINNED, unpinned)		/* ... where the bot has no right to pin it */ \
	S(TALK, talk)			/* everything that is no deployment */

enum story {
#define S(id, name) STORY_##id,
	STORIES(S)
#undef S
	STORY_COUNT
};

const char *story_name(enum story story);
size_t story_size(enum story story);

/* What the world's settings have besides for it; NULL: nothing. */
const char *story_setting(enum story story);

/* Its step, from 0.  The world has health URLs for staging and production. */
void story_play(struct world *w, enum story story, size_t step);
