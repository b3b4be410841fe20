/* settings_report.c - what is to say about settings, one line for each.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "settings/sources/settings_folder.h"
#include "settings/settings_inside.h"

#include <errno.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/err.h"

#define LONGEST_WORD 80	  /* longer than that is cut anywhere */
#define FIRST_USER   1000 /* below it are the users of the system (Debian Policy 9.2.2) */

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

/* Who runs this: the user that the package makes, of this system; whom an image has, where files
 * are given by who starts it and not by sudo in there; another one, who is given no secret. */
enum reader { READER_PACKAGES, READER_IMAGES, READER_OTHER };

static enum reader
find_reader(void)
{
	struct passwd entry, *found = NULL;
	char room[4096];

	if (getpwuid_r(geteuid(), &entry, room, sizeof(room), &found) != 0 || found == NULL)
		return READER_IMAGES;
	if (strcmp(found->pw_name, "deploybot") != 0)
		return READER_OTHER;
	return found->pw_uid < FIRST_USER ? READER_PACKAGES : READER_IMAGES;
}

const char *
settings_unread(const char *path, bool is_secret, const struct err *err, char out[SETTINGS_UNREAD])
{
	static const char as_server[] =
	    "run this as the server's user (sudo -u deploybot deploybot)";
	bool is_closed = access(path, R_OK) != 0 && errno == EACCES;
	enum reader reader = find_reader();

	if (!is_closed)
		(void)snprintf(out, SETTINGS_UNREAD, "%s: put it there, for user %u to read",
		    err->text, (unsigned)geteuid());
	else if (reader == READER_PACKAGES)
		(void)snprintf(out, SETTINGS_UNREAD,
		    is_secret ?
			"%s: it has to be the server's: sudo chown deploybot %.140s" :
			"%s: its group has to be the server's: sudo chown root:deploybot %.140s; sudo chmod 0640 %.140s",
		    err->text, path, path);
	else if (reader == READER_OTHER)
		(void)snprintf(out, SETTINGS_UNREAD, "%s: %s", err->text, as_server);
	else
		(void)snprintf(out, SETTINGS_UNREAD, "%s: %s, or let user %u read it", err->text,
		    as_server, (unsigned)geteuid());
	return out;
}

struct settings_line *
settings_say_at(struct settings_report *report, enum settings_severity severity, const char *name,
    const char *place, const char *fmt, ...)
{
	struct settings_line *line;
	const size_t room = sizeof(line->text);
	va_list args;
	size_t used;

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
	used = (size_t)snprintf(line->text, room, "%.88s%s", name, name[0] == '\0' ? "" : ": ");
	va_start(args, fmt);
	used += (size_t)vsnprintf(line->text + used, room - used, fmt, args);
	va_end(args);
	if (used < room)
		used += (size_t)snprintf(line->text + used, room - used, "%s", place);
	if (used >= room)
		cut_at_a_word(line->text);
	for (char *c = line->text; *c != '\0'; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7F) /* a value may hold anything */
			*c = '?';
	return line;
}

const char *
settings_place(
    const struct settings_loader *l, struct settings_found found, char out[SETTINGS_PLACE])
{
	const char *file = found.file;

	/* What refuses an application is read by whoever asks for a deployment: no folder in it. */
	if (l->main != NULL && file != NULL && strcmp(file, l->sources[0].file) == 0)
		file = strrchr(file, '/') + 1;
	out[0] = '\0';
	if (file != NULL)
		(void)snprintf(out, SETTINGS_PLACE, " (%.60s line %u)", file, found.line);
	return out;
}

void
settings_warn(
    struct settings_loader *l, struct settings_line *line, const char *where, const char *what)
{
	struct settings_inside *in = l->s->inside;

	if (line != NULL)
		line->is_listed = true;
	settings_refuse(&in->warned, &in->warned_count, where, what);
	l->s->warned_count = in->warned_count;
	l->s->warned = in->warned;
}
