/* settings_load.h - makes snapshots of the settings: read, checked, compared.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/base.h"
#include "types/settings.h"

struct buf;

/* With an ERROR nothing starts.  With a FLAW the server does, and something comes to nothing. */
enum settings_severity { SETTINGS_ERROR, SETTINGS_FLAW, SETTINGS_WARNING, SETTINGS_NOTE };

#define SETTINGS_REPORT_MAX 64

/* All that is to say about the settings, in their order; never a secret's value. */
struct settings_report {
	size_t errors;
	size_t flaws;
	size_t count;
	struct settings_line {
		enum settings_severity severity;
		char text
		    [300]; /* "API_SERVER_PORT: \"x\" is not a port, 1 to 65535 (.env line 7)" */
	} lines[SETTINGS_REPORT_MAX];
};

/* Where settings may stand: the process environment ("NAME=value", ends with NULL; may be NULL), or
 * a file, which must be there. */
struct settings_source {
	const char *file; /* NULL: environ_list */
	char *const *environ_list;
};

#define SETTINGS_SOURCES_MAX 4

/* Reads the sources; of two that set a name the first wins, and what is empty is not set.  False
 * when there is any error: then *ret is untouched and report holds a line for each.  Warnings and
 * notes are reported in both cases.  The caller owns one count of *ret. */
MUST_USE bool settings_load_sources(const struct settings_source sources[], size_t count,
    struct settings **ret, struct settings_report *report);

/* The same of the process environment over one file (NULL: none). */
MUST_USE bool settings_load(const char *env_file, char *const environ_list[], struct settings **ret,
    struct settings_report *report);

/* Appends what differs as "NAME, NAME" (never values), and those that need a restart to
 * restart_names.  False when nothing differs. */
bool settings_diff(const struct settings *running, const struct settings *fresh, struct buf *names,
    struct buf *restart_names);

/* settings_load() beside a running snapshot: what is found is checked and compared (as by
 * settings_diff; names stays empty when nothing differs), and in *ret whatever needs a restart has
 * the value that is running, so that the whole program goes on seeing one truth.  It is named again
 * each time until the restart. */
MUST_USE bool settings_reload(const struct settings *running, const char *env_file,
    char *const environ_list[], struct settings **ret, struct settings_report *report,
    struct buf *names, struct buf *restart_names);
