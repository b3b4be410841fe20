/* cli_audit.c - what `deploybot audit` reads: settings, a copy of the database, a log.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli/audit/cli_audit_inside.h"
#include "lib/db_backup.h"
#include "store/audit_segment.h"
#include "types/settings.h"

bool
cli_audit_is_log(const char *path, const char **ret_why)
{
	static char why[PATH_MAX + 128];
	struct audit_segments closed = { 0 };
	const char *dot = strrchr(path, '.');
	struct stat st;
	bool is_there = stat(path, &st) == 0;

	*ret_why = why;
	if (is_there && S_ISDIR(st.st_mode)) {
		(void)snprintf(why, sizeof(why), "%s is a folder: name the log in it, %s/audit.log",
		    path, path);
		return false;
	}
	if (is_there && dot != NULL && dot[1] != '\0' &&
	    dot[1 + strspn(dot + 1, "0123456789")] == '\0') {
		(void)snprintf(why, sizeof(why),
		    "%s is a closed file of a log: name the log, %.*s, and all its files are read",
		    path, (int)(dot - path), path);
		return false;
	}
	if (!is_there && errno == ENOENT && audit_segments_list(path, &closed, NULL)) {
		is_there = closed.n > 0; /* the newest one went, or was not taken along */
		audit_segments_done(&closed);
	} else if (is_there) {
		is_there = S_ISREG(st.st_mode);
	}
	(void)snprintf(why, sizeof(why), "%s: %s",
	    stat(path, &st) == 0 ? "it is no file" : "there is no such file", path);
	return is_there;
}

static int
refuse(const char *why)
{
	(void)fprintf(stderr, "error: audit: %s\n", why);
	return EX_USAGE;
}

/* What was named, or what the settings name. */
static int
find_source(const struct cli *cli, bool takes_both, struct audit_source *ret,
    struct settings **ret_settings)
{
	const char *why;

	cli_audit_copy(cli, ret);
	ret->log = cli->value[OPTION_LOG];
	if (ret->database != NULL || ret->log != NULL) {
		if (cli->value[OPTION_ENV_FILE] != NULL)
			return refuse("--env-file beside --database or --log: one or the other");
		if (ret->database != NULL && ret->log != NULL && !takes_both)
			return refuse("--database or --log: one of both");
		if (ret->log != NULL && !cli_audit_is_log(ret->log, &why)) {
			(void)refuse(why);
			return access(ret->log, F_OK) == 0 ? EX_USAGE : EX_NOINPUT;
		}
		return EX_OK;
	}
	*ret_settings = cli_settings(cli, false);
	if (*ret_settings == NULL)
		return EX_CONFIG;
	*ret = (struct audit_source){ .database = (*ret_settings)->database,
		.log = (*ret_settings)->audit_log_path };
	return EX_OK;
}

void
cli_audit_copy(const struct cli *cli, struct audit_source *ret)
{
	ret->database = cli->value[OPTION_DATABASE];
	ret->is_copy = ret->database != NULL;
	if (ret->is_copy && db_backup_lacks_log(ret->database))
		(void)fprintf(stderr,
		    "note: %s was copied without its -wal: the newest entries may be missing in it; `deploybot backup FILE` makes a whole copy\n",
		    ret->database);
}

int
cli_audit_with(const struct cli *cli, bool takes_both, cli_audit_command *run)
{
	CLEANUP(settings_unrefp) struct settings *s = NULL;
	struct audit_source source = { 0 };
	int status = find_source(cli, takes_both, &source, &s);

	return status != EX_OK ? status : run(cli, &source);
}
