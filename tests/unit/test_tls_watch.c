/* Goal: the certificate is looked at again, sooner after a failure, and only where there is one.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "effects/tls_watch.h"

#include "lib/err.h"
#include "lib/http_server.h"
#include "lib/loop.h"
#include "types/settings.h"
#include "unit.h"

/* A server that speaks no TLS: each look at it fails. */
struct scene {
	struct loop *loop;
	struct http_server *server;
	struct tls_watch *watch;
	struct loop_timer patience;
	bool is_over;
	int reads, failures;
};

static void
on_request(struct http_request *request, UNUSED void *ctx)
{
	http_request_answer(request, 200, NULL, NULL, 0);
}

static void
on_read(void *ctx, bool is_read, int64_t expires_at_s)
{
	struct scene *scene = ctx;

	assert_int_equal(expires_at_s != 0, is_read);
	scene->reads += is_read;
	scene->failures += !is_read;
}

static void
on_over(UNUSED struct loop_timer *timer, void *ctx)
{
	((struct scene *)ctx)->is_over = true;
}

static int
set_up(void **state)
{
	static const struct http_route routes[] = {
		{ .methods = "GET", .path = "/", .on_request = on_request },
	};
	const struct http_server_config config = { .routes = routes, .route_count = 1 };
	struct scene *scene = calloc(1, sizeof(*scene));
	struct err err;

	scene->loop = loop_new(&err);
	scene->server = http_server_new(scene->loop, &config, "127.0.0.1:0", &err);
	assert_non_null(scene->server);
	loop_timer_init(&scene->patience, on_over, scene);
	loop_timer_start(scene->loop, &scene->patience, PATIENCE_MS, 0);
	*state = scene;
	return 0;
}

static int
tear_down(void **state)
{
	struct scene *scene = *state;

	tls_watch_free(scene->watch);
	loop_timer_stop(&scene->patience);
	http_server_free(scene->server);
	loop_free(scene->loop);
	free(scene);
	return 0;
}

#define SCENE_TEST(name) TEST_OF(name, struct scene *scene, set_up, tear_down)

static void
watch(struct scene *scene, int64_t period_ms, int64_t retry_ms)
{
	const struct tls_watch_config config = {
		.loop = scene->loop,
		.period_ms = period_ms,
		.retry_ms = retry_ms,
		.on_read = on_read,
		.ctx = scene,
	};
	struct err err;

	scene->watch = tls_watch_start(&config, &err);
	assert_non_null(scene->watch);
}

static void
look_at(struct scene *scene, enum telegram_mode mode, const char *scheme)
{
	char url[128];

	(void)snprintf(url, sizeof(url), "%s://127.0.0.1:%u/telegram/webhook", scheme,
	    http_server_port(scene->server));
	tls_watch_settings(
	    scene->watch, &(struct settings){ .telegram_mode = mode, .telegram_webhook_url = url });
}

static void
run_until(struct scene *scene, int failures)
{
	while (scene->failures < failures && !scene->is_over)
		loop_run_once(scene->loop);
	assert_false(scene->is_over);
}

SCENE_TEST(a_look_that_failed_is_followed_by_another_one_soon)
{
	watch(scene, INT64_C(3600000), 1);
	look_at(scene, TELEGRAM_WEBHOOK, "https");
	assert_int_equal(scene->failures, 0); /* never in the call that asks */
	run_until(scene, 3);
	assert_int_equal(scene->reads, 0);
}

SCENE_TEST(other_settings_look_at_once_however_long_the_pause_is)
{
	watch(scene, INT64_C(3600000), INT64_C(3600000));
	look_at(scene, TELEGRAM_WEBHOOK, "https");
	run_until(scene, 1);
	look_at(scene, TELEGRAM_WEBHOOK, "https");
	look_at(scene, TELEGRAM_WEBHOOK, "https"); /* what is under way is given up */
	run_until(scene, 2);
}

/* The loop sleeps until patience is over: nobody is asked. */
SCENE_TEST(without_https_or_a_webhook_nobody_is_asked)
{
	watch(scene, 1, 1);
	look_at(scene, TELEGRAM_WEBHOOK, "https");
	look_at(scene, TELEGRAM_POLLING, "https");
	loop_timer_start(scene->loop, &scene->patience, 50, 0);
	while (!scene->is_over)
		loop_run_once(scene->loop);
	scene->is_over = false;
	look_at(scene, TELEGRAM_WEBHOOK, "http");
	loop_timer_start(scene->loop, &scene->patience, 50, 0);
	while (!scene->is_over)
		loop_run_once(scene->loop);
	assert_int_equal(scene->failures + scene->reads, 0);
}

TEST(the_host_is_looked_at_and_not_the_webhook)
{
	static const struct {
		const char *url, *host;
	} cases[] = {
		{ "https://deploy.example.com/telegram/webhook", "https://deploy.example.com/" },
		{ "HTTPS://deploy.example.com:8443/x?y", "https://deploy.example.com:8443/" },
		{ "https://deploy.example.com", "https://deploy.example.com/" },
		{ "https://[2001:db8::1]:88/x", "https://[2001:db8::1]:88/" },
		{ "https://a.example?x=/", "https://a.example/" },
		{ "http://deploy.example.com/", NULL },
		{ NULL, NULL },
	};
	char host[TLS_WATCH_URL_SIZE], long_url[TLS_WATCH_URL_SIZE + 16] = "https://";

	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_int_equal(tls_watch_host(cases[i].url, host), cases[i].host != NULL);
		if (cases[i].host != NULL)
			assert_string_equal(host, cases[i].host);
	}
	memset(long_url + 8, 'a', sizeof(long_url) - 9);
	assert_false(tls_watch_host(long_url, host));
}
