/* agent_aid.c - agents that are enrolled, and say what they may be ordered.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "agent_aid.h"

#include "lib/text.h"

void
agent_aid_says(struct world *w, const char *identity, const char *list)
{
	struct event *event = store_aid_event(&w->aid, EVENT_PEER_MANIFEST);

	(void)text_copy(event->u.peer.identity, sizeof(event->u.peer.identity), identity);
	(void)text_copy(event->u.peer.manifest, sizeof(event->u.peer.manifest), list);
	(void)world_decide(w, event);
}

const char *
agent_aid_log_note(struct world *w, enum api_operation operation, const char *path)
{
	static char note[LIMIT_LINE];
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
	assert_true(text_copy(note, sizeof(note), answer.log_note));
	return note;
}
