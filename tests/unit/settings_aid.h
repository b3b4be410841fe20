/* settings_aid.h - settings that are loaded, and what is said of them, for tests.  Side: start. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "settings/sources/settings_load.h"
#include "types/settings.h"
#include "unit.h"

#define TOKEN	 "TELEGRAM_BOT_TOKEN=123456:ABCDEFGHIJKLMNOPQRSTUVWXYZ123456789"
#define ADMINS	 "ADMIN_TELEGRAM_IDS=11, 22"
#define REPO	 "GITHUB_REPOSITORY=acme/shop"
#define SECRET	 "0123456789abcdef0123456789abcdef"
#define REGISTRY "REGISTRY_URL=registry.example.org"
/* With a target: nothing is left to say. */
#define COMPLETE MINIMUM, REGISTRY, "STAGING_HOST=a", "PRODUCTION_HOST=b"

extern struct settings_report settings_said; /* of what was loaded last */

/* Loads these ("NAME=value", …, NULL) as the environment, and env_text, if any, as the file. */
struct settings *settings_aid_load(const char *env_text, const char *const environment[]);

#define LOAD(env, ...) settings_aid_load(env, (const char *const[]){ __VA_ARGS__, NULL })
#define MINIMUM	       TOKEN, ADMINS, REPO

/* Was this said of what was loaded last? */
bool settings_aid_says(enum settings_severity severity, const char *part);

#define SAYS(severity, part) \
	do { \
		if (!settings_aid_says(severity, part)) \
			fail_msg("not said: %s; first line: %s", part, \
			    settings_said.count > 0 ? settings_said.lines[0].text : "(none)"); \
	} while (0)
