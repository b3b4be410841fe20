/* Goal: OPA is asked with the token, as its API has it, and whatever comes of it is one result.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "clients/opa.h"
#include "clients/opa_answer.h"
#include "effects/perform_inside.h"
#include "lib/clock.h"
#include "lib/http_server.h"
#include "lib/text.h"
#include "settings/sources/settings_load.h"
#include "tests/unit/until.h"

#define TOKEN "opa-token-0123456789abcdefghijklmnopqrstuv"
#define PATH  "/v1/data/deploybot/allow"
#define INPUT "{\"version\":1}"
#define MANY  12

struct scene {
	struct loop *loop;
	struct http_server *server;
	struct perform perform;
	struct settings *settings;
	struct event *results[MANY];
	size_t n_results;
	struct http_request *held[MANY];
	size_t n_held;
	size_t n_held_at_first; /* when the first result came: what comes later takes its turn */
	char heard[256];	/* the last one's headers and body */
	const char *says;	/* NULL: nothing */
	struct loop_timer patience;
	bool is_over;
};

static struct scene *on_stage;

static void
on_request(struct http_request *request, UNUSED void *ctx)
{
	struct scene *scene = on_stage;
	const char *token = http_request_header(request, "Authorization");
	size_t size;
	char *body = http_request_take_body(request, &size);

	(void)snprintf(scene->heard, sizeof(scene->heard), "%s|%s|%.*s", token == NULL ? "" : token,
	    http_request_header(request, "Content-Type"), (int)size, body == NULL ? "" : body);
	free(body);
	if (scene->says == NULL)
		scene->held[scene->n_held++] = request;
	else
		http_request_answer(request, 200, NULL, scene->says, strlen(scene->says));
}

static void
take(void *ctx, struct event *event)
{
	struct scene *scene = ctx;

	assert_true(scene->n_results < MANY);
	if (scene->n_results == 0)
		scene->n_held_at_first = scene->n_held;
	scene->results[scene->n_results++] = event;
}

static void
on_impatient(UNUSED struct loop_timer *timer, void *ctx)
{
	((struct scene *)ctx)->is_over = true;
}

static struct settings *
make_settings(const char *url, const char *token)
{
	char *const environment[] = { "TELEGRAM_BOT_TOKEN=123456:abcdefghijklmnopqrstuvwxyzABCDEF",
		"ADMIN_TELEGRAM_IDS=4711", "GITHUB_REPOSITORY=acme/app", (char *)url, (char *)token,
		NULL };
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
		{ .methods = "POST", .path = PATH, .body_max = 9000, .on_request = on_request },
	};
	const struct http_server_config config = { .routes = routes, .route_count = COUNT(routes) };
	struct scene *scene = calloc(1, sizeof(*scene));
	char url[96];

	assert_non_null(scene);
	on_stage = scene;
	scene->says = "{\"result\":true,\"decision_id\":\"7\"}";
	scene->loop = loop_new(NULL);
	loop_timer_init(&scene->patience, on_impatient, scene);
	scene->server = http_server_new(scene->loop, &config, "127.0.0.1:0", NULL);
	assert_non_null(scene->server);
	(void)snprintf(
	    url, sizeof(url), "OPA_URL=http://127.0.0.1:%u" PATH, http_server_port(scene->server));
	scene->settings = make_settings(url, "OPA_TOKEN=" TOKEN);
	scene->perform = (struct perform){ .loop = scene->loop,
		.opa = opa_client(scene->loop, &scene->settings->opa, NULL),
		.submit = take,
		.submit_ctx = scene };
	*state = scene;
	return scene->perform.opa == NULL;
}

static int
finish(void **state)
{
	struct scene *scene = *state;

	for (size_t i = 0; i < scene->n_results; i++)
		event_free(scene->results[i]);
	perform_done(&scene->perform);
	assert_null(scene->perform.jobs);
	loop_timer_stop(&scene->patience);
	for (size_t i = 0; i < scene->n_held; i++)
		http_request_answer(scene->held[i], 200, NULL, "", 0);
	http_client_free(scene->perform.opa);
	http_server_free(scene->server);
	settings_unref(scene->settings);
	loop_free(scene->loop);
	free(scene);
	return 0;
}

#define SCENE_TEST(name) TEST_OF(name, struct scene *scene, begin, finish)

static void
perform(struct scene *scene, int64_t not_before)
{
	struct effect *effect = effect_new(EFFECT_OPA);

	effect->id = 7;
	effect->settings = settings_ref(scene->settings);
	(void)text_copy(effect->u.opa.input, OPA_INPUT, INPUT);
	effect->u.opa.not_before = not_before;
	perform_effect(&scene->perform, effect);
}

static const struct opa_answer *
answer(struct scene *scene)
{
	UNTIL(scene, scene->n_results == 1);
	assert_int_equal(scene->results[0]->effect, 7);
	assert_int_equal(scene->results[0]->kind, EVENT_OPA_SAID);
	return &scene->results[0]->u.opa_said;
}

static void
use(struct scene *scene, const char *url, const char *token)
{
	settings_unref(scene->settings);
	scene->settings = make_settings(url, token);
}

SCENE_TEST(it_is_asked_as_the_api_has_it)
{
	perform(scene, 0);
	assert_int_equal(answer(scene)->verdict, OPA_YES);
	assert_string_equal(answer(scene)->decision, "7");
	assert_string_equal(
	    scene->heard, "Bearer " TOKEN "|application/json|{\"input\":" INPUT "}");
}

SCENE_TEST(without_a_token_none_is_sent)
{
	char url[96];

	(void)snprintf(url, sizeof(url), "OPA_URL=%s", scene->settings->opa.url);
	use(scene, url, NULL);
	perform(scene, 0);
	assert_int_equal(answer(scene)->verdict, OPA_YES);
	assert_string_equal(scene->heard, "|application/json|{\"input\":" INPUT "}");
}

SCENE_TEST(it_is_asked_when_its_time_has_come)
{
	perform(scene, clock_wall_ms() + 50);
	assert_string_equal(scene->heard, "");
	assert_int_equal(answer(scene)->verdict, OPA_YES);
}

SCENE_TEST(an_answer_that_does_not_come_is_none)
{
	scene->says = NULL;
	perform(scene, 0);
	assert_int_equal(answer(scene)->verdict, OPA_SILENT);
	assert_non_null(strstr(answer(scene)->reason, "no answer within "));
	assert_string_equal(answer(scene)->decision, "none");
}

SCENE_TEST(more_than_64_kb_is_no_answer)
{
	static char large[OPA_ANSWER_MAX + 64];

	memset(large, ' ', sizeof(large) - 1);
	memcpy(large, "{\"result\":true,\"more\":1", 23);
	large[sizeof(large) - 2] = '}';
	scene->says = large;
	perform(scene, 0);
	assert_int_equal(answer(scene)->verdict, OPA_SILENT);
}

SCENE_TEST(who_cannot_be_reached_says_nothing_and_no_token_in_words)
{
	use(scene, "OPA_URL=http://127.0.0.1:1" PATH, "OPA_TOKEN=" TOKEN);
	perform(scene, 0);
	assert_int_equal(answer(scene)->verdict, OPA_SILENT);
	assert_string_not_equal(answer(scene)->reason, "");
	assert_null(strstr(answer(scene)->reason, TOKEN));
}

/* Its settings were changed while the question waited. */
SCENE_TEST(without_an_address_nothing_is_sent)
{
	use(scene, "PUBLIC_URL=https://bot.example.org", NULL);
	perform(scene, 0);
	assert_int_equal(answer(scene)->verdict, OPA_SILENT);
	assert_string_equal(answer(scene)->reason, "OPA_URL is not set");
}

SCENE_TEST(its_certificate_is_checked_with_the_file_that_is_named)
{
	const struct settings_opa opa = { .url = "https://opa.example.org" PATH,
		.ca_file = "/nowhere/opa-ca.pem" };
	struct err err;

	assert_null(opa_client(scene->loop, &opa, &err));
	assert_string_equal(err.text, "CA file /nowhere/opa-ca.pem: No such file or directory");
}

SCENE_TEST(eight_are_asked_at_once)
{
	scene->says = NULL;
	for (size_t i = 0; i < MANY; i++)
		perform(scene, 0);
	UNTIL(scene, scene->n_results == MANY); /* none was answered within its time */
	assert_int_equal(scene->n_held_at_first, 8);
}

SCENE_TEST(a_question_can_be_withdrawn)
{
	perform(scene, 0);
	perform_withdraw(&scene->perform, 7);
	assert_null(scene->perform.jobs);
	assert_int_equal(scene->n_results, 0);
}
