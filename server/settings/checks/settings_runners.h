/* settings_runners.h - the remote runners, and which environment has one.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "types/limits.h"
#include "types/settings.h"

struct settings_loader;

/* Where the scripts of that environment run: "local", also where there is no such environment, or
 * one of RUNNERS. */
const char *settings_runner(const struct settings *s, const char *environment);

/* RUNNERS, one after the other from *at = 0 on; false behind the last. */
bool settings_next_runner(const struct settings *s, size_t *at, char ret[LIMIT_RUNNER]);

/* Is that name one of them? */
bool settings_has_runner(const struct settings *s, const char *name);

/* Names in the report what is wrong with RUNNERS, and refuses environments that name none of them,
 * when all are known. */
void settings_check_runners(struct settings_loader *l);
