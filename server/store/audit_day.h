/* audit_day.h - the last head of a UTC day that is over, and the file with its timestamp.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include <limits.h>

#include "lib/base.h"
#include "store/audit_chain.h"
#include "store/audit_segment.h"

#define AUDIT_STAMP_SUFFIX ".tsr"

struct audit_day {
	char day[AUDIT_DAY];
	int64_t seq; /* of its last entry */
	uint8_t hash[AUDIT_HASH];
};

/* /var/log/deploybot/audit.log.2026-11-20.tsr */
void audit_day_path(const char *path, const char *day, char out[PATH_MAX]);

/* Wall ms of the midnight at its end; 0: it is no day. */
int64_t audit_day_end(const char *day);

/*
 * The oldest of the last forty files' days that is before `today` and has no such file yet; ends
 * with the log's files, whatever the database has.  ret->day "": there is none.
 */
bool audit_day_unstamped(
    const char *path, const char *today, struct audit_day *ret, struct err *err) MUST_USE;
