/* approval_aid.c - people who approve, and where they are asked, for tests.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "approval_aid.h"

const char *
approval_label_in(struct world *w, int64_t chat, const char *label)
{
	for (size_t i = w->n_screen; i-- > 0;) {
		const char *button = world_button(&w->screen[i], label);

		if (w->screen[i].chat == chat && button[0] != '\0')
			return button;
	}
	return "";
}

void
approval_press_in(struct world *w, int64_t person, int64_t chat, const char *label)
{
	const char *button = approval_label_in(w, chat, label);

	if (button[0] == '\0')
		fail_msg("no button %s", label);
	(void)world_press(w, person, chat, button);
}

void
approval_asks(struct world *w, const char *commit)
{
	(void)world_text(w, WORLD_ADMIN, "/deploy production");
	world_git(w, (struct world_git){ .commit = commit, .count = 2 });
	approval_press_in(w, WORLD_ADMIN, WORLD_GROUP, "Deploy to");
	world_git(w, (struct world_git){ .commit = commit, .count = 2 });
	assert_int_equal(world_newest(w, "production").state, DEPLOY_AWAITING_APPROVAL);
}

void
approval_presses(
    struct world *w, const char *commit, int64_t person, int64_t chat, const char *label)
{
	approval_asks(w, commit);
	approval_press_in(w, person, chat, label);
}
