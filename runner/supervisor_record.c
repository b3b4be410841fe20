/* supervisor_record.c - notes in a run's record what it says in its output.  Side: runner. */
/* SPDX-License-Identifier: ISC */
#include "runner/supervisor_record.h"

#include <limits.h>

#include "lib/clock.h"

/* What counts is what was shipped: the last one before the target changes. */
static void
take_image(struct protocol_record *record, const char *digest)
{
	if (!record->released)
		memcpy(record->image, digest, sizeof(record->image));
}

/* What is said again, as by two hosts or a hook in a loop, is one. */
static void
take_warning(struct protocol_record *record, const char *text)
{
	size_t i = 0;

	while (i < PROTOCOL_WARNINGS && record->warnings[i][0] != '\0')
		if (strcmp(record->warnings[i++], text) == 0)
			return;
	if (i < PROTOCOL_WARNINGS)
		memcpy(record->warnings[i], text, strlen(text) + 1);
	if (record->warning_count < INT_MAX)
		record->warning_count++;
}

static bool
was_said(const struct protocol_message *out, size_t decision)
{
	for (size_t i = 0; i < out->step_count; i++)
		if (step_scan_decides(out->steps[i].name) == decision)
			return true;
	return false;
}

static void
take_step(struct protocol_message *out, const char *name)
{
	bool release = strcmp(name, STEP_SCAN_RELEASE) == 0;
	bool no_rollback = strcmp(name, STEP_SCAN_NO_ROLLBACK) == 0;
	bool first = step_scan_decides(name) != 0 && !was_said(out, step_scan_decides(name));

	/* Behind the release it is too late to say so: it may be what an application printed. */
	if (no_rollback && out->record.released)
		return;
	out->record.migration |= !out->record.released && strcmp(name, STEP_SCAN_MIGRATE) == 0;
	out->record.released |= release;
	out->record.no_rollback |= no_rollback;
	out->record.drains |= out->record.released && strcmp(name, STEP_SCAN_DRAIN_LATER) == 0;
	out->record.undone |= out->record.released && strcmp(name, STEP_SCAN_NOTHING_RUNS) == 0;
	if (out->step_count >= PROTOCOL_STEPS_MAX && !first)
		return;
	assert(out->step_count < PROTOCOL_STEPS_ROOM);
	out->steps[out->step_count] = (struct protocol_step){ .at = clock_wall_ms() };
	memcpy(out->steps[out->step_count].name, name, strlen(name) + 1);
	out->step_count++;
}

void
supervisor_record_take(struct protocol_message *out, enum step_scan_kind kind, const char *text)
{
	switch (kind) {
	case STEP_SCAN_IMAGE:
		take_image(&out->record, text);
		break;
	case STEP_SCAN_WARNING:
		take_warning(&out->record, text);
		break;
	case STEP_SCAN_STEP:
		take_step(out, text);
		break;
	case STEP_SCAN_HOST: /* it has no room for them: host_results.h */
		break;
	}
}
