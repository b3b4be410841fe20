/* decide_near.c - a name that is none: the nearest that they see, as a button.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/decide_near.h"

#include "decide/decide_page.h"
#include "decide/decide_reply.h"
#include "lib/text.h"

#define NAMES_SHOWN 24

static void
take_nearer(const char *target, const char *name, char near[LIMIT_ENVIRONMENT])
{
	if (text_nearest(target, &name, 1) != NULL &&
	    (near[0] == '\0' || text_distance(target, name) < text_distance(target, near)))
		(void)text_copy(near, LIMIT_ENVIRONMENT, name); /* fits */
}

/* What may be typed for it: its own text, its name, its application's. */
static void
look_near(const char *target, const char *environment, char near[LIMIT_ENVIRONMENT])
{
	struct environment_id id;

	take_nearer(target, environment, near);
	if (!environment_id_parse(environment, &id))
		return;
	take_nearer(target, id.name, near);
	if (id.application[0] != '\0')
		take_nearer(target, id.application, near);
}

/* What is meant where a client's id was typed alone, or it is near to one of those. */
static void
look_near_all(
    struct tx *tx, const struct decide_scope *all, const char *target, char near[LIMIT_ENVIRONMENT])
{
	const struct client_settings *client = settings_client(tx->settings, target);

	near[0] = '\0';
	if (target[0] == '\0')
		return;
	for (size_t i = 0; i < all->n; i++)
		look_near(target, all->at[i]->name, near);
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
		chat_text_add(text, ", by " MARK_CODE "/do" MARK_CODE);
	chat_text_add(text, "%s For more ask an admin.", shown > 0 ? "." : "");
}

static void
add_environments(const struct decide_scope *all, struct chat_text *text)
{
	size_t shown = all->n < NAMES_SHOWN ? all->n : NAMES_SHOWN;

	chat_text_add(text, " There are:");
	for (size_t i = 0; i < shown; i++)
		chat_text_code(text, " ", all->at[i]->name);
	if (shown < all->n)
		chat_text_add(text, " and %zu more: /status lists them.", all->n - shown);
}

/* A client's is no environment: it is named, and no button leads there. */
static void
offer(struct tx *tx, const struct update *update, const struct request *request, const char *near,
    struct chat_text *text, struct buttons *keyboard)
{
	chat_text_code(text, " Did you mean ", near);
	chat_text_add(text, "?");
	if (environment_client(near) == NULL)
		decide_choice(tx, update, request, near, keyboard);
}

void
decide_near_say(struct tx *tx, const struct update *update, const struct request *request,
    const struct decide_scope *all)
{
	CLEANUP(message_done) struct message message = { 0 };
	struct request answer = *request;
	char near[LIMIT_ENVIRONMENT];
	struct chat_text text;

	decide_answer_no(tx, update);
	tx->costs_nothing = true;
	if (update->kind == UPDATE_PRESS && request->target[0] != '\0') {
		/* It stood for that one: no other is offered for what it was to do. */
		decide_toastf(tx, update, true, "%s is not there any more.", request->target);
		return;
	}
	look_near_all(tx, all, request->target, near);
	chat_text_init(&text);
	if (request->target[0] != '\0')
		chat_text_outside(&text, "No \"", request->target);
	chat_text_add(&text, "%s",
	    request->target[0] != '\0' ? (all->n > 0 || near[0] != '\0' ? "\"." : "\" for you.") :
		all->n > 0	       ? "Which environment?" :
					 "There is no environment for you.");
	if (near[0] != '\0')
		offer(tx, update, request, near, &text, &message.buttons);
	else if (all->n > 0)
		add_environments(all, &text);
	else
		add_clients(tx, update->person, &text);
	answer.message = 0; /* it stands below */
	message.head = chat_text_take(&text);
	(void)decide_send_keyboard(tx, update, &answer, &message);
}
