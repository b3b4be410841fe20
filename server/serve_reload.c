/* serve_reload.c - settings read anew: on SIGHUP, and when a file of theirs has changed.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/crash_point.h"
#include "lib/log.h"
#include "lib/text.h"
#include "serve_inside.h"
#include "settings/sources/settings_load.h"
#include "settings/settings_table.h"

/* The message names nobody who changed them: files have no author. */
static void
tell_store(struct serve *serve, const struct settings_read *read)
{
	struct event *event = event_new(EVENT_SETTINGS);

	event->u.settings_read = *read;
	if (!serve_submit(serve, event))
		event_free(event);
}

/* Each save of an editor is a look: people are told of each reason once. */
static void
tell_refused(struct serve *serve, const char *why)
{
	struct settings_read read = { .accepted = false,
		.is_news = !serve->is_refused || strcmp(serve->refused_why, why) != 0 };

	serve->is_refused = true;
	(void)text_copy(serve->refused_why, sizeof(serve->refused_why), why); /* as of lines */
	(void)text_copy(read.changed, sizeof(read.changed), why);	      /* cut is fine */
	metric_set_value(serve->metrics, METRIC_SETTINGS_VALID, 0);
	tell_store(serve, &read);
}

static void
tell_changed(struct serve *serve, const struct settings_change *change)
{
	struct settings_read read = { .accepted = true, .is_valid_again = serve->is_refused };
	const struct settings *settings = serve->settings;

	/* cut is fine, in all of them */
	read.is_cut = !text_copy(read.changed, sizeof(read.changed), buf_text(&change->names));
	(void)text_copy(
	    read.applications, sizeof(read.applications), buf_text(&change->applications));
	(void)text_copy(read.restart, sizeof(read.restart), buf_text(&change->restart_names));
	if (change->refused_differ && settings->refused_count > 0)
		(void)snprintf(read.refused, sizeof(read.refused), "%s: %.180s",
		    settings->refused[0].file, settings->refused[0].reason);
	tell_store(serve, &read);
}

static void
refuse(struct serve *serve, const struct settings_report *report)
{
	const char *first = "";

	for (size_t i = 0; i < report->count; i++) {
		if (report->lines[i].severity != SETTINGS_ERROR)
			continue;
		log_error("settings not changed: %s", report->lines[i].text);
		if (first[0] == '\0')
			first = report->lines[i].text;
	}
	tell_refused(serve, first);
}

/* What is no longer looked at must not be shown for ever as it was last. */
static void
forget_health(const struct serve *serve)
{
	metric_set_forget(serve->metrics, METRIC_HEALTH_URL_UP);
	for (size_t i = 0; i < serve->settings->environment_count; i++) {
		const struct environment_settings *environment = &serve->settings->environments[i];

		if (environment->health_url_count == 0 && environment->health_template == NULL)
			metric_set_health_forget(serve->metrics, environment->name);
	}
}

/* Does such a list name this file, for this reason (NULL: for any)? */
static bool
is_in(const struct settings_refused list[], size_t n, const char *file, const char *reason)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i].file, file) == 0 &&
		    (reason == NULL || strcmp(list[i].reason, reason) == 0))
			return true;
	return false;
}

/* Files of applications that are refused now, and were not, or for another reason; and those that
 * are not any more. */
static void
log_refused(const struct settings *settings, const struct settings *before)
{
	for (size_t i = 0; i < settings->refused_count; i++) {
		const struct settings_refused *now = &settings->refused[i];

		if (!is_in(before->refused, before->refused_count, now->file, now->reason))
			log_error("settings: %s: %s; the application stays as it was", now->file,
			    now->reason);
	}
	for (size_t i = 0; i < before->refused_count; i++)
		if (!is_in(
			settings->refused, settings->refused_count, before->refused[i].file, NULL))
			log_info("settings: %s: not refused any more", before->refused[i].file);
}

static void
log_warned(const struct settings *settings, const struct settings *before)
{
	for (size_t i = 0; i < settings->warned_count; i++) {
		const struct settings_refused *now = &settings->warned[i];

		if (!is_in(before->warned, before->warned_count, now->file, now->reason))
			log_warning("settings: %s: %s", now->file, now->reason);
	}
}

static bool
was_said(const struct settings_report *report, const struct settings_line *line)
{
	for (size_t i = 0; i < report->count; i++)
		if (strcmp(report->lines[i].text, line->text) == 0)
			return true;
	return false;
}

/* What is in force and comes to nothing, where the last look did not find it.  What is listed was
 * said with its list. */
static void
log_new(const struct serve *serve, const struct settings_report *report)
{
	for (size_t i = 0; i < report->count; i++) {
		const struct settings_line *line = &report->lines[i];

		if (line->severity > SETTINGS_WARNING || line->is_listed ||
		    was_said(serve->options.report, line))
			continue;
		if (line->severity == SETTINGS_WARNING)
			log_warning("settings: %s", line->text);
		else
			log_error("settings: %s", line->text);
	}
}

/* They are valid: what was said of them last stands behind. */
static void
note_valid(struct serve *serve, const struct settings *fresh, const struct settings_report *report)
{
	if (serve->is_refused)
		log_info("settings are valid again");
	serve->is_refused = false;
	metric_set_value(serve->metrics, METRIC_SETTINGS_VALID, fresh->refused_count == 0);
	log_new(serve, report);
	*serve->options.report = *report;
}

static void
adopt(struct serve *serve, struct settings *fresh, const struct settings_change *change)
{
	CRASH_POINT(reload_read);
	if (change->names.size > 0 || change->applications.size > 0)
		log_info("settings changed: %s",
		    buf_text(change->names.size > 0 ? &change->names : &change->applications));
	if (change->restart_names.size > 0)
		log_warning("restart needed for: %s", buf_text(&change->restart_names));
	log_refused(fresh, serve->settings);
	log_warned(fresh, serve->settings);
	settings_unref(serve->settings);
	serve->settings = fresh;
	log_set_level(fresh->log_level);
	telegram_change_settings(serve->telegram, fresh);
	perform_health_settings(serve->health, fresh);
	tls_watch_settings(serve->tls, fresh);
	vault_settings(serve->vault.client, fresh);
	metric_set_settings(serve->metrics, fresh);
	lease_note(serve->lead.lease, fresh);
	forget_health(serve);
	CRASH_POINT(reload_adopted);
	tell_changed(serve, change);
}

/* What could not be kept out of logs and messages is not adopted.  The runner's secrets too, which
 * are none of our settings and may be all that has changed. */
static bool
can_be_redacted(struct serve *serve, const struct settings *fresh)
{
	struct err err;

	if (settings_redact(fresh, serve->redact, &err))
		return true;
	log_error("settings not changed: %s", err.text);
	tell_refused(serve, err.text);
	return false;
}

/* All valid, or the old ones stay and every wrong line is named.  Of the applications each for
 * itself. */
static void
reload(struct serve *serve, const struct settings_folder *folder, bool is_asked_for)
{
	struct settings_report report = { 0 };
	struct settings *fresh = NULL;
	struct settings_change change;

	settings_change_init(&change);
	if (!settings_reload(serve->settings, serve->options.env_file, environ, folder, &fresh,
		&report, &change)) {
		refuse(serve, &report);
	} else if (!can_be_redacted(serve, fresh)) {
		settings_unref(fresh);
	} else if (settings_change_is_any(&change)) {
		adopt(serve, fresh, &change);
		note_valid(serve, fresh, &report);
		serve_secrets_look(serve);
	} else {
		if (serve->is_refused)
			tell_changed(serve, &change);
		note_valid(serve, fresh, &report);
		if (is_asked_for)
			log_info("settings reloaded: no changes");
		settings_unref(serve->settings);
		serve->settings = fresh; /* some are the runner's alone: their marks are new */
		serve_secrets_look(serve);
	}
	settings_change_done(&change);
}

/* Each trouble with the folder is said once. */
static void
look(struct serve *serve, bool all, const struct settings_user *users, size_t n)
{
	struct settings_watch *watch = &serve->watch_files;
	char before[sizeof(watch->error)];
	struct settings_folder folder;

	(void)text_copy(before, sizeof(before), watch->error); /* of the same size */
	if (settings_watch_look(watch, serve->settings, all, &folder)) {
		folder.users = users;
		folder.users_count = n;
		reload(serve, &folder, all && users == NULL);
		settings_folder_done(&folder);
		if (users == NULL)
			serve_users_ask(serve, false);
	}
	if (watch->error[0] != '\0' && strcmp(watch->error, before) != 0)
		log_error("settings: %s; all applications stay as they are", watch->error);
}

static void
on_sighup(UNUSED struct loop_signal *sig, void *ctx)
{
	look(ctx, true, NULL, 0);
}

static void
on_look(UNUSED struct loop_timer *timer, void *ctx)
{
	look(ctx, false, NULL, 0);
}

static void
on_users(struct serve *serve, const struct settings_user *users, size_t n)
{
	look(serve, true, users, n);
}

void
serve_reload_start(struct serve *serve)
{
	serve->on_users = on_users;
	loop_signal_stop(&serve->sighup);
	loop_signal_init(&serve->sighup, on_sighup, serve);
	loop_signal_start(serve->loop, &serve->sighup, SIGHUP);
	loop_timer_init(&serve->files_timer, on_look, serve);
	settings_watch_init(&serve->watch_files, serve->options.env_file, serve->settings);
	if (settings_watch_has_any(&serve->watch_files, serve->settings))
		loop_timer_start(serve->loop, &serve->files_timer, SETTINGS_WATCH_EVERY_MS,
		    SETTINGS_WATCH_EVERY_MS);
}

void
serve_reload_stop(struct serve *serve)
{
	loop_signal_stop(&serve->sighup);
	loop_timer_stop(&serve->files_timer);
	settings_watch_done(&serve->watch_files);
}
