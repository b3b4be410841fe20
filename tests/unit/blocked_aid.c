/* blocked_aid.c - plays blocked_aid.h on the decisions' world. */
/* SPDX-License-Identifier: ISC */
#include "blocked_aid.h"

#include "lib/text.h"

void
blocked_ask(struct world *w, const char *commit)
{
	(void)world_text(w, WORLD_ADMIN, "/deploy production");
	world_git(w, (struct world_git){ .commit = commit, .count = 1 });
}

void
blocked_push(struct world *w, const char *branch, struct world_git git)
{
	struct event *delivery = world_push(w, branch);

	(void)text_copy(delivery->u.delivery.after, LIMIT_COMMIT, git.commit);
	assert_int_equal(world_decide(w, delivery).status, 200);
	world_git(w, git);
}

void
blocked_confirm(struct world *w, int64_t person, int64_t chat)
{
	approval_press_in(w, person, chat, "Deploy to");
	world_git_same(w);
}

void
blocked_is_rolled_back(struct world *w, const char *environment)
{
	world_run_releases(w, TOUCHED);
	world_run_ends(w, GOOD);
	assert_string_equal(world_environment(w, environment).current.commit, COMMIT_A);
	assert_string_equal(world_blocked(w, environment), COMMIT_B);
	assert_null(world_peek(w, EFFECT_RUN));
}

void
blocked_goes_live(struct world *w, const char *commit)
{
	assert_string_equal(world_peek(w, EFFECT_RUN)->u.run.commit, commit);
	assert_int_equal(world_run_starts(w), 200);
	world_run_ends(w, GOOD);
}
