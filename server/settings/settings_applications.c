/* settings_applications.c - a file of settings for each application, read into the main snapshot.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "settings/sources/settings_folder.h"
#include "settings/settings_inside.h"

/* --- one of them --- */

static bool
was_said(const struct settings_report *report, const char *text)
{
	for (size_t i = 0; i < report->count; i++)
		if (strcmp(report->lines[i].text, text) == 0)
			return true;
	return false;
}

/* What is said of an application, but not what was said of the main file and holds here too.  None
 * of it keeps the server from starting. */
static void
pass_on(struct settings_report *to, const struct settings_report *from, const char *application)
{
	for (size_t i = 0; i < from->count; i++) {
		const struct settings_line *line = &from->lines[i];
		struct settings_line *passed = was_said(to, line->text) ?
		    NULL :
		    settings_say(to,
			line->severity == SETTINGS_ERROR ? SETTINGS_FLAW : line->severity, "%s: %s",
			application, line->text);

		if (passed == NULL)
			continue;
		passed->is_listed = line->is_listed;
		passed->is_removed = line->is_removed;
		text_set(passed->application, application);
	}
}

/* Which stands for all that is wrong with the file: nothing else of it is in force. */
static struct settings_line *
first_error(struct settings_report *report)
{
	for (size_t i = 0; i < report->count; i++)
		if (report->lines[i].severity == SETTINGS_ERROR)
			return &report->lines[i];
	return NULL;
}

static void
refuse_file(
    struct settings_loader *l, struct settings_line *line, const char *file, const char *reason)
{
	struct settings_inside *in = l->s->inside;

	if (line != NULL)
		line->is_listed = true;
	settings_refuse(&in->refused, &in->refused_count, file, reason);
}

/* The main file's sources behind the application's own.  Files stay the main loader's. */
static void
look_behind(struct settings_loader *l, const struct settings_loader *main)
{
	for (size_t i = 0; i < main->count && l->count < SETTINGS_SOURCES_MAX; i++) {
		l->sources[l->count] = main->sources[i];
		l->files[l->count++] = main->files[i];
	}
}

/* What is typed as `/freeze all` is of every application. */
static void
check_name(struct settings_loader *l)
{
	static const char what[] =
	    "/freeze all freezes every application, never this one alone: give its file another name, with RENAMED_FROM=all";

	if (strcmp(l->s->application, "all") == 0)
		settings_warn(l, settings_say(l->report, SETTINGS_WARNING, "%s", what),
		    l->s->application, what);
}

/* NULL: it cannot be read; that and its mistakes are in the report. */
static struct settings *
load_application(const struct settings_loader *main, const char *application, const char *path,
    struct settings_report *report)
{
	CLEANUP(settings_unrefp) struct settings *s = settings_make_empty(application);
	struct settings_loader l = { .s = s, .main = main->s, .report = report, .own = 1 };
	bool is_read = false;
	struct err err;

	l.sources[l.count++].file = path;
	if (!env_file_read(&l.files[0], path, &err)) {
		settings_say(report, SETTINGS_ERROR, "%s", err.text);
	} else {
		look_behind(&l, main);
		settings_take_all(&l);
		check_name(&l);
		is_read = true;
	}
	env_file_done(&l.files[0]);
	/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): CLEANUP frees it */
	return is_read ? TAKE(s) : NULL;
}

/* With a mistake in its file, and none that runs: it is known, and gets no work. */
static void
refuse_work(struct settings *s, const char *file, const char *reason)
{
	for (size_t i = 0; i < s->inside->member_count; i++) {
		struct settings_member *member = s->inside->members[i];

		text_setf(
		    member->refusal, "%s has a mistake: %.180s", file, reason); /* cut is fine */
		free(member->shared);
		member->shared = NULL;
	}
}

/* What was warned of in the file that stays in force. */
static void
keep_warnings(struct settings_loader *l, const char *file)
{
	for (size_t i = 0; l->running != NULL && i < l->running->warned_count; i++)
		if (strcmp(l->running->warned[i].file, file) == 0)
			settings_warn(l, NULL, file, l->running->warned[i].reason);
}

static bool
is_warned_of(const struct settings *s, const char *file, const char *reason)
{
	for (size_t i = 0; i < s->warned_count; i++)
		if (strcmp(s->warned[i].file, file) == 0 &&
		    strcmp(s->warned[i].reason, reason) == 0)
			return true;
	return false;
}

/* Adds what the settings just read warn of, be they in force or refused: all that is in the list is
 * logged once, whatever line of its file it moves to. */
static void
add_warnings(struct settings_loader *l, const char *file, const struct settings *fresh)
{
	for (size_t i = 0; i < fresh->warned_count; i++)
		if (!is_warned_of(l->s, file, fresh->warned[i].reason))
			settings_warn(l, NULL, file, fresh->warned[i].reason);
}

/* Which snapshot of an application it is: the one just read, or the running one. */
static struct settings *
choose(struct settings_loader *l, const char *application, struct settings *fresh,
    struct settings *running, struct settings_report *report)
{
	char file[ENVIRONMENT_NAME_MAX + 8];
	struct settings_line *error;
	const char *reason;

	text_setf(file, "%.20s.env", application);
	if (report->errors > 0) {
		keep_warnings(l, file);
		if (fresh != NULL)
			add_warnings(l, file, fresh);
		error = first_error(report);
		reason = error == NULL ? "" : error->text;
		refuse_file(l, error, file, reason);
		if (running == NULL && fresh != NULL)
			refuse_work(fresh, file, reason);
		return running != NULL ? running : fresh;
	}
	assert(fresh != NULL); /* or there was an error */
	add_warnings(l, file, fresh);
	return running != NULL && settings_are_same(running, fresh) ? running : fresh;
}

/* The one that runs now; NULL: none does. */
static struct settings *
running_application(const struct settings_loader *l, const char *application)
{
	for (size_t i = 0; l->running != NULL && i < l->running->application_count; i++)
		if (strcmp(l->running->applications[i]->application, application) == 0)
			return l->running->applications[i];
	return NULL;
}

/* NULL: none. */
static struct settings *
read_application(struct settings_loader *l, const char *application, const char *path)
{
	CLEANUP(freep) struct settings_report *report = mem_new(1, sizeof(*report));
	CLEANUP(settings_unrefp) struct settings *fresh = NULL;
	struct settings *chosen;

	fresh = load_application(l, application, path, report);
	chosen = choose(l, application, fresh, running_application(l, application), report);
	if (l->asked == NULL || strcmp(l->asked, application) == 0)
		pass_on(l->report, report, application);
	return chosen == NULL ? NULL : settings_ref(chosen);
}

/* --- all of them --- */

static void
add_application(
    struct settings_loader *l, const struct settings_folder_file *file, const char *path)
{
	struct settings_inside *in = l->s->inside;
	struct settings *s = running_application(l, file->application);
	char name[ENVIRONMENT_NAME_MAX + 8];

	text_setf(name, "%.20s.env", file->application);
	if (!file->is_kept) {
		s = read_application(l, file->application, path);
	} else if (s != NULL) {
		keep_warnings(l, name);
		s = settings_ref(s);
	}
	if (s != NULL)
		in->applications[in->application_count++] = s;
}

static void
add_applications(
    struct settings_loader *l, const char *directory, const struct settings_folder *folder)
{
	struct settings_inside *in = l->s->inside;
	char path[SETTING_APPS_FILE_MAX];

	in->applications = mem_new(folder->count + 1, sizeof(struct settings *));
	for (size_t i = 0; i < folder->refused_count; i++) {
		const char *file = folder->refused[i].file, *reason = folder->refused[i].reason;

		refuse_file(l,
		    settings_say(l->report, SETTINGS_FLAW, "%s/%s: %s", directory, file, reason),
		    file, reason);
	}
	for (size_t i = 0; i < folder->count; i++)
		add_application(l, &folder->files[i],
		    setting_apps_file(directory, folder->files[i].application, path));
}

static const char *
settings_file(const struct settings_loader *l)
{
	for (size_t i = 0; i < l->count; i++)
		if (l->sources[i].file != NULL)
			return l->sources[i].file;
	return NULL;
}

void
settings_take_applications(struct settings_loader *l)
{
	const char *given = settings_text(l->s, SETTING_APPS_DIRECTORY);
	char directory[SETTING_PART_MAX + 1];
	struct settings_folder folder;
	struct err err;

	if (!setting_apps_directory(settings_file(l), given, directory))
		return;
	if (l->folder != NULL) {
		add_applications(l, directory, l->folder);
	} else if (settings_folder_read(&folder, directory, settings_file(l), &err)) {
		add_applications(l, directory, &folder);
		settings_folder_done(&folder);
	} else if (given != NULL || err.code != ERR_MISSING) {
		refuse_file(l,
		    settings_say(l->report, SETTINGS_FLAW, "APPS_DIRECTORY: %s", err.text), "",
		    err.text);
	}
}
