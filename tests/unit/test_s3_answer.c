/* Goal: an object is confirmed by an answer that proves it is there with our bytes, by no other.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "clients/s3_answer.h"

#include "lib/err.h"
#include "unit.h"

#define CHECKSUM "QP6W5dyemCKQKj80M4n6PNUxwUWhnrVYgbC+XpsJYuc="
#define OTHER	 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define ERROR \
	"<?xml version=\"1.0\"?>\n<Error><Code>AccessDenied</Code><Message>Access " \
	"Denied</Message></Error>"

TEST(each_answer_to_a_put_is_judged)
{
	static const struct {
		int status;
		const char *checksum, *version, *body;
		bool is_repeated;
		enum witness_verdict verdict;
		const char *detail; /* in it */
	} rows[] = {
		{ 200, CHECKSUM, "v1", "", false, WITNESS_CONFIRMED, "" },
		{ 200, CHECKSUM, "v1", "", true, WITNESS_CONFIRMED, "" },
		{ 200, OTHER, "v1", "", false, WITNESS_UNKNOWN, "other bytes" },
		{ 200, NULL, "v1", "", false, WITNESS_UNKNOWN, "without x-amz-checksum-sha256" },
		{ 200, CHECKSUM, NULL, "", false, WITNESS_UNKNOWN, "no versions" },
		{ 200, CHECKSUM, "", "", false, WITNESS_UNKNOWN, "no versions" },
		{ 200, CHECKSUM, "null", "", false, WITNESS_UNKNOWN, "no versions" },
		{ 200, CHECKSUM, "v1", ERROR, false, WITNESS_UNKNOWN, "AccessDenied" },
		{ 204, CHECKSUM, "v1", "", false, WITNESS_UNKNOWN, "HTTP 204" },
		{ 412, NULL, NULL, ERROR, true, WITNESS_CONFIRMED, "" },
		{ 412, NULL, NULL, ERROR, false, WITNESS_TAKEN, "has not put there" },
		{ 409, NULL, NULL, "", true, WITNESS_REFUSED, "HTTP 409" },
		{ 403, CHECKSUM, "v1", ERROR, true, WITNESS_REFUSED,
		    "HTTP 403 AccessDenied: Access Denied" },
		{ 301, NULL, NULL, "", false, WITNESS_REFUSED, "HTTP 301" },
		{ 408, NULL, NULL, "", false, WITNESS_UNKNOWN, "HTTP 408" },
		{ 500, NULL, NULL, "<Error><Code>Inter", false, WITNESS_UNKNOWN, "HTTP 500" },
		{ 503, CHECKSUM, "v1", "", false, WITNESS_UNKNOWN, "HTTP 503" },
		{ 0, CHECKSUM, "v1", "", false, WITNESS_UNKNOWN, "HTTP 0" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct s3_put_answer answer = { rows[i].status, rows[i].checksum,
			rows[i].version, rows[i].body, strlen(rows[i].body) };
		struct witness_answer judged = s3_judge_put(&answer, CHECKSUM, rows[i].is_repeated);

		if (judged.verdict != rows[i].verdict ||
		    strstr(judged.detail, rows[i].detail) == NULL)
			fail_msg("%zu: %d %s", i, (int)judged.verdict, judged.detail);
	}
}

/* Else its next name could be the old one, and the answer that somebody else has taken it. */
TEST(of_a_put_that_may_have_been_sent_before_a_refusal_says_nothing)
{
	for (enum witness_verdict i = WITNESS_CONFIRMED; i <= WITNESS_UNKNOWN; i++) {
		struct witness_answer answer = { .verdict = i, .detail = "why" };

		witness_answer_repeated(&answer);
		assert_int_equal(answer.verdict, i == WITNESS_REFUSED ? WITNESS_UNKNOWN : i);
		assert_string_equal(answer.detail, "why");
	}
}

TEST(what_others_wrote_is_cleaned)
{
	static const char body[] =
	    "<Error><Code>A\n\x1b[31mB</Code><Message>\xff</Message></Error>";
	const struct s3_put_answer answer = { 400, NULL, NULL, body, sizeof(body) - 1 };
	struct witness_answer judged = s3_judge_put(&answer, CHECKSUM, false);

	assert_null(strchr(judged.detail, '\x1b'));
	assert_null(strchr(judged.detail, '\n'));
	assert_non_null(strstr(judged.detail, "HTTP 400 A"));
}

TEST(other_keys_are_worth_a_try_where_these_are_refused_as_such)
{
	static const char expired[] = "<Error><Code>ExpiredToken</Code></Error>";

	assert_true(s3_refuses_credentials(
	    &(struct s3_put_answer){ 400, NULL, NULL, expired, sizeof(expired) - 1 }));
	assert_false(s3_refuses_credentials(
	    &(struct s3_put_answer){ 403, NULL, NULL, ERROR, sizeof(ERROR) - 1 }));
	assert_false(s3_refuses_credentials(&(struct s3_put_answer){ 200, NULL, NULL, "", 0 }));
}

TEST(a_bucket_stands_in_the_host_or_in_the_path)
{
	static const struct {
		struct s3_place place;
		const char *key, *host, *path, *url;
	} rows[] = {
		{ { NULL, "acme-audit", "eu-central-1" }, "deploybot-h/1-2-a.jsonl",
		    "acme-audit.s3.eu-central-1.amazonaws.com", "/deploybot-h/1-2-a.jsonl",
		    "https://acme-audit.s3.eu-central-1.amazonaws.com/deploybot-h/1-2-a.jsonl" },
		{ { NULL, "acme.audit", "eu-central-1" }, "", "s3.eu-central-1.amazonaws.com",
		    "/acme.audit/", "https://s3.eu-central-1.amazonaws.com/acme.audit/" },
		{ { NULL, "acme", "cn-north-1" }, "", "acme.s3.cn-north-1.amazonaws.com.cn", "/",
		    "https://acme.s3.cn-north-1.amazonaws.com.cn/" },
		{ { "http://127.0.0.1:9000", "acme", "x" }, "a b", "127.0.0.1:9000", "/acme/a%20b",
		    "http://127.0.0.1:9000/acme/a%20b" },
		{ { "https://s3.example/base", "acme", "x" }, "k", "s3.example", "/base/acme/k",
		    "https://s3.example/base/acme/k" },
	};
	char long_endpoint[LIMIT_URL + 32] = "http://";
	struct s3_address address;
	struct err err = { 0 };

	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_true(s3_address(&rows[i].place, rows[i].key, &address, &err));
		assert_string_equal(address.host, rows[i].host);
		assert_string_equal(address.path, rows[i].path);
		assert_string_equal(address.url, rows[i].url);
	}
	memset(long_endpoint + 7, 'a', LIMIT_URL);
	assert_false(
	    s3_address(&(struct s3_place){ long_endpoint, "acme", "x" }, "k", &address, &err));
}

TEST(an_object_s_name_has_its_entries_and_their_head)
{
	char key[WITNESS_KEY];

	witness_key("bot-1.example", 21, 40, "36fec2005dd1a0b4", key);
	assert_string_equal(key, "deploybot-bot-1.example/21-40-36fec2005dd1a0b4.jsonl");
	witness_key("b/../ä", 1, 1, "0", key);
	assert_string_equal(key, "deploybot-b-..---/1-1-0.jsonl");
}
