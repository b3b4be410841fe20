/* settings_bundle.h - what a remote runner needs of the files that settings stand in.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/buf.h"
#include "types/settings.h"

/* Is it the runner of one of these environments? */
bool settings_is_runner_of(const struct settings *s, const char *runner);

/* Appends the lines of the file at path, the main one (s: the main snapshot) or the application's
 * that s is, which that runner needs: none of the server's alone, of another runner's environments,
 * or of clients; for what both have, the two make one list of marks (lib/fingerprint.h).  Fails
 * where a secret stands there itself: none is ever in it. */
MUST_USE bool settings_bundle(const struct settings *s, const char *runner, const char *path,
    struct buf *ret, struct err *err);
