/* chat_push.h - what a push says that asks in several environments at once.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "chat/chat_text.h"

#define CHAT_PUSH_NAMES 64

struct chat_push_ask {
	const char *commit;
	const char *subject;
	const char *author;
	const char *requester;
	const char *last; /* that was answered; "": one that this chat may not see */
	size_t n_below;	  /* that are asked about below, and wait there */
	size_t n;	  /* that wait for an answer here */
	const char *names[CHAT_PUSH_NAMES];
};

/* Adds what waits where: "qa ×4" of those of one name, the whole of a name that one alone has; with
 * n 0 that all are asked about below, or that nothing waits any more. */
void chat_push_asks(struct chat_text *text, const struct chat_push_ask *ask);
