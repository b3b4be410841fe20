/* Goal: what is done to a client is shown and cancelled as what is done in an environment.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "api_aid.h"
#include "cli/cli_server.h"
#include "cli/cli_show.h"
#include "do_aid.h"
#include "lib/json.h"
#include "lib/text.h"

#define NOTHING "Nothing is in progress, and nothing is queued."
/* A client that is an environment, which the contractor does not see. */
#define IS_STAGING \
	"CLIENTS=acme,beta", "CLIENT_ACME_HOST=h", "CLIENT_ACME_ACTIONS=disk-free,service-status", \
	    "CLIENT_ACME_WEB_UNIT=web.service", "CLIENT_ACME_ENVIRONMENT=staging", \
	    "CLIENT_BETA_HOST=b", "CLIENT_BETA_ACTIONS=disk-free", "ROLE_CONTRACTOR_IDS=44", \
	    "ROLE_CONTRACTOR_MAY=do:client/acme"

#define CLIENTS_NOW(may) \
	"CLIENTS=acme,beta", "CLIENT_ACME_HOST=web@acme.example:2222", \
	    "CLIENT_ACME_ACTIONS=restart-web,service-status", "CLIENT_ACME_WEB_UNIT=web.service", \
	    "CLIENT_BETA_HOST=b", "CLIENT_BETA_ACTIONS=disk-free", "ROLE_CONTRACTOR_IDS=44", \
	    "ROLE_CONTRACTOR_MAY=" may

static const char *
reads(struct world *w, int64_t person, const char *text)
{
	(void)world_text_in(w, person, person, text);
	return world_plain(world_last(w));
}

static void
has(const char *text, const char *part)
{
	if (strstr(text, part) == NULL)
		fail_msg("\"%s\" is not in:\n%s", part, text);
}

static void
lacks(const char *text, const char *part)
{
	if (strstr(text, part) != NULL)
		fail_msg("\"%s\" is in:\n%s", part, text);
}

static void
restart(struct world *w, int64_t person)
{
	(void)world_text_in(w, person, person, "/do restart-web acme");
	(void)world_press(w, person, person, world_button(world_last(w), "restart-web"));
}

static void
runner_is(struct world *w, enum event_kind kind, const char *name)
{
	struct event *event = store_aid_event(&w->aid, kind);

	(void)text_copy(event->u.runner.name, sizeof(event->u.runner.name), name);
	(void)world_decide(w, event);
}

/* What `deploybot status` prints of the answer. */
static const char *
printed(struct world *w, char ret[400])
{
	struct json *json = json_decode(w->aid.said, strlen(w->aid.said), NULL);
	FILE *out = stdout;
	char *text = NULL;
	size_t size;

	assert_non_null(json);
	stdout = open_memstream(&text, &size);
	cli_show_status(json);
	(void)fclose(stdout);
	stdout = out;
	assert_true(text_copy(ret, 400, text));
	free(text);
	json_free(json);
	return ret;
}

/* --- /queue --- */

WORLD_TEST_BARE(what_is_open_at_a_client_is_in_the_queue_of_all)
{
	do_aid_open(w);
	assert_string_equal(reads(w, WORLD_ADMIN, "/queue"), NOTHING);
	assert_string_equal(reads(w, CONTRACTOR, "/queue"), NOTHING);
	restart(w, WORLD_ADMIN);
	restart(w, CONTRACTOR);
	assert_string_equal(reads(w, WORLD_ADMIN, "/queue"),
	    "client/acme\n▶️ #1 @ada does restart-web, just now\n1. #2 @eve does restart-web, just now");
	assert_string_equal(reads(w, CONTRACTOR, "/queue"),
	    "client/acme\n▶️ #1 @ada does restart-web, just now\n1. #2 @eve does restart-web, just now");
	assert_string_not_equal(world_button(world_last(w), "Leave the queue: #2"), "");
	/* Behind environments; also by its id alone; of beta the contractor learns nothing. */
	(void)world_text(w, WORLD_ADMIN, "/do disk-free beta");
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_A);
	has(reads(w, WORLD_ADMIN, "/queue"),
	    "staging\n▶️ #4 @ada deploys aaaaaaa, just now\n\n");
	has(reads(w, WORLD_ADMIN, "/queue"), "client/beta\n▶️ #3 ");
	has(reads(w, WORLD_ADMIN, "/queue acme"), "client/acme\n▶️ #1 ");
	lacks(reads(w, CONTRACTOR, "/queue"), "beta");
	lacks(reads(w, CONTRACTOR, "/queue"), "staging");
	assert_string_equal(reads(w, WORLD_STAGING_USER, "/queue"),
	    "staging\n▶️ #4 @ada deploys aaaaaaa, just now");
}

/* One page has five. */
WORLD_TEST_OF(of_many_clients_with_something_open_the_queue_has_pages, "CLIENTS=a,b,c,d,e,f,g",
    "CLIENT_A_HOST=a", "CLIENT_A_ACTIONS=disk-free", "CLIENT_B_HOST=b",
    "CLIENT_B_ACTIONS=disk-free", "CLIENT_C_HOST=c", "CLIENT_C_ACTIONS=disk-free",
    "CLIENT_D_HOST=d", "CLIENT_D_ACTIONS=disk-free", "CLIENT_E_HOST=e",
    "CLIENT_E_ACTIONS=disk-free", "CLIENT_F_HOST=f", "CLIENT_F_ACTIONS=disk-free",
    "CLIENT_G_HOST=g", "CLIENT_G_ACTIONS=disk-free")
{
	char text[] = "/do disk-free a";

	for (; text[sizeof(text) - 2] <= 'g'; text[sizeof(text) - 2]++)
		(void)world_text(w, WORLD_ADMIN, text);
	(void)world_text(w, WORLD_ADMIN, "/queue");
	has(world_plain(world_last(w)), "client/e\n▶️ #5 ");
	lacks(world_plain(world_last(w)), "client/f");
	has(world_labels(world_last(w)), "2/2");
}

WORLD_TEST_BARE(over_v1_the_queue_is_the_one_of_the_chat)
{
	char text[400];

	world_open(w, CLIENTS, "LOCAL_GAMES_IS=44", "LOCAL_MAN_IS=45", "ROLE_LEAD_IDS=45",
	    "ROLE_LEAD_MAY=approve:client/acme", NULL);
	restart(w, CONTRACTOR);
	assert_int_equal(api_aid_ask(w, STAGING, API_QUEUE, "/v1/queue", NULL), 200);
	SAID(w, "\"environment\":\"client/acme\",\"in_progress\":{\"work\":1,");
	assert_int_equal(api_aid_ask(w, STAGING, API_QUEUE, "/v1/queue/client/acme", NULL), 200);
	assert_int_equal(api_aid_ask(w, STAGING, API_STATUS, "/v1/status/client/acme", NULL), 200);
	has(printed(w, text), "client/acme\n  in progress: #1 action restart-web: running, by ");
	lacks(text, "released");
	lacks(text, "health");
	assert_int_equal(api_aid_ask(w, STAGING, API_QUEUE, "/v1/queue/client/beta", NULL), 404);
	/* Who approves there reads the queue, as in the chat, and not the status. */
	assert_int_equal(api_aid_ask(w, STRANGER, API_QUEUE, "/v1/queue/client/acme", NULL), 200);
	assert_int_equal(api_aid_ask(w, STRANGER, API_STATUS, "/v1/status/client/acme", NULL), 403);
}

/* --- a client that is an environment --- */

WORLD_TEST_OF(a_client_that_is_an_environment_has_its_queue, IS_STAGING)
{
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_A);
	(void)world_text_in(w, CONTRACTOR, CONTRACTOR, "/do disk-free acme");
	assert_string_equal(reads(w, WORLD_ADMIN, "/queue client/acme"),
	    "staging\n▶️ #1 @ada deploys aaaaaaa, just now\n1. #2 @eve does disk-free, just now");
	/* Who sees the client alone reads what is done to it, under its name. */
	assert_string_equal(reads(w, CONTRACTOR, "/queue client/acme"),
	    "client/acme\n1. #2 @eve does disk-free, just now");
	assert_string_equal(
	    reads(w, CONTRACTOR, "/queue"), "client/acme\n1. #2 @eve does disk-free, just now");
	has(reads(w, CONTRACTOR, "/status acme"), "client/acme: nothing is in progress\n");
	has(reads(w, CONTRACTOR, "/cancel client/acme"), "client/acme disk-free");
	assert_int_equal(world_newest(w, "staging").state, DEPLOY_CANCELLED);
	assert_string_equal(reads(w, CONTRACTOR, "/queue"), NOTHING);
	assert_string_equal(reads(w, CONTRACTOR, "/queue client/acme"), NOTHING);
	lacks(reads(w, CONTRACTOR, "/queue staging"), "aaaaaaa");
	world_run_ends(w, GOOD);
	(void)world_text_in(w, CONTRACTOR, CONTRACTOR, "/do disk-free acme");
	has(reads(w, CONTRACTOR, "/status client/acme"),
	    "client/acme\n⏳ in progress disk-free, started just now, requested by @eve\n");
	lacks(reads(w, CONTRACTOR, "/status client/acme"), "aaaaaaa");
	lacks(reads(w, CONTRACTOR, "/status client/acme"), "staging");
	has(reads(w, WORLD_ADMIN, "/status client/acme"), "staging runs aaaaaaa");
}

/* Who acts on a client does not read why all are frozen. */
WORLD_TEST_BARE(why_all_are_frozen_is_not_said_to_who_acts_on_a_client)
{
	do_aid_open(w);
	restart(w, CONTRACTOR);
	(void)world_text(w, WORLD_ADMIN, "/freeze all until 2026-01-05 the barrels leak");
	has(reads(w, WORLD_ADMIN, "/queue client/acme"), "the barrels leak");
	has(reads(w, CONTRACTOR, "/queue client/acme"), "@ada");
	lacks(reads(w, CONTRACTOR, "/queue client/acme"), "barrels");
	has(reads(w, CONTRACTOR, "/status client/acme"), "@ada");
	lacks(reads(w, CONTRACTOR, "/status client/acme"), "barrels");
}

/* --- /status --- */

WORLD_TEST_BARE(of_a_client_the_status_is_what_is_in_progress)
{
	do_aid_open(w);
	assert_string_equal(
	    reads(w, CONTRACTOR, "/status client/acme"), "client/acme: nothing is in progress\n");
	restart(w, CONTRACTOR);
	assert_string_equal(reads(w, CONTRACTOR, "/status client/acme"),
	    "client/acme\n⏳ in progress restart-web, started just now, requested by @eve\n");
	assert_string_equal(reads(w, CONTRACTOR, "/status"),
	    "client/acme\n⏳ in progress restart-web, started just now, requested by @eve\n");
	has(reads(w, WORLD_ADMIN, "/status"), "client/acme\n⏳ in progress restart-web");
	has(reads(w, CONTRACTOR, "/status client/beta"), "No \"client/beta\"");
	has(reads(w, CONTRACTOR, "/history client/acme"), "⛔ Denied: client/acme history");
	runner_is(w, EVENT_RUNNER_GONE, "local");
	has(reads(w, CONTRACTOR, "/status acme"), ", its runner is disconnected since ");
}

/* --- /cancel and /show --- */

WORLD_TEST_BARE(what_one_has_asked_for_is_taken_back_and_shown)
{
	do_aid_open(w);
	restart(w, WORLD_ADMIN);
	restart(w, CONTRACTOR);
	has(reads(w, CONTRACTOR, "/show 2"), "#2, action\nrequested by @eve");
	has(reads(w, CONTRACTOR, "/show 1"), "⛔ Denied: client/acme history");
	has(reads(w, CONTRACTOR, "/cancel client/acme"), "client/acme restart-web.");
	assert_int_equal(do_aid_newest(w).state, DEPLOY_CANCELLED);
	assert_int_equal(world_audited(w, "cancel_requested", "telegram:44"), 1);
	/* What another person has asked for, or has begun, is not theirs. */
	has(reads(w, CONTRACTOR, "/cancel client/acme"), "⛔ Denied: client/acme cancel");
	world_run_ends(w, (struct run_ended){ .gate_opened = true });
	restart(w, CONTRACTOR);
	has(reads(w, CONTRACTOR, "/cancel acme"), "⛔ Denied: client/acme cancel");
	assert_int_equal(do_aid_newest(w).state, DEPLOY_RUNNING);
	has(reads(w, CONTRACTOR, "/show 3"), "#3, action");
	/* Who may ask for it no more takes nothing back, and sees what they once asked for. */
	restart(w, CONTRACTOR);
	world_settings(w, CLIENTS_NOW("do.service-status:client/acme"), NULL);
	has(reads(w, CONTRACTOR, "/cancel client/acme"), "⛔ Denied: client/acme restart-web");
	assert_int_equal(do_aid_newest(w).state, DEPLOY_QUEUED);
	has(reads(w, CONTRACTOR, "/show 3"), "#3, action");
	world_settings(w, CLIENTS_NOW("do.disk-free:client/beta"), NULL);
	lacks(reads(w, CONTRACTOR, "/show 3"), "#3");
	lacks(reads(w, CONTRACTOR, "/cancel client/acme"), "restart-web");
	assert_int_equal(do_aid_newest(w).state, DEPLOY_QUEUED);
}

WORLD_TEST_BARE(of_what_runs_at_a_disconnected_runner_it_is_not_said_that_it_runs)
{
	do_aid_open(w);
	restart(w, CONTRACTOR);
	(void)world_run_starts(w);
	has(reads(w, CONTRACTOR, "/show 1"), ", still running (run 1)");
	runner_is(w, EVENT_RUNNER_GONE, "local");
	has(reads(w, CONTRACTOR, "/show 1"), "\n⚠️ its runner is disconnected since 00:00: ");
	has(reads(w, CONTRACTOR, "/show 1"), ", not known whether it still runs (run 1)");
	lacks(reads(w, CONTRACTOR, "/show 1"), "still running");
}
