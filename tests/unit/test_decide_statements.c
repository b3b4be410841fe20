/* Goal: no question and no screen asks the database more often than it did when work was one wide row.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include <sqlite3.h>

#include "do_aid.h"
#include "lib/text.h"

/* Statements begun, of every connection; what a trigger begins is its statement's.  One of each
 * commit writes the counters (store_ids.h). */
static long statements;

static int
count_statement(UNUSED unsigned kind, UNUSED void *arg, UNUSED void *statement, void *text)
{
	statements += strncmp(text, "--", 2) != 0;
	return 0;
}

static int
attach(sqlite3 *db, UNUSED const char **error, UNUSED const struct sqlite3_api_routines *api)
{
	return sqlite3_trace_v2(db, SQLITE_TRACE_STMT, count_statement, NULL);
}

/* What has happened since the last call costs no more than that. */
static void
costs(const char *what, long most)
{
	if (statements > most)
		fail_msg("%s: %ld statements, at most %ld", what, statements, most);
	statements = 0;
}

static void
asks(struct world *w, const char *text, long most)
{
	statements = 0;
	(void)world_text(w, WORLD_ADMIN, text);
	costs(text, most);
}

static void
presses(struct world *w, int64_t person, const char *label, long most)
{
	char button[LIMIT_BUTTON_ID];

	(void)text_copy(button, sizeof(button), world_button(world_last(w), label));
	assert_string_not_equal(button, "");
	statements = 0;
	(void)world_press(w, person, WORLD_GROUP, button);
	costs(label, most);
}

WORLD_TEST_BARE(a_question_and_a_screen_cost_as_many_statements_as_ever)
{
	assert_int_equal(sqlite3_auto_extension((void (*)(void))attach), SQLITE_OK);
	world_open(w, CLIENTS, "CLIENT_ACME_APPROVALS=1", NULL);
	(void)sqlite3_cancel_auto_extension((void (*)(void))attach);
	w->aid.is_measured = true;

	/* A deployment: asked about, confirmed, looked at on its way, live. */
	asks(w, "/deploy production", 56);
	world_git(w, (struct world_git){ .commit = COMMIT_A });
	costs("the question", 154);
	presses(w, WORLD_ADMIN, "Deploy to", 79);
	world_git_same(w);
	costs("its start", 259);
	asks(w, "/status production", 79); /* is its runner connected? */
	asks(w, "/queue production", 40);  /* the same */
	world_run_ends(w, GOOD);
	costs("its end", 197);

	/* What is looked at when nothing is in progress. */
	asks(w, "/status", 87);
	asks(w, "/history", 51);
	asks(w, "/show 1", 55);
	asks(w, "/queue", 44);

	/* A rollback: asked about, not done. */
	asks(w, "/deploy production", 62);
	world_git(w, (struct world_git){ .commit = COMMIT_B });
	presses(w, WORLD_ADMIN, "Deploy to", 88);
	world_git_same(w);
	world_run_ends(w, GOOD);
	statements = 0;
	(void)world_rollback_asks(w, "/rollback production");
	costs("the question about a rollback", 147);
	presses(w, WORLD_ADMIN, "Not now", 123);

	/* An action: asked for, approved by another person. */
	asks(w, "/request restart-web acme", 265);
	asks(w, "/pending", 46);
	asks(w, "/show 4", 38);
	statements = 0;
	(void)world_text(w, WORLD_OTHER_ADMIN, "/approve 4");
	costs("an approval", 314);
	asks(w, "/status acme", 84); /* the client itself */
}
