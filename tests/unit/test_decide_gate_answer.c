/* Goal: every end of a gate that GitHub has asked for is answered there, once and as it was decided.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/work/decide_forge_answer.h"

#include "factor_aid.h"
#include "rule_aid.h"

/* What its page shows while nothing is decided; NULL: nothing. */
static const struct effect_forge_answer *
report(struct scene *s)
{
	struct effect *effect = world_peek(&s->w, EFFECT_FORGE_ANSWER);

	return effect != NULL && effect->u.forge_answer.is_report ? &effect->u.forge_answer : NULL;
}

TEST(its_page_shows_that_it_waits_here)
{
	struct scene s;

	open_scene(&s, "PRODUCTION_APPROVALS=1", NULL);
	waits(&s, asking(&s, "4711", 5));
	assert_non_null(report(&s));
	assert_string_equal(
	    report(&s)->comment, "waits: its message in the chat says for what (#1)");
	assert_string_equal(report(&s)->run, "4711");
	assert_string_equal(report(&s)->target, "production");
	assert_true(report(&s)->not_before > s.w.aid.at);
	answered(&s, NO("HTTP 502")); /* which nobody lacks */
	assert_int_equal(world_count(&s.w, EFFECT_FORGE_ANSWER), 0);
	approve(&s, WORLD_ADMIN);
	assert_true(answer(&s)->is_approved);
	answered(&s, DONE);
	assert_null(answer(&s));
	world_close(&s.w);
}

/* In that moment it is not sent yet: the yes takes its place. */
TEST(what_opens_at_once_is_not_said_to_wait)
{
	struct scene s;

	open_scene(&s, NULL, NULL);
	waits(&s, asking(&s, "4711", 5));
	assert_null(report(&s));
	assert_true(answer(&s)->is_approved);
	world_close(&s.w);
}

/* It could only say yes or no. */
TEST(a_reviewer_says_nothing_before_it_is_decided)
{
	struct scene s;
	struct event *event;

	open_scene(&s, "PRODUCTION_GATE_REVIEWER=true", "GITHUB_API_TOKEN=github_pat_0123456789");
	event = asking(&s, "4711", 5);
	event->u.delivery.kind = DELIVERY_GATE_REVIEW;
	event->u.delivery.by_app = false;
	take(&s, event);
	assert_int_equal(is(&s), DEPLOY_REQUESTED);
	assert_null(report(&s));
	world_close(&s.w);
}

/* Approvals are still to come, and who confirms reads that theirs will be none. */
TEST(a_gate_that_is_confirmed_is_approved_by_somebody_else)
{
	struct scene s;
	struct world_message *asked;

	open_scene(&s, NULL, NULL);
	world_settings(&s.w, "PRODUCTION_APPROVALS=1", "GITHUB_REPOSITORY=octo/shop",
	    "GITHUB_APP_ID=1", key, "GITHUB_APP_WEBHOOK_SECRET=0123456789abcdef0123456789abcdef",
	    NULL);
	waits(&s, asking(&s, "4711", 5));
	assert_int_equal(is(&s), DEPLOY_AWAITING_CONFIRMATION);
	asked = world_says(&s.w,
	    "\nthen it needs 1 approval: who asked for it, or confirms it, "
	    "does not count\n");
	world_answers(
	    &s.w, WORLD_ADMIN, "/status production", "\n❓ asks: gate aaaaaaa, nobody has said yes");
	(void)world_press(&s.w, WORLD_ADMIN, WORLD_TEAM,
	    world_button(asked, "🚦 Confirm gate aaaaaaa production"));
	git(&s);
	assert_int_equal(is(&s), DEPLOY_AWAITING_APPROVAL);
	assert_null(world_says(&s.w, "then it needs"));
	world_answers(
	    &s.w, WORLD_ADMIN, "/approve 1", "approve: you confirmed it, so somebody else must.");
	world_answers(&s.w, WORLD_ADMIN, "/pending", "approved 0 of 1; you confirmed it");
	world_close(&s.w);
}

static void
ends_as(enum deploy_state state, const char *said, void (*end)(struct scene *s))
{
	struct scene s;

	open_scene(&s, "PRODUCTION_APPROVALS=1", NULL);
	waits(&s, asking(&s, "4711", 5));
	end(&s);
	assert_int_equal(is(&s), state);
	assert_false(answer(&s)->is_approved);
	assert_string_equal(answer(&s)->comment, said);
	answered(&s, DONE);
	assert_null(answer(&s));
	world_close(&s.w);
}

static void
cancel(struct scene *s)
{
	(void)world_text(&s->w, WORLD_ADMIN, "/cancel production");
}

static void
reject(struct scene *s)
{
	char text[64];

	(void)snprintf(text, sizeof(text), "/reject %lld too soon", (long long)s->gate);
	(void)world_text(&s->w, WORLD_ADMIN, text);
}

static void
expire(struct scene *s)
{
	s->w.aid.at += 2 * DAY;
	world_due(&s->w, TIMER_APPROVAL);
	if (is(s) == DEPLOY_AWAITING_APPROVAL) {
		s->w.aid.at += 2 * DAY;
		world_due(&s->w, TIMER_APPROVAL);
	}
}

TEST(every_end_before_it_is_open_is_a_no)
{
	ends_as(DEPLOY_CANCELLED, "cancelled: by ada", cancel);
	ends_as(DEPLOY_EXPIRED, "not approved in time", expire);
	ends_as(DEPLOY_REFUSED, "rejected by ada: too soon", reject);
}

TEST(what_cannot_be_asked_is_refused_and_answered_at_once)
{
	struct scene s;

	factor_write_key(FACTOR_KEY);
	open_scene(&s, factor_key_setting, "REQUIRE_OTP=gate:production");
	take(&s, asking(&s, "4711", 5));
	assert_int_equal(is(&s), DEPLOY_REFUSED);
	assert_false(answer(&s)->is_approved);
	assert_non_null(strstr(answer(&s)->comment, "refused: /show "));
	world_close(&s.w);
}

TEST(a_yes_that_has_not_come_there_is_a_no_when_it_is_over)
{
	struct scene s;

	open_scene(&s, NULL, NULL);
	waits(&s, asking(&s, "4711", 5));
	assert_int_equal(is(&s), DEPLOY_RUNNING);
	assert_string_equal(answer(&s)->comment, "nobody has to approve it (#1)");
	answered(&s, NO("HTTP 502"));
	assert_non_null(world_says(&s.w, "GitHub is not answered yet: HTTP 502"));
	assert_true(answer(&s)->is_approved);
	world_text(&s.w, WORLD_ADMIN, "/cancel production");
	assert_null(answer(&s)); /* a yes that came there now would open it */
	s.w.aid.at += 180 * SECOND;
	world_due(&s.w, TIMER_GATE);
	assert_int_equal(is(&s), DEPLOY_FAILED);
	assert_false(answer(&s)->is_approved);
	assert_int_equal(answer(&s)->pause_s, 0);
	world_close(&s.w);
}

TEST(what_github_does_not_take_is_tried_again_less_and_less_often)
{
	struct scene s;
	int64_t pause, last = 0;

	open_scene(&s, NULL, NULL);
	waits(&s, asking(&s, "4711", 5));
	for (int i = 0; i < 12; i++) {
		answered(&s, NO("HTTP 401"));
		pause = (answer(&s)->not_before - s.w.aid.at + SECOND / 2) / SECOND;
		assert_true(pause >= last && pause <= 900);
		last = pause;
	}
	assert_int_equal(last, 900);
	answered(&s,
	    (struct forge_said){
		.verdict = FORGE_SAYS_NOTHING, .why = "HTTP 429", .retry_after_s = 3600 });
	assert_in_range(answer(&s)->not_before - s.w.aid.at, 3599 * SECOND, 3600 * SECOND);
	s.w.aid.at += 31 * DAY;
	answered(&s, NO("HTTP 401"));
	assert_null(answer(&s)); /* GitHub has ended its run */
	world_close(&s.w);
}

TEST(what_is_closed_there_is_not_answered_again)
{
	struct scene s;

	open_scene(&s, NULL, NULL);
	waits(&s, asking(&s, "4711", 5));
	answered(&s, (struct forge_said){ .verdict = FORGE_SAYS_GONE, .why = "HTTP 422" });
	assert_null(answer(&s));
	assert_non_null(world_says(&s.w, "GitHub waits for no answer: HTTP 422"));
	world_text(&s.w, WORLD_ADMIN, "/cancel production");
	assert_null(answer(&s));
	world_close(&s.w);
}
