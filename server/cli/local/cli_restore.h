/* cli_restore.h - the server's folder while it does not run: its user, and its lock.  Side: start. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "types/settings.h"

/* Root becomes whose that database is, or will be; anybody else stays who they are. */
bool cli_become_owner(const struct settings *s, struct err *err) MUST_USE;

/* What the server has while it works: nobody starts meanwhile either.  -1: *err says that one runs,
 * or what else. */
int cli_lock_state(const struct settings *s, const char *folder, struct err *err) MUST_USE;
