/* settings_secrets.h - every value of a snapshot: secrets and keys with their sources, all others.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "settings/settings_table.h"

struct settings_secret {
	const struct settings_spec *spec;
	const char *application; /* in whose file it stands; "": the main one */
	char name[SETTING_NAME_MAX];
	const char *text; /* of a secret; NULL: it is not for us to read */
	const char *file; /* it was read from, or that it is; NULL: from none */
};

/* Calls it for each that is set, of all applications: those that one has from the main file are the
 * main file's.  Keys are files that others read: their text is NULL. */
typedef void settings_each_secret(void *ctx, const struct settings_secret *secret);
void settings_for_secrets(const struct settings *s, settings_each_secret *each, void *ctx);

/* A value that is no secret, as its file or the environment gives it. */
struct settings_open {
	const char *application; /* in whose file it stands; "": the main one */
	char name[SETTING_NAME_MAX];
	const char *text;
	bool is_deciding; /* who may do what, and what is recorded of it */
};

/* Calls it for each that is set; what stands at its default is not. */
typedef void settings_each_open(void *ctx, const struct settings_open *value);
void settings_for_open(const struct settings *s, settings_each_open *each, void *ctx);

/* A name, an address or a path of one machine: of two servers each has its own. */
bool settings_is_machines(const char *name, const char *text) MUST_USE;
