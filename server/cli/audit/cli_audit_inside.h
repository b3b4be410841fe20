/* cli_audit_inside.h - arguments that several kinds of `deploybot audit` share.  Side: start. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "cli/cli.h"
#include "cli/audit/cli_audit_print.h"
#include "store/audit_read.h"

struct audit_arguments {
	struct audit_filter filter;
	enum audit_format format;
	int64_t limit;
	char person[96];
};

/* Reads what the options say; false: said what is wrong on stderr. */
bool cli_audit_arguments(const struct cli *cli, struct audit_arguments *ret) MUST_USE;

/* Looks whether anything of the log names that application or environment.  EX_OK: it does, or
 * none was asked for; else what to exit with, and why is said on stderr. */
MUST_USE int cli_audit_check_named(
    const struct audit_source *source, const struct audit_filter *filter);

/* Runs it on what was named (takes_both: a log beside a copy of the database), or what the settings
 * name; returns the exit status. */
typedef int cli_audit_command(const struct cli *cli, const struct audit_source *source);
int cli_audit_with(const struct cli *cli, bool takes_both, cli_audit_command *run);

/* The copy of the database that was named; database NULL: none. */
void cli_audit_copy(const struct cli *cli, struct audit_source *ret);

/* The rows and the log beside them, or what of both there is, as `audit verify` looks at them;
 * prints what it finds.  0, or what to exit with. */
int cli_audit_verify_source(const struct audit_source *source);

/* Is there a log?  A closed file by itself is none.  False: *ret_why says what to name; it may be
 * read until the next call. */
bool cli_audit_is_log(const char *path, const char **ret_why) MUST_USE;
