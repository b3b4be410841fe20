/* command_appeal.c - [Ask an admin] under a denial: those who may are asked to do it.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include <inttypes.h>

#include "chat/chat_deployment.h"
#include "commands/commands.h"
#include "decide/who/decide_allowed.h"
#include "decide/decide_chat.h"
#include "decide/queue/decide_previous.h"
#include "decide/decide_reply.h"
#include "decide/tell/decide_whom.h"
#include "lib/text.h"
#include "store/row_chat.h"
#include "store/row_environment.h"
#include "store/row_message.h"
#include "store/row_rate_limit.h"

#define EVERY_MS   (3600 * INT64_C(1000))
#define ASKED_MOST 8 /* people, in private */

/* What is asked for, and in whose name. */
struct appeal {
	const struct update *update;
	enum policy_action action;
	const char *environment;
	struct request wanted; /* what the button does, as if whoever presses it had typed it */
};

/* What would go and what would come back, as far as that is known before it is asked about. */
static void
add_what(struct tx *tx, const struct appeal *appeal, struct chat_text *text)
{
	struct environment environment;
	bool is_back = appeal->action == POLICY_ROLLBACK;
	char value[LIMIT_REF];
	struct release to;

	row_environment_get(tx, appeal->environment, &environment);
	if (request_get(&appeal->wanted, "from", value)[0] != '\0') {
		chat_text_code(text, "\nWhat is live in: ", value);
		return;
	}
	if (request_get(&appeal->wanted, is_back ? "release" : "ref", value)[0] != '\0') {
		chat_text_code(text, is_back ? "\nRelease: " : "\nWhat: ", value);
		return;
	}
	if (!is_back || decide_list_earlier(tx, &environment, &to, 1) == 0)
		return;
	if (environment_is_in_doubt(&environment))
		chat_text_add(text, "\nwhat runs is not known");
	else
		chat_text_named(text, "\n", COMMIT_OF(&environment.current));
	chat_text_named(text, " → ", COMMIT_OF(&to));
	chat_text_quoted(text, " ", to.subject, CHAT_FIRST_SUBJECT);
}

/* Who can, where names are known: it is nobody's as long as it is everybody's. */
static void
add_who(struct tx *tx, const struct appeal *appeal, struct chat_text *text)
{
	struct row_person people[DECIDE_WHOM];
	size_t n = decide_whom(
	    tx, appeal->action, "", appeal->environment, &(struct row_person){ 0 }, people);

	for (size_t i = 0; i < n; i++)
		chat_text_outside(text, i == 0 ? "\nWho may: " : ", ", people[i].name);
}

static void
send_to(struct tx *tx, const struct appeal *appeal, int64_t chat)
{
	CLEANUP(message_done) struct message message = { .address = { .chat = chat } };
	bool is_back = appeal->action == POLICY_ROLLBACK;
	char label[LIMIT_BUTTON];
	struct chat_text text = CHAT_TEXT_EMPTY;

	chat_first(&text, is_back ? FIRST_APPEALS_BACK : FIRST_APPEALS, appeal->environment);
	chat_text_outside(&text, "", appeal->update->name);
	chat_text_add(&text, " asks for it, and may not.");
	add_what(tx, appeal, &text);
	add_who(tx, appeal, &text);
	message.head = chat_text_take(&text);
	row_button_show_for(tx, &appeal->wanted, chat, tx->at + EVERY_MS,
	    chat_deployment_label(
		is_back ? CHAT_ROLL_BACK : "🚀 Deploy to", appeal->environment, label),
	    &message.buttons);
	(void)row_message_add(tx, &message);
}

/* In private, each once; returns how many. */
static size_t
ask_people(struct tx *tx, const struct appeal *appeal)
{
	const struct roles *roles = tx->settings->roles;
	int64_t asked[ASKED_MOST] = { 0 };
	size_t n = 0;

	for (size_t i = 0; i < roles->member_count && n < ASKED_MOST; i++) {
		int64_t person = roles->member[i].person;
		bool is_asked = person <= 0 || person == appeal->update->person;

		for (size_t k = 0; k < n; k++)
			is_asked |= asked[k] == person;
		if (is_asked ||
		    !decide_is_allowed(tx, person, appeal->action, appeal->environment) ||
		    !row_chat_has_private(tx, person))
			continue;
		asked[n++] = person;
		send_to(tx, appeal, person);
	}
	return n;
}

/* The team's group reads it together; without one each who may and can be written to. */
static void
post(struct tx *tx, const struct appeal *appeal)
{
	int64_t team = decide_chat_of(tx, appeal->environment);
	size_t n = team < 0 ? 0 : ask_people(tx, appeal);

	if (n == 0)
		send_to(tx, appeal, team);
	if (team < 0)
		decide_toastf(tx, appeal->update, false, "Asked in the team's chat.");
	else
		decide_toastf(tx, appeal->update, false, "Asked: %zu %s who may.", n > 0 ? n : 1,
		    n > 1 ? "people" : "person");
}

void
command_appeal(struct tx *tx, const struct update *update, const struct request *request)
{
	char what[LIMIT_REF];
	struct appeal appeal = {
		.update = update, .environment = request->target, .wanted = *request
	};

	if (!decide_may(tx, update, POLICY_TALK, request->target))
		return;
	appeal.action = strcmp(request_get(request, "what", what), "rollback") == 0 ?
	    POLICY_ROLLBACK :
	    POLICY_DEPLOY;
	if (settings_environment(tx->settings, request->target) == NULL) {
		decide_expired(tx, update);
		return;
	}
	if (!row_rate_limit_take(
		tx, 1, EVERY_MS, "appeal:%" PRId64 ":%.53s", update->person, request->target)) {
		decide_toastf(tx, update, true, "It was asked for within the last hour.");
		return;
	}
	request_drop(&appeal.wanted, "what");
	text_set(appeal.wanted.action, policy_action_word(appeal.action));
	appeal.wanted.message = 0;
	row_button_close_keyboard(tx, request->message);
	post(tx, &appeal);
}
