/* Goal: Cloudflare is asked with the token, as its API has it, and any answer is a result.  Side: start. */
/* SPDX-License-Identifier: ISC */

#include "clients/cloudflare.h"
#include "clients/outbound_client.h"
#include "effects/perform_inside.h"
#include "lib/http_server.h"
#include "lib/loop.h"
#include "lib/text.h"
#include "settings/sources/settings_load.h"
#include "tests/unit/until.h"

#define ZONE  "0123456789abcdef0123456789abcdef"
#define TOKEN "cf-token-0123456789abcdefghijklmnopqrstuv"
#define PATH  "/client/v4/zones/" ZONE "/settings/security_level"

struct scene {
	struct loop *loop;
	struct http_server *server;
	struct perform perform;
	struct settings *settings;
	struct event *result;
	struct http_request *held[2];
	size_t n_held;
	int asked, patched;
	char heard[256]; /* the last one's method, headers and body */
	bool is_silent;
	struct loop_timer patience;
	bool is_over;
};

static struct scene *on_stage;

static void
on_request(struct http_request *request, void *ctx)
{
	static const char level[] =
	    "{\"success\":true,\"errors\":[],\"result\":{\"id\":\"security_level\",\"value\":\"medium\"}}";
	size_t size;
	char *body = http_request_take_body(request, &size);

	on_stage->asked++;
	on_stage->patched += strcmp(ctx, "PATCH") == 0;
	(void)snprintf(on_stage->heard, sizeof(on_stage->heard), "%s %s|%s|%s|%.*s",
	    (const char *)ctx, http_request_header(request, "Authorization"),
	    http_request_header(request, "Accept"), http_request_header(request, "Content-Type"),
	    (int)size, body == NULL ? "" : body);
	free(body);
	if (on_stage->is_silent)
		on_stage->held[on_stage->n_held++] = request;
	else
		http_request_answer(request, 200, NULL, level, sizeof(level) - 1);
}

static void
take(void *ctx, struct event *event)
{
	struct scene *scene = ctx;

	assert_null(scene->result);
	scene->result = event;
}

static void
on_impatient(UNUSED struct loop_timer *timer, void *ctx)
{
	((struct scene *)ctx)->is_over = true;
}

static struct settings *
make_settings(const char *base, const char *token)
{
	char *const environment[] = { "TELEGRAM_BOT_TOKEN=123456:abcdefghijklmnopqrstuvwxyzABCDEF",
		"ADMIN_TELEGRAM_IDS=4711", "GITHUB_REPOSITORY=acme/app", (char *)base,
		(char *)token, NULL };
	static struct settings_report report;
	struct settings *settings = NULL;

	if (!settings_load(NULL, environment, &settings, &report))
		fail_msg("%s", report.lines[0].text);
	return settings;
}

static int
begin(void **state)
{
	static const struct http_route routes[] = {
		{ .methods = "GET", .path = PATH, .on_request = on_request, .ctx = "GET" },
		{ .methods = "PATCH",
		    .path = PATH,
		    .body_max = 64,
		    .on_request = on_request,
		    .ctx = "PATCH" },
	};
	const struct http_server_config config = { .routes = routes, .route_count = COUNT(routes) };
	struct scene *scene = calloc(1, sizeof(*scene));
	char base[96];

	assert_non_null(scene);
	on_stage = scene;
	scene->loop = loop_new(NULL);
	loop_timer_init(&scene->patience, on_impatient, scene);
	scene->server = http_server_new(scene->loop, &config, "127.0.0.1:0", NULL);
	assert_non_null(scene->server);
	(void)snprintf(base, sizeof(base), "CLOUDFLARE_API_BASE=http://127.0.0.1:%u/client/v4/",
	    http_server_port(scene->server));
	scene->settings = make_settings(base, "CLOUDFLARE_API_TOKEN=" TOKEN);
	scene->perform = (struct perform){ .loop = scene->loop,
		.cloudflare = outbound_client(scene->loop,
		    outbound_of(OUTBOUND_CLOUDFLARE, scene->settings->cloudflare_api_base), 2, 0,
		    NULL),
		.submit = take,
		.submit_ctx = scene };
	*state = scene;
	return scene->perform.cloudflare == NULL;
}

static int
finish(void **state)
{
	struct scene *scene = *state;

	event_free(scene->result);
	perform_done(&scene->perform);
	assert_null(scene->perform.jobs);
	loop_timer_stop(&scene->patience);
	for (size_t i = 0; i < scene->n_held; i++)
		http_request_answer(scene->held[i], 200, NULL, "", 0);
	http_client_free(scene->perform.cloudflare);
	http_server_free(scene->server);
	settings_unref(scene->settings);
	loop_free(scene->loop);
	free(scene);
	return 0;
}

#define SCENE_TEST(name) TEST_OF(name, struct scene *scene, begin, finish)

static void
perform(struct scene *scene, enum effect_kind kind, const char *level, bool is_recovered)
{
	struct effect *effect = effect_new(kind);

	assert_non_null(effect);
	effect->id = 7;
	effect->settings = settings_ref(scene->settings);
	effect->is_recovered = is_recovered;
	(void)text_copy(effect->u.cloudflare.zone, CLOUDFLARE_ZONE, ZONE);
	(void)text_copy(effect->u.cloudflare.level, CLOUDFLARE_LEVEL, level);
	perform_effect(&scene->perform, effect);
}

static struct cloudflare_answer
answer(struct scene *scene)
{
	struct cloudflare_answer answer;

	UNTIL(scene, scene->result != NULL);
	assert_int_equal(scene->result->effect, 7);
	answer = scene->result->u.cloudflare;
	event_free(TAKE(scene->result));
	return answer;
}

SCENE_TEST(it_is_asked_as_the_api_has_it)
{
	struct cloudflare_answer got;

	perform(scene, EFFECT_CLOUDFLARE_GET, "", false);
	got = answer(scene);
	assert_int_equal(got.verdict, CLOUDFLARE_DONE);
	assert_string_equal(got.value, "medium");
	assert_string_equal(
	    scene->heard, "GET Bearer " TOKEN "|application/json|application/json|");
	for (int again = 0; again < 2; again++) {
		perform(scene, EFFECT_CLOUDFLARE_SET, "medium", again != 0);
		assert_int_equal(answer(scene).verdict, CLOUDFLARE_DONE);
		assert_string_equal(scene->heard,
		    "PATCH Bearer " TOKEN
		    "|application/json|application/json|{\"value\":\"medium\"}");
	}
	assert_int_equal(scene->asked, 3);
}

static bool
may_act(UNUSED void *ctx)
{
	return true;
}

/* Of several servers the one that leads now finds what another has set. */
SCENE_TEST(who_leads_from_now_on_reads_before_it_sets)
{
	scene->perform.may_act = may_act;
	perform(scene, EFFECT_CLOUDFLARE_SET, "medium", true);
	assert_int_equal(answer(scene).verdict, CLOUDFLARE_DONE);
	assert_int_equal(scene->asked, 1);
	assert_int_equal(scene->patched, 0);
	perform(scene, EFFECT_CLOUDFLARE_SET, "high", true); /* and the API says medium to it */
	assert_int_equal(answer(scene).verdict, CLOUDFLARE_UNKNOWN);
	assert_int_equal(scene->asked, 3);
	assert_int_equal(scene->patched, 1);
	perform(scene, EFFECT_CLOUDFLARE_SET, "medium", false);
	assert_int_equal(answer(scene).verdict, CLOUDFLARE_DONE);
	assert_int_equal(scene->patched, 2);
}

TEST_WITH(another_level_than_was_asked_for_is_no_success, begin, finish)
{
	perform(*state, EFFECT_CLOUDFLARE_SET, "high", false);
	assert_int_equal(answer(*state).verdict, CLOUDFLARE_UNKNOWN);
}

SCENE_TEST(without_a_token_nothing_is_sent)
{
	struct cloudflare_answer got;

	settings_unref(scene->settings);
	scene->settings = make_settings("CLOUDFLARE_API_BASE=http://127.0.0.1:1", NULL);
	perform(scene, EFFECT_CLOUDFLARE_SET, "medium", false);
	got = answer(scene);
	assert_int_equal(got.verdict, CLOUDFLARE_REFUSED);
	assert_string_equal(got.detail, "CLOUDFLARE_API_TOKEN is not set");
}

/* The one before it, whose answer nobody has, may have been carried out. */
SCENE_TEST(a_no_to_what_is_sent_again_leaves_it_unknown)
{
	struct cloudflare_answer got;

	settings_unref(scene->settings);
	scene->settings = make_settings("CLOUDFLARE_API_BASE=http://127.0.0.1:1", NULL);
	perform(scene, EFFECT_CLOUDFLARE_SET, "medium", true);
	got = answer(scene);
	assert_int_equal(got.verdict, CLOUDFLARE_UNKNOWN);
	assert_string_equal(got.detail, "CLOUDFLARE_API_TOKEN is not set");
	perform(scene, EFFECT_CLOUDFLARE_GET, "", true);
	assert_int_equal(answer(scene).verdict, CLOUDFLARE_REFUSED);
}

SCENE_TEST(who_cannot_be_reached_leaves_it_unknown_and_no_token_in_words)
{
	struct cloudflare_answer got;

	settings_unref(scene->settings);
	scene->settings =
	    make_settings("CLOUDFLARE_API_BASE=http://127.0.0.1:1", "CLOUDFLARE_API_TOKEN=" TOKEN);
	perform(scene, EFFECT_CLOUDFLARE_SET, "medium", false);
	got = answer(scene);
	assert_int_equal(got.verdict, CLOUDFLARE_UNKNOWN);
	assert_string_not_equal(got.detail, "");
	assert_null(strstr(got.detail, TOKEN));
}

SCENE_TEST(what_is_in_hand_is_freed_at_the_end)
{
	scene->is_silent = true;
	perform(scene, EFFECT_CLOUDFLARE_SET, "medium", false);
	perform(scene, EFFECT_CLOUDFLARE_GET, "", false);
	UNTIL(scene, scene->asked == 2);
}

SCENE_TEST(a_question_can_be_withdrawn)
{
	perform(scene, EFFECT_CLOUDFLARE_GET, "", false);
	perform_withdraw(&scene->perform, 7);
	assert_null(scene->perform.jobs);
	assert_null(scene->result);
}
