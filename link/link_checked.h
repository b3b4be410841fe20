/* link_checked.h - what the server has said of certificates, kept for a minute.  Side: any. */
/* SPDX-License-Identifier: ISC */
/*
 * A table of fixed size: a certificate whose place another one has taken is asked of again.
 */
#pragma once

#include "link/link_tls.h"

#define LINK_CHECKED_MS 60000

enum link_checked_state {
	LINK_CHECKED_UNKNOWN,
	LINK_CHECKED_YES,
	LINK_CHECKED_NO,
	LINK_CHECKED_OLD, /* it was yes, more than a minute ago */
};

struct link_checked;

struct link_checked *link_checked_new(void);
enum link_checked_state link_checked_find(const struct link_checked *checked,
    const struct link_identity *who, int64_t now);
void link_checked_put(struct link_checked *checked, const struct link_identity *who, bool yes,
    int64_t now);
