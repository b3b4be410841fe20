/* Goal: what GitHub could not deliver is asked for until it comes, and nothing is asked for twice.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide_aid.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "store/row_block.h"
#include "store/row_redelivery.h"

#define MINUTE INT64_C(60000)
#define DAY    (24 * 60 * MINUTE)
#define HOOK   77

#define SETTINGS \
	"GITHUB_REPOSITORY=Acme/Shop", "GITHUB_API_TOKEN=ghp_0123456789abcdef0123", \
	    "GITHUB_WEBHOOK_SECRET=0123456789abcdef0123456789abcdef0"

#define REDELIVERY_TEST(name)	      WORLD_TEST_OF(name, SETTINGS)
#define REDELIVERY_TEST_OF(name, ...) WORLD_TEST_OF(name, SETTINGS, __VA_ARGS__)

static const struct effect_github_deliveries *
asked(struct world *w)
{
	const struct effect *effect = world_peek(w, EFFECT_GITHUB_DELIVERIES);

	assert_non_null(effect);
	return &effect->u.github_deliveries;
}

/* GitHub answers; hook 0: that of the question. */
static void
answers(struct world *w, struct github_deliveries_read read, const struct redelivery *list)
{
	read.list = read.n > 0 ? mem_copy(list, read.n * sizeof(*list)) : NULL;
	if (read.hook == 0)
		read.hook = asked(w)->hook;
	world_github_deliveries(w, &read);
}

static void
fails(struct world *w, const char *why, int64_t pause_s)
{
	struct github_deliveries_read read = { .pause_s = pause_s };

	(void)text_copy(read.why, sizeof(read.why), why);
	answers(w, read, NULL);
}

/* An attempt so many minutes ago. */
static struct redelivery
attempt(const struct world *w, const char *guid, int64_t id, int64_t ago)
{
	struct redelivery one = { .id = id, .at = w->aid.at - ago * MINUTE };

	(void)text_copy(one.guid, sizeof(one.guid), guid);
	return one;
}

static struct redelivery
push_of(const struct world *w, const char *guid, int64_t id, int64_t ago)
{
	struct redelivery one = attempt(w, guid, id, ago);

	one.asks_branch = true;
	return one;
}

/* A look begins, and its webhook is known. */
static void
looks(struct world *w)
{
	world_due(w, TIMER_REDELIVERY);
	if (asked(w)->hook == 0)
		answers(w, (struct github_deliveries_read){ .hook = HOOK }, NULL);
	assert_int_equal(asked(w)->delivery, 0);
}

/* ... and is listed whole. */
static void
lists(struct world *w, const struct redelivery *list, size_t n)
{
	looks(w);
	answers(w, (struct github_deliveries_read){ .n = n }, list);
}

static void
says_branch(struct world *w, int64_t delivery, const char *branch)
{
	struct github_deliveries_read read = { .hook = HOOK };

	assert_false(asked(w)->is_again);
	assert_int_equal(asked(w)->delivery, delivery);
	(void)text_copy(read.branch, sizeof(read.branch), branch);
	answers(w, read, NULL);
}

/* That one is asked for again, and GitHub has taken it. */
static void
is_asked_for(struct world *w, int64_t delivery)
{
	assert_true(asked(w)->is_again);
	assert_int_equal(asked(w)->delivery, delivery);
	answers(w, (struct github_deliveries_read){ 0 }, NULL);
}

static void
is_over(struct world *w)
{
	assert_int_equal(world_count(w, EFFECT_GITHUB_DELIVERIES), 0);
}

static int64_t
next_look(const struct world *w)
{
	int64_t due = 0;

	for (size_t i = 0; i < w->n_open; i++)
		if (w->open[i]->kind == EFFECT_TIMER &&
		    w->open[i]->u.timer.kind == TIMER_REDELIVERY)
			due = w->open[i]->due;
	return due;
}

static struct event *
delivery_of(struct world *w, const char *guid, const char *branch)
{
	struct event *event = world_push(w, branch);

	(void)text_copy(event->u.delivery.id, sizeof(event->u.delivery.id), guid);
	return event;
}

static void
comes(struct world *w, const char *guid, const char *branch)
{
	assert_int_equal(world_decide(w, delivery_of(w, guid, branch)).status, 200);
}

static void
count(struct tx *tx, void *arg)
{
	*(struct redelivery_missing *)arg = row_redelivery_missing(tx);
}

static int64_t
missing(struct world *w)
{
	struct redelivery_missing found;

	world_act(w, count, &found);
	return found.n;
}

REDELIVERY_TEST(what_failed_is_asked_for_again_the_oldest_first)
{
	struct redelivery list[] = { attempt(w, "b", 12, 20), attempt(w, "a", 11, 40) };

	looks(w);
	assert_int_equal(asked(w)->hook, HOOK);
	assert_string_equal(asked(w)->application, "");
	answers(w, (struct github_deliveries_read){ .n = 2 }, list);
	is_asked_for(w, 11);
	is_asked_for(w, 12);
	is_over(w);
	assert_int_equal(missing(w), 2);
}

/* Three tries: at once, then 10 and 60 minutes behind each other. */
REDELIVERY_TEST(an_event_is_asked_for_three_times_with_longer_pauses)
{
	struct redelivery one = attempt(w, "a", 11, 40);
	const int64_t pauses[] = { 9, 2, 58, 3, 70 };
	const bool is_due[] = { false, true, false, true, false };

	lists(w, &one, 1);
	is_asked_for(w, 11);
	for (size_t i = 0; i < COUNT(pauses); i++) {
		w->aid.at += pauses[i] * MINUTE;
		lists(w, NULL, 0);
		if (is_due[i])
			is_asked_for(w, 11);
		is_over(w);
	}
	assert_int_equal(missing(w), 1);
}

REDELIVERY_TEST(of_what_failed_just_now_a_minute_is_waited_for)
{
	struct redelivery one = attempt(w, "a", 11, 0);

	lists(w, &one, 1);
	is_over(w);
	w->aid.at += 2 * MINUTE;
	lists(w, &one, 1);
	is_asked_for(w, 11);
}

/* A second attempt has another number, and GitHub makes a third of that. */
REDELIVERY_TEST(the_newest_attempt_is_asked_for_and_counts_for_its_event)
{
	struct redelivery list[] = { attempt(w, "a", 14, 20), attempt(w, "a", 11, 40) };

	lists(w, list, 2);
	is_asked_for(w, 14);
	is_over(w);
	assert_int_equal(missing(w), 1);
}

REDELIVERY_TEST(one_attempt_that_was_delivered_is_enough)
{
	struct redelivery list[] = { attempt(w, "a", 14, 20), attempt(w, "a", 11, 40) };

	list[0].is_ok = true;
	lists(w, list, 2);
	is_over(w);
	assert_int_equal(missing(w), 0);
}

REDELIVERY_TEST(what_is_in_the_inbox_has_come)
{
	struct redelivery list[] = { attempt(w, "a", 11, 40), attempt(w, "b", 12, 30) };

	comes(w, "a", "develop");
	lists(w, list, 2);
	is_asked_for(w, 12);
	is_over(w);
}

REDELIVERY_TEST(a_push_is_asked_for_only_where_it_is_the_newest_of_its_branch)
{
	struct redelivery list[] = { push_of(w, "c", 13, 10), push_of(w, "b", 12, 20),
		push_of(w, "a", 11, 30) };

	lists(w, list, 3);
	says_branch(w, 11, "develop");
	says_branch(w, 12, "develop");
	says_branch(w, 13, "main");
	is_asked_for(w, 12);
	is_asked_for(w, 13);
	is_over(w);
	assert_int_equal(missing(w), 2);
	/* Neither its branch nor itself is asked for by the next look. */
	w->aid.at += 5 * MINUTE;
	lists(w, list, 3);
	is_over(w);
}

REDELIVERY_TEST(a_push_behind_which_a_newer_one_came_is_not_asked_for)
{
	struct redelivery one = push_of(w, "a", 11, 5);

	lists(w, NULL, 0);
	comes(w, "b", "develop");
	lists(w, &one, 1);
	says_branch(w, 11, "develop");
	is_over(w);
}

REDELIVERY_TEST(a_push_whose_branch_github_does_not_say_is_asked_for)
{
	struct redelivery list[] = { push_of(w, "b", 12, 20), push_of(w, "a", 11, 30) };

	lists(w, list, 2);
	says_branch(w, 11, "");
	says_branch(w, 12, "");
	is_asked_for(w, 11);
	is_asked_for(w, 12);
}

REDELIVERY_TEST(what_comes_is_missing_no_longer)
{
	struct redelivery one = push_of(w, "a", 11, 30);

	lists(w, &one, 1);
	says_branch(w, 11, "develop");
	is_asked_for(w, 11);
	assert_int_equal(missing(w), 1);
	comes(w, "a", "develop");
	assert_int_equal(missing(w), 0);
	w->aid.at += 15 * MINUTE;
	one = attempt(w, "a", 12, 9); /* that was in vain, too */
	lists(w, &one, 1);
	is_over(w);
	assert_int_equal(missing(w), 0);
}

/* Of a workflow's runs nothing else stands in the inbox. */
REDELIVERY_TEST(what_is_no_push_is_missing_no_longer_either)
{
	struct redelivery one = attempt(w, "a", 11, 4);
	struct event *event = delivery_of(w, "a", "");

	lists(w, NULL, 0);
	event->u.delivery.kind = DELIVERY_WORKFLOW_RUN;
	event->u.delivery.run = mem_new(1, sizeof(*event->u.delivery.run));
	(void)world_decide(w, event); /* GitHub had no patience, and lists it */
	w->aid.at += 15 * MINUTE;
	lists(w, &one, 1);
	is_over(w);
	assert_int_equal(missing(w), 0);
}

REDELIVERY_TEST(at_most_twenty_are_asked_for_in_a_look)
{
	struct redelivery list[25];

	for (size_t i = 0; i < COUNT(list); i++) {
		char guid[8];

		(void)snprintf(guid, sizeof(guid), "g%zu", i);
		list[i] = attempt(w, guid, 100 - (int64_t)i, (int64_t)i + 30);
	}
	lists(w, list, COUNT(list));
	for (int64_t i = 0; i < 20; i++)
		is_asked_for(w, 76 + i);
	is_over(w);
	w->aid.at += 5 * MINUTE;
	lists(w, NULL, 0);
	for (int64_t i = 20; i < 25; i++)
		is_asked_for(w, 76 + i);
	is_over(w);
}

/* --- the list --- */

REDELIVERY_TEST(a_list_is_read_page_by_page_and_to_its_tenth_at_most)
{
	struct github_deliveries_read page = { .n = 1, .next = "v1_9" };

	looks(w);
	assert_string_equal(asked(w)->cursor, "");
	for (int64_t i = 0; i < 10; i++) {
		struct redelivery one = attempt(w, "a", 100 - i, 30 + i);

		answers(w, page, &one);
		if (i < 9)
			assert_string_equal(asked(w)->cursor, "v1_9");
	}
	is_asked_for(w, 100);
	is_over(w);
}

/* What failed before the look before is known, but for ten minutes. */
REDELIVERY_TEST(a_list_is_read_back_to_what_is_known)
{
	struct github_deliveries_read page = { .n = 1, .next = "v1_9" };
	struct redelivery old = attempt(w, "old", 11, 3 * 24 * 60 - 1);
	struct redelivery older = attempt(w, "older", 10, 3 * 24 * 60 + 1);

	looks(w);
	answers(w, page, &old);
	answers(w, (struct github_deliveries_read){ .n = 1 }, &older);
	is_asked_for(w, 11);
	is_over(w);
	w->aid.at += 5 * MINUTE;
	looks(w);
	old = attempt(w, "behind", 12, 14);
	answers(w, page, &old);
	older = attempt(w, "before", 9, 17);
	answers(w, page, &older);
	is_asked_for(w, 12);
	is_over(w);
}

REDELIVERY_TEST(after_three_days_github_has_it_no_more)
{
	struct redelivery one = attempt(w, "a", 11, 30);

	lists(w, &one, 1);
	is_asked_for(w, 11);
	w->aid.at += 3 * DAY;
	looks(w);
	assert_int_equal(missing(w), 0);
}

REDELIVERY_TEST(of_a_webhook_the_newest_five_hundred_are_kept)
{
	struct redelivery list[100];

	looks(w);
	for (int64_t page = 0; page < 6; page++) {
		for (size_t i = 0; i < COUNT(list); i++) {
			char guid[16];

			(void)snprintf(guid, sizeof(guid), "g%d-%zu", (int)page, i);
			list[i] = attempt(
			    w, guid, 1000 - 100 * page - (int64_t)i, 100 * page + (int64_t)i + 2);
		}
		answers(
		    w, (struct github_deliveries_read){ .n = COUNT(list), .next = "v1_9" }, list);
	}
	assert_int_equal(missing(w), 600);
	fails(w, "HTTP 502", 300);
	looks(w);
	assert_int_equal(missing(w), REDELIVERY_LIST);
}

/* --- the webhook --- */

REDELIVERY_TEST(the_webhook_is_the_one_of_the_last_good_delivery)
{
	struct event *event;

	lists(w, NULL, 0);
	event = delivery_of(w, "a", "develop");
	event->u.delivery.hook_number = 99;
	(void)world_decide(w, event);
	comes(w, "b", "develop"); /* an App's, say */
	world_due(w, TIMER_REDELIVERY);
	assert_int_equal(asked(w)->hook, 99);
}

REDELIVERY_TEST(a_webhook_that_is_gone_is_looked_for_again)
{
	const struct github_deliveries_read gone = { .why = "HTTP 404: Not Found" };

	looks(w);
	world_github_deliveries(w, &gone);
	is_over(w);
	world_due(w, TIMER_REDELIVERY);
	assert_int_equal(asked(w)->hook, 0);
}

WORLD_TEST_OF(without_a_credential_nobody_is_asked, "GITHUB_REPOSITORY=Acme/Shop",
    "GITHUB_WEBHOOK_SECRET=0123456789abcdef0123456789abcdef0")
{
	assert_int_equal(world_count(w, EFFECT_TIMER), 1); /* the daily one */
	comes(w, "a", "develop");
	assert_int_equal(missing(w), 0);
}

WORLD_TEST_OF(without_a_webhook_nobody_is_asked, "GITHUB_REPOSITORY=Acme/Shop",
    "GITHUB_API_TOKEN=ghp_0123456789abcdef0123")
{
	assert_int_equal(world_count(w, EFFECT_TIMER), 1); /* the daily one */
}

REDELIVERY_TEST(applications_of_one_repository_are_one_webhook)
{
	static const char one[] =
	    "ENVIRONMENTS=staging\nREPOSITORY_URL=https://example.org/x.git\n";
	char directory[160];

	world_application(w, "blog", one);
	world_application(w, "shop", one);
	(void)snprintf(directory, sizeof(directory), "APPS_DIRECTORY=%s/apps", w->aid.folder);
	world_application_file(
	    w, "shop", "GITHUB_REPOSITORY=ACME/blog\nENVIRONMENTS=staging\nSTAGING_HOST=shop-s\n");
	world_settings(w, directory, "GITHUB_API_TOKEN=ghp_0123456789abcdef0123",
	    "GITHUB_WEBHOOK_SECRET=0123456789abcdef0123456789abcdef0", "GITHUB_REPOSITORY=", NULL);
	world_restart(w);
	world_due(w, TIMER_REDELIVERY);
	assert_int_equal(world_count(w, EFFECT_GITHUB_DELIVERIES), 1);
	assert_string_equal(asked(w)->application, "blog");
}

REDELIVERY_TEST(ten_webhooks_are_looked_at_and_then_the_next_ones)
{
	static const char one[] =
	    "ENVIRONMENTS=staging\nREPOSITORY_URL=https://example.org/x.git\n";
	char directory[160], name[16];

	for (int i = 1; i <= 12; i++) {
		(void)snprintf(name, sizeof(name), "a%d", i);
		world_application(w, name, one);
	}
	(void)snprintf(directory, sizeof(directory), "APPS_DIRECTORY=%s/apps", w->aid.folder);
	world_settings(w, directory, "GITHUB_API_TOKEN=ghp_0123456789abcdef0123",
	    "GITHUB_WEBHOOK_SECRET=0123456789abcdef0123456789abcdef0", "GITHUB_REPOSITORY=", NULL);
	world_restart(w);
	world_due(w, TIMER_REDELIVERY);
	assert_int_equal(world_count(w, EFFECT_GITHUB_DELIVERIES), 10);
	assert_in_range(next_look(w), w->aid.at, w->aid.at + 1000);
	fails(w, "HTTP 429: Slow", 1800); /* the others have their turn all the same */
	world_due(w, TIMER_REDELIVERY);
	assert_int_equal(world_count(w, EFFECT_GITHUB_DELIVERIES), 11);
	assert_in_range(next_look(w), w->aid.at + 4 * MINUTE, w->aid.at + 5 * MINUTE);
}

/* --- troubles --- */

REDELIVERY_TEST(a_look_that_fails_leaves_all_to_the_next_one)
{
	struct redelivery list[] = { attempt(w, "b", 12, 20), attempt(w, "a", 11, 40) };

	looks(w);
	fails(w, "HTTP 502: Bad Gateway", 300);
	is_over(w);
	w->aid.at += 5 * MINUTE;
	lists(w, list, 2);
	fails(w, "HTTP 403: Forbidden", 300); /* it was not asked for, and is not counted */
	is_over(w);
	w->aid.at += 5 * MINUTE;
	lists(w, NULL, 0);
	is_asked_for(w, 11);
	is_asked_for(w, 12);
}

REDELIVERY_TEST(what_may_have_been_sent_counts_as_a_try_and_the_next_one_has_its_turn)
{
	struct redelivery list[] = { attempt(w, "b", 12, 20), attempt(w, "a", 11, 40) };
	struct github_deliveries_read read = { .is_tried = true, .why = "HTTP 502: Bad Gateway" };

	lists(w, list, 2);
	assert_int_equal(asked(w)->delivery, 11);
	answers(w, read, NULL);
	is_over(w);
	w->aid.at += 5 * MINUTE;
	lists(w, NULL, 0);
	is_asked_for(w, 12);
	is_over(w);
}

REDELIVERY_TEST(what_came_is_missing_no_more_though_its_failure_is_listed_again)
{
	struct redelivery one = attempt(w, "a", 11, 5);
	struct event *event = delivery_of(w, "a", "develop");

	lists(w, &one, 1);
	is_asked_for(w, 11);
	event->u.delivery.kind = DELIVERY_OTHER; /* which no inbox has */
	assert_int_equal(world_decide(w, event).status, 202);
	w->aid.at += 5 * MINUTE;
	lists(w, &one, 1);
	is_over(w);
	assert_int_equal(missing(w), 0);
}

REDELIVERY_TEST(github_says_when_it_may_be_asked_again)
{
	looks(w);
	fails(w, "HTTP 429: Slow", 1800);
	assert_in_range(next_look(w), w->aid.at + 1700 * 1000, w->aid.at + 1900 * 1000);
	world_due(w, TIMER_REDELIVERY);
	fails(w, "HTTP 502: Bad Gateway", 300);
	assert_in_range(next_look(w), w->aid.at, w->aid.at + 5 * MINUTE);
}

REDELIVERY_TEST(a_look_waits_for_the_one_before)
{
	looks(w);
	w->aid.at += 5 * MINUTE;
	world_due(w, TIMER_REDELIVERY);
	assert_int_equal(world_count(w, EFFECT_GITHUB_DELIVERIES), 1);
}

REDELIVERY_TEST(a_start_looks_at_once_whatever_was_waited_for)
{
	looks(w);
	fails(w, "HTTP 429: Slow", 1800);
	assert_true(next_look(w) > w->aid.at + 1700 * 1000);
	world_restart(w);
	assert_in_range(next_look(w), w->aid.at, w->aid.at + 5000);
	looks(w);
	assert_in_range(next_look(w), w->aid.at, w->aid.at + 5 * MINUTE);
}

/* --- what is said --- */

REDELIVERY_TEST(status_says_what_is_missing_and_since_when)
{
	struct redelivery list[] = { attempt(w, "b", 12, 20), attempt(w, "a", 11, 40) };

	world_answers(w, WORLD_ADMIN, "/status", "staging");
	assert_null(world_says(w, "missing"));
	lists(w, list, 2);
	world_answers(w, WORLD_ADMIN, "/status", "2 webhook events missing since ");
	comes(w, "a", "develop");
	world_answers(w, WORLD_ADMIN, "/status", "1 webhook event missing since ");
}

/* --- GitLab: each look begins with its webhook, which may be off --- */

#define LAB_SETTINGS \
	"GITHUB_REPOSITORY=", "REPOSITORY_URL=https://gitlab.example.org/orchard/fruit/shop.git", \
	    "GITLAB_URL=https://gitlab.example.org", \
	    "GITLAB_API_TOKEN=glpat-0123456789abcdef0123", \
	    "FORGE_WEBHOOK_SECRET=0123456789abcdef0123456789abcdef"

#define LAB_TEST(name) WORLD_TEST_OF(name, LAB_SETTINGS)

static void
lab_looks(struct world *w, int64_t off_until)
{
	world_due(w, TIMER_REDELIVERY);
	assert_true(asked(w)->at_gitlab);
	assert_int_equal(asked(w)->hook, 0);
	answers(w, (struct github_deliveries_read){ .hook = HOOK, .off_until = off_until }, NULL);
}

static int
lab_comes(struct world *w, enum delivery_forge forge, const char *key)
{
	struct event *event = delivery_of(w, key, "develop");

	event->u.delivery.forge = forge;
	(void)text_copy(event->u.delivery.repository, sizeof(event->u.delivery.repository),
	    "Orchard/fruit/shop");
	return world_decide(w, event).status;
}

LAB_TEST(what_gitlab_could_not_deliver_is_asked_for_again_five_at_a_look)
{
	struct redelivery list[7];

	for (size_t i = 0; i < COUNT(list); i++) {
		list[i] = attempt(w, "", 20 + (int64_t)i, 30 - (int64_t)i);
		(void)snprintf(list[i].guid, sizeof(list[i].guid), "key-%zu", i);
	}
	/* Of two pushes of one branch the newest: GitLab lists their branches. */
	(void)text_copy(list[0].branch, sizeof(list[0].branch), "develop");
	(void)text_copy(list[1].branch, sizeof(list[1].branch), "develop");
	lab_looks(w, 0);
	answers(w, (struct github_deliveries_read){ .n = COUNT(list) }, list);
	for (int64_t id = 21; id <= 25; id++)
		is_asked_for(w, id);
	is_over(w);
	assert_int_equal(lab_comes(w, DELIVERY_GITLAB, "key-6"), 200);
	world_answers(w, WORLD_ADMIN, "/status", "5 webhook events missing since ");
}

static void
count_off(struct tx *tx, void *arg)
{
	struct redelivery_off list[ROW_REDELIVERY_OFF];

	*(size_t *)arg = row_redelivery_off(tx, list);
}

static size_t
off(struct world *w)
{
	size_t n = SIZE_MAX;

	world_act(w, count_off, &n);
	return n;
}

LAB_TEST(a_webhook_that_is_off_is_said_by_status_and_asked_for_nothing)
{
	lab_looks(w, w->aid.at + 10 * MINUTE);
	is_over(w);
	world_answers(w, WORLD_ADMIN, "/status",
	    "GitLab sends no events of orchard/fruit/shop: its webhook is off until ");
	w->aid.at += 5 * MINUTE;
	lab_looks(w, INT64_MAX);
	is_over(w);
	world_answers(w, WORLD_ADMIN, "/status", "its webhook is off until you Test it there");
	lab_looks(w, 0);
	assert_int_equal(asked(w)->hook, HOOK);
	answers(w, (struct github_deliveries_read){ .hook = HOOK }, NULL);
	assert_int_equal(off(w), 0);
}

LAB_TEST(what_was_off_before_a_start_is_asked_about_anew)
{
	lab_looks(w, INT64_MAX);
	world_restart(w);
	world_answers(w, WORLD_ADMIN, "/status", "staging");
	assert_null(world_says(w, "sends no events"));
	lab_looks(w, INT64_MAX);
	assert_int_equal(off(w), 1);
}

LAB_TEST(of_a_repository_of_that_name_at_github_it_says_nothing)
{
	struct redelivery one = attempt(w, "key", 20, 30);

	lab_looks(w, 0);
	answers(w, (struct github_deliveries_read){ .n = 1 }, &one);
	is_asked_for(w, 20);
	(void)lab_comes(w, DELIVERY_GITHUB, "key"); /* it is nobody's */
	world_answers(w, WORLD_ADMIN, "/status", "1 webhook event missing since ");
}

/* --- a rollback in between --- */

static void
block(struct tx *tx, void *arg)
{
	row_block_add(tx, "staging",
	    &(struct block){ .commit = COMMIT_B, .by = "@ada", .at = *(const int64_t *)arg });
}

/* It was pushed before somebody rolled back, and comes after. */
REDELIVERY_TEST(a_push_that_comes_again_was_pushed_when_it_failed)
{
	struct redelivery one = push_of(w, "a", 11, 30);
	int64_t at = w->aid.at - 10 * MINUTE;

	lists(w, &one, 1);
	says_branch(w, 11, "develop");
	is_asked_for(w, 11);
	world_act(w, block, &at);
	comes(w, "a", "develop");
	assert_string_equal(world_environment(w, "staging").announced.commit, COMMIT_A);
	assert_int_equal(world_environment(w, "staging").announced.block, 0);
	comes(w, "b", "develop"); /* and this one now */
}
