/* Goal: what was lent is given once, to its own work, and is gone after two minutes.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "clients/loan_shelf.h"

#include <stdio.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/err.h"
#include "lib/mem.h"
#include "lib/redact.h"
#include "lib/redact_lent.h"
#include "tests/unit/until.h"

#define WORK  31
#define TOKEN "hvs.CAESIOfTheLoanNumber0031"

/* Time passes as a test wants it, for libev too. */
static int64_t ahead_s;

int
clock_gettime(clockid_t clock, struct timespec *ret)
{
	int status = (int)syscall(SYS_clock_gettime, clock, ret);

	ret->tv_sec += ahead_s;
	return status;
}

/* How many texts that are TOKEN were wiped. */
static int n_wiped, n_values_wiped;

void __real_crypto_wipe(void *data, size_t size);
void __wrap_crypto_wipe(void *data, size_t size);

void
__wrap_crypto_wipe(void *data, size_t size)
{
	n_wiped += size > strlen(TOKEN) && strncmp(data, TOKEN, sizeof(TOKEN)) == 0;
	n_values_wiped += size > strlen(TOKEN) && memcmp(data, TOKEN "-", strlen(TOKEN) + 1) == 0;
	__real_crypto_wipe(data, size);
}

struct scene {
	struct loop *loop;
	struct redact *redact;
	struct loan_shelf *shelf;
	char token[VAULT_TOKEN_MAX + 1];
};

static int
begin(void **state)
{
	struct scene *s = calloc(1, sizeof(*s));

	ahead_s = 0;
	n_wiped = n_values_wiped = 0;
	s->loop = loop_new(NULL);
	s->redact = redact_new();
	s->shelf = loan_shelf_new(s->loop, s->redact);
	*state = s;
	return 0;
}

static int
finish(void **state)
{
	struct scene *s = *state;

	loan_shelf_free(s->shelf);
	redact_free(s->redact);
	loop_free(s->loop);
	free(s);
	return 0;
}

#define SCENE_TEST(name) TEST_OF(name, struct scene *s, begin, finish)

static void
on_nothing(UNUSED struct loop_timer *timer, UNUSED void *ctx)
{
}

/* Timers that are due by then have fired. */
static void
pass(struct scene *s, int64_t seconds)
{
	struct loop_timer timer;

	ahead_s += seconds;
	loop_timer_init(&timer, on_nothing, NULL);
	for (int i = 0; i < 2; i++) {
		loop_timer_start(s->loop, &timer, 0, 0);
		loop_run_once(s->loop);
	}
	loop_timer_stop(&timer);
}

SCENE_TEST(it_is_given_once_and_to_its_own_work)
{
	assert_false(loan_shelf_take(s->shelf, WORK, s->token));
	assert_string_equal(s->token, "");
	assert_true(loan_shelf_put(s->shelf, WORK, TOKEN));
	assert_false(loan_shelf_take(s->shelf, WORK + 1, s->token));
	assert_false(loan_shelf_take(s->shelf, 0, s->token));
	assert_true(loan_shelf_take(s->shelf, WORK, s->token));
	assert_string_equal(s->token, TOKEN);
	assert_false(loan_shelf_take(s->shelf, WORK, s->token));
}

SCENE_TEST(another_one_of_the_same_work_takes_its_place)
{
	assert_true(loan_shelf_put(s->shelf, WORK, TOKEN));
	pass(s, LOAN_SHELF_MS / 1000 - 1);
	assert_true(loan_shelf_put(s->shelf, WORK, "hvs.x"));
	pass(s, 2); /* its time begins anew */
	assert_true(loan_shelf_take(s->shelf, WORK, s->token));
	assert_string_equal(s->token, "hvs.x");
	assert_false(loan_shelf_take(s->shelf, WORK, s->token));
}

SCENE_TEST(it_is_gone_when_vault_keeps_it_no_longer)
{
	assert_true(loan_shelf_put(s->shelf, WORK, TOKEN));
	pass(s, LOAN_SHELF_MS / 1000 - 1);
	assert_true(loan_shelf_put(s->shelf, WORK + 1, TOKEN));
	pass(s, 2);
	assert_false(loan_shelf_take(s->shelf, WORK, s->token));
	assert_true(loan_shelf_take(s->shelf, WORK + 1, s->token));
}

/* The time of one that was given ends nothing of whoever has its place now. */
SCENE_TEST(the_next_in_its_place_has_all_of_its_time)
{
	assert_true(loan_shelf_put(s->shelf, WORK, TOKEN));
	pass(s, LOAN_SHELF_MS / 1000 - 1);
	assert_true(loan_shelf_take(s->shelf, WORK, s->token));
	assert_true(loan_shelf_put(s->shelf, WORK + 1, TOKEN));
	pass(s, 2);
	assert_true(loan_shelf_take(s->shelf, WORK + 1, s->token));
}

SCENE_TEST(what_is_dropped_nobody_has)
{
	assert_true(loan_shelf_put(s->shelf, WORK, TOKEN));
	assert_true(loan_shelf_put(s->shelf, WORK + 1, TOKEN));
	loan_shelf_drop(s->shelf, WORK);
	loan_shelf_drop(s->shelf, WORK + 2);
	assert_false(loan_shelf_take(s->shelf, WORK, s->token));
	assert_true(loan_shelf_take(s->shelf, WORK + 1, s->token));
}

/* Whether somebody has used it Vault is asked with it. */
SCENE_TEST(one_that_was_given_is_given_to_nobody_else_and_can_be_looked_at)
{
	assert_true(loan_shelf_put(s->shelf, WORK, TOKEN));
	assert_true(loan_shelf_has(s->shelf, WORK));
	assert_true(loan_shelf_take(s->shelf, WORK, s->token));
	assert_false(loan_shelf_has(s->shelf, WORK));
	assert_false(loan_shelf_take(s->shelf, WORK, s->token));
	assert_true(loan_shelf_look(s->shelf, WORK, s->token));
	assert_string_equal(s->token, TOKEN);
	assert_false(loan_shelf_look(s->shelf, WORK + 1, s->token));
	pass(s, LOAN_SHELF_MS / 1000 + 1);
	assert_false(loan_shelf_look(s->shelf, WORK, s->token));
}

SCENE_TEST(there_are_so_many_places)
{
	for (int64_t i = 0; i < LOAN_SHELF_PLACES; i++)
		assert_true(loan_shelf_put(s->shelf, WORK + i, TOKEN));
	assert_false(loan_shelf_put(s->shelf, 7, "hvs.x"));
	assert_false(loan_shelf_take(s->shelf, 7, s->token));
	assert_true(loan_shelf_put(s->shelf, WORK, "hvs.y")); /* in the place that it has */
	loan_shelf_drop(s->shelf, WORK + 1);
	assert_true(loan_shelf_put(s->shelf, 7, "hvs.x"));
	assert_true(loan_shelf_take(s->shelf, 7, s->token));
	assert_string_equal(s->token, "hvs.x");
	assert_true(loan_shelf_take(s->shelf, WORK, s->token));
	assert_string_equal(s->token, "hvs.y");
}

SCENE_TEST(one_that_is_too_long_is_not_kept_and_replaces_nothing)
{
	char text[VAULT_TOKEN_MAX + 2];

	assert_true(loan_shelf_put(s->shelf, WORK, TOKEN));
	memset(text, 'a', sizeof(text));
	text[VAULT_TOKEN_MAX + 1] = '\0';
	assert_false(loan_shelf_put(s->shelf, WORK, text));
	assert_true(loan_shelf_take(s->shelf, WORK, s->token));
	assert_string_equal(s->token, TOKEN);
	text[VAULT_TOKEN_MAX] = '\0';
	assert_true(loan_shelf_put(s->shelf, WORK, text));
	assert_true(loan_shelf_take(s->shelf, WORK, s->token));
	assert_int_equal(strlen(s->token), VAULT_TOKEN_MAX);
}

#define TTL_S 600

static struct err err;

static bool
put_of(struct scene *s, const char *who, int64_t work, const char *value, int64_t ttl_ms)
{
	return loan_shelf_put_value(s->shelf,
	    &(struct loan_value){ .work = work, .who = who, .text = value, .ttl_ms = ttl_ms },
	    &err);
}

/* Four have all the room there is, of two applications. */
static const char *
who_of(int64_t work)
{
	static const char *const all[] = { "workflow:a", "workflow:b", "workflow:shop/c",
		"workflow:shop/d" };

	return all[work % 4];
}

static bool
put_value(struct scene *s, int64_t work, const char *value)
{
	return put_of(s, who_of(work), work, value, TTL_S * 1000);
}

static bool
takes(struct scene *s, int64_t work, const char *value)
{
	char *got = loan_shelf_take_value(s->shelf, work);
	bool is_it = got != NULL && strcmp(got, value) == 0;

	free(got);
	return is_it;
}

SCENE_TEST(a_value_is_given_once_and_is_no_token)
{
	assert_true(put_value(s, WORK, TOKEN));
	assert_true(loan_shelf_has(s->shelf, WORK));
	assert_false(loan_shelf_take(s->shelf, WORK, s->token));
	assert_false(loan_shelf_look(s->shelf, WORK, s->token));
	assert_string_equal(s->token, "");
	assert_true(takes(s, WORK, TOKEN));
	assert_false(loan_shelf_has(s->shelf, WORK));
	assert_null(loan_shelf_take_value(s->shelf, WORK));
	assert_true(loan_shelf_put(s->shelf, WORK, TOKEN));
	assert_null(loan_shelf_take_value(s->shelf, WORK));
	assert_true(loan_shelf_take(s->shelf, WORK, s->token));
}

/* Of letters that do not repeat themselves. */
static void
fill(char *text, size_t size)
{
	uint32_t state = 1;

	for (size_t i = 0; i < size; i++) {
		state = state * 1664525 + 1013904223;
		text[i] = (char)('a' + (state >> 24) % 26);
	}
	text[size] = '\0';
}

SCENE_TEST(values_have_so_much_room_together)
{
	enum { QUARTER = LOAN_SHELF_VALUES / SHARE_OF_ONE };
	CLEANUP(freep) char *text = mem_alloc(QUARTER + 2);

	fill(text, QUARTER + 1);
	assert_false(put_value(s, 1, text));
	text[QUARTER] = '\0';
	assert_true(put_value(s, 1, text) && put_value(s, 2, text) && put_value(s, 3, text));
	assert_true(put_value(s, 4, text + 6) && put_value(s, 8, "abcdef"));
	assert_false(put_of(s, "workflow:other/e", 6, "bcdefg", 60000));
	assert_int_equal(err.code, ERR_BUSY);
	assert_string_equal(err.text, "too much waits to be fetched");
	assert_true(put_value(s, 1, text));		 /* in the place that it has */
	assert_true(loan_shelf_put(s->shelf, 6, TOKEN)); /* no value */
	assert_true(takes(s, 8, "abcdef"));
	assert_false(put_of(s, "workflow:other/e", 7, "bcdefg", 60000));
	assert_string_equal(err.text, "too much that was lent is kept out of logs");
}

SCENE_TEST(values_of_a_workflow_have_a_quarter_of_that_and_of_an_application_a_half)
{
	enum { QUARTER = LOAN_SHELF_VALUES / SHARE_OF_ONE };
	CLEANUP(freep) char *text = mem_alloc(QUARTER + 1);

	fill(text, QUARTER);
	assert_true(put_of(s, "workflow:a", 1, text + 6, 60000));
	assert_false(loan_shelf_is_full(s->shelf, "workflow:a"));
	assert_true(put_of(s, "workflow:a", 2, text + QUARTER - 6, 60000)); /* it is known, too */
	assert_true(loan_shelf_is_full(s->shelf, "workflow:a"));
	assert_false(put_of(s, "workflow:a", 3, text + QUARTER - 6, 60000));
	assert_int_equal(err.code, ERR_BUSY);
	assert_string_equal(err.text, "too much of the same one waits to be fetched");
	assert_false(loan_shelf_is_full(s->shelf, "workflow:b"));
	assert_true(put_of(s, "workflow:b", 3, text, 60000));
	assert_true(loan_shelf_is_full(s->shelf, "workflow:c")); /* these are a half */
	assert_false(put_of(s, "workflow:c", 4, "abcdef", 60000));
	assert_int_equal(err.code, ERR_BUSY);
	assert_string_equal(err.text, "too much of the same application waits to be fetched");
	assert_false(loan_shelf_is_full(s->shelf, "workflow:shop/a"));
	assert_true(put_of(s, "workflow:shop/a", 4, "abcdef", 60000));
	assert_true(takes(s, 1, text + 6));
	assert_true(put_of(s, "workflow:a", 1, text + 6, 60000));
}

/* What was fetched or revoked long ago is kept out of logs all the same. */
SCENE_TEST(one_workflow_has_a_quarter_of_what_redaction_may_know)
{
	char value[32];

	for (int i = 0; i < REDACT_LENT_MAX / SHARE_OF_ONE; i++) {
		assert_false(loan_shelf_is_full(s->shelf, "workflow:a"));
		(void)snprintf(value, sizeof(value), "value-%d", 100 + i);
		assert_true(put_of(s, "workflow:a", WORK, value, 600000));
		assert_true(takes(s, WORK, value));
	}
	assert_true(loan_shelf_is_full(s->shelf, "workflow:a"));
	assert_false(put_of(s, "workflow:a", WORK, "one-more", 600000));
	assert_false(loan_shelf_is_full(s->shelf, "workflow:b"));
	assert_true(put_of(s, "workflow:b", WORK, "one-more", 600000));
	pass(s, 601);
	assert_false(loan_shelf_is_full(s->shelf, "workflow:a"));
}

/* Nothing of it was given; one that finds no room leaves what is there. */
SCENE_TEST(one_that_finds_no_room_replaces_nothing)
{
	enum { QUARTER = LOAN_SHELF_VALUES / SHARE_OF_ONE };
	CLEANUP(freep) char *text = mem_alloc(QUARTER + 2);

	fill(text, QUARTER + 1);
	assert_true(put_value(s, WORK, "of-before"));
	assert_false(put_value(s, WORK, text));
	assert_int_equal(err.code, ERR_BUSY);
	assert_true(takes(s, WORK, "of-before"));
}

SCENE_TEST(where_nothing_is_redacted_no_values_are_kept)
{
	struct loan_shelf *shelf = loan_shelf_new(s->loop, NULL);

	assert_true(loan_shelf_is_full(shelf, "workflow:a"));
	assert_false(loan_shelf_put_value(shelf,
	    &(struct loan_value){
		.work = WORK, .who = "workflow:a", .text = "a-value", .ttl_ms = 60000 },
	    &err));
	assert_int_equal(err.code, ERR_INVALID);
	assert_string_equal(err.text, "no values are kept");
	assert_false(loan_shelf_has(shelf, WORK));
	assert_true(loan_shelf_put(shelf, WORK, TOKEN));
	loan_shelf_free(shelf);
}

/* Whoever is lent the same value for longer, again and again, takes up their own share by it. */
SCENE_TEST(what_another_renews_takes_up_none_of_ones_share)
{
	char value[32];

	for (int round = 0; round < 3; round++, pass(s, TTL_S - 60))
		for (int i = 0; i < REDACT_LENT_MAX / SHARE_OF_ONE; i++) {
			(void)snprintf(value, sizeof(value), "value-%d", 100 + i);
			if (round == 0) {
				assert_true(put_of(s, "workflow:a", 1, value, TTL_S * 1000));
				assert_true(takes(s, 1, value));
			}
			assert_true(put_of(s, "workflow:shop/b", 2, value, TTL_S * 1000));
			assert_true(takes(s, 2, value));
		}
	assert_false(loan_shelf_is_full(s->shelf, "workflow:a"));
	assert_true(put_of(s, "workflow:a", 1, "of-its-own", TTL_S * 1000));
	assert_true(loan_shelf_is_full(s->shelf, "workflow:shop/b"));
	assert_false(put_of(s, "workflow:shop/b", 2, "one-more", TTL_S * 1000));
}

/* What redaction makes of it. */
static void
check_shown(struct scene *s, const char *text, const char *want)
{
	CLEANUP(buf_done) struct buf out = buf_make(4096);

	redact_text(s->redact, text, strlen(text), &out);
	assert_string_equal(buf_text(&out), want);
}

SCENE_TEST(a_value_is_redacted_until_its_time_is_over_whatever_becomes_of_it)
{
	assert_true(put_value(s, 1, "was-given") && put_value(s, 2, "was-dropped"));
	assert_true(put_value(s, 3, "was-left"));
	assert_true(takes(s, 1, "was-given"));
	loan_shelf_drop(s->shelf, 2);
	check_shown(s, "was-given was-dropped was-left", "*** *** ***");
	pass(s, 60);
	assert_true(put_value(s, 4, "came-later"));
	pass(s, TTL_S - 62);
	check_shown(s, "was-given was-dropped was-left came-later", "*** *** *** ***");
	pass(s, 3);
	check_shown(
	    s, "was-given was-dropped was-left came-later", "was-given was-dropped was-left ***");
	pass(s, 60);
	check_shown(s, "came-later", "came-later");
	assert_true(put_value(s, 5, "was-given"));
	check_shown(s, "was-given", "***");
	pass(s, TTL_S + 1);
	check_shown(s, "was-given", "was-given");
}

SCENE_TEST(a_value_that_lives_for_a_minute_is_redacted_while_it_is_kept)
{
	assert_true(put_of(s, "workflow:a", WORK, "for-a-minute", 60000));
	pass(s, LOAN_SHELF_MS / 1000 - 1);
	check_shown(s, "for-a-minute", "***");
	assert_true(takes(s, WORK, "for-a-minute"));
	pass(s, 2);
	check_shown(s, "for-a-minute", "for-a-minute");
}

/* All fields of a path are given as JSON. */
SCENE_TEST(each_text_of_a_value_that_is_json_is_redacted)
{
	static const char value[] = "{\"login\":\"root-user\",\"short\":\"abc\",\"port\":5432123,"
				    "\"more\":[\"of-a-list\",{\"x\":\"within\\n\\\"it\\\"\"}],"
				    "\"key\":\"{\\\"inner\\\":\\\"of-json-in-it\\\"}\"}";

	assert_true(put_value(s, WORK, value));
	check_shown(s, value, "***");
	check_shown(s,
	    "login root-user abc 5432123 of-a-list within\n\"it\" within inner of-json-in-it",
	    "login *** abc 5432123 *** *** *** inner ***");
	assert_true(takes(s, WORK, value));
	pass(s, TTL_S + 1);
	check_shown(s, "root-user", "root-user");
	assert_true(put_value(s, WORK, "{is no JSON}") && takes(s, WORK, "{is no JSON}"));
}

SCENE_TEST(a_value_that_redaction_cannot_know_is_not_kept)
{
	CLEANUP(freep) char *lines = mem_alloc(64 << 10);
	char value[32];

	assert_true(put_value(s, WORK, "of-before"));
	for (int i = 0; i < 64 << 10; i++)
		lines[i] = (char)(i % 7 == 6 ? '\n' : 'a' + i / 7 % 26);
	lines[(64 << 10) - 1] = '\0';
	assert_false(put_value(s, WORK, lines));
	assert_int_equal(err.code, ERR_LIMIT);
	assert_false(loan_shelf_has(s->shelf, WORK));
	assert_false(put_value(s, WORK, "12345"));
	assert_int_equal(err.code, ERR_INVALID);
	assert_false(loan_shelf_has(s->shelf, WORK));
	pass(s, TTL_S + 1); /* of-before is forgotten */
	for (int i = 0; i < REDACT_LENT_MAX; i++) {
		(void)snprintf(value, sizeof(value), "value-%d", 100 + i);
		assert_true(put_value(s, i, value) && takes(s, i, value));
	}
	assert_false(put_of(s, "workflow:other/e", WORK, "one-more", 60000));
	assert_int_equal(err.code, ERR_BUSY);
	assert_false(loan_shelf_has(s->shelf, WORK));
	assert_true(put_value(s, WORK, "value-163")); /* it is known */
}

SCENE_TEST(each_way_out_wipes_a_value)
{
	assert_true(put_value(s, 4, "[\"" TOKEN "-as-a-field\"]"));
	assert_int_equal(n_values_wiped, 2); /* what redaction was shown, and what JSON is */
	n_values_wiped = 0;
	assert_true(put_value(s, 1, TOKEN "-as-a-value"));
	assert_true(put_value(s, 2, TOKEN "-as-a-value"));
	assert_true(put_value(s, 3, TOKEN "-as-a-value"));
	loan_shelf_drop(s->shelf, 1);
	assert_int_equal(n_values_wiped, 1);
	assert_true(put_value(s, 2, "another"));
	assert_int_equal(n_values_wiped, 2);
	pass(s, LOAN_SHELF_MS / 1000 + 1);
	assert_int_equal(n_values_wiped, 3);
	assert_null(loan_shelf_take_value(s->shelf, 3));
}

/* Dropped, replaced, over, and left when the program ends; one that was given is kept to be looked
 * at. */
SCENE_TEST(each_way_out_wipes_it)
{
	assert_true(loan_shelf_put(s->shelf, 1, TOKEN));
	assert_true(loan_shelf_take(s->shelf, 1, s->token));
	assert_int_equal(n_wiped, 0);
	loan_shelf_drop(s->shelf, 1);
	assert_int_equal(n_wiped, 1);
	assert_true(loan_shelf_put(s->shelf, 2, TOKEN));
	loan_shelf_drop(s->shelf, 2);
	assert_int_equal(n_wiped, 2);
	assert_true(loan_shelf_put(s->shelf, 3, TOKEN));
	assert_true(loan_shelf_put(s->shelf, 3, TOKEN));
	assert_int_equal(n_wiped, 3);
	pass(s, LOAN_SHELF_MS / 1000 + 1);
	assert_int_equal(n_wiped, 4);
	assert_true(loan_shelf_put(s->shelf, 4, TOKEN));
	assert_true(loan_shelf_put(s->shelf, 5, TOKEN));
	loan_shelf_free(TAKE(s->shelf));
	assert_int_equal(n_wiped, 6);
}
