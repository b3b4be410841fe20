/* db_sql.h - the few words of our SQL that PostgreSQL has others for.  Side: store. */
/* SPDX-License-Identifier: ISC */
/*
 * A statement is written once, in what both engines understand; what is left differs by a word:
 * INDEXED BY x, and the CROSS of a join, are plans of SQLite's and go; a ? becomes $n; instr() is
 * strpos(); MAX() and MIN() of several values are GREATEST() and LEAST().  In a script, which makes
 * tables, the types besides: BIGINT, BYTEA, TEXT ordered by its bytes as SQLite does, STORED
 * columns; STRICT and what stands behind it, and AUTOINCREMENT, go.  COLLATE NOCASE stays, as a
 * collation of that name.
 */
#pragma once

#include "lib/base.h"

/* Owned. */
char *db_sql_translate(const char *sql, bool is_script);
