/* cli_settings.c - what subcommands need before they begin: the settings.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/cli_usage.h"
#include "lib/err.h"
#include "lib/mem.h"
#include "settings/sources/settings_load.h"
#include "types/settings.h"

/* Errors last: what refuses to start ends with why, and `docker logs` with that. */
static void
print_report(const struct settings_report *report)
{
	static const struct {
		enum settings_severity severity;
		const char *word;
	} order[] = { { SETTINGS_NOTE, "note" }, { SETTINGS_WARNING, "warning" },
		{ SETTINGS_FLAW, "error" }, { SETTINGS_ERROR, "error" } };

	if (report->left_out > 0)
		(void)fprintf(stderr,
		    "%-8s and %zu lines more: deploybot application check NAME says them\n", "note",
		    report->left_out);
	for (size_t turn = 0; turn < COUNT(order); turn++)
		for (size_t i = 0; i < report->count; i++)
			if (report->lines[i].severity == order[turn].severity)
				(void)fprintf(
				    stderr, "%-8s %s\n", order[turn].word, report->lines[i].text);
}

struct settings *
cli_settings_for(
    const struct cli *cli, bool all, const char *application, struct settings_report *report)
{
	struct settings *settings = NULL;

	if (!settings_load_for(application, cli->env_file, environ, &settings, report)) {
		cli_usage_no_file(cli);
		all = true;
	}
	if (all)
		print_report(report);
	return settings;
}

struct settings *
cli_settings(const struct cli *cli, bool all)
{
	struct settings_report report;

	return cli_settings_for(cli, all, NULL, &report);
}

bool
cli_application_file(const char *env_file, const struct settings *s, const char *application,
    char out[SETTING_APPS_FILE_MAX])
{
	char directory[SETTING_PART_MAX + 1];

	if (!setting_apps_directory(env_file, settings_text(s, SETTING_APPS_DIRECTORY), directory))
		return false;
	(void)setting_apps_file(directory, application, out);
	return true;
}

struct settings *
cli_settings_with(const char *env_file, char *line, struct settings_report *report)
{
	CLEANUP(freep) char **list = NULL;
	struct settings *settings = NULL;
	size_t n = 0;

	while (environ[n] != NULL)
		n++;
	list = mem_new(n + 2, sizeof(*list));
	list[0] = line; /* the first of a name counts */
	memcpy(list + 1, environ, n * sizeof(*list));
	return settings_load(env_file, list, &settings, report) ? settings : NULL;
}

const char *
cli_target(const struct settings *s, const char *text)
{
	const struct environment_settings *exact = settings_environment(s, text);
	const char *found = NULL;
	size_t n = 0;

	if (exact != NULL)
		return exact->name;
	for (size_t i = 0; i < s->environment_count; i++) {
		const char *name = s->environments[i].name, *slash = strchr(name, '/');

		if (slash == NULL || strcmp(slash + 1, text) != 0)
			continue;
		found = name;
		n++;
	}
	if (n == 0)
		(void)fprintf(stderr,
		    "error: there is no environment \"%s\": deploybot application list\n", text);
	else if (n > 1)
		(void)fprintf(stderr, "error: %zu applications have \"%s\": say which, as %s\n", n,
		    text, found);
	return n == 1 ? found : NULL;
}

int
cli_fail(const struct err *err)
{
	(void)fprintf(stderr, "error: %s\n", err->text);
	return err_exit_status(err->code);
}
