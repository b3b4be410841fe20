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

/* This server's name among those of DATABASE_URL; NULL: that is not set. */
const char *settings_server_name(const struct settings *s);

/*
 * What rows call that runner.  A server's own runner is RUNNER_LOCAL to itself, and where it is one
 * of several (SERVER_NAME), rows have its name in the place of that: those of another server name
 * its own runner, which nobody here reaches.
 */
const char *settings_runner_row(const struct settings *s, const char *runner);
/* Back, in place: what rows call it becomes what it is called here. */
void settings_runner_read(const struct settings *s, char runner[LIMIT_RUNNER]);
/* Is it another server's own? */
bool settings_is_servers_runner(const struct settings *s, const char *runner) MUST_USE;

/* Names in the report what is wrong with RUNNERS, and refuses environments that name none of them,
 * when all are known. */
void settings_check_runners(struct settings_loader *l);
