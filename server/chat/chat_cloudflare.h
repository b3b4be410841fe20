/* chat_cloudflare.h - what is said of a zone's security level.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "chat/chat_text.h"
#include "types/cloudflare_level.h"

struct chat_cloudflare {
	const char *target; /* "client/acme" */
	const char *old;    /* level to be restored */
	const char *by;	    /* who wanted the other */
	const char *detail; /* the last failure */
	int64_t at;	    /* since when */
	int64_t until;
	int64_t now;
	struct chat_clock clock;
};

/* It is as it was before. */
void chat_cloudflare_restored(struct chat_text *text, const struct chat_cloudflare *is);

/* Somebody else has set this level: it was left. */
void
chat_cloudflare_left(struct chat_text *text, const struct chat_cloudflare *is, const char *level);

/* It could not be restored, and is tried again. */
void chat_cloudflare_failed(struct chat_text *text, const struct chat_cloudflare *is);

/* It was refused for a day: a person has to look. */
void chat_cloudflare_stuck(struct chat_text *text, const struct chat_cloudflare *is);

/* A line of /status; is_failing: it cannot be restored. */
void
chat_cloudflare_status(struct chat_text *text, const struct chat_cloudflare *is, bool is_failing);
