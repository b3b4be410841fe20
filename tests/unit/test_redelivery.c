/* Goal: of what GitHub lists as failed the right one is asked for again, at its time.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "types/redelivery.h"

#include <stdio.h>

#include "lib/json.h"
#include "lib/text.h"
#include "unit.h"

#define MINUTE INT64_C(60000)
#define NOW    INT64_C(1767225600000)

#define ITEM(guid, id, at, status, event) \
	"{\"id\":" id ",\"guid\":\"" guid "\",\"delivered_at\":" at ",\"status_code\":" status \
	",\"event\":" event "}"

TEST(an_attempt_is_read_as_github_lists_it)
{
	static const char all[] =
	    ITEM("0b98-9", "12", "\"2026-01-01T00:00:00Z\"", "502", "\"push\"");
	struct json *item = json_decode(all, strlen(all), NULL);
	struct redelivery one;

	assert_true(redelivery_read(item, &one));
	json_free(item);
	assert_string_equal(one.guid, "0b98-9");
	assert_int_equal(one.id, 12);
	assert_int_equal(one.at, NOW);
	assert_false(one.is_ok);
	assert_true(one.asks_branch);
	assert_string_equal(one.branch, "");
	assert_int_equal(one.tries, 0);
}

#define LAB(key, at, body) \
	"{\"id\":7,\"request_headers\":{\"Idempotency-Key\":" key "},\"created_at\":" at \
	",\"request_data\":" body "}"
#define LAB_AT "\"2026-01-01T02:00:00.000+02:00\""

TEST(an_attempt_is_read_as_gitlab_lists_it)
{
	static const struct {
		const char *item, *branch; /* NULL: it is none */
	} rows[] = {
		{ LAB("\"3a42\"", LAB_AT,
		      "{\"object_kind\":\"push\",\"ref\":\"refs/heads/develop\"}"),
		    "develop" },
		{ LAB("\"3a42\"", LAB_AT, "{\"object_kind\":\"push\",\"ref\":\"refs/tags/v1\"}"),
		    "" },
		{ LAB("\"3a42\"", LAB_AT,
		      "{\"object_kind\":\"push\",\"ref\":\"refs/heads/a\\tb\"}"),
		    "" },
		{ LAB("\"3a42\"", LAB_AT,
		      "{\"object_kind\":\"pipeline\",\"ref\":\"refs/heads/x\"}"),
		    "" },
		{ LAB("\"3a42\"", LAB_AT, "{\"object_kind\":\"note\"}"), NULL },
		{ LAB("\"3a42\"", LAB_AT, "{}"), NULL },
		{ LAB("\"3a42\"", "null", "{\"object_kind\":\"push\"}"), NULL },
		{ LAB("null", LAB_AT, "{\"object_kind\":\"push\"}"), NULL },
		{ "[]", NULL },
	};
	struct redelivery one;

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct json *item = json_decode(rows[i].item, strlen(rows[i].item), NULL);

		assert_int_equal(redelivery_read_gitlab(item, &one), rows[i].branch != NULL);
		json_free(item);
		if (rows[i].branch == NULL)
			continue;
		assert_string_equal(one.guid, "3a42");
		assert_int_equal(one.id, 7);
		assert_int_equal(one.at, NOW);
		assert_false(one.is_ok || one.asks_branch);
		assert_string_equal(one.branch, rows[i].branch);
	}
}

TEST(what_is_no_attempt_is_none)
{
	static const struct {
		const char *item;
		enum { NONE, ONE, IS_OK, IS_PUSH } is;
	} rows[] = {
		{ ITEM("a", "1", "\"2026-01-01T00:00:00.123Z\"", "0", "\"workflow_run\""), ONE },
		{ ITEM("a", "1", "\"2026-01-01T00:00:00Z\"", "200", "\"push\""), IS_OK },
		{ ITEM("a", "1", "\"2026-01-01T00:00:00Z\"", "302", "\"ping\""), ONE },
		{ ITEM("a", "1", "\"2026-01-01T00:00:00Z\"", "\"x\"", "null"), ONE },
		{ ITEM("a", "1", "\"2026-01-01T00:00:00Z\"", "500", "\"push\""), IS_PUSH },
		{ ITEM("", "1", "\"2026-01-01T00:00:00Z\"", "0", "\"push\""), NONE },
		{ ITEM("a", "0", "\"2026-01-01T00:00:00Z\"", "0", "\"push\""), NONE },
		{ ITEM("a", "\"1\"", "\"2026-01-01T00:00:00Z\"", "0", "\"push\""), NONE },
		{ ITEM("a", "1", "\"1969-01-01T00:00:00Z\"", "0", "\"push\""), NONE },
		{ ITEM("a", "1", "\"Thursday\"", "0", "\"push\""), NONE },
		{ ITEM("a", "1", "7", "0", "\"push\""), NONE },
		{ "[]", NONE },
		{ "{}", NONE },
	};
	char longest[LIMIT_DELIVERY + 128], guid[LIMIT_DELIVERY + 1] = "";

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct json *item = json_decode(rows[i].item, strlen(rows[i].item), NULL);
		struct redelivery one;

		if (redelivery_read(item, &one) != (rows[i].is != NONE) ||
		    (rows[i].is != NONE &&
			(one.is_ok != (rows[i].is == IS_OK) ||
			    one.asks_branch != (rows[i].is >= IS_OK) ||
			    one.at / 1000 * 1000 != NOW)))
			fail_msg("%s", rows[i].item);
		json_free(item);
	}
	memset(guid, 'a', LIMIT_DELIVERY);
	for (int more = 0; more < 2; more++) {
		struct json *item;

		guid[LIMIT_DELIVERY - 1 + more] = '\0';
		(void)snprintf(longest, sizeof(longest),
		    "{\"id\":1,\"guid\":\"%s\",\"delivered_at\":\"2026-01-01T00:00:00Z\"}", guid);
		item = json_decode(longest, strlen(longest), NULL);
		assert_int_equal(redelivery_read(item, &(struct redelivery){ 0 }), more == 0);
		json_free(item);
		guid[LIMIT_DELIVERY - 1] = 'a';
	}
}

TEST(tries_are_one_ten_and_sixty_minutes_apart)
{
	assert_int_equal(redelivery_due(0, NOW), NOW + MINUTE);
	assert_int_equal(redelivery_due(1, NOW), NOW + 10 * MINUTE);
	assert_int_equal(redelivery_due(2, NOW), NOW + 60 * MINUTE);
}

/* A row: ids count from 1 in the list's order; `next` is the id that is asked for, 0: none. */
#define E(at_) \
	{ \
		.at = NOW - (at_)*MINUTE \
	}
#define E_OF(at_, ...) \
	{ \
		.at = NOW - (at_)*MINUTE, __VA_ARGS__ \
	}

TEST(the_oldest_is_asked_for_and_of_pushes_the_newest_of_a_branch)
{
	struct {
		const char *what;
		struct redelivery list[4];
		int64_t next;
	} rows[] = {
		{ "the oldest", { E(5), E(9), E(7), E(1) }, 2 },
		{ "of the same age the first that is listed", { E(5), E(5), E(5), E(5) }, 1 },
		{ "not one that came", { E_OF(5, .is_ok = true), E(3), E(2), E(1) }, 2 },
		{ "not before its time",
		    { E_OF(5, .due = NOW + 1), E_OF(3, .due = NOW), E(2), E(1) }, 2 },
		{ "three tries and no more",
		    { E_OF(5, .tries = 3), E_OF(4, .tries = 2), E(2), E(1) }, 2 },
		{ "a push that is not the newest",
		    { E_OF(5, .branch = "main"), E(4), E_OF(2, .branch = "main"), E(1) }, 2 },
		{ "the newest push",
		    { E_OF(5, .branch = "main"), E(3), E_OF(4, .branch = "main"), E(1) }, 3 },
		{ "of pushes at one time the one of the greater number",
		    { E_OF(5, .branch = "main"), E_OF(5, .branch = "main"), E(1), E(1) }, 2 },
		{ "one behind which a newer one came",
		    { E_OF(5, .branch = "main"), E_OF(4, .branch = "main", .is_ok = true), E(3),
			E(1) },
		    3 },
		{ "one behind which an older one came",
		    { E_OF(5, .branch = "main"), E_OF(6, .branch = "main", .is_ok = true), E(3),
			E(1) },
		    1 },
		{ "of another branch",
		    { E_OF(5, .branch = "main"), E_OF(4, .branch = "x"), E(3), E(1) }, 1 },
		{ "of branches that are not known each",
		    { E(5), E(4), E_OF(3, .branch = "m"), E(2) }, 1 },
		{ "a newer one that waits keeps an older one back",
		    { E_OF(5, .branch = "m"), E_OF(4, .branch = "m", .due = NOW + 1),
			E_OF(3, .tries = 3), E_OF(2, .due = NOW + 1) },
		    0 },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct redelivery *next;

		for (size_t j = 0; j < 4; j++)
			rows[i].list[j].id = (int64_t)j + 1;
		next = redelivery_next(rows[i].list, 4, NOW);
		if ((next == NULL ? 0 : next->id) != rows[i].next)
			fail_msg("%s: %d", rows[i].what, next == NULL ? 0 : (int)next->id);
	}
	assert_null(redelivery_next(NULL, 0, NOW));
}
