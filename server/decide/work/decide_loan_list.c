/* decide_loan_list.c - whose a loan is, and lists of those that somebody may end or approve.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/work/decide_loan_list.h"

#include <inttypes.h>
#include <stdio.h>

#include "chat/chat_text.h"
#include "decide/approval/decide_needs.h"
#include "decide/decide_reply.h"
#include "decide/who/decide_allowed.h"
#include "lib/text.h"
#include "store/row_approval.h"
#include "store/row_deployment.h"
#include "store/row_loan.h"

const char *
decide_loan_name(const struct deployment *work, char ret[DECIDE_LOAN_NAME])
{
	const char *by = FORGE_PERSON(work->requester);

	(void)snprintf(ret, DECIDE_LOAN_NAME, "#%" PRId64 " %.20s of %.*s", work->id,
	    work->argument, (int)text_cut(by, strlen(by), 24), by); /* cut is fine */
	return ret;
}

bool
decide_loan_is_theirs(struct tx *tx, int64_t person, const struct deployment *work)
{
	return (work->requested_by == person || row_approval_is_of(tx, work->id, person)) &&
	    !decide_is_stranger(tx, person);
}

bool
decide_loan_may_end(struct tx *tx, int64_t person, const struct deployment *work)
{
	return decide_loan_is_theirs(tx, person, work) ||
	    decide_is_allowed(tx, person, POLICY_CANCEL, work->environment);
}

int64_t
decide_loan_beside(struct tx *tx, const struct deployment *work)
{
	struct deployment other;

	for (int64_t number = 0;
	     (number = row_loan_next(tx, LOAN_GIVEN, number)) != 0 && !tx->failed;) {
		row_deployment_get(tx, number, &other);
		if (other.requested_by == work->requested_by &&
		    strcmp(other.argument, work->argument) == 0 &&
		    strcmp(other.environment, work->environment) == 0)
			return number;
	}
	return 0;
}

/* "#12 db-migrate of production, workflow:shop, until 14:20" */
static void
add_line(struct tx *tx, const struct deployment *work, const struct loan_row *row,
    struct chat_text *text)
{
	const struct chat_clock clock = decide_clock(tx, work->environment);

	chat_text_add(text, "\n#%" PRId64, work->id);
	chat_text_code(text, " ", work->argument);
	chat_text_outside(text, " of ", work->environment);
	chat_text_outside(text, ", ", FORGE_PERSON(work->requester));
	chat_text_since(text,
	    row->state == LOAN_ENDING ? ", being revoked, at the latest " : ", until ", &clock,
	    row->until, tx->at);
}

/* "#13 stripe of production, @eve, awaiting approval; /cancel 13 ends it", of those that they may
 * end or approve; that it ends so, of the first alone */
static void
add_asked(struct tx *tx, int64_t person, int64_t number, size_t *n, struct chat_text *text)
{
	struct deployment work;
	bool may_end;

	row_deployment_get(tx, number, &work);
	may_end = decide_loan_may_end(tx, person, &work);
	if (deploy_flow_class(work.state) == DEPLOY_CLASS_FINAL ||
	    (!may_end && !decide_needs_may_in(tx, &work, person)))
		return;
	if (*n == 0)
		chat_text_add(text, "\n\nAsked for:");
	if ((*n)++ >= DECIDE_LOANS_FOUND)
		return;
	chat_text_add(text, "\n#%" PRId64, work.id);
	chat_text_code(text, " ", work.argument);
	chat_text_outside(text, " of ", work.environment);
	chat_text_outside(text, ", ", FORGE_PERSON(work.requester));
	chat_text_add(text, ", %s", deploy_flow_word(work.state));
	if (may_end)
		chat_text_add(text, "; " MARK_CODE "/cancel %" PRId64 MARK_CODE " ends it", number);
}

static void
list_asked(struct tx *tx, int64_t person, struct chat_text *text)
{
	static const enum loan_state asked[] = { LOAN_ASKED, LOAN_KEPT };
	size_t n = 0;

	for (size_t i = 0; i < COUNT(asked); i++)
		for (int64_t number = 0;
		     (number = row_loan_next(tx, asked[i], number)) != 0 && !tx->failed;)
			add_asked(tx, person, number, &n, text);
	if (n > DECIDE_LOANS_FOUND)
		chat_text_add(text, "\nand %zu more", n - DECIDE_LOANS_FOUND);
}

static bool
is_called(const struct deployment *work, const char *name)
{
	const char *slash = strrchr(name, '/');

	return slash == NULL ? strcmp(work->argument, name) == 0 :
			       strcmp(work->argument, slash + 1) == 0 &&
		strncmp(work->environment, name, (size_t)(slash - name) + 1) == 0;
}

struct wanted {
	int64_t person;
	const char *name; /* "": any */
};

/* Those of that state: their numbers, as many as are listed, and a line for each.  How many there
 * are. */
static size_t
find_in(struct tx *tx, const struct wanted *wanted, enum loan_state state,
    int64_t ret[DECIDE_LOANS_FOUND], struct chat_text *text)
{
	struct deployment work;
	struct loan_row row;
	size_t n = 0;

	for (int64_t number = 0; (number = row_loan_next(tx, state, number)) != 0 && !tx->failed;) {
		row_deployment_get(tx, number, &work);
		if ((wanted->name[0] != '\0' && !is_called(&work, wanted->name)) ||
		    !decide_loan_may_end(tx, wanted->person, &work))
			continue;
		if (n++ >= DECIDE_LOANS_FOUND)
			continue; /* it is counted */
		ret[n - 1] = number;
		row = row_loan_get(tx, number);
		add_line(tx, &work, &row, text);
	}
	if (n > DECIDE_LOANS_FOUND)
		chat_text_add(text, "\nand %zu more", n - DECIDE_LOANS_FOUND);
	return n;
}

void
decide_loan_find(struct tx *tx, int64_t person, const char *name, struct decide_loans_found *ret,
    struct chat_text *text)
{
	const struct wanted wanted = { person, name };
	int64_t ending[DECIDE_LOANS_FOUND] = { 0 };

	*ret = (struct decide_loans_found){ .n = 0 };
	ret->n = find_in(tx, &wanted, LOAN_GIVEN, ret->number, text);
	(void)find_in(tx, &wanted, LOAN_ENDING, ending, text);
	ret->ending = ending[0];
}

void
decide_loan_list(struct tx *tx, int64_t person, struct chat_text *text)
{
	struct chat_text lines = CHAT_TEXT_EMPTY;
	struct decide_loans_found found;

	list_asked(tx, person, text);
	decide_loan_find(tx, person, "", &found, &lines);
	if (lines.buf.size > 0)
		chat_text_add(text,
		    "\n\nLent now; " MARK_CODE "/revoke <number>" MARK_CODE " ends it:%s",
		    buf_text(&lines.buf));
	buf_done(&lines.buf);
}
