/* Goal: a request is approved by others, with a line that nobody types or a press, each once.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "decide_aid.h"
#include "decide/approval/decide_ready.h"
#include "lib/text.h"
#include "store/row_shown.h"

#define CONTRACTOR 44
#define APPROVER   55

#define CLIENTS \
	"CLIENTS=acme,beta", "CLIENT_ACME_HOST=web@acme.example", \
	    "CLIENT_ACME_ACTIONS=restart-web,service-status", "CLIENT_ACME_WEB_UNIT=web.service", \
	    "CLIENT_BETA_HOST=local", "CLIENT_BETA_ACTIONS=restart-web", \
	    "CLIENT_BETA_WEB_UNIT=web.service", "ROLE_CONTRACTOR_IDS=44", \
	    "ROLE_CONTRACTOR_MAY=do.restart-web:client/acme", "ROLE_LEAD_IDS=55", \
	    "ROLE_LEAD_MAY=approve:client/acme"

static struct deployment
newest(struct world *w)
{
	return world_newest(w, "client/acme");
}

/* The message with the line, and the line. */
static const char *
line_of(struct world *w)
{
	const struct world_message *said = world_says(w, "To be approved");

	assert_non_null(said);
	assert_string_equal(said->buttons.at[0].label, "📋 Copy the line");
	assert_non_null(strstr(said->text, said->buttons.at[0].copy));
	return said->buttons.at[0].copy;
}

/* Whoever asks gets one message; the line is shown to who wants to hand it on. */
static void
show_line(struct world *w)
{
	const struct world_message *asks = world_says_in(w, WORLD_GROUP, "Awaiting approval");
	char button[LIMIT_BUTTON_ID];

	assert_null(world_says_in(w, WORLD_GROUP, "To be approved"));
	(void)text_copy(button, sizeof(button), world_button(asks, "Show APPROVE line"));
	assert_string_not_equal(button, "");
	assert_string_not_equal(world_button(asks, "Cancel"), "");
	(void)world_press(w, CONTRACTOR, WORLD_GROUP, button);
}

static void
request(struct world *w)
{
	world_open(w, CLIENTS, NULL);
	(void)world_text(w, CONTRACTOR, "/request restart-web acme");
	assert_int_equal(newest(w).state, DEPLOY_AWAITING_APPROVAL);
	assert_null(world_peek(w, EFFECT_RUN));
	show_line(w);
}

WORLD_TEST_BARE(somebody_else_says_the_line)
{
	request(w);
	assert_int_equal(strncmp(line_of(w), "APPROVE: restart-web acme nonce=", 32), 0);
	assert_non_null(
	    world_says(w, "client/acme restart-web\nrestart web.service on web@acme.example\n#"));
	assert_non_null(
	    world_says(w, "cannot be stopped\nrestart web.service on web@acme.example\n"));
	world_answers_last(
	    w, APPROVER, "/pending", "\n    restart web.service on web@acme.example");
	(void)world_text(w, APPROVER, line_of(w));
	assert_int_equal(newest(w).state, DEPLOY_RUNNING);
	assert_int_equal(newest(w).requested_by, CONTRACTOR);
	assert_string_equal(newest(w).approvers, "@eve");
	assert_int_equal(world_count(w, EFFECT_RUN), 1);
}

WORLD_TEST_BARE(the_same_asked_again_while_it_awaits_approval_is_one)
{
	request(w);
	(void)world_text(w, CONTRACTOR, "/request restart-web acme");
	assert_string_equal(world_plain(world_last(w)),
	    "⛔ Closed: client/acme restart-web, #1 awaits approval\nIt was asked for before. See where it stands: /pending");
	assert_int_not_equal(world_last(w)->reply_to, 0); /* to where it stands */
	assert_int_equal(newest(w).id, 1);
	(void)world_text(w, WORLD_ADMIN, "/request restart-web acme"); /* somebody else does */
	assert_int_equal(newest(w).requested_by, WORLD_ADMIN);
	(void)world_text(w, WORLD_ADMIN, "/reject 1");
	(void)world_text(w, CONTRACTOR, "/request restart-web acme");
	assert_int_equal(newest(w).requested_by, CONTRACTOR);
	assert_int_equal(newest(w).state, DEPLOY_AWAITING_APPROVAL);
}

static const char *
request_again(struct world *w)
{
	(void)world_text(w, CONTRACTOR, "/request restart-web acme");
	return world_plain(world_last(w));
}

WORLD_TEST_BARE(requests_and_cancels_again_and_again_are_bounded)
{
	world_open(w, CLIENTS, NULL);
	for (int64_t i = 1; i <= 4; i++) {
		(void)request_again(w);
		assert_int_equal(newest(w).id, i);
		assert_int_equal(newest(w).state, DEPLOY_AWAITING_APPROVAL);
		(void)world_text(w, CONTRACTOR, "/cancel client/acme");
		assert_int_equal(newest(w).state, DEPLOY_CANCELLED);
	}
	assert_string_equal(request_again(w),
	    "⛔ Not done: client/acme restart-web\ntoo many requests in a row: try again in a minute");
	assert_null(world_says(w, "Awaiting approval")); /* nobody else reads of it */
	assert_int_equal(newest(w).id, 4);
	(void)world_text(
	    w, WORLD_ADMIN, "/request restart-web acme"); /* each person for themselves */
	assert_int_equal(newest(w).id, 5);
	(void)world_text(w, WORLD_ADMIN, "/cancel client/acme");
	w->aid.at += 60000;
	(void)request_again(w);
	assert_int_equal(newest(w).id, 6);
	assert_int_equal(newest(w).requested_by, CONTRACTOR);
}

WORLD_TEST_BARE(somebody_else_presses)
{
	const char *button;

	request(w);
	button = world_button(world_says(w, "To be approved"), "Approve");
	(void)world_press(w, CONTRACTOR, WORLD_GROUP, button);
	assert_int_equal(newest(w).state, DEPLOY_AWAITING_APPROVAL);
	(void)world_press(w, APPROVER, WORLD_GROUP, button);
	assert_int_equal(newest(w).state, DEPLOY_RUNNING);
}

static void
expires(struct world *w, int64_t chat, const char *button)
{
	(void)world_press(w, APPROVER, chat, button);
	assert_string_equal(w->toast, "This button has expired or was used.");
	assert_int_equal(newest(w).state, DEPLOY_AWAITING_APPROVAL);
}

/* What they press or say is what they were shown. */
WORLD_TEST_OF(what_was_shown_before_it_changed_approves_nothing, CLIENTS)
{
	struct event *event;
	char old[4][LIMIT_BUTTON_ID], line[LIMIT_COPY];

	(void)world_text_in(w, APPROVER, APPROVER, "/pending");
	(void)world_text(w, CONTRACTOR, "/request restart-web acme");
	show_line(w);
	(void)text_copy(
	    old[0], sizeof(old[0]), world_button(world_says(w, "To be approved"), "Approve"));
	(void)text_copy(old[1], sizeof(old[1]),
	    world_button(world_says_in(w, WORLD_TEAM, "Awaiting"), "Approve"));
	(void)text_copy(old[2], sizeof(old[2]),
	    world_button(world_says_in(w, APPROVER, "Awaiting approval: "), "Approve"));
	(void)text_copy(line, sizeof(line), line_of(w));
	(void)world_text_in(w, APPROVER, APPROVER, "/pending");
	(void)text_copy(old[3], sizeof(old[3]), world_button(world_last(w), "Approve #1"));

	world_settings(w, "CLIENT_ACME_WEB_UNIT=other.service", CLIENTS, NULL);
	w->aid.at += 2000;
	event = store_aid_event(&w->aid, EVENT_SETTINGS);
	event->u.settings_read.accepted = true;
	(void)world_decide(w, event);
	assert_non_null(world_says_in(w, WORLD_TEAM, "the settings of client/acme changed"));
	expires(w, WORLD_GROUP, old[0]);
	expires(w, WORLD_TEAM, old[1]);
	expires(w, APPROVER, old[2]);
	expires(w, APPROVER, old[3]);
	world_answers_last(w, APPROVER, line, "changed and asked again since");
	assert_int_equal(newest(w).state, DEPLOY_AWAITING_APPROVAL);

	(void)world_press(w, APPROVER, WORLD_TEAM,
	    world_button(world_says_in(w, WORLD_TEAM, "Approve again"), "Approve"));
	assert_string_equal(newest(w).approvers, "@eve"); /* who asked for it confirms it, too */
}

WORLD_TEST_BARE(who_asked_does_not_approve)
{
	request(w);
	(void)world_text(w, CONTRACTOR, line_of(w));
	assert_int_equal(newest(w).state, DEPLOY_AWAITING_APPROVAL);
	assert_null(world_peek(w, EFFECT_RUN));
	(void)world_text(w, WORLD_ADMIN, line_of(w)); /* theirs is not used up by that */
	assert_int_equal(newest(w).state, DEPLOY_RUNNING);
}

WORLD_TEST_OF(it_is_said_once_by_each_and_not_behind_its_end, CLIENTS, "CLIENT_ACME_APPROVALS=2")
{
	char line[128];

	(void)world_text(w, CONTRACTOR, "/request restart-web acme");
	show_line(w);
	(void)text_copy(line, sizeof(line), line_of(w));
	(void)world_text(w, APPROVER, line);
	assert_int_equal(newest(w).state, DEPLOY_AWAITING_APPROVAL);
	(void)world_text(w, APPROVER, line);
	assert_non_null(strstr(world_last(w)->text, "its nonce was used already"));
	assert_int_equal(newest(w).state, DEPLOY_AWAITING_APPROVAL);
	(void)world_text(w, WORLD_ADMIN, line);
	assert_int_equal(newest(w).state, DEPLOY_RUNNING);
	(void)world_text(w, WORLD_OTHER_ADMIN, line);
	assert_non_null(strstr(world_last(w)->text, "awaits no approval any more"));
}

WORLD_TEST_BARE(it_is_of_that_action_and_client_alone)
{
	char line[128];

	request(w);
	(void)snprintf(line, sizeof(line), "APPROVE: restart-web beta%s", line_of(w) + 25);
	(void)world_text(w, WORLD_ADMIN, line);
	assert_non_null(strstr(world_last(w)->text, "for something else"));
	assert_int_equal(world_newest(w, "client/beta").id, 0);
	assert_int_equal(newest(w).state, DEPLOY_AWAITING_APPROVAL);
}

WORLD_TEST_BARE(a_new_line_has_the_same_nonce_and_a_ts_of_now)
{
	char before[128];

	request(w);
	(void)text_copy(before, sizeof(before), line_of(w));
	w->aid.at += 10 * 60 * INT64_C(1000);
	(void)world_text(w, APPROVER, before);
	assert_non_null(strstr(world_last(w)->text, "more than 5 minutes ago"));
	(void)world_press(
	    w, APPROVER, WORLD_GROUP, world_button(world_says(w, "To be approved"), "New line"));
	assert_string_not_equal(line_of(w), before);
	assert_int_equal(
	    strncmp(line_of(w), before, strlen("APPROVE: restart-web acme nonce=") + 16), 0);
	(void)world_text(w, APPROVER, line_of(w));
	assert_int_equal(newest(w).state, DEPLOY_RUNNING);
	(void)world_press(
	    w, APPROVER, WORLD_GROUP, world_button(world_says(w, "To be approved"), "New line"));
	assert_non_null(strstr(w->toast, "nothing is left to approve"));
}

/* However often it is made anew: none of its messages is left open behind it. */
WORLD_TEST_BARE(a_new_line_closes_the_one_before)
{
	const struct world_message *first, *last;
	size_t open = 0;

	request(w);
	first = world_says(w, "To be approved");
	for (int i = 0; i < 70; i++) {
		w->aid.at += 60 * INT64_C(1000);
		(void)world_press(w, APPROVER, WORLD_GROUP,
		    world_button(world_says(w, "Press Approve"), "New line"));
	}
	assert_string_equal(world_plain(first),
	    "❓ To be approved: client/acme restart-web\n"
	    "#1: a newer line was made; /pending shows it, too.");
	assert_int_equal(first->buttons.n, 0);
	last = world_says(w, "Press Approve");
	assert_string_not_equal(world_button(last, "Approve"), "");
	for (size_t i = 0; i < w->n_screen; i++)
		open += strstr(w->screen[i].text, "To be approved") != NULL &&
		    w->screen[i].buttons.n > 0;
	assert_int_equal(open, 1);
	(void)world_press(w, APPROVER, WORLD_GROUP, world_button(last, "Approve"));
	(void)world_run_starts(w);
	world_run_ends(w, GOOD);
	assert_int_equal(newest(w).state, DEPLOY_DONE);
	assert_string_equal(world_button(last, "Approve"), "");
}

static void
act_line(struct tx *tx, void *arg)
{
	struct deployment work;

	row_deployment_get(tx, 1, &work);
	decide_ready_send(tx, &(struct chat_address){ .chat = *(int *)arg }, &work);
}

/* In however many chats: the oldest goes where there are too many. */
WORLD_TEST_BARE(lines_in_more_chats_than_are_kept_close_the_oldest)
{
	const struct world_message *first;
	size_t open = 0;

	request(w);
	first = world_says(w, "To be approved");
	for (int chat = 1; chat <= ROW_SHOWN_MAX + 6; chat++)
		world_act(w, act_line, &chat);
	assert_int_equal(first->buttons.n, 0);
	(void)world_text(w, APPROVER, "/reject 1 no");
	for (size_t i = 0; i < w->n_screen; i++)
		open += strstr(w->screen[i].text, "Press Approve") != NULL;
	assert_int_equal(open, 0);
}

WORLD_TEST_BARE(what_is_pending_has_its_line_of_now)
{
	const struct world_message *said;
	char before[128];

	request(w);
	(void)text_copy(before, sizeof(before), line_of(w));
	w->aid.at += 10 * 60 * INT64_C(1000);
	(void)world_text(w, WORLD_ADMIN, "/pending");
	said = world_last(w);
	assert_non_null(strstr(said->text, "Awaiting approval"));
	assert_int_equal(said->buttons.n, 3);
	assert_string_not_equal(said->buttons.at[2].copy, before);
	(void)world_text(w, WORLD_ADMIN, said->buttons.at[2].copy);
	assert_int_equal(newest(w).state, DEPLOY_RUNNING);
}

WORLD_TEST_BARE(a_line_is_shown_until_its_request_is_over)
{
	request(w);
	(void)world_text(w, APPROVER, "/reject 1 the demo is at 4");
	assert_null(world_says(w, "To be approved"));
	assert_non_null(
	    world_says(w, "⛔ Rejected: client/acme restart-web\nrejected by @eve: the demo"));
}

WORLD_TEST_OF(who_asks_and_cancels_in_turn_rings_approvers_a_few_times, CLIENTS)
{
	size_t before;

	(void)world_text_in(w, APPROVER, APPROVER, "/start");
	before = world_rings_in(w, APPROVER);
	for (int i = 0; i < 10; i++) {
		w->aid.at += 60000; /* else the fifth is refused */
		(void)world_text_in(w, CONTRACTOR, CONTRACTOR, "/request restart-web acme");
		assert_non_null(world_says_in(w, APPROVER, "Awaiting approval"));
		(void)world_press(w, CONTRACTOR, CONTRACTOR,
		    world_button(world_says_in(w, CONTRACTOR, "Awaiting approval"), "Cancel"));
		assert_int_equal(newest(w).state, DEPLOY_CANCELLED);
	}
	assert_int_equal(world_rings_in(w, APPROVER) - before, 4);
	assert_int_equal(world_rings_in(w, WORLD_TEAM), 4);
	w->aid.at += 3600 * INT64_C(1000); /* and later again */
	(void)world_text_in(w, CONTRACTOR, CONTRACTOR, "/request restart-web acme");
	assert_int_equal(world_rings_in(w, APPROVER) - before, 5);
	/* What one has done silences nobody else. */
	(void)world_text_in(w, WORLD_ADMIN, WORLD_ADMIN, "/request restart-web acme");
	assert_int_equal(world_rings_in(w, APPROVER) - before, 6);
}

WORLD_TEST_OF(what_may_not_be_asked_for_is_not, CLIENTS)
{
	static const struct {
		const char *text, *words;
	} cases[] = {
		{ "/request", "Usage" },
		{ "/request restart-web", "Usage" },
		{ "/request bounce acme", "Usage" },
		{ "/request run-job acme", "Usage" },
		{ "/request restart-web acme 5 6", "Usage" },
		{ "/request restart-web acme 5", "it takes no argument" },
		{ "/request restart-web beta", "There is no client beta" },
		{ "/request restart-web gamma", "There is no client gamma" },
		{ "/request service-status acme", "only an admin may" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		(void)world_text(w, CONTRACTOR, cases[i].text);
		if (strstr(world_plain(world_last(w)), cases[i].words) == NULL)
			fail_msg("%s: %s", cases[i].text, world_plain(world_last(w)));
	}
	assert_int_equal(newest(w).id, 0);
}

/* In private the line is for others: no button there only denies. */
WORLD_TEST_OF(who_asked_in_private_has_no_button_that_approves, CLIENTS)
{
	const struct world_message *asks;

	(void)world_text_in(w, WORLD_ADMIN, WORLD_ADMIN, "/request restart-web acme");
	asks = world_says_in(w, WORLD_ADMIN, "Awaiting approval");
	assert_non_null(asks);
	(void)world_press(w, WORLD_ADMIN, WORLD_ADMIN, world_button(asks, "Show APPROVE line"));
	asks = world_says_in(w, WORLD_ADMIN, "To be approved");
	assert_non_null(asks);
	assert_non_null(strstr(world_plain(asks), "Who may approve it presses Approve"));
	assert_string_equal(world_button(asks, "Approve"), "");
}

/* What others approve is no job, and whoever may run one is not told that they may nothing. */
WORLD_TEST_OF(who_may_what_is_not_requested_is_not_denied, "JOB_MIGRATE=bin/migrate")
{
	world_answers(w, WORLD_ADMIN, "/request",
	    "[argument]. None that you may run is asked for so: /do shows what you may.");
}
