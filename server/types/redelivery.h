/* redelivery.h - what a forge could not deliver, and which of it is asked for again.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "types/limits.h"

#define REDELIVERY_LIST	 500 /* kept of one webhook: the newest */
#define REDELIVERY_TRIES 3   /* of one event */

struct json;

/* An event, by all of its attempts. */
struct redelivery {
	char guid[LIMIT_DELIVERY]; /* the same of each attempt, and in the inbox */
	int64_t id;		   /* of the newest attempt: what is asked for again */
	int64_t at;		   /* wall ms of the oldest */
	bool is_ok;		   /* it was delivered */
	bool asks_branch;	   /* a push of a branch that nobody has asked for yet */
	char branch[LIMIT_REF];	   /* of a push; "": it is none, or not known */
	int64_t tries, due;	   /* asked for again so often; wall ms: not before */
};

/* What older pushes of are needed no more: a branch, and in front of it the repository where a
 * webhook has those of several (NULL: it has not). */
void redelivery_ref(const char *repository, const char *branch, char ret[LIMIT_REF]);

/* An attempt, as GitHub lists it, or GitLab what failed; false: it is none.  Of GitLab's the branch
 * is known, and what is neither a push nor a pipeline's is none; before 17.4 it names no key, nor
 * a time before created_at (gitlab, lib/api/entities/web_hook_log.rb). */
bool redelivery_read(const struct json *item, struct redelivery *ret) MUST_USE;
bool redelivery_read_gitlab(const struct json *item, struct redelivery *ret) MUST_USE;

/* When it may be asked for again, after so many tries, the last one then. */
int64_t redelivery_due(int64_t tries, int64_t at);

/* Is no push of its branch newer?  One that came counts too. */
bool redelivery_is_newest(const struct redelivery *list, size_t n, const struct redelivery *push);

/* The oldest that is asked for again now, of pushes the newest of a branch alone; NULL: none. */
struct redelivery *redelivery_next(struct redelivery *list, size_t n, int64_t now);
