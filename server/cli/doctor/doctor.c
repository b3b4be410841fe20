/* doctor.c - the list of findings, and how many questions have no answer yet.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "cli/doctor/doctor.h"

#include <stdarg.h>
#include <stdio.h>

#include "lib/loop.h"
#include "settings/sources/settings_load.h"

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
doctor_say_settings(
    struct doctor *doctor, const struct settings_report *report, enum doctor_level removed)
{
	static const enum doctor_level levels[] = {
		[SETTINGS_ERROR] = DOCTOR_ERROR,
		[SETTINGS_FLAW] = DOCTOR_ERROR,
		[SETTINGS_WARNING] = DOCTOR_WARNING,
		[SETTINGS_NOTE] = DOCTOR_NOTE,
	};

	for (size_t i = 0; i < report->count; i++) {
		const struct settings_line *line = &report->lines[i];

		doctor_say(doctor, DOCTOR_SETTINGS,
		    line->is_removed ? removed : levels[line->severity], "%s", line->text);
	}
	if (report->left_out > 0)
		TELL(doctor, SETTINGS, NOTE,
		    "and %zu lines more: deploybot application check NAME says them",
		    report->left_out);
}

void
doctor_at_end(struct doctor *doctor, void (*end)(void *ctx), void *ctx)
{
	assert(doctor->n_ends < DOCTOR_ENDS_MAX);
	doctor->ends[doctor->n_ends++] = (struct doctor_end){ end, ctx };
}

void
doctor_end(struct doctor *doctor)
{
	while (doctor->n_ends > 0) {
		const struct doctor_end *last = &doctor->ends[--doctor->n_ends];

		last->end(last->ctx);
	}
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
