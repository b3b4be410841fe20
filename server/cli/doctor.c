/* doctor.c - the list of findings, and how many questions have no answer yet.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "cli/doctor.h"

#include <stdarg.h>
#include <stdio.h>

#include "lib/loop.h"

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
