/* Goal: each answer of Vault's is told from the others, and says nothing that was shown to it.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "clients/vault_answer.h"

#include "lib/json.h"
#include "unit.h"

#define NOW	     1795700000
#define ERRORS(text) "{\"errors\":[\"" text "\"]}"
#define OURS	     "a.token-of-no-known-shape"

static const struct {
	const char *what;
	struct vault_reply reply;
	enum vault_verdict verdict;
	int64_t retry_after_s;
	const char *detail;
} cases[] = {
	{ "done", { .status = 200, .body = "{\"data\":{}}" }, VAULT_DONE, 0, "" },
	{ "done, without a word", { .status = 204, .body = "" }, VAULT_DONE, 0, "" },
	{ "to be done", { .status = 202, .body = "" }, VAULT_DONE, 0, "" },
	{ "400", { .status = 400, .body = ERRORS("wrapping token is not valid or does not exist") },
	    VAULT_INVALID, 0, "HTTP 400: wrapping token is not valid or does not exist" },
	{ "403",
	    { .status = 403, .body = ERRORS("1 error occurred:\\n\\t* permission denied\\n\\n") },
	    VAULT_FORBIDDEN, 0, "HTTP 403: 1 error occurred: * permission denied" },
	{ "404", { .status = 404, .body = "{\"errors\":[]}" }, VAULT_NOT_FOUND, 0,
	    "HTTP 404: not there, or not allowed" },
	{ "404 of a deleted version",
	    { .status = 404,
		.body =
		    "{\"data\":{\"data\":null,\"metadata\":{\"version\":2,\"destroyed\":false}}}" },
	    VAULT_DELETED, 0, "HTTP 404: that version was deleted" },
	{ "404 with other data", { .status = 404, .body = "{\"data\":{\"metadata\":null}}" },
	    VAULT_NOT_FOUND, 0, "HTTP 404: not there, or not allowed" },
	{ "405", { .status = 405, .body = ERRORS("unsupported operation") }, VAULT_REFUSED, 0,
	    "HTTP 405: unsupported operation" },
	{ "412", { .status = 412, .body = ERRORS("required index state not present") }, VAULT_AGAIN,
	    1, "HTTP 412: required index state not present" },
	{ "a quota",
	    { .status = 429, .body = ERRORS("rate limit quota exceeded"), .retry_after = "7" },
	    VAULT_LIMITED, 7, "HTTP 429: rate limit quota exceeded" },
	{ "a quota that does not say for how long", { .status = 429, .body = "" }, VAULT_LIMITED,
	    60, "HTTP 429" },
	{ "a quota without end", { .status = 429, .body = "", .retry_after = "999999999" },
	    VAULT_LIMITED, 3600, "HTTP 429" },
	{ "472", { .status = 472, .body = "" }, VAULT_DOWN, 0, "HTTP 472" },
	{ "473", { .status = 473, .body = "" }, VAULT_DOWN, 0, "HTTP 473" },
	{ "500", { .status = 500, .body = ERRORS("internal error") }, VAULT_DOWN, 0,
	    "HTTP 500: internal error" },
	{ "sealed", { .status = 503, .body = ERRORS("Vault is sealed") }, VAULT_DOWN, 0,
	    "HTTP 503: Vault is sealed" },
	{ "307", { .status = 307, .location = "https://10.0.0.9:8200/v1/auth/token/x?token=" OURS },
	    VAULT_MOVED, 0, "HTTP 307, which points to 10.0.0.9:8200" },
	{ "307 with a user", { .status = 307, .location = "https://me:hvs@vault-2.example.org/" },
	    VAULT_MOVED, 0, "HTTP 307, which points to vault-2.example.org" },
	{ "302 to itself", { .status = 302, .location = "/ui/" }, VAULT_MOVED, 0,
	    "HTTP 302, which points to no other host" },
	{ "301 to nowhere", { .status = 301 }, VAULT_MOVED, 0,
	    "HTTP 301, which points to no other host" },
	{ "201, as no Vault answers", { .status = 201, .body = "{}" }, VAULT_REFUSED, 0,
	    "HTTP 201" },
	{ "a page", { .status = 200, .body = "<html>" }, VAULT_TORN, 0,
	    "HTTP 200 with half a body: it is no JSON of Vault's" },
	{ "half a body", { .status = 200, .body = "{\"auth\":{\"client_to" }, VAULT_TORN, 0,
	    "HTTP 200 with half a body: it is no JSON of Vault's" },
	{ "half of what was said to come",
	    { .code = ERR_IO, .text = "Transferred a partial file", .was_sent = true }, VAULT_TORN,
	    0, "Transferred a partial file" },
	{ "1 MB", { .code = ERR_LIMIT, .text = "the answer is larger", .was_sent = true },
	    VAULT_TOO_LARGE, 0, "the answer is larger" },
	{ "too late", { .code = ERR_TIMEOUT, .text = "no answer", .was_sent = true }, VAULT_AWAY, 0,
	    "no answer" },
	{ "nobody there", { .code = ERR_IO, .text = "cannot connect" }, VAULT_AWAY, 0,
	    "cannot connect" },
	{ "a token of somebody's",
	    { .status = 400, .body = ERRORS("bad token hvs.CAESIJ0123456789abcdefABCDEF here") },
	    VAULT_INVALID, 0, "HTTP 400: bad token *** here" },
	{ "the same, broken by what shows nothing",
	    { .status = 400,
		.body = ERRORS("bad token hvs.CAESIJ01\\u200b23456789\\u0007abcdefABCDEF here") },
	    VAULT_INVALID, 0, "HTTP 400: bad token *** here" },
	{ "ours", { .status = 403, .body = ERRORS("bad token " OURS), .secret = OURS },
	    VAULT_FORBIDDEN, 0, "HTTP 403: its text has what was shown to it" },
	{ "ours, broken by what shows nothing",
	    { .status = 403,
		.body = ERRORS("bad token a.token\\u200b-of-no-known-shape"),
		.secret = OURS },
	    VAULT_FORBIDDEN, 0, "HTTP 403: its text has what was shown to it" },
	{ "a standby", { .status = 429, .body = "{}", .is_health = true }, VAULT_STANDBY, 0,
	    "HTTP 429" },
	{ "a standby that says so",
	    { .status = 429, .body = "{\"sealed\":false,\"standby\":true}", .is_health = true },
	    VAULT_DONE, 0, "" },
	{ "the health of a sealed one",
	    { .status = 503, .body = "{\"sealed\":true}", .is_health = true }, VAULT_DONE, 0, "" },
	{ "503 of a proxy before it", { .status = 503, .body = "<html>", .is_health = true },
	    VAULT_DOWN, 0, "HTTP 503" },
	{ "another program's health", { .status = 200, .body = "{\"ok\":1}", .is_health = true },
	    VAULT_TORN, 0, "HTTP 200 with half a body: it is no JSON of Vault's" },
};

static struct vault_answer
judge(struct vault_reply reply, bool *ret_has_body)
{
	struct vault_answer answer;
	struct json *body;

	reply.body = reply.body == NULL ? "" : reply.body;
	reply.body_size = strlen(reply.body);
	reply.now_s = NOW;
	answer = vault_judge(&reply, &body);
	if (ret_has_body != NULL)
		*ret_has_body = body != NULL;
	json_free(body);
	return answer;
}

TEST(each_answer_is_one_verdict)
{
	for (size_t i = 0; i < COUNT(cases); i++) {
		bool has_body;
		struct vault_answer answer = judge(cases[i].reply, &has_body);

		if (answer.verdict != cases[i].verdict)
			fail_msg("%s: %d", cases[i].what, answer.verdict);
		if (strcmp(answer.detail, cases[i].detail) != 0)
			fail_msg("%s: %s", cases[i].what, answer.detail);
		if (answer.retry_after_s != cases[i].retry_after_s)
			fail_msg("%s: %lld s", cases[i].what, (long long)answer.retry_after_s);
		if (has_body && answer.verdict != VAULT_DONE)
			fail_msg("%s has a body", cases[i].what);
		assert_int_equal(answer.was_sent, cases[i].reply.was_sent);
	}
}

/* What is cut off could have been the rest of it. */
TEST(a_long_text_is_cut_behind_what_is_redacted)
{
	char text[4096], body[5000], secret[VAULT_TOKEN_MAX + 1];
	struct vault_answer answer;

	memset(secret, 'q', VAULT_TOKEN_MAX);
	secret[VAULT_TOKEN_MAX] = '\0';
	(void)snprintf(text, sizeof(text), "%0230d %s and more", 0, secret);
	(void)snprintf(body, sizeof(body), ERRORS("%s"), text);
	answer = judge((struct vault_reply){ .status = 400, .body = body, .secret = secret }, NULL);
	assert_string_equal(answer.detail, "HTTP 400: its text has what was shown to it");
	(void)snprintf(text, sizeof(text), "%0230d hvs.%s", 0, secret);
	(void)snprintf(body, sizeof(body), ERRORS("%s"), text);
	answer = judge((struct vault_reply){ .status = 400, .body = body }, NULL);
	assert_null(strstr(answer.detail, "hvs."));
	assert_null(strchr(answer.detail, 'q'));
}

TEST(its_clock_is_compared_with_ours)
{
	struct vault_answer answer =
	    judge((struct vault_reply){ .status = 204, .date_s = NOW - 90 }, NULL);

	assert_true(answer.knows_clock);
	assert_int_equal(answer.ahead_s, 90);
	assert_false(judge((struct vault_reply){ .status = 204, .date_s = -1 }, NULL).knows_clock);
	assert_false(
	    judge((struct vault_reply){ .status = 204, .date_s = INT64_MAX }, NULL).knows_clock);
}

TEST(a_path_is_plain_words)
{
	static const char *const fit[] = { "sys/health", "auth/token/create/deploybot-lend",
		"secret/data/django/database", "kv1/a.b/c_D-9", "x", ".a/b" };
	static const char *const unfit[] = { "", "/sys", "sys/", "a//b", "a/../b", "..", ".", "a/.",
		"a/./b", "a..b", "a.", "a%2e", "a?b=c", "a b", "a\\b", "\xc3\xa4", "a\n" };
	char longest[VAULT_PATH + 1];

	for (size_t i = 0; i < COUNT(fit); i++)
		if (!vault_path_is_fit(fit[i]))
			fail_msg("not fit: %s", fit[i]);
	for (size_t i = 0; i < COUNT(unfit); i++)
		if (vault_path_is_fit(unfit[i]))
			fail_msg("fit: %s", unfit[i]);
	memset(longest, 'a', sizeof(longest));
	longest[VAULT_PATH] = '\0';
	assert_false(vault_path_is_fit(longest));
	longest[VAULT_PATH - 1] = '\0';
	assert_true(vault_path_is_fit(longest));
}

/* --- bodies --- */

typedef bool read_fn(const struct json *body, struct vault_token *ret, struct err *err);

static bool
reads(read_fn *read, const char *body, struct vault_token *ret)
{
	struct json *root = json_decode(body, strlen(body), NULL);
	struct err err;
	bool ok = read(root, ret, &err);

	json_free(root);
	return ok;
}

TEST(a_login_gives_a_token_that_a_header_can_have)
{
	static const char *const none[] = { "{}", "{\"auth\":null}", "{\"auth\":{}}",
		"{\"auth\":{\"client_token\":\"\",\"lease_duration\":60}}",
		"{\"auth\":{\"client_token\":\"a b\",\"lease_duration\":60}}",
		"{\"auth\":{\"client_token\":\"a\\r\\nX-Y: z\",\"lease_duration\":60}}",
		"{\"auth\":{\"client_token\":\"a\\u00e4\",\"lease_duration\":60}}",
		"{\"auth\":{\"client_token\":7,\"lease_duration\":60}}",
		"{\"auth\":{\"client_token\":\"abc\"}}",
		"{\"auth\":{\"client_token\":\"abc\",\"lease_duration\":-1}}" };
	char body[VAULT_TOKEN_MAX + 128], text[VAULT_TOKEN_MAX + 2];
	struct vault_token token;

	assert_true(reads(vault_read_login,
	    "{\"auth\":{\"client_token\":\"hvs.x\",\"lease_duration\":3600,\"renewable\":true}}",
	    &token));
	assert_string_equal(token.text, "hvs.x");
	assert_int_equal(token.ttl_s, 3600);
	assert_true(token.is_renewable);
	for (size_t i = 0; i < COUNT(none); i++)
		if (reads(vault_read_login, none[i], &token))
			fail_msg("a token: %s", none[i]);
	memset(text, 'a', sizeof(text));
	text[VAULT_TOKEN_MAX + 1] = '\0';
	(void)snprintf(
	    body, sizeof(body), "{\"auth\":{\"client_token\":\"%s\",\"lease_duration\":1}}", text);
	assert_false(reads(vault_read_login, body, &token));
	text[VAULT_TOKEN_MAX] = '\0';
	(void)snprintf(
	    body, sizeof(body), "{\"auth\":{\"client_token\":\"%s\",\"lease_duration\":1}}", text);
	assert_true(reads(vault_read_login, body, &token));
	assert_int_equal(strlen(token.text), VAULT_TOKEN_MAX);
}

TEST(a_lookup_says_until_when_a_token_lives)
{
	struct vault_token token;

	assert_true(reads(vault_read_lookup,
	    "{\"data\":{\"ttl\":2764790,\"renewable\":true,\"expire_time\":\"2027-01-01T00:00:00Z\"}}",
	    &token));
	assert_int_equal(token.ttl_s, 2764790);
	assert_true(token.is_renewable);
	assert_false(token.is_root);
	assert_true(reads(vault_read_lookup,
	    "{\"data\":{\"ttl\":0,\"expire_time\":null,\"policies\":[\"default\",\"root\"]}}",
	    &token));
	assert_int_equal(token.ttl_s, 0);
	assert_true(token.is_root);
	assert_false(token.is_renewable);
	assert_true(reads(vault_read_lookup,
	    "{\"data\":{\"ttl\":0,\"expire_time\":\"2027-01-01T00:00:00Z\",\"policies\":[1]}}",
	    &token));
	assert_int_equal(token.ttl_s, 1);
	assert_true(reads(vault_read_lookup, "{\"data\":{\"ttl\":9223372036854775807}}", &token));
	assert_true(token.ttl_s < INT64_MAX / 1000);
	assert_false(reads(vault_read_lookup, "{\"data\":{}}", &token));
	assert_false(reads(vault_read_lookup, "{\"auth\":{\"ttl\":1}}", &token));
}

TEST(a_renewal_says_for_how_long)
{
	struct vault_token token;

	assert_true(reads(vault_read_renewal,
	    "{\"auth\":{\"client_token\":\"hvs.x\",\"lease_duration\":60,\"renewable\":false}}",
	    &token));
	assert_int_equal(token.ttl_s, 60);
	assert_string_equal(token.text, "");
	assert_false(token.is_renewable);
	assert_false(reads(vault_read_renewal, "{\"auth\":{\"client_token\":\"hvs.x\"}}", &token));
}

#define LEND "auth/token/create/deploybot-lend"

static bool
reads_wrap(const char *token, const char *ttl, const char *path, const char *accessor,
    struct vault_wrap *ret)
{
	char body[2 * VAULT_TOKEN_MAX];
	struct json *root;
	struct err err;
	bool ok;

	(void)snprintf(body, sizeof(body),
	    "{\"wrap_info\":{\"token\":%s,\"ttl\":%s,\"creation_path\":%s,\"accessor\":\"o.1\",\"wrapped_accessor\":%s}}",
	    token, ttl, path, accessor);
	root = json_decode(body, strlen(body), NULL);
	assert_non_null(root);
	ok = vault_read_wrap(root, LEND, 120, ret, &err);
	json_free(root);
	assert_int_equal(ok, ret->token[0] != '\0');
	return ok;
}

TEST(what_was_wrapped_is_what_was_asked_for)
{
	static const char token[] = "\"hvs.x\"", path[] = "\"" LEND "\"", ac[] = "\"Ab.c_D-9\"";
	static const char *const tokens[] = { "null", "7", "\"\"", "\"a b\"", "\"a\\u00e4\"",
		"\"a\\n\"", "\"a;b\"", "\"$(a)\"", "\"`a`\"", "\"a'b\"", "\"a&b\"", "\"a|b\"",
		"\"a>b\"", "\"a/b\"", "\"a\\\\b\"" };
	static const char *const ttls[] = { "0", "-1", "121", "9223372036854775807", "null",
		"\"60\"", "60.5" };
	static const char *const paths[] = { "null", "\"\"", "\"auth/token/create\"",
		"\"" LEND "/x\"", "\"" LEND "2\"", "\"x/" LEND "\"", "\"AUTH/token/create\"" };
	struct vault_wrap wrap;

	assert_true(reads_wrap(token, "120", path, ac, &wrap));
	assert_string_equal(wrap.token, "hvs.x");
	assert_string_equal(wrap.accessor, "Ab.c_D-9");
	assert_string_equal(wrap.own, "o.1");
	assert_true(reads_wrap(token, "1", path, ac, &wrap));
	for (size_t i = 0; i < COUNT(tokens); i++) {
		assert_false(reads_wrap(tokens[i], "120", path, ac, &wrap));
		assert_string_equal(wrap.accessor, "Ab.c_D-9"); /* it can be revoked */
	}
	for (size_t i = 0; i < COUNT(ttls); i++) {
		assert_false(reads_wrap(token, ttls[i], path, ac, &wrap));
		assert_string_equal(wrap.accessor, "Ab.c_D-9");
	}
	for (size_t i = 0; i < COUNT(paths); i++) {
		assert_false(reads_wrap(token, "120", paths[i], ac, &wrap));
		assert_string_equal(wrap.accessor, "Ab.c_D-9");
	}
}

TEST(an_accessor_goes_into_a_request_and_the_audit)
{
	static const char *const none[] = { "null", "7", "\"\"", "\"a b\"", "\"a/b\"", "\"a%\"",
		"\"a\\u00e4\"", "\"a\\n\"", "\"\\u003cb\\u003e\"" };
	char text[LIMIT_ACCESSOR + 3];
	struct vault_wrap wrap;

	for (size_t i = 0; i < COUNT(none); i++) {
		assert_false(reads_wrap("\"x\"", "120", "\"" LEND "\"", none[i], &wrap));
		assert_string_equal(wrap.accessor, "");
	}
	(void)snprintf(text, sizeof(text), "\"%0*d\"", LIMIT_ACCESSOR, 7);
	assert_false(reads_wrap("\"x\"", "120", "\"" LEND "\"", text, &wrap));
	assert_string_equal(wrap.accessor, "");
	(void)snprintf(text, sizeof(text), "\"%0*d\"", LIMIT_ACCESSOR - 1, 7);
	assert_true(reads_wrap("\"x\"", "120", "\"" LEND "\"", text, &wrap));
	assert_int_equal(strlen(wrap.accessor), LIMIT_ACCESSOR - 1);
}

TEST(a_wrapping_token_has_its_bound)
{
	char text[VAULT_TOKEN_MAX + 4];
	struct vault_wrap wrap;

	(void)snprintf(text, sizeof(text), "\"%0*d\"", VAULT_TOKEN_MAX + 1, 7);
	assert_false(reads_wrap(text, "120", "\"" LEND "\"", "\"ac\"", &wrap));
	(void)snprintf(text, sizeof(text), "\"%0*d\"", VAULT_TOKEN_MAX, 7);
	assert_true(reads_wrap(text, "120", "\"" LEND "\"", "\"ac\"", &wrap));
	assert_int_equal(strlen(wrap.token), VAULT_TOKEN_MAX);
}

static bool
reads_role(const char *body, struct vault_role *ret)
{
	struct json *root = json_decode(body, strlen(body), NULL);
	struct err err;
	bool ok = vault_read_role(root, "deploybot-secret-*", ret, &err);

	json_free(root);
	return ok;
}

/* As tokenStoreRoleRead() writes it. */
#define ROLE(more) \
	"{\"data\":{\"name\":\"deploybot-lend\",\"period\":0,\"explicit_max_ttl\":0," \
	"\"orphan\":true,\"token_period\":0,\"token_explicit_max_ttl\":3600" more "}}"

TEST(a_role_says_what_tokens_it_makes)
{
	struct vault_role role;

	assert_true(reads_role(ROLE(",\"allowed_policies\":[],\"token_type\":\"service\","
				    "\"allowed_policies_glob\":[\"deploybot-secret-*\"],"
				    "\"token_no_default_policy\":true"),
	    &role));
	assert_true(role.is_orphan && role.has_glob_alone && !role.has_policies);
	assert_true(!role.adds_default && !role.is_batch);
	assert_int_equal(role.period_s, 0);
	assert_int_equal(role.longest_s, 3600);
	assert_true(reads_role(ROLE(",\"allowed_policies\":[\"a\"],\"token_type\":\"batch\","
				    "\"allowed_policies_glob\":[\"deploybot-secret-*\",\"*\"],"
				    "\"token_no_default_policy\":false"),
	    &role));
	assert_true(!role.has_glob_alone && role.has_policies);
	assert_true(role.adds_default && role.is_batch);
	/* What is not said is not held against it, but for what is to be there. */
	assert_true(reads_role(ROLE(""), &role));
	assert_true(!role.has_glob_alone && !role.has_policies);
	assert_true(!role.adds_default && !role.is_batch);
	assert_true(
	    reads_role(ROLE(",\"allowed_policies_glob\":[7],\"allowed_policies\":7"), &role));
	assert_true(!role.has_glob_alone && role.has_policies);
}

TEST(what_is_no_role_is_none)
{
	static const char *const none[] = {
		"{}", "{\"data\":null}", "{\"data\":{}}", "[]",
		"{\"data\":{\"orphan\":true,\"token_period\":0}}",
		"{\"data\":{\"orphan\":true,\"token_explicit_max_ttl\":0}}",
		"{\"data\":{\"orphan\":1,\"token_period\":0,\"token_explicit_max_ttl\":0}}",
		"{\"data\":{\"orphan\":true,\"token_period\":-1,\"token_explicit_max_ttl\":0}}",
		"{\"data\":{\"orphan\":true,\"token_period\":0,\"token_explicit_max_ttl\":\"1h\"}}"
	};
	struct vault_role role;

	for (size_t i = 0; i < COUNT(none); i++)
		if (reads_role(none[i], &role))
			fail_msg("a role: %s", none[i]);
	assert_true(reads_role("{\"data\":{\"orphan\":true,\"token_period\":9223372036854775807,"
			       "\"token_explicit_max_ttl\":0}}",
	    &role));
	assert_true(role.period_s < INT64_MAX / 1000);
}

static bool
reads_health(const char *body, struct vault_health *ret)
{
	struct json *root = json_decode(body, strlen(body), NULL);
	struct err err;
	bool ok = vault_read_health(root, ret, &err);

	json_free(root);
	return ok;
}

TEST(a_node_says_how_it_stands)
{
	struct vault_health health;

	assert_true(reads_health("{\"initialized\":true,\"sealed\":false,\"standby\":false,"
				 "\"replication_dr_mode\":\"primary\",\"version\":\"1.19.0\"}",
	    &health));
	assert_true(health.is_initialized && !health.is_sealed && !health.is_standby);
	assert_false(health.is_secondary);
	assert_string_equal(health.version, "1.19.0");
	assert_true(
	    reads_health("{\"initialized\":true,\"sealed\":false,\"performance_standby\":true,"
			 "\"replication_dr_mode\":\"secondary\",\"version\":\"1\\n9\\u0007\"}",
		&health));
	assert_true(health.is_standby && health.is_secondary);
	assert_string_equal(health.version, "1 9");
	assert_true(reads_health("{\"sealed\":true}", &health));
	assert_true(health.is_sealed && !health.is_initialized);
	assert_false(reads_health("{\"sealed\":\"no\"}", &health));
	assert_false(reads_health("{}", &health));
}
