/* settings_report.c - what is to say about settings, one line for each.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "settings/settings_folder.h"
#include "settings/settings_inside.h"

#include <stdarg.h>
#include <stdio.h>

#define LONGEST_WORD 80 /* longer than that is cut anywhere */

/* As much of it as fits, whole words. */
static void
cut_at_a_word(char *text)
{
	char *end = &text[strlen(text) - strlen(" ...")];

	for (char *c = end; c > end - LONGEST_WORD; c--)
		if (*c == ' ') {
			end = c;
			break;
		}
	memcpy(end, " ...", sizeof(" ..."));
}

struct settings_line *
settings_say(struct settings_report *report, enum settings_severity severity, const char *fmt, ...)
{
	struct settings_line *line;
	va_list args;

	if (severity == SETTINGS_ERROR)
		report->errors++;
	if (severity == SETTINGS_FLAW)
		report->flaws++;
	if (report->count == SETTINGS_REPORT_MAX) {
		report->left_out++;
		return NULL;
	}
	line = &report->lines[report->count++];
	*line = (struct settings_line){ .severity = severity };
	va_start(args, fmt);
	if (vsnprintf(line->text, sizeof(line->text), fmt, args) >= (int)sizeof(line->text))
		cut_at_a_word(line->text);
	va_end(args);
	for (char *c = line->text; *c != '\0'; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7F) /* a value may hold anything */
			*c = '?';
	return line;
}

void
settings_say_found(struct settings_loader *l, enum settings_severity severity, const char *name,
    struct settings_found found, const char *what)
{
	if (found.file != NULL)
		settings_say(l->report, severity, "%s: %s (%.60s line %u)", name, what, found.file,
		    found.line);
	else
		settings_say(l->report, severity, "%s: %s", name, what);
}

void
settings_warn(
    struct settings_loader *l, struct settings_line *line, const char *where, const char *what)
{
	struct settings_inside *in = l->s->inside;

	if (line != NULL)
		line->is_listed = true;
	if (!settings_refuse(&in->warned, &in->warned_count, where, what))
		settings_say(l->report, SETTINGS_ERROR, "no memory for settings");
	l->s->warned_count = in->warned_count;
	l->s->warned = in->warned;
}
