/* cli_audit_inside.h - arguments that several kinds of `deploybot audit` share.  Side: start. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "cli/cli.h"
#include "cli/cli_audit_print.h"
#include "store/audit_read.h"

struct audit_arguments {
	struct audit_filter filter;
	enum audit_format format;
	int64_t limit;
	const char *rest; /* what is no option; NULL: none */
	char person[96];
	bool is_anyway;
};

/* Reads options of `wanted`, a bit for each OPTION; false: said what is wrong on stderr. */
bool cli_audit_arguments(
    const struct cli *cli, unsigned wanted, struct audit_arguments *ret) MUST_USE;

#define OPTION_PERIOD 1U /* --from, --to, --app, --environment, --deployment */
#define OPTION_WHO    2U /* --person, --severity, --code */
#define OPTION_FORMAT 4U
#define OPTION_LIMIT  8U /* -n */
#define OPTION_REST   16U
#define OPTION_ANYWAY 32U /* --anyway */

/* Looks whether anything of the log names that application or environment.  EX_OK: it does, or
 * none was asked for; else what to exit with, and why is said on stderr. */
MUST_USE int cli_audit_check_named(
    const struct audit_source *source, const struct audit_filter *filter);

/* Each returns the exit status; 64: usage. */
int cli_audit_tail(const struct cli *cli, const struct audit_source *source);
int cli_audit_search(const struct cli *cli, const struct audit_source *source);
int cli_audit_show(const struct cli *cli, const struct audit_source *source);
int cli_audit_export(const struct cli *cli, const struct audit_source *source);

/* Reads settings only where neither log nor database (`copy`; NULL: none) is named. */
int cli_audit_verify(const struct cli *cli, const char *copy);

/* The rows and the log beside them, or what of both there is, as `audit verify` looks at them;
 * prints what it finds.  0, or what to exit with. */
int cli_audit_verify_source(const struct audit_source *source);

/* Is there a log?  A closed file by itself is none.  False: *ret_why says what to name; it may be
 * read until the next call. */
bool cli_audit_is_log(const char *path, const char **ret_why) MUST_USE;
