/* Goal: of a cut end of the audit the chain has an entry and the admins a message, once.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "decide_aid.h"

#include "lib/text.h"
#include "store/audit_heads.h"

static void
compared(struct world *w, const char *key, const char *other)
{
	struct event *event = store_aid_event(&w->aid, EVENT_HEADS_COMPARED);
	struct heads_compared *heads = &event->u.heads_compared;

	heads->missing = 7;
	heads->n = 2;
	(void)text_copy(heads->key[0], sizeof(heads->key[0]), key);
	(void)text_copy(heads->key[1], sizeof(heads->key[1]), other);
	(void)text_copy(heads->newest, sizeof(heads->newest),
	    "message #12 was sent with the head 0badcafe0badcafe, which no entry has");
	(void)world_decide(w, event);
}

static size_t
count(const struct world *w, int64_t chat)
{
	size_t n = 0;

	for (size_t i = 0; i < w->n_screen; i++)
		n += w->screen[i].chat == chat &&
		    strstr(w->screen[i].text, "Audit log cut off: entries at its end ") != NULL;
	return n;
}

WORLD_TEST(the_admins_are_told_and_the_chain_has_it)
{
	struct world_message *said;

	(void)world_text(w, WORLD_STRANGER, "/deploy staging");
	compared(w, "a", "b");
	assert_int_equal(count(w, WORLD_ADMIN), 1);
	assert_int_equal(count(w, WORLD_OTHER_ADMIN), 1);
	assert_int_equal(count(w, WORLD_TEAM), 0);
	said = world_says_in(w, WORLD_ADMIN, "Audit log cut off");
	assert_false(said->is_silent);
	assert_string_equal(world_plain(said),
	    "🔥 Audit log cut off: entries at its end are missing, in the database and in the file. deploybot runs on.\n"
	    "message #12 was sent with the head 0badcafe0badcafe, which no entry has.\n"
	    "On the server deploybot audit verify names all 7. Find out who could write there, and compare the log with its witness or a backup before you trust it again.");
	assert_int_equal(
	    world_audited(w, "\"code\":\"entries_missing\"", "\"severity\":\"critical\""), 1);
	assert_int_equal(
	    world_audited(w, "\"violation_type\":\"audit_cut\"", "\"missing\":\"7\""), 1);
}

/* Each start finds the same again; somebody who cuts once more is told of. */
WORLD_TEST(what_was_told_is_not_told_again)
{
	compared(w, "a", "b");
	compared(w, "b", "a");
	assert_int_equal(count(w, WORLD_ADMIN), 1);
	assert_int_equal(world_audited(w, "entries_missing", NULL), 1);
	compared(w, "c", "a");
	assert_int_equal(count(w, WORLD_ADMIN), 2);
	assert_int_equal(world_audited(w, "entries_missing", NULL), 2);
}

/* The message names the entry that records it: whoever cuts that off is found by it. */
WORLD_TEST(the_message_itself_names_what_records_it)
{
	struct audit_heads_found found;
	struct audit_source source;
	struct err err;

	compared(w, "a", "b");
	source = (struct audit_source){ .database = w->aid.path };
	assert_true(audit_heads_read(&source, NULL, NULL, NULL, &found, &err));
	assert_int_equal(found.named, 3); /* both admins', and what Telegram took last */
	assert_int_equal(found.missing, 0);
	world_rewrite(w, "DELETE FROM audit WHERE seq = (SELECT MAX(seq) FROM audit);");
	assert_true(audit_heads_read(&source, NULL, NULL, NULL, &found, &err));
	assert_int_equal(found.missing, 3);
}
