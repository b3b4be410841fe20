/* cli_audit_print.c - an entry of the audit for people, programs and spreadsheets.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "cli/audit/cli_audit_print.h"

#include "lib/buf.h"
#include "lib/clean.h"
#include "lib/text.h"
#include "store/audit_chain.h"

#define SHOWN	     160 /* bytes of a value in a line of text */
#define NAMED_SHOWN  520 /* bytes of what was changed, which is shown whole */
#define COMMIT_SHOWN 7
#define DIGEST_SHOWN 12

enum audit_format
audit_format_of(const char *word)
{
	static const char *const words[] = { "text", "json", "csv" };

	return (enum audit_format)text_index(word, words, COUNT(words));
}

/* --- text --- */

/* Nothing of it moves a terminal's cursor or turns its text round. */
static void
print_clean(FILE *out, const char *before, const char *value, size_t room)
{
	char raw[AUDIT_LINE_MAX], clean[AUDIT_LINE_MAX];

	(void)text_copy(raw, room < sizeof(raw) ? room : sizeof(raw), value);
	(void)clean_line(clean, sizeof(clean), raw, strlen(raw));
	if (clean[0] != '\0')
		(void)fprintf(out, "%s%s", before, clean);
}

static const char *
value_of(const struct audit_fields *fields, const char *key, char *out, size_t room)
{
	return audit_field_text(audit_fields_get(fields, key), out, room);
}

/* What is shown with its name, where an entry has it: of settings, and of a start. */
static const char *const named[] = { "changed", "was", "is", "applications", "refused_file",
	"program", "restored" };

static void
print_text(FILE *out, const struct audit_fields *fields, const char *name)
{
	char seq[24], at[40], severity[16], code[64], value[AUDIT_LINE_MAX];
	bool is_upload;

	(void)value_of(fields, "severity", severity, sizeof(severity));
	if (value_of(fields, "code", code, sizeof(code))[0] == '\0')
		(void)value_of(fields, "action", code, sizeof(code));
	(void)fprintf(out, "%s %s %-8s %s", value_of(fields, "seq", seq, sizeof(seq)),
	    value_of(fields, "timestamp", at, sizeof(at)), severity, code);
	if (value_of(fields, "environment", value, sizeof(value))[0] == '\0' &&
	    value_of(fields, "application", value, sizeof(value))[0] == '\0')
		(void)value_of(fields, "identity", value, sizeof(value)); /* of an agent */
	print_clean(out, " ", value, SHOWN);
	print_clean(out, " #", value_of(fields, "deployment", value, sizeof(value)), SHOWN);
	is_upload = strcmp(value_of(fields, "source", value, sizeof(value)), "upload") == 0;
	print_clean(out, is_upload ? " upload " : " ",
	    value_of(fields, "commit", value, sizeof(value)),
	    is_upload ? DIGEST_SHOWN + 1 : COMMIT_SHOWN + 1);
	print_clean(out, ": ", value_of(fields, "outcome", value, sizeof(value)), SHOWN);
	print_clean(out, ", ", value_of(fields, "user_id", value, sizeof(value)), SHOWN);
	if (name[0] != '\0') {
		print_clean(out, " (", name, SHOWN);
		(void)fputc(')', out);
	}
	print_clean(out, ", ", value_of(fields, "need", value, sizeof(value)), SHOWN);
	print_clean(out, ", ", value_of(fields, "factor", value, sizeof(value)), SHOWN);
	print_clean(out, ": ", value_of(fields, "reason", value, sizeof(value)), SHOWN);
	print_clean(out, ": ", value_of(fields, "detail", value, sizeof(value)), SHOWN);
	for (size_t i = 0; i < COUNT(named); i++) {
		char before[32];

		(void)snprintf(before, sizeof(before), ", %s ", named[i]);
		print_clean(
		    out, before, value_of(fields, named[i], value, sizeof(value)), NAMED_SHOWN);
	}
	(void)fputc('\n', out);
}

void
audit_print_whole(FILE *out, const struct audit_fields *fields, const char *name)
{
	char value[AUDIT_LINE_MAX];

	for (size_t i = 0; i < fields->n; i++) {
		const struct audit_field *field = &fields->at[i];

		(void)fprintf(out, "%-15.*s", (int)field->key_size, field->key);
		print_clean(out, " ", audit_field_text(field, value, sizeof(value)), sizeof(value));
		(void)fputc('\n', out);
	}
	if (name[0] != '\0') {
		(void)fputs("(user_id is    ", out);
		print_clean(out, " ", name, SHOWN);
		(void)fputs(", a name that is not part of the entry)\n", out);
	}
}

/* --- CSV --- */

static const char *const columns[] = { "seq", "timestamp", "version", "severity", "code", "action",
	"violation_type", "user_id", "principal", "application", "environment", "commit",
	"deployment", "outcome", "need", "factor", "prev", "hash" };

/* A value in quotes, on one line and without controls, and harmless in a spreadsheet: behind a '
 * where it would be taken for a formula. */
static void
print_cell(FILE *out, const char *value)
{
	char clean[AUDIT_LINE_MAX];

	(void)clean_line(clean, sizeof(clean), value, strlen(value));
	(void)fputc('"', out);
	if (clean[0] != '\0' && strchr("=+-@", clean[0]) != NULL)
		(void)fputc('\'', out);
	for (const char *at = clean; *at != '\0'; at++) {
		if (*at == '"')
			(void)fputc('"', out);
		(void)fputc(*at, out);
	}
	(void)fputc('"', out);
}

/* What is no column of its own. */
static void
print_rest(FILE *out, const struct audit_fields *fields)
{
	struct audit_fields rest = { 0 };
	CLEANUP(buf_done) struct buf text = buf_make(AUDIT_LINE_MAX);
	char key[64];

	for (size_t i = 0; i < fields->n; i++) {
		(void)snprintf(
		    key, sizeof(key), "%.*s", (int)fields->at[i].key_size, fields->at[i].key);
		if (text_index(key, columns, COUNT(columns)) == COUNT(columns))
			rest.at[rest.n++] = fields->at[i];
	}
	audit_fields_write(&rest, NULL, false, &text);
	print_cell(out, buf_text(&text));
}

static void
print_csv(FILE *out, const struct audit_fields *fields)
{
	char value[AUDIT_LINE_MAX];

	for (size_t i = 0; i < COUNT(columns); i++) {
		print_cell(out, value_of(fields, columns[i], value, sizeof(value)));
		(void)fputc(',', out);
	}
	print_rest(out, fields);
	(void)fputs("\r\n", out);
}

void
audit_print_head(FILE *out, enum audit_format format)
{
	if (format != AUDIT_CSV)
		return;
	for (size_t i = 0; i < COUNT(columns); i++)
		(void)fprintf(out, "\"%s\",", columns[i]);
	(void)fputs("\"details\"\r\n", out);
}

/* --- one of them --- */

void
audit_print(FILE *out, enum audit_format format, const char *line, size_t size,
    const struct audit_fields *fields, const char *name)
{
	switch (format) {
	case AUDIT_JSON:
		(void)fwrite(line, 1, size, out);
		(void)fputc('\n', out);
		break;
	case AUDIT_CSV:
		print_csv(out, fields);
		break;
	default:
		print_text(out, fields, name);
	}
}
