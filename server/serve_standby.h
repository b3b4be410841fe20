/* serve_standby.h - which of several servers leads, and what the others answer.  Side: start. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/base.h"

struct err;
struct serve;

/* Returns once this server leads, at once with SQLite; or is to end (lead.is_over), or cannot
 * start: false and *err. */
bool serve_standby(struct serve *serve, struct err *err) MUST_USE;
/* Behind the store's last transaction: another may lead. */
void serve_standby_stop(struct serve *serve);
