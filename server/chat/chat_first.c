/* chat_first.c - how each message about work begins, as one table.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "chat/chat_first.h"

#include "chat/chat_hold.h"

#define OF_D   DEPLOY_OF(PROGRAM_DEPLOY)
#define OF_R   DEPLOY_OF(PROGRAM_ROLLBACK)
#define OF_A   DEPLOY_OF(PROGRAM_ACTION)
#define OF_DR  (OF_D | OF_R)
#define OF_DA  (OF_D | OF_A)
#define OF_DRA (OF_D | OF_R | OF_A)
#define OF_NO  0

#define DEPLOY_NONE DEPLOY_STATE_COUNT

const struct chat_first_row chat_first_rows[CHAT_FIRST_COUNT] = {
#define FIRST(name, of, which, before_, behind_) \
	[FIRST_##name] = { .state = DEPLOY_##of, \
		.programs = OF_##which, \
		.before = (before_), \
		.behind = (behind_) },
#include "chat/first.def"
};

/* A state without a row is an error of the compiler. */
enum {
	WITH_ROWS = 0
#define FIRST(name, of, ...) | 1 << DEPLOY_##of
#include "chat/first.def"
};
_Static_assert((WITH_ROWS | 1 << DEPLOY_NONE) == (1 << (DEPLOY_STATE_COUNT + 1)) - 1,
    "each state has a row in first.def");

void
chat_first(struct chat_text *text, enum chat_first first, const char *target)
{
	chat_text_add(text, "%s" MARK_BOLD "%s" MARK_BOLD "%s", chat_first_rows[first].before,
	    target, chat_first_rows[first].behind);
}

void
chat_first_held(struct chat_text *text, enum chat_first first, const char *target)
{
	chat_text_add(text, "%s" MARK_BOLD, chat_first_rows[first].before);
	chat_hold_target(text, target);
	chat_text_add(text, MARK_BOLD "%s", chat_first_rows[first].behind);
}

void
chat_first_commit(
    struct chat_text *text, const char *subject, enum commit_source source, const char *commit)
{
	if (subject[0] != '\0')
		chat_text_quoted(text, " ", subject, CHAT_FIRST_SUBJECT);
	if (commit[0] != '\0')
		chat_text_named(text, " ", source, commit);
}
