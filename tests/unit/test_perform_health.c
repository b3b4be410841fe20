/* Goal: health is asked of all, spread over the period, and never of too many at once.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "effects/perform.h"
#include "effects/perform_health.h"

#include "lib/http_client.h"
#include "lib/http_server.h"
#include "types/outbound.h"
#include "types/settings.h"
#include "until.h"

#define N      100
#define SPREAD 8

struct scene {
	struct loop *loop;
	struct loop_timer patience;
	bool is_over;
	struct http_server *server;
	struct http_client *client;
	struct perform_health *health;
	struct settings of, settings;
	struct settings_inside inside;
	struct environment_settings environments[N];
	char names[N][LIMIT_ENVIRONMENT];
	char url[64];
	bool is_holding; /* requests are kept, not answered */
	struct http_request *held[4 * N];
	size_t n_held;
	size_t n_bad; /* so many are answered 503 */
	size_t asked, up, down, up_urls;
	int64_t at[4 * N]; /* when they were asked */
	size_t rounds;
	double seconds; /* of the last round */
};

static void
on_request(struct http_request *request, void *ctx)
{
	struct scene *scene = ctx;

	if (scene->asked < COUNT(scene->at))
		scene->at[scene->asked] = loop_now_ms();
	scene->asked++;
	if (scene->is_holding)
		scene->held[scene->n_held++] = request;
	else
		http_request_answer(request, scene->n_bad > 0 ? 503 : 200, NULL, "ok", 2);
	scene->n_bad -= scene->n_bad > 0;
}

static void
on_health(void *ctx, UNUSED const char *environment, size_t i, const char *url, bool is_up)
{
	struct scene *scene = ctx;

	if (url == NULL) {
		scene->up += is_up;
		scene->down += !is_up;
		return;
	}
	assert_int_equal(i, 0);
	assert_string_equal(url, scene->url);
	scene->up_urls += is_up;
}

static void
on_round(void *ctx, double seconds)
{
	struct scene *scene = ctx;

	scene->rounds++;
	scene->seconds = seconds;
}

static void
on_patience(UNUSED struct loop_timer *timer, void *ctx)
{
	((struct scene *)ctx)->is_over = true;
}

static int
begin(void **state)
{
	static struct http_route route = { .methods = "GET", .path = "/h" };
	struct http_server_config config = { .routes = &route, .route_count = 1 };
	struct scene *scene = calloc(1, sizeof(*scene));
	struct probe_clients clients;
	bool are_made;

	route.on_request = on_request;
	route.ctx = scene;
	scene->loop = loop_new(NULL);
	loop_timer_init(&scene->patience, on_patience, scene);
	scene->server = http_server_new(scene->loop, &config, "127.0.0.1:0", NULL);
	are_made = perform_probe_clients(&clients, scene->loop, NULL);
	scene->client = clients.gates;
	http_client_free(clients.looks);
	(void)snprintf(scene->url, sizeof(scene->url), "http://127.0.0.1:%u/h",
	    http_server_port(scene->server));
	*state = scene;
	return !are_made;
}

static int
finish(void **state)
{
	struct scene *scene = *state;

	perform_health_free(scene->health);
	for (size_t i = 0; i < scene->n_held; i++)
		http_request_answer(scene->held[i], 200, NULL, "", 0);
	http_client_free(scene->client);
	http_server_free(scene->server);
	loop_free(scene->loop);
	free(scene);
	return 0;
}

#define SCENE_TEST(name) TEST_OF(name, struct scene *scene, begin, finish)

static void
look_at(struct scene *scene, size_t n, int64_t period_ms)
{
	scene->of =
	    (struct settings){ .application = "", .times = { .health_check_timeout_seconds = 30 } };
	atomic_init(&scene->inside.count, 1000); /* ours: never freed */
	for (size_t i = 0; i < n; i++) {
		(void)snprintf(scene->names[i], sizeof(scene->names[i]), "e%zu", i);
		scene->environments[i] = (struct environment_settings){ .name = scene->names[i],
			.of = &scene->of,
			.times = &scene->of.times,
			.health_url_count = 1,
			.health_urls = { scene->url } };
	}
	scene->settings = (struct settings){ .inside = &scene->inside,
		.environment_count = n,
		.environments = scene->environments };
	scene->health = perform_health_start(&(struct perform_health_config){
	    scene->loop, scene->client, period_ms, on_health, on_round, scene });
	assert_non_null(scene->health);
	perform_health_settings(scene->health, &scene->settings);
}

SCENE_TEST(at_most_64_are_asked_at_a_time_and_none_is_left_out)
{
	scene->is_holding = true;
	look_at(scene, N, 60000);
	UNTIL(scene, scene->asked >= PERFORM_HEALTH_PROBES);
	for (int i = 0; i < 50; i++) {
		http_request_answer(scene->held[--scene->n_held], 200, NULL, "ok", 2);
		UNTIL(scene, scene->up > (size_t)i);
		if (scene->asked < N)
			UNTIL(scene, scene->asked > (size_t)i + PERFORM_HEALTH_PROBES);
		assert_true(scene->asked - scene->up <= PERFORM_HEALTH_PROBES);
	}
	assert_int_equal(scene->asked, N);
	assert_int_equal(scene->rounds, 1);
}

/* Whom our own crowd keeps us from asking is not down: an alert would ring for it. */
/* --- at the URL of each host --- */

static char hosts[20 * N * 2], each[64];

static void
look_at_hosts(struct scene *scene, int n, const char *failures_max)
{
	hosts[0] = '\0';
	for (int i = 1; i <= n; i++)
		(void)snprintf(hosts + strlen(hosts), sizeof(hosts) - strlen(hosts),
		    "%s127.0.0.1:%d", i > 1 ? "," : "", i);
	(void)snprintf(each, sizeof(each), "http://{host}:%u/h", http_server_port(scene->server));
	look_at(scene, 1, 60000);
	scene->environments[0].health_url_count = 0;
	scene->environments[0].health_template = each;
	scene->environments[0].hosts = hosts;
	scene->environments[0].in_waves.failures_max = failures_max;
	(void)snprintf(scene->url, sizeof(scene->url), "%s", each);
	perform_health_settings(scene->health, &scene->settings);
}

SCENE_TEST(at_most_64_hosts_are_asked_at_a_time_and_all_are)
{
	scene->is_holding = true;
	look_at_hosts(scene, 2 * N, "0");
	UNTIL(scene, scene->asked >= PERFORM_HEALTH_PROBES);
	for (size_t i = 0; i < 2 * N; i++) {
		UNTIL(scene, scene->n_held > 0);
		assert_true(scene->asked - i <= PERFORM_HEALTH_PROBES);
		http_request_answer(scene->held[--scene->n_held], 200, NULL, "ok", 2);
	}
	UNTIL(scene, scene->up == 1);
	assert_int_equal(scene->asked, 2 * N);
	assert_int_equal(scene->up_urls, 1); /* one series, whatever they are */
}

SCENE_TEST(one_host_more_than_may_fail_is_down)
{
	scene->n_bad = 2;
	look_at_hosts(scene, 2 * N, "1%");
	UNTIL(scene, scene->up + scene->down > 0);
	assert_int_equal(scene->up, 1); /* and not by the next round */
	perform_health_free(scene->health);
	scene->n_bad = 3;
	look_at_hosts(scene, 2 * N, "1%");
	UNTIL(scene, scene->up + scene->down > 1);
	assert_int_equal(scene->down, 1);
	assert_int_equal(scene->asked, 4 * N);
}

/* Regression: the 136 that there was no time to ask counted as healthy. */
SCENE_TEST(a_fleet_that_hangs_is_down_however_many_may_fail)
{
	scene->is_holding = true;
	look_at_hosts(scene, 2 * N, "40%");
	UNTIL(scene, scene->up + scene->down > 0);
	assert_int_equal(scene->down, 1);
	assert_true(scene->asked < 2 * N);
}

SCENE_TEST(where_the_client_is_crowded_they_are_asked_a_little_later)
{
	http_client_free(scene->client);
	scene->client = http_client_new(scene->loop,
	    &(struct http_client_config){ .connections_max = 1,
		.in_flight_max = 1,
		.queue_max = 1,
		.address_is_allowed = outbound_allows,
		.address_ctx = outbound_of(OUTBOUND_HEALTH, NULL) },
	    NULL);
	assert_non_null(scene->client);
	scene->is_holding = true;
	look_at(scene, 4, 60000);
	for (size_t i = 0; i < 4; i++) {
		UNTIL(scene, scene->n_held > 0);
		http_request_answer(scene->held[--scene->n_held], 200, NULL, "ok", 2);
		UNTIL(scene, scene->up + scene->down > i);
	}
	assert_int_equal(scene->up, 4);
	assert_int_equal(scene->down, 0);
}

SCENE_TEST(the_first_round_is_at_once_and_the_next_ones_are_spread)
{
	int64_t period_ms = 800;

	look_at(scene, SPREAD, period_ms);
	UNTIL(scene, scene->asked == SPREAD);
	assert_true(scene->at[SPREAD - 1] - scene->at[0] < period_ms / 2);
	UNTIL(scene, scene->asked == (size_t)2 * SPREAD);
	/* From the beginning on, as they are planned: on a busy machine one may be late. */
	assert_true(scene->at[2 * SPREAD - 1] - scene->at[0] >
	    period_ms + period_ms * (SPREAD - 1) / SPREAD - 100);
	UNTIL(scene, scene->rounds == 2);
	UNTIL(scene, scene->up == (size_t)2 * SPREAD);
	assert_true(scene->seconds >= 0.8);
}

/* What is not answered within the period makes the round longer, and that is said. */
SCENE_TEST(a_round_that_does_not_fit_takes_longer)
{
	int64_t began = loop_now_ms();

	scene->is_holding = true;
	look_at(scene, N, 50);
	UNTIL(scene, scene->asked == PERFORM_HEALTH_PROBES && loop_now_ms() - began > 300);
	assert_int_equal(scene->rounds, 0);
	scene->is_holding = false;
	while (scene->n_held > 0)
		http_request_answer(scene->held[--scene->n_held], 200, NULL, "ok", 2);
	UNTIL(scene, scene->rounds == 1);
	assert_true(scene->seconds >= 0.3);
}

/* Neither a wait for the next round, nor one more for each reload that found no URL. */
SCENE_TEST(settings_read_anew_are_asked_for_at_once)
{
	look_at(scene, 1, 60000);
	UNTIL(scene, scene->up == 1);
	assert_int_equal(scene->up_urls, 1);
	scene->settings.environment_count = 0;
	perform_health_settings(scene->health, &scene->settings);
	UNTIL(scene, scene->rounds == 2);
	scene->settings.environment_count = 1;
	perform_health_settings(scene->health, &scene->settings);
	UNTIL(scene, scene->up == 2);
}
