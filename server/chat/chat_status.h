/* chat_status.h - what /status says.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "chat/chat_text.h"
#include "deployment/deployment.h"
#include "types/probe.h"

struct chat_status {
	const struct environment *environment;
	const struct deployment *released; /* the one that brought the current release */
	const struct deployment *active; /* NULL: none */
	const struct deployment *queued; /* NULL: none */
	const char *step; /* the active one's latest; "" none */
	size_t n_urls; /* health URLs that are set */
	const struct probe_finding *findings; /* n_urls of them; NULL: being probed */
	const char *host; /* this machine's name */
	int64_t at;
};

/* Adds that what runs in it is not known, why, and which machine says so.  Nothing where it is. */
void chat_unknown(struct chat_text *text, const struct environment *environment, const char *host,
    int64_t at);

/* Adds a paragraph about one environment. */
void chat_status(struct chat_text *text, const struct chat_status *status);
