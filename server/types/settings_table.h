/* settings_table.h - the rows of settings.def as data.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#ifndef SETTINGS_TABLE_H
#define SETTINGS_TABLE_H

#include "lib/base.h"
#include "types/settings.h"

struct err;

enum environment_setting {
#define SETTING(...)
#define ENVIRONMENT_SETTING(id, ...) ENVIRONMENT_SETTING_##id,
#include "types/settings.def"
#undef SETTING
#undef ENVIRONMENT_SETTING
	ENVIRONMENT_SETTING_COUNT
};

enum settings_whose { WHOSE_SERVER, WHOSE_RUNNER, WHOSE_BOTH };

struct settings_spec {
	const char *name;   /* whole, or what stands before an environment's name */
	const char *suffix; /* what stands behind it; NULL: not an environment's */
	const char *type;
	bool (*check)(const char *text, struct err *err);
	const char *fallback;
	bool is_secret;
	enum settings_whose whose;
	const char *help;
};

extern const struct settings_spec settings_table[SETTING_COUNT];
extern const struct settings_spec settings_table_environment[ENVIRONMENT_SETTING_COUNT];

#define SETTINGS_TABLE_NAME 64 /* bytes of the longest name with its NUL */

/* "eu-west" → the setting's whole name, as EU_WEST_HOST.  Returns out. */
const char *settings_table_name(
    const struct settings_spec *spec, const char *environment, char out[SETTINGS_TABLE_NAME]);

/* The default there: NULL for none.  Staging and production have some of their own. */
const char *settings_table_fallback(enum environment_setting setting, const char *environment);

bool settings_table_needs_restart(const char *name);

#endif
