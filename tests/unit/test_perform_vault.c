/* Goal: a token is made once and kept for its job, or it is said why not; and it is revoked.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "clients/loan_shelf.h"
#include "clients/vault.h"
#include "effects/perform_inside.h"
#include "lib/clock.h"
#include "lib/http_server.h"
#include "lib/http_server_inside.h"
#include "lib/mem.h"
#include "lib/redact.h"
#include "lib/text.h"
#include "settings_aid.h"
#include "tests/unit/until.h"

#define WORK	  31
#define OWN_TOKEN "hvs.CAESIOwnTokenOfTheServer01"
#define LENT	  "hvs.CAESIOfTheLoanNumber0031"
#define LEND	  "auth/token/create/deploybot-lend"
#define REVOKE	  "auth/token/revoke-accessor"
#define LOOK	  "sys/wrapping/lookup"
#define WRAPPED(token, ttl, path, accessor) \
	"{\"wrap_info\":{\"token\":" token ",\"accessor\":\"own\",\"ttl\":" ttl \
	",\"creation_path\":" path ",\"wrapped_accessor\":" accessor "}}"
#define GOOD WRAPPED("\"" LENT "\"", "120", "\"" LEND "\"", "\"Ab.c_D-9\"")

struct scene {
	struct loop *loop;
	struct loop_timer patience;
	bool is_over;
	struct http_server *server;
	struct http_route routes[3];
	struct settings *settings;
	struct perform perform;
	struct event *result;
	int status; /* of what is asked, and its body; 0: nothing is answered */
	const char *body;
	int asked;
	char heard[512];   /* the last one's path, X-Vault-Wrap-TTL and body */
	const char *child; /* what is answered to LEND alone; NULL: what all is */
	char made_by[512]; /* the body of the last request of LEND */
	char token_shown[64];
	struct http_request *held;
	char token[VAULT_TOKEN_MAX + 1];
};

/* Time passes as a test wants it, for libev too. */
static int64_t ahead_s;

int
clock_gettime(clockid_t clock, struct timespec *ret)
{
	int status = (int)syscall(SYS_clock_gettime, clock, ret);

	ret->tv_sec += ahead_s;
	return status;
}

static void
on_look(struct http_request *request, UNUSED void *ctx)
{
	static const char body[] = "{\"data\":{\"ttl\":0,\"expire_time\":null}}";

	http_request_answer(request, 200, NULL, body, sizeof(body) - 1);
}

static void
on_request(struct http_request *request, void *ctx)
{
	struct scene *s = ctx;
	const char *wrap = http_request_header(request, "X-Vault-Wrap-TTL");
	size_t size;
	char *body = http_request_take_body(request, &size);

	s->asked++;
	(void)snprintf(s->heard, sizeof(s->heard), "%s|%s|%.*s", request->path,
	    wrap == NULL ? "" : wrap, (int)size, body == NULL ? "" : body);
	free(body);
	(void)text_copy(
	    s->token_shown, sizeof(s->token_shown), http_request_header(request, "X-Vault-Token"));
	if (strcmp(request->path, "/v1/" LEND) == 0)
		(void)text_copy(s->made_by, sizeof(s->made_by), s->heard);
	if (s->child != NULL && strcmp(request->path, "/v1/" LEND) == 0)
		http_request_answer(request, 200, NULL, s->child, strlen(s->child));
	else if (s->status == 0)
		s->held = request;
	else
		http_request_answer(request, s->status, NULL, s->body, strlen(s->body));
}

static void
take(void *ctx, struct event *event)
{
	struct scene *s = ctx;

	assert_null(s->result);
	s->result = event;
}

static void
on_impatient(UNUSED struct loop_timer *timer, void *ctx)
{
	((struct scene *)ctx)->is_over = true;
}

static int
begin(void **state)
{
	struct scene *s = calloc(1, sizeof(*s));
	struct http_server_config config = { .routes = s->routes, .route_count = 3 };
	char address[64];

	ahead_s = 0;
	s->loop = loop_new(NULL);
	loop_timer_init(&s->patience, on_impatient, s);
	s->routes[0] = (struct http_route){
		.methods = "GET", .path = "/v1/auth/token/lookup-self", .on_request = on_look
	};
	s->routes[1] = (struct http_route){ .methods = "POST",
		.path = "/v1/",
		.body_max = 4096,
		.answer_timeout_ms = 60000,
		.on_request = on_request,
		.ctx = s };
	s->routes[2] = s->routes[1];
	s->routes[2].methods = "GET";
	s->routes[2].body_max = 0;
	s->server = http_server_new(s->loop, &config, "127.0.0.1:0", NULL);
	assert_non_null(s->server);
	(void)snprintf(address, sizeof(address), "VAULT_ADDR=http://127.0.0.1:%u",
	    http_server_port(s->server));
	s->settings = LOAD(NULL, COMPLETE, address, "VAULT_TOKEN=" OWN_TOKEN);
	if (s->settings == NULL)
		fail_msg("%s", settings_said.lines[0].text);
	s->perform = (struct perform){ .loop = s->loop,
		.vault = vault_new(s->loop, s->settings),
		.redact = redact_new(),
		.submit = take,
		.submit_ctx = s };
	s->perform.loans = loan_shelf_new(s->loop, s->perform.redact);
	*state = s;
	return 0;
}

static int
finish(void **state)
{
	struct scene *s = *state;

	event_free(s->result);
	perform_done(&s->perform);
	assert_null(s->perform.jobs);
	vault_free(s->perform.vault);
	loan_shelf_free(s->perform.loans);
	redact_free(s->perform.redact);
	loop_timer_stop(&s->patience);
	if (s->held != NULL)
		http_request_answer(s->held, 200, NULL, "", 0);
	http_server_free(s->server);
	settings_unref(s->settings);
	loop_free(s->loop);
	free(s);
	return 0;
}

#define SCENE_TEST(name) TEST_OF(name, struct scene *s, begin, finish)

static void
perform(struct scene *s, enum effect_kind kind, struct effect_vault what, bool is_recovered)
{
	struct effect *effect = effect_new(kind);

	assert_non_null(effect);
	effect->id = 7;
	effect->subject = WORK;
	effect->settings = settings_ref(s->settings);
	effect->is_recovered = is_recovered;
	effect->u.vault = what;
	perform_effect(&s->perform, effect);
}

static struct vault_said
said(struct scene *s)
{
	struct vault_said said;

	UNTIL(s, s->result != NULL);
	assert_int_equal(s->result->kind, EVENT_VAULT_SAID);
	assert_int_equal(s->result->effect, 7);
	assert_null(s->perform.jobs);
	said = s->result->u.vault_said;
	assert_null(strstr(said.why, LENT));
	event_free(TAKE(s->result));
	return said;
}

static void
answers(struct scene *s, int status, const char *body)
{
	s->status = status;
	s->body = body;
}

static struct vault_said
lend(struct scene *s)
{
	perform(s, EFFECT_VAULT_LEND,
	    (struct effect_vault){ .name = "db-migrate", .ttl_s = 900, .principal = "job \"x\"" },
	    false);
	return said(s);
}

static struct vault_said
end_token(struct scene *s, int64_t not_before, bool is_recovered)
{
	perform(s, EFFECT_VAULT_REVOKE,
	    (struct effect_vault){ .accessor = "Ab.c_D-9", .not_before = not_before },
	    is_recovered);
	return said(s);
}

static bool
is_kept(struct scene *s)
{
	return loan_shelf_take(s->perform.loans, WORK, s->token);
}

/* --- a token is made --- */

SCENE_TEST(a_token_is_made_wrapped_and_kept_for_its_work)
{
	struct vault_said got;

	answers(s, 200, GOOD);
	got = lend(s);
	assert_true(got.is_done && !got.is_unsure);
	assert_string_equal(got.accessor, "Ab.c_D-9");
	assert_string_equal(got.why, "");
	assert_string_equal(s->heard,
	    "/v1/" LEND "|120|{\"policies\":[\"deploybot-secret-db-migrate\"],"
	    "\"explicit_max_ttl\":\"900s\",\"renewable\":false,"
	    "\"meta\":{\"work\":\"31\",\"principal\":\"job \\\"x\\\"\"}}");
	assert_true(is_kept(s));
	assert_string_equal(s->token, LENT);
	assert_false(is_kept(s));
	assert_int_equal(s->asked, 1);
}

SCENE_TEST(what_vault_has_wrapped_otherwise_is_not_kept_and_its_accessor_is_said)
{
	static const struct {
		const char *body, *wrong, *accessor;
	} rows[] = {
		{ WRAPPED("\"" LENT "\"", "121", "\"" LEND "\"", "\"ac\""), "ttl", "ac" },
		{ WRAPPED("\"" LENT "\"", "0", "\"" LEND "\"", "\"ac\""), "ttl", "ac" },
		{ WRAPPED("\"" LENT "\"", "120", "\"" LEND "/x\"", "\"ac\""), "creation_path",
		    "ac" },
		{ WRAPPED("\"a b\"", "120", "\"" LEND "\"", "\"ac\""), "token", "ac" },
		{ WRAPPED("\"" LENT "\"", "120", "\"" LEND "\"", "\"\""), "wrapped_accessor", "" },
		{ WRAPPED("\"" LENT "\"", "120", "\"" LEND "\"", "\"a b\""), "wrapped_accessor",
		    "" },
		{ "{\"auth\":{\"client_token\":\"" LENT "\"}}", "wrapped_accessor", "" },
		{ "{\"auth\":{\"client_token\":\"" LENT "\",\"accessor\":\"ac\"}}",
		    "wrapped_accessor", "ac" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		char why[128];
		struct vault_said got;

		answers(s, 200, rows[i].body);
		got = lend(s);
		(void)snprintf(why, sizeof(why),
		    "the wrap_info of " LEND " has another %s than was asked for", rows[i].wrong);
		assert_string_equal(got.why, why);
		assert_string_equal(got.accessor, rows[i].accessor);
		assert_false(got.is_done);
		assert_true(got.is_wrong);
		assert_int_equal(got.is_unsure, rows[i].accessor[0] == '\0');
		assert_false(is_kept(s));
	}
}

SCENE_TEST(an_answer_of_nothing_may_have_made_one)
{
	struct vault_said got;

	answers(s, 204, "");
	got = lend(s);
	assert_true(!got.is_done && got.is_unsure);
	assert_false(is_kept(s));
}

SCENE_TEST(where_too_many_wait_it_is_not_kept_and_its_accessor_is_said)
{
	struct vault_said got;

	for (int64_t i = 1; i <= LOAN_SHELF_PLACES; i++)
		assert_true(loan_shelf_put(s->perform.loans, 1000 + i, "hvs.other"));
	answers(s, 200, GOOD);
	got = lend(s);
	assert_true(!got.is_done && !got.is_unsure);
	assert_string_equal(got.accessor, "Ab.c_D-9");
	assert_string_equal(got.why, "64 loans wait to be fetched");
	assert_false(is_kept(s));
}

SCENE_TEST(what_vault_refuses_was_surely_not_made)
{
	static const struct {
		int status;
		const char *why;
	} rows[] = {
		{ 400, "HTTP 400: no" },
		{ 403, "Vault does not let deploybot do that: HTTP 403: no" },
		{ 404, "HTTP 404: not there, or not allowed: no" },
		{ 429, "HTTP 429: no" },
		{ 503, "HTTP 503: no" },
		{ 418, "HTTP 418: no" },
		{ 307, "HTTP 307, which points to no other host" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct vault_said got;

		answers(s, rows[i].status, "{\"errors\":[\"no\"]}");
		got = lend(s);
		assert_true(!got.is_done && !got.is_unsure);
		assert_string_equal(got.why, rows[i].why);
		assert_string_equal(got.accessor, "");
		assert_int_equal(got.retry_after_s,
		    rows[i].status == 429     ? 60 :
			rows[i].status == 503 ? 5 :
						0);
		assert_int_equal(s->asked, i + 1);
	}
	assert_false(is_kept(s));
}

SCENE_TEST(an_answer_that_is_torn_or_lost_may_have_made_one_and_nothing_is_repeated)
{
	struct vault_said got;

	answers(s, 200, "{\"wrap_info\":{\"token\":\"" LENT);
	got = lend(s);
	assert_true(!got.is_done && got.is_unsure);
	assert_string_equal(got.accessor, "");
	answers(s, 0, NULL);
	perform(s, EFFECT_VAULT_LEND, (struct effect_vault){ .name = "x", .ttl_s = 60 }, false);
	UNTIL(s, s->held != NULL);
	ahead_s += 20;
	got = said(s);
	assert_true(!got.is_done && got.is_unsure);
	assert_string_not_equal(got.why, "");
	assert_int_equal(s->asked, 2);
	assert_false(is_kept(s));
}

SCENE_TEST(what_was_never_sent_was_not_made)
{
	struct vault_said got;

	http_server_free(TAKE(s->server));
	got = lend(s);
	assert_true(!got.is_done && !got.is_unsure);
	assert_string_not_equal(got.why, "");
}

SCENE_TEST(without_a_vault_nothing_is_sent)
{
	struct vault_said got;

	vault_free(s->perform.vault);
	settings_unref(s->settings);
	s->settings = LOAD(NULL, COMPLETE);
	s->perform.vault = vault_new(s->loop, s->settings);
	got = lend(s);
	assert_true(!got.is_done && !got.is_unsure);
	assert_string_equal(got.why, "VAULT_ADDR is not set");
	got = end_token(s, 0, false);
	assert_false(got.is_done);
	assert_string_equal(got.why, "VAULT_ADDR is not set");
}

SCENE_TEST(what_was_being_made_when_the_program_ended_is_made_by_nobody)
{
	struct vault_said got;

	perform(s, EFFECT_VAULT_LEND, (struct effect_vault){ .name = "x", .ttl_s = 60 }, true);
	got = said(s);
	assert_true(!got.is_done && got.is_unsure);
	assert_string_equal(got.why, "deploybot was restarted while Vault made it");
	assert_true(got.accessor[0] == '\0' && s->asked == 0);
}

/* --- the value itself --- */

#define VALUE "of-the-loan-0031"
#define CHILD "{\"auth\":{\"client_token\":\"hvs.CAESIOfTheChild\",\"accessor\":\"Ab.c_D-9\"}}"

static struct vault_said
read_it(struct scene *s, const char *path)
{
	struct effect_vault what = { .name = "db-migrate", .ttl_s = 900 };
	struct vault_said got;

	s->asked = 0;
	s->child = s->child == NULL ? CHILD : s->child;
	(void)text_copy(what.value, sizeof(what.value), path);
	perform(s, EFFECT_VAULT_LEND, what, false);
	got = said(s);
	assert_true(strstr(got.why, VALUE) == NULL && !is_kept(s)); /* as a token */
	return got;
}

static bool
has_value(struct scene *s, const char *value)
{
	char *got = loan_shelf_take_value(s->perform.loans, WORK);
	bool is_it = got != NULL && strcmp(got, value) == 0;

	free(got);
	return is_it;
}

SCENE_TEST(a_value_is_read_by_a_child_of_the_lent_policy_alone_and_kept_for_its_work)
{
	static const struct {
		const char *path, *url, *body, *value;
	} rows[] = {
		{ "kv2 secret a/b field=c", "secret/data/a/b",
		    "{\"data\":{\"data\":{\"c\":\"" VALUE
		    "\\n\xc3\xa4\",\"d\":1},\"metadata\":{}}}",
		    VALUE "\n\xc3\xa4" },
		{ "kv1 kv a field=c", "kv/a", "{\"data\":{\"c\":\"" VALUE "\"}}", VALUE },
		{ "kv2 secret a", "secret/data/a",
		    "{\"data\":{\"data\":{\"d\":1,\"c\":\"" VALUE "\"},\"metadata\":{}}}",
		    "{\"d\":1,\"c\":\"" VALUE "\"}" },
		{ "kv1 kv a field=data", "kv/a", "{\"data\":{\"data\":\"" VALUE "\"}}", VALUE },
		{ "creds database migrate field=password", "database/creds/migrate",
		    "{\"data\":{\"username\":\"u\",\"password\":\"" VALUE "\"}}", VALUE },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		char heard[64];
		struct vault_said got;

		answers(s, 200, rows[i].body);
		got = read_it(s, rows[i].path);
		(void)snprintf(heard, sizeof(heard), "/v1/%s||", rows[i].url);
		assert_string_equal(s->heard, heard);
		assert_string_equal(s->token_shown, "hvs.CAESIOfTheChild");
		assert_non_null(strstr(s->made_by, "[\"deploybot-secret-db-migrate\"]"));
		assert_true(got.is_done && got.why[0] == '\0');
		assert_string_equal(got.accessor, "Ab.c_D-9");
		assert_int_equal(s->asked, 2);
		assert_true(has_value(s, rows[i].value) && !has_value(s, rows[i].value));
	}
}

SCENE_TEST(a_value_that_cannot_be_delivered_is_said_why)
{
	static const struct {
		int status;
		const char *body, *why;
		int64_t retry_after_s;
	} rows[] = {
		{ 200, "{\"data\":{\"d\":\"" VALUE "\"}}", "there is no field c at that path", 0 },
		{ 200, "{\"data\":{\"c\":17}}", "its field c is no text", 0 },
		{ 200, "{\"data\":{\"c\":\"\"}}", "it is shorter than 6 bytes", 0 },
		{ 200, "{\"data\":{\"c\":\"12345\"}}", "it is shorter than 6 bytes", 0 },
		{ 200, "{\"data\":null}", "there are no fields at that path", 0 },
		{ 200, "{\"data\":[\"" VALUE "\"]}", "there are no fields at that path", 0 },
		{ 200, "{\"data\":{\"c\":\"" VALUE "\\u0000\"}}", "Vault's answer is no JSON", 0 },
		{ 200, "{\"data\":{\"c\":\"" VALUE "\xff\"}}", "Vault's answer is no JSON", 0 },
		{ 204, "", "there are no fields at that path", 0 },
		{ 403, "{\"errors\":[\"no\"]}",
		    "Vault's policy of that secret does not let it be read: HTTP 403: no", 0 },
		{ 404, "{\"errors\":[]}", "HTTP 404: not there, or not allowed", 0 },
		{ 404, "{\"data\":{\"data\":null,\"metadata\":{\"version\":2}}}",
		    "HTTP 404: that version was deleted", 0 },
		{ 429, "{\"errors\":[\"no\"]}", "HTTP 429: no", 60 },
		{ 503, "{\"errors\":[\"no\"]}", "HTTP 503: no", 5 },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct vault_said got;

		answers(s, rows[i].status, rows[i].body);
		got = read_it(s, "kv1 kv a field=c");
		if (!text_starts(got.why, rows[i].why))
			fail_msg("%s: %s", rows[i].body, got.why);
		assert_true(!got.is_done && !got.is_unsure && !got.is_wrong);
		assert_string_equal(got.accessor, "Ab.c_D-9"); /* of the child, which ends */
		assert_int_equal(got.retry_after_s, rows[i].retry_after_s);
		assert_null(loan_shelf_take_value(s->perform.loans, WORK));
	}
}

SCENE_TEST(the_longest_value_is_kept_and_a_longer_one_is_not)
{
	static char body[80 << 10];
	CLEANUP(freep) char *value = mem_alloc(VAULT_VALUE_MAX + 2);

	for (uint32_t i = 0, seed = 1; i <= VAULT_VALUE_MAX;
	     i++) /* what repeats itself is refused */
		value[i] = (char)('a' + ((seed = seed * 1664525 + 1013904223) >> 24) % 26);
	value[VAULT_VALUE_MAX + 1] = '\0';
	(void)snprintf(body, sizeof(body), "{\"data\":{\"c\":\"%s\"}}", value);
	answers(s, 200, body);
	assert_string_equal(read_it(s, "kv1 kv a field=c").why, "it is longer than 64 KB");
	value[VAULT_VALUE_MAX] = '\0';
	(void)snprintf(body, sizeof(body), "{\"data\":{\"c\":\"%s\"}}", value);
	assert_true(read_it(s, "kv1 kv a field=c").is_done);
	assert_true(has_value(s, value));
	answers(s, 200, "{\"data\":{\"c\":\"abcdef\"}}"); /* of that one no more is kept */
	assert_int_equal(read_it(s, "kv1 kv a field=c").retry_after_s, 5);
	assert_null(loan_shelf_take_value(s->perform.loans, WORK));
}

SCENE_TEST(what_was_made_to_read_it_is_said_by_its_accessor_and_made_once)
{
	struct vault_said got;

	answers(s, 403, "{\"errors\":[\"no\"]}");
	got = read_it(s, "creds database migrate");
	assert_false(got.is_done);
	assert_string_equal(got.accessor, "Ab.c_D-9");
	assert_string_equal(
	    got.why, "Vault's policy of that secret does not let it be read: HTTP 403: no");
	assert_int_equal(s->asked, 2); /* nothing that Vault may have made is asked for twice */
	s->child = "{\"auth\":{\"client_token\":\"hvs.x\"}}";
	got = read_it(s, "creds database migrate");
	assert_true(!got.is_done && got.is_wrong && got.is_unsure);
	assert_int_equal(s->asked, 1);
	s->child = "{\"auth\":{\"client_token\":\"a b\",\"accessor\":\"ac\"}}";
	got = read_it(s, "creds database migrate");
	assert_true(!got.is_done && got.is_wrong && !got.is_unsure);
	assert_string_equal(got.accessor, "ac");
}

/* --- a token ends --- */

SCENE_TEST(a_token_is_revoked_by_its_accessor_and_nobody_has_it_then)
{
	assert_true(loan_shelf_put(s->perform.loans, WORK, LENT));
	answers(s, 204, "");
	for (int again = 0; again < 2; again++) {
		assert_true(end_token(s, 0, again != 0).is_done);
		assert_string_equal(s->heard, "/v1/" REVOKE "||{\"accessor\":\"Ab.c_D-9\"}");
		assert_false(is_kept(s));
	}
	assert_int_equal(s->asked, 2);
}

SCENE_TEST(a_token_that_was_not_revoked_is_said_so)
{
	static const int statuses[] = { 400, 403, 404, 429, 503 };

	for (size_t i = 0; i < COUNT(statuses); i++) {
		struct vault_said got;
		char why[32];

		answers(s, statuses[i], "{\"errors\":[\"no\"]}");
		got = end_token(s, 0, false);
		(void)snprintf(why, sizeof(why), "HTTP %d", statuses[i]);
		assert_false(got.is_done);
		assert_int_equal(got.retry_after_s, statuses[i] == 429 ? 60 : 0);
		assert_true(text_starts(got.why, why));
	}
}

static void
turns(struct scene *s)
{
	for (int i = 0; i < 20; i++, s->is_over = false) {
		loop_timer_start(s->loop, &s->patience, 1, 0);
		loop_run_once(s->loop);
	}
}

/* It waits an hour at most, which Vault may ask for, whatever the clock was. */
SCENE_TEST(a_token_is_revoked_when_its_time_has_come_and_not_before)
{
	for (int i = 0; i < 2; i++) {
		s->asked = 0;
		answers(s, 204, "");
		perform(s, EFFECT_VAULT_REVOKE,
		    (struct effect_vault){ .accessor = "ac",
			.not_before = i == 0 ? clock_wall_ms() + 1800000 : INT64_MAX },
		    false);
		turns(s);
		ahead_s += i == 0 ? 1790 : 3590;
		turns(s);
		assert_int_equal(s->asked, 0);
		ahead_s += 20;
		turns(s);
		assert_true(
		    s->perform.jobs == NULL || !loop_timer_is_started(&s->perform.jobs->timer));
		assert_true(said(s).is_done);
		assert_int_equal(s->asked, 1);
	}
}

/* --- was it used? --- */

static void
look(struct scene *s, int64_t in_ms)
{
	perform(s, EFFECT_VAULT_LOOK,
	    (struct effect_vault){ .not_before = clock_wall_ms() + in_ms }, false);
}

/* 400 is what Vault says of a wrapping token that is used; whatever else it says means nothing. */
SCENE_TEST(vault_says_whether_it_was_used_or_says_nothing)
{
	static const struct {
		int status;
		bool is_done, is_used;
	} rows[] = {
		{ 200, true, false },
		{ 400, false, true },
		{ 403, false, false },
		{ 404, false, false },
		{ 429, false, false },
		{ 503, false, false },
		{ 307, false, false },
	};

	assert_true(loan_shelf_put(s->perform.loans, WORK, LENT));
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct vault_said got;

		answers(s, rows[i].status,
		    "{\"data\":{\"creation_ttl\":120},\"errors\":[\"wrapping token is not valid\"]}");
		look(s, 0);
		got = said(s);
		assert_int_equal(got.is_done, rows[i].is_done);
		assert_int_equal(got.is_used, rows[i].is_used);
		assert_string_equal(s->heard, "/v1/" LOOK "||{\"token\":\"" LENT "\"}");
		assert_int_equal(s->asked, i + 1);
	}
	assert_true(is_kept(s)); /* whoever looks takes nothing; what was given is looked at too */
	answers(s, 200, "{\"data\":{}}");
	look(s, 0);
	assert_true(said(s).is_done);
}

SCENE_TEST(an_answer_that_does_not_come_says_nothing)
{
	look(s, 0);
	assert_string_equal(said(s).why, "nothing is kept of it");
	assert_int_equal(s->asked, 0);
	assert_true(loan_shelf_put(s->perform.loans, WORK, LENT));
	answers(s, 0, NULL);
	look(s, 0);
	UNTIL(s, s->held != NULL);
	ahead_s += 20;
	const struct vault_said got = said(s);

	assert_false(got.is_done || got.is_used);
}

SCENE_TEST(vault_is_asked_when_its_time_has_come_and_not_before)
{
	assert_true(loan_shelf_put(s->perform.loans, WORK, LENT));
	answers(s, 200, "{\"data\":{}}");
	look(s, 30000);
	turns(s);
	ahead_s += 25;
	turns(s);
	assert_int_equal(s->asked, 0);
	ahead_s += 6;
	assert_true(said(s).is_done);
	assert_int_equal(s->asked, 1);
	/* A clock that was ahead: two minutes at most, and nothing is kept by then. */
	look(s, INT32_MAX);
	ahead_s += 121;
	turns(s);
	assert_non_null(s->result);
	assert_string_equal(said(s).why, "nothing is kept of it");
}

/* Under the sanitizers: what waits for its time or for Vault is freed, and its row stays. */
SCENE_TEST(the_program_may_end_meanwhile)
{
	answers(s, 0, NULL);
	perform(s, EFFECT_VAULT_LEND, (struct effect_vault){ .name = "x", .ttl_s = 60 }, false);
	UNTIL(s, s->held != NULL);
	perform(s, EFFECT_VAULT_REVOKE,
	    (struct effect_vault){ .accessor = "ac", .not_before = INT64_MAX }, false);
	perform(s, EFFECT_VAULT_REVOKE, (struct effect_vault){ .accessor = "ac" }, true);
	look(s, 30000);
	perform_done(&s->perform);
	assert_true(s->perform.jobs == NULL && s->result == NULL);
}
