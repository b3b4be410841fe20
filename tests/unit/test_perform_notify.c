/* Goal: a notification is tried for a day, later and later or when it is told, and ends as one result.  Side: start. */
/* SPDX-License-Identifier: ISC */
/* Clock, timers and the call itself are this file's. */
#include "clients/notify_client.h"
#include "effects/perform_inside.h"
#include "lib/clock.h"
#include "lib/text.h"
#include "settings/sources/settings_load.h"
#include "unit.h"

#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)
#define NOW    INT64_C(1767225600000)
#define KEY    "0123456789abcdef0123456789abcdef"

/* One that a test has set has no other place. */
static struct scene {
	struct perform perform;
	struct settings *settings;
	int64_t now;
	struct loop_timer *timer; /* started; NULL: none */
	int64_t after;
	int64_t longest, first; /* pauses */
	notify_done_fn *on_done;
	void *ctx;
	int calls, cancelled;
	bool does_not_start;
	char url[96];
	struct event *result;
} scene;

int64_t __wrap_clock_wall_ms(void);
void __wrap_loop_timer_start(
    struct loop *loop, struct loop_timer *timer, int64_t after_ms, int64_t every_ms);
void __wrap_loop_timer_stop(struct loop_timer *timer);
struct notify_call *__wrap_notify_start(
    struct notify_clients *clients, const struct notify_request *request, struct err *err);
void __wrap_notify_cancel(struct notify_call *call);

int64_t
__wrap_clock_wall_ms(void)
{
	return scene.now;
}

void
__wrap_loop_timer_start(
    UNUSED struct loop *loop, struct loop_timer *timer, int64_t after_ms, UNUSED int64_t every_ms)
{
	scene.timer = timer;
	scene.after = after_ms;
	scene.first = scene.first == 0 ? after_ms : scene.first;
	scene.longest = after_ms > scene.longest ? after_ms : scene.longest;
}

void
__wrap_loop_timer_stop(UNUSED struct loop_timer *timer)
{
	scene.timer = NULL;
}

struct notify_call *
__wrap_notify_start(
    UNUSED struct notify_clients *clients, const struct notify_request *request, struct err *err)
{
	assert_null(scene.on_done); /* one at a time */
	assert_string_equal(request->key, KEY);
	assert_string_equal(request->text, "Live: staging");
	scene.calls++;
	if (scene.does_not_start)
		return ERR_NULL(err_set(err, ERR_CONFIG, "its _URL is not set"));
	text_set(scene.url, request->to->url);
	scene.on_done = request->on_done;
	scene.ctx = request->ctx;
	return (struct notify_call *)&scene; /* nobody looks into it */
}

void
__wrap_notify_cancel(struct notify_call *call)
{
	scene.cancelled += call != NULL ? 1 : 0;
}

static void
take(UNUSED void *ctx, struct event *event)
{
	assert_null(scene.result);
	scene.result = event;
}

static void
use(const char *url)
{
	char *lines[] = { "TELEGRAM_BOT_TOKEN=123456:abcdefghijklmnopqrstuvwxyzABCDEF",
		"ADMIN_TELEGRAM_IDS=4711", "GITHUB_REPOSITORY=acme/app", (char *)url,
		"NOTIFY_OPS_TO=slack", "NOTIFY_OPS_WHAT=staging: live", NULL };
	static struct settings_report report;

	settings_unref(scene.settings);
	scene.settings = NULL;
	if (!settings_load(NULL, lines, &scene.settings, &report))
		fail_msg("%s", report.lines[0].text);
}

static int
begin(void **state)
{
	scene = (struct scene){ .now = NOW };
	use("NOTIFY_OPS_URL=https://hooks.slack.test/one");
	scene.perform = (struct perform){ .settings = &scene.settings, .submit = take };
	*state = &scene;
	return 0;
}

static int
finish(UNUSED void **state)
{
	perform_done(&scene.perform);
	assert_null(scene.perform.jobs);
	event_free(scene.result);
	settings_unref(scene.settings);
	return 0;
}

#define SCENE_TEST(name) TEST_OF(name, UNUSED struct scene *s, begin, finish)

static void
perform(int64_t at, bool is_recovered)
{
	struct effect *effect = effect_new(EFFECT_NOTIFY);

	effect->id = 7;
	effect->is_recovered = is_recovered;
	effect->settings = settings_ref(scene.settings);
	text_set(effect->u.notify.name, "ops");
	text_set(effect->u.notify.word, "live");
	text_set(effect->u.notify.key, KEY);
	text_set(effect->u.notify.text, "Live: staging");
	effect->u.notify.at = at;
	perform_effect(&scene.perform, effect);
}

static void
says(enum notify_verdict verdict, int64_t after_ms)
{
	notify_done_fn *on_done = TAKE(scene.on_done);
	struct notify_said said = { .verdict = verdict, .after_ms = after_ms, .why = "500" };

	assert_non_null(on_done);
	on_done(scene.ctx, &said);
}

static void
waits(void)
{
	struct loop_timer *timer = TAKE(scene.timer);

	assert_non_null(timer);
	scene.now += scene.after;
	timer->on_expire(timer, timer->ctx);
}

SCENE_TEST(each_verdict_but_later_is_the_result)
{
	static const enum notify_verdict verdicts[] = { NOTIFY_SENT, NOTIFY_NOT_IT, NOTIFY_OFF };

	for (size_t i = 0; i < COUNT(verdicts); i++) {
		perform(NOW, false);
		says(verdicts[i], 0);
		assert_non_null(scene.result);
		assert_int_equal(scene.result->kind, EVENT_NOTIFIED);
		assert_int_equal(scene.result->effect, 7);
		assert_int_equal(scene.result->u.notified.verdict, verdicts[i]);
		assert_null(scene.perform.jobs);
		event_free(TAKE(scene.result));
	}
	assert_int_equal(scene.calls, 3);
}

SCENE_TEST(a_500_for_a_day_is_tried_every_half_an_hour_and_then_no_more)
{
	perform(NOW, false);
	while (scene.result == NULL) {
		says(NOTIFY_LATER, 0);
		waits();
	}
	assert_int_equal(scene.result->u.notified.verdict, NOTIFY_TOO_OLD);
	assert_in_range(scene.first, 750, 1250);
	assert_in_range(scene.longest, 25 * MINUTE, 38 * MINUTE);
	assert_in_range(scene.now - NOW, 24 * HOUR + 1, 24 * HOUR + 38 * MINUTE);
	assert_in_range(scene.calls, 45, 75);
}

SCENE_TEST(what_it_says_of_when_is_obeyed_up_to_an_hour)
{
	static const int64_t after[] = { 1500, 5 * SECOND, 90 * SECOND, HOUR };

	perform(NOW, false);
	says(NOTIFY_LATER, 0);
	assert_in_range(scene.after, 750, 1250);
	for (size_t i = 0; i < COUNT(after); i++) {
		waits();
		says(NOTIFY_LATER, after[i]);
		assert_true(scene.after >= after[i]);
		assert_true(scene.after <= after[i] || scene.after < 25 * SECOND);
	}
	assert_int_equal(scene.after, HOUR);
}

SCENE_TEST(one_that_is_found_at_the_start_has_what_is_left_of_its_day)
{
	perform(NOW - 24 * HOUR, true);
	says(NOTIFY_LATER, 0);
	waits();
	assert_int_equal(scene.result->u.notified.verdict, NOTIFY_TOO_OLD);
	assert_int_equal(scene.calls, 1);
}

SCENE_TEST(what_could_not_begin_is_tried_later)
{
	scene.does_not_start = true;
	perform(NOW, false);
	scene.does_not_start = false;
	waits();
	says(NOTIFY_SENT, 0);
	assert_int_equal(scene.result->u.notified.verdict, NOTIFY_SENT);
}

SCENE_TEST(each_try_goes_where_the_settings_of_its_moment_say)
{
	perform(NOW, false);
	assert_string_equal(scene.url, "https://hooks.slack.test/one");
	use("NOTIFY_OPS_URL=https://hooks.slack.test/two");
	says(NOTIFY_LATER, 0);
	waits();
	assert_string_equal(scene.url, "https://hooks.slack.test/two");
	says(NOTIFY_LATER, 0);
	use(NULL);
	waits();
	assert_int_equal(scene.result->u.notified.verdict, NOTIFY_NO_NAME);
	assert_int_equal(scene.calls, 2);
}

SCENE_TEST(the_end_of_the_program_cuts_it_and_reports_nothing)
{
	perform(NOW, false);
	perform_done(&scene.perform);
	assert_int_equal(scene.cancelled, 1);
	scene.on_done = NULL;
	perform(NOW, false);
	says(NOTIFY_LATER, 0);
	perform_done(&scene.perform);
	assert_int_equal(scene.cancelled, 1);
	assert_null(scene.timer);
	assert_null(scene.result);
}
