/* db_url.h - the URL of a database, looked at without connecting.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/base.h"

/* postgres:// or postgresql:// before it? */
bool db_is_url(const char *path) MUST_USE;

/* Can libpq read it, is each of its parts where it belongs, and does it name a host and a database?
 * *err shows nothing of it. */
bool db_url_check(const char *url, struct err *err) MUST_USE;

/* Does nobody on the way read or change what is said: by its sslmode, or as it stays here? */
bool db_url_is_private(const char *url) MUST_USE;

/* Does a server answer there, whomever it lets in?  Waits for 3 s at most. */
bool db_url_answers(const char *url) MUST_USE;

/* Its password without the %; NULL: it has none, or cannot be read.  Wipe and free it. */
char *db_url_password(const char *url) MUST_USE;
