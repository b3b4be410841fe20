/* chat_status.h - what /status says.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "chat/chat_text.h"
#include "deployment/deployment.h"
#include "policy/hold.h"
#include "types/probe.h"

#define CHAT_STATUS_BLOCKS 3 /* listed; beyond it a count */

struct chat_status {
	const struct environment *environment;
	const struct deployment *released; /* the one that brought the current release */
	const struct deployment *active; /* NULL: none */
	const struct deployment *queued; /* NULL: none */
	bool is_left; /* no settings have it any more */
	const char *becomes; /* ... but under this name; NULL: it was removed */
	const char *step; /* the active one's latest; "" none */
	const struct block *blocks; /* the newest */
	size_t n_blocks;
	int64_t n_all_blocks;
	const struct holds *holds; /* its locks and freezes */
	size_t n_urls; /* health URLs that are set */
	const struct probe_finding *findings; /* n_urls of them; NULL: being probed */
	const char *host; /* this machine's name */
	int64_t at;
};

/* Adds that what runs in it is not known, why, and which machine says so.  Nothing where it is. */
void chat_unknown(struct chat_text *text, const struct environment *environment, const char *host,
    int64_t at);

/* Adds why the settings do not have what is in progress. */
void chat_left(struct chat_text *text, const char *becomes);

/* Adds "rolled back by @ada, 5 min ago (to release 2, 1a2b3c4)". */
void chat_block(struct chat_text *text, const struct block *block, int64_t at);

/* Down, unknown or unhealthy: a phone shows what stands first, so this does. */
bool chat_status_is_trouble(const struct chat_status *status);

/* Adds a paragraph about one environment; a line, where many stand in one message. */
void chat_status(struct chat_text *text, const struct chat_status *status);
void chat_status_line(struct chat_text *text, const struct chat_status *status);
