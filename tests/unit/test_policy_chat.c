/* Goal: in the chat nobody gets further than their grants, at the moment of acting and of waiting.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "decide_aid.h"
#include "policy_aid.h"

#include <stdlib.h>

#include "lib/text.h"

#define CARL 50
#define DORA 60

static bool
press(struct world *w, int64_t person, const struct world_message *message, const char *label)
{
	char id[LIMIT_BUTTON_ID];

	(void)text_copy(id, sizeof(id), world_button(message, label));
	if (id[0] == '\0')
		return false;
	(void)world_press(w, person, message->chat, id);
	return true;
}

/* --- what one has no grant on is not there --- */

WORLD_TEST_OF(of_what_one_has_no_grant_the_answer_is_that_there_is_none, "ROLE_C_IDS=50",
    "ROLE_C_MAY=deploy:staging, rollback, cancel, status, history")
{
	static const char *const commands[] = { "deploy", "rollback", "cancel", "status",
		"history" };
	char unseen[200], missing[200], line[60];

	for (size_t i = 0; i < COUNT(commands); i++) {
		(void)snprintf(line, sizeof(line), "/%s production", commands[i]);
		(void)world_text(w, CARL, line);
		(void)text_copy(unseen, sizeof(unseen), world_plain(world_last(w)));
		(void)snprintf(line, sizeof(line), "/%s productiom", commands[i]);
		(void)world_text(w, CARL, line);
		(void)text_copy(missing, sizeof(missing), world_plain(world_last(w)));
		assert_string_equal(unseen, "No \"production\". There are: staging");
		assert_string_equal(missing, "No \"productiom\". There are: staging");
	}
	assert_int_equal(world_audited(w, "\"denied\"", NULL), 0);
	(void)world_text_in(w, CARL, CARL, "/help");
	assert_null(strstr(world_last(w)->text, "production"));
}

WORLD_TEST_OF(who_sees_an_environment_and_may_not_is_denied, "ROLE_C_IDS=50",
    "ROLE_C_MAY=status:*/*, deploy:staging", "ROLE_D_IDS=60", "ROLE_D_MAY=rollback:production")
{
	(void)world_text(w, CARL, "/deploy production");
	assert_string_equal(
	    world_plain(world_last(w)), "⛔ Denied: production deploy: only an admin may.");
	(void)world_text(w, CARL, "/rollback production");
	assert_string_equal(world_plain(world_last(w)),
	    "⛔ Denied: production rollback: your role does not grant it. Ask somebody with the role d, or an admin.");
	assert_int_equal(world_audited(w, "\"denied\"", NULL), 2);
}

/* Goal: who is denied at night knows whom to wake; whoever may not see it learns no role of it. */
WORLD_TEST_OF(a_denial_names_the_roles_that_may_and_to_a_stranger_none, "ROLE_C_IDS=50",
    "ROLE_C_MAY=status:*/*", "ROLE_D_IDS=60,61", "ROLE_D_MAY=rollback:production", "ROLE_E_IDS=70",
    "ROLE_E_MAY=rollback:production, cancel:*/*", "ROLE_F_IDS=80 until 2020-01-31",
    "ROLE_F_MAY=rollback:production")
{
	(void)world_text(w, CARL, "/rollback production");
	assert_string_equal(world_plain(world_last(w)),
	    "⛔ Denied: production rollback: your role does not grant it. Ask somebody with the role d or e, or an admin.");
	(void)world_text(w, CARL, "/deploy production");
	assert_string_equal(
	    world_plain(world_last(w)), "⛔ Denied: production deploy: only an admin may.");
	(void)world_text_in(w, WORLD_STRANGER, WORLD_STRANGER, "/rollback production");
	assert_string_equal(world_plain(world_last(w)),
	    "⛔ Denied: production rollback: you have no role here. An admin can add your id, which /whoami shows.");
	(void)world_text(w, 80, "/rollback production"); /* their access has ended */
	assert_null(strstr(world_plain(world_last(w)), "Ask somebody"));
}

/* Goal: who that is a newcomer cannot know: names, where there are some, to who sees it. */
WORLD_TEST_OF(a_denial_names_people_who_may_and_to_a_stranger_the_way_in, "ROLE_C_IDS=50",
    "ROLE_C_MAY=status:*/*")
{
	world_deploy_goes_live(w, COMMIT_A); /* by @ada */
	(void)world_text(w, CARL, "/deploy production");
	assert_string_equal(world_plain(world_last(w)),
	    "⛔ Denied: production deploy: only an admin may. Ask @ada.");
	(void)world_text(w, WORLD_STRANGER, "/deploy production");
	assert_string_equal(world_plain(world_last(w)),
	    "⛔ Denied: production deploy: you have no role here. Write /whoami to me in private and send an admin the id that it shows.");
	(void)world_text_in(w, WORLD_STRANGER, WORLD_STRANGER, "/deploy production");
	assert_null(strstr(world_plain(world_last(w)), "@ada"));
}

WORLD_TEST_OF(help_and_whoami_name_roles_places_and_ends, "ROLE_C_IDS=50 until 2099-01-31",
    "ROLE_C_MAY=deploy:staging, status:*/*")
{
	const char *text;

	(void)world_text_in(w, CARL, CARL, "/help");
	text = world_plain(world_last(w));
	assert_ptr_equal(strstr(text, "You may, as c until 2099-01-31:\n"), text);
	assert_non_null(strstr(text,
	    "\nIn staging only:\n/deploy <environment> [commit or branch] — deploy the newest commit\n"));
	assert_non_null(strstr(text, " — what runs where, and its health\n"));
	assert_null(strstr(text, "/rollback"));
	assert_null(strstr(text, "/cancel"));
	assert_non_null(strstr(text, "\nEnvironments: staging production"));
	(void)world_text_in(w, CARL, CARL, "/whoami");
	assert_string_equal(world_plain(world_last(w)),
	    "Your Telegram id is 50; your role here: c until 2099-01-31.\n"
	    "c: deploy in staging; status everywhere");
	/* In a group nobody else is shown what it grants. */
	(void)world_text(w, CARL, "/whoami");
	assert_null(strstr(world_last(w)->text, "ROLE_C_MAY"));
}

/* Goal: who is woken reads what they may, not how settings write it. */
WORLD_TEST_OF(whoami_says_by_where_what_one_may, "ROLE_C_IDS=50",
    "ROLE_C_MAY=deploy:*/staging, status:production, log:production, cancel:*/staging, "
    "status:*/*, do.disk-free:client/acme, do:client/*",
    "CLIENTS=acme", "CLIENT_ACME_HOST=local", "CLIENT_ACME_ACTIONS=disk-free")
{
	(void)world_text_in(w, CARL, CARL, "/whoami");
	assert_non_null(strstr(world_plain(world_last(w)),
	    "\nc: deploy, cancel in staging; see logs in production; status everywhere; "
	    "do.disk-free for client/acme; do for all clients"));
	(void)world_text_in(w, WORLD_ADMIN, WORLD_ADMIN, "/whoami");
	assert_non_null(strstr(world_plain(world_last(w)),
	    "\nadmin: everything everywhere; everything for all clients"));
	(void)world_text_in(w, WORLD_STAGING_USER, WORLD_STAGING_USER, "/whoami");
	assert_non_null(strstr(world_plain(world_last(w)),
	    "\nstaging: deploy, cancel, see logs in staging; "
	    "status, history of all applications that have a staging"));
}

WORLD_TEST_OF(who_may_read_logs_alone_sees_the_queue, "ROLE_C_IDS=50", "ROLE_C_MAY=log:staging")
{
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_A);
	world_answers(w, CARL, "/queue", "▶️ #1 ");
}

/* What one may do there must be seen: whoever has any grant sees the queue. */
WORLD_TEST_OF(
    who_may_deploy_alone_sees_the_queue_and_leaves_it, "ROLE_C_IDS=50", "ROLE_C_MAY=deploy:staging")
{
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_A);
	world_asks(w, CARL, "/deploy staging", COMMIT_B);
	assert_int_equal(world_newest(w, "staging").state, DEPLOY_QUEUED);
	world_answers(w, CARL, "/queue", "1. #2 ");
	assert_true(press(w, CARL, world_last(w), "Leave the queue"));
	assert_int_equal(world_newest(w, "staging").state, DEPLOY_CANCELLED);
	(void)world_text(w, CARL, "/queue production");
	assert_string_equal(world_plain(world_last(w)), "No \"production\". There are: staging");
	(void)world_text(w, CARL, "/status"); /* nobody deploys blind */
	assert_non_null(
	    world_says(w, "⏳ in progress aaaaaaa, started just now, requested by @ada"));
	(void)world_text(w, CARL, "/history");
	assert_string_equal(world_plain(world_last(w)),
	    "⛔ Denied: staging history: your role does not grant it. Ask @ada.");
}

/* --- withdrawn --- */

WORLD_TEST_OF(a_role_withdrawn_between_question_and_press_confirms_nothing, "ROLE_C_IDS=50",
    "ROLE_C_MAY=deploy:production, status")
{
	const struct world_message *question;

	world_asks(w, CARL, "/deploy production", COMMIT_A);
	question = world_says(w, "Deploy to production?");
	assert_non_null(question);
	world_settings(w, "ROLE_C_IDS=50", "ROLE_C_MAY=status:production", NULL);
	assert_true(press(w, CARL, question, "Deploy to"));
	assert_string_equal(w->toast, "⛔ Denied: deploy: only an admin may.");
	assert_int_equal(world_count(w, EFFECT_GIT_QUERY), 0);
	assert_int_equal(world_newest(w, "production").state, DEPLOY_AWAITING_CONFIRMATION);
	world_settings(w, NULL);
	assert_true(press(w, CARL, question, "Deploy to"));
	assert_string_equal(w->toast, "⛔ Denied: deploy: you have no role here.");
	assert_null(world_peek(w, EFFECT_RUN));
}

/* Pressed in time, and git answers when the day is over. */
WORLD_TEST_OF(a_role_that_ended_since_the_press_starts_nothing, "ROLE_C_IDS=50 until 2027-01-31",
    "ROLE_C_MAY=deploy:production")
{
	w->aid.at = INT64_C(1801440000000) - 1000;
	world_asks(w, CARL, "/deploy production", COMMIT_A);
	assert_true(press(w, CARL, world_says(w, "Deploy to production?"), "Deploy to"));
	w->aid.at += 1000;
	world_git_same(w);
	assert_null(world_peek(w, EFFECT_RUN));
	assert_int_equal(world_newest(w, "production").state, DEPLOY_REFUSED);
	(void)world_text_in(w, CARL, CARL, "/help");
	assert_non_null(world_says(w,
	    "Your access has ended: c until 2027-01-31. To get it back, send an admin the id that /whoami shows.\n/whoami — "));
}

/* --- one's own place --- */

#define CANCEL_DENIED "⛔ Denied: cancel: your role does not grant it."
#define DEPLOY_DENIED "⛔ Denied: deploy: your role does not grant it."
#define ASK_STAGING   " Ask somebody with the role staging, or an admin."

TEST(ones_own_place_is_taken_back_without_the_grant_cancel)
{
	static const char *const roles[] = { "ROLE_C_IDS=50,60", "ROLE_C_MAY=deploy:staging" };
	const struct world_message *place;
	struct world w;

	world_open(&w, roles[0], roles[1], NULL);
	world_asks(&w, WORLD_ADMIN, "/deploy staging", COMMIT_A);
	world_asks(&w, CARL, "/deploy staging", COMMIT_B);
	place = world_says(&w, "⏳ Queued: 1st in staging");
	assert_true(press(&w, DORA, place, "Cancel")); /* of another it is not */
	assert_string_equal(w.toast, CANCEL_DENIED " Ask @ada.");
	assert_int_equal(world_newest(&w, "staging").state, DEPLOY_QUEUED);
	world_settings(&w, roles[0], "ROLE_C_MAY=status:staging", NULL);
	assert_true(press(&w, CARL, place, "Cancel"));
	assert_string_equal(w.toast, DEPLOY_DENIED " Ask @ada.");
	world_settings(&w, roles[0], roles[1], NULL);
	assert_true(press(&w, CARL, place, "Cancel"));
	assert_string_equal(w.toast, "Cancelled.");
	assert_int_equal(world_newest(&w, "staging").state, DEPLOY_CANCELLED);
	world_close(&w);

	world_open(&w, roles[0], roles[1], NULL);
	world_asks(&w, CARL, "/deploy staging", COMMIT_A);
	assert_true(press(&w, CARL, world_says(&w, "Deploying staging"), "Stop"));
	assert_string_equal(w.toast, CANCEL_DENIED ASK_STAGING);
	world_close(&w);
}

/* --- confirm --- */

TEST(a_pushs_question_needs_confirm_and_ones_own_the_action)
{
	static const char *const roles[] = { "ROLE_C_IDS=50", "ROLE_C_MAY=confirm:production",
		"ROLE_D_IDS=60", "ROLE_D_MAY=deploy:production" };
	const struct world_message *question;
	struct world w;

	world_open(&w, roles[0], roles[1], roles[2], roles[3], NULL);
	(void)world_decide(&w, world_push(&w, "main"));
	world_git(&w, (struct world_git){ .commit = COMMIT_A });
	question = world_says(&w, "Deploy to production?");
	assert_true(press(&w, DORA, question, "Deploy to")); /* who may deploy, and not confirm */
	assert_string_equal(w.toast, "⛔ Only who may confirm may answer this.");
	assert_int_equal(world_count(&w, EFFECT_GIT_QUERY), 0);
	assert_true(press(&w, CARL, question, "Deploy to")); /* who may confirm, and not deploy */
	world_git_same(&w);
	assert_non_null(world_peek(&w, EFFECT_RUN));
	world_close(&w);

	/* Another person's question too, also while nobody else asked for the same. */
	world_open(&w, roles[0], roles[1], roles[2], roles[3], NULL);
	world_asks(&w, DORA, "/deploy production", COMMIT_A);
	question = world_says(&w, "Deploy to production?");
	assert_true(press(&w, CARL, question, "Deploy to"));
	assert_string_equal(w.toast, "Confirmed.");
	world_git_same(&w);
	assert_non_null(world_peek(&w, EFFECT_RUN));
	assert_non_null(world_says(&w, "confirmed by "));
	world_close(&w);
}

/* Confirm answers what others ask; one's own question needs the action, also with confirm. */
WORLD_TEST_BARE(confirm_is_not_the_action)
{
	static const char *const roles[] = { "ROLE_C_IDS=50, 60",
		"ROLE_C_MAY=deploy:production, confirm" };
	const struct world_message *question;

	world_open(w, roles[0], roles[1], NULL);
	world_asks(w, CARL, "/deploy production", COMMIT_A);
	question = world_says(w, "Deploy to production?");
	world_settings(w, roles[0], "ROLE_C_MAY=confirm:production", NULL);
	assert_true(press(w, CARL, question, "Deploy to"));
	assert_string_equal(w->toast, "⛔ Denied: deploy: only an admin may.");
	/* Who asked may not any more, and who confirms never might: nothing starts. */
	assert_true(press(w, DORA, question, "Deploy to"));
	world_git_same(w);
	assert_null(world_peek(w, EFFECT_RUN));
	assert_int_equal(world_newest(w, "production").state, DEPLOY_REFUSED);
}

WORLD_TEST_OF(whoever_confirmed_a_push_and_lost_the_role_starts_nothing, "ROLE_C_IDS=50",
    "ROLE_C_MAY=confirm:production")
{
	(void)world_decide(w, world_push(w, "main"));
	world_git(w, (struct world_git){ .commit = COMMIT_A });
	assert_true(press(w, CARL, world_says(w, "Deploy to production?"), "Deploy to"));
	world_settings(w, NULL);
	world_git_same(w);
	assert_null(world_peek(w, EFFECT_RUN));
}

/* --- two hundred policies; POLICIES=n: so many --- */

#define POLICIES 200
#define STEPS	 24
#define OF_WORLD 10 /* policies that one database sees, one after the other */

static struct policy_aid aid;
static size_t runs, refusals;

static void
set_policy(struct world *w, const char *apps)
{
	static char none[] = "X=";
	char *l[POLICY_AID_LINES];

	policy_aid_draw(&aid);
	for (size_t i = 0; i < POLICY_AID_LINES; i++)
		l[i] = aid.lines[i][0] != '\0' ? aid.lines[i] : none;
	world_settings(w, apps, "STAGING_TELEGRAM_IDS=", "REGISTRY_URL=registry:5000", l[0], l[1],
	    l[2], l[3], l[4], l[5], l[6], l[7], l[8], l[9], l[10], l[11], NULL);
}

static const char *
place(void)
{
	return policy_aid_places[policy_aid_number(&aid, POLICY_AID_PLACES)];
}

/* A private chat is sent nothing that its person has no grant on, but what they typed. */
static void
check_words(struct world *w, size_t before, int64_t person, const char *typed)
{
	for (size_t i = before; i < w->n_screen; i++)
		for (size_t e = 0; e < POLICY_AID_PLACES; e++)
			if (w->screen[i].chat == person &&
			    strstr(typed, policy_aid_places[e]) == NULL &&
			    !policy_aid_sees(&aid, person, policy_aid_places[e]) &&
			    strstr(w->screen[i].text, policy_aid_places[e]) != NULL)
				fail_msg("%lld typed %s and is told of %s: %s", (long long)person,
				    typed, policy_aid_places[e], w->screen[i].text);
}

static void
type(struct world *w, int64_t person)
{
	static const char *const words[] = { "deploy", "deploy", "deploy", "rollback", "cancel" };
	static const char *const talk[] = { "/help", "/deploy", "/rollback", "/whoami", "/status",
		"/history", "/deploy nowhere", "/status shop", "/status staging",
		"/deploy production", "/history blog", "/deploy shop staging" };
	size_t before = w->n_screen;
	char line[80];

	if (policy_aid_number(&aid, 4) == 0)
		(void)snprintf(
		    line, sizeof(line), "%s", talk[policy_aid_number(&aid, COUNT(talk))]);
	else
		(void)snprintf(line, sizeof(line), "/%s %s",
		    words[policy_aid_number(&aid, COUNT(words))], place());
	if (policy_aid_number(&aid, 2) == 0) {
		(void)world_text(w, person, line);
		return;
	}
	(void)world_text_in(w, person, person, line);
	check_words(w, before, person, line);
}

static void
press_something(struct world *w, int64_t person)
{
	const struct world_message *message;

	if (w->n_screen == 0)
		return;
	message = &w->screen[policy_aid_number(&aid, (unsigned)w->n_screen)];
	if (message->buttons.n > 0)
		(void)world_press(w, person, message->chat,
		    message->buttons.at[policy_aid_number(&aid, (unsigned)message->buttons.n)].id);
}

static void
answer_git(struct world *w)
{
	static const char *const commits[] = { COMMIT_A, COMMIT_B, COMMIT_C, COMMIT_D };
	const struct effect *query = world_peek(w, EFFECT_GIT_QUERY);

	if (query == NULL)
		return;
	if (strlen(query->u.git_query.ref) == strlen(COMMIT_A))
		world_git_same(w);
	else
		world_git(w, (struct world_git){ .commit = commits[policy_aid_number(&aid, 4)] });
}

/* Whoever asked may do it now, or who confirmed it; and who confirmed it may confirm. */
static void
check_run(struct world *w, const struct effect *effect)
{
	struct deployment d = world_deployment(w, effect->subject);
	unsigned action = deployment_is_rollback(&d) ? POLICY_AID_ROLLBACK : POLICY_AID_DEPLOY;
	int64_t other = d.confirmed_by == d.requested_by ? 0 : d.confirmed_by;
	bool requester = policy_aid_grants(&aid, d.requested_by, action, d.environment);
	bool confirmer = policy_aid_grants(&aid, other, action, d.environment);

	if (!requester && !confirmer)
		fail_msg("seed %llu: %s of %lld runs in %s, and nobody may",
		    (unsigned long long)aid.seed, policy_aid_words[action],
		    (long long)d.requested_by, d.environment);
	if (other != 0 && !confirmer &&
	    !policy_aid_grants(&aid, other, POLICY_AID_CONFIRM, d.environment))
		fail_msg("seed %llu: confirmed by %lld, who may not", (unsigned long long)aid.seed,
		    (long long)other);
	runs++;
}

/* Looks at each run as soon as it is ordered, and lets it end well. */
static void
let_runs_end(struct world *w)
{
	const struct effect *effect;

	while ((effect = world_peek(w, EFFECT_RUN)) != NULL) {
		check_run(w, effect);
		assert_int_equal(world_run_starts(w), 200);
		world_run_releases(w, GOOD);
	}
}

static void
play(struct world *w)
{
	for (int step = 0; step < STEPS; step++) {
		int64_t person = POLICY_AID_FIRST + policy_aid_number(&aid, POLICY_AID_PEOPLE);

		w->aid.at += 2000;
		switch (policy_aid_number(&aid, 4)) {
		case 0:
		case 1:
			type(w, person);
			break;
		case 2:
			press_something(w, person);
			break;
		default:
			answer_git(w);
			break;
		}
		let_runs_end(w);
	}
}

TEST(without_the_grant_nothing_runs)
{
	const char *given = getenv("POLICIES");
	int policies = given != NULL && *given != '\0' ? (int)strtol(given, NULL, 10) : POLICIES;
	char apps[100];
	struct world w;

	policy_aid_begin(&aid, 362436069362436069u);
	(void)snprintf(apps, sizeof(apps), "APPS_DIRECTORY=%s/apps", aid.folder);
	for (int i = 0; i < policies; i++) {
		if (i % OF_WORLD == 0)
			world_open(&w, apps, "REGISTRY_URL=registry:5000", NULL);
		set_policy(&w, apps);
		play(&w);
		if (i % OF_WORLD == OF_WORLD - 1 || i + 1 == policies) {
			refusals += world_audited(&w, "\"denied\"", NULL);
			world_close(&w);
		}
	}
	policy_aid_end(&aid);
	print_message("%zu runs, %zu denials\n", runs, refusals);
	assert_true(policies < POLICIES || (runs > 60 && refusals > 200));
}
