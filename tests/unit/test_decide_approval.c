/* Goal: what needs others' yes starts with just that: distinct people, none of whom asked, as of now.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "decide_aid.h"

#include "decide/decide_approval.h"
#include "decide/decide_tell.h"
#include "lib/text.h"
#include "types/principal.h"

#define CAROL 44
#define DAN   55

#define LEADS "ROLE_LEAD_IDS=22,44,55", "ROLE_LEAD_MAY=approve:production,deploy:production,status"

static const char *
label_in(struct world *w, int64_t chat, const char *label)
{
	for (size_t i = w->n_screen; i-- > 0;) {
		const char *button = world_button(&w->screen[i], label);

		if (w->screen[i].chat == chat && button[0] != '\0')
			return button;
	}
	return "";
}

static void
press_in(struct world *w, int64_t person, int64_t chat, const char *label)
{
	const char *button = label_in(w, chat, label);

	if (button[0] == '\0')
		fail_msg("no button %s", label);
	(void)world_press(w, person, chat, button);
}

static size_t
rings_in(const struct world *w, int64_t chat)
{
	size_t n = 0;

	for (size_t i = 0; i < w->n_screen; i++)
		n += w->screen[i].chat == chat && !w->screen[i].is_silent;
	return n;
}

static void
asks(struct world *w, const char *commit)
{
	(void)world_text(w, WORLD_ADMIN, "/deploy production");
	world_git(w, (struct world_git){ .commit = commit, .count = 2 });
	press_in(w, WORLD_ADMIN, WORLD_GROUP, "Deploy to");
	world_git(w, (struct world_git){ .commit = commit, .count = 2 });
	assert_int_equal(world_newest(w, "production").state, DEPLOY_AWAITING_APPROVAL);
}

static void
a_second_person_approves_and_it_goes_live(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, "PRODUCTION_APPROVALS=1", NULL);
	asks(&w, COMMIT_A);
	assert_string_equal(world_plain(world_says_in(&w, WORLD_TEAM, "Awaiting")),
	    "❓ Awaiting approval: production \"Make it blue\" aaaaaaa\n"
	    "author Ann Example · requested by @ada\nNothing was released to production yet.\n"
	    "• aaaaaaa \"Change 1\" — Ann Example\n• aaaaaaa \"Change 2\" — Ann Example\n"
	    "🗄 runs before the release: pre-deploy/10-migrate\n"
	    "#1 · approved 0 of 1\n⌛ until 08:00");
	assert_false(world_says_in(&w, WORLD_TEAM, "Awaiting")->is_silent);

	press_in(&w, WORLD_ADMIN, WORLD_TEAM, "Approve"); /* who asked */
	assert_string_equal(w.toast, "⛔ Denied: approve: you asked for it, so somebody else must.");
	assert_null(world_peek(&w, EFFECT_RUN));

	press_in(&w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve");
	assert_string_equal(w.toast, "Approved: production aaaaaaa: it is in progress.");
	world_run_ends(&w, GOOD);
	(void)world_text(&w, WORLD_OTHER_ADMIN, "/approve 1");
	assert_non_null(
	    world_says(&w, "#1 is live (approved by @bob): nothing is left to approve."));
	assert_string_equal(world_environment(&w, "production").current.commit, COMMIT_A);
	assert_non_null(
	    world_says_in(&w, WORLD_GROUP, "requested by @ada · approved by @bob\nNo health"));
	assert_non_null(
	    world_says_in(&w, WORLD_TEAM, "✅ Live: production \"Make it blue\" aaaaaaa"));
	assert_int_equal(world_audited(&w, "deploy_approval", "\"approved\""), 1);
	assert_int_equal(world_audited(&w, "deploy_started", "\"approved_by\":\"telegram:"), 1);
	(void)world_text(&w, WORLD_ADMIN, "/history production");
	assert_non_null(strstr(world_plain(world_last(&w)), "approved by @bob"));
	world_close(&w);
}

/* --- whose yes counts --- */

static void
two_of_two_are_two_people_and_a_double_press_is_one(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, "PRODUCTION_APPROVALS=2", "ADMIN_TELEGRAM_IDS=11,22,44", NULL);
	asks(&w, COMMIT_A);
	press_in(&w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve");
	assert_string_equal(w.toast, "Approved: production aaaaaaa: 1 of 2.");
	assert_non_null(world_says_in(&w, WORLD_GROUP, "approved 1 of 2: @bob"));
	press_in(&w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve");
	assert_string_equal(w.toast, "Approved: production aaaaaaa by you already: 1 of 2.");
	assert_null(world_peek(&w, EFFECT_RUN));
	(void)world_text(&w, CAROL, "/approve 1");
	assert_non_null(
	    world_says_in(&w, WORLD_GROUP, "Approved: production aaaaaaa: it is in progress."));
	assert_non_null(world_says_in(&w, WORLD_GROUP, "approved by @bob, @eve"));
	world_close(&w);
}

static void
the_settings_name_the_roles_that_may(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, "PRODUCTION_APPROVALS=1", "PRODUCTION_APPROVERS=lead", "ROLE_LEAD_IDS=44",
	    "ROLE_LEAD_MAY=approve:production,status", NULL);
	asks(&w, COMMIT_A);
	assert_non_null(world_says_in(&w, WORLD_TEAM, "approved 0 of 1 · asked: lead"));
	press_in(&w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve");
	assert_string_equal(w.toast, "⛔ Denied: approve: another role must: lead.");
	press_in(&w, WORLD_STAGING_USER, WORLD_TEAM, "Approve");
	assert_string_equal(w.toast, "⛔ Denied: approve: your role does not grant it.");
	press_in(&w, WORLD_STRANGER, WORLD_TEAM, "Reject");
	assert_null(world_peek(&w, EFFECT_RUN));
	press_in(&w, CAROL, WORLD_TEAM, "Approve");
	assert_non_null(world_peek(&w, EFFECT_RUN));
	world_close(&w);
}

/* Who joined the question before it was confirmed has asked for it, too. */
static void
who_may_approve_elsewhere_is_none_of_those_who_may_here(void **state)
{
	struct world w;

	(void)state;
	world_open(
	    &w, "PRODUCTION_APPROVALS=2", "ROLE_QA_IDS=44", "ROLE_QA_MAY=approve:*/staging", NULL);
	asks(&w, COMMIT_A);
	assert_non_null(world_says_in(&w, WORLD_GROUP, "2 more must approve, and only 1 may"));
	world_close(&w);
}

static void
who_confirmed_or_asked_for_the_same_is_none_of_the_others(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, "PRODUCTION_APPROVALS=1", "ADMIN_TELEGRAM_IDS=11,22,44,55", NULL);
	(void)world_text(&w, WORLD_ADMIN, "/deploy production");
	world_git(&w, (struct world_git){ .commit = COMMIT_A });
	(void)world_text(&w, CAROL, "/deploy production");
	world_git(&w, (struct world_git){ .commit = COMMIT_A });
	press_in(&w, WORLD_OTHER_ADMIN, WORLD_GROUP, "Deploy to");
	world_git_same(&w);
	press_in(&w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve");
	assert_non_null(strstr(w.toast, "you asked for it"));
	press_in(&w, CAROL, WORLD_TEAM, "Approve");
	assert_non_null(strstr(w.toast, "you asked for it"));
	assert_null(world_peek(&w, EFFECT_RUN));
	press_in(&w, DAN, WORLD_TEAM, "Approve");
	assert_non_null(world_peek(&w, EFFECT_RUN));
	world_close(&w);
}

static void
who_asks_for_what_awaits_approval_may_still_approve_it(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, "PRODUCTION_APPROVALS=1", NULL);
	asks(&w, COMMIT_A);
	(void)world_text(&w, WORLD_OTHER_ADMIN, "/deploy production");
	world_git(&w, (struct world_git){ .commit = COMMIT_A });
	/* One message, with what can be tapped where there is no link. */
	assert_string_equal(world_plain(world_last(&w)),
	    "⏭️ Closed here: production, #1 awaits approval\nrequested by @ada: \"Make it blue\" aaaaaaa\nApprove or reject it: /pending production");
	assert_null(world_says(&w, "asked about already"));
	press_in(&w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve");
	assert_non_null(world_peek(&w, EFFECT_RUN));
	world_close(&w);
}

/* Half asleep nobody looks for it in another chat. */
static void
who_asks_elsewhere_is_led_to_where_it_awaits_approval(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, "PRODUCTION_APPROVALS=1", "TELEGRAM_CHAT_ID=-1001234567890", NULL);
	asks(&w, COMMIT_A);
	(void)world_text_in(&w, WORLD_OTHER_ADMIN, WORLD_OTHER_ADMIN, "/deploy production");
	world_git(&w, (struct world_git){ .commit = COMMIT_A });
	assert_non_null(world_says_in(
	    &w, WORLD_OTHER_ADMIN, "\nApprove or reject it: https://t.me/c/1234567890/"));
	(void)world_text_in(&w, WORLD_OTHER_ADMIN, INT64_C(-1001234567890), "/deploy production");
	world_git(&w, (struct world_git){ .commit = COMMIT_A });
	assert_non_null(strstr(
	    world_plain(world_last(&w)), "\nApprove or reject it: https://t.me/c/1234567890/"));
	world_close(&w);
	/* What is no supergroup has no links. */
	world_open(&w, "PRODUCTION_APPROVALS=1", NULL);
	asks(&w, COMMIT_A);
	(void)world_text_in(&w, WORLD_OTHER_ADMIN, WORLD_OTHER_ADMIN, "/deploy production");
	world_git(&w, (struct world_git){ .commit = COMMIT_A });
	assert_non_null(
	    world_says_in(&w, WORLD_OTHER_ADMIN, "\nApprove or reject it: /pending production"));
	world_close(&w);
}

static void
who_asked_may_where_the_settings_say_so(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, "PRODUCTION_APPROVALS=1", "APPROVE_SELF=true", NULL);
	asks(&w, COMMIT_A);
	press_in(&w, WORLD_ADMIN, WORLD_TEAM, "Approve");
	assert_non_null(world_peek(&w, EFFECT_RUN));
	world_close(&w);
}

/* --- all are looked at again --- */

static void
settings_changed(struct world *w)
{
	struct event *event = store_aid_event(&w->aid, EVENT_SETTINGS);

	event->u.settings_read.accepted = true;
	(void)world_decide(w, event);
}

static void
who_loses_the_grant_counts_no_more_when_the_last_comes(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, "PRODUCTION_APPROVALS=2", "ADMIN_TELEGRAM_IDS=11,22,44,55", NULL);
	asks(&w, COMMIT_A);
	press_in(&w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve");
	world_settings(&w, "PRODUCTION_APPROVALS=2", "ADMIN_TELEGRAM_IDS=11,44,55", NULL);
	press_in(&w, CAROL, WORLD_TEAM, "Approve");
	assert_string_equal(w.toast, "Approved: production aaaaaaa: 1 of 2.");
	assert_non_null(world_says_in(&w, WORLD_TEAM, "approved 1 of 2: @eve"));
	assert_int_equal(world_audited(&w, "approval_void", "may no longer approve there"), 1);
	press_in(&w, DAN, WORLD_TEAM, "Approve");
	assert_non_null(world_peek(&w, EFFECT_RUN));
	world_close(&w);
}

static void
who_loses_the_grant_in_the_queue_sends_it_back_to_waiting(void **state)
{
	struct world w;
	int64_t place;

	(void)state;
	world_open(&w, "PRODUCTION_APPROVALS=1", "ADMIN_TELEGRAM_IDS=11,22,44", NULL);
	asks(&w, COMMIT_A);
	press_in(&w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve");
	asks(&w, COMMIT_B); /* behind it */
	press_in(&w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve bbbbbbb");
	assert_string_equal(w.toast, "Approved: production bbbbbbb: it is queued.");
	place = world_newest(&w, "production").place;
	world_settings(&w, "PRODUCTION_APPROVALS=1", "ADMIN_TELEGRAM_IDS=11,44", NULL);
	world_run_ends(&w, FAILED_BEFORE_RELEASE);
	assert_null(world_peek(&w, EFFECT_RUN));
	assert_int_equal(world_newest(&w, "production").state, DEPLOY_AWAITING_APPROVAL);
	press_in(&w, CAROL, WORLD_TEAM, "Approve bbbbbbb");
	assert_int_equal(world_newest(&w, "production").place, place);
	assert_string_equal(world_peek(&w, EFFECT_RUN)->u.run.commit, COMMIT_B);
	world_close(&w);
}

/* A was confirmed and approved behind it: B is confirmed over nothing, and A is live. */
static void
b_awaits_over_a(struct world *w)
{
	world_open(w, "PRODUCTION_APPROVALS=1", NULL);
	asks(w, COMMIT_B);
	asks(w, COMMIT_A);
	press_in(w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve aaaaaaa");
	world_run_ends(w, GOOD);
}

/* The commits that it was asked about are not those over what is live by then: git says which. */
static void
what_is_asked_anew_lists_its_commits_over_what_is_live(void **state)
{
	struct world_message *asked;
	struct world w;

	(void)state;
	b_awaits_over_a(&w);
	press_in(&w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve bbbbbbb"); /* asks anew */
	asked = world_says_in(&w, WORLD_TEAM, "asked again: production runs aaaaaaa now");
	assert_null(strstr(world_plain(asked), "Change"));
	world_git(&w, (struct world_git){ .commit = COMMIT_B, .count = 1 });
	assert_non_null(strstr(world_plain(asked),
	    "replaces aaaaaaa (release 1, just now), and you can roll back to it\n1 new commit:\n• bbbbbbb \"Change 1\""));
	assert_null(strstr(world_plain(asked), "Change 2"));
	assert_int_equal(world_deployment(&w, 1).state, DEPLOY_AWAITING_APPROVAL);
	world_close(&w);
}

/* Asked in its place; B runs when it is confirmed over A. */
static void
is_confirmed_again(struct world *w)
{
	world_git_same(w); /* asked whether it is behind what went live */
	assert_null(world_peek(w, EFFECT_RUN));
	assert_non_null(
	    world_says_in(w, WORLD_GROUP, "⚠️ Not started: production runs aaaaaaa now"));
	press_in(w, WORLD_ADMIN, WORLD_GROUP, "Deploy to");
	assert_string_equal(world_peek(w, EFFECT_RUN)->u.run.commit, COMMIT_B);
}

/* What was approved is that commit over what was live. */
static void
another_live_release_is_approved_anew(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, "PRODUCTION_APPROVALS=1", NULL);
	asks(&w, COMMIT_A);
	asks(&w, COMMIT_B);
	press_in(&w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve aaaaaaa");
	press_in(&w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve bbbbbbb");
	assert_string_equal(w.toast, "Approved: production bbbbbbb: it is queued.");
	world_run_ends(&w, GOOD); /* A is live */
	world_git(&w, (struct world_git){ .commit = COMMIT_B, .count = 1 });
	assert_null(world_peek(&w, EFFECT_RUN));
	assert_int_equal(world_newest(&w, "production").state, DEPLOY_AWAITING_APPROVAL);
	assert_non_null(
	    world_says_in(&w, WORLD_TEAM, "⚠️ asked again: production runs aaaaaaa now"));
	assert_int_equal(world_audited(&w, "approval_void", "what was approved has changed"), 1);
	press_in(&w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve bbbbbbb");
	assert_null(world_peek(&w, EFFECT_RUN)); /* who confirmed it saw another one */
	press_in(&w, WORLD_ADMIN, WORLD_GROUP, "Deploy to");
	assert_string_equal(world_peek(&w, EFFECT_RUN)->u.run.commit, COMMIT_B);
	world_close(&w);
}

static void
restored(struct world *w)
{
	struct event *event = store_aid_event(&w->aid, EVENT_STARTED);

	event->u.started.is_restored = true;
	(void)world_decide(w, event);
}

/* Found by the simulation (SEED=261860027): who approved had not been told. */
static void
what_is_not_known_is_shown_before_it_is_approved(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, "PRODUCTION_APPROVALS=1", NULL);
	asks(&w, COMMIT_A);
	restored(&w);
	assert_non_null(world_says_in(
	    &w, WORLD_TEAM, "⚠️ asked again: what production runs is not known any more\n\n"));
	press_in(&w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve");
	assert_null(world_peek(&w, EFFECT_RUN)); /* nor had who confirmed it */
	press_in(&w, WORLD_ADMIN, WORLD_GROUP, "Deploy to");
	assert_non_null(world_peek(&w, EFFECT_RUN));
	world_close(&w);
}

/* Behind hours of approvals they may be away: an hour at least. */
static void
who_confirms_again_has_the_time_that_approvals_had(void **state)
{
	static const struct {
		const char *setting;
		int64_t least_ms;
	} rows[] = {
		{ "APPROVAL_TIMEOUT=8h", 8 * 3600 * INT64_C(1000) - 60000 },
		{ "APPROVAL_TIMEOUT=10m", 3600 * INT64_C(1000) },
	};
	struct world w;
	int64_t before;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		world_open(&w, "PRODUCTION_APPROVALS=1", rows[i].setting, NULL);
		asks(&w, COMMIT_A);
		restored(&w);
		press_in(&w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve");
		before = w.aid.at;
		world_due(&w, TIMER_QUESTION);
		assert_int_equal(world_newest(&w, "production").state, DEPLOY_EXPIRED);
		assert_true(w.aid.at - before >= rows[i].least_ms);
		assert_true(w.aid.at - before <= rows[i].least_ms + 60000);
		world_close(&w);
	}
}

static void
a_press_on_what_has_changed_is_no_yes(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, "PRODUCTION_APPROVALS=1", NULL);
	asks(&w, COMMIT_B);
	asks(&w, COMMIT_A);
	press_in(&w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve aaaaaaa");
	world_run_ends(&w, GOOD);
	press_in(&w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve bbbbbbb");
	assert_string_equal(
	    w.toast, "Not approved: production bbbbbbb has changed, and is asked again.");
	assert_null(world_peek(&w, EFFECT_RUN));
	press_in(&w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve bbbbbbb");
	is_confirmed_again(&w);
	world_close(&w);
}

/* Also where nobody pressed before all were asked anew: the reminder's, and the question's. */
static void
a_button_of_before_it_was_asked_anew_is_no_yes(void **state)
{
	struct world w;
	char question[LIMIT_BUTTON_ID], reminder[LIMIT_BUTTON_ID];

	(void)state;
	world_open(&w, "PRODUCTION_APPROVALS=1", NULL);
	asks(&w, COMMIT_A);
	(void)text_copy(question, sizeof(question),
	    world_button(world_says_in(&w, WORLD_TEAM, "Awaiting"), "Approve"));
	world_due(&w, TIMER_APPROVAL);
	(void)text_copy(reminder, sizeof(reminder),
	    world_button(world_says_in(&w, WORLD_TEAM, "Not approved yet"), "Approve"));
	restored(&w);
	(void)world_press(&w, WORLD_OTHER_ADMIN, WORLD_TEAM, question);
	assert_string_equal(w.toast, "This button has expired or was used.");
	(void)world_press(&w, WORLD_OTHER_ADMIN, WORLD_TEAM, reminder);
	assert_string_equal(w.toast, "This button has expired or was used.");
	assert_int_equal(world_newest(&w, "production").state, DEPLOY_AWAITING_APPROVAL);
	world_close(&w);
}

/* Typed as the message with that id in its chat. */
static void
type_as(struct world *w, int64_t chat, int64_t message, const char *text)
{
	struct event *event = world_update(w, UPDATE_TEXT, WORLD_OTHER_ADMIN, chat);

	event->u.update->message = message;
	(void)text_copy(event->u.update->text, sizeof(event->u.update->text), text);
	(void)world_decide(w, event);
}

static void
what_was_typed_before_it_was_asked_anew_is_no_yes(void **state)
{
	static const char no[] =
	    "Not approved: production aaaaaaa has changed since it was shown here: look at it again, below.";
	struct world w;
	int64_t shown;

	(void)state;
	world_open(&w, "PRODUCTION_APPROVALS=2", LEADS, NULL);
	asks(&w, COMMIT_A);
	restored(&w);
	shown = w.screen_remote[world_says_in(&w, WORLD_TEAM, "asked again")->row % WORLD_SCREEN];
	/* It was on its way when the question came. */
	type_as(&w, WORLD_TEAM, shown - 1, "/approve 1");
	assert_non_null(world_says_in(&w, WORLD_TEAM, no));
	/* Where it was asked for stands what was asked first: it is shown there now. */
	type_as(&w, WORLD_GROUP, 0, "/approve 1");
	assert_non_null(world_says_in(&w, WORLD_GROUP, no));
	assert_int_equal(world_audited(&w, "deploy_approval", "\"approved\""), 0);
	assert_non_null(world_says_in(&w, WORLD_GROUP, "asked again: what production runs"));
	type_as(&w, WORLD_GROUP, 0, "/approve 1");
	assert_non_null(world_says_in(&w, WORLD_GROUP, "Approved: production aaaaaaa: 1 of 2"));
	world_close(&w);
}

static void
what_was_confirmed_over_another_release_is_confirmed_again_too(void **state)
{
	struct world w;

	(void)state;
	b_awaits_over_a(&w);
	press_in(&w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve bbbbbbb");
	assert_non_null(world_says_in(&w, WORLD_TEAM,
	    "asked again: production runs aaaaaaa now\nauthor Ann Example · requested by @ada\n"
	    "after its approvals it is to be confirmed again: @ada\n"));
	press_in(&w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve bbbbbbb");
	is_confirmed_again(&w);
	world_close(&w);

	/* Nor does it start on nobody's yes where none has to be approved any more. */
	b_awaits_over_a(&w);
	press_in(&w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve bbbbbbb");
	world_settings(&w, NULL);
	settings_changed(&w);
	is_confirmed_again(&w);
	world_close(&w);

	b_awaits_over_a(&w); /* the same, found by the settings alone */
	world_settings(&w, NULL);
	settings_changed(&w);
	is_confirmed_again(&w);
	world_close(&w);
}

/* The runner finds it; what was approved and confirmed by other settings is neither. */
static void
settings_that_change_while_it_is_approved_are_found_at_the_start(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, "PRODUCTION_APPROVALS=1", NULL);
	asks(&w, COMMIT_A);
	w.settings = "KEEP_RELEASES=bbbbbbbbbbbbbbbb pre-deploy/10-migrate=6588117f7b516232";
	press_in(&w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve");
	world_run_refused(&w);
	assert_null(world_peek(&w, EFFECT_RUN));
	assert_int_equal(world_newest(&w, "production").state, DEPLOY_AWAITING_APPROVAL);
	assert_non_null(world_says_in(
	    &w, WORLD_TEAM, "asked again: the settings changed since it was approved: KEEP_REL"));
	assert_non_null(world_says_in(&w, WORLD_TEAM, "approved 0 of 1"));
	press_in(&w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve");
	assert_null(world_peek(&w, EFFECT_RUN));
	press_in(&w, WORLD_ADMIN, WORLD_GROUP, "Deploy to");
	assert_int_equal(world_run_starts(&w), 200);
	world_close(&w);
}

static void
settings_that_need_fewer_or_more_are_in_force_at_once(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, "PRODUCTION_APPROVALS=2", "ADMIN_TELEGRAM_IDS=11,22,44", NULL);
	asks(&w, COMMIT_A);
	press_in(&w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve");
	world_settings(&w, "PRODUCTION_APPROVALS=3", "ADMIN_TELEGRAM_IDS=11,22,44", NULL);
	settings_changed(&w);
	assert_non_null(world_says_in(&w, WORLD_GROUP,
	    "approved 1 of 3: @bob\n⌛ until 08:00\n"
	    "⚠️ 2 more must approve, and only 1 may: an admin can change the settings"));
	world_settings(&w, "PRODUCTION_APPROVALS=1", "ADMIN_TELEGRAM_IDS=11,22,44", NULL);
	settings_changed(&w);
	assert_non_null(world_peek(&w, EFFECT_RUN));
	world_close(&w);
}

/* Found by the simulation (SEED=271838041): the younger work had the older place. */
static void
who_come_back_to_the_queue_together_start_by_their_places(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, "PRODUCTION_APPROVALS=1", "ADMIN_TELEGRAM_IDS=11,22,44", NULL);
	asks(&w, COMMIT_A);
	press_in(&w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve");
	asks(&w, COMMIT_B);
	asks(&w, COMMIT_C);
	press_in(&w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve ccccccc");
	press_in(&w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve bbbbbbb");
	press_in(&w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Take back");
	(void)world_text(&w, WORLD_OTHER_ADMIN, "/approve 2");
	world_settings(&w, "PRODUCTION_APPROVALS=2", "ADMIN_TELEGRAM_IDS=11,22,44", NULL);
	world_run_ends(&w, FAILED_BEFORE_RELEASE);
	assert_null(world_peek(&w, EFFECT_RUN));
	assert_int_equal(world_deployment(&w, 2).state, DEPLOY_AWAITING_APPROVAL);
	assert_int_equal(world_deployment(&w, 3).state, DEPLOY_AWAITING_APPROVAL);
	assert_true(world_deployment(&w, 3).place < world_deployment(&w, 2).place);
	world_settings(&w, NULL);
	settings_changed(&w);
	assert_string_equal(world_peek(&w, EFFECT_RUN)->u.run.commit, COMMIT_C);
	world_close(&w);
}

static void
an_environment_that_leaves_the_settings_is_approved_by_nobody(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, "PRODUCTION_APPROVALS=1", NULL);
	asks(&w, COMMIT_A);
	world_settings(&w, "ENVIRONMENTS=staging", NULL);
	settings_changed(&w);
	assert_int_equal(world_newest(&w, "production").state, DEPLOY_REFUSED);
	assert_null(world_peek(&w, EFFECT_RUN));
	world_close(&w);
}

/* --- no, time, back --- */

/* None of the reasons is a way out. */
static void
who_thinks_again_keeps_it(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, "PRODUCTION_APPROVALS=1", NULL);
	asks(&w, COMMIT_A);
	press_in(&w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Reject");
	press_in(&w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Keep it");
	assert_int_equal(world_newest(&w, "production").state, DEPLOY_AWAITING_APPROVAL);
	assert_non_null(
	    world_says_in(&w, WORLD_TEAM, "Not rejected: production #1 stays as it is."));
	assert_string_equal(label_in(&w, WORLD_TEAM, "Not tonight"), "");
	assert_string_equal(label_in(&w, WORLD_TEAM, "Keep it"), "");
	assert_string_not_equal(label_in(&w, WORLD_TEAM, "Approve"), "");
	world_close(&w);
}

static void
a_no_with_a_reason_ends_it_and_rings(void **state)
{
	struct world w;
	struct event *event;

	(void)state;
	world_open(&w, "PRODUCTION_APPROVALS=1", NULL);
	asks(&w, COMMIT_A);
	press_in(&w, WORLD_ADMIN, WORLD_TEAM, "Reject"); /* who asked has /cancel */
	assert_non_null(strstr(w.toast, "you asked for it"));
	press_in(&w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Reject");
	assert_string_equal(w.toast, "Not rejected yet: press a reason below.");
	assert_non_null(
	    world_says_in(&w, WORLD_TEAM, "👎 Reject? production #1, @bob: press a reason"));
	press_in(&w, WORLD_ADMIN, WORLD_TEAM, "Not tonight");
	assert_non_null(strstr(w.toast, "Only who asked may press this"));

	event = world_update(&w, UPDATE_TEXT, WORLD_OTHER_ADMIN, WORLD_TEAM);
	(void)text_copy(event->u.update->text, sizeof(event->u.update->text), "the demo is at 4");
	event->u.update->reply_to =
	    w.screen_remote[world_says_in(&w, WORLD_TEAM, "👎 Reject? ")->row];
	(void)world_decide(&w, event);
	assert_int_equal(world_newest(&w, "production").state, DEPLOY_REFUSED);
	assert_non_null(world_says_in(&w, WORLD_GROUP,
	    "👎 Rejected: production \"Make it blue\" aaaaaaa\nrejected by @bob: the demo is at 4\nauthor Ann"));
	assert_false(world_says_in(&w, WORLD_GROUP, "👎 Rejected")->is_silent);
	assert_int_equal(
	    world_audited(&w, "deploy_approval", "\"reason\":\"the demo is at 4\""), 1);
	assert_string_equal(label_in(&w, WORLD_TEAM, "Approve"), "");
	(void)world_text(&w, WORLD_OTHER_ADMIN, "/reject 1 late");
	assert_non_null(world_says(
	    &w, "#1 is refused (rejected by @bob: the demo is at 4): nothing is left to approve."));
	assert_null(world_says_in(&w, WORLD_TEAM, "👎 Reject? ")); /* nor its buttons */
	assert_string_equal(label_in(&w, WORLD_TEAM, "Not tonight"), "");
	world_close(&w);
}

#define TEN "not today "

static void
a_reason_is_pressed_or_typed(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, "PRODUCTION_APPROVALS=1", NULL);
	asks(&w, COMMIT_A);
	press_in(&w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Reject");
	press_in(&w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Wrong commit");
	assert_string_equal(
	    world_newest(&w, "production").detail, "rejected by @bob: Wrong commit");
	asks(&w, COMMIT_B);
	(void)world_text(&w, WORLD_OTHER_ADMIN, "/reject #2 we freeze soon");
	assert_string_equal(
	    world_newest(&w, "production").detail, "rejected by @bob: we freeze soon");
	asks(&w, COMMIT_C); /* 159 bytes and half of a character would fit */
	(void)world_text(&w, WORLD_OTHER_ADMIN,
	    "/reject 3 " TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN
	    "is it a fête");
	assert_string_equal(world_newest(&w, "production").detail,
	    "rejected by @bob: " TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN
	    "is it a f…");
	world_close(&w);
}

/* Of what went live since, nobody reads it. */
static void
who_is_asked_reads_what_was_rejected_of_it(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, "PRODUCTION_APPROVALS=1", NULL);
	asks(&w, COMMIT_A);
	(void)world_text(&w, WORLD_OTHER_ADMIN, "/reject 1 no tests");
	w.aid.at += 12 * 60000;
	(void)world_text(&w, WORLD_ADMIN, "/deploy production");
	world_git(&w, (struct world_git){ .commit = COMMIT_B, .contains = COMMIT_A });
	assert_non_null(strstr(world_plain(world_last(&w)),
	    "\n⚠️ contains aaaaaaa, rejected by @bob: no tests, 12 min ago"));
	press_in(&w, WORLD_ADMIN, WORLD_GROUP, "Deploy to");
	world_git(&w, (struct world_git){ .commit = COMMIT_B, .contains = COMMIT_A });
	assert_non_null(world_says_in(
	    &w, WORLD_TEAM, "\n⚠️ contains aaaaaaa, rejected by @bob: no tests, 12 min ago"));
	press_in(&w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve bbbbbbb");
	world_run_ends(&w, GOOD);

	(void)world_text(&w, WORLD_ADMIN, "/deploy production");
	assert_string_equal(world_peek(&w, EFFECT_GIT_QUERY)->u.git_query.blocked, "");
	world_close(&w);

	world_open(&w, "PRODUCTION_APPROVALS=1", NULL);
	asks(&w, COMMIT_A);
	(void)world_text(&w, WORLD_OTHER_ADMIN, "/reject 1 no tests");
	(void)world_text(&w, WORLD_ADMIN, "/deploy production");
	world_git(&w, (struct world_git){ .commit = COMMIT_A, .contains = COMMIT_A });
	assert_non_null(strstr(world_plain(world_last(&w)),
	    "\n⚠️ this commit was rejected by @bob: no tests, just now"));
	world_close(&w);
}

static void
who_asked_reads_who_has_seen_it(void **state)
{
	struct world w;

	(void)state;
	world_open(
	    &w, "PRODUCTION_APPROVALS=2", "ROLE_C_IDS=50", "ROLE_C_MAY=deploy:production", NULL);
	asks(&w, COMMIT_A);
	assert_null(world_says_in(&w, WORLD_GROUP, "seen by"));
	(void)world_text(&w, 50, "/pending");	       /* may not approve it */
	(void)world_text(&w, WORLD_ADMIN, "/pending"); /* has asked for it */
	assert_string_equal(world_newest(&w, "production").seen_by, "");
	(void)world_text(&w, WORLD_OTHER_ADMIN, "/pending");
	press_in(&w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Reject");
	assert_non_null(world_says_in(&w, WORLD_GROUP, "approved 0 of 2\nseen by @bob"));
	assert_string_equal(world_newest(&w, "production").seen_by, "@bob");
	world_close(&w);
}

static void
half_of_its_time_reminds_once_and_all_of_it_ends_it(void **state)
{
	const struct world_message *team;
	struct world w;
	char button[LIMIT_BUTTON_ID];
	size_t rings;

	(void)state;
	world_open(&w, "PRODUCTION_APPROVALS=1", "APPROVAL_TIMEOUT=2h", NULL);
	asks(&w, COMMIT_A);
	world_due(&w, TIMER_APPROVAL);
	assert_non_null(world_says_in(&w, WORLD_TEAM,
	    "⏰ Not approved yet: production \"Make it blue\" aaaaaaa\n"
	    "#1 · approved 0 of 1, until 02:00"));
	assert_false(world_last(&w)->is_silent);
	assert_string_not_equal(world_button(world_last(&w), "Approve"), "");
	rings = rings_in(&w, WORLD_GROUP);
	(void)text_copy(button, sizeof(button), label_in(&w, WORLD_TEAM, "Approve"));
	world_due(&w, TIMER_APPROVAL);
	assert_int_equal(world_newest(&w, "production").state, DEPLOY_EXPIRED);
	assert_string_equal(world_plain(world_says_in(&w, WORLD_GROUP, "⌛ Not approved: ")),
	    "⌛ Not approved: production \"Make it blue\"");
	assert_non_null(world_says_in(&w, WORLD_GROUP,
	    "⌛ Not approved: production \"Make it blue\"\n"
	    "author Ann Example · requested by @ada\n"
	    "0 of 1 had approved it. Nothing was started: ask for it again."));
	assert_int_equal(rings_in(&w, WORLD_GROUP), rings + 1); /* who asked, in a new message */
	assert_true(world_says_in(&w, WORLD_GROUP, "Not approved: ")->reply_to != 0);
	team = world_says_in(&w, WORLD_TEAM, "Not approved: ");
	assert_string_equal(world_plain(team),
	    "⌛ Not approved: production \"Make it blue\""); /* who slept: what is left to do? */
	assert_true(team->is_silent && team->reply_to != 0);
	assert_null(world_says_in(&w, WORLD_TEAM, "Not approved yet")); /* nor does that stay */
	assert_string_equal(label_in(&w, WORLD_TEAM, "Approve"), "");
	(void)world_press(&w, WORLD_OTHER_ADMIN, WORLD_TEAM, button);
	assert_string_equal(w.toast, "This button has expired or was used.");
	assert_null(world_peek(&w, EFFECT_RUN));
	world_close(&w);
}

static void
a_yes_is_taken_back_until_it_starts(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, "PRODUCTION_APPROVALS=1", "ADMIN_TELEGRAM_IDS=11,22,44", NULL);
	asks(&w, COMMIT_A);
	press_in(&w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve");
	asks(&w, COMMIT_B);
	press_in(&w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve bbbbbbb");
	press_in(&w, CAROL, WORLD_TEAM, "Take back");
	assert_string_equal(w.toast, "There is no approval of yours to withdraw.");
	press_in(&w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Take back");
	assert_string_equal(w.toast, "Withdrawn: production bbbbbbb: 0 of 1.");
	assert_int_equal(world_audited(&w, "deploy_approval", "withdrawn"), 1);
	world_run_ends(&w, FAILED_BEFORE_RELEASE);
	assert_null(world_peek(&w, EFFECT_RUN));
	assert_int_equal(world_newest(&w, "production").state, DEPLOY_AWAITING_APPROVAL);
	world_close(&w);
}

/* An approver with a valid account neither rings the others all night nor keeps it open. */
static void
a_yes_given_and_taken_back_in_turn_rings_little_and_ends(void **state)
{
	int64_t begin;
	size_t before;
	struct world w;

	(void)state;
	world_open(&w, "PRODUCTION_APPROVALS=1", "APPROVAL_TIMEOUT=2h",
	    "ADMIN_TELEGRAM_IDS=11,22,44", NULL);
	asks(&w, COMMIT_A);
	press_in(&w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve");
	w.aid.at += 3600 * INT64_C(1000); /* who asked is no reason any more */
	asks(&w, COMMIT_B);
	before = rings_in(&w, WORLD_TEAM);
	begin = w.aid.at;
	for (int i = 0; i < 8; i++) {
		w.aid.at += 60 * 1000;
		press_in(&w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve bbbbbbb");
		assert_string_equal(w.toast, "Approved: production bbbbbbb: it is queued.");
		press_in(&w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Take back");
		assert_string_equal(w.toast, "Withdrawn: production bbbbbbb: 0 of 1.");
	}
	assert_int_equal(rings_in(&w, WORLD_TEAM) - before, 2);
	world_due(&w, TIMER_APPROVAL); /* half of its time: reminded once */
	assert_int_equal((w.aid.at - begin) / 60000, 60);
	press_in(&w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve bbbbbbb");
	w.aid.at += 3600 * INT64_C(1000); /* its place in the queue uses nothing up */
	press_in(&w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Take back");
	assert_int_equal(world_newest(&w, "production").state, DEPLOY_AWAITING_APPROVAL);
	world_due(&w, TIMER_APPROVAL);
	assert_int_equal((w.aid.at - begin) / 60000, 180);
	assert_int_equal(world_newest(&w, "production").state, DEPLOY_EXPIRED);
	world_close(&w);
}

static void
many_who_ask_ring_one_chat_a_few_times(void **state)
{
	static const int64_t people[] = { 11, 22, 44, 55, 66 };
	struct world w;

	(void)state;
	world_open(&w, "STAGING_APPROVALS=1", "ADMIN_TELEGRAM_IDS=11,22,44,55,66", NULL);
	for (size_t i = 0; i < 3 * COUNT(people); i++) {
		char commit[] = COMMIT_A;

		commit[0] = (char)('a' + i % 6);
		commit[1] = (char)('0' + i % 10);
		(void)world_text_in(
		    &w, people[i % COUNT(people)], people[i % COUNT(people)], "/deploy staging");
		world_git(&w, (struct world_git){ .commit = commit });
		assert_int_equal(world_state(&w), DEPLOY_AWAITING_APPROVAL);
	}
	assert_int_equal(rings_in(&w, WORLD_TEAM), 12);
	world_close(&w);
}

static void
drop(struct tx *tx, UNUSED void *arg)
{
	const struct update update = { .person = WORLD_OTHER_ADMIN, .name = "@bob" };

	decide_take_back_all(tx, &update, WORLD_OTHER_ADMIN, "the second factor was reset");
}

static void
a_reset_of_the_factor_takes_back_what_has_not_started(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, "PRODUCTION_APPROVALS=2", "ADMIN_TELEGRAM_IDS=11,22,44", NULL);
	asks(&w, COMMIT_A);
	press_in(&w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve");
	world_act(&w, drop, NULL);
	assert_non_null(world_says_in(&w, WORLD_GROUP, "approved 0 of 2"));
	assert_int_equal(world_audited(&w, "deploy_approval", "withdrawn"), 1);
	press_in(&w, CAROL, WORLD_TEAM, "Approve");
	assert_null(world_peek(&w, EFFECT_RUN));
	world_close(&w);
}

static void
who_asked_cancels_it(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, "PRODUCTION_APPROVALS=1", NULL);
	asks(&w, COMMIT_A);
	press_in(&w, WORLD_ADMIN, WORLD_GROUP, "Cancel");
	assert_int_equal(world_newest(&w, "production").state, DEPLOY_CANCELLED);
	for (size_t i = 0; i < w.n_open; i++)
		assert_false(
		    w.open[i]->kind == EFFECT_TIMER && w.open[i]->u.timer.kind == TIMER_APPROVAL);
	world_close(&w);
}

/* --- which work --- */

static void
rollbacks_have_a_number_of_their_own(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, "STAGING_APPROVALS=0", "STAGING_ROLLBACK_APPROVALS=1", NULL);
	world_deploy_goes_live(&w, COMMIT_A);
	world_deploy_goes_live(&w, COMMIT_B);
	(void)world_text(&w, WORLD_ADMIN, "/rollback staging");
	press_in(&w, WORLD_ADMIN, WORLD_GROUP, "Roll back");
	assert_string_equal(w.toast, "It awaits approval now.");
	assert_int_equal(world_state(&w), DEPLOY_AWAITING_APPROVAL);
	assert_string_not_equal(label_in(&w, WORLD_TEAM, "Approve rollback of staging"), "");
	assert_non_null(world_says_in(
	    &w, WORLD_TEAM, "❓ Approve rollback: staging to \"Make it blue\" aaaaaaa"));
	press_in(&w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve");
	world_run_ends(&w, GOOD);
	assert_string_equal(world_environment(&w, "staging").current.commit, COMMIT_A);
	world_close(&w);
}

/* Whatever its approver has pressed before. */
static void
no_rate_limit_keeps_a_rollback_from_its_yes(void **state)
{
	struct world_message *rollback;
	struct world w;

	(void)state;
	world_open(&w, "PRODUCTION_APPROVALS=1", "STAGING_ROLLBACK_APPROVALS=1", NULL);
	world_deploy_goes_live(&w, COMMIT_A);
	world_deploy_goes_live(&w, COMMIT_B);
	(void)world_text(&w, WORLD_ADMIN, "/rollback staging");
	press_in(&w, WORLD_ADMIN, WORLD_GROUP, "Roll back");
	rollback = world_says_in(&w, WORLD_TEAM, "Approve rollback: staging");
	assert_non_null(rollback);
	asks(&w, COMMIT_C);
	for (int i = 0; i < 60; i++)
		(void)world_press(&w, WORLD_OTHER_ADMIN, WORLD_TEAM, "no such button");
	press_in(&w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve"); /* of the deployment */
	assert_null(world_peek(&w, EFFECT_RUN));
	(void)world_press(&w, WORLD_OTHER_ADMIN, WORLD_TEAM, world_button(rollback, "Approve"));
	assert_non_null(world_peek(&w, EFFECT_RUN));
	assert_int_equal(world_peek(&w, EFFECT_RUN)->u.run.program, PROGRAM_ROLLBACK);
	world_close(&w);
}

static void
an_automatic_rollback_waits_for_nobody(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, STAGING_URL, "STAGING_ROLLBACK_APPROVALS=1", NULL);
	world_deploy_goes_live(&w, COMMIT_A);
	world_deploy_starts(&w, COMMIT_B);
	world_run_step(&w, 0, "release");
	world_run_ends(&w, GOOD);
	world_probed(&w, "status 500");
	assert_int_equal(world_peek(&w, EFFECT_RUN)->u.run.program, PROGRAM_ROLLBACK);
	world_close(&w);
}

static void
push(struct world *w, const char *branch, const char *commit, int count)
{
	assert_int_equal(world_decide(w, world_push(w, branch)).status, 200);
	world_git(w, (struct world_git){ .commit = commit, .count = count });
}

static void
a_push_asks_directly_and_is_replaced_until_somebody_approved(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, "STAGING_APPROVALS=2", "ADMIN_TELEGRAM_IDS=11,22,44", NULL);
	push(&w, "develop", COMMIT_A, 1);
	assert_int_equal(world_state(&w), DEPLOY_AWAITING_APPROVAL);
	push(&w, "develop", COMMIT_B, 2);
	assert_non_null(
	    world_says_in(&w, WORLD_TEAM, "⏭️ Skipped: staging, replaced by bbbbbbb"));
	press_in(&w, WORLD_ADMIN, WORLD_TEAM, "Approve bbbbbbb");
	assert_string_equal(w.toast, "Approved: staging bbbbbbb: 1 of 2.");
	push(&w, "develop", COMMIT_C, 3);
	assert_string_equal(world_newest(&w, "staging").commit, COMMIT_B);
	assert_non_null(world_says_in(&w, WORLD_TEAM, "ℹ️ 1 newer commit waits, to ccccccc"));
	push(&w, "develop", COMMIT_D, 4);
	assert_non_null(world_says_in(&w, WORLD_TEAM, "ℹ️ 2 newer commits wait, to ddddddd"));
	press_in(&w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve bbbbbbb");
	assert_string_equal(world_peek(&w, EFFECT_RUN)->u.run.commit, COMMIT_B);
	world_run_ends(&w, GOOD);
	world_due(&w, TIMER_HOLDS); /* the newest is asked for */
	world_git(&w, (struct world_git){ .commit = COMMIT_D, .count = 4 });
	assert_string_equal(world_newest(&w, "staging").commit, COMMIT_D);
	assert_int_equal(world_state(&w), DEPLOY_AWAITING_APPROVAL);
	world_close(&w);
}

/* Two of the three that B was asked about went live meanwhile. */
static void
newer_commits_are_counted_over_what_is_live(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, "STAGING_APPROVALS=2", "ADMIN_TELEGRAM_IDS=11,22,44,55", NULL);
	push(&w, "develop", COMMIT_B, 3);
	(void)world_text(&w, WORLD_ADMIN, "/deploy staging " COMMIT_A);
	world_git(&w, (struct world_git){ .commit = COMMIT_A });
	press_in(&w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve aaaaaaa");
	press_in(&w, CAROL, WORLD_TEAM, "Approve aaaaaaa");
	world_run_ends(&w, GOOD);
	press_in(&w, CAROL, WORLD_TEAM, "Approve bbbbbbb"); /* asks anew */
	press_in(&w, CAROL, WORLD_TEAM, "Approve bbbbbbb");
	world_git(&w, (struct world_git){ .commit = COMMIT_B, .count = 1 });
	assert_non_null(world_says_in(&w, WORLD_TEAM, "\n1 new commit:"));
	push(&w, "develop", COMMIT_C, 5);
	assert_non_null(world_says_in(&w, WORLD_TEAM, "4 newer commits wait, to ccccccc"));
	world_close(&w);
}

static void
the_newest_is_asked_for_instead(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, "STAGING_APPROVALS=2", "ADMIN_TELEGRAM_IDS=11,22,44", NULL);
	push(&w, "develop", COMMIT_B, 1);
	press_in(&w, WORLD_ADMIN, WORLD_TEAM, "Approve bbbbbbb");
	push(&w, "develop", COMMIT_C, 2);
	press_in(&w, WORLD_STAGING_USER, WORLD_TEAM, "newest instead");
	assert_non_null(strstr(w.toast, "⛔"));
	press_in(&w, WORLD_ADMIN, WORLD_TEAM, "newest instead");
	assert_int_equal(world_state(&w), DEPLOY_SUPERSEDED);
	world_due(&w, TIMER_HOLDS);
	world_git(&w, (struct world_git){ .commit = COMMIT_C, .count = 2 });
	assert_string_equal(world_newest(&w, "staging").commit, COMMIT_C);
	assert_non_null(world_says_in(&w, WORLD_TEAM, "approved 0 of 2"));
	world_close(&w);
}

/* Found by the simulation (SEED=44): what was newer went live while it waited. */
static void
a_push_that_is_older_than_what_is_live_by_then_is_not_shipped(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, "STAGING_APPROVALS=1", NULL);
	push(&w, "develop", COMMIT_A, 1);
	(void)world_text(&w, WORLD_ADMIN, "/deploy staging " COMMIT_B);
	world_git(&w, (struct world_git){ .commit = COMMIT_B });
	press_in(&w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve bbbbbbb");
	world_run_ends(&w, GOOD);
	press_in(&w, WORLD_ADMIN, WORLD_TEAM, "Approve aaaaaaa");
	assert_string_equal(
	    w.toast, "Not approved: staging aaaaaaa has changed, and is asked again.");
	press_in(&w, WORLD_ADMIN, WORLD_TEAM, "Approve aaaaaaa");
	assert_null(world_peek(&w, EFFECT_RUN));
	world_git(&w, (struct world_git){ .commit = COMMIT_A, .is_force_push = true });
	assert_null(world_peek(&w, EFFECT_RUN));
	assert_int_equal(world_deployment(&w, 1).state, DEPLOY_SUPERSEDED);
	world_close(&w);
}

static void
who_confirmed_a_push_has_asked_for_it(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, "PRODUCTION_APPROVALS=1", NULL);
	push(&w, "main", COMMIT_A, 1);
	press_in(&w, WORLD_ADMIN, WORLD_TEAM, "Deploy to");
	world_git_same(&w);
	press_in(&w, WORLD_ADMIN, WORLD_TEAM, "Approve");
	assert_non_null(strstr(w.toast, "you asked for it"));
	press_in(&w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve");
	assert_non_null(world_peek(&w, EFFECT_RUN));
	world_close(&w);
}

static void
who_pushed_has_asked_for_it_and_who_is_unknown_takes_one_more(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, "STAGING_APPROVALS=1", "PERSON_22_GITHUB=Octo", NULL);
	push(&w, "develop", COMMIT_A, 1);
	press_in(&w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve");
	assert_non_null(strstr(w.toast, "you asked for it"));
	press_in(&w, WORLD_ADMIN, WORLD_TEAM, "Approve");
	assert_non_null(world_peek(&w, EFFECT_RUN));
	world_close(&w);

	world_open(&w, "STAGING_APPROVALS=1", "PERSON_22_GITHUB=octopus",
	    "APPROVE_UNKNOWN_PUSHER=false", NULL);
	push(&w, "develop", COMMIT_A, 1);
	assert_non_null(world_says_in(&w, WORLD_TEAM,
	    "pushed by github:octo(7)\nwho pushed it is not known here: PERSON_<ID>_GITHUB"));
	assert_non_null(world_says_in(&w, WORLD_TEAM, "approved 0 of 2"));
	world_close(&w);
}

/* The same human may press Approve on a phone. */
static void
who_asked_on_the_machine_as_a_role_is_unknown(void **state)
{
	const int64_t www_data = principal_of_user(33);
	struct world w;

	(void)state;
	world_open(&w, "STAGING_APPROVALS=1", "LOCAL_WWW_DATA_IS=role admin",
	    "APPROVE_UNKNOWN_PUSHER=false", NULL);
	(void)world_text(&w, www_data, "/deploy staging");
	world_git(&w, (struct world_git){ .commit = COMMIT_A });
	assert_non_null(world_says_in(&w, WORLD_TEAM,
	    "⚠️ asked for on the machine by a role, perhaps by one of you: LOCAL_<USER>_IS=<their "
	    "Telegram id> says who; until then one more must approve"));
	assert_non_null(world_says_in(&w, WORLD_TEAM, "approved 0 of 2"));
	press_in(&w, WORLD_ADMIN, WORLD_TEAM, "Approve");
	assert_null(world_peek(&w, EFFECT_RUN));
	press_in(&w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve");
	assert_non_null(world_peek(&w, EFFECT_RUN));
	world_close(&w);

	/* Who confirms what another one asked for has asked for it, too. */
	world_open(&w, "PRODUCTION_APPROVALS=1", "LOCAL_WWW_DATA_IS=role admin",
	    "PERSON_22_GITHUB=octo", NULL);
	push(&w, "main", COMMIT_A, 1);
	(void)world_press(&w, www_data, WORLD_TEAM, label_in(&w, WORLD_TEAM, "Deploy to"));
	world_git_same(&w);
	assert_non_null(world_says_in(&w, WORLD_TEAM, "asked for on the machine by a role"));
	assert_null(world_says_in(&w, WORLD_TEAM, "one more must approve"));
	assert_non_null(world_says_in(&w, WORLD_TEAM, "approved 0 of 1"));
	world_close(&w);
}

/* --- more by fact --- */

static void
the_largest_number_of_what_applies_is_needed(void **state)
{
	static const char more[] =
	    "STAGING_APPROVALS_IF=forced=3; not-on production=2; path db/**=4";
	struct world w;

	(void)state;
	world_open(&w, "STAGING_APPROVALS=1", more, "ADMIN_TELEGRAM_IDS=11,22,44,55", NULL);
	assert_int_equal(world_decide(&w, world_push(&w, "develop")).status, 200);
	assert_string_equal(world_peek(&w, EFFECT_GIT_QUERY)->u.git_query.paths, "/,db/**");
	world_git(&w, (struct world_git){ .commit = COMMIT_A });
	assert_non_null(world_says_in(&w, WORLD_TEAM, "approved 0 of 4 · because of path db/**"));
	assert_int_equal(world_decide(&w, world_push(&w, "develop")).status, 200);
	world_git(&w,
	    (struct world_git){ .commit = COMMIT_B, .untouched = "db/**", .is_force_push = true });
	assert_non_null(world_says_in(&w, WORLD_TEAM, "approved 0 of 3 · because of forced"));
	assert_int_equal(world_decide(&w, world_push(&w, "develop")).status, 200);
	world_git(&w, (struct world_git){ .commit = COMMIT_C, .untouched = "db/**" });
	assert_non_null(
	    world_says_in(&w, WORLD_TEAM, "approved 0 of 2 · because of not-on production"));
	press_in(&w, WORLD_ADMIN, WORLD_TEAM, "Approve ccccccc");
	assert_null(world_peek(&w, EFFECT_RUN));
	press_in(&w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve ccccccc");
	assert_non_null(world_peek(&w, EFFECT_RUN));
	world_close(&w);
}

/* It is Thursday, 00:00. */
static void
hours_count_at_the_moment_of_the_start(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, "STAGING_APPROVALS_IF=outside Mon-Sun 00:00-12:00=1", NULL);
	world_deploy_goes_live(&w, COMMIT_A);
	w.aid.at += 13 * 3600 * INT64_C(1000);
	(void)world_text(&w, WORLD_ADMIN, "/deploy staging");
	world_git(&w, (struct world_git){ .commit = COMMIT_B });
	assert_int_equal(world_state(&w), DEPLOY_AWAITING_APPROVAL);
	world_close(&w);
}

/* --- where it is asked --- */

static void
another_chat_is_asked_and_the_teams_only_sees(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, "PRODUCTION_APPROVALS=1", "PRODUCTION_APPROVAL_CHAT_ID=-1009", NULL);
	asks(&w, COMMIT_A);
	assert_non_null(world_says_in(&w, -1009, "❓ Awaiting approval: production"));
	assert_string_equal(label_in(&w, WORLD_GROUP, "Approve"), "");
	press_in(&w, WORLD_OTHER_ADMIN, -1009, "Approve");
	assert_non_null(world_says_in(&w, -1009, "🚀 Deploying production"));
	world_run_ends(&w, GOOD);
	assert_non_null(world_says_in(&w, -1009, "✅ Live: production"));
	world_close(&w);
}

static void
who_may_and_has_written_in_private_is_asked_there(void **state)
{
	struct world w;
	size_t sends;

	(void)state;
	world_open(&w, "PRODUCTION_APPROVALS=2", "ADMIN_TELEGRAM_IDS=11,22,44", NULL);
	(void)world_text_in(&w, WORLD_OTHER_ADMIN, WORLD_OTHER_ADMIN, "/start");
	(void)world_text_in(&w, WORLD_ADMIN, WORLD_ADMIN, "/start"); /* who asks */
	asks(&w, COMMIT_A);
	assert_null(world_says_in(&w, WORLD_ADMIN, "Awaiting approval"));
	assert_null(world_says_in(&w, CAROL, "Awaiting approval"));
	assert_non_null(world_says_in(&w, WORLD_OTHER_ADMIN, "Awaiting approval"));
	sends = (size_t)world_says_in(&w, WORLD_OTHER_ADMIN, "Awaiting approval")->sends;
	press_in(&w, CAROL, WORLD_TEAM, "Approve");
	assert_int_equal(world_says_in(&w, WORLD_OTHER_ADMIN, "Awaiting")->sends, sends);
	press_in(&w, WORLD_OTHER_ADMIN, WORLD_OTHER_ADMIN, "Approve");
	assert_non_null(world_says_in(
	    &w, WORLD_OTHER_ADMIN, "👍 Approved: production \"Make it blue\" aaaaaaa"));
	world_close(&w);
}

/* Who was asked in private and has not answered is reminded there; it says how that went on. */
static void
who_was_asked_in_private_is_reminded_there(void **state)
{
	const struct world_message *reminder;
	struct world w;

	(void)state;
	world_open(&w, "PRODUCTION_APPROVALS=3", "ADMIN_TELEGRAM_IDS=11,22,44,55",
	    "APPROVAL_TIMEOUT=2h", NULL);
	(void)world_text_in(&w, WORLD_ADMIN, WORLD_ADMIN, "/start"); /* who asks */
	(void)world_text_in(&w, WORLD_OTHER_ADMIN, WORLD_OTHER_ADMIN, "/start");
	(void)world_text_in(&w, CAROL, CAROL, "/start");
	asks(&w, COMMIT_A);
	press_in(&w, CAROL, CAROL, "Approve aaaaaaa");
	world_due(&w, TIMER_APPROVAL);
	reminder = world_says_in(&w, WORLD_OTHER_ADMIN, "Not approved yet: production");
	assert_non_null(reminder);
	assert_false(reminder->is_silent);
	assert_int_not_equal(reminder->reply_to, 0);
	assert_string_not_equal(world_button(reminder, "Approve"), "");
	assert_false(world_says_in(&w, WORLD_TEAM, "Not approved yet")->is_silent);
	assert_null(world_says_in(&w, CAROL, "Not approved yet")); /* has approved it */
	assert_null(world_says_in(&w, WORLD_ADMIN, "Not approved yet"));
	assert_null(world_says_in(&w, DAN, "Not approved yet")); /* was not asked in private */
	press_in(&w, WORLD_OTHER_ADMIN, WORLD_OTHER_ADMIN, "Approve aaaaaaa");
	assert_string_equal(world_button(reminder, "Approve"), "");
	world_due(&w, TIMER_APPROVAL);
	assert_int_equal(world_newest(&w, "production").state, DEPLOY_EXPIRED);
	assert_null(world_says_in(&w, WORLD_OTHER_ADMIN, "Not approved yet"));
	world_close(&w);
}

/* Goal: an approver who was asleep reads on the lock screen that it is over, and is not woken. */
static void
who_has_not_answered_is_told_once_that_it_expired(void **state)
{
	const struct world_message *said;
	struct world w;

	(void)state;
	world_open(&w, "PRODUCTION_APPROVALS=3", "ADMIN_TELEGRAM_IDS=11,22,44,55",
	    "APPROVAL_TIMEOUT=2h", NULL);
	(void)world_text_in(&w, WORLD_ADMIN, WORLD_ADMIN, "/start"); /* who asks */
	(void)world_text_in(&w, WORLD_OTHER_ADMIN, WORLD_OTHER_ADMIN, "/start");
	(void)world_text_in(&w, CAROL, CAROL, "/start");
	asks(&w, COMMIT_A);
	press_in(&w, CAROL, CAROL, "Approve aaaaaaa");
	world_due(&w, TIMER_APPROVAL);
	world_due(&w, TIMER_APPROVAL);
	said = world_says_in(&w, WORLD_OTHER_ADMIN, "⌛ Not approved: production");
	assert_true(said->is_silent && said->reply_to != 0);
	assert_string_equal(world_plain(said), "⌛ Not approved: production \"Make it blue\"");
	assert_int_equal(said->sends, 1);
	world_close(&w);
}

/* Each has the buttons that are theirs; the others' messages are edited once it is settled. */
static void
ones_own_message_follows_ones_own_yes(void **state)
{
	struct world_message *own, *others;
	struct world w;
	int64_t sends;

	(void)state;
	world_open(&w, "PRODUCTION_APPROVALS=2", "ADMIN_TELEGRAM_IDS=11,22,44,55", NULL);
	(void)world_text_in(&w, WORLD_OTHER_ADMIN, WORLD_OTHER_ADMIN, "/start");
	(void)world_text_in(&w, CAROL, CAROL, "/start");
	(void)world_text_in(&w, DAN, DAN, "/start");
	asks(&w, COMMIT_B);
	press_in(&w, CAROL, WORLD_TEAM, "Approve bbbbbbb");
	press_in(&w, DAN, WORLD_TEAM, "Approve bbbbbbb"); /* what runs meanwhile */
	asks(&w, COMMIT_A);
	own = world_says_in(&w, WORLD_OTHER_ADMIN, "Awaiting approval");
	others = world_says_in(&w, DAN, "Awaiting approval");
	sends = others->sends;
	assert_string_equal(world_button(own, "Take back"), "");
	press_in(&w, WORLD_OTHER_ADMIN, WORLD_OTHER_ADMIN, "Approve aaaaaaa");
	assert_non_null(strstr(world_plain(own), "approved 1 of 2: @bob"));
	assert_string_equal(world_button(own, "Approve"), "");
	assert_string_equal(world_button(others, "Take back"), "");
	assert_int_equal(others->sends, sends);
	press_in(&w, WORLD_OTHER_ADMIN, WORLD_OTHER_ADMIN, "Take back");
	assert_non_null(strstr(world_plain(own), "approved 0 of 2"));
	press_in(&w, WORLD_OTHER_ADMIN, WORLD_OTHER_ADMIN, "Approve aaaaaaa");
	(void)world_text_in(&w, WORLD_OTHER_ADMIN, WORLD_OTHER_ADMIN, "/pending");
	assert_string_not_equal(world_button(world_last(&w), "Take back my approval of #2"), "");

	press_in(&w, CAROL, CAROL, "Approve aaaaaaa");
	assert_int_equal(world_newest(&w, "production").state, DEPLOY_QUEUED);
	assert_non_null(strstr(world_plain(others), "👍 Approved: production"));
	assert_int_equal(others->buttons.n, 0);
	assert_string_not_equal(world_button(own, "Take back"), "");
	world_close(&w);
}

static void
what_awaits_stands_in_the_queue_and_the_status(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, "PRODUCTION_APPROVALS=2", "ADMIN_TELEGRAM_IDS=11,22,44", "CLIENTS=acme",
	    "CLIENT_ACME_HOST=h", "CLIENT_ACME_ACTIONS=disk-free", "CLIENT_ACME_APPROVALS=1",
	    "CLIENT_ACME_ENVIRONMENT=staging", NULL);
	asks(&w, COMMIT_A);
	press_in(&w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve");
	(void)world_text(&w, WORLD_ADMIN, "/queue");
	assert_string_equal(world_plain(world_last(&w)),
	    "production\n❓ #1 awaits approval, 1 of 2: @ada wants to deploy aaaaaaa");
	(void)world_text(&w, WORLD_ADMIN, "/status production");
	assert_non_null(strstr(world_plain(world_last(&w)),
	    "\n❓ #1 awaits approval, 1 of 2: @ada wants to deploy aaaaaaa\n"));

	(void)world_text(&w, WORLD_ADMIN, "/do disk-free acme");
	assert_int_equal(world_newest(&w, "staging").state, DEPLOY_AWAITING_APPROVAL);
	(void)world_text(&w, WORLD_ADMIN, "/queue staging");
	assert_non_null(strstr(world_plain(world_last(&w)), "awaits approval, 0 of 1"));
	(void)world_text(&w, WORLD_STAGING_USER, "/queue"); /* who sees no client */
	assert_null(strstr(world_plain(world_last(&w)), "#2"));
	assert_null(strstr(world_plain(world_last(&w)), "staging"));
	(void)world_text(&w, WORLD_STAGING_USER, "/status staging");
	assert_null(strstr(world_plain(world_last(&w)), "#2"));
	world_close(&w);
}

static void
what_awaits_is_listed_for_who_may(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, "PRODUCTION_APPROVALS=1", NULL);
	asks(&w, COMMIT_A);
	(void)world_text(&w, WORLD_ADMIN, "/pending");
	assert_string_equal(world_plain(world_last(&w)),
	    "Awaiting approval\n\n❓ #1 production: @ada wants to deploy aaaaaaa, just now\n"
	    "    approved 0 of 1; you asked for it");
	(void)world_text(&w, WORLD_ADMIN, "/approve 1");
	assert_non_null(
	    world_says_in(&w, WORLD_GROUP, "⛔ Denied: production approve: you asked for it"));
	(void)world_text(&w, WORLD_OTHER_ADMIN, "/pending production");
	assert_string_not_equal(world_button(world_last(&w), "Reject #1"), "");
	(void)world_press(
	    &w, WORLD_OTHER_ADMIN, WORLD_GROUP, world_button(world_last(&w), "Approve #1"));
	assert_non_null(world_peek(&w, EFFECT_RUN));
	world_close(&w);
}

static void
who_does_not_see_it_learns_nothing_of_it(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, "PRODUCTION_APPROVALS=1", "ROLE_DEV_IDS=44",
	    "ROLE_DEV_MAY=deploy:staging,approve:staging,status", NULL);
	asks(&w, COMMIT_A);
	(void)world_text(&w, CAROL, "/approve 1");
	assert_string_equal(world_plain(world_last(&w)),
	    "#1: no work of that number awaits an approval. /pending lists what does.");
	(void)world_text(&w, CAROL, "/approve 7");
	assert_string_equal(world_plain(world_last(&w)),
	    "#7: no work of that number awaits an approval. /pending lists what does.");
	(void)world_text(&w, CAROL, "/pending");
	assert_string_equal(world_plain(world_last(&w)), "Nothing awaits an approval.");
	world_close(&w);
}

static void
act_tell_unread(struct tx *tx, void *arg)
{
	struct deployment work = row_deployment_get(tx, *(int64_t *)arg);

	tx->failed = true; /* as no memory for the next row does it */
	decide_tell(tx, &work, NULL);
	tx->failed = false;
}

/* The decision is undone; until then it goes on with rows that could not be read. */
static void
what_awaits_is_told_of_rows_that_cannot_be_read(void **state)
{
	struct world w;
	int64_t id;

	(void)state;
	world_open(&w, "PRODUCTION_APPROVALS=1", NULL);
	asks(&w, COMMIT_A);
	id = world_newest(&w, "production").id;
	world_act(&w, act_tell_unread, &id);
	assert_int_equal(world_newest(&w, "production").state, DEPLOY_AWAITING_APPROVAL);
	world_close(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_second_person_approves_and_it_goes_live),
		cmocka_unit_test(two_of_two_are_two_people_and_a_double_press_is_one),
		cmocka_unit_test(the_settings_name_the_roles_that_may),
		cmocka_unit_test(who_may_approve_elsewhere_is_none_of_those_who_may_here),
		cmocka_unit_test(who_confirmed_or_asked_for_the_same_is_none_of_the_others),
		cmocka_unit_test(who_asks_for_what_awaits_approval_may_still_approve_it),
		cmocka_unit_test(who_asks_elsewhere_is_led_to_where_it_awaits_approval),
		cmocka_unit_test(who_asked_may_where_the_settings_say_so),
		cmocka_unit_test(who_loses_the_grant_counts_no_more_when_the_last_comes),
		cmocka_unit_test(who_loses_the_grant_in_the_queue_sends_it_back_to_waiting),
		cmocka_unit_test(another_live_release_is_approved_anew),
		cmocka_unit_test(what_is_asked_anew_lists_its_commits_over_what_is_live),
		cmocka_unit_test(newer_commits_are_counted_over_what_is_live),
		cmocka_unit_test(what_is_not_known_is_shown_before_it_is_approved),
		cmocka_unit_test(who_confirms_again_has_the_time_that_approvals_had),
		cmocka_unit_test(a_press_on_what_has_changed_is_no_yes),
		cmocka_unit_test(a_button_of_before_it_was_asked_anew_is_no_yes),
		cmocka_unit_test(what_was_typed_before_it_was_asked_anew_is_no_yes),
		cmocka_unit_test(what_was_confirmed_over_another_release_is_confirmed_again_too),
		cmocka_unit_test(settings_that_change_while_it_is_approved_are_found_at_the_start),
		cmocka_unit_test(settings_that_need_fewer_or_more_are_in_force_at_once),
		cmocka_unit_test(who_come_back_to_the_queue_together_start_by_their_places),
		cmocka_unit_test(an_environment_that_leaves_the_settings_is_approved_by_nobody),
		cmocka_unit_test(who_thinks_again_keeps_it),
		cmocka_unit_test(a_no_with_a_reason_ends_it_and_rings),
		cmocka_unit_test(a_reason_is_pressed_or_typed),
		cmocka_unit_test(who_is_asked_reads_what_was_rejected_of_it),
		cmocka_unit_test(who_asked_reads_who_has_seen_it),
		cmocka_unit_test(half_of_its_time_reminds_once_and_all_of_it_ends_it),
		cmocka_unit_test(a_yes_is_taken_back_until_it_starts),
		cmocka_unit_test(a_yes_given_and_taken_back_in_turn_rings_little_and_ends),
		cmocka_unit_test(many_who_ask_ring_one_chat_a_few_times),
		cmocka_unit_test(a_reset_of_the_factor_takes_back_what_has_not_started),
		cmocka_unit_test(who_asked_cancels_it),
		cmocka_unit_test(rollbacks_have_a_number_of_their_own),
		cmocka_unit_test(no_rate_limit_keeps_a_rollback_from_its_yes),
		cmocka_unit_test(an_automatic_rollback_waits_for_nobody),
		cmocka_unit_test(a_push_asks_directly_and_is_replaced_until_somebody_approved),
		cmocka_unit_test(the_newest_is_asked_for_instead),
		cmocka_unit_test(who_pushed_has_asked_for_it_and_who_is_unknown_takes_one_more),
		cmocka_unit_test(who_asked_on_the_machine_as_a_role_is_unknown),
		cmocka_unit_test(the_largest_number_of_what_applies_is_needed),
		cmocka_unit_test(hours_count_at_the_moment_of_the_start),
		cmocka_unit_test(a_push_that_is_older_than_what_is_live_by_then_is_not_shipped),
		cmocka_unit_test(who_confirmed_a_push_has_asked_for_it),
		cmocka_unit_test(another_chat_is_asked_and_the_teams_only_sees),
		cmocka_unit_test(who_may_and_has_written_in_private_is_asked_there),
		cmocka_unit_test(who_was_asked_in_private_is_reminded_there),
		cmocka_unit_test(who_has_not_answered_is_told_once_that_it_expired),
		cmocka_unit_test(ones_own_message_follows_ones_own_yes),
		cmocka_unit_test(what_awaits_stands_in_the_queue_and_the_status),
		cmocka_unit_test(what_awaits_is_listed_for_who_may),
		cmocka_unit_test(who_does_not_see_it_learns_nothing_of_it),
		cmocka_unit_test(what_awaits_is_told_of_rows_that_cannot_be_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
