/* settings_load.h - makes snapshots of the settings: read, checked, compared.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/base.h"
#include "lib/buf.h"
#include "types/settings.h"

struct settings_folder;

/* With an ERROR nothing starts.  With a FLAW the server does, and something comes to nothing. */
enum settings_severity { SETTINGS_ERROR, SETTINGS_FLAW, SETTINGS_WARNING, SETTINGS_NOTE };

#define SETTINGS_REPORT_MAX 64

/* All that is to say about the settings, in their order; never a secret's value. */
struct settings_report {
	size_t errors;
	size_t flaws;
	size_t count;
	size_t left_out; /* lines for which there was no room */
	struct settings_line {
		enum settings_severity severity;
		bool is_listed; /* it stands in refused or warned of the snapshot as well */
		bool is_removed; /* a setting that has no effect any more; of doctor an error */
		char application[ENVIRONMENT_NAME_MAX]; /* of whose file it is; "": of none */
		char text
		    [300]; /* "API_SERVER_PORT: \"x\" is not a port, 1 to 65535 (.env line 7)" */
	} lines[SETTINGS_REPORT_MAX];
};

/* Reads the process environment ("NAME=value", ends with NULL; may be NULL) over a file (NULL:
 * none), and the applications' files; what is empty is not set.  False when there is any error:
 * then *ret is untouched and report holds a line for each.  Warnings and notes are reported in both
 * cases.  The caller owns one count of *ret. */
MUST_USE bool settings_load(const char *env_file, char *const environ_list[], struct settings **ret,
    struct settings_report *report);

/* The same, where of what is said of applications only that of this one is in the report. */
MUST_USE bool settings_load_for(const char *application, const char *env_file,
    char *const environ_list[], struct settings **ret, struct settings_report *report);

/* What a reload has found: names, never values. */
struct settings_change {
	struct buf names;	  /* "NAME, NAME; shop: NAME; web: new"; empty: nothing differs */
	struct buf restart_names; /* those of them that wait for a restart */
	struct buf applications;  /* "shop, web": those that changed, came or went */
	bool refused_differ;	  /* other files are refused, or for other reasons */
	bool warned_differ;	  /* something else is warned of */
};

void settings_change_init(struct settings_change *change);
void settings_change_done(struct settings_change *change);
bool settings_change_is_any(const struct settings_change *change);

/* Says what differs between two.  False when nothing does. */
bool settings_diff(const struct settings *running, const struct settings *fresh,
    struct settings_change *change);

/* settings_load() beside a running snapshot: what is found is checked and compared, and in *ret
 * whatever needs a restart has the value that is running, so that the whole program goes on seeing
 * one truth; it is named again each time until the restart.  Of the applications those of the
 * folder are read (NULL: of the folder as it is now); one that has a mistake, or is kept, and one
 * that is the same as before is the running snapshot's own. */
MUST_USE bool settings_reload(const struct settings *running, const char *env_file,
    char *const environ_list[], const struct settings_folder *folder, struct settings **ret,
    struct settings_report *report, struct settings_change *change);
