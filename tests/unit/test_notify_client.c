/* Goal: what a destination answers is sent, later and when, not this one, or never again.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "clients/notify_client.h"
#include "lib/clock.h"
#include "lib/http_server.h"
#include "lib/text.h"
#include "unit.h"
#include "until.h"

#define KEY    "0123456789abcdef0123456789abcdef"
#define SECRET "whsec_MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1ub3BxcnN0dXY="
#define PATH   "/s3cr3t"

struct scene {
	struct loop *loop;
	struct http_server *server;
	struct notify_clients *clients;
	struct loop_timer patience;
	bool is_over;
	int status;
	struct http_header headers[2];
	const char *body;
	size_t size;
	unsigned asked, elsewhere;
	unsigned times;
	struct notify_said said;
};

static struct scene *on_stage;

static void
on_request(struct http_request *request, UNUSED void *ctx)
{
	on_stage->asked++;
	http_request_answer(
	    request, on_stage->status, on_stage->headers, on_stage->body, on_stage->size);
}

static void
on_elsewhere(struct http_request *request, UNUSED void *ctx)
{
	on_stage->elsewhere++;
	http_request_answer(request, 200, NULL, "ok", 2);
}

static void
on_impatient(UNUSED struct loop_timer *timer, void *ctx)
{
	((struct scene *)ctx)->is_over = true;
}

static int
begin(void **state)
{
	static const struct http_route routes[] = {
		{ .methods = "POST, PUT",
		    .path = "/elsewhere",
		    .body_max = 20000,
		    .on_request = on_elsewhere },
		{ .methods = "POST, PUT",
		    .path = "/",
		    .body_max = 20000,
		    .on_request = on_request },
	};
	const struct http_server_config config = { .routes = routes, .route_count = COUNT(routes) };
	struct scene *scene = calloc(1, sizeof(*scene));
	struct err err;

	assert_non_null(scene);
	on_stage = scene;
	scene->loop = loop_new(NULL);
	loop_timer_init(&scene->patience, on_impatient, scene);
	scene->server = http_server_new(scene->loop, &config, "127.0.0.1:0", NULL);
	assert_non_null(scene->server);
	scene->clients = notify_clients_new(scene->loop, &err);
	assert_non_null(scene->clients);
	*state = scene;
	return 0;
}

static int
finish(void **state)
{
	struct scene *scene = *state;

	notify_clients_free(scene->clients);
	http_server_free(scene->server);
	loop_timer_stop(&scene->patience);
	loop_free(scene->loop);
	free(scene);
	return 0;
}

#define SCENE_TEST(name) TEST_OF(name, struct scene *scene, begin, finish)

static void
on_done(void *ctx, const struct notify_said *said)
{
	struct scene *scene = ctx;

	scene->times++;
	scene->said = *said;
}

static struct notify_call *
start(struct scene *scene, enum notify_kind kind, const char *url)
{
	const struct notify to = { .id = "ops",
		.kind = kind,
		.url = url,
		.secret = kind == NOTIFY_TO_MATRIX ? "syt_0123456789abcdef" : SECRET,
		.room = "!a:b.test" };
	struct notify_call *call;
	struct err err;

	call = notify_start(scene->clients,
	    &(struct notify_request){ .to = &to,
		.word = "live",
		.key = KEY,
		.text = "Live",
		.data = "{}",
		.at = clock_wall_ms(),
		.on_done = on_done,
		.ctx = scene },
	    &err);
	if (call == NULL)
		fail_msg("%s", err.text);
	return call;
}

static void
send_to(struct scene *scene, enum notify_kind kind)
{
	char url[96];

	text_setf(url, "http://127.0.0.1:%u%s", http_server_port(scene->server),
	    kind == NOTIFY_TO_MATRIX ? "" : PATH);
	scene->times = 0;
	(void)start(scene, kind, url);
	UNTIL(scene, scene->times == 1);
}

SCENE_TEST(each_answer_of_a_server_is_one_verdict)
{
	static const struct {
		enum notify_kind kind;
		int status;
		const char *body, *retry_after;
		enum notify_verdict verdict;
		int64_t least_ms, most_ms; /* it is not tried before */
	} cases[] = {
		{ NOTIFY_TO_WEBHOOK, 204, "", NULL, NOTIFY_SENT, 0, 0 },
		{ NOTIFY_TO_WEBHOOK, 500, "", NULL, NOTIFY_LATER, 0, 0 },
		{ NOTIFY_TO_WEBHOOK, 429, "", "1.5", NOTIFY_LATER, 1500, 3000 },
		{ NOTIFY_TO_WEBHOOK, 429, "", "30", NOTIFY_LATER, 30000, 31000 },
		{ NOTIFY_TO_WEBHOOK, 429, "", "864000", NOTIFY_LATER, 3600000, 3600000 },
		{ NOTIFY_TO_WEBHOOK, 429, "", "-5", NOTIFY_LATER, 0, 1000 },
		{ NOTIFY_TO_WEBHOOK, 429, "", "soon", NOTIFY_LATER, 0, 1000 },
		{ NOTIFY_TO_WEBHOOK, 429, "", "Fri, 31 Dec 2100 23:59:59 GMT", NOTIFY_LATER,
		    3600000, 3600000 },
		{ NOTIFY_TO_WEBHOOK, 429, "", "Fri, 31 Dec 1999 23:59:59 GMT", NOTIFY_LATER, 0,
		    1000 },
		{ NOTIFY_TO_WEBHOOK, 429, "", NULL, NOTIFY_LATER, 0, 0 },
		{ NOTIFY_TO_WEBHOOK, 404, "", NULL, NOTIFY_LATER, 0, 0 },
		{ NOTIFY_TO_WEBHOOK, 410, "", NULL, NOTIFY_OFF, 0, 0 },
		{ NOTIFY_TO_WEBHOOK, 413, "", NULL, NOTIFY_NOT_IT, 0, 0 },
		{ NOTIFY_TO_SLACK, 200, "ok", NULL, NOTIFY_SENT, 0, 0 },
		{ NOTIFY_TO_SLACK, 200, "{\"ok\":false,\"error\":\"x\"}", NULL, NOTIFY_LATER, 0,
		    0 },
		{ NOTIFY_TO_SLACK, 400, "no_service", NULL, NOTIFY_OFF, 0, 0 },
		{ NOTIFY_TO_SLACK, 404, "no_service", NULL, NOTIFY_OFF, 0, 0 },
		{ NOTIFY_TO_SLACK, 429, "", "1", NOTIFY_LATER, 1000, 2000 },
		{ NOTIFY_TO_DISCORD, 404, "{\"code\":10015}", NULL, NOTIFY_OFF, 0, 0 },
		{ NOTIFY_TO_DISCORD, 429, "{\"retry_after\":0.65}", "1", NOTIFY_LATER, 1000, 2000 },
		{ NOTIFY_TO_MATRIX, 200, "{\"errcode\":\"M_X\"}", NULL, NOTIFY_LATER, 0, 0 },
		{ NOTIFY_TO_MATRIX, 200, "{\"event_id\":\"$1\"}", NULL, NOTIFY_SENT, 0, 0 },
		{ NOTIFY_TO_MATRIX, 429, "{\"retry_after_ms\":1500}", NULL, NOTIFY_LATER, 1500,
		    1500 },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		scene->status = cases[i].status;
		scene->body = cases[i].body;
		scene->size = strlen(cases[i].body);
		scene->headers[0] = cases[i].retry_after == NULL ?
		    (struct http_header){ NULL, NULL } :
		    (struct http_header){ "Retry-After", cases[i].retry_after };
		send_to(scene, cases[i].kind);
		if (scene->said.verdict != cases[i].verdict ||
		    scene->said.after_ms < cases[i].least_ms ||
		    scene->said.after_ms > cases[i].most_ms)
			fail_msg("%zu: %d after %lld: %s", i, scene->said.verdict,
			    (long long)scene->said.after_ms, scene->said.why);
		assert_int_equal(scene->said.status, cases[i].status);
	}
	assert_int_equal(scene->asked, COUNT(cases));
}

/* It would carry text and signature to whoever that names. */
SCENE_TEST(what_leads_elsewhere_is_not_followed)
{
	static const int statuses[] = { 301, 302, 307, 308 };
	char url[96];

	text_setf(url, "http://localhost:%u/elsewhere", http_server_port(scene->server));
	scene->headers[0] = (struct http_header){ "Location", url };
	for (size_t i = 0; i < COUNT(statuses); i++) {
		scene->status = statuses[i];
		send_to(scene, NOTIFY_TO_WEBHOOK);
		assert_int_equal(scene->said.verdict, NOTIFY_LATER);
		assert_non_null(strstr(scene->said.why, "leads elsewhere"));
	}
	assert_int_equal(scene->asked, COUNT(statuses));
	assert_int_equal(scene->elsewhere, 0);
}

/* What a webhook says is nothing to us; of the others it is read, and that has a limit. */
SCENE_TEST(fifty_megabytes_of_an_answer_are_not_kept)
{
	size_t size = (size_t)50 * 1024 * 1024;
	char *much = malloc(size);

	assert_non_null(much);
	memset(much, 'x', size);
	scene->status = 200;
	scene->body = much;
	scene->size = size;
	send_to(scene, NOTIFY_TO_WEBHOOK);
	assert_int_equal(scene->said.verdict, NOTIFY_SENT);
	assert_int_equal(scene->said.status, 200);
	send_to(scene, NOTIFY_TO_SLACK);
	assert_int_equal(scene->said.verdict, NOTIFY_LATER);
	send_to(scene, NOTIFY_TO_MATRIX);
	assert_int_equal(scene->said.verdict, NOTIFY_LATER);
	free(much);
}

SCENE_TEST(who_is_not_there_is_tried_later_and_its_address_is_in_no_word)
{
	(void)start(scene, NOTIFY_TO_SLACK, "http://127.0.0.1:1" PATH);
	UNTIL(scene, scene->times == 1);
	assert_int_equal(scene->said.verdict, NOTIFY_LATER);
	assert_int_equal(scene->said.status, 0);
	assert_string_not_equal(scene->said.why, "");
	assert_null(strstr(scene->said.why, PATH));
}

SCENE_TEST(one_that_is_cancelled_says_nothing)
{
	char url[96];

	text_setf(url, "http://127.0.0.1:%u" PATH, http_server_port(scene->server));
	notify_cancel(start(scene, NOTIFY_TO_SLACK, url));
	scene->status = 200;
	scene->body = "ok";
	scene->size = 2;
	(void)start(scene, NOTIFY_TO_SLACK, url);
	UNTIL(scene, scene->times == 1);
	assert_int_equal(scene->said.verdict, NOTIFY_SENT);
	notify_cancel(NULL);
}
