/* Goal: what was is known before anything is set, and is again what was, whatever Cloudflare answers.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/work/decide_cloudflare.h"
#include "decide_aid.h"
#include "lib/text.h"
#include "store/row_effect.h"
#include "store/row_message.h"

#define ZONE   "0123456789abcdef0123456789abcdef"
#define MINUTE INT64_C(60000)
#define HOUR   (60 * MINUTE)
#define ATTACK "under_attack"

static const struct cloudflare_answer medium = { .verdict = CLOUDFLARE_DONE, .value = "medium" };
static const struct cloudflare_answer attack = { .verdict = CLOUDFLARE_DONE, .value = ATTACK };
static const struct cloudflare_answer low = { .verdict = CLOUDFLARE_DONE, .value = "low" };
static const struct cloudflare_answer high = { .verdict = CLOUDFLARE_DONE, .value = "high" };
static const struct cloudflare_answer forbidden = { .verdict = CLOUDFLARE_REFUSED,
	.detail = "HTTP 403: 10000 Authentication error" };
static const struct cloudflare_answer busy = {
	.verdict = CLOUDFLARE_BUSY, .retry_after_s = 300, .detail = "HTTP 429"
};
static const struct cloudflare_answer timeout = { .verdict = CLOUDFLARE_UNKNOWN,
	.detail = "Cloudflare: timed out" };

struct scene {
	struct world w;
	int64_t work;
};

static void
get_ready(struct scene *scene)
{
	*scene = (struct scene){ 0 };
	world_open(&scene->w, "CLIENTS=acme", "CLIENT_ACME_CLOUDFLARE_ZONE=" ZONE,
	    "CLIENT_ACME_ACTIONS=cf-under-attack,cf-normal",
	    "CLOUDFLARE_API_TOKEN=cf-token-0123456789abcdefghijklmnopqrstuv", NULL);
}

/* Somebody asks for it, and confirms it; nothing is asked of Cloudflare before. */
static void
act(struct scene *scene, const char *text)
{
	const char *button;

	(void)world_text(&scene->w, WORLD_ADMIN, text);
	button = world_button(world_last(&scene->w), "client/acme");
	if (button[0] != '\0')
		(void)world_press(&scene->w, WORLD_ADMIN, WORLD_GROUP, button);
	scene->work = world_newest(&scene->w, "client/acme").id;
}

#define attack_now(scene) act(scene, "/do cf-under-attack acme")
#define normal_now(scene) act(scene, "/do cf-normal acme")

static void
answer(struct scene *scene, const char *asked, const struct cloudflare_answer *with)
{
	world_cloudflare(&scene->w, asked, with);
}

static bool
is_idle(struct scene *scene)
{
	return world_count(&scene->w, EFFECT_CLOUDFLARE_GET) == 0 &&
	    world_count(&scene->w, EFFECT_CLOUDFLARE_SET) == 0;
}

static void
act_row(struct tx *tx, void *arg)
{
	*(struct cloudflare_row *)arg = row_cloudflare_get(tx, ZONE);
}

static struct cloudflare_row
row(struct scene *scene)
{
	struct cloudflare_row row;

	world_act(&scene->w, act_row, &row);
	return row;
}

/* The next thing that its timer does is due in so long, or a little less. */
static void
wait_for(struct scene *scene, int64_t ms)
{
	int64_t at = scene->w.aid.at;

	world_due_of(&scene->w, TIMER_CLOUDFLARE, 0);
	if (scene->w.aid.at - at > ms + 1000 || scene->w.aid.at - at < ms - 61000)
		fail_msg("in %" PRId64 " ms", scene->w.aid.at - at);
}

static void
ends(struct scene *scene, enum deploy_state state, const char *detail)
{
	struct deployment work = world_deployment(&scene->w, scene->work);

	assert_int_equal(work.state, state);
	if (strstr(work.detail, detail) == NULL)
		fail_msg("%s", work.detail);
}

static void
set_under_attack(struct scene *scene)
{
	get_ready(scene);
	attack_now(scene);
	assert_int_equal(world_count(&scene->w, EFFECT_CLOUDFLARE_SET), 0);
	answer(scene, "get", &medium);
	assert_string_equal(row(scene).old, "medium"); /* before it is set */
	answer(scene, ATTACK, &attack);
	ends(scene, DEPLOY_DONE, "under attack until ");
	assert_int_equal(row(scene).phase, CLOUDFLARE_IS_SET);
	assert_true(is_idle(scene));
}

TEST(it_is_restored_when_its_time_has_come)
{
	struct scene s;

	set_under_attack(&s);
	wait_for(&s, HOUR);
	answer(&s, "get", &attack);
	answer(&s, "medium", &medium);
	assert_non_null(world_says(&s.w, "Attack mode off"));
	assert_false(world_says(&s.w, "Attack mode off")->is_alarm);
	assert_string_equal(row(&s).zone, "");
	assert_true(is_idle(&s));
	world_close(&s.w);
}

TEST(what_was_so_already_is_not_ours)
{
	struct scene s;

	get_ready(&s);
	attack_now(&s);
	answer(&s, "get", &attack);
	ends(&s, DEPLOY_DONE, "not set by us");
	assert_string_equal(row(&s).zone, "");
	assert_true(is_idle(&s));
	world_close(&s.w);
}

TEST(another_attack_moves_the_end_and_asks_nothing)
{
	struct scene s;
	int64_t until;

	set_under_attack(&s);
	until = row(&s).until;
	s.w.aid.at += 30 * MINUTE;
	attack_now(&s);
	assert_true(is_idle(&s));
	ends(&s, DEPLOY_DONE, "under attack already");
	assert_true(row(&s).until >= until + 30 * MINUTE);
	assert_true(row(&s).until < until + 31 * MINUTE);
	assert_string_equal(row(&s).old, "medium");
	wait_for(&s, HOUR);
	answer(&s, "get", &attack);
	answer(&s, "medium", &medium);
	world_close(&s.w);
}

TEST(what_somebody_else_has_set_stays)
{
	struct scene s;

	set_under_attack(&s);
	wait_for(&s, HOUR);
	answer(&s, "get", &high);
	assert_true(is_idle(&s));
	assert_non_null(world_says(&s.w, "Level changed"));
	assert_string_equal(row(&s).zone, "");
	world_close(&s.w);
}

TEST(what_is_refused_changes_nothing)
{
	static const struct cloudflare_answer *const with[] = { &forbidden, &busy };
	struct scene s;

	for (size_t i = 0; i < COUNT(with); i++) {
		get_ready(&s);
		attack_now(&s);
		answer(&s, "get", with[i]);
		ends(&s, DEPLOY_FAILED, with[i]->detail);
		assert_string_equal(row(&s).zone, "");
		assert_true(is_idle(&s));
		world_close(&s.w);

		get_ready(&s);
		attack_now(&s);
		answer(&s, "get", &medium);
		answer(&s, ATTACK, with[i]);
		ends(&s, DEPLOY_FAILED, with[i]->detail);
		assert_string_equal(row(&s).zone, "");
		assert_true(is_idle(&s));
		world_close(&s.w);
	}
}

TEST(an_answer_that_did_not_come_is_looked_for)
{
	struct scene s;

	get_ready(&s);
	attack_now(&s);
	answer(&s, "get", &medium);
	answer(&s, ATTACK, &timeout);
	assert_int_equal(world_deployment(&s.w, s.work).state, DEPLOY_RUNNING);
	answer(&s, "get", &timeout);
	wait_for(&s, 2000);
	answer(&s, "get", &attack);
	ends(&s, DEPLOY_DONE, "under attack until ");
	world_close(&s.w);
}

TEST(what_was_not_set_is_looked_at_twice)
{
	struct scene s;

	get_ready(&s);
	attack_now(&s);
	answer(&s, "get", &medium);
	answer(&s, ATTACK, &timeout);
	answer(&s, "get", &medium);
	assert_int_equal(world_deployment(&s.w, s.work).state, DEPLOY_RUNNING);
	wait_for(&s, 20000);
	answer(&s, "get", &medium);
	ends(&s, DEPLOY_FAILED, "timed out");
	assert_string_equal(row(&s).zone, "");
	world_close(&s.w);
}

TEST(what_nobody_knows_is_said_and_ends_all_the_same)
{
	struct scene s;

	get_ready(&s);
	attack_now(&s);
	answer(&s, "get", &medium);
	answer(&s, ATTACK, &timeout);
	for (int i = 0; i < 5; i++) {
		answer(&s, "get", &timeout);
		wait_for(&s, 2000 << i);
	}
	answer(&s, "get", &timeout);
	ends(&s, DEPLOY_FAILED, "unknown whether it was set");
	wait_for(&s, HOUR - MINUTE);
	answer(&s, "get", &attack);
	answer(&s, "medium", &medium);
	assert_string_equal(row(&s).zone, "");
	world_close(&s.w);
}

static size_t
said(struct scene *scene, const char *words)
{
	size_t n = 0;

	for (size_t i = 0; i < scene->w.n_screen; i++)
		n += strstr(scene->w.screen[i].text, words) != NULL;
	return n;
}

TEST(it_is_tried_until_it_is_restored_with_a_message_an_hour)
{
	struct scene s;

	set_under_attack(&s);
	wait_for(&s, HOUR);
	answer(&s, "get", &timeout);
	assert_int_equal(said(&s, "❓ Attack mode on? "), 1);
	assert_true(world_says(&s.w, "❓ Attack mode on? ")->is_alarm);
	for (int i = 0; i < 7; i++) {
		wait_for(&s, MINUTE / 2 << (i < 5 ? i : 5));
		answer(&s, "get", &attack);
		answer(&s, "medium", &timeout); /* that may have been done */
	}
	assert_int_equal(said(&s, "❓ Attack mode on? "), 1);
	wait_for(&s, 16 * MINUTE);
	answer(&s, "get", &busy);
	assert_int_equal(said(&s, "❓ Attack mode on? "), 2);
	wait_for(&s, 5 * MINUTE);
	answer(&s, "get", &medium); /* and was */
	assert_non_null(world_says(&s.w, "Attack mode off"));
	assert_string_equal(row(&s).zone, "");
	world_close(&s.w);
}

/* Refused for a day. */
static void
get_stuck(struct scene *scene)
{
	set_under_attack(scene);
	wait_for(scene, HOUR);
	for (int hour = 0; hour < 24; hour++) {
		answer(scene, "get", &forbidden);
		assert_int_equal(row(scene).phase, CLOUDFLARE_IS_RESTORING);
		wait_for(scene, HOUR);
	}
	answer(scene, "get", &forbidden);
	assert_int_equal(row(scene).phase, CLOUDFLARE_IS_STUCK);
	assert_true(is_idle(scene));
}

TEST(what_is_refused_for_a_day_waits_for_a_person)
{
	struct scene s;

	get_stuck(&s);
	assert_non_null(strstr(world_last(&s.w)->text, "then press a button"));
	assert_string_not_equal(world_button(world_last(&s.w), "Restore again"), "");
	wait_for(&s, 24 * HOUR);
	assert_true(is_idle(&s));
	world_close(&s.w);
}

/* They asked in private, and are no admin any more. */
TEST(what_fails_is_no_news_of_who_may_not_restore_it_any_more)
{
	struct scene s;

	get_ready(&s);
	(void)world_text_in(&s.w, WORLD_OTHER_ADMIN, WORLD_OTHER_ADMIN, "/do cf-under-attack acme");
	(void)world_press(&s.w, WORLD_OTHER_ADMIN, WORLD_OTHER_ADMIN,
	    world_button(world_last(&s.w), "client/acme"));
	s.work = world_newest(&s.w, "client/acme").id;
	answer(&s, "get", &medium);
	answer(&s, ATTACK, &attack);
	world_settings(&s.w, "ADMIN_TELEGRAM_IDS=11", "CLIENTS=acme",
	    "CLIENT_ACME_CLOUDFLARE_ZONE=" ZONE, "CLIENT_ACME_ACTIONS=cf-under-attack,cf-normal",
	    "CLOUDFLARE_API_TOKEN=cf-token-0123456789abcdefghijklmnopqrstuv", NULL);
	wait_for(&s, HOUR);
	answer(&s, "get", &forbidden);
	assert_int_equal(world_last(&s.w)->chat, WORLD_TEAM);
	assert_true(world_last(&s.w)->is_alarm);
	world_close(&s.w);
}

TEST(a_person_has_it_tried_again_or_says_it_is_done)
{
	struct scene s;
	const char *button;

	for (int by_hand = 0; by_hand < 2; by_hand++) {
		get_stuck(&s);
		button = world_button(world_says(&s.w, "then press a button"),
		    by_hand ? "Done by hand" : "Restore again");
		(void)world_press(&s.w, WORLD_STRANGER, WORLD_GROUP, button);
		assert_int_equal(row(&s).phase, CLOUDFLARE_IS_STUCK);
		(void)world_press(&s.w, WORLD_ADMIN, WORLD_GROUP, button);
		if (!by_hand) {
			answer(&s, "get", &attack);
			answer(&s, "medium", &medium);
		}
		assert_string_equal(row(&s).zone, "");
		assert_true(is_idle(&s));
		(void)world_press(&s.w, WORLD_ADMIN, WORLD_GROUP, button);
		assert_non_null(strstr(s.w.toast, "expired or was used"));
		world_close(&s.w);
	}
}

TEST(it_stands_in_the_status)
{
	struct scene s;

	set_under_attack(&s);
	(void)world_text(&s.w, WORLD_ADMIN, "/status");
	assert_non_null(world_says(&s.w, "client/acme: under attack at Cloudflare until "));
	(void)world_text(&s.w, WORLD_STAGING_USER, "/status");
	assert_null(strstr(world_last(&s.w)->text, "acme"));
	world_close(&s.w);
	get_stuck(&s);
	(void)world_text(&s.w, WORLD_ADMIN, "/status");
	assert_non_null(world_says(&s.w, "⚠️ client/acme: Cloudflare not restored since"));
	world_close(&s.w);
}

TEST(normal_restores_what_was)
{
	struct scene s;

	set_under_attack(&s);
	normal_now(&s);
	answer(&s, "get", &attack);
	answer(&s, "medium", &medium);
	ends(&s, DEPLOY_DONE, "medium again");
	assert_string_equal(row(&s).zone, "");
	assert_null(world_says(&s.w, "Attack mode off")); /* its own message says it */
	world_close(&s.w);
}

TEST(normal_that_fails_is_tried_on_without_its_work)
{
	struct scene s;

	set_under_attack(&s);
	normal_now(&s);
	answer(&s, "get", &timeout);
	ends(&s, DEPLOY_FAILED, "timed out");
	wait_for(&s, MINUTE);
	answer(&s, "get", &attack);
	answer(&s, "medium", &medium);
	assert_non_null(world_says(&s.w, "Attack mode off"));
	world_close(&s.w);
}

TEST(normal_of_what_we_did_not_set_asks_for_a_level)
{
	struct world_message *said;
	struct scene s;

	get_ready(&s);
	(void)world_text(&s.w, WORLD_ADMIN, "/do cf-normal acme");
	assert_int_equal(world_newest(&s.w, "client/acme").id, 0);
	said = world_last(&s.w);
	assert_string_equal(world_plain(said),
	    "⛔ Not done: client/acme cf-normal\ndeploybot has set nothing there: name the level, as /do cf-normal acme medium");
	assert_int_equal(said->buttons.n, 4);
	(void)world_press(&s.w, WORLD_ADMIN, WORLD_GROUP, world_button(said, "low"));
	s.work = world_newest(&s.w, "client/acme").id;
	answer(&s, "low", &low);
	ends(&s, DEPLOY_DONE, "set to low");
	world_close(&s.w);
}

/* What was to be restored was never set. */
TEST(normal_of_what_was_not_set_meanwhile_says_so)
{
	struct scene s;

	get_ready(&s);
	attack_now(&s);
	normal_now(&s); /* it waits for the other */
	answer(&s, "get", &attack);
	ends(&s, DEPLOY_FAILED, "name a level");
	world_close(&s.w);
}

/* A copy of days ago sets nothing that was confirmed then. */
TEST(on_a_copy_what_was_not_set_never_is)
{
	struct event *event;
	struct scene s;

	get_ready(&s);
	attack_now(&s);
	event = store_aid_event(&s.w.aid, EVENT_STARTED);
	event->u.started.is_restored = true;
	(void)world_decide(&s.w, event);
	ends(&s, DEPLOY_FAILED, "this database was restored");
	answer(&s, "get", &medium);
	assert_true(is_idle(&s));
	assert_string_equal(row(&s).zone, "");
	world_close(&s.w);
}

static void
begin_as_before(struct tx *tx, void *arg)
{
	int64_t work = *(int64_t *)arg;
	struct cloudflare_row row = row_cloudflare_get(tx, ZONE);

	row_effect_withdraw(tx, row.effect);
	row_cloudflare_remove(tx, ZONE);
	(void)row_effect_timer(tx, TIMER_CLOUDFLARE, "", work, tx->at);
}

/* Builds before 0.2.0 began them so, and their timer may be open at the upgrade. */
TEST(a_timer_of_before_begins_what_it_was_for)
{
	struct scene s;

	get_ready(&s);
	attack_now(&s);
	world_act(&s.w, begin_as_before, &s.work);
	assert_true(is_idle(&s));
	world_due_of(&s.w, TIMER_CLOUDFLARE, s.work);
	answer(&s, "get", &medium);
	answer(&s, ATTACK, &attack);
	ends(&s, DEPLOY_DONE, "under attack until");
	world_close(&s.w);
}

static const char *
acts_of(const struct action *action)
{
	static char line[64];

	(void)snprintf(line, sizeof(line), "CLIENT_ACME_ACTIONS=%s", action->name);
	return line;
}

TEST(each_action_of_cloudflare_is_begun)
{
	char text[64];
	struct scene s;

	for (size_t i = 0; i < ACTION_COUNT; i++) {
		const struct action *action = &action_table[i];

		if (action->executor != ACTION_BY_CLOUDFLARE)
			continue;
		get_ready(&s);
		world_settings(&s.w, "CLIENTS=acme", "CLIENT_ACME_CLOUDFLARE_ZONE=" ZONE,
		    "CLOUDFLARE_API_TOKEN=cf-token-0123456789abcdefghijklmnopqrstuv",
		    acts_of(action), NULL);
		(void)snprintf(text, sizeof(text), "/do %s acme%s", action->name,
		    action->argument == ACTION_TAKES_LEVEL ? " low" : "");
		act(&s, text);
		assert_false(is_idle(&s));
		world_close(&s.w);
	}
}

TEST(nothing_is_begun_while_a_call_is_in_progress)
{
	struct scene s;

	set_under_attack(&s);
	wait_for(&s, HOUR);
	attack_now(&s);
	ends(&s, DEPLOY_FAILED, "ask again in a minute");
	normal_now(&s);
	ends(&s, DEPLOY_FAILED, "ask again in a minute");
	answer(&s, "get", &attack);
	answer(&s, "medium", &medium);
	assert_string_equal(row(&s).zone, "");
	world_close(&s.w);
}
