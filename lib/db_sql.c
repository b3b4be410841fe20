/* db_sql.c - word by word; what stands in quotes is not looked at.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "lib/db_sql.h"

#include "lib/buf.h"

#define LETTERS "abcdefghijklmnopqrstuvwxyz_ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

static const struct word {
	const char *from, *to;
	bool in_scripts; /* there alone */
	bool of_several; /* where it has several arguments */
} words[] = {
	{ "instr", "strpos", false, false },
	{ "CROSS", "", false, false }, /* of a join whose order is SQLite's plan */
	{ "MAX", "GREATEST", false, true },
	{ "MIN", "LEAST", false, true },
	{ "max", "GREATEST", false, true },
	{ "min", "LEAST", false, true },
	{ "INTEGER", "BIGINT", true, false },
	{ "BLOB", "BYTEA", true, false },
	{ "VIRTUAL", "STORED", true, false },
	{ "AUTOINCREMENT", "", true, false },
};

/* Behind the text in quotes that begins there. */
static const char *
behind_quotes(const char *at)
{
	const char *end = strchr(at + 1, '\'');

	return end == NULL ? at + strlen(at) : end + 1;
}

/* Has the parenthesis a comma of its own? */
static bool
has_several(const char *at)
{
	int depth = 0;

	if (*at != '(')
		return false;
	while (*at != '\0') {
		if (*at == '\'') {
			at = behind_quotes(at);
			continue;
		}
		depth += *at == '(' ? 1 : *at == ')' ? -1 : 0;
		if (depth == 0 || (depth == 1 && *at == ','))
			return depth == 1;
		at++;
	}
	return false;
}

/* Does the column's definition say how it is ordered? */
static bool
has_collation(const char *at)
{
	const char *said = strstr(at, "COLLATE");

	return said != NULL && said < at + strcspn(at, ",)");
}

/* Puts the word that stands there, and gives what is behind it. */
static const char *
put_word(struct buf *out, const char *at, size_t size, bool is_script)
{
	if (size == 7 && strncmp(at, "INDEXED", size) == 0) {
		at += sizeof("INDEXED BY ") - 1;
		return at + strspn(at, LETTERS);
	}
	if (is_script && size == 4 && strncmp(at, "TEXT", size) == 0) {
		buf_adds(out, has_collation(at) ? "TEXT" : "TEXT COLLATE \"C\"");
		return at + size;
	}
	if (is_script && size == 6 && strncmp(at, "STRICT", size) == 0)
		return at + strcspn(at, ";");
	for (size_t i = 0; i < COUNT(words); i++) {
		const struct word *word = &words[i];

		if (strlen(word->from) == size && strncmp(at, word->from, size) == 0 &&
		    (is_script || !word->in_scripts) &&
		    (!word->of_several || has_several(at + size))) {
			buf_adds(out, word->to);
			return at + size;
		}
	}
	buf_add(out, at, size);
	return at + size;
}

char *
db_sql_translate(const char *sql, bool is_script)
{
	struct buf out = buf_make(SIZE_MAX / 16); /* a constant of the program */
	const char *at = sql, *end;
	int n = 0;

	while (*at != '\0') {
		size_t size = strspn(at, LETTERS);

		if (size > 0) {
			at = put_word(&out, at, size, is_script);
		} else if (*at == '\'') {
			end = behind_quotes(at);
			buf_add(&out, at, (size_t)(end - at));
			at = end;
		} else if (*at == '?') {
			buf_addf(&out, "$%d", ++n);
			at++;
		} else {
			buf_addc(&out, *at++);
		}
	}
	return buf_take(&out);
}
