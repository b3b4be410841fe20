/* perform_health.h - once a minute: does each environment answer?  Decides nothing.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/base.h"

struct http_client;
struct loop;
struct perform_health;
struct settings;

/* Called for each of an environment's health URLs, the i-th, when it was asked (that of each host
 * is one, up where no more hosts fail than may), and with url NULL when all of them were: up when
 * every one answered 2xx.  From the loop, never inside a call of this module. */
typedef void perform_health_fn(
    void *ctx, const char *environment, size_t i, const char *url, bool is_up);

/* Called when all have been asked: how far apart two rounds are, more than its period
 * where so many do not fit. */
typedef void perform_health_round_fn(void *ctx, double seconds);

#define PERFORM_HEALTH_PERIOD_MS 60000
#define PERFORM_HEALTH_PROBES	 64 /* at most at a time */

struct perform_health_config {
	struct loop *loop;
	struct http_client *client;
	int64_t period_ms;
	perform_health_fn *on_health;
	perform_health_round_fn *on_round;
	void *ctx;
};

/* Begins at once with all of them, then asks each every period_ms, spread over that time. */
struct perform_health *perform_health_start(const struct perform_health_config *config) MUST_USE;

/* Whose URLs are asked from now on; what is in progress is cancelled.  Takes a
 * reference of its own. */
void perform_health_settings(struct perform_health *health, struct settings *settings);

void perform_health_free(struct perform_health *health); /* takes NULL */
