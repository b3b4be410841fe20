/* notify_word.c - which word of types/notify.def is told when work enters a state.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "deployment/notify_word.h"

enum when {
	ANY,
	WITH_DOWN,
	OF_TROUBLED,
};

#define IN(state) (1u << (unsigned)DEPLOY_##state)
_Static_assert(DEPLOY_STATE_COUNT <= 32, "a set of states is a word");

static const struct {
	unsigned states[2]; /* of a deployment, of a rollback */
	enum when when;
} rows[] = {
#define NOTIFY(name, word, of_deployment, of_rollback, when) \
	[NOTIFY_##name] = { { of_deployment, of_rollback }, when },
#include "types/notify.def"
};

enum notify_word
notify_word_of(const struct notify_step *step)
{
	enum notify_word word = 0;

	if (step->to == step->from || step->program == PROGRAM_ACTION)
		return NOTIFY_WORD_COUNT;
	for (; word < NOTIFY_WORD_COUNT; word++)
		if ((rows[word].states[step->program == PROGRAM_ROLLBACK] &
			(1u << (unsigned)step->to)) != 0 &&
		    (rows[word].when != WITH_DOWN || step->has_down) &&
		    (rows[word].when != OF_TROUBLED || step->is_troubled))
			break;
	return word;
}
