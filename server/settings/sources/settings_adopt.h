/* settings_adopt.h - one application's settings out of the main file, as texts of two files.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/base.h"
#include "lib/buf.h"

struct settings_adopted {
	struct buf main;	/* the settings file without them */
	struct buf application; /* the new file */
	struct buf elsewhere;	/* "NAME, NAME": those that the process environment gives */
	struct buf renamed;	/* "NAME, NAME": what names targets, which have another name now */
	size_t moved;
};

/* text is that of the settings file, application a valid name.  What had a default that is another
 * for an application with a name is written out: its folder and its image stay what they are.  To
 * be freed with settings_adopted_done, also after a failure. */
MUST_USE bool settings_adopt(struct settings_adopted *ret, const char *application,
    const char *text, char *const environ_list[], struct err *err);
void settings_adopted_done(struct settings_adopted *adopted);
