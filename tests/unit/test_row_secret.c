/* Goal: a secret is as old as its value, and whoever still uses the one before is noticed.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/row_secret.h"

#include "lib/text.h"
#include "tests/unit/store_aid.h"
#include "unit.h"

#define DAY  (24 * 3600 * INT64_C(1000))
#define HOUR (3600 * INT64_C(1000))

struct looked {
	struct secrets_seen seen;
	int64_t oldest;
};

static void
pass(UNUSED void *ctx, UNUSED const char *application, UNUSED const char *name)
{
}

static void
act_look(struct tx *tx, void *arg)
{
	struct looked *looked = arg;

	looked->oldest = row_secret_see(tx, &looked->seen, pass, NULL);
}

/* "NAME=mark" each, NULL behind the last; returns since when the oldest is. */
static int64_t
look(struct store_aid *aid, const char *key, const char *const list[])
{
	struct secret_seen secrets[8] = { 0 };
	struct looked looked = { .seen = { .list = secrets } };

	(void)text_copy(looked.seen.key, sizeof(looked.seen.key), key);
	for (size_t i = 0; list[i] != NULL; i++) {
		struct secret_seen *secret = &secrets[looked.seen.count++];
		size_t size = strcspn(list[i], "=");

		(void)snprintf(secret->name, sizeof(secret->name), "%.*s", (int)size, list[i]);
		(void)text_copy(secret->mark, sizeof(secret->mark), list[i] + size + 1);
	}
	aid->at += HOUR;
	store_aid_act(aid, act_look, &looked);
	return looked.oldest;
}

#define LOOK(aid, key, ...) look(aid, key, (const char *const[]){ __VA_ARGS__, NULL })

static struct secret_age
age_of(struct store_aid *aid, const char *name)
{
	struct secret_age found = { .seen_at = 0 }, *ages;
	size_t n = 0;

	ages = row_secret_list(aid->path, &n, &aid->err);
	assert_non_null(ages);
	for (size_t i = 0; i < n; i++)
		if (strcmp(ages[i].name, name) == 0)
			found = ages[i];
	free(ages);
	return found;
}

STORE_TEST(a_value_is_as_old_as_its_first_sight)
{
	int64_t first = LOOK(aid, "k", "A=1", "B=1");

	assert_int_equal(first, aid->at);
	aid->at += 10 * DAY;
	assert_int_equal(LOOK(aid, "k", "A=2", "B=1"), first);
	assert_int_equal(age_of(aid, "A").seen_at, aid->at);
	assert_int_equal(age_of(aid, "B").seen_at, first);
}

STORE_TEST(a_value_that_comes_back_is_as_old_as_it_was)
{
	int64_t first = LOOK(aid, "k", "A=1");

	(void)LOOK(aid, "k", "A=2");
	assert_int_equal(LOOK(aid, "k", "A=1"), first);
}

STORE_TEST(what_is_not_set_any_more_has_no_age)
{
	(void)LOOK(aid, "k", "A=1", "B=1");
	(void)LOOK(aid, "k", "B=1");
	assert_int_equal(age_of(aid, "A").seen_at, 0);
	assert_true(age_of(aid, "B").seen_at > 0);
	assert_int_equal(look(aid, "k", (const char *const[]){ NULL }), 0);
}

/* The marks say nothing then: a secret must not seem younger than it is. */
STORE_TEST(another_key_of_the_marks_makes_nothing_younger)
{
	int64_t first = LOOK(aid, "k", "A=1");

	assert_int_equal(LOOK(aid, "other", "A=ff"), first);
	assert_true(LOOK(aid, "other", "A=ee") > first);
}

STORE_TEST(a_previous_value_is_not_the_oldest)
{
	int64_t oldest;

	(void)LOOK(aid, "k", "A_PREVIOUS=1");
	oldest = LOOK(aid, "k", "A_PREVIOUS=1", "A=2");
	assert_int_equal(oldest, aid->at);
}

static void
act_use(struct tx *tx, void *arg)
{
	row_secret_used(tx, "", arg);
}

/* How often it was counted. */
static size_t
use(struct store_aid *aid, const char *name)
{
	struct queue_link *link;
	size_t n = 0;
	char own[SETTING_NAME_MAX];

	(void)text_copy(own, sizeof(own), name);
	while ((link = queue_list_take(&aid->outcomes)) != NULL)
		outcome_free(QUEUE_ITEM(link, struct outcome, link));
	store_aid_act(aid, act_use, own);
	while ((link = queue_list_take(&aid->outcomes)) != NULL) {
		struct outcome *outcome = QUEUE_ITEM(link, struct outcome, link);

		if (outcome->kind == OUTCOME_METRIC &&
		    outcome->increment.kind == INCREMENT_SECRET_PREVIOUS) {
			assert_string_equal(outcome->increment.label[1], name);
			n++;
		}
		outcome_free(outcome);
	}
	return n;
}

STORE_TEST(each_use_of_the_previous_value_is_counted)
{
	(void)LOOK(aid, "k", "A=2", "A_PREVIOUS=1");
	assert_int_equal(age_of(aid, "A_PREVIOUS").uses, 0);
	for (int i = 1; i <= 3; i++) {
		aid->at += HOUR / 4;
		assert_int_equal(use(aid, "A"), 1);
		assert_int_equal(age_of(aid, "A_PREVIOUS").uses, i);
		assert_int_equal(age_of(aid, "A_PREVIOUS").used_at, aid->at);
	}
	/* The next rotation begins at none. */
	(void)LOOK(aid, "k", "A=3", "A_PREVIOUS=2");
	assert_int_equal(age_of(aid, "A_PREVIOUS").uses, 0);
}

static void
act_clear(struct tx *tx, void *arg)
{
	*(bool *)arg = row_secret_clear(tx, 1);
}

STORE_TEST(values_of_long_ago_are_forgotten)
{
	int64_t first = LOOK(aid, "k", "A=1");
	bool more = false;

	(void)LOOK(aid, "k", "A=2");
	aid->at += 401 * DAY;
	store_aid_act(aid, act_clear, &more);
	assert_true(more);
	store_aid_act(aid, act_clear, &more);
	assert_false(more);
	assert_true(age_of(aid, "A").seen_at > first); /* the one in force stays */
	first = LOOK(aid, "k", "A=1");
	assert_int_equal(first, aid->at);
}
