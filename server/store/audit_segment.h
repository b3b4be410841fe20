/* audit_segment.h - the files of the audit log: the newest, and those that are closed.  Side: store. */
/* SPDX-License-Identifier: ISC */
/*
 * The newest entries stand in AUDIT_LOG_PATH, /var/log/deploybot/audit.log.  When its UTC day is
 * over, or it is full, it is closed: renamed to audit.log.FIRST, the number of its first entry, and
 * never written again.
 */
#pragma once

#include <limits.h>

#include "lib/base.h"

#define AUDIT_DAY 11 /* 2026-11-20 and its NUL */

/* First entries of the closed ones, rising. */
struct audit_segments {
	int64_t *first;
	size_t n;
};

bool audit_segments_list(const char *path, struct audit_segments *ret, struct err *err) MUST_USE;
void audit_segments_done(struct audit_segments *segments);

void audit_segment_path(const char *path, int64_t first, char out[PATH_MAX]);

/* The UTC day of a line; "": it is none. */
void audit_segment_day(const char *line, size_t size, char out[AUDIT_DAY]);

/* The file with the timestamp of a day's last entry: /var/log/deploybot/audit.log.2026-11-20.tsr */
#define AUDIT_STAMP_SUFFIX ".tsr"
void audit_segment_stamp(const char *path, const char *day, char out[PATH_MAX]);

/* Wall ms of the midnight at the end of a day; 0: it is no day. */
int64_t audit_segment_day_end(const char *day);
