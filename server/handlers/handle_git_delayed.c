/* handle_git_delayed.c - a git query is not answered yet: whoever waits for it reads why.  Side: store. */
/* SPDX-License-Identifier: ISC */

#include "decide/queue/decide_queue.h"
#include "decide/decide_reply.h"
#include "handlers/handlers.h"
#include "store/row_deployment.h"
#include "store/row_effect.h"

/* A push that cannot be looked up: once, however often it is tried. */
static void
notify_push(struct tx *tx, int64_t id, struct effect *query, const char *why)
{
	struct chat_text text = CHAT_TEXT_EMPTY;

	if (query->u.git_query.is_notified)
		return;
	query->u.git_query.is_notified = true;
	row_effect_save(tx, id, query);
	chat_first(&text, FIRST_PUSH_DELAYED, query->u.git_query.environment);
	chat_text_outside(&text, "", why);
	chat_text_add(&text, "\nIt cannot be looked up yet. Git is asked again until it answers.");
	decide_send_team(tx, query->u.git_query.environment, &text);
}

/* A place in a queue waits for the answer: it says so. */
static void
show_away(struct tx *tx, const struct effect *query, const char *why)
{
	struct deployment deployment;

	row_deployment_get(tx, query->subject, &deployment);
	if (deployment.state == DEPLOY_QUEUED)
		decide_queue_delayed(tx, &deployment, why);
}

/* A person waits: how far git is, in the message that they look at. */
static void
show_progress(struct tx *tx, const struct effect *query, const char *how_far)
{
	struct deployment deployment;
	struct chat_text text = CHAT_TEXT_EMPTY;

	row_deployment_get(tx, query->subject, &deployment);
	if (deployment.state != DEPLOY_REQUESTED)
		return;
	chat_first(&text, FIRST_FETCHES, deployment.environment);
	chat_text_some(&text, ": ", how_far);
	chat_text_code(&text, " … to find ", query->u.git_query.ref);
	decide_change(tx, deployment.message, NULL, &text);
}

void
handle_git_delayed(struct tx *tx, const struct event *event)
{
	const struct git_delayed *delayed = &event->u.git_delayed;
	struct effect *query = row_effect_get(tx, EFFECT_GIT_QUERY, delayed->query);

	if (query == NULL)
		return; /* answered, or withdrawn, meanwhile */
	if (delayed->failed && query->subject == 0)
		notify_push(tx, delayed->query, query, delayed->text);
	else if (delayed->failed)
		show_away(tx, query, delayed->text);
	else if (query->subject != 0)
		show_progress(tx, query, delayed->text);
	effect_free(query);
}
