/* settings_inside.h - how a snapshot is made, for the room settings/ alone.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/base.h"
#include "lib/env_file.h"
#include "settings/settings_load.h"
#include "settings/settings_table.h"

/* What one load works with. */
struct settings_loader {
	struct settings *s;
	const struct settings_source *sources;
	struct env_file files[SETTINGS_SOURCES_MAX]; /* of the sources that are files */
	size_t count;
	struct settings_report *report;
};

/* Where a text was found, for the report. */
struct settings_found {
	const char *text; /* NULL: nowhere, or empty */
	const char *file; /* NULL: the process environment */
	unsigned line;
};

/* --- settings_report.c --- */

void settings_say(struct settings_report *report, enum settings_severity severity, const char *fmt,
    ...) PRINTF(3, 4);
void settings_say_found(struct settings_loader *l, enum settings_severity severity,
    const char *name, struct settings_found found, const char *what);

/* --- settings_value.c --- */

/* Finds one value, checks it and keeps it; what is wrong with it is in the report. */
void settings_take_value(struct settings_loader *l, const struct settings_spec *spec,
    const char *name, const char *fallback, struct settings_value *value);

/* --- settings_families.c --- */

void settings_take_families(struct settings_loader *l);

/* --- settings_fields.c --- */

/* Makes every typed field anew from the values inside. */
void settings_fill(struct settings *s);

/* Of a BOOL's text: NULL is false. */
bool settings_truth(const char *text);

/* --- settings_placeholders.c --- */

/* Names in the report what the installation guide writes where a value of theirs belongs. */
void settings_check_placeholders(struct settings_loader *l);

/* --- settings_rules.c --- */

void settings_check_rules(struct settings_loader *l);

/* --- settings_targets.c --- */

/* Of our own scripts alone: others have other needs. */
void settings_check_targets(struct settings_loader *l);
