/* Goal: each query is asked as Prometheus's API has it, and whatever comes of them is one result.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "clients/prometheus.h"
#include "effects/perform_inside.h"
#include "lib/clock.h"
#include "lib/http_server.h"
#include "lib/text.h"
#include "settings/sources/settings_load.h"
#include "tests/unit/until.h"

#define TOKEN "prometheus-token-0123456789abcdefghijklmn"
#define PATH  "/api/v1/query"

struct scene {
	struct loop *loop;
	struct http_server *server;
	struct perform perform;
	struct settings *settings;
	struct event *result;
	struct http_request *held;
	char heard[8][160]; /* what proves us, of each */
	size_t n_heard;
	size_t silent_from; /* from this one on nothing is answered */
	struct loop_timer patience;
	bool is_over;
};

static struct scene *on_stage;

static void
on_request(struct http_request *request, UNUSED void *ctx)
{
	struct scene *scene = on_stage;
	const char *token = http_request_header(request, "Authorization");
	char body[256];
	int64_t now = clock_wall_ms();

	(void)snprintf(scene->heard[scene->n_heard++ % 8], sizeof(scene->heard[0]), "%s",
	    token == NULL ? "" : token);
	(void)snprintf(body, sizeof(body),
	    "{\"status\":\"success\",\"data\":{\"resultType\":\"scalar\",\"result\":[%lld,\"0.5\"]}}",
	    (long long)(now / 1000));
	if (scene->n_heard > scene->silent_from)
		scene->held = request;
	else
		http_request_answer(request, 200, NULL, body, strlen(body));
}

static void
take(void *ctx, struct event *event)
{
	((struct scene *)ctx)->result = event;
}

static void
on_impatient(UNUSED struct loop_timer *timer, void *ctx)
{
	((struct scene *)ctx)->is_over = true;
}

static struct settings *
make_settings(const char *url, const char *user)
{
	char *const environment[] = { "TELEGRAM_BOT_TOKEN=123456:abcdefghijklmnopqrstuvwxyzABCDEF",
		"ADMIN_TELEGRAM_IDS=4711", "GITHUB_REPOSITORY=acme/app",
		"STAGING_HOST=web1:22,web2", "STAGING_BAKE=15m",
		"STAGING_BAKE_QUERY=errors: e{v={release}} > 1%",
		"STAGING_BAKE_QUERY_3=slow: s{i=~{hosts}} > 1",
		"STAGING_BAKE_PRESENT=up{e={environment}}", (char *)url, "PROMETHEUS_TOKEN=" TOKEN,
		(char *)user, NULL };
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
		{ .methods = "GET", .path = PATH, .on_request = on_request },
	};
	const struct http_server_config config = { .routes = routes, .route_count = COUNT(routes) };
	struct scene *scene = calloc(1, sizeof(*scene));
	char url[96];

	assert_non_null(scene);
	on_stage = scene;
	scene->silent_from = SIZE_MAX;
	scene->loop = loop_new(NULL);
	loop_timer_init(&scene->patience, on_impatient, scene);
	scene->server = http_server_new(scene->loop, &config, "127.0.0.1:0", NULL);
	assert_non_null(scene->server);
	(void)snprintf(url, sizeof(url), "PROMETHEUS_URL=http://127.0.0.1:%u",
	    http_server_port(scene->server));
	scene->settings = make_settings(url, NULL);
	scene->perform = (struct perform){ .loop = scene->loop,
		.prometheus = prometheus_client(scene->loop, &scene->settings->prometheus, NULL),
		.submit = take,
		.submit_ctx = scene };
	*state = scene;
	return scene->perform.prometheus == NULL;
}

static int
finish(void **state)
{
	struct scene *scene = *state;

	event_free(scene->result);
	perform_done(&scene->perform);
	assert_null(scene->perform.jobs);
	loop_timer_stop(&scene->patience);
	if (scene->held != NULL)
		http_request_answer(scene->held, 200, NULL, "", 0);
	http_client_free(scene->perform.prometheus);
	http_server_free(scene->server);
	settings_unref(scene->settings);
	loop_free(scene->loop);
	free(scene);
	return 0;
}

#define SCENE_TEST(name) TEST_OF(name, struct scene *scene, begin, finish)

static void
perform_of(struct scene *scene, const char *environment, const char *hosts)
{
	struct effect *effect = effect_new(EFFECT_PROM_QUERY);

	effect->id = 7;
	effect->settings = settings_ref(scene->settings);
	(void)text_copy(effect->u.prom_query.environment, LIMIT_ENVIRONMENT, environment);
	(void)text_copy(effect->u.prom_query.release, LIMIT_COMMIT, "45f7076");
	effect->u.prom_query.hosts = strdup(hosts);
	perform_effect(&scene->perform, effect);
}

static void
perform(struct scene *scene, const char *environment)
{
	perform_of(scene, environment, "");
}

static const struct bake_look *
look(struct scene *scene)
{
	UNTIL(scene, scene->result != NULL);
	assert_int_equal(scene->result->effect, 7);
	assert_int_equal(scene->result->kind, EVENT_PROM_SAID);
	return &scene->result->u.prom_said;
}

SCENE_TEST(each_query_is_asked_without_its_comparison)
{
	perform(scene, "staging");
	assert_int_equal(look(scene)->n, 2);
	assert_true(look(scene)->is_present);
	assert_string_equal(look(scene)->why, "");
	assert_string_equal(look(scene)->findings[0].name, "errors");
	assert_int_equal(look(scene)->findings[0].verdict, BAKE_FIRES);
	assert_string_equal(look(scene)->findings[0].value, "50 %");
	assert_string_equal(look(scene)->findings[1].name, "slow");
	assert_int_equal(look(scene)->findings[1].verdict, BAKE_HEALTHY);
	assert_int_equal(scene->n_heard, 3);
	for (size_t i = 0; i < 3; i++)
		assert_string_equal(scene->heard[i], "Bearer " TOKEN);
}

/* So many that the query that names them is sent to nobody. */
SCENE_TEST(the_hosts_of_a_wave_take_the_place_of_all)
{
	char hosts[PROMQL_FILLED_MAX + 1];

	memset(hosts, 'h', sizeof(hosts));
	hosts[sizeof(hosts) - 1] = '\0';
	perform_of(scene, "staging", hosts);
	assert_int_equal(look(scene)->n, 1);
	assert_string_not_equal(look(scene)->why, "");
}

SCENE_TEST(with_a_user_it_is_a_password)
{
	char url[96];

	(void)snprintf(url, sizeof(url), "PROMETHEUS_URL=%s", scene->settings->prometheus.url);
	settings_unref(scene->settings);
	scene->settings = make_settings(url, "PROMETHEUS_USER=bot");
	perform(scene, "staging");
	assert_string_equal(look(scene)->why, "");
	assert_string_equal(
	    scene->heard[0], "Basic Ym90OnByb21ldGhldXMtdG9rZW4tMDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1u");
}

SCENE_TEST(an_answer_that_does_not_come_is_not_known_and_the_others_are)
{
	scene->silent_from = 2;
	perform(scene, "staging");
	assert_int_equal(look(scene)->n, 2);
	assert_int_equal(look(scene)->findings[0].verdict, BAKE_FIRES);
	assert_false(look(scene)->is_present);
	assert_non_null(strstr(look(scene)->why, "no answer within "));
	assert_null(strstr(look(scene)->why, TOKEN));
}

SCENE_TEST(who_cannot_be_reached_says_nothing)
{
	settings_unref(scene->settings);
	scene->settings = make_settings("PROMETHEUS_URL=http://127.0.0.1:1", NULL);
	perform(scene, "staging");
	assert_int_equal(look(scene)->findings[0].verdict, BAKE_UNKNOWN);
	assert_false(look(scene)->is_present);
	assert_string_not_equal(look(scene)->why, "");
}

SCENE_TEST(of_an_environment_that_is_gone_nothing_is_known)
{
	perform(scene, "elsewhere");
	assert_int_equal(look(scene)->n, 0);
	assert_false(look(scene)->is_present);
	assert_string_equal(look(scene)->why, "its environment is no longer in the settings");
}

SCENE_TEST(a_look_can_be_withdrawn)
{
	perform(scene, "staging");
	perform_withdraw(&scene->perform, 7);
	assert_null(scene->perform.jobs);
	assert_null(scene->result);
}
