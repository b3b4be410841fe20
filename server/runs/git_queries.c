/* git_queries.c - git queries on their way to the runner and back.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "runs/git_queries.h"

#include <stdio.h>

#include "lib/clean.h"
#include "lib/err.h"
#include "lib/mem.h"

#define STATUS_UNREACHABLE 69
#define STATUS_TIMEOUT	   75

struct runs_git_query {
	struct runs_git_query *next;
	uint64_t id;
	struct agent_link *agent; /* a remote runner; NULL: the local one */
	bool is_sent;
	struct effect_git_query order;
	runs_answer_fn *on_answer;
	runs_progress_fn *on_progress;
	void *ctx;
};

static void
query_unlink(struct git_queries *queries, struct runs_git_query *query)
{
	struct runs_git_query **back = &queries->first;

	while (*back != query)
		back = &(*back)->next;
	*back = query->next;
	queries->n--;
}

static void
query_answer(
    struct git_queries *queries, struct runs_git_query *query, const struct runs_answer *answer)
{
	query_unlink(queries, query);
	query->on_answer(query->ctx, answer);
	free(query);
}

static struct runs_git_query *
query_find(const struct git_queries *queries, const struct agent_link *agent, uint64_t id)
{
	struct runs_git_query *query = queries->first;

	while (query != NULL && (query->id != id || query->agent != agent))
		query = query->next;
	return query;
}

void
git_queries_progress(struct git_queries *queries, const struct agent_link *agent,
    const struct protocol_message *message)
{
	struct runs_git_query *query = query_find(queries, agent, message->id);

	if (query != NULL && query->on_progress != NULL)
		query->on_progress(query->ctx, message->text);
}

void
git_queries_take(struct git_queries *queries, const struct agent_link *agent,
    const struct protocol_message *message)
{
	const struct protocol_record *record = &message->record;
	struct runs_git_query *query = query_find(queries, agent, message->id);
	struct runs_answer answer = {
		.exit_status =
		    record->timed_out && record->status == 0 ? STATUS_TIMEOUT : record->status,
		.binding = message->fingerprint[0] != '\0' ? message->settings : NULL,
	};
	char text[PROTOCOL_ANSWER_MAX + 1];

	if (query == NULL)
		return; /* cancelled meanwhile */
	if (message->body_len == 0) {
		if (answer.exit_status == 0)
			answer.exit_status = STATUS_UNREACHABLE;
		answer.text = message->text[0] != '\0' || !record->timed_out ?
		    message->text :
		    "git did not answer in time";
	} else {
		for (size_t i = 0; i < message->body_len; i++)
			text[i] = message->body[i] == '\0' ? '?' : message->body[i];
		text[message->body_len] = '\0';
		clean_bytes(text);
		answer.text = text;
	}
	answer.size = strlen(answer.text);
	query_answer(queries, query, &answer);
}

static const enum protocol_git_query queries_of[] = {
	[GIT_QUERY_COMMITS] = PROTOCOL_GIT_QUERY_COMMITS,
	[GIT_QUERY_HEADS] = PROTOCOL_GIT_QUERY_HEADS,
	[GIT_QUERY_SETTINGS] = PROTOCOL_GIT_QUERY_SETTINGS,
	[GIT_QUERY_LOGS] = PROTOCOL_GIT_QUERY_LOGS,
	[GIT_QUERY_UNPACK] = PROTOCOL_GIT_QUERY_UNPACK,
};

static void
fill_query(struct protocol_message *message, const struct runs_git_query *query)
{
	const struct effect_git_query *order = &query->order;
	struct environment_id id = { 0 };
	size_t used = 0;

	if (environment_id_parse(order->environment, &id))
		memcpy(message->application, id.application, sizeof(message->application));
	message->kind = PROTOCOL_GIT_QUERY;
	message->id = query->id;
	message->wants_progress = query->on_progress != NULL;
	message->query = queries_of[order->kind];
	if (order->kind != GIT_QUERY_HEADS)
		memcpy(message->environment, id.name, sizeof(message->environment));
	if (order->kind == GIT_QUERY_HEADS) {
		for (size_t i = 0; i < order->n_branches; i++)
			used += (size_t)snprintf(message->branches + used,
			    sizeof(message->branches) - used, "%s%s", i > 0 ? " " : "",
			    order->branches[i]);
		return;
	}
	static_assert(sizeof(message->environment) == sizeof(id.name), "a name fits");
	static_assert(sizeof(message->ref) >= sizeof(order->ref), "a ref fits");
	static_assert(sizeof(message->branch) >= sizeof(order->branch), "a branch fits");
	static_assert(sizeof(message->base) >= sizeof(order->base), "a commit fits");
	static_assert(sizeof(message->blocked) >= sizeof(order->blocked), "those commits fit");
	static_assert(sizeof(message->paths) >= sizeof(order->paths), "those patterns fit");
	memcpy(message->paths, order->paths, sizeof(order->paths));
	memcpy(message->blocked, order->blocked, sizeof(order->blocked));
	static_assert(sizeof(message->after) >= sizeof(order->push.after), "a commit fits");
	memcpy(message->ref, order->ref, sizeof(order->ref));
	memcpy(message->branch, order->branch, sizeof(order->branch));
	memcpy(message->base, order->base, sizeof(order->base));
	memcpy(message->after, order->push.after, sizeof(order->push.after));
}

/* Of that runner's those that were sent, or all. */
static size_t
count(const struct git_queries *queries, const struct agent_link *agent, bool sent_alone)
{
	size_t n = 0;

	for (const struct runs_git_query *q = queries->first; q != NULL; q = q->next)
		n += q->agent == agent && (q->is_sent || !sent_alone);
	return n;
}

struct runs_git_query *
git_queries_add(struct git_queries *queries, const struct runs_git_query_config *config,
    struct agent_link *agent, struct err *err)
{
	struct runs_git_query *query, **back;

	static_assert(
	    sizeof(((struct protocol_message *)0)->branches) >= sizeof(config->order->branches),
	    "all branches fit, each with a blank");
	if (queries->n >= RUNS_GIT_QUERIES_MAX)
		return ERR_NULL(err_set(
		    err, ERR_BUSY, "%d git queries are queued already", RUNS_GIT_QUERIES_MAX));
	if (agent != NULL && config->order->kind == GIT_QUERY_UNPACK)
		return ERR_NULL(
		    err_set(err, ERR_INVALID, "uploads need a runner on the server's machine"));
	if (agent != NULL && count(queries, agent, false) >= RUNS_GIT_QUERIES_MAX / 2)
		return ERR_NULL(err_set(err, ERR_BUSY,
		    "%d git queries are queued already for one remote runner",
		    RUNS_GIT_QUERIES_MAX / 2));
	query = mem_new(1, sizeof(*query));
	query->id = ++queries->last;
	query->agent = agent;
	query->order = *config->order;
	query->on_answer = config->on_answer;
	query->on_progress = config->on_progress;
	query->ctx = config->ctx;
	for (back = &queries->first; *back != NULL; back = &(*back)->next)
		;
	*back = query;
	queries->n++;
	return query;
}

void
git_queries_cancel(struct git_queries *queries, struct runs_git_query *query)
{
	query_unlink(queries, query);
	free(query);
}

static enum packet_sent
query_send(const struct runs_git_query *query, struct runner_link *runner,
    struct protocol_message *message)
{
	struct err err;

	return query->agent != NULL ? agent_link_send(query->agent, message, &err) :
				      runner_link_send(runner, message, &err);
}

static bool
query_say(struct runs_git_query *query, struct runner_link *runner)
{
	struct protocol_message message = { .kind = PROTOCOL_GIT_QUERY };

	fill_query(&message, query);
	switch (query_send(query, runner, &message)) {
	case PACKET_SENT:
		break;
	case PACKET_REFUSED:
		/* What no message can hold is no ref of any repository: git says so itself, with
		 * what is possible. */
		message = (struct protocol_message){ .kind = PROTOCOL_GIT_QUERY,
			.id = query->id,
			.query = PROTOCOL_GIT_QUERY_COMMITS };
		(void)snprintf(message.ref, sizeof(message.ref), "?");
		if (query_send(query, runner, &message) != PACKET_SENT)
			return false;
		break;
	default:
		return false;
	}
	query->is_sent = true;
	return true;
}

void
git_queries_say(struct git_queries *queries, struct runner_link *runner, bool of_remote)
{
	for (struct runs_git_query *q = queries->first; q != NULL; q = q->next) {
		if (q->is_sent || (q->agent != NULL) != of_remote ||
		    count(queries, q->agent, true) >= PROTOCOL_GIT_QUERIES_MAX)
			continue;
		if (!query_say(q, runner) && !of_remote)
			return; /* another remote runner may take more */
	}
}

void
git_queries_runner_down(struct git_queries *queries, const struct agent_link *agent)
{
	char why[LIMIT_LINE] =
	    "deploybot-runner is disconnected: nothing is deployed until it is connected";
	uint64_t last = queries->last; /* whoever is called may ask again */
	struct runs_git_query *query;

	if (agent != NULL)
		agent_link_why(agent, why);
	for (;;) {
		for (query = queries->first; query != NULL && query->agent != agent;)
			query = query->next;
		if (query == NULL || query->id > last)
			return;
		query_answer(queries, query,
		    &(struct runs_answer){ STATUS_UNREACHABLE, true, why, strlen(why), NULL });
	}
}

void
git_queries_done(struct git_queries *queries)
{
	while (queries->first != NULL)
		git_queries_cancel(queries, queries->first);
}
