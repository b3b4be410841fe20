/* Goal: a role of one file is none of another, in tokens, rows and open work, also of versions before.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "approval_aid.h"
#include "token_aid.h"

#include <unistd.h>

#include "lib/text.h"
#include "store/row_token.h"
#include "store/store_inside.h"
#include "types/principal.h"

#define MAKER		     501 /* leads shop, and may make tokens */
#define ON		     TOKEN_AID_ON, TOKEN_AID_KEY, "ROLE_RATE_LIMIT=0", "GITHUB_REPOSITORY="
#define MAKERS		     "ROLE_MAKERS_IDS=501", "ROLE_MAKERS_MAY=token:*/*"
#define LEAD_OF(people, may) "ROLE_LEAD_IDS=" people "\nROLE_LEAD_MAY=\"" may "\"\n"
#define OF_SHOP		     LEAD_OF("501", "deploy:staging, status")
#define OF_CIDER	     LEAD_OF("601", "deploy:*, status, rollback")
#define CIDER		     "{\"arguments\": [\"cider/production\"]}"
#define DEPLOY_CIDER	     API_COMMAND, "/v1/command/deploy", CIDER

/* From now on the files have these roles; more: lines of the main one, NULL: none. */
static void
write_all(struct world *w, const char *shop, const char *cider, const char *more, const char *also)
{
	char apps[128];

	world_application(w, "shop", shop);
	world_application(w, "cider", cider);
	(void)snprintf(apps, sizeof(apps), "APPS_DIRECTORY=%s/apps", w->aid.folder);
	world_settings(w, apps, ON, MAKERS, more, more == NULL ? NULL : also, NULL);
}

static void
open_with(struct world *w, const char *shop, const char *cider, const char *more, const char *also)
{
	world_open(w, NULL);
	write_all(w, shop, cider, more, also);
	world_restart(w);
}

static void
remove_application(struct world *w, const char *name)
{
	char path[160];

	(void)snprintf(path, sizeof(path), "%s/apps/%s.env", w->aid.folder, name);
	assert_int_equal(unlink(path), 0);
	(void)snprintf(path, sizeof(path), "APPS_DIRECTORY=%s/apps", w->aid.folder);
	world_settings(w, path, ON, MAKERS, NULL);
}

/* Is it shown this environment? */
static bool
sees(struct world *w, const char *token, const char *environment)
{
	char part[60];

	assert_int_equal(token_aid_status(w, token), 200);
	(void)snprintf(part, sizeof(part), "\"%s\"", environment);
	return strstr(w->aid.said, part) != NULL;
}

static int
makes(struct world *w, int64_t person, const char *name, const char *role)
{
	return token_aid_ask(
	    w, person, API_TOKEN, "/v1/token/add", token_aid_body(name, role, "90d"));
}

/* --- tokens --- */

WORLD_TEST_BARE(a_token_has_the_role_of_one_file_alone)
{
	const char *token;

	open_with(w, OF_SHOP, OF_CIDER, NULL, NULL);
	assert_int_equal(makes(w, MAKER, "a", "lead"), 409);
	assert_non_null(strstr(w->aid.said,
	    "several applications have a role of that name: write --role APPLICATION:lead"));
	assert_int_equal(makes(w, MAKER, "a", "cider:lead"), 403); /* which is not theirs */
	token = token_aid_make(w, MAKER, "a", "shop:lead", "90d");
	assert_non_null(strstr(w->aid.said, "\"role\":\"shop:lead\""));
	assert_true(sees(w, token, "shop/staging"));
	assert_false(sees(w, token, "cider/production"));
	assert_int_equal(token_aid_call(w, token, DEPLOY_CIDER), 409); /* there is no such */
	assert_null(world_peek(w, EFFECT_GIT_QUERY));
	assert_int_equal(world_audited(w, "\"token_made\"", "\"reason\":\"shop:lead\""), 1);
	token_aid_login(w, WORLD_STRANGER, token);
	assert_non_null(world_says_in(w, WORLD_STRANGER, "Logged in as shop:lead until"));
	assert_true(token_aid_may(w, WORLD_STRANGER, POLICY_DEPLOY, "shop/staging"));
	assert_false(token_aid_may(w, WORLD_STRANGER, POLICY_DEPLOY, "cider/production"));
	(void)world_text_in(w, WORLD_ADMIN, WORLD_ADMIN, "/sessions");
	assert_non_null(world_says_in(w, WORLD_ADMIN, "as shop:lead, by token a"));
}

/* Also of one that is built in. */
WORLD_TEST_BARE(nor_has_one_of_the_built_in_role_that_of_another_file)
{
	const char *token;

	open_with(w, "STAGING_TELEGRAM_IDS=501\n", "STAGING_TELEGRAM_IDS=601\n", NULL, NULL);
	token = token_aid_make(w, MAKER, "a", "shop:staging", "90d");
	assert_true(sees(w, token, "shop/staging"));
	assert_false(sees(w, token, "cider/staging"));
	token = token_aid_make(w, WORLD_ADMIN, "b", "staging", "90d"); /* the main file's */
	assert_true(sees(w, token, "cider/staging"));
}

/* A bare name that one file has is written down as that: what is called so later is another. */
WORLD_TEST_BARE(what_was_found_once_is_no_other_role_later)
{
	const char *token;

	open_with(w, OF_SHOP, "", NULL, NULL);
	token = token_aid_make(w, MAKER, "a", "lead", "90d");
	assert_non_null(strstr(w->aid.said, "\"role\":\"shop:lead\""));
	write_all(w, OF_SHOP, OF_CIDER, "ROLE_LEAD_IDS=701", "ROLE_LEAD_MAY=status:*/*, deploy");
	assert_true(sees(w, token, "shop/staging"));
	assert_false(sees(w, token, "cider/production"));
	write_all(w, "", OF_CIDER, NULL, NULL);
	world_settings_read(w);
	assert_int_equal(token_aid_status(w, token), 401);
	write_all(w, "", OF_CIDER, "ROLE_LEAD_IDS=501", "ROLE_LEAD_MAY=status:*/*, deploy");
	assert_int_equal(token_aid_status(w, token), 401);
}

/* Its number was that of "admin": 32 bits of a hash. */
WORLD_TEST_BARE(a_name_whose_hash_was_an_admins_is_no_admin)
{
	const char *token;

	assert_int_equal(principal_of_root_before("opsjzmodvq"), principal_of_root_before("admin"));
	open_with(
	    w, "ROLE_OPSJZMODVQ_IDS=501\nROLE_OPSJZMODVQ_MAY=status:staging\n", "", NULL, NULL);
	token = token_aid_make(w, MAKER, "a", "shop:opsjzmodvq", "90d");
	assert_true(sees(w, token, "shop/staging"));
	assert_false(sees(w, token, "cider/production"));
	assert_int_equal(token_aid_call(w, token, DEPLOY_CIDER), 409);
	token_aid_login(w, WORLD_STRANGER, token);
	(void)world_text_in(w, WORLD_STRANGER, WORLD_STRANGER, "/whoami");
	assert_non_null(world_says_in(w, WORLD_STRANGER, "logged in as shop: opsjzmodvq"));
	/* Nor does root have another number for it, or the same as an admin. */
	assert_int_equal(
	    token_aid_ask_as(w, "shop:opsjzmodvq", API_STATUS, "/v1/status/cider", NULL), 404);
	assert_int_equal(token_aid_ask_as(w, "admin", API_STATUS, "/v1/status/cider", NULL), 200);
}

/* Each has a number, and a row, of its own. */
WORLD_TEST_BARE(root_as_a_role_of_one_file_is_not_root_as_one_of_another)
{
	int64_t of_shop;

	open_with(
	    w, OF_SHOP, OF_CIDER, "ROLE_LEAD_IDS=701", "ROLE_LEAD_MAY=status:shop/production");
	assert_int_equal(token_aid_ask_as(w, "shop:lead", API_COMMAND, "/v1/command/deploy",
			     "{\"arguments\": [\"shop/staging\"]}"),
	    200);
	of_shop = world_newest(w, "shop/staging").requested_by;
	assert_int_equal(
	    token_aid_ask_as(w, "cider:lead", API_STATUS, "/v1/status/shop", NULL), 404);
	assert_int_equal(
	    token_aid_ask_as(w, "cider:lead", API_STATUS, "/v1/status/cider", NULL), 200);
	assert_int_equal(
	    token_aid_ask_as(w, "lead", API_STATUS, "/v1/status/shop/staging", NULL), 404);
	assert_int_equal(token_aid_ask_as(w, "cider:lead", API_COMMAND, "/v1/command/deploy",
			     "{\"arguments\": [\"cider/staging\"]}"),
	    200);
	assert_int_not_equal(world_newest(w, "cider/staging").requested_by, of_shop);
}

WORLD_TEST_BARE(tokens_go_with_their_application_to_its_new_name)
{
	const char *token;

	open_with(w, OF_SHOP, OF_CIDER, NULL, NULL);
	token = token_aid_make(w, MAKER, "a", "shop:lead", "90d");
	world_application(w, "store", OF_SHOP "RENAMED_FROM=shop\n");
	remove_application(w, "shop");
	world_settings_read(w);
	assert_true(sees(w, token, "store/staging"));
	assert_false(sees(w, token, "cider/staging"));
}

/* --- an upgrade --- */

/* Rows as the version before wrote them: a name alone, and its row of what is lost. */
#define OF_BEFORE \
	"UPDATE token SET application = '*', fault = ''; DELETE FROM principal;" \
	"INSERT INTO counter VALUES ('rights_lost', 1);"

static struct token read_back;

static void
read_token_row(struct tx *tx, void *arg)
{
	read_back = row_token_named(tx, arg);
}

static const char *
application_of(struct world *w, char *name)
{
	world_act(w, read_token_row, name);
	return read_back.application;
}

#define QA "ROLE_QA_IDS=502\nROLE_QA_MAY=status:staging\n"

/* Of each form: of the main file, of one application, of several, of none. */
WORLD_TEST_BARE(tokens_of_before_have_the_role_that_their_name_meant)
{
	static char names[4][8] = { "main", "one", "two", "none" };
	const char *tokens[4];

	open_with(w, OF_SHOP QA, OF_CIDER "ROLE_OLD_IDS=5\nROLE_OLD_MAY=status:staging\n",
	    "ROLE_OPS_IDS=701", "ROLE_OPS_MAY=status:*/*");
	tokens[0] = token_aid_make(w, WORLD_ADMIN, names[0], "ops", "90d");
	tokens[1] = token_aid_make(w, WORLD_ADMIN, names[1], "shop:qa", "90d");
	tokens[2] = token_aid_make(w, WORLD_ADMIN, names[2], "shop:lead", "90d");
	tokens[3] = token_aid_make(w, WORLD_ADMIN, names[3], "cider:old", "90d");
	write_all(w, OF_SHOP QA, OF_CIDER, "ROLE_OPS_IDS=701", "ROLE_OPS_MAY=status:*/*");
	world_rewrite(w, OF_BEFORE);
	/* Before anybody has looked, and while a file has a mistake: what only a file of an
	 * application can say is not known. */
	write_all(w, OF_SHOP QA, OF_CIDER "ROLE_X_IDS=oops\n", "ROLE_OPS_IDS=701",
	    "ROLE_OPS_MAY=status:*/*");
	world_restart(w);
	assert_int_equal(token_aid_status(w, tokens[0]), 200);
	for (size_t i = 1; i < COUNT(tokens); i++)
		assert_int_equal(token_aid_status(w, tokens[i]), 401);
	write_all(w, OF_SHOP QA, OF_CIDER, "ROLE_OPS_IDS=701", "ROLE_OPS_MAY=status:*/*");
	world_settings_read(w);
	assert_string_equal(application_of(w, names[0]), "");
	assert_string_equal(application_of(w, names[1]), "shop");
	assert_string_equal(application_of(w, names[2]), ROLE_OF_SEVERAL);
	assert_string_equal(application_of(w, names[3]), "");
	assert_true(sees(w, tokens[0], "cider/staging"));
	assert_true(sees(w, tokens[1], "shop/staging"));
	assert_false(sees(w, tokens[1], "cider/staging"));
	assert_int_equal(token_aid_status(w, tokens[2]), 401);
	assert_non_null(
	    strstr(w->aid.said, "a token of before, whose role several applications have"));
	assert_int_equal(token_aid_status(w, tokens[3]), 401);
	assert_non_null(
	    world_says_in(w, WORLD_ADMIN, "several applications have a role of its name"));
	/* One of the several goes: what is left was not meant.  Nor is what comes. */
	write_all(w, QA, OF_CIDER "ROLE_OLD_IDS=5\nROLE_OLD_MAY=status:staging\n",
	    "ROLE_OPS_IDS=701", "ROLE_OPS_MAY=status:*/*");
	world_settings_read(w);
	assert_int_equal(token_aid_status(w, tokens[2]), 401);
	assert_int_equal(token_aid_status(w, tokens[3]), 401);
}

/* Queued by root, or by a hook, when their number was a hash of the name. */
TEST(work_of_before_goes_on_where_the_name_meant_one_thing)
{
	static const struct {
		const char *as; /* a role that root says; NULL: a hook */
		const char *of_number;
		bool goes_on;
	} cases[] = {
		{ "ops", "ops", true },
		{ "shop:lead", "lead", false }, /* of the main file there is none */
		{ "ops", "nobody", false },
		{ NULL, "ci", true },
		{ NULL, "shop/ci", true },
		{ NULL, "cider/ci", false },
	};
	char sql[200];
	struct world w;

	for (size_t i = 0; i < COUNT(cases); i++) {
		int64_t before = cases[i].as != NULL ?
		    principal_of_root_before(cases[i].of_number) :
		    principal_of_hook_before(cases[i].of_number);
		bool is_main = cases[i].of_number[0] == 'c' && cases[i].of_number[1] == 'i' &&
		    cases[i].of_number[2] == '\0';

		open_with(&w,
		    is_main ? OF_SHOP :
			      OF_SHOP
			"HOOK_CI_STARTS=deploy:staging\nWEBHOOK_API_SECRET=0123456789abcdef0123456789abcdef\n",
		    "HOOK_OTHER_STARTS=deploy:staging\n", "ROLE_OPS_IDS=701",
		    "ROLE_OPS_MAY=deploy:shop/staging, status");
		if (is_main) {
			char apps[128];

			(void)snprintf(apps, sizeof(apps), "APPS_DIRECTORY=%s/apps", w.aid.folder);
			world_settings(&w, apps, ON, MAKERS, "HOOK_CI_STARTS=deploy:shop/staging",
			    "WEBHOOK_API_SECRET=0123456789abcdef0123456789abcdef", NULL);
		}
		for (int n = 0; n < 2; n++) {
			assert_int_equal(
			    token_aid_ask(&w, WORLD_ADMIN, API_COMMAND, "/v1/command/deploy",
				"{\"arguments\": [\"shop/staging\"]}"),
			    200);
			world_git(&w, (struct world_git){ .commit = n == 0 ? COMMIT_A : COMMIT_B });
		}
		assert_int_equal(world_newest(&w, "shop/staging").state, DEPLOY_QUEUED);
		(void)snprintf(sql, sizeof(sql),
		    "UPDATE work SET requested_by = %" PRId64 " WHERE id = 2;", before);
		world_rewrite(&w, sql);
		world_restart(&w);
		(void)world_run_starts(&w);
		world_run_ends(&w, GOOD);
		if ((world_newest(&w, "shop/staging").state == DEPLOY_REFUSED) == cases[i].goes_on)
			fail_msg(
			    "%s: %d", cases[i].of_number, world_newest(&w, "shop/staging").state);
		world_close(&w);
	}
}

WORLD_TEST_BARE(who_loses_a_right_is_named_at_the_first_start_and_no_more)
{
	world_open(w, NULL); /* a new database loses nothing */
	write_all(w, LEAD_OF("501, 502 until 2025-01-01", "deploy:staging, token"),
	    LEAD_OF("601", "*:*"), "ROLE_OPS_IDS=701", "ROLE_OPS_MAY=token:*/*, status");
	world_restart(w);
	assert_int_equal(world_says_times(w, WORLD_ADMIN, "Rights have ended"), 0);
	world_rewrite(w, "INSERT INTO counter VALUES ('rights_lost', 1);");
	world_restart(w);
	world_restart(w);
	assert_int_equal(world_says_times(w, WORLD_OTHER_ADMIN, "Rights have ended"), 1);
	assert_string_equal(world_plain(world_says_in(w, WORLD_ADMIN, "Rights have ended")),
	    "🔐 Rights have ended with this version: tokens, second factors and the server's own audit are given by the settings file alone, on all targets.\n"
	    "cider:lead (ROLE_LEAD_MAY): 2fa, token, admin: telegram:601\n"
	    "shop:lead (ROLE_LEAD_MAY): token: telegram:501\n"
	    "Who shall keep them needs a role there: ROLE_<NAME>_MAY=token:*/*.\n"
	    "⚠️ shop.env: ROLE_LEAD_MAY: token: grants nothing, for a token is the server's: write token:*/* in a role of the settings file");
}

/* --- the audit --- */

WORLD_TEST_BARE(the_servers_entries_are_shown_to_admins_of_the_server)
{
	open_with(w, LEAD_OF("501", "*:*"), LEAD_OF("601", "*:*"), "ROLE_EYES_IDS=701",
	    "ROLE_EYES_MAY=audit:*/*, status");
	(void)token_aid_make(w, WORLD_ADMIN, "secretly", "admin", "1d");
	assert_int_equal(token_aid_ask(w, 601, API_COMMAND, "/v1/command/deploy",
			     "{\"arguments\": [\"cider/staging\"]}"),
	    200);
	for (int64_t person = 501; person <= 701; person += 100) {
		(void)world_text_in(w, person, person, "/audit");
		assert_null(world_says_in(w, person, "deploybot"));
		assert_null(world_says_in(w, person, "token made"));
	}
	assert_null(world_says_in(w, 501, "cider/staging"));
	assert_non_null(world_says_in(w, 601, "cider/staging"));
	assert_non_null(world_says_in(w, 701, "cider/staging"));
	(void)world_text_in(w, WORLD_ADMIN, WORLD_ADMIN, "/audit");
	assert_non_null(world_says_in(w, WORLD_ADMIN, "token made"));
}

/* Whoever reads who has approved finds out as which of two that are called alike. */
WORLD_TEST_BARE(an_approval_says_whose_role_it_was_given_with)
{
	static const char shop[] = "PRODUCTION_APPROVALS=1\nPRODUCTION_CONFIRM=false\n" LEAD_OF(
	    "501, 502", "deploy:*, approve, status, history");
	char show[24];

	open_with(w, shop, OF_CIDER, "ROLE_LEAD_IDS=701", "ROLE_LEAD_MAY=status:*/*");
	world_asks_in(w, 501, 501, "/deploy shop/production", COMMIT_A);
	approval_press_in(w, 502, 502, "Approve");
	assert_int_equal(world_audited(w, "\"deploy_approval\"", "\"role\":\"shop:lead\""), 1);
	(void)snprintf(show, sizeof(show), "/show %" PRId64, world_newest(w, "shop/production").id);
	(void)world_text_in(w, 502, 502, show);
	assert_non_null(world_says_in(w, 502, " as shop:lead, "));
}
