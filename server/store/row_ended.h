/* row_ended.h - ends of roles, and of who had them, that have come.  Side: store. */
/* SPDX-License-Identifier: ISC */
/* One is known by its date: another date in the settings is another end, which may be to come. */
#pragma once

#include "store/tx.h"
#include "types/roles.h"

/* That end has come; person 0: of all who had the role. */
void row_ended_add(struct tx *tx, const struct role *role, int64_t person, int64_t until);

/* Has it come already, for that person or for all? */
bool row_ended_has(struct tx *tx, const struct role *role, int64_t person, int64_t until) MUST_USE;

/* Is it the first start since rights ended with an upgrade?  Says so once. */
bool row_ended_by_upgrade(struct tx *tx) MUST_USE;

/* The application has another name from now on. */
void row_ended_rename(struct tx *tx, const char *from, const char *to);
