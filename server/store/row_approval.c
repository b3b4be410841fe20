/* row_approval.c - who approved which work, when, as what; what was shown to them.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/row_approval.h"

#include "store/row_token.h"
#include "store/store_inside.h"

void
row_approval_add(struct tx *tx, int64_t work, const struct approval *approval)
{
	(void)tx_run(tx,
	    "INSERT INTO approval (work, person, name, role, at, binding, factor, token, id)"
	    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING",
	    DB_I64(work), DB_I64(approval->person), DB_TEXT(approval->name),
	    DB_TEXT(approval->role), DB_I64(approval->at), DB_TEXT(approval->binding),
	    DB_TEXT(tx->factor_of == approval->person ? "totp" : ""),
	    DB_I64(row_token_acting(tx, approval->person)),
	    DB_I64(tx_next_id(tx, STORE_ID_APPROVAL))); /* sticky */
}

void
row_approval_void(struct tx *tx, int64_t work, int64_t person, const char *why)
{
	(void)tx_run(tx,
	    "UPDATE approval SET voided_at = $3, void_why = $4"
	    " WHERE work = $1 AND person = $2 AND voided_at = 0",
	    DB_I64(work), DB_I64(person), DB_I64(tx->at), DB_TEXT(why)); /* sticky */
}

TX_READER(read_approval, struct approval, TX_I64(person), TX_TEXT(name), TX_TEXT(role), TX_I64(at),
    TX_TEXT(binding), TX_FLAG(has_factor), TX_I64(token_maker), TX_I64(token_account))

size_t
row_approval_list(struct tx *tx, int64_t work, struct approval ret[NEEDS_APPROVALS_MAX])
{
	return tx_read(tx, read_approval, ret, NEEDS_APPROVALS_MAX,
	    "SELECT a.person, a.name, a.role, a.at, a.binding, a.factor <> '',"
	    " COALESCE(t.made_by, 0), COALESCE(t.person, 0)"
	    " FROM approval a LEFT JOIN token t ON t.id = a.token"
	    " WHERE a.work = $1 AND a.voided_at = 0 ORDER BY a.id LIMIT $2",
	    DB_I64(work), DB_I64(NEEDS_APPROVALS_MAX));
}

bool
row_approval_is_of(struct tx *tx, int64_t work, int64_t person)
{
	return tx_number(tx,
		   "SELECT COUNT(*) FROM approval WHERE work = $1 AND person = $2 AND voided_at = 0",
		   DB_I64(work), DB_I64(person)) > 0;
}

bool
row_approval_has_void(struct tx *tx, int64_t work)
{
	return tx_number(tx, "SELECT COUNT(*) FROM approval WHERE work = $1 AND voided_at <> 0",
		   DB_I64(work)) > 0;
}

void
row_approval_ask(struct tx *tx, int64_t work, const struct approval_request *request)
{
	(void)tx_run(tx,
	    "INSERT INTO approval_request"
	    " (work, asked_at, timer, is_reminded, changes, n_changes, binding, left_at)"
	    " VALUES ($1, $2, $3, $4, $5, $6, $7, 0) ON CONFLICT (work) DO UPDATE SET"
	    " asked_at = $2, timer = $3, is_reminded = $4, changes = $5, n_changes = $6,"
	    " binding = $7, left_at = 0",
	    DB_I64(work), DB_I64(request->asked_at), DB_I64(request->timer),
	    DB_I64(request->is_reminded), DB_TEXT(request->changes), DB_I64(request->n_changes),
	    DB_TEXT(request->binding)); /* sticky */
}

TX_READER(read_request, struct approval_request, TX_I64(asked_at), TX_I64(timer),
    TX_FLAG(is_reminded), TX_TEXT(changes), TX_I64(n_changes), TX_TEXT(binding), TX_I64(left_at))

struct approval_request *
row_approval_request(struct tx *tx, int64_t work, struct approval_request *ret)
{
	if (work == 0) {
		*ret = (struct approval_request){ 0 };
		return ret;
	}
	return tx_first_to(tx, read_request, ret,
	    "SELECT asked_at, timer, is_reminded, changes, n_changes, binding, left_at"
	    " FROM approval_request WHERE work = $1",
	    DB_I64(work));
}

void
row_approval_set_timer(struct tx *tx, int64_t work, int64_t timer, bool is_reminded)
{
	(void)tx_run(tx, "UPDATE approval_request SET timer = $2, is_reminded = $3 WHERE work = $1",
	    DB_I64(work), DB_I64(timer), DB_I64(is_reminded)); /* sticky */
}

void
row_approval_set_compared(
    struct tx *tx, const char *environment, const char *but, const char *compared)
{
	(void)tx_run(tx,
	    "UPDATE work SET compared_live = $3 WHERE id IN ("
	    "SELECT id FROM work INDEXED BY work_asking WHERE environment = $1"
	    " AND state = 'AWAITING_APPROVAL' AND " STORE_IS_ASKING
	    " UNION ALL SELECT id FROM work INDEXED BY work_queued WHERE environment = $1"
	    " AND state = 'QUEUED' AND approvers <> '')"
	    " AND commit_id <> $2 AND is_foreign = 0",
	    DB_TEXT(environment), DB_TEXT(but), DB_TEXT(compared)); /* sticky */
}

void
row_approval_leave(struct tx *tx, int64_t work)
{
	(void)tx_run(tx, "UPDATE approval_request SET timer = 0, left_at = $2 WHERE work = $1",
	    DB_I64(work), DB_I64(tx->at)); /* sticky */
}

int64_t
row_approval_next(struct tx *tx, int64_t after)
{
	return tx_number(tx,
	    "SELECT id FROM work INDEXED BY work_approval WHERE state = 'AWAITING_APPROVAL'"
	    " AND id > $1 ORDER BY id LIMIT 1",
	    DB_I64(after));
}

size_t
row_approval_list_waiting(struct tx *tx, const char *environment, int64_t *ret, size_t max)
{
	return tx_read(tx, tx_read_number, ret, max,
	    "SELECT id FROM work INDEXED BY work_approval WHERE state = 'AWAITING_APPROVAL'"
	    " AND environment = $1 ORDER BY id LIMIT $2",
	    DB_TEXT(environment), DB_I64(max));
}

int64_t
row_approval_next_of(struct tx *tx, int64_t person, int64_t after)
{
	return tx_number(tx,
	    "SELECT a.work FROM approval a JOIN work w ON w.id = a.work WHERE a.person = $1"
	    " AND a.voided_at = 0 AND a.work > $2"
	    " AND (w.state = 'AWAITING_APPROVAL' OR w.state = 'QUEUED') ORDER BY a.work LIMIT 1",
	    DB_I64(person), DB_I64(after));
}

bool
row_approval_is_shown(struct tx *tx, int64_t work, int64_t chat, int64_t before)
{
	return tx_number(tx,
		   "SELECT COUNT(*) FROM (SELECT message FROM work WHERE id = $1"
		   " UNION SELECT also_message FROM work WHERE id = $1"
		   " UNION SELECT message FROM work_shown WHERE work = $1) AS s"
		   " CROSS JOIN message m ON m.id = s.message" /* in this order */
		   " CROSS JOIN approval_request r ON r.work = $1 WHERE m.chat = $2"
		   " AND m.at >= r.asked_at AND m.remote_id <> 0 AND ($3 = 0 OR m.remote_id < $3)",
		   DB_I64(work), DB_I64(chat), DB_I64(before)) > 0;
}
