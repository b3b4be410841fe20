/* Goal: what only closes its effect says nothing, but for a log that does not come.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "decide_aid.h"

#include "lib/text.h"

/* Cy presses Log in the group; its performer reports `failure`. */
static void
a_log_is_asked_for(struct world *w, const char *failure)
{
	struct effect *document;
	char id[LIMIT_BUTTON_ID];

	world_open(w, NULL);
	world_deploy_starts(w, COMMIT_A);
	world_run_ends(w, GOOD);
	(void)text_copy(id, sizeof(id),
	    world_button(world_says_in(w, WORLD_GROUP, "Live: staging, not checked"), "Log"));
	(void)world_press(w, WORLD_STAGING_USER, WORLD_GROUP, id);
	document = world_take(w, EFFECT_DOCUMENT);
	assert_non_null(document);
	(void)text_copy(document->result->u.message_sent.failure,
	    sizeof(document->result->u.message_sent.failure), failure);
	(void)store_aid_report(&w->aid, document);
	(void)world_text(w, WORLD_ADMIN, "/whoami"); /* whatever was said is on the screen now */
}

/* The toast had promised it, and then nothing came. */
WORLD_TEST_BARE(a_log_that_could_not_be_sent_is_told_where_it_was_asked_for)
{
	struct world_message *message;

	a_log_is_asked_for(w, "the log is empty");
	message = world_says_in(w, WORLD_GROUP, "Not sent: ");
	assert_string_equal(
	    world_plain(message), "❌ Not sent: Log of staging aaaaaaa: the log is empty");
	assert_null(world_says_in(w, WORLD_TEAM, "Not sent: "));
}

WORLD_TEST_BARE(a_log_that_was_sent_needs_no_words)
{
	a_log_is_asked_for(w, "");
	assert_null(world_says(w, "Not sent: "));
}
