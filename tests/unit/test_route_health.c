/* Goal: /healthz, /readyz and /metrics answer what they promise, over HTTP.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "routes/route_health.h"

#include "lib/loop.h"
#include "routes/health_watch.h"
#include "routes/metric_set.h"
#include "routes/route_metrics.h"
#include "settings/sources/settings_load.h"
#include "tests/unit/http_ask.h"
#include "types/settings.h"
#include "unit.h"

struct world {
	struct loop *loop;
	struct health_watch *watch;
	struct metric_set *set;
	struct route_metrics metrics;
	struct settings *settings;
	struct http_route routes[3];
	struct http_server *server;
	struct http_asked asked;
};

static void
nothing(UNUSED void *ctx)
{
}

static struct settings *
today(void *ctx)
{
	return ((struct world *)ctx)->settings;
}

static struct settings *
settings_with(char *telemetry)
{
	char *list[] = { (char[]){
			     "TELEGRAM_BOT_TOKEN=123456789:AAaaBBbbCCccDDddEEeeFFffGGggHHhhIIi" },
		(char[]){ "ADMIN_TELEGRAM_IDS=1" }, (char[]){ "GITHUB_REPOSITORY=o/r" }, telemetry,
		NULL };
	struct settings_report report;
	struct settings *settings;

	if (!settings_load(NULL, list, &settings, &report))
		fail_msg("%s", report.lines[0].text);
	return settings;
}

static int
set_up(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct http_server_config config = { .route_count = COUNT(w->routes) };
	struct err err;

	w->loop = loop_new(&err);
	w->watch = health_watch_new(w->loop, NULL, NULL);
	w->set = metric_set_new();
	w->settings = settings_with((char[]){ "ENABLE_TELEMETRY=true" });
	w->metrics =
	    (struct route_metrics){ .set = w->set, .settings = today, .count = nothing, .ctx = w };
	w->routes[0] = route_health_live();
	w->routes[1] = route_health_ready(w->watch);
	w->routes[2] = route_metrics(&w->metrics);
	config.routes = w->routes;
	w->server = http_server_new(w->loop, &config, "127.0.0.1:0", &err);
	*state = w;
	return w->server == NULL;
}

static int
tear_down(void **state)
{
	struct world *w = *state;

	http_server_free(w->server);
	health_watch_free(w->watch);
	metric_set_free(w->set);
	settings_unref(w->settings);
	loop_free(w->loop);
	free(w);
	return 0;
}

#define SCENE_TEST(name) TEST_OF(name, struct world *w, set_up, tear_down)

static int
ask(struct world *w, const char *line)
{
	char text[200];

	(void)snprintf(
	    text, sizeof(text), "%.100s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", line);
	http_ask(w->loop, http_server_port(w->server), text, strlen(text), &w->asked);
	return w->asked.status;
}

SCENE_TEST(healthz_is_200_whenever_the_loop_turns)
{
	assert_int_equal(ask(w, "GET /healthz"), 200);
	assert_string_equal(w->asked.body, "ok\n");
	health_watch_asked(w->watch);
	health_watch_answered(w->watch, 503);
	assert_int_equal(ask(w, "GET /healthz"), 200);
}

SCENE_TEST(readyz_is_503_with_the_reason_while_the_store_refuses)
{
	health_watch_runner(w->watch, "");
	assert_int_equal(ask(w, "GET /readyz"), 200);
	assert_string_equal(w->asked.body, "ready\n");
	health_watch_asked(w->watch);
	health_watch_answered(w->watch, 503);
	assert_int_equal(ask(w, "GET /readyz"), 503);
	assert_string_equal(w->asked.body, "the store cannot write\n");
	health_watch_asked(w->watch);
	health_watch_answered(w->watch, 200);
	assert_int_equal(ask(w, "GET /readyz"), 200);
}

/* A proxy that took it for a refusal would lose pushes, which are kept until there is a runner. */
SCENE_TEST(readyz_says_that_the_runner_is_away_and_is_200_all_the_same)
{
	assert_int_equal(ask(w, "GET /readyz"), 200);
	assert_string_equal(w->asked.body,
	    "ready; the runner is disconnected (since the start): deployments are queued\n");
	health_watch_runner(w->watch, "");
	assert_int_equal(ask(w, "GET /readyz"), 200);
	assert_string_equal(w->asked.body, "ready\n");
	health_watch_runner(w->watch, "it ended");
	assert_int_equal(ask(w, "GET /readyz"), 200);
	assert_string_equal(w->asked.body,
	    "ready; the runner is disconnected (it ended): deployments are queued\n");
}

SCENE_TEST(head_has_the_status_and_nothing_else_is_allowed)
{
	assert_int_equal(ask(w, "HEAD /healthz"), 200);
	assert_string_equal(w->asked.body, "");
	assert_int_equal(ask(w, "DELETE /readyz"), 405);
	assert_int_equal(ask(w, "HEAD /metrics"), 405);
}

SCENE_TEST(metrics_are_the_text_format_that_prometheus_3_wants)
{
	size_t size;

	metric_set_webhook(w->set, "", "github", 200);
	assert_int_equal(ask(w, "GET /metrics"), 200);
	assert_non_null(strstr(
	    w->asked.text, "\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"));
	assert_non_null(strstr(w->asked.body,
	    "\ndeploybot_webhook_requests_total{source=\"github\",code=\"200\"} 0\n"));
	assert_int_equal(ask(w, "GET /metrics"), 200); /* once at zero, then as it was counted */
	assert_non_null(strstr(w->asked.body,
	    "\ndeploybot_webhook_requests_total{source=\"github\",code=\"200\"} 1\n"));
	size = strlen(w->asked.body);
	assert_int_equal(w->asked.body[size - 1], '\n');
}

SCENE_TEST(metrics_are_404_as_long_as_telemetry_is_off)
{
	settings_unref(w->settings);
	w->settings = settings_with((char[]){ "ENABLE_TELEMETRY=false" });
	assert_int_equal(ask(w, "GET /metrics"), 404);
	settings_unref(w->settings);
	w->settings = settings_with((char[]){ "ENABLE_TELEMETRY=yes" });
	assert_int_equal(ask(w, "GET /metrics"), 200);
}
