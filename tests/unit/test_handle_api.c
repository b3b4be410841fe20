/* Goal: what is asked over /v1 is decided as what is typed or pressed; who asked is answered.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "api_aid.h"

#include <jansson.h>

#include "handlers/handlers.h"
#include "lib/db.h"
#include "lib/text.h"
#include "store/store_inside.h"

static int
ask_as(struct world *w, struct local_peer peer, enum api_operation operation, const char *path,
    const char *body)
{
	return api_aid_answer(w, peer, operation, path, body).status;
}

/* --- who --- */

WORLD_TEST_BARE(who_is_let_in_is_one_sentence)
{
	static const struct {
		struct local_peer peer;
		const char *why;
		int64_t person;
		const char *name;
	} cases[] = {
		{ { ADA, 10001, 10002, NULL, 0 }, NULL, 11, "daemon (from the machine)" },
		{ { STAGING, 10001, 10002, NULL, 0 }, NULL, -6, "games (from the machine)" },
		{ { 42, 10001, 10002, NULL, 0 }, "your user is not known here", 0, "" },
		{ { SETTINGS_NOBODY, 10001, 10002, NULL, 0 }, "cannot be distinguished", 0, "" },
		/* Though the settings name them: they are the server's and the runner's here. */
		{ { ADA, ADA, 10002, NULL, 0 }, "scripts run as them", 0, "" },
		{ { ADA, 10001, ADA, NULL, 0 }, "scripts run as them", 0, "" },
		{ { ROOT, ROOT, ROOT, "admin", 0 }, "scripts run as them", 0, "" },
		{ { ROOT, 10001, 10002, NULL, 0 }, "--as ROLE", 0, "" },
		{ { ROOT, 10001, 10002, "king", 0 }, "there is no such role", 0, "" },
		{ { ROOT, 10001, 10002, "", 0 }, "there is no such role", 0, "" },
		{ { ADA, 10001, 10002, "admin", 0 }, "only root says --as", 0, "" },
	};
	struct update who;

	api_aid_open(w);
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *why = local_user_judge(w->aid.settings, &cases[i].peer, &who);

		/* It stands in the audit whole. */
		assert_true(why == NULL || strlen(why) < sizeof(((struct rejected *)NULL)->reason));
		if ((why == NULL) != (cases[i].why == NULL) ||
		    (why != NULL && strstr(why, cases[i].why) == NULL))
			fail_msg("case %zu: %s", i, why == NULL ? "let in" : why);
		assert_int_equal(who.person, cases[i].person);
		assert_string_equal(who.name, cases[i].name);
		assert_int_equal(who.address.chat, 0);
	}
}

/* Not after 20 MB: what may be lent to people alone is left to the store. */
WORLD_TEST_BARE(no_archive_is_taken_of_who_may_deploy_none)
{
	static const struct {
		uint32_t uid;
		const char *as;
		bool is_lent, is_taken;
	} cases[] = { { ADA, NULL, false, true }, { STAGING, NULL, false, false },
		{ ROOT, "admin", false, true }, { ROOT, "staging", false, false },
		{ STAGING, NULL, true, true }, { ROOT, "staging", true, false } };
	static char secret[] = "s";
	struct update who;

	api_aid_open(w);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct local_peer peer = { .uid = cases[i].uid,
			.server_uid = 10001,
			.runner_uid = 10002,
			.as = cases[i].as };
		struct settings s = *w->aid.settings;

		s.auth_token_secret = cases[i].is_lent ? secret : NULL;
		assert_null(local_user_judge(&s, &peer, &who));
		peer.upload_at = 1000;
		assert_int_equal(local_user_judge(&s, &peer, &who) == NULL, cases[i].is_taken);
	}
}

static int64_t
named(struct world *w, const char *who, const char *name)
{
	int64_t n;

	assert_true(db_one_i64(&n, w->aid.store->db, NULL,
	    "SELECT COUNT(*) FROM person_name WHERE who = $1 AND name = $2", DB_TEXT(who),
	    DB_TEXT(name)));
	return n;
}

/* Regression: by how the name was called, which anybody chooses for themselves at Telegram. */
WORLD_TEST_BARE(who_came_from_the_machine_is_not_read_out_of_a_name)
{
	static const char eve[] = "“Eve (from the machine)” (id 45)";
	struct event *event;

	api_aid_open(w);
	event = store_aid_event(&w->aid, EVENT_UPDATE);
	event->u.update = calloc(1, sizeof(*event->u.update));
	assert_non_null(event->u.update);
	*event->u.update = (struct update){ .kind = UPDATE_TEXT,
		.address.chat = WORLD_ADMIN,
		.is_private = true,
		.person = WORLD_ADMIN };
	(void)text_copy(event->u.update->name, sizeof(event->u.update->name), eve);
	update_set_text(event->u.update, "/deploy staging");
	(void)world_decide(w, event);
	assert_int_equal(world_audited(w, "deploy_requested", "\"principal\":\"telegram\""), 1);
	assert_int_equal(named(w, "telegram:11", eve), 1);
	/* As the user of the machine who stands for the same person: the name stays theirs. */
	assert_int_equal(api_aid_ask(w, ADA, DEPLOY, OF_PRODUCTION), 200);
	assert_int_equal(world_audited(w, "deploy_requested", "\"principal\":\"local:daemon\""), 1);
	assert_int_equal(named(w, "telegram:11", eve), 1);
	/* ... and when it goes on, or is undone in the chat, which are other events. */
	assert_int_equal(api_aid_ask(w, ADA, API_COMMAND, "/v1/command/lock", OF_STAGING), 200);
	world_git(w, (struct world_git){ .commit = COMMIT_A });
	(void)world_text(w, WORLD_ADMIN, "/unlock staging");
	assert_int_equal(named(w, "telegram:11", "daemon (from the machine)"), 0);
}

TEST(locks_that_are_counted_keep_by_which_way_and_when_they_came)
{
	struct world w;

	api_aid_open(&w);
	(void)world_text(&w, WORLD_ADMIN, "/lock production");
	for (int i = 0; i < 3; i++) {
		w.aid.at += 1000;
		assert_int_equal(
		    api_aid_ask(&w, ADA, API_COMMAND, "/v1/command/lock", OF_PRODUCTION), 200);
	}
	w.aid.at += 1000;
	(void)world_text(&w, WORLD_ADMIN, "/lock production by chat");
	assert_int_equal(world_audited(&w, "lock_begun", "\"principal\":\"local:daemon\""), 1);
	for (int i = 0; i < 3; i++)
		world_due(&w, TIMER_HOLDS);
	assert_int_equal(
	    world_audited(&w, "\"count\":\"2\"", "\"first_at\":\"2026-01-01T00:00:02."), 1);
	assert_int_equal(
	    world_audited(&w, "\"count\":\"2\"", "\"last_at\":\"2026-01-01T00:00:03."), 1);
	assert_int_equal(world_audited(&w, "lock_begun", "\"principal\":\"local:daemon\""), 2);
	assert_int_equal(world_audited(&w, "by chat", "\"principal\":\"telegram\""), 1);
	world_close(&w);
}

/* --- what --- */

WORLD_TEST_BARE(somebody_deploys_as_in_a_chat_and_the_teams_chat_sees_it)
{
	struct deployment deployment;

	api_aid_open(w);
	assert_int_equal(api_aid_ask(w, ADA, DEPLOY, OF_STAGING), 200);
	deployment = world_newest(w, "staging");
	assert_int_equal(api_aid_work(w), deployment.id);
	assert_int_equal(deployment.requested_by, WORLD_ADMIN);
	assert_int_equal(deployment.address.chat, WORLD_TEAM);
	world_git(w, (struct world_git){ .commit = COMMIT_A });
	world_run_plays(w, GOOD);
	assert_int_equal(world_state(w), DEPLOY_LIVE);
	assert_non_null(world_says_in(w, WORLD_TEAM, "by daemon (from the machine)"));
	assert_int_equal(world_audited(w, "deploy_requested", "telegram:11"), 1);
	assert_int_equal(world_audited(w, "deploy_requested", "\"principal\":\"local:daemon\""), 1);
	assert_int_equal(api_aid_ask(w, ADA, API_STATUS, "/v1/status/staging", NULL), 200);
	SAID(w, "\"commit\":\"" COMMIT_A "\"");
}

WORLD_TEST_BARE(a_role_may_what_it_grants_and_no_more)
{
	api_aid_open(w);
	assert_int_equal(api_aid_ask(w, STAGING, DEPLOY, OF_PRODUCTION), 403);
	SAID(w, "only an admin may");
	assert_int_equal(world_audited(w, "denied", "local:games"), 1);
	assert_int_equal(api_aid_ask(w, STAGING, DEPLOY, OF_STAGING), 200);
	assert_int_equal(world_audited(w, "deploy_requested", "local:games"), 1);
	world_moment(w);
	assert_int_equal(w->n_screen, 1); /* the deployment's own: denials are the asker's */
	/* It holds at its turn as well, and not when its line has gone. */
	world_settings(w, ADA_IS, TEAM, NULL);
	world_git(w, (struct world_git){ .commit = COMMIT_A });
	assert_int_equal(world_state(w), DEPLOY_REFUSED);
}

WORLD_TEST_BARE(root_has_the_grants_of_the_role_that_it_says)
{
	api_aid_open(w);
	assert_int_equal(ask_as(w, api_aid_peer(ROOT, "staging"), DEPLOY, OF_PRODUCTION), 403);
	assert_int_equal(ask_as(w, api_aid_peer(ROOT, "staging"), DEPLOY, OF_STAGING), 200);
	assert_int_equal(world_audited(w, "\"local:root\"", "\"high\""), 1);
	world_git(w, (struct world_git){ .commit = COMMIT_A });
	world_run_plays(w, GOOD);
	assert_int_equal(world_audited(w, "\"local:root\"", "\"high\""), 3);
	assert_int_equal(world_audited(w, "\"local:root\"", "\"info\""), 0);
}

WORLD_TEST_BARE(a_stranger_of_the_chat_is_one_here)
{
	api_aid_open(w);
	assert_int_equal(api_aid_ask(w, STRANGER, DEPLOY, OF_STAGING), 403);
	SAID(w, "you have no role here");
	assert_int_equal(api_aid_ask(w, STRANGER, API_STATUS, "/v1/status", NULL), 403);
	assert_int_equal(api_aid_ask(w, STRANGER, API_WORK, "/v1/work/1", NULL), 404);
	assert_int_equal(w->n_screen, 0);
}

/* What is there for nobody but who sees it: one more row of api.def is tried as well. */
WORLD_TEST_BARE(each_request_of_a_stranger_is_denied_or_finds_nothing)
{
	static const char *const behind[] = {
		[API_NONE] = "",
		[API_TARGET] = "/production",
		[API_NUMBER] = "/1",
		[API_PLACE] = "/1/0",
		[API_WORD] = "/deploy",
		[API_PEER] = "/acme",
		[API_NAME] = "/db-migrate",
		[API_ENV] = "/production",
		[API_SINCE] = "",
		[API_LIST] = "/production",
		[API_SPAN] = "/2020-01-01/2099-12-31/0",
		[API_DAYS] = "/2026-01-01/2026-12-31/production",
	};
	static const char *const bodies[] = {
		[API_ANSWER] = "{\"answer\": \"yes\"}",
		[API_COMMAND] = OF_PRODUCTION,
		[API_FACTOR] = "{\"person\": 11}",
		[API_TOKEN] = "{\"name\": \"ci\"}",
		[API_AGENT] = "{\"name\": \"acme\"}",
		[API_RUNNER] = "{\"name\": \"acme\"}",
		[API_PUSH] = "{}",
		[API_GATE] = "{\"environment\": \"production\"}",
		[API_GATE_END] = "{\"conclusion\": \"success\"}",
		[API_SECRET] = "{}",
		[API_LOAN_END] = "{}",
		[API_LOAN_FAILED] = "{}",
		[API_FIRST_ADMIN_LINK] = "{}",
		[API_SESSION] = "{}",
		[API_OWN_FACTOR] = "{}",
		[API_OPERATION_COUNT] = NULL, /* all others */
	};

	api_aid_open(w);
	assert_int_equal(api_aid_ask(w, ADA, DEPLOY, OF_PRODUCTION), 200);
	assert_int_equal(api_aid_work(w), 1); /* it asks nothing yet */
	for (enum api_operation i = 0; i < API_OPERATION_COUNT; i++) {
		const struct api_row *row = &api_rows[i];
		int64_t refusals = world_refusals(w);
		char path[64];
		int status;

		(void)snprintf(path, sizeof(path), "%s%s", row->path, behind[row->behind]);
		status = api_aid_ask(w, STRANGER, i, path, bodies[i]);
		if (status == 403 && world_refusals(w) == refusals)
			fail_msg("%s: denied, and nothing of it is audited", path);
		if ((status != 403 && status != 404) || api_aid_said(w, "production\""))
			fail_msg("%s: %d %s", path, status, w->aid.said);
	}
}

/* --- the first admin's link --- */

#define LINK API_FIRST_ADMIN_LINK, "/v1/first-admin-link", "{}"
#define WHO  API_FIRST_ADMIN, "/v1/first-admin", NULL
#define NEW  99

static void
make_link(struct world *w, char ret[32])
{
	json_t *json;

	assert_int_equal(api_aid_ask(w, ROOT, LINK), 200);
	json = json_loads(w->aid.said, 0, NULL);
	(void)snprintf(ret, 32, "/start %s", json_string_value(json_object_get(json, "code")));
	assert_int_equal(strlen(ret), strlen("/start ") + 16);
	assert_true(json_integer_value(json_object_get(json, "bot")) > 0);
	json_decref(json);
}

WORLD_TEST_BARE(who_opens_the_link_first_in_private_is_shown_to_root_and_to_nobody_else)
{
	char link[32], newer[32];

	api_aid_open(w);
	assert_int_equal(api_aid_ask(w, ROOT, WHO), 200);
	SAID(w, "\"person\":null,\"is_open\":false");
	make_link(w, link);
	assert_int_equal(world_audited(w, "first_admin_link", "local:root"), 1);
	assert_int_equal(api_aid_ask(w, ROOT, WHO), 200);
	SAID(w, "\"person\":null,\"is_open\":true");
	/* An admin of the settings, and a user that has that role, are not root. */
	assert_int_equal(api_aid_ask(w, ADA, LINK), 403);
	assert_int_equal(api_aid_ask(w, ADMIN, WHO), 403);
	SAID(w, "only root");
	/* Where others see it, and another code. */
	(void)world_text(w, 11, link);
	(void)world_text_in(w, NEW, NEW, "/start 0123456789abcdef");
	assert_int_equal(api_aid_ask(w, ROOT, WHO), 200);
	SAID(w, "\"person\":null,\"is_open\":true");
	make_link(w, newer);
	(void)world_text_in(w, NEW, NEW, link); /* which counts no more */
	assert_null(world_says_in(w, NEW, "first admin"));
	(void)world_text_in(w, NEW, NEW, newer);
	assert_non_null(world_says_in(w, NEW, "first admin"));
	(void)world_text_in(w, 98, 98, newer);
	assert_null(world_says_in(w, 98, "first admin"));
	assert_int_equal(api_aid_ask(w, ROOT, WHO), 200);
	SAID(w, "\"person\":99,\"is_open\":false");
	assert_int_equal(world_audited(w, "first_admin_opened", "telegram:99"), 1);
	assert_int_equal(world_audited(w, newer + strlen("/start "), NULL), 0);
	assert_int_equal(
	    api_aid_ask(w, STRANGER, DEPLOY, OF_STAGING), 403); /* who is 99: it gives no right */
}

WORLD_TEST_BARE(a_link_of_ten_minutes_ago_counts_no_more)
{
	char link[32];

	api_aid_open(w);
	make_link(w, link);
	w->aid.at += INT64_C(600000);
	(void)world_text_in(w, NEW, NEW, link);
	assert_int_equal(api_aid_ask(w, ROOT, WHO), 200);
	SAID(w, "\"person\":null,\"is_open\":false");
}

/* Each is an entry of the audit. */
TEST(denials_are_counted_as_what_is_typed_or_pressed)
{
	static const struct {
		enum api_operation operation;
		const char *path;
		const char *body;
	} cases[] = {
		{ API_LOG, "/v1/log/1/0", NULL },
		{ API_HISTORY, "/v1/history/production", NULL },
		{ API_ANSWER, "/v1/answer/1", "{\"answer\": \"yes\"}" },
	};
	struct world w;

	for (size_t i = 0; i < COUNT(cases); i++) {
		int status = 403;

		world_open(&w, ADA_IS, "LOCAL_GAMES_IS=role dev", TEAM, "ROLE_DEV_IDS=77",
		    "ROLE_DEV_MAY=status:production", NULL);
		assert_int_equal(api_aid_ask(&w, ADA, DEPLOY, OF_PRODUCTION), 200);
		world_git(&w, (struct world_git){ .commit = COMMIT_A, .ref = "main" });
		for (int n = 0; n < 60 && status == 403; n++)
			status = api_aid_ask(
			    &w, STAGING, cases[i].operation, cases[i].path, cases[i].body);
		if (status != 429)
			fail_msg("%s: %d %s", cases[i].path, status, w.aid.said);
		assert_in_range(world_audited(&w, "\"denied\"", "local:games"), 1, 30);
		/* What they may is not. */
		assert_int_equal(api_aid_ask(&w, STAGING, API_STATUS, "/v1/status", NULL), 200);
		world_close(&w);
	}
}

/* --- questions --- */

WORLD_TEST_BARE(a_question_is_whose_who_is_first)
{
	char path[64];
	int64_t work;

	api_aid_open(w);
	assert_int_equal(api_aid_ask(w, ADA, DEPLOY, OF_PRODUCTION), 200);
	work = api_aid_work(w);
	(void)snprintf(path, sizeof(path), "/v1/answer/%" PRId64, work);
	assert_int_equal(api_aid_ask(w, ADA, API_ANSWER, path, "{\"answer\": \"yes\"}"), 409);
	SAID(w, "There is no open question of that number.");
	world_git(w, (struct world_git){ .commit = COMMIT_A, .ref = "main" });
	assert_int_equal(api_aid_ask(w, STAGING, API_ANSWER, path, "{\"answer\": \"yes\"}"), 403);
	assert_int_equal(api_aid_ask(w, ADA, API_ANSWER, path, "{\"answer\": \"yes\"}"), 200);
	SAID(w, "Confirmed.");
	assert_int_equal(api_aid_ask(w, ADA, API_ANSWER, path, "{\"answer\": \"yes\"}"), 409);
	SAID(w, "You have confirmed it already.");
	assert_int_equal(api_aid_ask(w, ADMIN, API_ANSWER, path, "{\"answer\": \"yes\"}"), 409);
	SAID(w, "Somebody else has confirmed it already.");
	world_git_same(w);
	assert_int_equal(world_count(w, EFFECT_RUN), 1);
}

static void
read_shown(struct world *w, char ret[API_SHOWN])
{
	const char *said = strstr(w->aid.said, "\"shown\":\"");

	assert_non_null(said);
	(void)snprintf(ret, API_SHOWN, "%s", said + strlen("\"shown\":\""));
}

/* Of a question that was never asked anew a yes alone is enough, as before. */
WORLD_TEST_BARE(a_yes_to_a_question_asked_anew_says_that_it_was_read)
{
	static const char *const yes = "{\"answer\": \"yes\"}";
	char before[API_SHOWN], now[API_SHOWN], path[64], body[128];

	api_aid_open(w);
	assert_int_equal(api_aid_ask(w, ADA, DEPLOY, OF_PRODUCTION), 200);
	(void)snprintf(path, sizeof(path), "/v1/answer/%" PRId64, api_aid_work(w));
	world_git(w, (struct world_git){ .commit = COMMIT_A, .ref = "main" });
	assert_int_equal(api_aid_ask(w, ADA, API_WORK, "/v1/work/1", NULL), 200);
	read_shown(w, before);
	assert_int_equal(api_aid_ask(w, ADA, API_ANSWER, path, yes), 200);
	world_git(
	    w, (struct world_git){ .commit = COMMIT_A, .ref = "main", .is_off_branch = true });
	assert_int_equal(world_newest(w, "production").confirmed_by, 0); /* asked anew */
	assert_int_equal(api_aid_ask(w, ADA, API_ANSWER, path, yes), 409);
	SAID(w, "It was asked anew: nothing was confirmed. It asks now:");
	SAID(w, "main was force-pushed and no longer has it");
	read_shown(w, now);
	assert_string_not_equal(before, now);
	(void)snprintf(body, sizeof(body), "{\"answer\": \"yes\", \"shown\": \"%s\"}", before);
	assert_int_equal(api_aid_ask(w, ADA, API_ANSWER, path, body), 409);
	assert_int_equal(api_aid_ask(w, STAGING, API_ANSWER, path, body), 403);
	assert_int_equal(world_newest(w, "production").confirmed_by, 0);
	assert_int_equal(api_aid_ask(w, ADA, API_WORK, "/v1/work/1", NULL), 200);
	SAID(w, now);
	(void)snprintf(body, sizeof(body), "{\"answer\": \"yes\", \"shown\": \"%s\"}", now);
	assert_int_equal(api_aid_ask(w, ADA, API_ANSWER, path, body), 200);
	assert_int_not_equal(world_newest(w, "production").confirmed_by, 0);
}

/* Its number, until when, and what a second request for the same has become. */
WORLD_TEST_BARE(an_open_question_is_found_by_who_did_not_ask_it)
{
	char path[64], number[64];
	int64_t work, other;

	api_aid_open(w);
	assert_int_equal(api_aid_ask(w, ADA, DEPLOY, OF_STAGING), 200);
	SAID(w, "\"is_to_be_answered\":false,\"asked_until\":null");
	assert_int_equal(api_aid_ask(w, ADA, DEPLOY, OF_PRODUCTION), 200);
	SAID(w, "\"is_to_be_answered\":true,\"asked_until\":null");
	work = api_aid_work(w);
	world_git(w, (struct world_git){ .commit = COMMIT_A, .ref = "main" });
	world_git(w, (struct world_git){ .commit = COMMIT_A, .ref = "main" });
	(void)snprintf(number, sizeof(number), "\"questions\":[{\"work\":%" PRId64 ",", work);
	assert_int_equal(api_aid_ask(w, STAGING, API_STATUS, "/v1/status/production", NULL), 200);
	SAID(w, number);
	SAID(w, "\"is_asked\":true,\"asked_until\":\"20");
	assert_int_equal(api_aid_ask(w, STAGING, API_QUEUE, "/v1/queue/production", NULL), 200);
	SAID(w, number);
	assert_int_equal(api_aid_ask(w, ADMIN, DEPLOY, OF_PRODUCTION), 200);
	other = api_aid_work(w);
	world_git(w, (struct world_git){ .commit = COMMIT_A, .ref = "main" });
	(void)snprintf(path, sizeof(path), "/v1/work/%" PRId64, other);
	assert_int_equal(api_aid_ask(w, ADMIN, API_WORK, path, NULL), 200);
	SAID(w, "\"state\":\"superseded\"");
	(void)snprintf(number, sizeof(number), "asked about already, as #%" PRId64, work);
	SAID(w, number);
	(void)snprintf(number, sizeof(number), "\"joined\":%" PRId64 ",", work);
	SAID(w, number);
	(void)snprintf(path, sizeof(path), "/v1/answer/%" PRId64, work);
	assert_int_equal(api_aid_ask(w, ADMIN, API_ANSWER, path, "{\"answer\": \"yes\"}"), 200);
	assert_int_equal(api_aid_ask(w, STAGING, API_QUEUE, "/v1/queue/production", NULL), 200);
	SAID(w, "\"questions\":[]");
}

/* Nobody in a chat is that user: whoever may confirm answers for them. */
WORLD_TEST_BARE(the_question_of_a_role_is_answered_in_the_chat_by_who_may_confirm)
{
	struct world_message *question;

	api_aid_open(w);
	assert_int_equal(api_aid_ask(w, ADMIN, DEPLOY, OF_PRODUCTION), 200);
	world_git(w, (struct world_git){ .commit = COMMIT_A, .ref = "main" });
	question = world_says_in(w, WORLD_TEAM, "www-data (from the machine)");
	assert_non_null(question);
	(void)world_press(w, WORLD_STAGING_USER, WORLD_TEAM, world_button(question, "Deploy to"));
	assert_int_equal(world_newest(w, "production").confirmed_by, 0);
	(void)world_press(w, WORLD_OTHER_ADMIN, WORLD_TEAM, world_button(question, "Deploy to"));
	assert_int_equal(world_newest(w, "production").confirmed_by, WORLD_OTHER_ADMIN);
}

/* --- answers --- */

WORLD_TEST_BARE(what_cannot_be_done_is_a_status_and_a_sentence)
{
	static const struct {
		const char *path;
		const char *body;
		int status;
		const char *said;
	} cases[] = {
		{ "/v1/command/deploy", "{\"arguments\": [\"stagin\"]}", 409,
		    "Did you mean staging?" },
		{ "/v1/command/deploy", "{}", 409, "which environment?\\nstaging" },
		{ "/v1/command/depoly", "{}", 409, "Did you mean /deploy?" },
		{ "/v1/command/deploy", "{\"arguments\": [\"staging\", \"a\", \"b\"]}", 409,
		    "Usage" },
		{ "/v1/command/rollback", OF_STAGING, 409, "no earlier release" },
		{ "/v1/command/cancel", OF_STAGING, 409,
		    "Nothing to stop: staging: no deployment is in progress or queued." },
		{ "/v1/command/pause", OF_STAGING, 409,
		    "Not paused: staging: nothing is in progress there" },
		{ "/v1/command/resume", OF_STAGING, 409, "Not paused: staging" },
		{ "/v1/command/live", OF_STAGING, 409, "Not baking: staging" },
		{ "/v1/command/queue", "{}", 200, "Nothing is in progress" },
	};

	api_aid_open(w);
	for (size_t i = 0; i < COUNT(cases); i++) {
		int status = api_aid_ask(w, ADA, API_COMMAND, cases[i].path, cases[i].body);

		if (status != cases[i].status || !api_aid_said(w, cases[i].said))
			fail_msg("%s %s: %d %s", cases[i].path, cases[i].body, status, w->aid.said);
		assert_false(api_aid_said(w, "\\u0001") || api_aid_said(w, "\\u0002"));
	}
	assert_int_equal(w->n_screen, 0);
}

WORLD_TEST_BARE(commands_are_counted_as_those_of_a_chat)
{
	int status = 200;

	api_aid_open(w);
	w->aid.at += 3600 * INT64_C(1000);
	for (int i = 0; i < 40 && status != 429; i++)
		status = api_aid_ask(w, ADA, API_COMMAND, "/v1/command/queue", "{}");
	assert_int_equal(status, 429);
}
