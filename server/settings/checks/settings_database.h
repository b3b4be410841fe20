/* settings_database.h - a database of several servers, and what only one of them would have.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "types/settings.h"

struct settings_loader;

/* This server's name among those of DATABASE_URL; NULL: that is not set. */
const char *settings_server_name(const struct settings *s);

/* Names in the report what is wrong with DATABASE_URL, and with what only one of its servers would
 * have; when all environments are known. */
void settings_check_database(struct settings_loader *l);
