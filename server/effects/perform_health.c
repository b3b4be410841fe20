/* perform_health.c - once a minute: does each environment answer?  Decides nothing.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "effects/perform_health.h"

#include <stdlib.h>

#include "effects/probe_check.h"
#include "lib/loop.h"
#include "lib/text.h"
#include "types/settings.h"

#define MAGIC	  0x486c7468u
#define PERIOD_MS 60000
#define TIMEOUT_S 30 /* at most: a round must be over before the next */

struct look {
	struct environment_look *environment;
	struct http_client_call *call;
};

/* One environment in this round. */
struct environment_look {
	struct perform_health *health;
	char name[LIMIT_ENVIRONMENT];
	bool is_up;
	size_t pending;
	size_t n;
	struct look urls[SETTINGS_HEALTH_URLS_MAX];
};

struct perform_health {
	unsigned magic;
	struct loop *loop;
	struct http_client *client;
	struct settings *settings;
	struct loop_timer timer;
	perform_health_fn *on_health;
	void *ctx;
	int timeout_s;
	size_t n;
	struct environment_look environments[SETTINGS_ENVIRONMENTS_MAX];
};

static void on_round(struct loop_timer *timer, void *ctx);
static void on_answer(void *ctx, const struct http_client_result *result);

struct perform_health *
perform_health_start(struct loop *loop, struct http_client *client, perform_health_fn *on_health,
    void *ctx, struct err *err)
{
	struct perform_health *health = calloc(1, sizeof(*health));

	if (health == NULL) {
		(void)err_set(err, ERR_NOMEM, "out of memory for health checks");
		return NULL;
	}
	health->magic = MAGIC;
	health->loop = loop;
	health->client = client;
	health->on_health = on_health;
	health->ctx = ctx;
	loop_timer_init(&health->timer, on_round, health);
	loop_timer_start(loop, &health->timer, 0, PERIOD_MS);
	return health;
}

static void
cancel_round(struct perform_health *health)
{
	for (size_t i = 0; i < health->n; i++) {
		for (size_t j = 0; j < health->environments[i].n; j++) {
			http_client_cancel(health->environments[i].urls[j].call);
			health->environments[i].urls[j].call = NULL;
		}
	}
	health->n = 0;
}

void
perform_health_settings(struct perform_health *health, struct settings *settings)
{
	OBJ_CHECK(health, MAGIC);
	cancel_round(health);
	(void)settings_ref(settings);
	settings_unref(health->settings);
	health->settings = settings;
}

void
perform_health_free(struct perform_health *health)
{
	if (health == NULL)
		return;
	OBJ_CHECK(health, MAGIC);
	loop_timer_stop(&health->timer);
	cancel_round(health);
	settings_unref(health->settings);
	health->magic = 0;
	free(health);
}

static void
look_at(struct perform_health *health, const struct environment_settings *environment)
{
	struct environment_look *look = &health->environments[health->n++];

	*look = (struct environment_look){
		.health = health, .is_up = true, .n = environment->health_url_count
	};
	(void)text_copy(look->name, sizeof(look->name), environment->name);
	for (size_t i = 0; i < look->n; i++) {
		look->urls[i].environment = look;
		look->urls[i].call = probe_check_start(health->client, environment->health_urls[i],
		    health->timeout_s, on_answer, &look->urls[i], NULL);
		if (look->urls[i].call != NULL)
			look->pending++;
		else
			look->is_up = false; /* it could not be asked: nobody knows that it is up */
	}
	if (look->pending == 0)
		health->on_health(health->ctx, look->name, false);
}

static void
on_round(struct loop_timer *timer, void *ctx)
{
	struct perform_health *health = ctx;
	const struct settings *settings;

	(void)timer;
	OBJ_CHECK(health, MAGIC);
	settings = health->settings;
	if (settings == NULL)
		return;
	cancel_round(health); /* over long since: its timeout is shorter than the period */
	health->timeout_s = settings->health_check_timeout_seconds < TIMEOUT_S ?
	    settings->health_check_timeout_seconds :
	    TIMEOUT_S;
	for (size_t i = 0; i < settings->environment_count; i++) {
		if (settings->environments[i].health_url_count > 0)
			look_at(health, &settings->environments[i]);
	}
}

static void
on_answer(void *ctx, const struct http_client_result *result)
{
	struct look *url = ctx;
	struct environment_look *look = url->environment;
	struct probe_finding finding;

	OBJ_CHECK(look->health, MAGIC);
	url->call = NULL;
	if (!probe_check_judge(result, "", look->health->timeout_s, &finding))
		look->is_up = false;
	if (--look->pending == 0)
		look->health->on_health(look->health->ctx, look->name, look->is_up);
}
