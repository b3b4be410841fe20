/* Goal: of a statement the words that PostgreSQL has others for are those, and all else stays.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "lib/db_sql.h"
#include "tests/unit/unit.h"

static const struct {
	const char *sql, *want;
} statements[] = {
	{ "SELECT a FROM t INDEXED BY t_a WHERE b = ? AND c = ?",
	    "SELECT a FROM t  WHERE b = $1 AND c = $2" },
	{ "SELECT MAX(a), min(a, b), MAX((SELECT MAX(c) FROM u), 'x,(') FROM t",
	    "SELECT MAX(a), LEAST(a, b), GREATEST((SELECT MAX(c) FROM u), 'x,(') FROM t" },
	{ "SELECT MAX(f(a, b)) FROM t", "SELECT MAX(f(a, b)) FROM t" },
	{ "SELECT instr(a, 'instr(?''') FROM t", "SELECT strpos(a, 'instr(?''') FROM t" },
	{ "SELECT max_instr FROM MAXIMUM CROSS JOIN u ON TEXT = $1",
	    "SELECT max_instr FROM MAXIMUM  JOIN u ON TEXT = $1" },
	{ "SELECT 'no end", "SELECT 'no end" },
	{ "", "" },
};

static const struct {
	const char *sql, *want;
} scripts[] = {
	{ "CREATE TABLE t (a INTEGER PRIMARY KEY AUTOINCREMENT, b BLOB, c TEXT NOT NULL)"
	  " STRICT, WITHOUT ROWID;\nCREATE INDEX t_c ON t (c)",
	    "CREATE TABLE t (a BIGINT PRIMARY KEY , b BYTEA, c TEXT COLLATE \"C\" NOT NULL)"
	    " ;\nCREATE INDEX t_c ON t (c)" },
	{ "CREATE TABLE t (a TEXT NOT NULL COLLATE NOCASE, b TEXT, c TEXT AS (MAX(a, b)) VIRTUAL)",
	    "CREATE TABLE t (a TEXT NOT NULL COLLATE NOCASE, b TEXT COLLATE \"C\","
	    " c TEXT COLLATE \"C\" AS (GREATEST(a, b)) STORED)" },
	{ "INSERT INTO t VALUES ('TEXT STRICT; INTEGER')",
	    "INSERT INTO t VALUES ('TEXT STRICT; INTEGER')" },
};

TEST(a_statement_in_the_other_engines_words)
{
	for (size_t i = 0; i < COUNT(statements); i++) {
		CLEANUP(freep) char *got = db_sql_translate(statements[i].sql, false);

		assert_string_equal(got, statements[i].want);
	}
}

TEST(a_script_besides_has_its_types)
{
	for (size_t i = 0; i < COUNT(scripts); i++) {
		CLEANUP(freep) char *got = db_sql_translate(scripts[i].sql, true);

		assert_string_equal(got, scripts[i].want);
	}
}
