/* Goal: at its turn an action is compared with what was shown and approved, and with its settings.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "do_aid.h"

#define ACME "CLIENTS=acme", "CLIENT_ACME_ACTIONS=restart-web"
#define AT   "CLIENT_ACME_HOST="
#define UNIT "CLIENT_ACME_WEB_UNIT="
#define CACHE \
	"CLIENTS=acme", AT "h", "CLIENT_ACME_ACTIONS=clear-cache", "CLIENT_ACME_APPROVALS=1", \
	    "CLIENT_ACME_CACHE_COMMAND="
#define FAR "srv/of/a/client/that/is/so/very/far/away"

/* Which settings it was asked for with is no reason to start without. */
WORLD_TEST_OF(approvals_that_the_settings_ask_for_by_then_are_awaited, "CLIENTS=acme",
    "CLIENT_ACME_HOST=h", "CLIENT_ACME_ACTIONS=disk-free")
{
	(void)world_text(w, WORLD_ADMIN, "/do disk-free acme");
	(void)world_text(w, WORLD_ADMIN, "/do disk-free acme");
	assert_int_equal(world_newest(w, "client/acme").state, DEPLOY_QUEUED);
	world_settings(w, "CLIENTS=acme", "CLIENT_ACME_HOST=h", "CLIENT_ACME_ACTIONS=disk-free",
	    "CLIENT_ACME_APPROVALS=1", NULL);
	world_run_ends(w, (struct run_ended){ .gate_opened = true });
	assert_int_equal(world_newest(w, "client/acme").state, DEPLOY_AWAITING_APPROVAL);
	assert_null(world_peek(w, EFFECT_RUN));
}

WORLD_TEST_OF(others_approve_what_a_client_asks_approvals_for, "CLIENTS=acme", "CLIENT_ACME_HOST=h",
    "CLIENT_ACME_ACTIONS=disk-free", "CLIENT_ACME_APPROVALS=1", "CLIENT_ACME_ENVIRONMENT=staging",
    "ROLE_OPS_IDS=44", "ROLE_OPS_MAY=do.disk-free:client/acme, approve:client/acme")
{
	struct world_message *said;

	(void)world_text(w, CONTRACTOR, "/do disk-free acme");
	assert_int_equal(world_newest(w, "staging").state, DEPLOY_AWAITING_APPROVAL);
	assert_null(world_peek(w, EFFECT_RUN));
	said = world_says_in(w, WORLD_TEAM, "❓ Awaiting approval: client/acme disk-free");
	assert_non_null(said);
	assert_non_null(strstr(world_plain(said),
	    "how full are the disks?\nlook at the disks on h\nenvironment: staging\nrequested by @eve"));
	assert_string_not_equal(world_button(said, "Approve disk-free client/acme"), "");
	(void)world_press(w, CONTRACTOR, said->chat, world_button(said, "Approve"));
	assert_null(world_peek(w, EFFECT_RUN)); /* not their own */
	(void)world_press(w, WORLD_STAGING_USER, said->chat, world_button(said, "Approve"));
	assert_null(world_peek(w, EFFECT_RUN)); /* not without the grant */
	(void)world_press(w, WORLD_ADMIN, said->chat, world_button(said, "Reject"));
	assert_string_not_equal(world_button(world_last(w), "Wrong action"), "");
	assert_string_equal(world_button(world_last(w), "Wrong commit"), "");
	(void)world_press(w, WORLD_ADMIN, said->chat, world_button(said, "Approve"));
	assert_string_equal(do_aid_run(w)->client, "acme");
}

/* Asked anew once, and then it can be approved. */
#define ACME_DISK "CLIENTS=acme", "CLIENT_ACME_HOST=h", "CLIENT_ACME_ACTIONS=disk-free"

/* It was asked for when nobody had to. */
WORLD_TEST_OF(what_the_settings_of_its_turn_want_approved_awaits_that, ACME_DISK,
    "CLIENT_ACME_ENVIRONMENT=staging")
{
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_A);
	(void)world_text(w, WORLD_ADMIN, "/do disk-free acme");
	assert_int_equal(world_newest(w, "staging").state, DEPLOY_QUEUED);
	world_settings(
	    w, ACME_DISK, "CLIENT_ACME_ENVIRONMENT=staging", "CLIENT_ACME_APPROVALS=1", NULL);
	world_run_ends(w, GOOD);
	assert_int_equal(world_newest(w, "staging").state, DEPLOY_AWAITING_APPROVAL);
	assert_null(world_peek(w, EFFECT_RUN));
}

WORLD_TEST_OF(what_awaits_approval_is_approved_as_its_settings_are_now, "CLIENTS=acme",
    "CLIENT_ACME_HOST=h", "CLIENT_ACME_ACTIONS=disk-free", "CLIENT_ACME_APPROVALS=1")
{
	struct world_message *said;

	(void)world_text(w, WORLD_ADMIN, "/do disk-free acme");
	world_settings(w, "CLIENTS=acme", "CLIENT_ACME_HOST=elsewhere",
	    "CLIENT_ACME_ACTIONS=disk-free", "CLIENT_ACME_APPROVALS=1", NULL);
	said = world_says_in(w, WORLD_TEAM, "Awaiting approval: client/acme");
	(void)world_press(w, WORLD_OTHER_ADMIN, said->chat, world_button(said, "Approve"));
	assert_null(world_peek(w, EFFECT_RUN)); /* it is asked again */
	said = world_says_in(w, WORLD_TEAM, "the settings of client/acme changed");
	assert_non_null(said);
	(void)world_press(w, WORLD_OTHER_ADMIN, said->chat, world_button(said, "Approve"));
	assert_string_equal(do_aid_run(w)->client, "acme");
}

/* Nobody had to confirm it: the approver alone was shown what it does. */
WORLD_TEST_OF(what_was_approved_is_asked_anew_where_it_is_another_by_its_turn, CACHE "bin/clear")
{
	struct world_message *said;

	(void)world_text(w, WORLD_ADMIN, "/do clear-cache acme");
	(void)world_text(w, WORLD_ADMIN, "/freeze all until tomorrow x");
	said = world_says_in(w, WORLD_TEAM, "Awaiting approval: client/acme");
	(void)world_press(w, WORLD_OTHER_ADMIN, said->chat, world_button(said, "Approve"));
	assert_int_equal(do_aid_newest(w).state, DEPLOY_QUEUED);
	world_settings(w, CACHE "bin/drop-database", NULL);
	(void)world_text(w, WORLD_ADMIN, "/unfreeze all");
	assert_null(world_peek(w, EFFECT_RUN));
	said = world_says(w, "changed; clear on h → drop-database on h");
	assert_non_null(said);
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP, world_button(said, "clear-cache"));
	assert_null(world_peek(w, EFFECT_RUN)); /* what was approved was the other one */
	said = world_says_in(w, WORLD_TEAM, "Awaiting approval: client/acme");
	(void)world_press(w, WORLD_OTHER_ADMIN, said->chat, world_button(said, "Approve"));
	assert_string_equal(do_aid_run(w)->action, "clear-cache");
}

/* Another host would be another act than the one that was shown. */
WORLD_TEST_BARE(what_changed_since_it_was_shown_is_asked_anew)
{
	struct world_message *said;

	do_aid_open(w);
	(void)world_text(w, WORLD_ADMIN, "/do restart-web acme");
	said = world_last(w);
	world_settings(w, "CLIENTS=acme", "CLIENT_ACME_HOST=web@elsewhere.example",
	    "CLIENT_ACME_ACTIONS=restart-web", "CLIENT_ACME_WEB_UNIT=web.service", NULL);
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP, world_button(said, "restart-web"));
	assert_null(world_peek(w, EFFECT_RUN));
	said = world_says(
	    w, "⛔ Not started: client/acme restart-web\nthe settings of client/acme changed");
	assert_non_null(said);
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP, world_button(said, "restart-web"));
	assert_string_equal(do_aid_run(w)->action, "restart-web");
}

/* Who is asked anew reads what it would have been done to, and what it is done to now. */
TEST(what_it_touched_and_touches_stands_in_what_is_asked_anew)
{
	static const struct {
		const char *host, *unit, *more, *says;
	} rows[] = {
		{ AT "web@b", UNIT "web.service", NULL, "changed; web@a → web@b\n\n" },
		{ AT "web@a", UNIT "api.service", NULL,
		    "changed; web.service on web@a → api.service on web@a\n\n" },
		{ AT "web@a", UNIT "web.service", "CLIENT_ACME_COMPOSE_DIR=/" FAR "/app/there",
		    "changed; on web@a → of /" FAR "/app/there on we…\n\n" },
		{ AT "web@a", UNIT "web.service", "CLIENT_ACME_APPROVALS=0", "acme changed\n\n" },
	};
	struct world_message *said;
	struct world w;

	for (size_t i = 0; i < COUNT(rows); i++) {
		world_open(&w, ACME, AT "web@a", UNIT "web.service", NULL);
		(void)world_text(&w, WORLD_ADMIN, "/do restart-web acme");
		said = world_last(&w);
		world_settings(&w, ACME, rows[i].host, rows[i].unit, rows[i].more, NULL);
		(void)world_press(&w, WORLD_ADMIN, WORLD_GROUP, world_button(said, "restart-web"));
		if (world_says(&w, rows[i].says) == NULL)
			fail_msg("%s", world_plain(world_last(&w)));
		/* What it reads now is what the next change is from. */
		said = world_last(&w);
		world_settings(&w, ACME, AT "web@a", UNIT "last.service", NULL);
		(void)world_press(&w, WORLD_ADMIN, WORLD_GROUP, world_button(said, "restart-web"));
		assert_int_equal(
		    world_says(&w, "api.service on web@a → last.service on web@a\n\n") != NULL,
		    i == 1);
		world_close(&w);
	}
}

/* Its host has left them, for what is left needs none. */
WORLD_TEST_OF(an_action_on_a_host_that_is_gone_is_refused, ACME, AT "web@a", UNIT "web.service")
{
	struct world_message *said;

	(void)world_text(w, WORLD_ADMIN, "/do restart-web acme");
	said = world_last(w);
	world_settings(w, "CLIENTS=acme", "CLIENT_ACME_ACTIONS=cf-normal",
	    "CLIENT_ACME_CLOUDFLARE_ZONE=0123456789abcdef0123456789abcdef",
	    "CLOUDFLARE_API_TOKEN=abcdefghijklmnopqrstuvwxyz0123456789ABCD", NULL);
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP, world_button(said, "restart-web"));
	assert_null(world_peek(w, EFFECT_RUN));
}

WORLD_TEST_BARE(what_left_the_settings_meanwhile_is_refused)
{
	do_aid_open(w);
	(void)world_text(w, WORLD_ADMIN, "/do service-status acme");
	(void)world_text(w, WORLD_ADMIN, "/do reload-nginx acme"); /* behind it: asked about */
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP,
	    world_button(world_says(w, "Run this? client/acme reload-nginx"), "reload-nginx"));
	assert_int_equal(do_aid_newest(w).state, DEPLOY_QUEUED);
	world_settings(w, "CLIENTS=acme", "CLIENT_ACME_HOST=local",
	    "CLIENT_ACME_ACTIONS=service-status", "CLIENT_ACME_WEB_UNIT=web", NULL);
	world_run_ends(w, (struct run_ended){ .gate_opened = true });
	assert_null(world_peek(w, EFFECT_RUN));
	assert_int_equal(do_aid_newest(w).state, DEPLOY_REFUSED);
	assert_non_null(world_says(w, "⛔ Not done: client/acme reload-nginx"));
}
