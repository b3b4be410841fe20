/* notify_answer.h - what an answer of a destination's means.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "types/notify.h"

#define NOTIFY_RETRY_MOST_MS (3600 * INT64_C(1000)) /* Retry-After is obeyed so far */

struct notify_reply {
	enum notify_kind kind;
	int status; /* 0: none came, and `body` says why */
	const char *body;
	size_t size;
	int64_t retry_after_s; /* 0: it said none */
};

struct notify_said notify_judge(const struct notify_reply *reply);
