/* Goal: an action is done where settings and a grant say yes, takes its turn, says how it went.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "do_aid.h"
#include "store/row_action.h"

static void
act_is_by_ssh(struct tx *tx, UNUSED void *arg)
{
	assert_string_equal(row_action_get(tx, 1).executor, "ssh");
	assert_string_not_equal(row_action_get(tx, 1).shown_settings, "");
}

WORLD_TEST_BARE(a_restart_is_asked_about_runs_and_says_how_it_went)
{
	const struct effect_run *run;
	struct world_message *said;

	do_aid_open(w);
	(void)world_text(w, WORLD_ADMIN, "/do restart-web acme");
	said = world_last(w);
	assert_non_null(strstr(world_plain(said), "❓ Run this? client/acme restart-web"));
	assert_non_null(strstr(world_plain(said), "once started it cannot be stopped"));
	assert_non_null(strstr(
	    world_plain(said), "\nAcme Ltd: restart web.service on web@acme.example:2222\n"));
	assert_null(world_peek(w, EFFECT_RUN));
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP, world_button(said, "restart-web"));

	run = do_aid_run(w);
	assert_int_equal(run->program, PROGRAM_ACTION);
	assert_string_equal(run->environment, "client/acme");
	assert_string_equal(run->action, "restart-web");
	assert_string_equal(run->client, "acme");
	assert_string_equal(run->argument, "");
	assert_int_equal(run->deadline_s, 300);
	store_aid_act(&w->aid, act_is_by_ssh, NULL);
	assert_non_null(world_says(w, "⏳ Running client/acme restart-web"));
	world_run_ends(
	    w, (struct run_ended){ .gate_opened = true, .detail = "web.service is running" });
	assert_int_equal(do_aid_newest(w).state, DEPLOY_DONE);
	assert_non_null(world_says(w, "✅ Done: client/acme restart-web\nweb.service is running"));
	assert_int_equal(world_audited(w, "action_requested", "client/acme"), 2);
	assert_int_equal(world_audited(w, "action_completed", "client/acme"), 1);
}

/* Of one client nobody is asked which; what a contractor reads names no folder of the server. */
WORLD_TEST_OF(one_client_is_not_asked_for_and_no_folder_is_shown, "CLIENTS=acme",
    "CLIENT_ACME_NAME=Acme Ltd", "CLIENT_ACME_HOST=local", "CLIENT_ACME_ENVIRONMENT=staging",
    "CLIENT_ACME_ACTIONS=clear-cache,disk-free",
    "CLIENT_ACME_CACHE_COMMAND=/srv/acme/bin/clear --all")
{
	(void)world_text(w, WORLD_ADMIN, "/do");
	assert_string_equal(world_labels(world_last(w)), "disk-free | clear-cache");
	world_answers(w, WORLD_ADMIN, "/request clear-cache acme",
	    "Acme Ltd: run clear --all on deploybot's server");
}

WORLD_TEST_BARE(what_fails_says_so_and_marks_nothing)
{
	do_aid_open(w);
	(void)world_text(w, WORLD_ADMIN, "/do service-status acme"); /* nothing is asked */
	world_run_ends(w,
	    (struct run_ended){
		.gate_opened = true, .exit_status = 70, .detail = "web.service is not running" });
	assert_int_equal(do_aid_newest(w).state, DEPLOY_FAILED);
	assert_non_null(world_says(w,
	    "❌ Failed: client/acme service-status\nscript failed: exit 70: web.service is not running"));
	assert_false(world_environment(w, "client/acme").is_down);
}

WORLD_TEST_BARE(the_settings_and_the_grant_must_both_say_yes)
{
	do_aid_open(w);
	/* In the settings, and not granted. */
	world_answers(w, CONTRACTOR, "/do service-status acme",
	    "⛔ Denied: client/acme service-status: only an admin may");
	assert_int_equal(world_audited(w, "\"denied\"", "do.service-status"), 1);
	/* Granted to the admin, and not in the settings. */
	world_answers(w, WORLD_ADMIN, "/do clear-cache acme",
	    "⛔ Not done: client/acme clear-cache\nit is none of CLIENT_<ID>_ACTIONS there");
	/* What they may not see is not there. */
	world_answers(w, CONTRACTOR, "/do restart-web beta", "There is no client beta");
	world_answers(w, CONTRACTOR, "/do restart-web gamma", "There is no client gamma");
	assert_null(world_peek(w, EFFECT_RUN));
	/* Both. */
	(void)world_text(w, CONTRACTOR, "/do restart-web acme");
	(void)world_press(w, CONTRACTOR, WORLD_GROUP, world_button(world_last(w), "restart-web"));
	assert_string_equal(do_aid_run(w)->client, "acme");
}

WORLD_TEST_BARE(nobody_without_a_grant_does_anything)
{
	do_aid_open(w);
	world_answers(w, WORLD_STAGING_USER, "/do service-status acme",
	    "⛔ Denied: service-status: only an admin may");
	assert_int_equal(world_audited(w, "\"denied\"", "do.service-status"), 1);
	assert_null(world_peek(w, EFFECT_RUN));
}

/* The button is the person's; what it stands for is decided with the roles of the press. */
WORLD_TEST_BARE(whoever_lost_the_grant_starts_nothing)
{
	char button[LIMIT_BUTTON_ID];

	do_aid_open(w);
	(void)world_text(w, CONTRACTOR, "/do restart-web acme");
	(void)snprintf(button, sizeof(button), "%s", world_button(world_last(w), "restart-web"));
	world_settings(w, "CLIENTS=acme", "CLIENT_ACME_HOST=local",
	    "CLIENT_ACME_ACTIONS=restart-web", "CLIENT_ACME_WEB_UNIT=web", "ROLE_CONTRACTOR_IDS=44",
	    "ROLE_CONTRACTOR_MAY=do.service-status:client/acme", NULL);
	(void)world_press(w, CONTRACTOR, WORLD_GROUP, button);
	assert_null(world_peek(w, EFFECT_RUN));
	assert_string_equal(w->toast, "⛔ Denied: restart-web: only an admin may.");
}

WORLD_TEST_BARE(what_cannot_be_stopped_is_not_stopped)
{
	do_aid_open(w);
	(void)world_text(w, WORLD_ADMIN, "/do restart-web acme");
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP, world_button(world_last(w), "restart-web"));
	assert_string_equal(world_button(world_says(w, "Running client/acme"), "Stop"), "");
	world_answers(w, WORLD_ADMIN, "/cancel client/acme", "which ends by itself");
	assert_null(world_peek(w, EFFECT_STOP_RUN));
	world_run_ends(w, (struct run_ended){ .gate_opened = true });
	(void)world_text(w, WORLD_ADMIN, "/do service-status acme");
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP,
	    world_button(world_says(w, "Running client/acme service-status"), "Stop"));
	assert_non_null(world_peek(w, EFFECT_STOP_RUN));
}

WORLD_TEST_BARE(a_lost_supervisor_leaves_it_unknown_and_is_not_repeated)
{
	do_aid_open(w);
	(void)world_text(w, WORLD_ADMIN, "/do service-status acme");
	(void)world_run_starts(w);
	world_run_lost(w);
	world_run_ends(
	    w, (struct run_ended){ .gate_opened = true, .lost = true, .exit_status = -1 });
	assert_int_equal(do_aid_newest(w).state, DEPLOY_FAILED);
	assert_non_null(world_says(w, "❌ Result unknown: client/acme service-status"));
	assert_null(world_peek(w, EFFECT_RUN));
	assert_int_equal(world_environment(w, "client/acme").unknown_since, 0);
	/* Also where some of it may still be at work. */
	(void)world_text(w, WORLD_ADMIN, "/do service-status acme");
	(void)world_run_starts(w);
	world_run_ends(w,
	    (struct run_ended){
		.gate_opened = true, .lost = true, .unswept = true, .exit_status = -1 });
	assert_int_equal(do_aid_newest(w).state, DEPLOY_FAILED);
	assert_int_equal(world_environment(w, "client/acme").unknown_since, 0);
	assert_false(world_environment(w, "client/acme").is_down);
}

WORLD_TEST_BARE(buttons_ask_for_what_was_left_out)
{
	struct world_message *said;

	do_aid_open(w);
	(void)world_text(w, WORLD_ADMIN, "/do");
	said = world_last(w);
	assert_int_equal(said->buttons.n, 2);
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP, world_button(said, "Acme Ltd"));
	said = world_says(w, "client/acme: what?");
	assert_non_null(said);
	assert_int_equal(said->buttons.n, 3);
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP, world_button(said, "restart-web"));
	assert_non_null(world_says(w, "❓ Run this? client/acme restart-web"));
	world_answers(w, WORLD_ADMIN, "/do restart-wep acme", "Did you mean restart-web?");
}

/* beta, and what they may not do, is not there for them. */
TEST(who_may_one_thing_is_asked_at_once_and_told_no_other)
{
	static const char *const typed[] = { "/do", "/do acme", "/do restart-web" };
	const char *said;
	struct world w;

	for (size_t i = 0; i < COUNT(typed); i++) {
		do_aid_open(&w);
		(void)world_text(&w, CONTRACTOR, typed[i]);
		said = world_plain(world_last(&w));
		assert_ptr_equal(strstr(said, "❓ Run this? client/acme restart-web"), said);
		world_close(&w);
	}
	do_aid_open(&w);
	(void)world_text(&w, CONTRACTOR, "/do restart-wep acme");
	assert_string_equal(world_plain(world_last(&w)),
	    "There is no action restart-wep. Did you mean restart-web? You may on acme: restart-web");
	(void)world_text(&w, CONTRACTOR, "/do disk-fre");
	assert_string_equal(
	    world_plain(world_last(&w)), "There is no action disk-fre. You may: restart-web");
	world_answers(&w, CONTRACTOR, "/do restart-web acmf",
	    "There is no client acmf. Did you mean acme? ❓");
	(void)world_text(&w, CONTRACTOR, "/request restart-wep acme");
	assert_string_equal(world_plain(world_last(&w)),
	    "Usage: /request <action> <client or environment> [argument]. There is no action restart-wep. "
	    "Did you mean restart-web? You may on acme: restart-web");
	(void)world_text_in(&w, CONTRACTOR, CONTRACTOR, "/help");
	/* Goal: who may one thing reads that first, and presses it. */
	assert_string_equal(world_plain(world_last(&w)),
	    "You may, as contractor:\nrestart-web on acme (Acme Ltd)\n"
	    "Press it below, or write /do restart-web acme.\n\n"
	    "Look: /status /hosts /queue\nActions: /request\nApprovals: /pending\n"
	    "You: /2fa /whoami /login /logout /sessions\n"
	    "How to write each: /help all\n");
	assert_int_equal(world_last(&w)->buttons.n, 2);
	(void)world_press(
	    &w, CONTRACTOR, CONTRACTOR, world_button(world_last(&w), "🔧 restart-web acme"));
	assert_non_null(world_says_in(&w, CONTRACTOR, "❓ Run this? client/acme restart-web"));
	/* What asks nothing is not begun by two letters. */
	world_settings(
	    &w, "CLIENTS=acme", "CLIENT_ACME_HOST=local", "CLIENT_ACME_ACTIONS=disk-free", NULL);
	(void)world_text(&w, WORLD_ADMIN, "/do");
	assert_int_equal(world_last(&w)->buttons.n, 1);
	assert_null(world_peek(&w, EFFECT_RUN));
	world_close(&w);
}

/* It is a target like an environment: it is locked, frozen, queued at, never deployed to. */
WORLD_TEST_BARE(a_client_takes_locks_and_no_deployments)
{
	do_aid_open(w);
	world_answers(w, WORLD_ADMIN, "/deploy client/acme main",
	    "⛔ Denied: client/acme deploy: nothing is deployed to a client");
	world_answers(w, WORLD_ADMIN, "/rollback client/acme",
	    "⛔ Denied: client/acme rollback: nothing is deployed to a client");
	assert_null(world_peek(w, EFFECT_GIT_QUERY));

	(void)world_text(w, WORLD_OTHER_ADMIN, "/lock client/acme 2h incident");
	world_answers(
	    w, WORLD_ADMIN, "/do reload-nginx acme", "⏳ Queued: 1st in client/acme reload-nginx");
	assert_null(world_peek(w, EFFECT_RUN));
	(void)world_text(w, WORLD_ADMIN, "/do service-status acme"); /* changes nothing */
	assert_string_equal(do_aid_run(w)->action, "service-status");
	world_run_ends(w, (struct run_ended){ .gate_opened = true });
	assert_null(world_peek(w, EFFECT_RUN));
	(void)world_text(w, WORLD_OTHER_ADMIN, "/unlock client/acme");
	assert_string_equal(do_aid_run(w)->action, "reload-nginx");
}

/* The promise: whatever they are called, two never run at once on one target. */
WORLD_TEST_OF(an_action_never_runs_beside_a_deployment_on_its_target, "CLIENTS=acme,beta",
    "CLIENT_ACME_HOST=h", "CLIENT_ACME_ACTIONS=disk-free", "CLIENT_ACME_ENVIRONMENT=staging",
    "CLIENT_BETA_HOST=h:22", "CLIENT_BETA_ACTIONS=disk-free", "CLIENT_BETA_ENVIRONMENT=staging")
{
	world_deploy_starts(w, COMMIT_A);
	(void)world_text(w, WORLD_ADMIN, "/do disk-free acme");
	(void)world_text(w, WORLD_ADMIN, "/do disk-free beta");
	assert_int_equal(world_count(w, EFFECT_RUN), 1);
	world_run_ends(w, GOOD);
	assert_string_equal(do_aid_run(w)->client, "acme");
	assert_string_equal(do_aid_run(w)->environment, "staging");
	assert_int_equal(world_count(w, EFFECT_RUN), 1);
	assert_non_null(world_says(w, "Running client/acme disk-free\nenvironment: staging"));
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_B);
	assert_int_equal(world_count(w, EFFECT_RUN), 1);
	world_run_ends(w, (struct run_ended){ .gate_opened = true, .exit_status = 70 });
	assert_string_equal(do_aid_run(w)->client, "beta");
	/* It has failed, and what is live is no less so. */
	assert_string_equal(world_environment(w, "staging").current.commit, COMMIT_A);
	world_run_ends(w, (struct run_ended){ .gate_opened = true });
	assert_int_equal(do_aid_run(w)->program, PROGRAM_DEPLOY);
}

/* Their host is no name of the settings: what is claimed says that it is one. */
WORLD_TEST_OF(two_clients_on_one_host_take_turns, "CLIENTS=acme,beta",
    "CLIENT_ACME_HOST=web@H.example", "CLIENT_ACME_ACTIONS=disk-free",
    "CLIENT_BETA_HOST=h.example:22", "CLIENT_BETA_ACTIONS=disk-free")
{
	(void)world_text(w, WORLD_ADMIN, "/do disk-free acme");
	(void)world_text(w, WORLD_ADMIN, "/do disk-free beta");
	assert_int_equal(world_count(w, EFFECT_RUN), 1);
	assert_non_null(world_says(w, "of client/acme, which holds host:h.example:22"));
	world_run_ends(w, (struct run_ended){ .gate_opened = true });
	assert_string_equal(do_aid_run(w)->client, "beta");
}

WORLD_TEST_OF(what_was_done_stands_in_the_history_and_is_no_deployment, "CLIENTS=acme,beta",
    "CLIENT_ACME_HOST=h", "CLIENT_ACME_ACTIONS=disk-free", "CLIENT_ACME_ENVIRONMENT=staging",
    "CLIENT_BETA_HOST=h2", "CLIENT_BETA_ACTIONS=disk-free")
{
	world_deploy_goes_live(w, COMMIT_A);
	(void)world_text(w, WORLD_ADMIN, "/do disk-free acme");
	world_run_ends(
	    w, (struct run_ended){ .gate_opened = true, .exit_status = 70, .detail = "full" });
	world_answers(w, WORLD_ADMIN, "/history staging", "✅ #1 aaaaaaa");
	assert_non_null(world_says(w, "Actions:\n❌ #2 acme disk-free\n    failed (script failed)"));
	/* Neither the gauge nor CI's second push takes it for a deployment's failure. */
	assert_int_equal(world_newest(w, "staging").program, PROGRAM_ACTION);
	assert_string_equal(w->counted, "live");
	world_answers(
	    w, WORLD_ADMIN, "/history client/beta", "client/beta\nnothing was done there yet");
	(void)world_text(w, WORLD_ADMIN, "/do disk-free beta");
	world_run_ends(w, (struct run_ended){ .gate_opened = true });
	world_answers(
	    w, WORLD_ADMIN, "/history client/beta", "client/beta\n✅ #3 beta disk-free\n    done");
}

#define DEV 55

/* In their own chat; the first message that names it fails. */
static void
never_reads(const struct world *w, int64_t chat, const char *word)
{
	for (size_t i = 0; i < w->n_screen; i++)
		if (w->screen[i].chat == chat && strstr(w->screen[i].text, word) != NULL)
			fail_msg("%s: %s", word, w->screen[i].text);
}

WORLD_TEST_OF(who_sees_one_of_a_client_and_its_environment_learns_nothing_of_the_other,
    "CLIENTS=acme", "CLIENT_ACME_HOST=h", "CLIENT_ACME_WEB_UNIT=web.service",
    "CLIENT_ACME_ACTIONS=disk-free,restart-web", "CLIENT_ACME_ENVIRONMENT=production",
    "ROLE_OPS_IDS=44", "ROLE_OPS_MAY=do:client/acme, cancel:client/acme, approve:client/acme",
    "ROLE_DEV_IDS=55", "ROLE_DEV_MAY=history:production, approve:production")
{
	const struct world_message *said;

	world_asks_in(w, WORLD_ADMIN, WORLD_ADMIN, "/deploy production", COMMIT_A);
	(void)world_press(w, WORLD_ADMIN, WORLD_ADMIN,
	    world_button(world_says_in(w, WORLD_ADMIN, "Deploy to"), "Deploy to"));
	world_git_same(w);
	assert_int_equal(world_count(w, EFFECT_RUN), 1);
	for (int i = 0; i < 4; i++) /* one more than they have places */
		(void)world_text_in(w, CONTRACTOR, CONTRACTOR, "/do disk-free acme");
	said = world_says_in(w, CONTRACTOR, "⏳ Queued: 1st in client/acme disk-free");
	assert_non_null(said);
	assert_non_null(strstr(said->text, "waits for other work"));
	assert_null(strstr(said->text, "aaaaaaa"));
	assert_non_null(world_says_in(w, CONTRACTOR, "you have 3 places in its queue already"));
	(void)world_press(w, CONTRACTOR, CONTRACTOR, world_button(said, "Cancel"));
	(void)world_text_in(w, CONTRACTOR, CONTRACTOR, "/request restart-web acme");
	(void)world_text_in(w, DEV, DEV, "/pending");
	(void)world_text_in(w, DEV, DEV, "/pending production");
	assert_non_null(world_says_in(w, DEV, "Nothing awaits an approval."));
	world_run_ends(w, GOOD);
	(void)world_text_in(w, WORLD_ADMIN, WORLD_ADMIN, "/do disk-free acme");
	assert_non_null(world_says_in(w, WORLD_ADMIN, "production"));
	world_run_ends(w, (struct run_ended){ .gate_opened = true });
	(void)world_text_in(w, DEV, DEV, "/history production");
	assert_non_null(world_says_in(w, DEV, "disk-free"));
	never_reads(w, CONTRACTOR, "production");
	never_reads(w, DEV, "acme");
	(void)world_text_in(w, WORLD_ADMIN, WORLD_ADMIN, "/history production");
	assert_non_null(world_says_in(w, WORLD_ADMIN, "acme disk-free"));
}

WORLD_TEST_OF(who_sees_the_client_alone_reads_no_reason_of_a_hold_and_no_host,
    "CLIENTS=acme,beta,gama", "CLIENT_ACME_HOST=h.example", "CLIENT_BETA_HOST=local",
    "CLIENT_ACME_WEB_UNIT=web.service", "CLIENT_ACME_ACTIONS=restart-web",
    "CLIENT_BETA_ACTIONS=disk-free", "CLIENT_ACME_ENVIRONMENT=production", "CLIENT_GAMA_HOST=local",
    "CLIENT_GAMA_ACTIONS=disk-free", "ROLE_OPS_IDS=44", "ROLE_OPS_MAY=do:client/*")
{
	const struct world_message *said;

	(void)world_text_in(w, WORLD_ADMIN, WORLD_ADMIN, "/lock production 2h salary talks");
	(void)world_text_in(w, WORLD_ADMIN, WORLD_ADMIN, "/freeze all 2h salary again");
	(void)world_text_in(w, CONTRACTOR, CONTRACTOR, "/do restart-web acme");
	said = world_says_in(w, CONTRACTOR, "❓ Run this? client/acme restart-web");
	assert_non_null(said);
	assert_non_null(strstr(said->text, "🔒 locked by @ada, just now, until "));
	assert_non_null(strstr(said->text, "🔒 frozen by @ada, just now, until "));
	(void)world_text_in(w, WORLD_ADMIN, WORLD_ADMIN, "/do restart-web acme");
	assert_non_null(world_says_in(w, WORLD_ADMIN, "(UTC): salary talks"));
	(void)world_text_in(w, CONTRACTOR, CONTRACTOR, "/do disk-free beta");
	(void)world_text_in(w, CONTRACTOR, CONTRACTOR, "/do disk-free gama");
	assert_non_null(world_says_in(w, CONTRACTOR, "⏳ Queued: 1st in client/gama"));
	(void)world_text_in(w, WORLD_ADMIN, WORLD_ADMIN, "/do disk-free gama");
	assert_non_null(world_says_in(w, WORLD_ADMIN, "(UTC): salary again"));
	(void)world_text_in(w, CONTRACTOR, CONTRACTOR, "/queue");
	never_reads(w, CONTRACTOR, "salary");
	never_reads(w, CONTRACTOR, "production");
	never_reads(w, CONTRACTOR, "host:");
}

WORLD_TEST_BARE(questions_that_are_asked_and_answered_no_ring_a_few_times)
{
	do_aid_open(w);
	for (int i = 0; i < 20; i++) {
		w->aid.at += 8 * 1000;
		(void)world_text_in(w, CONTRACTOR, WORLD_TEAM, "/do restart-web acme");
		assert_non_null(strstr(world_plain(world_last(w)), "❓ Run this?"));
		(void)world_press(
		    w, CONTRACTOR, WORLD_TEAM, world_button(world_last(w), "Not now"));
		assert_int_equal(do_aid_newest(w).state, DEPLOY_CANCELLED);
	}
	assert_int_equal(world_rings(w), 4);
	w->aid.at += 16 * 60 * 1000;
	(void)world_text_in(w, CONTRACTOR, WORLD_TEAM, "/do restart-web acme");
	assert_int_equal(world_rings(w), 5); /* not for ever */
}

/* The first forty characters say how it went. */
WORLD_TEST_OF(what_it_said_is_shown_below_how_it_went, "CLIENTS=acme", "CLIENT_ACME_HOST=h",
    "CLIENT_ACME_ACTIONS=disk-free")
{
	struct run_ended ended = { .gate_opened = true,
		.detail = "the fullest disk is /: 91%",
		.tail = "/dev/sda1 91% /\n/dev/<b> 4% /srv\nthe fullest disk is /: 91%" };

	(void)world_text(w, WORLD_ADMIN, "/do disk-free acme");
	world_run_ends(w, ended);
	assert_non_null(world_says(w,
	    "✅ Done: client/acme disk-free\nthe fullest disk is /: 91%\n"
	    "/dev/sda1 91% /\n/dev/<b> 4% /srv\nthe fullest disk is /: 91%\nrequested by "));
	(void)world_text(w, WORLD_ADMIN, "/do disk-free acme");
	ended.exit_status = 70;
	(void)snprintf(ended.tail, sizeof(ended.tail), "one line");
	(void)snprintf(ended.detail, sizeof(ended.detail), "one line");
	world_run_ends(w, ended);
	assert_non_null(world_says(
	    w, "❌ Failed: client/acme disk-free\nscript failed: exit 70: one line\nrequested by "));
}
