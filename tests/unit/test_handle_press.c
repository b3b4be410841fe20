/* Goal: a button does once what its message says, for whom it is meant, and every no is shown.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "decide_aid.h"

#include "commands/commands.h"
#include "decide/hold/decide_hold.h"
#include "handlers/handlers.h"
#include "lib/text.h"
#include "store/row_button.h"

WORLD_TEST(a_press_in_a_bots_name_is_refused_and_audited)
{
	struct event *event;

	event = world_update(w, UPDATE_PRESS, WORLD_ADMIN, WORLD_GROUP);
	event->u.update->refusal = UPDATE_REFUSED_BOT;
	(void)world_decide(w, event);
	assert_int_equal(world_audited(w, "\"denied\"", "press"), 1);
	assert_int_equal(w->n_toasts, 0);
}

/* NUL in its data, or whatever else: who pressed is not left with a client that waits. */
WORLD_TEST(a_press_that_cannot_be_read_is_answered)
{
	struct event *event;

	event = world_update(w, UPDATE_PRESS, 0, 0);
	event->u.update->refusal = UPDATE_REFUSED_UNREADABLE;
	(void)world_decide(w, event);
	assert_int_equal(w->n_toasts, 1);
	assert_string_equal(w->toast, "This button has expired or was used.");
	assert_int_equal(world_audited(w, "\"denied\"", "press"), 1);
}

static void
confirm(struct world *w)
{
	(void)world_press(
	    w, WORLD_ADMIN, WORLD_GROUP, world_button(world_says(w, "Deploy to "), "Deploy to"));
}

static void
end_behind_its_buttons(struct tx *tx, void *arg)
{
	struct deployment *deployment = arg;

	row_deployment_set_state(tx, deployment, DEPLOY_FAILED, DEPLOY_WHY_INTERRUPTED);
}

/* A decision closes the buttons of what it ends: one that stood open all the same ends nothing. */
WORLD_TEST(a_button_that_stayed_open_at_an_end_is_used_up)
{
	struct deployment deployment;
	struct world_message *message;

	world_deploy_starts(w, COMMIT_A);
	deployment = world_newest(w, "staging");
	message = world_last(w);
	assert_string_not_equal(world_button(message, "Stop"), "");
	store_aid_act(&w->aid, end_behind_its_buttons, &deployment);
	(void)world_press(w, WORLD_ADMIN, message->chat, world_button(message, "Stop"));
	assert_string_equal(w->toast, "This button has expired or was used.");
	assert_int_equal(world_audited(w, "cancel_requested", NULL), 0);
	assert_int_equal(world_count(w, EFFECT_STOP_RUN), 0);
}

static void
pressed(struct world *w, int64_t person, const char *button, const char *toast, bool is_alert)
{
	(void)world_press(w, person, world_last(w)->chat, button);
	assert_string_equal(w->toast, toast);
	assert_int_equal(w->is_alert, is_alert);
}

/* Whoever is refused must see it; what worked shows by itself. */
struct shown {
	const char *word;
	const char *about; /* a kind, of which `number` is one; NULL: the environment */
	int64_t number;
	int64_t work;
	struct buttons buttons;
};

/* A button that stands for that word, with all that one may be about. */
static void
show_one(struct tx *tx, void *arg)
{
	static const char *const about[] = { "work", "run", "hold", "zone", "page" };
	struct shown *shown = arg;
	struct request request = shown->about == NULL ?
	    request_of(shown->word, "staging") :
	    request_about(shown->word, shown->about, shown->number);

	for (size_t i = 0; i < COUNT(about); i++)
		request_add_number(&request, about[i], shown->work);
	request_add(&request, "answer", "yes");
	row_button_show_for(tx, &request, WORLD_GROUP, 0, "press", &shown->buttons);
}

static const char *const words[] = {
#define COMMAND(word, ...) #word,
#define PRESSED(word, ...) #word,
#include "commands/commands.def"
};

static void
close_shown(struct tx *tx, void *arg)
{
	const struct shown *shown = arg;

	row_button_close(tx, shown->word, "staging");
}

/* Each row of commands.def: by who may and who may not, again, and when it is closed.  That each is
 * answered once is asserted by world_press(). */
TEST(each_press_of_each_button_is_answered)
{
	static const int64_t people[] = { WORLD_STRANGER, WORLD_STAGING_USER, WORLD_ADMIN,
		WORLD_ADMIN, WORLD_OTHER_ADMIN };

	for (size_t i = 0; i < COUNT(words); i++) {
		struct shown shown = { .word = words[i] };
		struct world w;

		world_open(&w, NULL);
		world_starts_over(&w, COMMIT_A, COMMIT_B);
		shown.work = world_newest(&w, "staging").id;
		world_act(&w, show_one, &shown);
		for (size_t k = 0; k < COUNT(people); k++) {
			size_t before = w.n_toasts;

			(void)world_press(&w, people[k], WORLD_GROUP, shown.buttons.at[0].id);
			assert_int_equal(w.n_toasts, before + 1); /* the stranger's first, too */
		}
		world_act(&w, close_shown, &shown);
		(void)world_press(&w, WORLD_ADMIN, WORLD_GROUP, shown.buttons.at[0].id);
		world_close(&w);
	}
}

/* Whatever stands below what was sent from `first` on, by two people; then what came of it. */
static size_t
press_all(struct world *w, size_t first, int depth)
{
	static const int64_t people[] = { WORLD_OTHER_ADMIN, WORLD_ADMIN, WORLD_ADMIN };
	size_t end = w->n_screen, n = 0;

	for (size_t i = first; i < end; i++) {
		const struct world_message shown = w->screen[i];

		for (size_t b = 0; b < shown.buttons.n; b++)
			for (size_t k = 0; k < COUNT(people); k++, n++) {
				if (shown.buttons.at[b].id[0] == '\0')
					continue;  /* it copies */
				w->aid.at += 3000; /* hands press no faster */
				(void)world_press(w, people[k], shown.chat, shown.buttons.at[b].id);
			}
	}
	return n + (depth > 0 && w->n_screen > end ? press_all(w, end, depth - 1) : 0);
}

/* Each command, with and without what it takes: a button that a new one shows is in it. */
TEST(each_button_that_a_command_makes_is_answered)
{
	static const struct {
		const char *behind;
		int64_t chat;
	} forms[] = { { "", WORLD_ADMIN }, { " staging", WORLD_GROUP },
		{ " stagign", WORLD_GROUP } };
	char text[48];
	size_t n = 0;
	struct world w;

	for (size_t i = 0; i < commands_count() * COUNT(forms); i++) {
		size_t before;

		world_open(&w, "CLIENTS=acme", "CLIENT_ACME_HOST=local",
		    "CLIENT_ACME_ENVIRONMENT=staging", "CLIENT_ACME_ACTIONS=restart-web",
		    "CLIENT_ACME_WEB_UNIT=web.service", NULL);
		world_two_go_live(&w, COMMIT_A, COMMIT_B);
		before = w.n_screen;
		(void)snprintf(text, sizeof(text), "/%s%s", commands_get(i / COUNT(forms))->word,
		    forms[i % COUNT(forms)].behind);
		(void)world_text_in(&w, WORLD_ADMIN, forms[i % COUNT(forms)].chat, text);
		n += press_all(&w, before, 2);
		world_close(&w);
	}
	assert_true(n > 3 * commands_count()); /* it does walk */
}

static void
read_hold(struct tx *tx, void *arg)
{
	struct holds holds;

	decide_holds(tx, "staging", &holds);
	assert_int_equal(holds.n, 1);
	*(int64_t *)arg = holds.at[0].id;
}

/* Is what it is about one person's alone: a pad or a factor that nobody here has begun, the owner's
 * answer about a lock?  Of all else "expired" would hide that nobody is asked. */
static bool
is_of_one_person(const char *word)
{
	return strcmp(word, "digit") == 0 || strcmp(word, "enrol") == 0 ||
	    strcmp(word, "keep") == 0;
}

/* Returns whether it was denied: else it is about nothing that is there. */
static bool
is_denied(struct world *w, struct shown *shown)
{
	const struct deployment work = world_newest(w, "staging");
	const struct environment environment = world_environment(w, "staging");
	struct environment environment_after;
	struct deployment work_after;
	size_t before[EFFECT_KIND_COUNT], n_screen;
	int64_t refusals;
	enum effect_kind kind;

	world_act(w, show_one, shown);
	for (kind = 0; kind < EFFECT_KIND_COUNT; kind++)
		before[kind] = world_count(w, kind);
	w->aid.at += 61 * 1000; /* strangers are limited */
	n_screen = w->n_screen;
	refusals = world_refusals(w);
	(void)world_press(w, WORLD_STRANGER, WORLD_GROUP, shown->buttons.at[0].id);
	if (w->n_screen != n_screen ||
	    (strstr(w->toast, "⛔ Denied") != w->toast && strstr(w->toast, "expired") == NULL))
		fail_msg(
		    "%s: %zu messages, and \"%s\"", shown->word, w->n_screen - n_screen, w->toast);
	if (strstr(w->toast, "⛔ Denied") == w->toast && world_refusals(w) == refusals)
		fail_msg("%s: denied, and nothing of it is audited", shown->word);
	for (kind = 0; kind < EFFECT_KIND_COUNT; kind++)
		if (kind != EFFECT_TIMER && /* to count strangers */
		    world_count(w, kind) != before[kind])
			fail_msg("%s: an effect of kind %d", shown->word, (int)kind);
	work_after = world_newest(w, "staging");
	environment_after = world_environment(w, "staging");
	if (work_after.id != work.id || work_after.state != work.state ||
	    work_after.confirmed_by != work.confirmed_by ||
	    environment_after.held != environment.held ||
	    environment_after.unknown_since != environment.unknown_since ||
	    environment_after.unseen_work != environment.unseen_work)
		fail_msg("%s changed something", shown->word);
	return strstr(w->toast, "⛔ Denied") == w->toast;
}

/* Each row of commands.def, about each kind of thing: a function that does not ask who pressed
 * would be found here alone. */
WORLD_TEST(each_button_that_a_stranger_presses_changes_nothing)
{
	int64_t hold = 0;

	(void)world_text(w, WORLD_ADMIN, "/lock staging 9h here is somebody");
	world_act(w, read_hold, &hold);
	world_deploy_starts(w, COMMIT_A);
	for (size_t i = 0; i < COUNT(words); i++) {
		const int64_t work = world_newest(w, "staging").id;
		struct shown forms[] = { { .word = words[i], .work = work },
			{ .word = words[i], .work = work, .about = "work", .number = work },
			{ .word = words[i], .work = work, .about = "hold", .number = hold } };
		size_t n_denied = 0;

		for (size_t k = 0; k < COUNT(forms); k++)
			n_denied += is_denied(w, &forms[k]);
		if (n_denied == 0 && !is_of_one_person(words[i]))
			fail_msg("%s: no form of it is denied to a stranger", words[i]);
	}
}

TEST(a_no_to_a_press_stays_until_it_is_read)
{
	char confirm_id[LIMIT_BUTTON_ID], cancel_id[LIMIT_BUTTON_ID];
	const char *button;
	struct world w;

	world_open(&w, "ROLE_X_IDS=44", "ROLE_X_MAY=deploy:production", NULL);
	world_asks(&w, WORLD_ADMIN, "/deploy production", COMMIT_A);
	(void)text_copy(confirm_id, sizeof(confirm_id),
	    world_button(world_says(&w, "Deploy to "), "Deploy to"));
	pressed(&w, 44, confirm_id, "⛔ Only @ada or who may confirm may answer this.", true);
	pressed(&w, WORLD_ADMIN, confirm_id, "Confirmed.", false);
	assert_string_equal(
	    world_peek(&w, EFFECT_GIT_QUERY)->u.git_query.environment, "production");
	assert_string_equal(world_peek(&w, EFFECT_GIT_QUERY)->u.git_query.ref, COMMIT_A);
	assert_string_equal(world_peek(&w, EFFECT_GIT_QUERY)->u.git_query.branch, "main");
	pressed(&w, WORLD_ADMIN, confirm_id, "@ada has confirmed it already.", false);
	pressed(&w, WORLD_OTHER_ADMIN, confirm_id, "@ada has confirmed it already.", false);
	world_close(&w);

	world_open(&w, "STAGING_CONFIRM=true", NULL);
	world_push_is_at(&w, COMMIT_A);
	button = world_button(world_last(&w), "Deploy to");
	pressed(&w, WORLD_STAGING_USER, button, "⛔ Only who may confirm may answer this.", true);
	assert_int_equal(
	    world_audited(&w, "\"denied\"", "the question after a push needs the grant confirm"),
	    1);
	button = world_button(world_last(&w), "Not now");
	pressed(&w, WORLD_ADMIN, button, "Cancelled.", false);
	world_close(&w);

	world_open(&w, NULL);
	world_starts_over(&w, COMMIT_A, COMMIT_B);
	(void)text_copy(cancel_id, sizeof(cancel_id), world_button(world_last(&w), "Stop"));
	assert_string_not_equal(cancel_id, "");
	button = world_button(world_last(&w), "Log");
	pressed(&w, WORLD_ADMIN, button, "Sending the log.", false);
	assert_string_equal(
	    world_peek(&w, EFFECT_DOCUMENT)->u.document.caption, "Log of staging bbbbbbb");
	assert_string_equal(
	    world_peek(&w, EFFECT_DOCUMENT)->u.document.file_name, "staging-bbbbbbb-2.log");
	/* What, who, when: whoever is sent the file alone knows what it is. */
	assert_non_null(strstr(world_peek(&w, EFFECT_DOCUMENT)->u.document.head,
	    "staging #2 bbbbbbb \"Make it blue\", run 2\nauthor Ann Example · requested by @ada\n"
	    "started 2026-01-01T00:00:00Z, still running"));
	world_run_ends(
	    &w, (struct run_ended){ .gate_opened = true, .released = true, .exit_status = 1 });
	(void)world_press(&w, WORLD_ADMIN, WORLD_TEAM, cancel_id);
	assert_string_equal(w.toast, "It is rolling back: that cannot be cancelled.");
	assert_true(w.is_alert);
	world_close(&w);
}

WORLD_TEST(an_environment_that_left_the_settings_is_not_started)
{
	world_asks(w, WORLD_ADMIN, "/deploy production", COMMIT_A);
	world_settings(w, "ENVIRONMENTS=staging", NULL);
	confirm(w);
	assert_null(world_peek(w, EFFECT_RUN));
	assert_null(world_peek(w, EFFECT_GIT_QUERY));
	assert_int_equal(world_newest(w, "production").state, DEPLOY_REFUSED);
}
