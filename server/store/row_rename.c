/* row_rename.c - columns with names of environments, but the audit's; what forges have said.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/row_rename.h"

#include "store/store_inside.h"

bool
row_rename_has_rows(struct tx *tx, const char *environment)
{
	return tx_number(tx,
		   "SELECT EXISTS (SELECT 1 FROM environment WHERE name = $1)"
		   " OR EXISTS (SELECT 1 FROM work WHERE environment = $1)",
		   DB_TEXT(environment)) != 0;
}

bool
row_rename_has_history(struct tx *tx, const char *environment)
{
	return tx_number(tx,
		   "SELECT EXISTS (SELECT 1 FROM release WHERE environment = $1)"
		   " OR EXISTS (SELECT 1 FROM work WHERE environment = $1)",
		   DB_TEXT(environment)) != 0;
}

void
row_rename(struct tx *tx, const char *from, const char *to)
{
	static const char *const statements[] = {
		/* What polling noted of the new name while the old one was waited for. */
		"DELETE FROM environment WHERE name = $2 AND $1 <> $2",
		"UPDATE environment SET name = $2 WHERE name = $1",
		"UPDATE release SET environment = $2 WHERE environment = $1",
		"DELETE FROM block WHERE environment = $2 AND $1 <> $2"
		" AND commit_id IN (SELECT commit_id FROM block WHERE environment = $1)",
		"UPDATE block SET environment = $2 WHERE environment = $1",
		"UPDATE work SET environment = $2 WHERE environment = $1",
		"DELETE FROM left_host WHERE environment = $2 AND $1 <> $2"
		" AND host IN (SELECT host FROM left_host WHERE environment = $1)",
		"UPDATE left_host SET environment = $2 WHERE environment = $1",
		"DELETE FROM host WHERE environment = $2 AND $1 <> $2"
		" AND name IN (SELECT name FROM host WHERE environment = $1)",
		"UPDATE host SET environment = $2 WHERE environment = $1",
		"UPDATE promotion SET environment = $2 WHERE environment = $1",
		"UPDATE promotion SET from_environment = $2 WHERE from_environment = $1",
		"UPDATE hold SET target = $2 WHERE target = $1",
		"UPDATE hold SET target = substr($2, 1, instr($2, '/')) || '*'"
		" WHERE instr($2, '/') > 0 AND instr($1, '/') > 0"
		" AND target = substr($1, 1, instr($1, '/')) || '*'",
		"UPDATE button SET target = $2 WHERE target = $1",
		/* A quote in a text of theirs is escaped: this is the member, and no other. */
		("UPDATE effect SET body = REPLACE(body, '\"environment\":\"' || $1 || '\"',"
		 " '\"environment\":\"' || $2 || '\"')"
		 " WHERE instr(body, '\"environment\":\"' || $1 || '\"') > 0"),
	};

	for (size_t i = 0; i < COUNT(statements); i++)
		(void)tx_run(tx, statements[i], DB_TEXT(from), DB_TEXT(to)); /* sticky */
	/* Which is removed. */
	store_names_add(&tx->store->stale, from);
	store_names_add(&tx->store->stale, to);
	store_names_add(&tx->store->changed, from);
	store_names_add(&tx->store->changed, to);
}

void
row_rename_pipelines(struct tx *tx, const char *from, const char *to)
{
	static const char *const statements[] = {
		("DELETE FROM pipeline_run WHERE application = $1 AND EXISTS (SELECT 1 FROM"
		 " pipeline_run AS n WHERE n.application = $2"
		 " AND n.repository_id = pipeline_run.repository_id AND n.run = pipeline_run.run)"),
		"UPDATE pipeline_run SET application = $2 WHERE application = $1",
		"UPDATE pipeline_red SET application = $2 WHERE application = $1",
		("DELETE FROM undelivered WHERE hook IN (SELECT id FROM forge_hook AS b WHERE"
		 " b.application = $1 AND EXISTS (SELECT 1 FROM forge_hook AS n"
		 " WHERE n.application = $2 AND n.repository = b.repository))"),
		("DELETE FROM forge_hook WHERE application = $1 AND EXISTS (SELECT 1 FROM"
		 " forge_hook AS n WHERE n.application = $2 AND n.repository = forge_hook.repository)"),
		"UPDATE forge_hook SET application = $2 WHERE application = $1",
	};

	for (size_t i = 0; i < COUNT(statements); i++)
		(void)tx_run(tx, statements[i], DB_TEXT(from), DB_TEXT(to)); /* sticky */
}
