/* Goal: whose grants are all in one application changes, reads and learns nothing of another.  Side: start. */
/* SPDX-License-Identifier: ISC */
/*
 * By walks over the tables of commands, buttons, requests of /v1 and hooks: a new row is in them by
 * itself.  What is compared is in isolation_aid.h.
 */
#include "isolation_aid.h"

#include "lib/text.h"
#include "types/hook.h"
#include "types/request.h"

/* What stands behind a command: nothing, names of theirs, of both worlds and of none, and
 * numbers. */
static const char *const targets[] = { "", "cider/production", "cider/staging", "cider", "cid",
	"cider/canary", "zebr", "production", "acme", "client/acme", "all", "1", "2", "6", "900",
	"owner", "shop:owner", "cider:owner", "admin", "restart-web acme", "reset 81", "reset 11",
	"run-job cider/staging" };
static const char *const arguments[] = { "1h because", "main", "emergency the shop is down", "5",
	"until 2026-01-09 because", "ccccccc" };

static void
type(struct isolation *both, int64_t person, const char *word, const char *target,
    const char *argument)
{
	char text[160];

	(void)snprintf(text, sizeof(text), "/%s%s%s%s%s", word, target[0] != '\0' ? " " : "",
	    target, argument[0] != '\0' ? " " : "", argument);
	isolation_type(both, person, text);
}

/* Each word of commands.def; a word of a button alone is none that is typed. */
static const char *const words[] = {
#define COMMAND(word, ...) #word,
#define PRESSED(word, ...) #word,
#include "commands/commands.def"
};

static const char *const typed[] = {
#define COMMAND(word, ...) #word,
#include "commands/commands.def"
};

static void
type_all(int64_t person)
{
	struct isolation both;

	isolation_open(&both, "owner");
	for (size_t i = 0; i < COUNT(typed); i++) {
		for (size_t t = 0; t < COUNT(targets); t++)
			type(&both, person, typed[i], targets[t], "");
		for (size_t a = 0; a < COUNT(arguments); a++) {
			type(&both, person, typed[i], "cider/staging", arguments[a]);
			type(&both, person, typed[i], "cider/production", arguments[a]);
		}
	}
	assert_true(both.n_asked > COUNT(typed) * COUNT(targets));
	isolation_check_rows(&both, "commands");
	isolation_close(&both);
}

TEST(no_command_shows_or_changes_what_is_anothers)
{
	type_all(OWNER);
	type_all(LOGGED_IN);
}

/* By a line of the settings file, and by a role that is built in. */
TEST(nor_does_it_to_who_has_other_roles_there)
{
	type_all(MAIN_OF);
	type_all(STAGING_OF);
}

/* One that stands for that word and is about theirs in each way in which one can be. */
static void
press_word(struct isolation *both, int64_t person, const char *word)
{
	static const char *const kinds[] = { "work", "run", "hold", "zone", "page" };
	static const char *const answers[] = { "yes", "no", "again" };
	static const char *const theirs[] = { "", "cider/production", "cider/staging", "cider/live",
		"cider", "all" };

	for (size_t k = 0; k < COUNT(kinds); k++)
		for (int64_t number = 1; number <= ISOLATION_WORKS; number++) {
			struct request request = request_about(word, kinds[k], number);

			request_add(&request, "answer", answers[(size_t)number % COUNT(answers)]);
			isolation_press(both, person, &request);
		}
	for (size_t t = 0; t < COUNT(theirs); t++) {
		struct request request = request_of(word, theirs[t]);

		request_add_number(&request, "hold", 1 + (int64_t)t % ISOLATION_HOLDS);
		request_add_number(&request, "work", 1 + (int64_t)t % ISOLATION_WORKS);
		request_add(&request, "answer", "yes");
		isolation_press(both, person, &request);
	}
}

TEST(no_button_shows_or_changes_what_is_anothers)
{
	static const int64_t people[] = { OWNER, LOGGED_IN };
	struct isolation both;

	for (size_t p = 0; p < COUNT(people); p++) {
		isolation_open(&both, "owner");
		for (size_t i = 0; i < COUNT(words); i++)
			press_word(&both, people[p], words[i]);
		isolation_check_rows(&both, "buttons");
		isolation_close(&both);
	}
}

/* --- /v1 --- */

struct who {
	uint32_t uid;
	const char *as;
};

static void
ask_factor(struct isolation *both, const struct who *who)
{
	static const char *const asked[] = { "add", "confirm", "codes", "reset", "recover" };
	static const int people[] = { WORLD_ADMIN, 81, 181, 900 };
	char path[64], body[120];

	for (size_t i = 0; i < COUNT(asked); i++)
		for (size_t p = 0; p < COUNT(people); p++) {
			bool is_recovery = strcmp(asked[i], "recover") == 0;

			(void)snprintf(path, sizeof(path), "/v1/2fa/%s", asked[i]);
			(void)snprintf(body, sizeof(body), "{\"person\": %d%s}", people[p],
			    strcmp(asked[i], "confirm") == 0 ? ", \"code\": \"123456\"" :
				is_recovery		     ? ", \"recovery\": \"AAAA-BBBB\"" :
							       "");
			isolation_ask(both, who->uid, who->as, API_FACTOR, path, body);
		}
}

static void
ask_token(struct isolation *both, const struct who *who)
{
	static const char *const roles[] = { "admin", "owner", "shop:owner", "cider:owner",
		"zebra:owner", "none" };
	static const char *const names[] = { "ci-cider", "cider", "of-shop", "nobodys" };
	char body[160];

	for (size_t i = 0; i < COUNT(roles); i++) {
		(void)snprintf(body, sizeof(body),
		    "{\"name\": \"a%zu\", \"role\": \"%s\", \"expires\": \"1d\"}", i, roles[i]);
		isolation_ask(both, who->uid, who->as, API_TOKEN, "/v1/token/add", body);
	}
	for (size_t i = 0; i < COUNT(names); i++) {
		(void)snprintf(body, sizeof(body), "{\"name\": \"%s\"}", names[i]);
		isolation_ask(both, who->uid, who->as, API_TOKEN, "/v1/token/revoke", body);
	}
}

static void
ask_agent(struct isolation *both, const struct who *who, enum api_operation operation)
{
	static const char key[] =
	    "1111111111111111111111111111111111111111111111111111111111111111";
	static const char *const asked[] = { "enrol", "move", "revoke" };
	char path[32], body[160];

	(void)snprintf(body, sizeof(body), "{\"name\": \"acme\", \"key\": \"%s\"}", key);
	for (size_t i = 0; i < COUNT(asked); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", api_rows[operation].path, asked[i]);
		isolation_ask(both, who->uid, who->as, operation, path,
		    i < 2 ? body : "{\"name\": \"acme\"}");
	}
}

static void
ask_commands(struct isolation *both, const struct who *who)
{
	char path[64], body[160];

	for (size_t i = 0; i < COUNT(typed); i++)
		for (size_t t = 0; t < COUNT(targets); t += 2) {
			if (strchr(targets[t], ' ') != NULL || strcmp(typed[i], "2fa") == 0)
				continue; /* a path has no digits */
			(void)snprintf(path, sizeof(path), "/v1/command/%s", typed[i]);
			(void)snprintf(body, sizeof(body), "{\"arguments\": [%s%s%s]}",
			    targets[t][0] != '\0' ? "\"" : "", targets[t],
			    targets[t][0] != '\0' ? "\"" : "");
			isolation_ask(both, who->uid, who->as, API_COMMAND, path, body);
		}
}

static void
ask_number(struct isolation *both, const struct who *who, enum api_operation operation)
{
	char path[64];

	for (int number = 1; number <= ISOLATION_WORKS + 3; number++)
		for (int no = 0; no < 2; no++) {
			(void)snprintf(path, sizeof(path), "%s/%d%s", api_rows[operation].path,
			    number, api_rows[operation].behind == API_PLACE ? "/0" : "");
			isolation_ask(both, who->uid, who->as, operation, path,
			    !api_is_post(operation)	  ? NULL :
				operation == API_GATE_END ? "{\"conclusion\": \"success\"}" :
				operation == API_LOAN_END || operation == API_LOAN_FAILED ? "{}" :
				no ? "{\"answer\": \"no\"}" :
				     "{\"answer\": \"yes\"}");
		}
}

/* One of a row that is new is asked with what stands behind its path, and no body. */
static void
ask_row(struct isolation *both, const struct who *who, enum api_operation operation)
{
	static const char *const places[] = { "", "/cider", "/cider/production", "/cider/nothing",
		"/cid", "/production" };
	char path[64];

	switch (api_rows[operation].behind) {
	case API_SPAN:
		(void)snprintf(
		    path, sizeof(path), "%s/2020-01-01/2099-12-31/0", api_rows[operation].path);
		isolation_ask(both, who->uid, who->as, operation, path, NULL);
		break;
	case API_NONE:
	case API_PEER:
	case API_SINCE:
		isolation_ask(both, who->uid, who->as, operation, api_rows[operation].path,
		    operation == API_GATE      ? "{\"environment\": \"cider/production\"}" :
			api_is_post(operation) ? "{}" :
						 NULL);
		break;
	case API_TARGET:
	case API_ENV:
	case API_LIST:
	case API_DAYS:
		for (size_t i = 0; i < COUNT(places); i++) {
			(void)snprintf(path, sizeof(path), "%s%s%s", api_rows[operation].path,
			    api_rows[operation].behind == API_DAYS ? "/2026-01-01/2026-12-31" : "",
			    places[i]);
			if ((api_rows[operation].behind == API_ENV ||
				api_rows[operation].behind == API_LIST) &&
			    places[i][0] == '\0')
				continue;
			isolation_ask(both, who->uid, who->as, operation, path, NULL);
		}
		break;
	case API_NUMBER:
	case API_PLACE:
		ask_number(both, who, operation);
		break;
	case API_NAME:
		for (size_t i = 0; i < 2; i++) {
			(void)snprintf(path, sizeof(path), "%s/%sdb-migrate",
			    api_rows[operation].path, i == 0 ? "" : "cider/");
			isolation_ask(both, who->uid, who->as, operation, path, "{}");
		}
		break;
	case API_WORD:
		if (operation == API_FACTOR)
			ask_factor(both, who);
		else if (operation == API_TOKEN)
			ask_token(both, who);
		else if (operation == API_AGENT || operation == API_RUNNER)
			ask_agent(both, who, operation);
		else if (operation == API_COMMAND)
			ask_commands(both, who);
		else if (operation == API_SESSION)
			isolation_ask(both, who->uid, who->as, operation, "/v1/session/end", "{}");
		else
			fail_msg("%s: what is asked of it?", api_rows[operation].path);
		break;
	}
}

/* Root is the server: what it may ask whatever role it says is not among them. */
static bool
is_of_root(enum api_operation operation)
{
	return operation == API_FIRST_ADMIN || operation == API_FIRST_ADMIN_LINK;
}

TEST(no_request_shows_or_changes_what_is_anothers)
{
	static const struct who all[] = { { GAMES, NULL }, { 0, "shop:owner" },
		{ ISOLATION_TOKEN, NULL } };
	struct isolation both;

	for (size_t i = 0; i < COUNT(all); i++) {
		isolation_open(&both, "owner");
		for (size_t o = 0; o < API_OPERATION_COUNT; o++)
			if (all[i].as == NULL || !is_of_root((enum api_operation)o))
				ask_row(&both, &all[i], (enum api_operation)o);
		isolation_check_rows(&both, "/v1");
		isolation_close(&both);
	}
}

/* --- hooks --- */

TEST(no_call_of_a_hook_reaches_another)
{
	static const char *const refs[] = { "main", "cider", "ccccccc", "6" };
	struct isolation both;
	struct hook hook;
	char body[80];
	size_t n = 0;

	isolation_open(&both, "owner");
	for (size_t at = 0; hook_next(both.w[0].aid.settings, &at, &hook);)
		for (size_t i = 0; strcmp(hook.application, "shop") == 0 && i < COUNT(refs); i++) {
			(void)snprintf(body, sizeof(body), "{\"ref\": \"%s\"}", refs[i]);
			isolation_call(&both, hook.id, body);
			n++;
		}
	assert_int_equal(n, COUNT(refs));
	isolation_check_rows(&both, "hooks");
	isolation_close(&both);
}

/* --- names --- */

/* A role of theirs has the same name; a name may be a word of ours, or one whose hash was an
 * admin's. */
TEST(a_name_that_is_also_anothers_opens_nothing_of_it)
{
	static const char *const names[] = { "system", "all", "role", "none", "hook", "root",
		"telegram", "opsjzmodvq", "shop", "cider" };
	struct isolation both;
	char as[ROLE_TEXT];

	for (size_t i = 0; i < COUNT(names); i++) {
		const struct who all[] = { { GAMES, NULL }, { 0, as }, { ISOLATION_TOKEN, NULL } };

		isolation_open(&both, names[i]);
		(void)snprintf(as, sizeof(as), "shop:%s", names[i]);
		for (size_t w = 0; w < COUNT(all); w++) {
			ask_row(&both, &all[w], API_STATUS);
			ask_row(&both, &all[w], API_TOKENS);
			isolation_ask(&both, all[w].uid, all[w].as, API_COMMAND,
			    "/v1/command/deploy", "{\"arguments\": [\"cider/staging\"]}");
			isolation_ask(&both, all[w].uid, all[w].as, API_COMMAND,
			    "/v1/command/deploy", "{\"arguments\": [\"shop/staging\"]}");
		}
		isolation_check_rows(&both, names[i]);
		isolation_close(&both);
	}
}

/* What the comparison would not see: that they may do nothing at all. */
TEST(what_is_ones_own_is_there)
{
	struct isolation both;
	struct world *w = &both.w[0];

	isolation_open(&both, "owner");
	(void)world_text_in(w, OWNER, OWNER, "/status");
	assert_non_null(world_says_in(w, OWNER, "shop/staging"));
	(void)world_text_in(w, LOGGED_IN, LOGGED_IN, "/deploy shop/staging");
	assert_non_null(world_peek(w, EFFECT_GIT_QUERY));
	(void)world_text_in(w, 81, 81, "/status");
	assert_non_null(world_says_in(w, 81, "cider/production"));
	(void)world_text_in(w, WORLD_ADMIN, WORLD_ADMIN, "/audit");
	assert_non_null(world_says_in(w, WORLD_ADMIN, "deploybot"));
	isolation_close(&both);
}
