/* row_principal.c - root's roles, hooks and workflows as rows, whose numbers stand where people stand.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/row_principal.h"

#include <string.h>

#include "lib/text.h"
#include "store/store_inside.h"

static const char *
word_of(enum principal_kind kind)
{
	return kind == PRINCIPAL_HOOK ? "hook" : kind == PRINCIPAL_WORKFLOW ? "workflow" : "root";
}

int64_t
row_principal_of(struct tx *tx, enum principal_kind kind, const char *application, const char *name)
{
	int64_t row = tx_number(tx,
	    "SELECT id FROM principal WHERE kind = $1 AND application = $2 AND name = $3",
	    DB_TEXT(word_of(kind)), DB_TEXT(application), DB_TEXT(name));

	if (row == 0) {
		row = tx_next_id(tx, STORE_ID_PRINCIPAL);
		(void)tx_run(tx,
		    "INSERT INTO principal (id, kind, application, name) VALUES ($1, $2, $3, $4)",
		    DB_I64(row), DB_TEXT(word_of(kind)), DB_TEXT(application),
		    DB_TEXT(name)); /* sticky */
	}
	return principal_of_row(kind, row);
}

int64_t
row_principal_of_id(struct tx *tx, enum principal_kind kind, const char *id)
{
	const char *slash = strchr(id, '/');
	char application[ENVIRONMENT_NAME_MAX];

	text_setf(application, "%.*s", slash == NULL ? 0 : (int)(slash - id),
	    id); /* the loop has found it: it fits */
	return row_principal_of(tx, kind, application, slash == NULL ? id : slash + 1);
}

TX_READER(read_id, struct role_id, TX_TEXT(application), TX_TEXT(name))

bool
row_principal_get(struct tx *tx, int64_t person, struct role_id *ret)
{
	int64_t row = principal_row(person);

	*ret = (struct role_id){ .name = "" };
	return row != 0 &&
	    tx_read(tx, read_id, ret, 1,
		"SELECT application, name FROM principal WHERE id = $1 AND kind = $2", DB_I64(row),
		DB_TEXT(word_of(principal_of_person(person).kind))) == 1;
}

void
row_principal_rename(struct tx *tx, const char *from, const char *to)
{
	tx->who.id = 0;
	(void)tx_run(tx,
	    "UPDATE principal SET application = $2 WHERE application = $1 AND NOT EXISTS"
	    " (SELECT 1 FROM principal p WHERE p.application = $2 AND p.kind = principal.kind"
	    " AND p.name = principal.name)",
	    DB_TEXT(from), DB_TEXT(to)); /* sticky */
}
