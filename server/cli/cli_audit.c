/* cli_audit.c - `deploybot audit verify`: prints what audit_verify finds.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <sysexits.h>
#include <time.h>

#include "cli/cli.h"
#include "lib/err.h"
#include "store/audit_verify.h"
#include "types/settings.h"

/* A running server writes the file right after the commit. */
#define LOOKS	 5
#define PAUSE_NS 200000000

static bool
verify(const char *database, const char *file, struct audit_verified *ret, struct err *err)
{
	const struct timespec pause = { .tv_nsec = PAUSE_NS };

	for (int look = 0; look < LOOKS; look++) {
		if (look > 0)
			(void)nanosleep(&pause, NULL);
		if (!audit_verify(database, file, ret, err))
			return false;
		if (ret->behind == 0)
			break;
	}
	return true;
}

static int
judge(const struct audit_verified *found, const char *file)
{
	int status = EX_OK;

	if (found->first > 1) {
		(void)fprintf(stderr, "error: entries 1 to %" PRId64 " are not in %s\n",
		    found->first - 1, file);
		status = 1;
	}
	if (found->behind > 0) {
		(void)fprintf(stderr,
		    "error: the newest %" PRId64
		    " entries are not in %s: it was cut off, or the server cannot write it\n",
		    found->behind, file);
		status = 1;
	}
	(void)printf(
	    "%s: %" PRId64
	    " entries in the database, head %s (the newest final message in the chat says the same)\n",
	    status == EX_OK ? "ok" : "note", found->entries, found->head);
	return status;
}

int
cli_audit(const struct cli *cli)
{
	CLEANUP(settings_unrefp) struct settings *s = NULL;
	struct audit_verified found;
	char database[PATH_MAX];
	struct err err;

	if (cli->argc != 1 || strcmp(cli->argv[0], "verify") != 0) {
		(void)fprintf(stderr, "Usage: %s audit verify\n", cli->program);
		return EX_USAGE;
	}
	s = cli_settings(cli, false);
	if (s == NULL)
		return EX_CONFIG;
	cli_database(s, database, sizeof(database));
	if (verify(database, s->audit_log_path, &found, &err))
		return judge(&found, s->audit_log_path);
	(void)fprintf(stderr, "error: %s\n", err.text);
	return 1;
}
