/* promotion.h - what a deployment brings that builds nothing.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/base.h"
#include "types/limits.h"

/* Of a deployment that brings what is live elsewhere, or to hosts that lag behind, without a
 * build. */
struct promotion {
	char from[LIMIT_ENVIRONMENT]; /* where it is live; "": it is no promotion */
	char image[LIMIT_IMAGE];      /* which is brought, and no other */
	int64_t since;		      /* wall ms: live there, when it was asked for */
	int64_t release;	      /* of that environment */
	int64_t seen; /* the release that was live there when whoever answers was shown it */
};

/* In the place of a ref, as in /hosts: its own hosts are meant. */
#define PROMOTION_FAILED "failed"

/* Does it bring what is live in that environment, which is its own, to those of its hosts that do
 * not run it (/deploy production failed)? */
bool promotion_is_own(const struct promotion *promotion, const char *environment) MUST_USE;
