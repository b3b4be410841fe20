/* Goal: doctor says how Vault stands, and of whatever is wrong with it what to do.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "cli/doctor/doctor.h"

#include <stdlib.h>
#include <time.h>

#include "lib/buf.h"
#include "lib/http_server.h"
#include "lib/http_server_inside.h"
#include "settings_aid.h"
#include "tests/unit/until.h"

#define OWN	"VAULT_TOKEN=hvs.CAESIOwnTokenOfTheServer01"
#define HEALTHY "{\"initialized\":true,\"sealed\":false,\"standby\":false,\"version\":\"1.19.0\"}"
#define EXPIRES "\"expire_time\":\"2027-01-01T00:00:00Z\""
#define GOOD	"{\"data\":{\"ttl\":2460,\"renewable\":true," EXPIRES "}}"
#define DENIED	"{\"errors\":[\"permission denied\"]}"

#define LENT "SECRET_DB_MIGRATE_PATH=kv2 secret django/database" /* where it ends, all ends */
#define LENT_MORE \
	"SECRET_DB_MIGRATE_FOR=production", "SECRET_DB_MIGRATE_TTL=1h", \
	    "SECRET_CI_PATH=creds database migrate", "SECRET_CI_FOR=staging"

/* What Vault answers: by the end of the path. */
struct script {
	const char *end;
	int status;
	const char *body;
	struct http_header header; /* besides the Date */
};

#define NONE \
	{ \
		NULL, NULL \
	}
#define END \
	{ \
		NULL, 0, NULL, NONE \
	}

struct scene {
	struct loop *loop;
	struct loop_timer patience;
	bool is_over;
	struct http_server *server;
	struct http_route routes[2];
	const struct script *scripts; /* up to one without an end */
	int64_t ahead_s;	      /* our clock */
	int revoked;		      /* tokens that Vault was told to end */
	struct buf asked;	      /* path and body of each request about what is lent */
	bool lends;		      /* two secrets, for 10 min and for 1 h */
	bool delivers;		      /* CI's value */
	bool value_of_db;	      /* that of db-migrate */
	struct doctor doctor;
};

static void
on_request(struct http_request *request, void *ctx)
{
	struct scene *s = ctx;
	const struct script *script = s->scripts;
	time_t then = time(NULL) - s->ahead_s;
	const char *wrap = http_request_header(request, "X-Vault-Wrap-TTL");
	char date[64];
	struct tm tm;

	s->revoked += strstr(request->path, "/auth/token/revoke-self") != NULL;
	if (strstr(request->path, "/create/") != NULL || strstr(request->path, "-accessor") != NULL)
		buf_addf(&s->asked, "%s%s%s %.*s\n", wrap != NULL ? wrap : "",
		    wrap != NULL ? "s of " : "", strrchr(request->path, '/') + 1,
		    (int)request->body_size, request->body);
	while (script->end != NULL && strstr(request->path, script->end) == NULL)
		script++;
	(void)strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&then, &tm));
	http_request_answer(request, script->end == NULL ? 404 : script->status,
	    (const struct http_header[]){ { "Date", date }, script->header, { NULL, NULL } },
	    script->end == NULL ? "{}" : script->body,
	    strlen(script->end == NULL ? "{}" : script->body));
}

/* What is found there, of that level; "": it is not asked. */
static void
ask(struct scene *s, const struct script scripts[], const char *login)
{
	char address[64];

	s->scripts = scripts;
	(void)snprintf(address, sizeof(address), "VAULT_ADDR=http://127.0.0.1:%u",
	    http_server_port(s->server));
	buf_clear(&s->asked);
	s->doctor.count = 0;
	s->doctor.loop = s->loop;
	s->doctor.settings = strchr(login, ' ') == NULL ?
	    LOAD(NULL, COMPLETE, address, login, s->lends ? LENT : NULL, LENT_MORE,
		s->delivers	   ? "SECRET_CI_DELIVERS=value" :
		    s->value_of_db ? "SECRET_DB_MIGRATE_DELIVERS=value" :
				     NULL,
		"PUBLIC_URL=https://bot.example.org") :
	    LOAD(NULL, COMPLETE, address, "VAULT_ROLE_ID=deploybot",
		"VAULT_SECRET_ID=0123456789abcdef0123", s->lends ? LENT : NULL, LENT_MORE,
		s->delivers ? "SECRET_CI_DELIVERS=value" : NULL,
		"PUBLIC_URL=https://bot.example.org");
	assert_non_null(s->doctor.settings);
	doctor_vault(&s->doctor);
	UNTIL(s, s->doctor.open == 0);
	doctor_end(&s->doctor);
	settings_unref(s->doctor.settings);
}

static bool
has(const struct scene *s, enum doctor_level level, const char *text)
{
	for (size_t i = 0; i < s->doctor.count; i++)
		if (s->doctor.findings[i].level == level &&
		    strstr(s->doctor.findings[i].text, text) != NULL)
			return true;
	return false;
}

#define FOUND(s, level, part) \
	do { \
		if (!has(s, DOCTOR_##level, part)) \
			fail_msg("not found: %s; first: %s", part, \
			    (s)->doctor.count > 0 ? (s)->doctor.findings[0].text : "(none)"); \
	} while (0)

static void
on_patience_over(UNUSED struct loop_timer *timer, void *ctx)
{
	((struct scene *)ctx)->is_over = true;
}

static int
set_up(void **state)
{
	struct scene *s = calloc(1, sizeof(*s));
	struct http_server_config config = { .routes = s->routes, .route_count = 2 };

	s->asked = buf_make(16384);
	s->loop = loop_new(NULL);
	loop_timer_init(&s->patience, on_patience_over, s);
	for (size_t i = 0; i < 2; i++)
		s->routes[i] = (struct http_route){ .methods = i == 0 ? "POST" : "GET",
			.path = "/v1/",
			.body_max = i == 0 ? 65536 : 0,
			.answer_timeout_ms = 60000,
			.on_request = on_request,
			.ctx = s };
	s->server = http_server_new(s->loop, &config, "127.0.0.1:0", NULL);
	assert_non_null(s->server);
	*state = s;
	return 0;
}

static int
tear_down(void **state)
{
	struct scene *s = *state;

	buf_done(&s->asked);
	http_server_free(s->server);
	loop_free(s->loop);
	free(s);
	return 0;
}

#define SCENE_TEST(name) TEST_OF(name, struct scene *s, set_up, tear_down)

SCENE_TEST(a_good_vault_is_one_line_with_its_version_and_our_tokens_end)
{
	ask(s,
	    (const struct script[]){
		{ "health", 200, HEALTHY, NONE }, { "self", 200, GOOD, NONE }, END },
	    OWN);
	assert_int_equal(s->doctor.count, 1);
	FOUND(s, OK, "Vault: 1.19.0, unsealed, token ends in 41 min");
	ask(s,
	    (const struct script[]){
		{ "health", 429, "{\"initialized\":true,\"sealed\":false,\"standby\":true}", NONE },
		{ "self", 200, "{\"data\":{\"ttl\":0,\"expire_time\":null}}", NONE }, END },
	    OWN);
	assert_int_equal(s->doctor.count, 1);
	FOUND(s, OK, "Vault: unsealed (a standby, which asks the active node), token does not end");
	ask(s,
	    (const struct script[]){
		{ "health", 429, "", NONE }, { "self", 200, GOOD, NONE }, END },
	    OWN);
	FOUND(s, OK, "Vault: unsealed (a standby");
}

SCENE_TEST(a_node_that_answers_nothing_is_said_with_what_to_do)
{
	static const struct {
		const char *health, *said;
	} rows[] = {
		{ "{\"initialized\":true,\"sealed\":true}",
		    "is sealed, and answers nothing: who has its keys unseals it: vault operator unseal" },
		{ "{\"initialized\":false,\"sealed\":true}",
		    "is not initialized: vault operator init" },
		{ "{\"initialized\":true,\"sealed\":false,\"replication_dr_mode\":\"secondary\"}",
		    "is a secondary for disaster recovery" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		ask(s,
		    (const struct script[]){
			{ "health", 503, rows[i].health, NONE }, { "self", 503, "{}", NONE }, END },
		    OWN);
		assert_int_equal(s->doctor.count, 1);
		FOUND(s, ERROR, rows[i].said);
	}
}

SCENE_TEST(a_token_or_a_login_that_is_refused_is_said_with_what_to_make)
{
	ask(s,
	    (const struct script[]){
		{ "health", 200, HEALTHY, NONE }, { "self", 403, DENIED, NONE }, END },
	    OWN);
	assert_int_equal(s->doctor.count, 1);
	FOUND(s, ERROR,
	    "Vault: VAULT_TOKEN is refused (HTTP 403: permission denied): it has ended or was revoked; put another one there");
	ask(s,
	    (const struct script[]){ { "health", 200, HEALTHY, NONE },
		{ "login", 400, "{\"errors\":[\"invalid role or secret ID\"]}", NONE }, END },
	    "by role");
	assert_int_equal(s->doctor.count, 1);
	FOUND(s, ERROR, "Vault: VAULT_ROLE_ID with VAULT_SECRET_ID is refused (");
	FOUND(s, ERROR, "HTTP 400: invalid role or secret ID): put another secret id there");
	ask(s,
	    (const struct script[]){ { "health", 200, HEALTHY, NONE },
		{ "login", 200,
		    "{\"auth\":{\"client_token\":\"hvs.x\",\"lease_duration\":60,\"renewable\":true}}",
		    NONE },
		{ "self", 403, DENIED, NONE }, END },
	    "by role");
	FOUND(s, ERROR, "Vault: our own policy lacks auth/token/lookup-self (HTTP 403");
}

SCENE_TEST(the_token_of_doctors_own_login_ends_with_it_and_the_servers_lives_on)
{
	const struct script good[] = { { "health", 200, HEALTHY, NONE },
		{ "login", 200,
		    "{\"auth\":{\"client_token\":\"hvs.x\",\"lease_duration\":60,\"renewable\":true}}",
		    NONE },
		{ "revoke-self", 204, "", NONE }, { "self", 200, GOOD, NONE }, END };

	ask(s, good, OWN);
	assert_int_equal(s->revoked, 0);
	ask(s, good, "by role");
	assert_int_equal(s->revoked, 1);
	assert_int_equal(s->doctor.count, 1);
	FOUND(s, OK, "Vault: 1.19.0, unsealed, token ends in 41 min");
}

SCENE_TEST(a_token_that_ends_or_may_do_everything_is_warned_of)
{
	ask(s,
	    (const struct script[]){ { "health", 200, HEALTHY, NONE },
		{ "self", 200, "{\"data\":{\"ttl\":2460,\"renewable\":false," EXPIRES "}}", NONE },
		END },
	    OWN);
	assert_int_equal(s->doctor.count, 2);
	FOUND(
	    s, WARNING, "Vault: VAULT_TOKEN cannot be renewed and ends in 41 min: put a periodic");
	ask(s,
	    (const struct script[]){ { "health", 200, HEALTHY, NONE },
		{ "self", 200,
		    "{\"data\":{\"ttl\":0,\"expire_time\":null,\"policies\":[\"root\"]}}", NONE },
		END },
	    OWN);
	FOUND(s, WARNING, "Vault: VAULT_TOKEN may do everything at Vault (policy root)");
}

SCENE_TEST(a_quota_a_redirect_and_another_program_are_told_apart)
{
	ask(s,
	    (const struct script[]){ { "health", 200, HEALTHY, NONE },
		{ "self", 429, DENIED, { "Retry-After", "7" } }, END },
	    OWN);
	FOUND(s, WARNING, "Vault: a quota bounds how often it is asked (HTTP 429");
	FOUND(s, WARNING, "again in 7 s");
	ask(s,
	    (const struct script[]){
		{ "/", 307, "", { "Location", "https://10.0.0.9:8200/v1/sys/health" } }, END },
	    OWN);
	assert_int_equal(s->doctor.count, 1);
	FOUND(s, ERROR, "answers HTTP 307, which points to 10.0.0.9:8200, and no token follows");
	ask(s,
	    (const struct script[]){
		{ "health", 403, "<html>", NONE }, { "self", 200, GOOD, NONE }, END },
	    OWN);
	assert_int_equal(s->doctor.count, 1);
	FOUND(s, ERROR, "does not answer as Vault does (HTTP 403)");
	ask(s, (const struct script[]){ { "/", 200, "<html>", NONE }, END }, OWN);
	assert_int_equal(s->doctor.count, 1);
	FOUND(s, ERROR, "does not answer as Vault does (HTTP 200 with half a body");
}

SCENE_TEST(two_clocks_that_differ_are_warned_of)
{
	const struct script good[] = { { "health", 200, HEALTHY, NONE },
		{ "self", 200, GOOD, NONE }, END };

	s->ahead_s = 90;
	ask(s, good, OWN);
	FOUND(s, WARNING, "s ahead of Vault's, and what ends is not what it seems: set up time");
	s->ahead_s = -90;
	ask(s, good, OWN);
	FOUND(s, WARNING, "s behind Vault's");
	s->ahead_s = 10;
	ask(s, good, OWN);
	assert_int_equal(s->doctor.count, 1);
}

SCENE_TEST(a_vault_that_is_away_is_asked_once)
{
	char address[64];

	(void)snprintf(address, sizeof(address), "VAULT_ADDR=http://127.0.0.1:%u",
	    http_server_port(s->server));
	http_server_free(s->server);
	s->server = NULL;
	s->doctor.loop = s->loop;
	s->doctor.settings = LOAD(NULL, COMPLETE, address, OWN);
	doctor_vault(&s->doctor);
	UNTIL(s, s->doctor.open == 0);
	doctor_end(&s->doctor);
	settings_unref(s->doctor.settings);
	assert_int_equal(s->doctor.count, 1);
	FOUND(s, ERROR, "does not answer (");
	FOUND(s, ERROR, "is VAULT_ADDR right, may deploybot connect there");
}

/* --- the role --- */

#define ROLE	       "Vault: role deploybot-lend: "
#define MAKES	       ": vault write auth/token/roles/deploybot-lend "
#define GLOB	       "\"deploybot-secret-*\""
#define ROLE_IS(parts) "{\"data\":{" parts "}}"

#define CREATE	"/auth/token/create/deploybot-lend"
#define MAY	"/sys/capabilities-accessor"
#define DB_PATH "secret/data/django/database"
#define CI_PATH "database/creds/migrate"
#define WRAP_OF(accessor, path) \
	"{\"wrap_info\":{\"token\":\"hvs.wrapping\",\"accessor\":\"wrapper\",\"ttl\":60," \
	"\"creation_path\":\"" path "\",\"wrapped_accessor\":\"" accessor "\"}}"
#define MADE CREATE, 200, WRAP_OF("made", "auth/token/create/deploybot-lend"), NONE
#define MAY_BOTH(db, ci) \
	MAY, 200, "{\"data\":{\"" DB_PATH "\":[" db "],\"" CI_PATH "\":[" ci "]}}", NONE
#define REVOKES			"/auth/token/revoke-accessor", 204, "", NONE
#define MOUNT_IS(type, options) "{\"data\":{\"type\":\"" type "\",\"options\":" options "}}"
#define KV2			"/mounts/secret", 200, MOUNT_IS("kv", "{\"version\":\"2\"}"), NONE
#define DATABASE		"/mounts/database", 200, MOUNT_IS("database", "null"), NONE
/* Vault with the secrets of LENT. */
#define ROLE_OF(status, role) \
	{ "health", 200, HEALTHY, NONE }, { "lookup-self", 200, GOOD, NONE }, \
	{ \
		"/auth/token/roles/deploybot-lend", status, role, NONE \
	}
#define ALL_SECRETS \
	{ MADE }, { MAY_BOTH("\"read\"", "\"list\",\"read\"") }, { REVOKES }, { KV2 }, \
	{ \
		DATABASE \
	}

/* With what Vault says of its role; *s has the findings. */
static void
ask_role(struct scene *s, int status, const char *role)
{
	s->lends = true;
	ask(s, (const struct script[]){ ROLE_OF(status, role), ALL_SECRETS, END }, OWN);
}

/* A good one, but for what a part says; NULL: that is left out. */
static void
ask_role_but(struct scene *s, const char *name, const char *value)
{
	static const struct {
		const char *name, *value;
	} members[] = { { "orphan", "true" }, { "allowed_policies_glob", "[" GLOB "]" },
		{ "allowed_policies", "[]" }, { "token_no_default_policy", "true" },
		{ "token_type", "\"service\"" }, { "renewable", "true" }, { "token_period", "0" },
		{ "token_explicit_max_ttl", "3600" } };
	CLEANUP(buf_done) struct buf body = buf_make(1024);

	buf_adds(&body, "{\"data\":{\"name\":\"deploybot-lend\"");
	for (size_t i = 0; i < COUNT(members); i++) {
		const char *is = strcmp(members[i].name, name) == 0 ? value : members[i].value;

		if (is != NULL)
			buf_addf(&body, ",\"%s\":%s", members[i].name, is);
	}
	buf_adds(&body, "}}");
	ask_role(s, 200, buf_text(&body));
}

#define ALL_IS_GOOD \
	"Vault: 1.19.0, unsealed, token ends in 41 min; role deploybot-lend: orphan, deploybot-secret-* alone; 2 secrets: policies and mounts are right"

SCENE_TEST(a_role_that_is_as_it_should_be_is_a_part_of_that_line)
{
	static const struct {
		const char *name, *value;
	} fine[] = { { "", "" }, { "allowed_policies", "null" }, { "allowed_policies", NULL },
		{ "token_no_default_policy", NULL }, /* before Vault 1.9 */
		{ "token_type", "\"default-service\"" }, { "renewable", "false" },
		{ "token_explicit_max_ttl", "0" }, { "token_explicit_max_ttl", "86400" } };

	for (size_t i = 0; i < COUNT(fine); i++) {
		ask_role_but(s, fine[i].name, fine[i].value);
		FOUND(s, OK, ALL_IS_GOOD);
		assert_int_equal(s->doctor.count, 1);
	}
}

SCENE_TEST(each_thing_of_a_role_that_differs_is_said_with_what_to_write)
{
	static const struct {
		const char *name, *value;
		enum doctor_level level;
		const char *said;
	} rows[] = {
		{ "orphan", "false", DOCTOR_ERROR,
		    ROLE "orphan is false, so that what is lent ends with our own token" MAKES
			 "orphan=true" },
		{ "allowed_policies_glob", "[]", DOCTOR_ERROR,
		    ROLE "allowed_policies_glob is not deploybot-secret-* alone, so that" },
		{ "allowed_policies_glob", "null", DOCTOR_ERROR,
		    MAKES "allowed_policies_glob='deploybot-secret-*'" },
		{ "allowed_policies_glob", "[\"deploybot-*\"]", DOCTOR_ERROR,
		    ROLE "allowed_policies_glob is not" },
		{ "allowed_policies_glob", "[" GLOB ",\"root\"]", DOCTOR_ERROR,
		    ROLE "allowed_policies_glob is not" },
		{ "allowed_policies_glob", GLOB, DOCTOR_ERROR,
		    ROLE "allowed_policies_glob is not" },
		{ "allowed_policies", "[\"deploybot\"]", DOCTOR_ERROR,
		    ROLE "allowed_policies allows policies besides deploybot-secret-*, so that" },
		{ "allowed_policies", "\"deploybot\"", DOCTOR_ERROR, MAKES "allowed_policies=''" },
		{ "token_no_default_policy", "false", DOCTOR_WARNING,
		    MAKES "token_no_default_policy=true" },
		{ "token_type", "\"batch\"", DOCTOR_ERROR,
		    ROLE
		    "token_type is batch, of which none can be revoked, so that none is lent" MAKES
		    "token_type=service" },
		{ "token_type", "\"default-batch\"", DOCTOR_ERROR, ROLE "token_type is batch" },
		{ "token_period", "300", DOCTOR_WARNING,
		    ROLE "token_period is 5 min, and what is lent lives no longer than that" MAKES
			 "token_period=0" },
		{ "token_explicit_max_ttl", "3599", DOCTOR_WARNING,
		    ROLE "token_explicit_max_ttl is 59 min 59 s, and the loan of db-migrate" },
		{ "token_explicit_max_ttl", "3599", DOCTOR_WARNING,
		    "no longer than that instead of 1 h" MAKES "token_explicit_max_ttl=3600s" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		ask_role_but(s, rows[i].name, rows[i].value);
		if (!has(s, rows[i].level, rows[i].said))
			fail_msg("not found: %s", rows[i].said);
		FOUND(s, OK, "token ends in 41 min");
		assert_false(has(s, DOCTOR_OK, "; role"));
		assert_int_equal(s->doctor.count, 2);
	}
}

SCENE_TEST(a_role_of_which_all_differs_has_a_line_for_each)
{
	ask_role(s, 200,
	    ROLE_IS("\"orphan\":false,\"allowed_policies_glob\":[],\"allowed_policies\":[\"a\"],"
		    "\"token_no_default_policy\":false,\"token_type\":\"batch\","
		    "\"token_period\":60,\"token_explicit_max_ttl\":60"));
	assert_int_equal(s->doctor.count, 1 + 7);
	for (size_t i = 0; i < s->doctor.count; i++) /* to its end */
		assert_true(
		    strlen(s->doctor.findings[i].text) + 1 < sizeof(s->doctor.findings[i].text));
}

SCENE_TEST(a_role_that_is_not_there_is_said_with_what_makes_it)
{
	ask_role(s, 404, "{\"errors\":[]}");
	assert_int_equal(s->doctor.count, 2);
	FOUND(s, ERROR,
	    "Vault: no role deploybot-lend is there (VAULT_TOKEN_ROLE), and nothing is lent" MAKES
	    "allowed_policies_glob='deploybot-secret-*' orphan=true renewable=false token_no_default_policy=true "
	    "token_type=service token_explicit_max_ttl=3600s");
	FOUND(s, OK, "token ends in 41 min");
}

SCENE_TEST(each_secret_that_delivers_its_value_is_a_remark)
{
	s->delivers = true;
	ask_role(s, 403, DENIED);
	assert_int_equal(s->doctor.count, 3);
	FOUND(s, NOTE, "Vault: secret ci delivers its value: the server reads it");
}

SCENE_TEST(a_role_that_our_policy_may_not_read_is_a_remark)
{
	ask_role(s, 403, DENIED);
	assert_int_equal(s->doctor.count, 2);
	FOUND(s, NOTE,
	    "may not read role deploybot-lend, which is not looked at; for that it needs: path \"auth/token/roles/deploybot-lend\" { capabilities = [\"read\"] }");
	FOUND(s, OK, "token ends in 41 min");
}

SCENE_TEST(what_is_no_role_is_said)
{
	static const char *const none[] = { "{}", ROLE_IS(""), ROLE_IS("\"orphan\":true"),
		ROLE_IS("\"orphan\":\"true\",\"token_period\":0,\"token_explicit_max_ttl\":0") };

	for (size_t i = 0; i < COUNT(none); i++) {
		ask_role(s, 200, none[i]);
		assert_int_equal(s->doctor.count, 2);
		FOUND(s, ERROR, "does not answer as Vault does (the answer is no role");
		FOUND(s, OK, "token ends in 41 min");
	}
	ask_role(s, 503, "{\"errors\":[\"Vault is sealed\"]}");
	FOUND(s, ERROR, "does not answer as Vault does (HTTP 503: Vault is sealed)");
}

SCENE_TEST(without_secrets_no_role_is_asked_for_and_behind_it_a_login_ends)
{
	const struct script scripts[] = { { "health", 200, HEALTHY, NONE },
		{ "login", 200,
		    "{\"auth\":{\"client_token\":\"hvs.x\",\"lease_duration\":60,\"renewable\":true}}",
		    NONE },
		{ "revoke-self", 204, "", NONE }, { "self", 200, GOOD, NONE }, END };

	ask(s, scripts, "by role");
	assert_int_equal(s->doctor.count, 1);
	assert_int_equal(s->revoked, 1);
	s->lends = true;
	ask(s, scripts, "by role");
	FOUND(s, ERROR, "Vault: no role deploybot-lend is there");
	assert_int_equal(s->revoked, 2);
}

/* --- each secret: its policy and its mount --- */

#define OF_DB "Vault: secret db-migrate: "
#define POLICY \
	OF_DB \
	"policy deploybot-secret-db-migrate is not there or does not let " DB_PATH " be read, so "
#define NOTHING "what is lent reads nothing"
#define WRITE \
	": vault policy write deploybot-secret-db-migrate - <<<'path \"" DB_PATH \
	"\" { capabilities = [\"read\"] }'"
#define GLOBS "\"allowed_policies_glob\":[" GLOB "]"
#define GOOD_ROLE \
	ROLE_IS("\"orphan\":true," GLOBS ",\"token_period\":0,\"token_explicit_max_ttl\":0")

/* All is good, but for what that row says. */
static void
ask_secrets_but(struct scene *s, struct script row)
{
	s->lends = true;
	ask(s, (const struct script[]){ row, ROLE_OF(200, GOOD_ROLE), ALL_SECRETS, END }, OWN);
}

SCENE_TEST(a_secret_that_could_not_be_read_at_vault_is_said_with_what_to_write)
{
	static const struct {
		const char *end;
		int status;
		const char *body, *said;
	} rows[] = {
		{ MAY, 200, "{\"data\":{\"" DB_PATH "\":[\"deny\"],\"" CI_PATH "\":[\"read\"]}}",
		    POLICY NOTHING WRITE },
		{ MAY, 200, "{\"data\":{\"" DB_PATH "\":[\"list\"],\"" CI_PATH "\":[\"read\"]}}",
		    POLICY NOTHING WRITE },
		{ MAY, 200, "{\"data\":{\"" CI_PATH "\":[\"read\"]}}", POLICY NOTHING WRITE },
		{ CREATE, 400, "{\"errors\":[\"unknown role deploybot-lend\"]}",
		    "Vault: no token is made for what is lent, so nothing is lent (HTTP 400: unknown role deploybot-lend)" },
		{ CREATE, 403, DENIED,
		    "nothing is lent (HTTP 403: permission denied); for that our own policy needs: path \"auth/token/create/deploybot-lend\" { capabilities = [\"update\"] }" },
		{ CREATE, 200, WRAP_OF("made", "auth/token/create/another"),
		    "nothing is lent (the wrap_info of auth/token/create/deploybot-lend has another creation_path than was asked for)" },
		{ "/revoke-accessor", 403, DENIED,
		    "Vault: what is lent cannot be revoked, and lives until its _TTL is over (HTTP 403: permission denied); for that our own policy needs: path \"auth/token/revoke-accessor\" { capabilities = [\"update\"] }" },
		{ "/mounts/secret", 200, MOUNT_IS("kv", "null"),
		    OF_DB
		    "mount secret is kv1, and SECRET_<NAME>_PATH says kv2: write kv1 secret and the path in it" },
		{ "/mounts/secret", 200, MOUNT_IS("database", "null"),
		    OF_DB
		    "mount secret is database, and SECRET_<NAME>_PATH says kv2: which mount is meant?" },
		{ "/mounts/secret", 400, "{\"errors\":[\"No secret engine mount at secret/\"]}",
		    OF_DB
		    "there is no mount secret, which SECRET_<NAME>_PATH names: vault secrets list" },
		{ "/mounts/database", 200, MOUNT_IS("kv", "{\"version\":\"2\"}"),
		    "Vault: secret ci: mount database is kv2, and SECRET_<NAME>_PATH says creds: write kv2 database" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		ask_secrets_but(
		    s, (struct script){ rows[i].end, rows[i].status, rows[i].body, NONE });
		FOUND(s, ERROR, rows[i].said);
		FOUND(s, OK, "orphan, deploybot-secret-* alone");
		assert_false(has(s, DOCTOR_OK, "secrets"));
		assert_int_equal(s->doctor.count, 2);
	}
}

SCENE_TEST(what_our_policy_may_not_ask_of_a_secret_is_not_known_and_not_good)
{
	static const struct {
		const char *end;
		int status;
		const char *said;
	} rows[] = {
		{ MAY, 403,
		    "Vault: whether what is lent reads its secret is not known (HTTP 403: permission denied); for that our own policy needs: path \"sys/capabilities-accessor\" { capabilities = [\"update\"] }" },
		{ "/mounts/", 403,
		    "Vault: whether the mount of each secret is what SECRET_<NAME>_PATH says is not known (HTTP 403: permission denied); for that our own policy needs: path \"sys/mounts/" },
		{ "/mounts/", 405, "is not known (HTTP 405" }, /* before Vault 1.10 */
		{ MAY, 503, "is not known (HTTP 503" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		ask_secrets_but(s, (struct script){ rows[i].end, rows[i].status, DENIED, NONE });
		FOUND(s, NOTE, rows[i].said);
		assert_false(has(s, DOCTOR_OK, "secrets"));
		assert_int_equal(s->doctor.count, 2);
	}
}

/* Our own token reads no secret: nothing is asked about it. */
SCENE_TEST(of_a_value_the_lent_policy_alone_is_asked)
{
	s->value_of_db = true;
	ask_secrets_but(s, (struct script){ "/none", 200, "", NONE });
	FOUND(s, OK, "2 secrets: policies and mounts are right");
	ask_secrets_but(s, (struct script){ MAY_BOTH("\"deny\"", "\"read\"") });
	FOUND(s, ERROR, POLICY NOTHING WRITE);
}

/* --- the token that is made for each question --- */

#define ASKS(policy) \
	"60s of deploybot-lend {\"policies\":[\"" policy \
	"\"],\"explicit_max_ttl\":\"60s\",\"renewable\":false}\n"
#define QUESTION(path)	  "capabilities-accessor {\"accessor\":\"made\",\"paths\":[\"" path "\"]}\n"
#define ENDS(accessor)	  "revoke-accessor {\"accessor\":\"" accessor "\"}\n"
#define WHOLE(name, path) ASKS("deploybot-secret-" name) QUESTION(path) ENDS("made") ENDS("wrapper")

SCENE_TEST(each_token_is_made_as_what_is_lent_and_revoked_with_what_it_is_wrapped_in)
{
	ask_secrets_but(s, (struct script){ "/none", 200, "", NONE });
	FOUND(s, OK, "2 secrets: policies and mounts are right");
	assert_string_equal(buf_text(&s->asked), WHOLE("db-migrate", DB_PATH) WHOLE("ci", CI_PATH));
}

SCENE_TEST(a_token_is_revoked_whatever_the_question_about_it_comes_to)
{
	ask_secrets_but(s, (struct script){ MAY, 403, DENIED, NONE });
	assert_string_equal(buf_text(&s->asked), WHOLE("db-migrate", DB_PATH) WHOLE("ci", CI_PATH));
	ask_secrets_but(
	    s, (struct script){ CREATE, 200, WRAP_OF("made", "auth/token/create/another"), NONE });
	assert_string_equal(buf_text(&s->asked), WHOLE("db-migrate", DB_PATH) WHOLE("ci", CI_PATH));
	ask_secrets_but(s,
	    (struct script){ CREATE, 200,
		"{\"auth\":{\"client_token\":\"hvs.x\",\"accessor\":\"made\"}}", NONE });
	assert_string_equal(buf_text(&s->asked),
	    ASKS("deploybot-secret-db-migrate") QUESTION(DB_PATH) ENDS("made")
		ASKS("deploybot-secret-ci") QUESTION(CI_PATH) ENDS("made"));
}

SCENE_TEST(nothing_is_made_by_a_role_that_is_missing_or_whose_tokens_cannot_be_revoked)
{
	ask_role(s, 404, "{\"errors\":[]}");
	assert_string_equal(buf_text(&s->asked), "");
	ask_role_but(s, "token_type", "\"batch\"");
	assert_string_equal(buf_text(&s->asked), "");
	ask_secrets_but(s, (struct script){ CREATE, 400, "{}", NONE });
	assert_string_equal(
	    buf_text(&s->asked), ASKS("deploybot-secret-db-migrate") ASKS("deploybot-secret-ci"));
}
