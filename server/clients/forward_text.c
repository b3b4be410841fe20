/* forward_text.c - reads an entry's fields, and writes them for those that collect entries.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "clients/forward_text.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>

#include "lib/buf.h"
#include "lib/clean.h"
#include "lib/json.h"

#define FACILITY   13 /* log audit */
#define VALUE	   256
#define MSGID_MOST 32
#define TIMESTAMP  "2026-11-20T07:10:48.123Z"

static const char *const shown[] = { "seq", "code", "action", "severity", "violation_type",
	"user_id", "principal", "application", "environment", "commit", "deployment", "outcome" };

/* Severities of syslog, for those of both versions. */
static const struct {
	const char *word;
	int severity;
} severities[] = { { "critical", 2 }, { "alert", 3 }, { "high", 3 }, { "medium", 4 },
	{ "warning", 4 }, { "low", 5 }, { "info", 6 } };

static int
severity_of(const struct json *entry)
{
	const char *word = json_get_str(entry, "severity");

	for (size_t i = 0; word != NULL && i < COUNT(severities); i++)
		if (strcmp(word, severities[i].word) == 0)
			return severities[i].severity;
	return 5; /* notice */
}

/* "": there is none, or it is null. */
static const char *
value_of(const struct json *entry, const char *name, char out[VALUE])
{
	const struct json *value = json_get(entry, name);
	int64_t number;

	out[0] = '\0';
	if (json_str(value) != NULL)
		return clean_line(out, VALUE, json_str(value), json_str_size(value));
	if (json_get_i64(entry, name, &number))
		(void)snprintf(out, VALUE, "%" PRId64, number);
	return out;
}

/* A word of a header: printable ASCII without a blank, "-" for none. */
static void
add_word(struct buf *out, const char *text, size_t most)
{
	size_t n = 0;

	for (; text[n] != '\0' && n < most; n++)
		buf_addc(out, text[n] > ' ' && text[n] < 0x7f ? text[n] : '_');
	if (n == 0)
		buf_addc(out, '-');
}

/* --- syslog --- */

/* A digit where it has one, and every other character. */
static bool
is_timestamp(const char *text)
{
	static const char form[] = TIMESTAMP;

	for (size_t i = 0; i < sizeof(form); i++)
		if (isdigit((unsigned char)form[i]) ? !isdigit((unsigned char)text[i]) :
						      text[i] != form[i])
			return false;
	return true;
}

static void
add_parameters(struct buf *out, const struct json *entry)
{
	char value[VALUE];

	for (size_t i = 0; i < COUNT(shown); i++) {
		if (value_of(entry, shown[i], value)[0] == '\0')
			continue;
		buf_addf(out, " %s=\"", shown[i]);
		for (const char *c = value; *c != '\0'; c++) {
			if (*c == '"' || *c == '\\' || *c == ']')
				buf_addc(out, '\\');
			buf_addc(out, *c);
		}
		buf_addc(out, '"');
	}
}

static void
add_message(struct buf *out, const char *host, const struct json *entry)
{
	const char *at = json_get_str(entry, "timestamp");
	char code[VALUE];

	if (value_of(entry, "code", code)[0] == '\0')
		(void)value_of(entry, "action", code); /* of the first version */
	buf_addf(out, "<%d>1 %s ", FACILITY * 8 + severity_of(entry),
	    at != NULL && is_timestamp(at) ? at : "-");
	add_word(out, host, 255);
	buf_adds(out, " deploybot - "); /* no process: the same entry is the same frame */
	add_word(out, code, MSGID_MOST);
	buf_adds(out, " [deploybot@32473");
	add_parameters(out, entry);
	buf_adds(out, "] ");
}

void
forward_text_syslog(struct buf *out, const char *host, const char *line, size_t size)
{
	CLEANUP(json_freep) struct json *entry = json_decode(line, size, NULL);
	CLEANUP(buf_done) struct buf message = buf_make(size + FORWARD_TEXT_MORE);

	add_message(&message, host, entry);
	buf_add(&message, line, size);
	buf_addf(out, "%zu ", message.size);
	buf_add(out, buf_text(&message), message.size);
	buf_fail_like(out, &message);
}

/* --- the journal --- */

void
forward_text_journal(struct buf *out, const char *line, size_t size)
{
	CLEANUP(json_freep) struct json *entry = json_decode(line, size, NULL);
	char value[VALUE];

	buf_addf(out, "PRIORITY=%d\nSYSLOG_FACILITY=%d\nSYSLOG_IDENTIFIER=deploybot-audit\n",
	    severity_of(entry), FACILITY);
	for (size_t i = 0; i < COUNT(shown); i++) {
		if (value_of(entry, shown[i], value)[0] == '\0')
			continue;
		buf_adds(out, "DEPLOYBOT_");
		for (const char *c = shown[i]; *c != '\0'; c++)
			buf_addc(out, (char)toupper((unsigned char)*c));
		buf_addf(out, "=%s\n", value);
	}
	buf_adds(out, "MESSAGE=");
	buf_add(out, line, size);
	buf_addc(out, '\n');
}
