/* Goal: a release is well or not by its plan, and who answers is looked at.  Side: start. */
/* SPDX-License-Identifier: ISC */

#include "effects/perform_inside.h"

#include "unit.h"
#include "effects/probe_check.h"
#include "lib/buf.h"
#include "lib/clock.h"
#include "lib/http_server.h"
#include "lib/loop.h"
#include "lib/redact.h"
#include "lib/text.h"
#include "types/outbound.h"

#define NEW "1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d"
#define OLD "9f8e7d6c5b4a39281706f5e4d3c2b1a09f8e7d6c"

/* What the application answers: one path each. */
struct page {
	const char *path;
	int status;
	const char *commit_header;
	const char *body;
	int bad_first; /* so many 503 before it is well */
	bool is_silent;
	bool is_restless; /* 503 and 200 in turn, for ever */
};

struct scene {
	struct loop *loop;
	struct http_server *server;
	struct probe_clients clients;
	struct perform perform;
	struct event *result;
	struct http_request *held[3 * PROBE_HOSTS_AT_ONCE];
	size_t n_held;
	int asked;
};

static struct page pages[] = {
	{ "/good", 200, NULL, "ok", 0, false, false },
	{ "/new", 200, NULL, "{\"status\":\"ok\",\"commit\":\"" NEW "\"}", 0, false, false },
	{ "/short", 200, NULL, "{\"commit\":\"1A2B3C4\"}", 0, false, false },
	{ "/old", 200, NULL, "{\"commit\":\"" OLD "\"}", 0, false, false },
	{ "/header", 200, "9f8e7d6", "fine", 0, false, false },
	{ "/odd", 200, "not hex", "{\"commit\":\"latest\"}", 0, false, false },
	{ "/nested", 200, NULL, "{\"build\":{\"commit\":\"" OLD "\"}}", 0, false, false },
	{ "/broken", 200, NULL, "{\"commit\":\"" OLD "\"", 0, false, false },
	{ "/bad", 500, NULL, "\r\n \n no \002database: s3cret-of-9\nat line 3", 0, false, false },
	{ "/moved", 302, NULL, "", 0, false, false },
	{ "/flaky", 200, NULL, "ok", 2, false, false },
	{ "/silent", 200, NULL, "", 0, true, false },
	{ "/restless", 200, NULL, "ok", 0, false, true },
};

static int bad_left[COUNT(pages)];
static struct scene *on_stage;

static void
on_request(struct http_request *request, void *ctx)
{
	const struct page *page = ctx;
	const struct http_header headers[] = { { "X-Commit", page->commit_header },
		{ NULL, NULL } };
	size_t i = (size_t)(page - pages);

	on_stage->asked++;
	if (page->is_silent) {
		assert_true(on_stage->n_held < COUNT(on_stage->held));
		on_stage->held[on_stage->n_held++] = request;
		return;
	}
	if (page->is_restless)
		bad_left[i] = 1 - bad_left[i];
	if (bad_left[i] > 0) {
		bad_left[i] -= page->is_restless ? 0 : 1;
		http_request_answer(request, 503, NULL, "wait", 4);
		return;
	}
	http_request_answer(request, page->status, page->commit_header != NULL ? headers : NULL,
	    page->body, strlen(page->body));
}

static void
take(void *ctx, struct event *event)
{
	struct scene *scene = ctx;

	assert_int_equal(event->kind, EVENT_PROBED);
	assert_null(scene->result);
	scene->result = event;
}

static int
begin(void **state)
{
	static struct http_route routes[COUNT(pages)];
	struct http_server_config config = { .routes = routes, .route_count = COUNT(pages) };
	struct scene *scene = calloc(1, sizeof(*scene));
	bool are_made;

	if (scene == NULL)
		return -1;
	for (size_t i = 0; i < COUNT(pages); i++) {
		routes[i] = (struct http_route){ .methods = "GET",
			.path = pages[i].path,
			.on_request = on_request,
			.ctx = &pages[i] };
		bad_left[i] = pages[i].bad_first;
	}
	on_stage = scene;
	scene->loop = loop_new(NULL);
	are_made = perform_probe_clients(&scene->clients, scene->loop, NULL);
	scene->server = http_server_new(scene->loop, &config, "127.0.0.1:0", NULL);
	scene->perform = (struct perform){
		.loop = scene->loop, .probes = scene->clients, .submit = take, .submit_ctx = scene
	};
	*state = scene;
	return !are_made || scene->server == NULL;
}

static int
finish(void **state)
{
	struct scene *scene = *state;

	event_free(scene->result);
	perform_done(&scene->perform);
	for (size_t i = 0; i < scene->n_held; i++)
		http_request_answer(scene->held[i], 200, NULL, "", 0);
	http_client_free(scene->clients.gates);
	http_client_free(scene->clients.looks);
	http_server_free(scene->server);
	loop_free(scene->loop);
	free(scene);
	return 0;
}

#define SCENE_TEST(name) TEST_OF(name, struct scene *scene, begin, finish)

/* An effect for these paths (separated by blanks); each target expects the commit. */
static struct effect *
probe_of(struct scene *scene, const char *paths, const char *commit, struct probe_plan plan)
{
	struct effect *effect = effect_new(EFFECT_PROBE);
	char list[256];
	char *rest = list, *path;

	assert_non_null(effect);
	assert_true(text_copy(list, sizeof(list), paths));
	effect->id = 77;
	effect->subject = 7;
	effect->u.probe.plan = plan;
	effect->u.probe.targets = calloc(8, sizeof(struct probe_target));
	while ((path = strsep(&rest, " ")) != NULL) {
		struct probe_target *target = &effect->u.probe.targets[effect->u.probe.n++];

		(void)snprintf(target->url, sizeof(target->url), "http://127.0.0.1:%u%s",
		    (unsigned)http_server_port(scene->server), path);
		(void)text_copy(target->commit, sizeof(target->commit), commit);
		(void)text_copy(target->environment, sizeof(target->environment), "staging");
	}
	return effect;
}

static const struct probe_finding *
findings(struct scene *scene, const char *paths, const char *commit, struct probe_plan plan)
{
	event_free(TAKE(scene->result));
	perform_effect(&scene->perform, probe_of(scene, paths, commit, plan));
	while (scene->result == NULL)
		loop_run_once(scene->loop);
	assert_int_equal(scene->result->effect, 77);
	assert_null(scene->perform.jobs);
	return scene->result->u.probed.findings;
}

static const struct probe_plan once = {
	.successes = 1, .failures = 1, .interval_s = 0, .timeout_s = 5
};

SCENE_TEST(every_url_must_be_well_and_is_asked_at_once)
{
	const struct probe_finding *found = findings(scene, "/good /new /odd", NEW, once);

	assert_int_equal(scene->result->u.probed.n, 3);
	assert_true(found[0].is_healthy && found[1].is_healthy && found[2].is_healthy);
	assert_int_equal(found[0].http_status, 200);
	assert_string_equal(found[0].commit, "");
	assert_string_equal(found[1].commit, NEW);
	assert_string_equal(found[2].commit, "");
	assert_string_equal(found[1].detail, "");
}

TEST_WITH(the_old_version_answering_is_no_pass, begin, finish)
{
	static const struct {
		const char *path, *expected;
		bool well;
		const char *detail;
	} samples[] = {
		{ "/old", NEW, false, "answers commit 9f8e7d6, expected 1a2b3c4" },
		{ "/header", NEW, false, "answers commit 9f8e7d6, expected 1a2b3c4" },
		{ "/header", OLD, true, "" },
		{ "/short", NEW, true, "" },
		{ "/new", "1a2b3c4", true, "" },
		{ "/old", "", true, "" },
		{ "/nested", NEW, true, "" },
		{ "/broken", NEW, true, "" },
	};

	for (size_t i = 0; i < COUNT(samples); i++) {
		const struct probe_finding *found =
		    findings(*state, samples[i].path, samples[i].expected, once);

		assert_int_equal(found->is_healthy, samples[i].well);
		assert_string_equal(found->detail, samples[i].detail);
	}
}

SCENE_TEST(a_failure_is_told_in_words_for_people)
{
	struct effect *effect;

	scene->perform.redact = redact_new();
	assert_true(redact_add(scene->perform.redact, "s3cret-of-9", NULL));
	assert_string_equal(findings(scene, "/bad", "", once)->detail, "HTTP 500");
	assert_string_equal(scene->result->u.probed.findings[0].answer, "no database: ***");
	redact_free(TAKE(scene->perform.redact));
	assert_string_equal(
	    findings(scene, "/moved", "", once)->detail, "HTTP 302 (redirects are not followed)");
	assert_string_equal(
	    findings(scene, "/silent", "", (struct probe_plan){ 1, 1, 0, 1, 0, 0 })->detail,
	    "timed out after 1 s");
	event_free(TAKE(scene->result));
	effect = probe_of(scene, "/x", "", once);
	(void)snprintf(effect->u.probe.targets[0].url, LIMIT_URL, "http://127.0.0.1:1/");
	perform_effect(&scene->perform, effect);
	while (scene->result == NULL)
		loop_run_once(scene->loop);
	assert_string_equal(scene->result->u.probed.findings[0].detail, "connection refused");
	assert_int_equal(scene->result->u.probed.findings[0].http_status, 0);
}

/* Names that differ, all of this server. */
static struct effect *
probe_of_hosts(struct scene *scene, const char *paths, int n)
{
	struct effect *effect = probe_of(scene, paths, "", once);
	struct probe_target *last = &effect->u.probe.targets[effect->u.probe.n - 1];
	const char *path = strrchr(paths, ' ');
	struct buf hosts = buf_make(LIMIT_RUN_HOSTS);

	(void)snprintf(last->url, sizeof(last->url), "http://{host}:%u%s",
	    (unsigned)http_server_port(scene->server), path != NULL ? path + 1 : paths);
	for (int i = 1; i <= n; i++)
		buf_addf(&hosts, "127.0.0.1:%d ", i);
	effect->u.probe.hosts = buf_take(&hosts);
	return effect;
}

SCENE_TEST(each_of_a_thousand_hosts_is_asked_at_its_own_url)
{
	perform_effect(&scene->perform, probe_of_hosts(scene, "/new /flaky", 1000));
	while (scene->result == NULL)
		loop_run_once(scene->loop);
	assert_int_equal(scene->result->u.probed.n, 1001);
	assert_int_equal(scene->asked, 1001);
	assert_int_equal(strncmp(scene->result->u.probed.hosts, "127.0.0.1:1 127.0.0.1:2 ", 24), 0);
	for (size_t i = 0, bad = 0; i < 1001; i++) {
		bad += !scene->result->u.probed.findings[i].is_healthy;
		assert_true(bad <= 2); /* which end none of the others */
		assert_true(i < 1000 || bad == 2);
	}
}

static void
on_late(UNUSED struct loop_timer *timer, void *ctx)
{
	*(bool *)ctx = true;
}

SCENE_TEST(no_more_than_64_hosts_are_asked_at_once)
{
	struct loop_timer timer;
	bool is_late = false;

	perform_effect(&scene->perform, probe_of_hosts(scene, "/silent", PROBE_HOSTS_AT_ONCE + 6));
	while (scene->asked < PROBE_HOSTS_AT_ONCE)
		loop_run_once(scene->loop);
	loop_timer_init(&timer, on_late, &is_late);
	loop_timer_start(scene->loop, &timer, 100, 0);
	while (!is_late)
		loop_run_once(scene->loop);
	assert_int_equal(scene->asked, PROBE_HOSTS_AT_ONCE);
	for (int i = 0; i < 6; i++)
		http_request_answer(scene->held[i], 200, NULL, "", 0);
	while (scene->asked < PROBE_HOSTS_AT_ONCE + 6)
		loop_run_once(scene->loop);
	for (size_t i = 6; i < scene->n_held; i++)
		http_request_answer(scene->held[i], 200, NULL, "", 0);
	scene->n_held = 0;
	while (scene->result == NULL)
		loop_run_once(scene->loop);
	assert_int_equal(scene->result->u.probed.n, PROBE_HOSTS_AT_ONCE + 6);
}

/* Goal: a look ends when it is over, whoever hangs, and who was never asked has not failed. */
SCENE_TEST(a_look_at_a_thousand_hosts_that_hang_ends_at_its_deadline)
{
	struct effect *effect = probe_of_hosts(scene, "/silent", 1000);
	struct probe_plan *plan = &effect->u.probe.plan;
	const struct probed *probed;
	size_t n_asked = 0;

	*plan = (struct probe_plan){ 1, 3, 1, 5, 1, clock_wall_ms() + 1000 };
	effect->subject = 0;
	effect->u.probe.message = 1;
	perform_effect(&scene->perform, effect);
	while (scene->result == NULL)
		loop_run_once(scene->loop);
	probed = &scene->result->u.probed;
	assert_int_equal(probed->n, 1000);
	for (size_t i = 0; i < probed->n; i++)
		n_asked += probed->findings[i].failures > 0 || probed->findings[i].passes > 0;
	assert_int_equal(n_asked, 0); /* none has answered, or had its time */
	assert_int_equal(scene->asked, PROBE_HOSTS_AT_ONCE);
}

/* Regression: forty looks at a fleet that hung made the gate of another release fail. */
SCENE_TEST(looks_share_their_hosts_and_take_no_gates_turn)
{
	struct loop_timer timer;
	bool is_late = false;

	for (int64_t i = 1; i <= 2; i++) {
		struct effect *effect = probe_of_hosts(scene, "/silent", PROBE_HOSTS_AT_ONCE);

		effect->id = i;
		effect->subject = 0;
		perform_effect(&scene->perform, effect);
	}
	loop_timer_init(&timer, on_late, &is_late);
	loop_timer_start(scene->loop, &timer, 100, 0);
	while (!is_late || scene->asked < PROBE_HOSTS_AT_ONCE)
		loop_run_once(scene->loop);
	assert_int_equal(scene->asked, PROBE_HOSTS_AT_ONCE);
	scene->perform.probes.looks = NULL; /* of which a gate knows nothing */
	perform_effect(&scene->perform, probe_of(scene, "/good", "", once));
	while (scene->result == NULL)
		loop_run_once(scene->loop);
	assert_int_equal(scene->result->effect, 77);
	assert_true(scene->result->u.probed.findings[0].is_healthy);
	scene->perform.probes = scene->clients;
}

/* Goal: who waits sees how the gate of their release stands, and nobody else's. */
SCENE_TEST(a_gate_says_how_it_stands_while_it_checks)
{
	struct effect *effect = probe_of(scene, "/good /restless", "",
	    (struct probe_plan){ .successes = 9, .failures = 9, .interval_s = 0, .timeout_s = 5 });
	struct buf text;
	int passed, tries;

	effect->u.probe.run = 7;
	buf_init(&text, 400);
	perform_effect(&scene->perform, effect);
	perform_gate_text(&scene->perform, 7, &text);
	assert_int_equal(text.size, 0); /* it was not asked yet */
	while (scene->asked < 12)
		loop_run_once(scene->loop);
	perform_gate_text(&scene->perform, 7, &text);
	assert_int_equal(sscanf(buf_text(&text), "%d of %d passed, last: ", &passed, &tries), 2);
	assert_true(tries >= 2 && passed * 2 >= tries - 1 && passed * 2 <= tries + 1);
	assert_true(
	    text_ends(buf_text(&text), "last: ok") || text_ends(buf_text(&text), "last: HTTP 503"));
	buf_clear(&text);
	perform_gate_text(&scene->perform, 8, &text);
	perform_gate_text(&scene->perform, 0, &text);
	assert_int_equal(text.size, 0);
	while (scene->result == NULL && scene->asked < 60)
		loop_run_once(scene->loop);
	buf_done(&text);
}

TEST_WITH(it_is_well_after_passes_in_a_row_within_the_failures_allowed, begin, finish)
{
	const struct probe_finding *found = findings(*state, "/flaky", "",
	    (struct probe_plan){ .successes = 2, .failures = 3, .interval_s = 0, .timeout_s = 5 });

	assert_true(found->is_healthy);
	assert_int_equal(found->failures, 0);
	assert_int_equal(found->passes, 2);
}

/* An application that starts slowly answers 5xx, or nobody listens yet: both are failed tries. */
SCENE_TEST(an_error_and_a_refused_connection_count_alike)
{
	const struct probe_plan plan = { .successes = 1, .failures = 3, .timeout_s = 5 };
	struct effect *effect;

	assert_int_equal(findings(scene, "/bad", "", plan)->failures, 3);
	assert_int_equal(scene->asked, 3);
	event_free(TAKE(scene->result));
	effect = probe_of(scene, "/x", "", plan);
	(void)snprintf(effect->u.probe.targets[0].url, LIMIT_URL, "http://127.0.0.1:1/");
	perform_effect(&scene->perform, effect);
	while (scene->result == NULL)
		loop_run_once(scene->loop);
	assert_int_equal(scene->result->u.probed.findings[0].failures, 3);
}

/* --- the deadline --- */

static struct probe_plan
plan_until(int64_t left_ms, int deadline_s)
{
	return (struct probe_plan){ .successes = 2,
		.failures = 2,
		.interval_s = 0,
		.timeout_s = 1,
		.deadline_s = deadline_s,
		.until = clock_wall_ms() + left_ms };
}

/* Never two failures in a row, nor two passes: without a deadline it would be asked for ever. */
TEST_WITH(answers_that_come_and_go_end_at_the_deadline, begin, finish)
{
	int64_t began = loop_now_ms();
	const struct probe_finding *found = findings(*state, "/restless", "", plan_until(300, 300));

	assert_false(found->is_healthy);
	assert_in_range(loop_now_ms() - began, 250, 60000);
	assert_int_equal(strncmp(found->detail, "answers come and go: ", 21), 0);
	assert_non_null(strstr(found->detail, " tries passed within 300 s; the last: "));
}

TEST_WITH(who_never_answers_until_then_is_said_as_undecided, begin, finish)
{
	struct probe_plan plan = plan_until(100, 60);
	const struct probe_finding *found;

	plan.timeout_s = 60;
	found = findings(*state, "/silent", "", plan);
	assert_false(found->is_healthy);
	assert_string_equal(
	    found->detail, "undecided: 0 of 0 tries passed within 60 s; the last: no answer yet");
}

/* One is decided long since: what is undecided then is what failed. */
TEST_WITH(the_deadline_leaves_alone_what_is_decided, begin, finish)
{
	const struct probe_finding *found =
	    findings(*state, "/good /restless", "", plan_until(300, 300));

	assert_true(found[0].is_healthy);
	assert_string_equal(found[0].detail, "");
	assert_false(found[1].is_healthy);
}

static struct probe_finding
recovered(struct scene *scene, const char *path, struct probe_plan plan)
{
	struct effect *effect = probe_of(scene, path, "", plan);

	event_free(TAKE(scene->result));
	effect->is_recovered = true;
	perform_effect(&scene->perform, effect);
	while (scene->result == NULL)
		loop_run_once(scene->loop);
	return scene->result->u.probed.findings[0];
}

/* 2 s: as long as two passes may take; not the whole 20 s once more. */
TEST_WITH(a_restart_does_not_begin_the_deadline_anew, begin, finish)
{
	int64_t began = loop_now_ms();
	struct probe_finding found = recovered(*state, "/restless", plan_until(-200000, 20));

	assert_false(found.is_healthy);
	assert_in_range(loop_now_ms() - began, 0, 15000);
	assert_int_equal(strncmp(found.detail, "answers come and go", 19), 0);
}

/* Nobody looked while the server was away: a healthy application has to be heard first. */
TEST_WITH(what_ran_out_while_nobody_looked_condemns_nobody, begin, finish)
{
	assert_true(recovered(*state, "/good", plan_until(-200000, 300)).is_healthy);
}

/* Of a version that had no deadline: answers that come and go may not last for ever either. */
SCENE_TEST(a_row_of_an_earlier_version_gets_a_deadline)
{
	struct effect *effect = probe_of(scene, "/silent", "", once);
	int64_t now = clock_wall_ms();

	effect->is_recovered = true;
	perform_effect(&scene->perform, effect);
	assert_int_equal(effect->u.probe.plan.deadline_s, 300);
	assert_in_range(effect->u.probe.plan.until, now + 300000, now + 301000);
	perform_withdraw(&scene->perform, 77);
}

TEST_WITH(the_clock_set_back_makes_no_deadline_longer, begin, finish)
{
	int64_t began = loop_now_ms();
	struct probe_finding found = recovered(*state, "/restless", plan_until(INT32_MAX, 1));

	assert_false(found.is_healthy);
	assert_in_range(loop_now_ms() - began, 0, 60000);
}

/* Failures before a pass are forgotten: two of them in a row are needed. */
TEST_WITH(it_has_failed_after_so_many_failures_in_a_row, begin, finish)
{
	const struct probe_finding *found = findings(*state, "/flaky", "",
	    (struct probe_plan){ .successes = 2, .failures = 2, .interval_s = 0, .timeout_s = 5 });

	assert_false(found->is_healthy);
	assert_int_equal(found->failures, 2);
	assert_string_equal(found->detail, "HTTP 503");
}

TEST_WITH(one_failed_url_ends_the_gate_without_waiting_for_the_others, begin, finish)
{
	int64_t began = loop_now_ms();
	const struct probe_finding *found =
	    findings(*state, "/silent /bad", "", (struct probe_plan){ 1, 1, 0, 60, 0, 0 });

	assert_true(loop_now_ms() - began < 30000);
	assert_false(found[0].is_healthy);
	assert_false(found[1].is_healthy);
	assert_non_null(strstr(found[0].detail, "HTTP 500"));
	assert_int_equal(found[0].failures, 0);
}

SCENE_TEST(status_looks_at_every_url_to_the_end)
{
	struct effect *effect = probe_of(scene, "/bad /good /old", "", once);
	const struct probe_finding *found;

	effect->u.probe.message = 5;
	perform_effect(&scene->perform, effect);
	while (scene->result == NULL)
		loop_run_once(scene->loop);
	found = scene->result->u.probed.findings;
	assert_false(found[0].is_healthy);
	assert_true(found[1].is_healthy);
	assert_true(found[2].is_healthy);
	assert_string_equal(found[2].commit, OLD);
}

/* A thousand that begin in one turn hold the loop for 50 ms. */
SCENE_TEST(many_urls_do_not_begin_in_one_turn)
{
	int64_t began = loop_now_ms();

	for (int i = 0; i < 10; i++)
		perform_effect(&scene->perform,
		    probe_of(scene, "/good /good /good /good /good /good /good /good", "", once));
	assert_true(scene->perform.probe_begin_ms >= began + 4);
}

SCENE_TEST(a_withdrawn_probe_reports_nothing)
{
	perform_effect(&scene->perform, probe_of(scene, "/silent", "", once));
	while (scene->n_held == 0)
		loop_run_once(scene->loop);
	perform_withdraw(&scene->perform, 77);
	perform_withdraw(&scene->perform, 77); /* gone: fine */
	assert_null(scene->perform.jobs);
	assert_null(scene->result);
}

SCENE_TEST(no_urls_are_no_findings)
{
	struct effect *effect = effect_new(EFFECT_PROBE);

	effect->id = 77;
	perform_effect(&scene->perform, effect);
	assert_null(scene->result); /* never inside the call */
	while (scene->result == NULL)
		loop_run_once(scene->loop);
	assert_int_equal(scene->result->u.probed.n, 0);
}
