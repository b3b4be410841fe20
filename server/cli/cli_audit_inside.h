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

/* Nothing of the log names that application or environment: said on stderr; 0: it does, or none
 * was asked for. */
int cli_audit_is_named(const char *database, const struct audit_filter *filter);

/* Each returns the exit status; 64: usage. */
int cli_audit_tail(const struct cli *cli, const char *database);
int cli_audit_search(const struct cli *cli, const char *database);
int cli_audit_show(const struct cli *cli, const char *database);
int cli_audit_export(const struct cli *cli, const char *database, const char *log);

/* Reads settings only where no log is named. */
int cli_audit_verify(const struct cli *cli);

/* The rows and the log beside them, as `audit verify` looks at them; prints what it finds.  0, or
 * what to exit with. */
int cli_audit_verify_rows(const char *database, const char *log);
