/* settings_database.h - a database of several servers, and what only one of them would have.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

struct settings_loader;

/* Names in the report what is wrong with DATABASE_URL, and with what only one of its servers would
 * have; when all environments are known. */
void settings_check_database(struct settings_loader *l);
