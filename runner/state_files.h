/* state_files.h - what is live in each environment, as a remote runner's server says it.  Side: runner. */
/* SPDX-License-Identifier: ISC */
/*
 * STATE/environments/ has the files of the server's folder, byte for byte and by the same names:
 * scripts read their own there, and keep what any of them names.  Beside them stands `number`, the
 * highest that was taken, since it is older bytes that would have something removed.
 */
#pragma once

#include "runner/protocol.h"

/* Writes, or removes, the file of a `state`; of one without environment, which lists them all,
 * removes the others.  True: it is on disk.  Else *err is a sentence without its end. */
bool state_files_take(
    const char *state, const struct protocol_message *said, struct err *err) MUST_USE;
