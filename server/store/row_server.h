/* row_server.h - the servers of one database of PostgreSQL, and what each goes by.  Side: store. */
/* SPDX-License-Identifier: ISC */
/*
 * A row for each, which it writes itself over its lease's connection, whether it leads or not.  Its
 * marks are a list of lib/fingerprint.h, which tells no value: of each value that is set and no
 * secret, but for names, addresses and paths of a machine; and of the secrets that both must have.
 */
#pragma once

#include "lib/db.h"
#include "types/limits.h"

struct settings;

#define ROW_SERVER_EACH_MS  10000			    /* it is written so often */
#define ROW_SERVER_KNOWN_MS (7 * 24 * 3600 * INT64_C(1000)) /* one that is gone for good */
#define ROW_SERVER_ALIVE_MS 30000 /* whose row is older is not connected */

/* Free it. */
char *row_server_marks(const struct settings *s) MUST_USE;

/* fingerprint_differing() of two of them.  Where the key of their secrets' marks is another, or one
 * is of a release that marked fewer, it stands for them. */
void row_server_differing(const char *ours, const char *theirs, char ret[LIMIT_LINE]);

/* A format of two texts: what stands before it, and that name. */
#define ROW_SERVER_NAMESAKE \
	"%stwo servers are called %s: give one of them another SERVER_NAME, and start it again"
/* A name that two sessions of servers have now; "": none. */
bool row_server_namesake(struct db *db, char ret[LIMIT_RUNNER], struct err *err) MUST_USE;

/* Not inside a transaction; its table is leader_make()'s. */
bool row_server_write(struct db *db, const char *name, const char *marks, struct err *err) MUST_USE;
