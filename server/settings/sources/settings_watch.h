/* settings_watch.h - looks whether files with settings have changed, and stand still.  Side: any. */
/* SPDX-License-Identifier: ISC */
/*
 * A file is read when two looks in a row saw it the same: an editor, or a copy, may be half
 * through.  An application whose file is gone is removed at the third look that does not see it; a
 * folder that cannot be read, or is empty where it was not, removes nothing.
 *
 * Where a user of the machine is let in (LOCAL_<USER>_IS), the file of its users counts as one of
 * ours: names become uids when settings are read, and the uid of one that is removed may soon be
 * another's.  A directory of users elsewhere (LDAP) is not seen: serve_users.c.
 */
#pragma once

#include "settings/sources/settings_folder.h"

#define SETTINGS_WATCH_EVERY_MS	  2000
#define SETTINGS_WATCH_GONE_AFTER 3 /* looks */

struct settings_watch {
	const char *env_file; /* NULL: none */
	const char *users;    /* the file of the machine's users; tests have another */
	uint64_t main_seen;   /* stamp of settings, users, files of secrets at the last look */
	uint64_t main_taken;  /* their stamp when they were last read */
	uint64_t refused_seen;
	uint64_t refused_taken;
	size_t count;
	struct settings_watched *files; /* those of applications, in the order in which they came */
	char error[LIMIT_LINE];		/* of the folder, at the last look; "": none */
};

/* From what stands there now; nothing counts as read, for it may have changed since.  env_file must
 * outlive it; settings are those that were read. */
void settings_watch_init(
    struct settings_watch *watch, const char *env_file, const struct settings *settings);
void settings_watch_done(struct settings_watch *watch);

/* Is there anything that could change? */
bool settings_watch_has_any(const struct settings_watch *watch, const struct settings *settings);

/* One look.  True: there is something to read, and *ret says of which applications; to be freed
 * with settings_folder_done.  all: whatever stands there is read, still or not. */
MUST_USE bool settings_watch_look(struct settings_watch *watch, const struct settings *settings,
    bool all, struct settings_folder *ret);
