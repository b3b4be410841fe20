/* folder_aid.h - a main file and a folder of applications' files, and their settings.  Side: start. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "settings/settings_table.h"
#include "settings_aid.h"

#define SERVER \
	"TELEGRAM_BOT_TOKEN=123456:ABCDEFGHIJKLMNOPQRSTUVWXYZ123456789\n" \
	"ADMIN_TELEGRAM_IDS=11, 22\n" \
	"REGISTRY_URL=registry.example.org\n"

#define OF(name) \
	"GITHUB_REPOSITORY=acme/" name "\n" \
	"STAGING_HOST=" name "-s\n" \
	"PRODUCTION_HOST=" name "-p\n"

/* Of the test that runs. */
extern struct folder_aid {
	char path[64];
	char *environment[8]; /* NULL behind the last */
} folder_aid;

/* Around each test: an empty folder with one for applications. */
int folder_aid_make(void **state);
int folder_aid_remove(void **state);

/* Writes "main" or "apps/shop.env". */
void folder_aid_put(const char *name, const char *text);

/* What stands there, at a start; what is said of it is in settings_said. */
struct settings *folder_aid_load(void);

const char *folder_aid_text(const struct settings *s, const char *application,
    enum setting setting);
