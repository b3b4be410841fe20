/* cli_audit.c - what `deploybot audit` reads: settings, a copy of the database, a log.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <limits.h>
#include <stdio.h>
#include <sysexits.h>

#include "cli/cli_audit_inside.h"
#include "lib/db_backup.h"
#include "types/settings.h"

static int
refuse(const char *why)
{
	(void)fprintf(stderr, "error: audit: %s\n", why);
	return EX_USAGE;
}

/* What was named, or what the settings name. */
static int
find_source(const struct cli *cli, bool takes_both, struct audit_source *ret,
    struct settings **ret_settings, char database[PATH_MAX])
{
	const char *why;

	cli_audit_copy(cli, ret);
	ret->log = cli->value[OPTION_LOG];
	if (ret->database != NULL || ret->log != NULL) {
		if (cli->value[OPTION_ENV_FILE] != NULL)
			return refuse("--env-file beside --database or --log: one or the other");
		if (ret->database != NULL && ret->log != NULL && !takes_both)
			return refuse("--database or --log: one of both");
		if (ret->log != NULL && !cli_audit_is_log(ret->log, &why))
			return refuse(why);
		return EX_OK;
	}
	*ret_settings = cli_settings(cli, false);
	if (*ret_settings == NULL)
		return EX_CONFIG;
	cli_database(*ret_settings, database, PATH_MAX);
	*ret =
	    (struct audit_source){ .database = database, .log = (*ret_settings)->audit_log_path };
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
	char database[PATH_MAX];
	int status = find_source(cli, takes_both, &source, &s, database);

	return status != EX_OK ? status : run(cli, &source);
}
