/* cli_doctor.c - `deploybot doctor`: asks everybody at once, prints what was found.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/doctor.h"
#include "lib/err.h"
#include "lib/loop.h"
#include "types/settings.h"

void
doctor_say(struct doctor *doctor, enum doctor_subject subject, enum doctor_level level,
    const char *fmt, ...)
{
	struct doctor_finding *finding = &doctor->findings[doctor->count];
	va_list args;

	if (doctor->count == DOCTOR_FINDINGS_MAX)
		return; /* a list that long was read by nobody */
	doctor->count++;
	finding->subject = subject;
	finding->level = level;
	va_start(args, fmt);
	(void)vsnprintf(finding->text, sizeof(finding->text), fmt, args);
	va_end(args);
}

void
doctor_asked(struct doctor *doctor)
{
	doctor->open++;
}

void
doctor_answered(struct doctor *doctor)
{
	assert(doctor->open > 0);
	if (--doctor->open == 0)
		loop_stop(doctor->loop);
}

static void
report_settings(struct doctor *doctor, const struct settings_report *report)
{
	for (size_t i = 0; i < report->count; i++) {
		const struct settings_line *line = &report->lines[i];

		doctor_say(doctor, DOCTOR_SETTINGS,
		    line->severity == SETTINGS_ERROR	   ? DOCTOR_ERROR :
			line->severity == SETTINGS_WARNING ? DOCTOR_WARNING :
							     DOCTOR_OK,
		    "%s", line->text);
	}
	if (report->errors == 0)
		doctor_say(doctor, DOCTOR_SETTINGS, DOCTOR_OK, "settings are valid");
}

/* Everything that needs settings which are valid. */
static bool
examine(struct doctor *doctor, struct err *err)
{
	struct doctor_telegram *telegram;
	struct doctor_http *http;
	struct doctor_git *git;

	doctor->loop = loop_new(err);
	if (doctor->loop == NULL)
		return false;
	doctor_local(doctor);
	git = doctor_git_start(doctor); /* forks: before curl has threads */
	telegram = doctor_telegram_start(doctor);
	http = doctor_http_start(doctor);
	if (doctor->open > 0)
		loop_run(doctor->loop);
	doctor_http_free(http);
	doctor_telegram_free(telegram);
	doctor_git_free(git);
	loop_free(doctor->loop);
	return true;
}

static void
print_line(const struct doctor_finding *finding)
{
	static const char *const words[] = {
		[DOCTOR_OK] = "ok",
		[DOCTOR_WARNING] = "warning",
		[DOCTOR_ERROR] = "error",
	};

	(void)printf("%-8s %s\n", words[finding->level], finding->text);
}

/* Subject by subject; returns how many findings are errors. */
static size_t
print(const struct doctor *doctor)
{
	size_t count[] = { [DOCTOR_OK] = 0, [DOCTOR_WARNING] = 0, [DOCTOR_ERROR] = 0 };

	for (unsigned subject = 0; subject < DOCTOR_SUBJECT_COUNT; subject++) {
		for (size_t i = 0; i < doctor->count; i++) {
			if (doctor->findings[i].subject != subject)
				continue;
			print_line(&doctor->findings[i]);
			count[doctor->findings[i].level]++;
		}
	}
	(void)printf("\n%zu ok, %zu warning%s, %zu error%s\n", count[DOCTOR_OK],
	    count[DOCTOR_WARNING], count[DOCTOR_WARNING] == 1 ? "" : "s", count[DOCTOR_ERROR],
	    count[DOCTOR_ERROR] == 1 ? "" : "s");
	return count[DOCTOR_ERROR];
}

int
cli_doctor(const struct cli *cli)
{
	CLEANUP(settings_unrefp) struct settings *settings = NULL;
	struct doctor *doctor = calloc(1, sizeof(*doctor));
	struct settings_report report;
	struct err err;
	size_t errors;

	if (doctor == NULL)
		return EX_OSERR;
	doctor->cli = cli;
	if (settings_load(cli->env_file, environ, &settings, &report))
		doctor->settings = settings;
	report_settings(doctor, &report);
	if (settings != NULL && !examine(doctor, &err))
		doctor_say(doctor, DOCTOR_SETTINGS, DOCTOR_ERROR, "%s", err.text);
	errors = print(doctor);
	free(doctor);
	return errors == 0 ? EX_OK : 1;
}
