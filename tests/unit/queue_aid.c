/* queue_aid.c - people and pushes that wait for their turn in staging.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "queue_aid.h"

#include "lib/text.h"
#include "store/row_queue.h"

int64_t
queue_aid_ask(struct world *w, int64_t person, const char *commit)
{
	(void)world_text(w, person, "/deploy staging");
	world_git(w, (struct world_git){ .commit = commit, .ref = commit });
	return world_newest(w, "staging").id;
}

void
queue_aid_waits(struct world *w, const char *started, int64_t person, const char *commit)
{
	world_deploy_starts(w, started);
	(void)queue_aid_ask(w, person, commit);
}

enum deploy_state
queue_aid_state(struct world *w, int64_t id)
{
	return world_deployment(w, id).state;
}

void
queue_aid_go_live(struct world *w)
{
	assert_int_equal(world_run_starts(w), 200);
	world_run_releases(w, GOOD);
}

static const char *
asked_for(struct world *w, char commit[LIMIT_COMMIT])
{
	const struct effect *query = world_peek(w, EFFECT_GIT_QUERY);

	assert_non_null(query);
	(void)text_copy(commit, LIMIT_COMMIT, query->u.git_query.ref);
	return commit;
}

void
queue_aid_is_ahead(struct world *w, int count)
{
	char commit[LIMIT_COMMIT];

	world_git(w, (struct world_git){ .commit = asked_for(w, commit), .count = count });
}

void
queue_aid_is_ancestor(struct world *w)
{
	char commit[LIMIT_COMMIT];

	world_git(w, (struct world_git){ .commit = asked_for(w, commit), .is_force_push = true });
}

void
queue_aid_press(
    struct world *w, int64_t person, const struct world_message *message, const char *label)
{
	char id[LIMIT_BUTTON_ID];

	(void)text_copy(id, sizeof(id), world_button(message, label));
	assert_string_not_equal(id, "");
	(void)world_press(w, person, message->chat, id);
}

static void
look_at_queue(struct tx *tx, void *arg)
{
	char *out = arg;
	int64_t ids[ROW_QUEUE_LIST];
	size_t n = row_queue_list(tx, "staging", ids), used = 0;

	out[0] = '\0';
	for (size_t i = 0; i < n; i++)
		used += (size_t)snprintf(
		    out + used, 200 - used, "%s#%" PRId64, i > 0 ? " " : "", ids[i]);
}

const char *
queue_aid_list(struct world *w)
{
	static char line[200];

	store_aid_act(&w->aid, look_at_queue, line);
	return line;
}
