/* decide_near.c - a name that does not exist: the nearest that its sender may see, each a button.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/question/decide_near.h"

#include "decide/who/decide_allowed.h"
#include "decide/decide_chat.h"
#include "decide/decide_page.h"
#include "decide/decide_reply.h"
#include "lib/text.h"

#define NAMES_SHOWN  8
#define OFFERED	     10
#define BEGINS_LEAST 3

/* What is offered for what was typed, and the name that it was nearest to. */
struct nearest {
	const char *target;
	char offered[LIMIT_ENVIRONMENT];
	char name[LIMIT_ENVIRONMENT];
};

static void
take_nearer(struct nearest *is, const char *name, const char *offered)
{
	if (text_nearest(is->target, &name, 1) == NULL ||
	    (is->offered[0] != '\0' &&
		text_distance(is->target, name) >= text_distance(is->target, is->name)))
		return;
	(void)text_copy(is->offered, LIMIT_ENVIRONMENT, offered); /* fit */
	(void)text_copy(is->name, LIMIT_ENVIRONMENT, name);
}

static bool
is_named(const struct environment_settings *environment, const char *name)
{
	struct environment_id id;

	return environment_id_parse(environment->name, &id) && strcmp(id.name, name) == 0;
}

/* What may be typed for it: its own text, its name, its application's.  A name that only one has is
 * offered as whose it is; one that several have asks which. */
static void
look_near(struct nearest *is, const struct decide_scope *all, const char *environment, bool is_own)
{
	struct environment_id id;
	size_t n = 0;

	take_nearer(is, environment, environment);
	if (!environment_id_parse(environment, &id))
		return;
	for (size_t i = 0; i < all->n; i++)
		n += is_named(all->at[i], id.name);
	take_nearer(is, id.name, is_own || n == 1 ? environment : id.name);
	if (id.application[0] != '\0')
		take_nearer(is, id.application, id.application);
}

/* What is meant where a client's id was typed alone, or it is near to one of those; in a chat of an
 * application first what is near to one of its own. */
static void
look_near_all(struct tx *tx, const struct update *update, const struct decide_scope *all,
    const char *target, char near[LIMIT_ENVIRONMENT])
{
	const struct client_settings *client = settings_client(tx->settings, target);
	struct nearest is = { .target = target };
	bool is_own;

	near[0] = '\0';
	if (target[0] == '\0')
		return;
	for (size_t i = 0; i < all->n; i++)
		if (decide_chat_of(tx, all->at[i]->name) == update->address.chat)
			look_near(&is, all, all->at[i]->name, true);
	is_own = is.offered[0] != '\0';
	for (size_t i = 0; i < all->n && !is_own; i++)
		look_near(&is, all, all->at[i]->name, false);
	(void)text_copy(near, LIMIT_ENVIRONMENT, is.offered);
	if (client != NULL && decide_sees(tx, all->person, client->as.name))
		(void)text_copy(near, LIMIT_ENVIRONMENT, client->as.name); /* fits */
}

/* For whoever sees no environment: their clients, which are named like one. */
static void
add_clients(struct tx *tx, int64_t person, struct chat_text *text)
{
	size_t n = 0, shown = 0;

	for (size_t i = 0; i < tx->settings->client_count; i++) {
		const char *name = tx->settings->clients[i].as.name;

		if (!decide_sees(tx, person, name) || n++ >= NAMES_SHOWN)
			continue;
		chat_text_code(text, shown++ == 0 ? " Yours: " : " ", name);
	}
	if (n > shown)
		chat_text_add(text, " and %zu more", n - shown);
	if (shown > 0)
		chat_text_add(text, " (" MARK_CODE "/do" MARK_CODE ")");
	chat_text_add(text, "%s For more ask an admin.", shown > 0 ? "." : "");
}

static void
add_environments(const struct decide_scope *all, struct chat_text *text)
{
	chat_text_add(text, " There are:");
	for (size_t i = 0; i < all->n && i < NAMES_SHOWN; i++)
		chat_text_code(text, " ", all->at[i]->name);
	if (all->n > NAMES_SHOWN)
		chat_text_add(text, " and %zu more: /status lists them.", all->n - NAMES_SHOWN);
}

/* --- what is meant --- */

/* Is it one of the names of that environment, or, of what was only begun, do they begin so? */
static bool
is_of(const char *environment, const char *text, bool is_begun)
{
	size_t size = strlen(text) + !is_begun;
	struct environment_id id;

	return strncmp(environment, text, size) == 0 ||
	    (environment_id_parse(environment, &id) &&
		(strncmp(id.name, text, size) == 0 || strncmp(id.application, text, size) == 0));
}

/* Those that a name may stand for, in their order: where they may do what was asked for, if that is
 * anywhere.  Returns how many there are, of which the first are in ret. */
static size_t
list_meant(struct tx *tx, const struct decide_scope *all, enum policy_action action,
    const char *text, bool is_begun, const char *ret[OFFERED])
{
	size_t n = 0;

	for (int is_allowed = 1; is_allowed >= 0 && n == 0; is_allowed--)
		for (size_t i = 0; i < all->n; i++) {
			const char *name = all->at[i]->name;

			if (!is_of(name, text, is_begun) ||
			    (is_allowed == 1 && !decide_is_allowed(tx, all->person, action, name)))
				continue;
			if (n < OFFERED)
				ret[n] = name;
			n++;
		}
	return n;
}

/* Each is a press away.  False: nothing is near. */
static bool
offer_each(struct tx *tx, const struct update *update, const struct request *request,
    const struct decide_scope *all, enum policy_action action, const char *near,
    struct chat_text *text, struct buttons *keyboard)
{
	const char *found[OFFERED];
	size_t n = strlen(request->target) < BEGINS_LEAST ?
	    0 :
	    list_meant(tx, all, action, request->target, true, found);

	if (n == 0 && near[0] != '\0')
		n = list_meant(tx, all, action, near, false, found);
	for (size_t i = 0; i < n && i < OFFERED; i++) {
		chat_text_code(text, i == 0 ? " Did you mean " : " ", found[i]);
		decide_choice(tx, update, request, found[i], keyboard);
	}
	if (n > OFFERED)
		chat_text_add(text, " or %zu more: write more of the name.", n - OFFERED);
	else if (n > 0)
		chat_text_add(text, "?");
	return n > 0;
}

/* A client's is no environment: it is named, and no button leads there.  An application, or a name
 * that several have, is what is looked at; where one is to be chosen, those are offered at once. */
static bool
offer(struct tx *tx, const struct update *update, const struct request *request,
    const struct decide_scope *all, const struct decide_near *for_what, const char *near,
    struct chat_text *text, struct buttons *keyboard)
{
	if (near[0] == '\0' || (environment_client(near) == NULL && for_what->is_one))
		return offer_each(tx, update, request, all, for_what->action, near, text, keyboard);
	chat_text_code(text, " Did you mean ", near);
	chat_text_add(text, "?");
	if (environment_client(near) == NULL)
		decide_choice(tx, update, request, near, keyboard);
	return true;
}

void
decide_near_say(struct tx *tx, const struct update *update, const struct request *request,
    const struct decide_scope *all, const struct decide_near *for_what)
{
	struct message message = { 0 };
	char near[LIMIT_ENVIRONMENT];
	struct chat_text text = CHAT_TEXT_EMPTY;

	decide_answer_no(tx, update);
	tx->costs_nothing = true;
	if (update->kind == UPDATE_PRESS && request->target[0] != '\0') {
		/* It stood for that one: no other is offered for what it was to do. */
		decide_toastf(tx, update, true, "%s is not there any more.", request->target);
		return;
	}
	look_near_all(tx, update, all, request->target, near);
	chat_text_some(&text, "No \"", request->target);
	chat_text_add(&text, "%s",
	    request->target[0] != '\0' ? (all->n > 0 || near[0] != '\0' ? "\"." : "\" for you.") :
		all->n > 0	       ? "Which environment?" :
					 "You see no environments.");
	if (request->target[0] != '\0' &&
	    offer(tx, update, request, all, for_what, near, &text, &message.buttons))
		;
	else if (all->n > 0)
		add_environments(all, &text);
	else
		add_clients(tx, update->person, &text);
	(void)decide_send_keyboard(tx, update, NULL, &message, &text);
}
