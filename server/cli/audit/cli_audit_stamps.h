/* cli_audit_stamps.h - the timestamps beside the log, against what it says.  Side: start. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/err.h"

struct audit_against;

/* Are there timestamps beside the log? */
bool cli_audit_has_stamps(const char *log);

/* Behind cli_audit_against_compare(): says which days of the log that are over have none, from the
 * first stamped one on, and of which another entry is stamped than the last, a finding. */
bool cli_audit_stamps_days(
    const char *log, struct audit_against *against, struct err *err) MUST_USE;

/* Adds them as heads.  One that ca_file (NULL: the system's authorities) does not lead to is said,
 * and does not count. */
bool cli_audit_stamps(const char *log, const char *ca_file, struct audit_against *against,
    struct err *err) MUST_USE;
