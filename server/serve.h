/* serve.h - the server as a whole: makes the parts, joins them, runs until it is asked to stop.  Side: start. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "types/settings.h"

struct settings_report;

struct serve_options {
	const char *env_file;	/* read again when it changes or on SIGHUP; NULL: none */
	struct settings_report *report; /* what was said of them; a reload replaces it */
	bool no_copy;		/* an older database is migrated without a copy beside it */
	/* The database is a copy, or older than what runs: no run of it is asked for, and of no
	 * environment it is known what runs. */
	bool is_restored;
	bool is_moved_back; /* it was moved to another database, and is to be served all the same */
};

/*
 * Runs the server under these settings (one reference, taken) until SIGTERM or SIGINT.  Returns
 * the exit status: 0; 75 another instance has the state directory; 74 the disk; 78 something that
 * must be set right first.
 */
int serve_run(struct settings *settings, const struct serve_options *options) MUST_USE;
