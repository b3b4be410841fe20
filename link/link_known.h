/* link_known.h - what the server has said of a name and a key.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/sha256.h"
#include "link/link_tls.h"

struct link_known {
	uint8_t of[SHA256_SIZE];
	int64_t at; /* monotonic ms; 0: nothing yet */
	bool yes;
};

/* Of fixed size: of whom another one has taken the place is asked again. */
#define LINK_KNOWN 16384
struct link_known_table {
	struct link_known at[LINK_KNOWN];
};

struct link_known *link_known_of(struct link_known_table *table, const struct link_identity *who);
void link_known_set(struct link_known_table *table, const struct link_identity *who, bool yes);
