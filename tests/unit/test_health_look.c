/* Goal: a look at health ends with what was found, is bounded, and ends when the server does.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "effects/health_look.h"

#include "lib/http_client.h"
#include "lib/http_server.h"
#include "lib/text.h"
#include "until.h"
#include "types/outbound.h"

#define LOOKS (HEALTH_LOOK_PROBES / PROBE_LOOK_TARGETS + 1)

struct scene {
	struct loop *loop;
	struct loop_timer patience;
	bool is_over;
	struct http_server *server;
	struct http_client *client;
	struct health_looks *looks;
	struct probe_target targets[PROBE_LOOK_TARGETS];
	struct http_request *held[HEALTH_LOOK_PROBES];
	size_t n_held;
	uint64_t user;
	size_t n; /* that the newest look has */
	size_t told;
	struct probe_finding last[2];
};

static void
on_request(struct http_request *request, void *ctx)
{
	struct scene *scene = ctx;

	if (strcmp(http_request_path(request), "/h/held") == 0) {
		assert_true(scene->n_held < COUNT(scene->held));
		scene->held[scene->n_held++] = request;
	} else if (strcmp(http_request_path(request), "/h/ill") == 0)
		http_request_answer(request, 500, NULL, "", 0);
	else
		http_request_answer(request, 200, NULL, "ok", 2);
}

static void
on_looked(void *ctx, const struct probe_finding *findings)
{
	struct scene *scene = ctx;

	scene->told++;
	for (size_t i = 0; i < COUNT(scene->last) && i < scene->n; i++)
		scene->last[i] = findings[i];
}

static void
on_patience(UNUSED struct loop_timer *timer, void *ctx)
{
	((struct scene *)ctx)->is_over = true;
}

static int
begin(void **state)
{
	static struct http_route route = {
		.methods = "GET", .path = "/h/", .answer_timeout_ms = 60000
	};
	struct http_server_config config = {
		.routes = &route, .route_count = 1, .connections_max = 2 * HEALTH_LOOK_PROBES
	};
	struct scene *scene = calloc(1, sizeof(*scene));

	route.on_request = on_request;
	route.ctx = scene;
	scene->loop = loop_new(NULL);
	loop_timer_init(&scene->patience, on_patience, scene);
	scene->server = http_server_new(scene->loop, &config, "127.0.0.1:0", NULL);
	scene->client = http_client_new(scene->loop,
	    &(struct http_client_config){ .in_flight_max = HEALTH_LOOK_PROBES,
		.connections_max = HEALTH_LOOK_PROBES,
		.address_is_allowed = outbound_allows,
		.address_ctx = outbound_of(OUTBOUND_HEALTH, NULL) },
	    NULL);
	scene->looks = health_looks_new(scene->loop, scene->client);
	*state = scene;
	return scene->client == NULL || scene->looks == NULL;
}

static int
finish(void **state)
{
	struct scene *scene = *state;

	health_looks_free(scene->looks);
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
aim(struct scene *scene, size_t i, const char *path)
{
	(void)snprintf(scene->targets[i].url, sizeof(scene->targets[i].url),
	    "http://127.0.0.1:%u%s", http_server_port(scene->server), path);
}

static void
look(struct scene *scene, size_t n)
{
	size_t told = scene->told;

	scene->n = n;
	health_look_start(scene->looks, scene->user, scene->targets, n, on_looked, scene);
	assert_int_equal(scene->told, told); /* never inside */
}

SCENE_TEST(each_url_has_its_finding)
{
	aim(scene, 0, "/h/ill");
	aim(scene, 1, "/h/well");
	look(scene, 2);
	UNTIL(scene, scene->told == 1);
	assert_false(scene->last[0].is_healthy);
	assert_false(scene->last[0].is_unknown);
	assert_int_equal(scene->last[0].http_status, 500);
	assert_non_null(strstr(scene->last[0].detail, "500"));
	assert_true(scene->last[1].is_healthy);
	assert_false(scene->last[1].is_unknown);
	assert_string_equal(scene->last[1].detail, "");
	look(scene, 0);
	UNTIL(scene, scene->told == 2);
}

SCENE_TEST(one_look_too_many_is_told_so_and_places_come_back)
{
	for (size_t i = 0; i < PROBE_LOOK_TARGETS; i++)
		aim(scene, i, "/h/held");
	for (; scene->user < LOOKS; scene->user++)
		look(scene, PROBE_LOOK_TARGETS);
	UNTIL(scene, scene->told == 1);
	assert_non_null(strstr(scene->last[0].detail, "too many"));
	assert_true(scene->last[0].is_unknown);
	UNTIL(scene, scene->n_held == HEALTH_LOOK_PROBES);
	while (scene->n_held > 0)
		http_request_answer(scene->held[--scene->n_held], 200, NULL, "", 0);
	UNTIL(scene, scene->told == LOOKS);
	assert_true(scene->last[0].is_healthy);
	aim(scene, 0, "/h/well");
	look(scene, 1);
	UNTIL(scene, scene->told == LOOKS + 1);
	assert_true(scene->last[0].is_healthy);
}

/* "DOWN" was said of what nobody had asked, as somebody else had three looks open. */
SCENE_TEST(whose_looks_all_wait_takes_no_place_of_others)
{
	for (size_t i = 0; i < PROBE_LOOK_TARGETS; i++)
		aim(scene, i, "/h/held");
	look(scene, PROBE_LOOK_TARGETS);
	look(scene, 1);
	scene->user = 1;
	aim(scene, 0, "/h/well");
	look(scene, 1);
	UNTIL(scene, scene->told == 1); /* the second of the first user's, at once */
	assert_true(scene->last[0].is_unknown);
	assert_non_null(strstr(scene->last[0].detail, "your other looks"));
	UNTIL(scene, scene->told == 2);
	assert_true(scene->last[0].is_healthy);
}

SCENE_TEST(what_is_in_progress_at_the_end_is_told_so_far)
{
	aim(scene, 0, "/h/held");
	look(scene, 1);
	health_looks_free(TAKE(scene->looks));
	assert_int_equal(scene->told, 1);
	assert_false(scene->last[0].is_healthy);
	assert_true(scene->last[0].is_unknown);
	assert_string_equal(scene->last[0].detail, "no answer yet");
}
