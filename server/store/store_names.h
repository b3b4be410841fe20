/* store_names.h - the environments or lanes that something happened to, until it is looked at.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "types/limits.h"

#define STORE_LANE 64 /* "heads:" and an environment, "say:", 20 digits and ":answer" */

/* All zero: none. */
struct store_names {
	bool is_all; /* of each that there is */
	size_t n;
	char (*names)[STORE_LANE]; /* an environment's is shorter */
};

void store_names_add(struct store_names *names, const char *name); /* each once */
void store_names_clear(struct store_names *names);
void store_names_done(struct store_names *names);

bool store_names_are_any(const struct store_names *names);
