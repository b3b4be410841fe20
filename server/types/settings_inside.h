/* settings_inside.h - how a snapshot is made and kept, for the files settings*.c alone.  Side: any. */
/* SPDX-License-Identifier: ISC */
#ifndef SETTINGS_INSIDE_H
#define SETTINGS_INSIDE_H

#include <stdatomic.h>

#include "lib/base.h"
#include "lib/env_file.h"
#include "types/settings.h"
#include "types/settings_check.h"
#include "types/settings_table.h"

/* One value: its texts are owned. */
struct settings_value {
	char *text;
	char *file; /* of a secret that stood in one: which; else NULL */
	bool is_given;
};

struct settings_environment_inside {
	char name[SETTINGS_ENVIRONMENT_NAME];
	struct settings_value values[ENVIRONMENT_SETTING_COUNT];
	char urls[SETTINGS_HEALTH_URLS_MAX][SETTINGS_CHECK_TEXT_MAX];
};

struct settings_inside {
	atomic_int count;
	struct settings_value values[SETTING_COUNT];
	char repository_url[SETTINGS_CHECK_TEXT_MAX];
	size_t environment_count;
	struct settings_environment_inside *environments[SETTINGS_ENVIRONMENTS_MAX];
};

/* What one settings_load works with. */
struct settings_loader {
	struct settings *s;
	struct env_file file;
	const char *file_name;
	char *const *environ_list;
	struct settings_report *report;
};

/* Where a text was found, for the report. */
struct settings_found {
	const char *text; /* NULL: nowhere, or empty */
	unsigned line; /* in the file; 0: the environment */
};

/* --- settings.c --- */

void settings_wipe_text(char **text); /* wipes, frees, leaves NULL */

/* --- settings_report.c --- */

void settings_say(struct settings_report *report, enum settings_severity severity, const char *fmt,
    ...) PRINTF(3, 4);
void settings_say_found(struct settings_loader *l, enum settings_severity severity,
    const char *name, struct settings_found found, const char *what);

/* --- settings_load.c --- */

/* Finds one value, checks it and keeps it; what is wrong with it is in the report. */
void settings_take_value(struct settings_loader *l, const struct settings_spec *spec,
    const char *name, const char *fallback, struct settings_value *value);

/* --- settings_environments.c --- */

void settings_take_environments(struct settings_loader *l);

/* --- settings_fields.c --- */

/* Makes every typed field anew from the values inside. */
void settings_fill(struct settings *s);

/* --- settings_rules.c --- */

void settings_check_rules(struct settings_loader *l);

#endif
