/* Goal: what is asked over /v1 is decided as what is typed or pressed; who asked is answered.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "decide_aid.h"

#include <jansson.h>

#include "fail_nth.h"
#include "handlers/handlers.h"
#include "lib/db.h"
#include "lib/err.h"
#include "lib/text.h"
#include "routes/local_user.h"
#include "store/store_inside.h"
#include "types/api.h"
#include "types/principal.h"

/* Users that each Debian has; the first is @ada herself. */
#define ADA_IS	    "LOCAL_DAEMON_IS=11"
#define STAGING_IS  "LOCAL_GAMES_IS=role staging"
#define ADMIN_IS    "LOCAL_WWW_DATA_IS=role admin"
#define STRANGER_IS "LOCAL_MAN_IS=99"
#define TEAM	    "TELEGRAM_CHAT_ID=-1001"
#define ADA	    1
#define STAGING	    5
#define ADMIN	    33
#define STRANGER    6
#define ROOT	    0

static struct local_peer
peer_of(uint32_t uid, const char *as)
{
	return (
	    struct local_peer){ .uid = uid, .server_uid = 10001, .runner_uid = 10002, .as = as };
}

/* What was said stands in w->aid.said. */
static struct answer
answer_of(struct world *w, struct local_peer peer, enum api_operation operation, const char *path,
    const char *body)
{
	struct event *event = store_aid_event(&w->aid, EVENT_API);
	struct api_request *api = calloc(1, sizeof(*api));
	const char *why;
	struct err err;

	assert_non_null(api);
	event->u.api = api;
	why = local_user_judge(w->aid.settings, &peer, &api->from);
	if (why != NULL)
		fail_msg("user %u: %s", peer.uid, why);
	if (!api_read(operation, path, body, body == NULL ? 0 : strlen(body), api, &err))
		fail_msg("%s: %s", path, err.text);
	return world_decide(w, event);
}

static int
ask_as(struct world *w, struct local_peer peer, enum api_operation operation, const char *path,
    const char *body)
{
	return answer_of(w, peer, operation, path, body).status;
}

static int
ask(struct world *w, uint32_t uid, enum api_operation operation, const char *path, const char *body)
{
	return ask_as(w, peer_of(uid, uid == ROOT ? "admin" : NULL), operation, path, body);
}

static bool
said(struct world *w, const char *part)
{
	return strstr(w->aid.said, part) != NULL;
}

#define SAID(w, part) \
	do { \
		if (!said(w, part)) \
			fail_msg("not said: %s, but %s", part, (w)->aid.said); \
	} while (0)

#define DEPLOY	      API_COMMAND, "/v1/command/deploy"
#define OF_STAGING    "{\"arguments\": [\"staging\"]}"
#define OF_PRODUCTION "{\"arguments\": [\"production\"]}"

static int64_t
asked_work(struct world *w)
{
	json_t *json = json_loads(w->aid.said, 0, NULL);
	int64_t work = json_integer_value(json_object_get(json, "work"));

	json_decref(json);
	return work;
}

static void
open_world(struct world *w)
{
	world_open(w, ADA_IS, STAGING_IS, ADMIN_IS, STRANGER_IS, TEAM, NULL);
}

/* --- who --- */

static void
who_is_let_in_is_one_sentence(void **state)
{
	static const struct {
		struct local_peer peer;
		const char *why;
		int64_t person;
		const char *name;
	} cases[] = {
		{ { ADA, 10001, 10002, NULL }, NULL, 11, "daemon (from the machine)" },
		{ { STAGING, 10001, 10002, NULL }, NULL, -6, "games (from the machine)" },
		{ { 42, 10001, 10002, NULL }, "your user is not known here", 0, "" },
		{ { SETTINGS_NOBODY, 10001, 10002, NULL }, "cannot be distinguished", 0, "" },
		/* Though the settings name them: they are the server's and the runner's here. */
		{ { ADA, ADA, 10002, NULL }, "scripts run as them", 0, "" },
		{ { ADA, 10001, ADA, NULL }, "scripts run as them", 0, "" },
		{ { ROOT, ROOT, ROOT, "admin" }, "scripts run as them", 0, "" },
		{ { ROOT, 10001, 10002, NULL }, "--as ROLE", 0, "" },
		{ { ROOT, 10001, 10002, "king" }, "there is no such role", 0, "" },
		{ { ROOT, 10001, 10002, "" }, "there is no such role", 0, "" },
		{ { ADA, 10001, 10002, "admin" }, "only root says --as", 0, "" },
	};
	struct update who;
	struct world w;

	(void)state;
	open_world(&w);
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *why = local_user_judge(w.aid.settings, &cases[i].peer, &who);

		/* It stands in the audit whole. */
		assert_true(why == NULL || strlen(why) < sizeof(((struct rejected *)NULL)->reason));
		if ((why == NULL) != (cases[i].why == NULL) ||
		    (why != NULL && strstr(why, cases[i].why) == NULL))
			fail_msg("case %zu: %s", i, why == NULL ? "let in" : why);
		assert_int_equal(who.person, cases[i].person);
		assert_string_equal(who.name, cases[i].name);
		assert_int_equal(who.address.chat, 0);
	}
	world_close(&w);
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
static void
who_came_from_the_machine_is_not_read_out_of_a_name(void **state)
{
	static const char eve[] = "“Eve (from the machine)” (id 45)";
	struct event *event;
	struct world w;

	(void)state;
	open_world(&w);
	event = store_aid_event(&w.aid, EVENT_UPDATE);
	event->u.update = calloc(1, sizeof(*event->u.update));
	assert_non_null(event->u.update);
	*event->u.update = (struct update){ .kind = UPDATE_TEXT,
		.address.chat = WORLD_ADMIN,
		.is_private = true,
		.person = WORLD_ADMIN };
	(void)text_copy(event->u.update->name, sizeof(event->u.update->name), eve);
	update_set_text(event->u.update, "/deploy staging");
	(void)world_decide(&w, event);
	assert_int_equal(world_audited(&w, "deploy_requested", "\"principal\":\"telegram\""), 1);
	assert_int_equal(named(&w, "telegram:11", eve), 1);
	/* As the user of the machine who stands for the same person: the name stays theirs. */
	assert_int_equal(ask(&w, ADA, DEPLOY, OF_PRODUCTION), 200);
	assert_int_equal(
	    world_audited(&w, "deploy_requested", "\"principal\":\"local:daemon\""), 1);
	assert_int_equal(named(&w, "telegram:11", eve), 1);
	/* ... and when it goes on, or is undone in the chat, which are other events. */
	assert_int_equal(ask(&w, ADA, API_COMMAND, "/v1/command/lock", OF_STAGING), 200);
	world_git(&w, (struct world_git){ .commit = COMMIT_A });
	(void)world_text(&w, WORLD_ADMIN, "/unlock staging");
	assert_int_equal(named(&w, "telegram:11", "daemon (from the machine)"), 0);
	world_close(&w);
}

/* --- what --- */

static void
somebody_deploys_as_in_a_chat_and_the_teams_chat_sees_it(void **state)
{
	struct deployment deployment;
	struct world w;

	(void)state;
	open_world(&w);
	assert_int_equal(ask(&w, ADA, DEPLOY, OF_STAGING), 200);
	deployment = world_newest(&w, "staging");
	assert_int_equal(asked_work(&w), deployment.id);
	assert_int_equal(deployment.requested_by, WORLD_ADMIN);
	assert_int_equal(deployment.address.chat, WORLD_TEAM);
	world_git(&w, (struct world_git){ .commit = COMMIT_A });
	assert_int_equal(world_run_starts(&w), 200);
	world_run_ends(&w, GOOD);
	assert_int_equal(world_state(&w), DEPLOY_LIVE);
	assert_non_null(world_says_in(&w, WORLD_TEAM, "by daemon (from the machine)"));
	assert_int_equal(world_audited(&w, "deploy_requested", "telegram:11"), 1);
	assert_int_equal(
	    world_audited(&w, "deploy_requested", "\"principal\":\"local:daemon\""), 1);
	assert_int_equal(ask(&w, ADA, API_STATUS, "/v1/status/staging", NULL), 200);
	SAID(&w, "\"commit\":\"" COMMIT_A "\"");
	world_close(&w);
}

static void
a_role_may_what_it_grants_and_no_more(void **state)
{
	struct world w;

	(void)state;
	open_world(&w);
	assert_int_equal(ask(&w, STAGING, DEPLOY, OF_PRODUCTION), 403);
	SAID(&w, "only an admin may");
	assert_int_equal(world_audited(&w, "denied", "local:games"), 1);
	assert_int_equal(ask(&w, STAGING, DEPLOY, OF_STAGING), 200);
	assert_int_equal(world_audited(&w, "deploy_requested", "local:games"), 1);
	assert_int_equal(w.n_screen, 1); /* the deployment's own: denials are the asker's */
	/* It holds at its turn as well, and not when its line has gone. */
	world_settings(&w, ADA_IS, TEAM, NULL);
	world_git(&w, (struct world_git){ .commit = COMMIT_A });
	assert_int_equal(world_state(&w), DEPLOY_REFUSED);
	world_close(&w);
}

static void
root_has_the_grants_of_the_role_that_it_says(void **state)
{
	struct world w;

	(void)state;
	open_world(&w);
	assert_int_equal(ask_as(&w, peer_of(ROOT, "staging"), DEPLOY, OF_PRODUCTION), 403);
	assert_int_equal(ask_as(&w, peer_of(ROOT, "staging"), DEPLOY, OF_STAGING), 200);
	assert_int_equal(world_audited(&w, "\"local:root\"", "\"high\""), 1);
	world_git(&w, (struct world_git){ .commit = COMMIT_A });
	assert_int_equal(world_run_starts(&w), 200);
	world_run_ends(&w, GOOD);
	assert_int_equal(world_audited(&w, "\"local:root\"", "\"high\""), 3);
	assert_int_equal(world_audited(&w, "\"local:root\"", "\"info\""), 0);
	world_close(&w);
}

static void
a_stranger_of_the_chat_is_one_here(void **state)
{
	struct world w;

	(void)state;
	open_world(&w);
	assert_int_equal(ask(&w, STRANGER, DEPLOY, OF_STAGING), 403);
	SAID(&w, "you have no role here");
	assert_int_equal(ask(&w, STRANGER, API_STATUS, "/v1/status", NULL), 403);
	assert_int_equal(ask(&w, STRANGER, API_WORK, "/v1/work/1", NULL), 404);
	assert_int_equal(w.n_screen, 0);
	world_close(&w);
}

/* What is there for nobody but who sees it: one more row of api.def is tried as well. */
static void
each_request_of_a_stranger_is_denied_or_finds_nothing(void **state)
{
	static const char *const behind[] = {
		[API_NONE] = "",
		[API_TARGET] = "/production",
		[API_NUMBER] = "/1",
		[API_PLACE] = "/1/0",
		[API_WORD] = "/deploy",
	};
	static const char *const bodies[] = {
		[API_ANSWER] = "{\"answer\": \"yes\"}",
		[API_COMMAND] = OF_PRODUCTION,
		[API_FACTOR] = "{\"person\": 11}",
		[API_TOKEN] = "{\"name\": \"ci\"}",
		[API_FIRST_ADMIN_LINK] = "{}",
		[API_OPERATION_COUNT] = NULL, /* all others */
	};
	struct world w;

	(void)state;
	open_world(&w);
	assert_int_equal(ask(&w, ADA, DEPLOY, OF_PRODUCTION), 200);
	assert_int_equal(asked_work(&w), 1); /* it asks nothing yet */
	for (enum api_operation i = 0; i < API_OPERATION_COUNT; i++) {
		const struct api_row *row = &api_rows[i];
		char path[64];
		int status;

		(void)snprintf(path, sizeof(path), "%s%s", row->path, behind[row->behind]);
		status = ask(&w, STRANGER, i, path, bodies[i]);
		if ((status != 403 && status != 404) || said(&w, "production\""))
			fail_msg("%s: %d %s", path, status, w.aid.said);
	}
	world_close(&w);
}

/* --- the first admin's link --- */

#define LINK API_FIRST_ADMIN_LINK, "/v1/first-admin-link", "{}"
#define WHO  API_FIRST_ADMIN, "/v1/first-admin", NULL
#define NEW  99

static void
make_link(struct world *w, char ret[32])
{
	json_t *json;

	assert_int_equal(ask(w, ROOT, LINK), 200);
	json = json_loads(w->aid.said, 0, NULL);
	(void)snprintf(ret, 32, "/start %s", json_string_value(json_object_get(json, "code")));
	assert_int_equal(strlen(ret), strlen("/start ") + 16);
	assert_true(json_integer_value(json_object_get(json, "bot")) > 0);
	json_decref(json);
}

static void
who_opens_the_link_first_in_private_is_shown_to_root_and_to_nobody_else(void **state)
{
	char link[32], newer[32];
	struct world w;

	(void)state;
	open_world(&w);
	assert_int_equal(ask(&w, ROOT, WHO), 200);
	SAID(&w, "\"person\":null,\"is_open\":false");
	make_link(&w, link);
	assert_int_equal(world_audited(&w, "first_admin_link", "local:root"), 1);
	assert_int_equal(ask(&w, ROOT, WHO), 200);
	SAID(&w, "\"person\":null,\"is_open\":true");
	/* An admin of the settings, and a user that has that role, are not root. */
	assert_int_equal(ask(&w, ADA, LINK), 403);
	assert_int_equal(ask(&w, ADMIN, WHO), 403);
	SAID(&w, "only root");
	/* Where others see it, and another code. */
	(void)world_text(&w, 11, link);
	(void)world_text_in(&w, NEW, NEW, "/start 0123456789abcdef");
	assert_int_equal(ask(&w, ROOT, WHO), 200);
	SAID(&w, "\"person\":null,\"is_open\":true");
	make_link(&w, newer);
	(void)world_text_in(&w, NEW, NEW, link); /* which counts no more */
	assert_null(world_says_in(&w, NEW, "first admin"));
	(void)world_text_in(&w, NEW, NEW, newer);
	assert_non_null(world_says_in(&w, NEW, "first admin"));
	(void)world_text_in(&w, 98, 98, newer);
	assert_null(world_says_in(&w, 98, "first admin"));
	assert_int_equal(ask(&w, ROOT, WHO), 200);
	SAID(&w, "\"person\":99,\"is_open\":false");
	assert_int_equal(world_audited(&w, "first_admin_opened", "telegram:99"), 1);
	assert_int_equal(world_audited(&w, newer + strlen("/start "), NULL), 0);
	assert_int_equal(
	    ask(&w, STRANGER, DEPLOY, OF_STAGING), 403); /* who is 99: it gives no right */
	world_close(&w);
}

static void
a_link_of_ten_minutes_ago_counts_no_more(void **state)
{
	char link[32];
	struct world w;

	(void)state;
	open_world(&w);
	make_link(&w, link);
	w.aid.at += INT64_C(600000);
	(void)world_text_in(&w, NEW, NEW, link);
	assert_int_equal(ask(&w, ROOT, WHO), 200);
	SAID(&w, "\"person\":null,\"is_open\":false");
	world_close(&w);
}

/* Each is an entry of the audit. */
static void
denials_are_counted_as_what_is_typed_or_pressed(void **state)
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

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		int status = 403;

		world_open(&w, ADA_IS, "LOCAL_GAMES_IS=role dev", TEAM, "ROLE_DEV_IDS=77",
		    "ROLE_DEV_MAY=status:production", NULL);
		assert_int_equal(ask(&w, ADA, DEPLOY, OF_PRODUCTION), 200);
		world_git(&w, (struct world_git){ .commit = COMMIT_A, .ref = "main" });
		for (int n = 0; n < 60 && status == 403; n++)
			status = ask(&w, STAGING, cases[i].operation, cases[i].path, cases[i].body);
		if (status != 429)
			fail_msg("%s: %d %s", cases[i].path, status, w.aid.said);
		assert_in_range(world_audited(&w, "\"denied\"", "local:games"), 1, 30);
		/* What they may is not. */
		assert_int_equal(ask(&w, STAGING, API_STATUS, "/v1/status", NULL), 200);
		world_close(&w);
	}
}

/* Of a client and the environment where it lives each is shown what they see. */
static void
what_somebody_does_not_see_of_a_work_is_not_named(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, ADA_IS, "LOCAL_GAMES_IS=role ops", STRANGER_IS, TEAM, "CLIENTS=acme",
	    "CLIENT_ACME_HOST=h", "CLIENT_ACME_ACTIONS=disk-free",
	    "CLIENT_ACME_ENVIRONMENT=production", "ROLE_OPS_IDS=77",
	    "ROLE_OPS_MAY=do:client/acme,status:client/acme", "ROLE_DEV_IDS=99",
	    "ROLE_DEV_MAY=status:production", NULL);
	assert_int_equal(ask(&w, ADA, API_COMMAND, "/v1/command/do",
			     "{\"arguments\": [\"disk-free\", \"acme\"]}"),
	    200);
	assert_int_equal(ask(&w, ADA, API_WORK, "/v1/work/1", NULL), 200);
	SAID(&w, "\"environment\":\"production\"");
	SAID(&w, "\"client\":\"acme\"");
	SAID(&w, "which is production");
	SAID(&w, "\"bound_to\":["); /* marks: who guesses a value would see that it is it */

	assert_int_equal(ask(&w, STAGING, API_WORK, "/v1/work/1", NULL), 200);
	SAID(&w, "\"environment\":\"client/acme\"");
	assert_false(said(&w, "production"));
	assert_false(said(&w, "bound_to"));

	assert_int_equal(ask(&w, STRANGER, API_WORK, "/v1/work/1", NULL), 404);
	assert_int_equal(ask(&w, STRANGER, API_STATUS, "/v1/status", NULL), 200);
	SAID(&w, "disk-free");
	assert_false(said(&w, "acme"));
	world_close(&w);
}

/* --- memory --- */

static unsigned memory_call; /* the one that fails */
static bool memory_was_short;

static void
handle_with_memory_short(struct tx *tx, const struct event *event)
{
	fail_nth(FAIL_MEMORY, memory_call);
	handle_api(tx, event);
	memory_was_short = fail_nth_met();
}

/* It is asked again then, and nobody is alerted of a quarantine. */
static void
an_answer_without_memory_is_asked_for_again(void **state)
{
	static const struct {
		enum api_operation operation;
		const char *path;
		const char *body;
	} cases[] = {
		{ API_STATUS, "/v1/status", NULL },
		{ API_COMMAND, "/v1/command/queue", "{}" },
	};
	unsigned n_refused = 0;
	struct world w;

	(void)state;
	open_world(&w);
	w.aid.handlers[EVENT_API] = handle_with_memory_short;
	for (size_t i = 0; i < COUNT(cases); i++) {
		memory_was_short = true;
		for (memory_call = 1; memory_was_short; memory_call++) {
			int status = ask(&w, ADA, cases[i].operation, cases[i].path, cases[i].body);

			n_refused += status == 503;
			if (status != 503 && status != 200)
				fail_msg("%s, call %u: %d", cases[i].path, memory_call, status);
			w.aid.at += 60 * INT64_C(1000); /* it is not too fast */
		}
	}
	assert_in_range(n_refused, 4, 100);
	world_close(&w);
}

/* --- questions --- */

static void
a_question_is_whose_who_is_first(void **state)
{
	char path[64];
	int64_t work;
	struct world w;

	(void)state;
	open_world(&w);
	assert_int_equal(ask(&w, ADA, DEPLOY, OF_PRODUCTION), 200);
	work = asked_work(&w);
	(void)snprintf(path, sizeof(path), "/v1/answer/%" PRId64, work);
	assert_int_equal(ask(&w, ADA, API_ANSWER, path, "{\"answer\": \"yes\"}"), 409);
	SAID(&w, "There is no open question of that number.");
	world_git(&w, (struct world_git){ .commit = COMMIT_A, .ref = "main" });
	assert_int_equal(ask(&w, STAGING, API_ANSWER, path, "{\"answer\": \"yes\"}"), 403);
	assert_int_equal(ask(&w, ADA, API_ANSWER, path, "{\"answer\": \"yes\"}"), 200);
	SAID(&w, "Confirmed.");
	assert_int_equal(ask(&w, ADA, API_ANSWER, path, "{\"answer\": \"yes\"}"), 409);
	SAID(&w, "You have confirmed it already.");
	assert_int_equal(ask(&w, ADMIN, API_ANSWER, path, "{\"answer\": \"yes\"}"), 409);
	SAID(&w, "Somebody else has confirmed it already.");
	world_git_same(&w);
	assert_int_equal(world_count(&w, EFFECT_RUN), 1);
	world_close(&w);
}

/* Its number, until when, and what a second request for the same has become. */
static void
an_open_question_is_found_by_who_did_not_ask_it(void **state)
{
	char path[64], number[64];
	int64_t work, other;
	struct world w;

	(void)state;
	open_world(&w);
	assert_int_equal(ask(&w, ADA, DEPLOY, OF_STAGING), 200);
	SAID(&w, "\"is_to_be_answered\":false,\"asked_until\":null");
	assert_int_equal(ask(&w, ADA, DEPLOY, OF_PRODUCTION), 200);
	SAID(&w, "\"is_to_be_answered\":true,\"asked_until\":null");
	work = asked_work(&w);
	world_git(&w, (struct world_git){ .commit = COMMIT_A, .ref = "main" });
	world_git(&w, (struct world_git){ .commit = COMMIT_A, .ref = "main" });
	(void)snprintf(number, sizeof(number), "\"questions\":[{\"work\":%" PRId64 ",", work);
	assert_int_equal(ask(&w, STAGING, API_STATUS, "/v1/status/production", NULL), 200);
	SAID(&w, number);
	SAID(&w, "\"is_asked\":true,\"asked_until\":\"20");
	assert_int_equal(ask(&w, STAGING, API_QUEUE, "/v1/queue/production", NULL), 200);
	SAID(&w, number);
	assert_int_equal(ask(&w, ADMIN, DEPLOY, OF_PRODUCTION), 200);
	other = asked_work(&w);
	world_git(&w, (struct world_git){ .commit = COMMIT_A, .ref = "main" });
	(void)snprintf(path, sizeof(path), "/v1/work/%" PRId64, other);
	assert_int_equal(ask(&w, ADMIN, API_WORK, path, NULL), 200);
	SAID(&w, "\"state\":\"superseded\"");
	(void)snprintf(number, sizeof(number), "asked about already, as #%" PRId64, work);
	SAID(&w, number);
	(void)snprintf(number, sizeof(number), "\"joined\":%" PRId64 ",", work);
	SAID(&w, number);
	(void)snprintf(path, sizeof(path), "/v1/answer/%" PRId64, work);
	assert_int_equal(ask(&w, ADMIN, API_ANSWER, path, "{\"answer\": \"yes\"}"), 200);
	assert_int_equal(ask(&w, STAGING, API_QUEUE, "/v1/queue/production", NULL), 200);
	SAID(&w, "\"questions\":[]");
	world_close(&w);
}

static void
what_keeps_new_work_back_is_shown(void **state)
{
	struct world w;

	(void)state;
	open_world(&w);
	assert_int_equal(ask(&w, ADMIN, API_COMMAND, "/v1/command/lock",
			     "{\"arguments\": [\"staging\", \"2h\", \"an\", \"incident\"]}"),
	    200);
	assert_int_equal(ask(&w, STAGING, API_STATUS, "/v1/status/staging", NULL), 200);
	SAID(&w,
	    "\"holds\":[{\"kind\":\"lock\",\"by\":\"www-data (from the machine)\",\"reason\":\"an incident\"");
	SAID(&w, "\"until\":\"20");
	world_close(&w);
}

/* Nobody in a chat is that user: whoever may confirm answers for them. */
static void
the_question_of_a_role_is_answered_in_the_chat_by_who_may_confirm(void **state)
{
	struct world_message *question;
	struct world w;

	(void)state;
	open_world(&w);
	assert_int_equal(ask(&w, ADMIN, DEPLOY, OF_PRODUCTION), 200);
	world_git(&w, (struct world_git){ .commit = COMMIT_A, .ref = "main" });
	question = world_says_in(&w, WORLD_TEAM, "www-data (from the machine)");
	assert_non_null(question);
	(void)world_press(&w, WORLD_STAGING_USER, WORLD_TEAM, world_button(question, "Deploy to"));
	assert_int_equal(world_newest(&w, "production").confirmed_by, 0);
	(void)world_press(&w, WORLD_OTHER_ADMIN, WORLD_TEAM, world_button(question, "Deploy to"));
	assert_int_equal(world_newest(&w, "production").confirmed_by, WORLD_OTHER_ADMIN);
	world_close(&w);
}

/* What is missing is a number while it may still be given. */
static void
approvals_of_some_work_are_shown(void **state)
{
	struct world_message *asked;
	struct world w;

	(void)state;
	world_open(&w, ADA_IS, TEAM, "PRODUCTION_APPROVALS=2", "PRODUCTION_CONFIRM=false",
	    "ADMIN_TELEGRAM_IDS=11,22,44", NULL);
	assert_int_equal(ask(&w, ADA, DEPLOY, OF_PRODUCTION), 200);
	world_git(&w, (struct world_git){ .commit = COMMIT_A, .ref = "main" });
	assert_int_equal(ask(&w, ADA, API_WORK, "/v1/work/1", NULL), 200);
	SAID(&w, "\"approved_by\":null,\"approvals_needed\":2,\"approvals_open\":2,");
	asked = world_says_in(&w, WORLD_TEAM, "Awaiting approval");
	(void)world_press(&w, WORLD_OTHER_ADMIN, WORLD_TEAM, world_button(asked, "Approve"));
	assert_int_equal(ask(&w, ADA, API_WORK, "/v1/work/1", NULL), 200);
	SAID(&w, "\"approved_by\":\"@bob\",\"approvals_needed\":2,\"approvals_open\":1,");
	(void)world_text(&w, 44, "/approve 1");
	assert_int_equal(ask(&w, ADA, API_WORK, "/v1/work/1", NULL), 200);
	SAID(&w,
	    "\"approved_by\":\"@bob, @eve\",\"approvals_needed\":null,\"approvals_open\":null,"
	    "\"emergency\":null,\"reviewed_by\":null,");
	world_close(&w);
}

static void
an_emergency_is_asked_for_and_reviewed(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, ADA_IS, ADMIN_IS, STAGING_IS, "LOCAL_MAN_IS=22", TEAM,
	    "PRODUCTION_APPROVALS=2", "PRODUCTION_CONFIRM=false", NULL);
	assert_int_equal(
	    ask(&w, STAGING, DEPLOY, "{\"arguments\": [\"production\", \"emergency\", \"down\"]}"),
	    403);
	assert_int_equal(
	    ask(&w, ADA, DEPLOY, "{\"arguments\": [\"production\", \"emergency\"]}"), 409);
	SAID(&w, "say why, behind the word emergency");
	/* No freeze holds it either: a reason for that is none of it. */
	assert_int_equal(ask(&w, ADA, DEPLOY,
			     "{\"arguments\": [\"production\", \"main\", \"emergency\", \"it\", "
			     "\"is\", \"down\"], \"reason\": \"now\"}"),
	    200);
	world_git(&w, (struct world_git){ .commit = COMMIT_A, .ref = "main" });
	assert_non_null(world_peek(&w, EFFECT_RUN));
	assert_int_equal(
	    ask(&w, ADA, API_COMMAND, "/v1/command/review", "{\"arguments\": [\"1\"]}"), 403);
	SAID(&w, "somebody else must review it");
	assert_int_equal(
	    ask(&w, ADMIN, API_COMMAND, "/v1/command/review", "{\"arguments\": [\"1\"]}"), 403);
	SAID(&w, "only a person counts");
	assert_int_equal(
	    ask(&w, 6, API_COMMAND, "/v1/command/review", "{\"arguments\": [\"1\"]}"), 200);
	assert_int_equal(ask(&w, ADA, API_WORK, "/v1/work/1", NULL), 200);
	SAID(&w,
	    "\"approvals_needed\":null,\"approvals_open\":null,\"emergency\":\"it is down\","
	    "\"reviewed_by\":\"man (from the machine)\"");
	world_close(&w);
}

/* --- answers --- */

static void
what_cannot_be_done_is_a_status_and_a_sentence(void **state)
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
		{ "/v1/command/queue", "{}", 200, "Nothing is in progress" },
	};
	struct world w;

	(void)state;
	open_world(&w);
	for (size_t i = 0; i < COUNT(cases); i++) {
		int status = ask(&w, ADA, API_COMMAND, cases[i].path, cases[i].body);

		if (status != cases[i].status || !said(&w, cases[i].said))
			fail_msg("%s %s: %d %s", cases[i].path, cases[i].body, status, w.aid.said);
		assert_false(said(&w, "\\u0001") || said(&w, "\\u0002"));
	}
	assert_int_equal(w.n_screen, 0);
	world_close(&w);
}

static void
commands_are_counted_as_those_of_a_chat(void **state)
{
	struct world w;
	int status = 200;

	(void)state;
	open_world(&w);
	w.aid.at += 3600 * INT64_C(1000);
	for (int i = 0; i < 40 && status != 429; i++)
		status = ask(&w, ADA, API_COMMAND, "/v1/command/queue", "{}");
	assert_int_equal(status, 429);
	world_close(&w);
}

static void
work_is_shown_as_it_stands(void **state)
{
	struct run_ended failed = FAILED_BEFORE_RELEASE;
	char path[64];
	struct world w;

	(void)state;
	failed.warnings = (struct run_warnings){ .said = 3, .lines = "0 replicas\nsays \"x\"" };
	open_world(&w);
	assert_int_equal(ask(&w, ADA, DEPLOY, OF_STAGING), 200);
	(void)snprintf(path, sizeof(path), "/v1/work/%" PRId64, asked_work(&w));
	assert_int_equal(ask(&w, STAGING, API_WORK, path, NULL), 200);
	SAID(&w, "\"warnings_said\":0,\"warnings\":[]");
	SAID(&w, "\"state\":\"requested\",\"is_over\":false");
	SAID(&w, "\"run\":null");
	world_git(&w, (struct world_git){ .commit = COMMIT_A });
	assert_int_equal(world_run_starts(&w), 200);
	world_run_step(&w, 0, "build");
	assert_int_equal(ask(&w, STAGING, API_WORK, path, NULL), 200);
	SAID(&w, "\"state\":\"running\"");
	SAID(&w, "\"steps\":[{\"name\":\"build\"");
	world_run_ends(&w, failed);
	assert_int_equal(ask(&w, STAGING, API_WORK, path, NULL), 200);
	SAID(&w, "\"warnings_said\":3,\"warnings\":[\"0 replicas\",\"says \\\"x\\\"\"]");
	SAID(&w, "\"state\":\"failed\",\"is_over\":true,\"is_good\":false");
	SAID(&w, "no such file");
	assert_int_equal(ask(&w, STAGING, API_HISTORY, "/v1/history/staging", NULL), 200);
	SAID(&w, "\"state\":\"failed\"");
	assert_int_equal(ask(&w, STAGING, API_QUEUE, "/v1/queue", NULL), 200);
	SAID(&w, "\"environment\":\"staging\",\"in_progress\":null,\"questions\":[],\"queue\":[]");
	world_close(&w);
}

static void
a_release_that_was_replaced_says_until_when_it_was_live(void **state)
{
	struct world w;

	(void)state;
	open_world(&w);
	world_deploy_goes_live(&w, COMMIT_A);
	assert_int_equal(ask(&w, STAGING, API_WORK, "/v1/work/1", NULL), 200);
	SAID(&w, "\"state\":\"live\"");
	SAID(&w, "\"live_until\":null");
	world_deploy_goes_live(&w, COMMIT_B);
	assert_int_equal(ask(&w, STAGING, API_WORK, "/v1/work/1", NULL), 200);
	SAID(&w, "\"live_until\":\"2026-");
	assert_int_equal(ask(&w, STAGING, API_HISTORY, "/v1/history/staging", NULL), 200);
	SAID(&w, "\"live_until\":\"2026-");
	SAID(&w, "\"live_until\":null");
	world_close(&w);
}

static void
a_run_is_read_by_who_may_read_logs(void **state)
{
	char path[64], runs[64];
	int64_t run;
	struct world w;

	(void)state;
	world_open(&w, ADA_IS, "LOCAL_GAMES_IS=role watch", "ROLE_WATCH_IDS=77",
	    "ROLE_WATCH_MAY=status:*/*", TEAM, NULL);
	assert_int_equal(ask(&w, ADA, DEPLOY, OF_STAGING), 200);
	world_git(&w, (struct world_git){ .commit = COMMIT_A });
	assert_int_equal(world_run_starts(&w), 200);
	run = world_newest(&w, "staging").run;
	(void)snprintf(path, sizeof(path), "/v1/work/%" PRId64, world_newest(&w, "staging").id);
	assert_int_equal(ask(&w, STAGING, API_WORK, path, NULL), 200);
	(void)snprintf(
	    runs, sizeof(runs), "\"runs\":[{\"run\":%" PRId64 ",\"program\":\"deploy\"}]", run);
	SAID(&w, runs);
	(void)snprintf(path, sizeof(path), "/v1/run/%" PRId64 "/0", run);
	assert_int_equal(ask(&w, STAGING, API_RUN, path, NULL), 403);
	assert_int_equal(ask(&w, ADA, API_RUN, path, NULL), 200);
	assert_int_equal(ask(&w, ADA, API_RUN, "/v1/run/999/0", NULL), 404);
	world_close(&w);
}

#define WATCH_IS "LOCAL_GAMES_IS=role watch", "ROLE_WATCH_IDS=77"
#define LOGGED	 "customer bob@example.org: no funds"

/* A message may be one in private, or of a group that shows logs: what stands there is not what
 * everybody reads who sees the work. */
static void
what_an_application_logged_is_no_part_of_a_message_without_the_grant(void **state)
{
	static const int64_t chats[] = { WORLD_ADMIN, WORLD_TEAM };
	struct run_ended back = GOOD;
	struct world w;

	(void)state;
	(void)text_copy(back.application_log, sizeof(back.application_log), LOGGED);
	for (size_t i = 0; i < COUNT(chats); i++) {
		world_open(&w, ADA_IS, WATCH_IS, "ROLE_WATCH_MAY=status:*/*", TEAM, STAGING_URL,
		    "FAILURE_LOG_IN_CHAT=true", NULL);
		world_deploy_goes_live(&w, COMMIT_A);
		(void)world_text_in(&w, WORLD_ADMIN, chats[i], "/deploy staging");
		world_git(&w, (struct world_git){ .commit = COMMIT_B });
		(void)world_run_starts(&w);
		world_run_ends(&w, GOOD);
		world_probed(&w, "HTTP 500");
		world_run_ends(&w, back);
		world_probed(&w, NULL);
		assert_non_null(world_says_in(&w, chats[i], LOGGED));
		assert_int_equal(ask(&w, STAGING, API_WORK, "/v1/work/2", NULL), 200);
		assert_false(said(&w, LOGGED));
		SAID(&w, "Rolled back: staging from");
		SAID(&w, "the application logged: only the grant log shows it\\n");
		assert_int_equal(ask(&w, ADA, API_WORK, "/v1/work/2", NULL), 200);
		SAID(&w, "the application logged:\\n" LOGGED);
		world_close(&w);
	}
}

/* Of the build everybody reads them who is shown the failure. */
static void
last_lines_in_which_an_application_may_speak_need_the_grant_too(void **state)
{
	static const struct {
		bool released;
		bool is_shown;
	} cases[] = { { true, false }, { false, true } };
	struct world w;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct run_ended failed = { .gate_opened = true, .exit_status = 1 };

		failed.released = cases[i].released;
		(void)text_copy(failed.tail, sizeof(failed.tail), LOGGED "\nstopped");
		world_open(&w, ADA_IS, WATCH_IS, "ROLE_WATCH_MAY=status:*/*", TEAM, NULL);
		(void)world_text_in(&w, WORLD_ADMIN, WORLD_ADMIN, "/deploy staging");
		world_git(&w, (struct world_git){ .commit = COMMIT_A });
		(void)world_run_starts(&w);
		world_run_ends(&w, failed);
		assert_non_null(world_says_in(&w, WORLD_ADMIN, LOGGED));
		assert_int_equal(ask(&w, STAGING, API_WORK, "/v1/work/1", NULL), 200);
		assert_int_equal(said(&w, LOGGED), cases[i].is_shown);
		assert_int_equal(
		    said(&w, "customers' data: only the grant log shows them"), !cases[i].is_shown);
		assert_int_equal(ask(&w, ADA, API_WORK, "/v1/work/1", NULL), 200);
		SAID(&w, LOGGED);
		world_close(&w);
	}
}

/* Who asked sees both environments; who reads it, production alone.  Whom nothing is hidden from
 * reads what git said, too. */
static void
what_a_question_says_of_another_environment_is_for_who_sees_that(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, ADA_IS, ADMIN_IS, WATCH_IS, "ROLE_WATCH_MAY=status:production", TEAM, NULL);
	world_deploy_goes_live(&w, COMMIT_A);
	(void)world_text_in(&w, WORLD_ADMIN, WORLD_TEAM, "/deploy production");
	world_git(&w, (struct world_git){ .commit = COMMIT_A, .count = 1 });
	assert_int_equal(ask(&w, ADMIN, API_WORK, "/v1/work/2", NULL), 200);
	SAID(&w, "ran on staging");
	SAID(&w, "Change 1");
	assert_int_equal(ask(&w, STAGING, API_WORK, "/v1/work/2", NULL), 200);
	SAID(&w, "Deploy to production?");
	assert_false(said(&w, "staging"));
	world_close(&w);
}

/* Who asked sees what it is queued behind; who reads it, its own client alone. */
static void
what_a_queued_work_is_behind_is_for_who_sees_that(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, ADA_IS, WATCH_IS, "ROLE_WATCH_MAY=status:client/beta", TEAM,
	    "CLIENTS=acme,beta", "CLIENT_ACME_HOST=h", "CLIENT_ACME_ACTIONS=disk-free",
	    "CLIENT_BETA_HOST=h", "CLIENT_BETA_ACTIONS=disk-free", NULL);
	(void)world_text(&w, WORLD_ADMIN, "/do disk-free acme");
	(void)world_text(&w, WORLD_ADMIN, "/do disk-free beta");
	assert_int_equal(ask(&w, ADA, API_WORK, "/v1/work/2", NULL), 200);
	SAID(&w, "of client/acme, which holds host:h");
	assert_int_equal(ask(&w, STAGING, API_WORK, "/v1/work/2", NULL), 200);
	SAID(&w, "waits for other work");
	assert_false(said(&w, "acme"));
	world_close(&w);
}

#define EIGHT(name) \
	name "_HEALTH_URL=http://a/1,http://a/2,http://a/3,http://a/4,http://a/5,http://a/6," \
	     "http://a/7,http://a/8"

/* Nine of eight URLs each: those at the front, whole. */
static void
health_is_asked_of_64_urls_at_most(void **state)
{
	struct answer answer;
	struct world w;

	(void)state;
	world_open(&w, ADA_IS, STRANGER_IS, TEAM,
	    "ENVIRONMENTS=staging,production,a1,a2,a3,a4,a5,a6,a7,a8", EIGHT("A1"), EIGHT("A2"),
	    EIGHT("A3"), EIGHT("A4"), EIGHT("A5"), EIGHT("A6"), EIGHT("A7"), EIGHT("A8"),
	    EIGHT("STAGING"), NULL);
	answer = answer_of(&w, peer_of(ADA, NULL), API_STATUS, "/v1/status", NULL);
	assert_int_equal(answer.n_targets, PROBE_LOOK_TARGETS);
	SAID(&w, "\"environment\":\"staging\",\"health_urls\":8");
	SAID(&w, "\"environment\":\"production\",\"health_urls\":0");
	answer = answer_of(&w, peer_of(ADA, NULL), API_STATUS, "/v1/status/a8", NULL);
	assert_int_equal(answer.n_targets, LIMIT_URLS);
	answer = answer_of(&w, peer_of(STRANGER, NULL), API_STATUS, "/v1/status/a8", NULL);
	assert_int_equal(answer.n_targets, 0);
	world_close(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_is_let_in_is_one_sentence),
		cmocka_unit_test(who_came_from_the_machine_is_not_read_out_of_a_name),
		cmocka_unit_test(somebody_deploys_as_in_a_chat_and_the_teams_chat_sees_it),
		cmocka_unit_test(a_role_may_what_it_grants_and_no_more),
		cmocka_unit_test(root_has_the_grants_of_the_role_that_it_says),
		cmocka_unit_test(a_stranger_of_the_chat_is_one_here),
		cmocka_unit_test(each_request_of_a_stranger_is_denied_or_finds_nothing),
		cmocka_unit_test(
		    who_opens_the_link_first_in_private_is_shown_to_root_and_to_nobody_else),
		cmocka_unit_test(a_link_of_ten_minutes_ago_counts_no_more),
		cmocka_unit_test(denials_are_counted_as_what_is_typed_or_pressed),
		cmocka_unit_test(what_somebody_does_not_see_of_a_work_is_not_named),
		cmocka_unit_test(an_answer_without_memory_is_asked_for_again),
		cmocka_unit_test(a_question_is_whose_who_is_first),
		cmocka_unit_test(an_open_question_is_found_by_who_did_not_ask_it),
		cmocka_unit_test(approvals_of_some_work_are_shown),
		cmocka_unit_test(an_emergency_is_asked_for_and_reviewed),
		cmocka_unit_test(what_keeps_new_work_back_is_shown),
		cmocka_unit_test(the_question_of_a_role_is_answered_in_the_chat_by_who_may_confirm),
		cmocka_unit_test(what_cannot_be_done_is_a_status_and_a_sentence),
		cmocka_unit_test(commands_are_counted_as_those_of_a_chat),
		cmocka_unit_test(work_is_shown_as_it_stands),
		cmocka_unit_test(a_release_that_was_replaced_says_until_when_it_was_live),
		cmocka_unit_test(a_run_is_read_by_who_may_read_logs),
		cmocka_unit_test(
		    what_an_application_logged_is_no_part_of_a_message_without_the_grant),
		cmocka_unit_test(last_lines_in_which_an_application_may_speak_need_the_grant_too),
		cmocka_unit_test(what_a_question_says_of_another_environment_is_for_who_sees_that),
		cmocka_unit_test(what_a_queued_work_is_behind_is_for_who_sees_that),
		cmocka_unit_test(health_is_asked_of_64_urls_at_most),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
