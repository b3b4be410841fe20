/* perform_health.h - once a minute: does each environment answer?  Decides nothing.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/base.h"

struct err;
struct http_client;
struct loop;
struct perform_health;
struct settings;

/* Called for each environment with health URLs when all of them were asked: up when every one
 * answered 2xx.  From the loop, never inside a call of this module. */
typedef void perform_health_fn(void *ctx, const char *environment, bool is_up);

/* Begins at once and then every 60 s.  NULL and *err when memory is short. */
struct perform_health *perform_health_start(struct loop *loop, struct http_client *client,
    perform_health_fn *on_health, void *ctx, struct err *err) MUST_USE;

/* Whose URLs are asked from the next round on; what is under way is given up.  Takes a reference
 * of its own. */
void perform_health_settings(struct perform_health *health, struct settings *settings);

void perform_health_free(struct perform_health *health); /* takes NULL */
