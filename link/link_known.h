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

/* Of fixed size, for 12,000: of whom another one has taken the place is asked again. */
#define LINK_KNOWN	 4096
#define LINK_KNOWN_PLACE 8 /* of so many in one place the oldest gives way */
struct link_known_table {
	struct link_known at[LINK_KNOWN][LINK_KNOWN_PLACE];
};

struct link_known *link_known_of(struct link_known_table *table, const struct link_identity *who);
void link_known_set(struct link_known_table *table, const struct link_identity *who, bool yes);
