/* agent_aid.c - agents that are enrolled, and say what they may be ordered.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "agent_aid.h"

#include <stdio.h>

#include "lib/text.h"
#include "store/row_peer.h"
#include "token_aid.h"

struct link_aid agent_aid_authority;

int
agent_aid_set_up(void **state)
{
	link_aid_make(&agent_aid_authority, 0);
	return world_set_up_none(state);
}

int
agent_aid_tear_down(void **state)
{
	int failed = world_tear_down(state);

	link_aid_remove(&agent_aid_authority);
	return failed;
}

int
agent_aid_ask(struct world *w, const char *word, const char *body)
{
	char path[40];

	(void)snprintf(path, sizeof(path), "/v1/agent/%s", word);
	return token_aid_ask(w, WORLD_ADMIN, API_AGENT, path, body);
}

void
agent_aid_says(struct world *w, const char *identity, const char *list)
{
	struct event *event = store_aid_event(&w->aid, EVENT_PEER_MANIFEST);

	(void)text_copy(event->u.peer.identity, sizeof(event->u.peer.identity), identity);
	(void)text_copy(event->u.peer.text, sizeof(event->u.peer.text), list);
	(void)world_decide(w, event);
}

static void
read_known(struct tx *tx, void *ret)
{
	*(struct known_peers **)ret = row_peer_known(tx);
}

void
agent_aid_sees(struct world *w, const char *identity, struct agent_seen seen)
{
	struct agents_seen *before = w->aid.seen, *now;
	struct known_peers *known = NULL;
	struct peer peer;

	store_aid_act(&w->aid, read_known, &known);
	now = agents_seen_new(known);
	now->began_at = w->aid.at;
	for (size_t i = 0; i < known_peers_count(known); i++)
		now->at[i] = agents_seen_of(before, known_peers_get(known, i, &peer)->identity);
	if (identity[0] != '\0')
		now->at[known_peers_find(known, identity)] = seen;
	agents_seen_unref(before);
	w->aid.seen = now;
}

struct answer
agent_aid_log(struct world *w, enum api_operation operation, const char *path)
{
	struct event *event = store_aid_event(&w->aid, EVENT_API);
	struct api_request *api = calloc(1, sizeof(*api));
	struct answer answer;

	assert_non_null(api);
	event->u.api = api;
	api->from =
	    (struct update){ .kind = UPDATE_TEXT, .is_private = true, .person = WORLD_ADMIN };
	assert_true(api_read(operation, path, NULL, 0, api, NULL));
	answer = world_decide(w, event);
	assert_int_equal(answer.status, 200);
	return answer;
}
