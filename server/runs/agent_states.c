/* agent_states.c - what is live in each environment, which remote runners know before any order.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "runs/agent_states.h"

#include <stdlib.h>

#include "lib/buf.h"
#include "lib/environment_id.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/text.h"

#define AT_ONCE 8

struct agent_states {
	struct state_file **all; /* in the order in which they came */
	size_t count;
	SLIST_HEAD(agent_feed_list, agent_feed) feeds;
	int64_t number; /* of the newest: of it all of them are */
	bool is_whole;	/* there are no others */
};

struct agent_states *
agent_states_new(void)
{
	return mem_new(1, sizeof(struct agent_states));
}

void
agent_states_free(struct agent_states *states)
{
	for (size_t i = 0; i < states->count; i++)
		free(states->all[i]);
	free(states->all);
	free(states);
}

/* Their count: it is none of them. */
static size_t
find(const struct agent_states *states, const char *environment)
{
	size_t i = 0;

	while (i < states->count && strcmp(states->all[i]->environment, environment) != 0)
		i++;
	return i;
}

static void
keep(struct agent_states *states, struct state_file *state)
{
	size_t at = find(states, state->environment);

	if (at == states->count)
		states->all = mem_grow(states->all, ++states->count, sizeof(*states->all));
	else
		free(states->all[at]);
	states->all[at] = state;
}

/* --- one runner --- */

static bool
send_message(struct agent_feed *feed, struct protocol_message *message)
{
	struct err err;

	if (!agent_channels_prove(feed->channels, message, &err) ||
	    !agent_channels_send(feed->channels, AGENT_CHANNEL_RUNNER, message, &err)) {
		log_error("%s: what is live elsewhere cannot be sent: %s", feed->channels->identity,
		    err.text);
		return false;
	}
	feed->unanswered++;
	return true;
}

static void
send_one(struct agent_feed *feed, const struct state_file *state)
{
	struct protocol_message message = { .kind = PROTOCOL_STATE_FILE,
		.id = (uint64_t)feed->states->number,
		.body = state->body,
		.body_len = state->size };
	struct environment_id id = { .name = "" };

	if (!environment_id_parse(state->environment, &id))
		return; /* the store has none */
	(void)text_copy(message.application, sizeof(message.application), id.application);
	(void)text_copy(message.environment, sizeof(message.environment), id.name);
	(void)send_message(feed, &message);
}

static void
send_list(struct agent_feed *feed)
{
	CLEANUP(buf_done) struct buf list = buf_make(PROTOCOL_STATE_MAX);
	struct protocol_message message = { .kind = PROTOCOL_STATE_FILE,
		.id = (uint64_t)feed->states->number };
	char name[ENVIRONMENT_ID_MAX];
	struct err err;

	for (size_t i = 0; i < feed->states->count; i++)
		if (feed->states->all[i]->size > 0)
			buf_addf(&list, "%s.json\n",
			    environment_id_file(feed->states->all[i]->environment, name));
	if (!buf_check(&list, &err)) {
		log_error("%s: more environments than a remote runner takes: %s",
		    feed->channels->identity, err.text);
		return;
	}
	message.body = buf_text(&list);
	message.body_len = list.size;
	feed->is_listed = send_message(feed, &message);
}

static void
send_more(struct agent_feed *feed)
{
	while (feed->next < feed->states->count && feed->unanswered < AT_ONCE)
		send_one(feed, feed->states->all[feed->next++]);
	if (feed->next == feed->states->count && feed->states->is_whole && !feed->is_listed)
		send_list(feed);
}

void
agent_feed_join(
    struct agent_feed *feed, struct agent_states *states, const struct agent_channels *channels)
{
	*feed = (struct agent_feed){ .states = states, .channels = channels };
	SLIST_INSERT_HEAD(&states->feeds, feed, more);
}

void
agent_feed_leave(struct agent_feed *feed)
{
	SLIST_REMOVE(&feed->states->feeds, feed, agent_feed, more);
}

void
agent_feed_begin(struct agent_feed *feed)
{
	feed->next = 0;
	feed->unanswered = 0;
	feed->is_listed = feed->is_over = feed->has_failed = false;
	feed->is_begun = true;
	send_more(feed);
}

void
agent_feed_send(struct agent_feed *feed, const char *environment)
{
	size_t at = find(feed->states, environment);

	if (!feed->is_begun)
		return;
	if (at < feed->next && feed->unanswered < AT_ONCE) {
		send_one(feed, feed->states->all[at]);
	} else if (at < feed->next) {
		feed->next = at;
		feed->is_over = false;
	}
	send_more(feed);
}

bool
agent_feed_answered(struct agent_feed *feed, const struct protocol_message *answer)
{
	bool was_over = feed->is_over;

	if (feed->unanswered == 0)
		return false; /* of none that was sent */
	feed->unanswered--;
	if (answer->text[0] != '\0' && !feed->has_failed) {
		log_error(
		    "%s: what is live elsewhere was not taken there, and runs are refused: %s",
		    feed->channels->identity, answer->text);
		feed->has_failed = true;
	}
	send_more(feed);
	feed->is_over |= feed->is_listed && feed->unanswered == 0;
	return feed->is_over && !was_over;
}

/* --- all of them --- */

void
agent_states_take(struct agent_states *states, struct state_file *state)
{
	struct agent_feed *feed;
	char environment[LIMIT_ENVIRONMENT];

	memcpy(environment, state->environment, sizeof(environment));
	states->number = state->number;
	if (environment[0] != '\0') {
		keep(states, state);
	} else {
		states->is_whole = true;
		free(state);
	}
	SLIST_FOREACH(feed, &states->feeds, more)
	{
		agent_feed_send(feed, environment);
	}
}
