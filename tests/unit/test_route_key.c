/* Goal: a request is by the workflow whose key has signed it, all of it and now; by no other.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "routes/route_key.h"

#include "lib/err.h"
#include "folder_aid.h"

#define KEY_A "whsec_MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1u" /* 0123456789abcdefghijklmn */
#define KEY_B "whsec_QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo="
#define KEY_C "whsec_YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXo="
#define LENT \
	"ENABLE_API_SERVER=true", "VAULT_ADDR=https://vault.example.org", \
	    "VAULT_TOKEN=hvs.0123456789abcdef0123", "SECRET_DB_PATH=kv2 secret db", \
	    "SECRET_DB_FOR=production"
#define MAY_A "WORKFLOW_A_MAY=secret.db:production"
#define MAY_B "WORKFLOW_B_MAY=secret.db:production"
#define AT    1700000000
#define DB    "/v1/secret/db-migrate"
/* Of Python's hmac, for KEY_A. */
#define OF_POST "v1,uVxqH7iTyLF9w/5r6irWwE4KGgeLlPzJgp61ySuxUfM="
#define OF_GET	"v1,XAJnSsWmuyqxwlptnkREl6RMaCrEB09+e6KmJvraOsk="

#define SIXTY_FOUR "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde-"

static struct route_key_request
request_of(const char *id, const char *at, const char *signature)
{
	return (struct route_key_request){ .method = "POST",
		.path = DB,
		.body = "{}",
		.size = 2,
		.headers = { .standard = signature, .id = id, .timestamp = at } };
}

/* A and B have a key each; that of B was KEY_C before. */
static struct settings *
open_settings(void)
{
	struct settings *s = LOAD(NULL, COMPLETE, LENT, "WORKFLOW_A_KEY=" KEY_A, MAY_A,
	    "WORKFLOW_B_KEY=" KEY_B, "WORKFLOW_B_KEY_PREVIOUS=" KEY_C, MAY_B);

	if (s == NULL || settings_said.count > 0)
		fail_msg("%s", settings_said.lines[0].text);
	return s;
}

static enum route_job_result
check(const struct settings *s, struct route_key_request request, struct route_key_found *ret)
{
	return route_key_check(s, &request, AT * INT64_C(1000) + 999, ret);
}

TEST(what_others_compute_is_taken)
{
	struct settings *s = open_settings();
	struct route_key_request get = request_of("a-1", "1700000000", OF_GET);
	struct route_key_found found;

	assert_int_equal(
	    check(s, request_of("a-1", "1700000000", OF_POST), &found), ROUTE_JOB_LET_IN);
	assert_string_equal(found.job.workflow, "a");
	assert_string_equal(found.job.token, "a-1");
	assert_int_equal(found.job.attempt, 1);
	assert_true(job_is_by_key(&found.job));
	assert_false(found.is_previous);
	get.method = "GET";
	get.path = "/v1/loan/12";
	get.body = NULL;
	get.size = 0;
	assert_int_equal(check(s, get, &found), ROUTE_JOB_LET_IN);
	settings_unref(s);
}

TEST(headers_of_another_form_are_refused)
{
	static const struct {
		const char *id, *at, *signature;
	} rows[] = {
		{ NULL, "1700000000", OF_POST },
		{ "", "1700000000", OF_POST },
		{ "a 1", "1700000000", OF_POST },
		{ "a.1", "1700000000", OF_POST },
		{ "a\n1", "1700000000", OF_POST },
		{ "\xc3\xa4", "1700000000", OF_POST },
		{ SIXTY_FOUR "0", "1700000000", OF_POST },
		{ "a-1", NULL, OF_POST },
		{ "a-1", "", OF_POST },
		{ "a-1", "-1700000000", OF_POST },
		{ "a-1", "+1700000000", OF_POST },
		{ "a-1", " 1700000000", OF_POST },
		{ "a-1", "1700000000.5", OF_POST },
		{ "a-1", "0x6553f100", OF_POST },
		{ "a-1", "99999999999", OF_POST },
		{ "a-1", "18446744075409551616", OF_POST }, /* 2^64 more */
		{ "a-1", "184467440754095516160000000", OF_POST },
		{ "a-1", "1700000000", NULL },
		{ "a-1", "1700000000", "" },
		{ "a-1", "1700000000", "v1," },
		{ "a-1", "1700000000", "v1a," },
		{ "a-1", "1700000000", "uVxqH7iTyLF9w/5r6irWwE4KGgeLlPzJgp61ySuxUfM=" },
		{ "a-1", "1700000000", "v1,uVxqH7iTyLF9w/5r6irWwE4KGgeLlPzJgp61ySuxUfM" },
		{ "a-1", "1700000000", "v1=uVxqH7iTyLF9w/5r6irWwE4KGgeLlPzJgp61ySuxUfM=" },
		{ "a-1", "1700000000", OF_GET " " OF_GET " " OF_GET " " OF_POST },
	};
	struct settings *s = open_settings();
	struct route_key_found found;

	for (size_t i = 0; i < COUNT(rows); i++)
		if (check(s, request_of(rows[i].id, rows[i].at, rows[i].signature), &found) !=
			ROUTE_JOB_FORM ||
		    strstr(found.why, "webhook-id") == NULL)
			fail_msg("row %zu: %s", i, found.why);
	assert_int_equal(
	    check(s, request_of("a-1", "1700000000", OF_GET " v1a,x " OF_GET " " OF_POST), &found),
	    ROUTE_JOB_LET_IN);
	settings_unref(s);
}

TEST(all_that_is_signed_counts)
{
	struct settings *s = open_settings();
	struct route_key_request rows[6];
	struct route_key_found found;

	for (size_t i = 0; i < COUNT(rows); i++)
		rows[i] = request_of("a-1", "1700000000", OF_POST);
	rows[0].headers.id = "a-2";
	rows[1].headers.timestamp = "1700000001";
	rows[2].method = "GET";
	rows[3].path = "/v1/secret/stripe";
	rows[4].body = "{ }";
	rows[4].size = 3;
	rows[5].headers.standard = OF_GET;
	for (size_t i = 0; i < COUNT(rows); i++)
		if (check(s, rows[i], &found) != ROUTE_JOB_SIGNATURE)
			fail_msg("row %zu", i);
	assert_non_null(strstr(found.why, "by no WORKFLOW_<NAME>_KEY"));
	settings_unref(s);
}

/* Sixty-four letters of an id are the most; route_key_sign() signs as it is checked. */
static enum route_job_result
check_at(const struct settings *s, const char *key, int64_t at, struct route_key_found *ret)
{
	char signature[ROUTE_KEY_SIGNATURE], text[24] = "";
	struct route_key_request request = request_of(SIXTY_FOUR, text, NULL);

	(void)snprintf(text, sizeof(text), "%lld", (long long)at);
	assert_true(route_key_sign(key, &request, signature, NULL));
	request.headers.standard = signature;
	return check(s, request, ret);
}

TEST(it_is_of_five_minutes_before_and_behind_our_clock)
{
	struct settings *s = open_settings();
	struct route_key_found found;

	assert_int_equal(check_at(s, KEY_A, AT - 300, &found), ROUTE_JOB_LET_IN);
	assert_int_equal(check_at(s, KEY_A, AT + 300, &found), ROUTE_JOB_LET_IN);
	assert_int_equal(check_at(s, KEY_A, AT - 301, &found), ROUTE_JOB_TIMES);
	assert_string_equal(found.why,
	    "webhook-timestamp is 301 s behind the server's clock, and 300 are taken: sign it anew, by a right clock");
	assert_int_equal(check_at(s, KEY_A, AT + 301, &found), ROUTE_JOB_TIMES);
	assert_int_equal(check_at(s, KEY_A, 0, &found), ROUTE_JOB_TIMES);
	assert_int_equal(route_job_rows[ROUTE_JOB_TIMES].status, 401);
	settings_unref(s);
}

TEST(it_is_by_the_workflow_whose_key_that_is_or_was)
{
	struct settings *s = open_settings();
	struct route_key_found found;

	assert_int_equal(check_at(s, KEY_B, AT, &found), ROUTE_JOB_LET_IN);
	assert_string_equal(found.job.workflow, "b");
	assert_false(found.is_previous);
	assert_int_equal(check_at(s, KEY_C, AT, &found), ROUTE_JOB_LET_IN);
	assert_string_equal(found.job.workflow, "b");
	assert_true(found.is_previous);
	assert_string_equal(found.secret.name, "WORKFLOW_B_KEY");
	assert_int_equal(
	    check_at(s, "whsec_MTIzNDU2Nzg5MGFiY2RlZmdoaWprbG1u", AT, &found), ROUTE_JOB_SIGNATURE);
	settings_unref(s);
}

TEST(a_key_of_two_workflows_is_refused)
{
	settings_unref(LOAD(NULL, COMPLETE, LENT, "WORKFLOW_A_KEY=" KEY_A, MAY_A,
	    "WORKFLOW_B_KEY=" KEY_B, "WORKFLOW_B_KEY_PREVIOUS=" KEY_A, MAY_B));
	SAYS(SETTINGS_ERROR, "workflows a and b have one _KEY, which lets in neither");
}

/* Of an application's file it is a warning, and nobody guesses who of them it is. */
TEST_WITH(a_key_of_two_workflows_lets_in_neither, folder_aid_make, folder_aid_remove)
{
	struct settings *s;
	struct route_key_found found;

	folder_aid_put("apps/shop.env",
	    OF("shop") "WORKFLOW_A_KEY=" KEY_A "\nWORKFLOW_A_MAY=secret.a:staging\n"
		       "WORKFLOW_C_KEY=" KEY_C "\nWORKFLOW_C_MAY=secret.a:staging\n");
	folder_aid_put("main",
	    SERVER "ENABLE_API_SERVER=true\nWORKFLOW_A_KEY=" KEY_A
		   "\nWORKFLOW_A_MAY=secret.a:shop/staging\n");
	s = folder_aid_load();
	assert_non_null(s);
	SAYS(SETTINGS_WARNING, "workflows a and shop/a have one _KEY, which lets in neither");
	assert_int_equal(check_at(s, KEY_A, AT, &found), ROUTE_JOB_WORKFLOW);
	assert_int_equal(check_at(s, KEY_C, AT, &found), ROUTE_JOB_LET_IN);
	assert_string_equal(found.job.workflow, "shop/c");
	assert_string_equal(found.secret.application, "shop");
	settings_unref(s);
}

TEST(where_no_workflow_has_a_key_nobody_is_let_in_by_one)
{
	struct settings *s = LOAD(NULL, COMPLETE);
	struct route_key_found found;

	assert_non_null(s);
	assert_int_equal(check_at(s, KEY_A, AT, &found), ROUTE_JOB_SIGNATURE);
	settings_unref(s);
}

TEST(what_is_no_key_signs_nothing)
{
	static const char *const bad[] = { "", "whsec_", "whsec_QUJD",
		"0123456789abcdef0123456789" };
	struct route_key_request request = request_of("a-1", "1700000000", NULL);
	char signature[ROUTE_KEY_SIGNATURE];
	struct err err;

	for (size_t i = 0; i < COUNT(bad); i++) {
		assert_false(route_key_sign(bad[i], &request, signature, &err));
		assert_int_equal(err.code, ERR_CONFIG);
	}
	assert_true(route_key_sign(KEY_A, &request, signature, &err));
	assert_string_equal(signature, OF_POST);
}
