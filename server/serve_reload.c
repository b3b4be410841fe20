/* serve_reload.c - settings read anew: on SIGHUP, and when a file of theirs has changed.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/crash_point.h"
#include "lib/log.h"
#include "lib/text.h"
#include "serve_inside.h"
#include "settings/settings_load.h"
#include "settings/settings_table.h"

#define LOOK_EVERY_MS 2000

/* 0: it cannot be read now. */
static uint64_t
file_time(const char *path)
{
	struct stat now;

	if (path == NULL || stat(path, &now) != 0)
		return 0;
	return (uint64_t)now.st_mtim.tv_sec * 1000000000 + (uint64_t)now.st_mtim.tv_nsec +
	    (uint64_t)now.st_ino;
}

/* Changes when one of the files does that today's settings were read from; 0: there is none. */
static uint64_t
mark_of_files(const struct serve *serve)
{
	uint64_t mark = file_time(serve->options.env_file);
	const char *file;

	for (size_t i = 0; i < SETTING_COUNT; i++) {
		file = settings_secret_file(serve->settings, (enum setting)i);
		if (file != NULL)
			mark = mark * 31 + file_time(file);
	}
	return mark;
}

static void
tell_store(struct serve *serve, bool accepted, bool needs_restart, const char *what)
{
	struct event *event = event_new(EVENT_SETTINGS);

	if (event == NULL)
		return;
	event->u.settings_read.accepted = accepted;
	event->u.settings_read.needs_restart = needs_restart;
	(void)text_copy(
	    event->u.settings_read.changed, sizeof(event->u.settings_read.changed), what);
	if (!serve_submit(serve, event))
		event_free(event);
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
	tell_store(serve, false, false, first);
}

/* What is no longer looked at must not be shown for ever as it was last. */
static void
forget_health(const struct serve *serve)
{
	for (size_t i = 0; i < serve->settings->environment_count; i++) {
		const struct environment_settings *environment = &serve->settings->environments[i];

		if (environment->health_url_count == 0)
			metric_set_health_forget(serve->metrics, environment->name);
	}
}

static void
adopt(struct serve *serve, struct settings *fresh, const char *names, const char *restart)
{
	CRASH_POINT(reload_read);
	log_info("settings changed: %s", names);
	if (restart[0] != '\0')
		log_warning("restart needed for: %s", restart);
	settings_unref(serve->settings);
	serve->settings = fresh;
	log_set_level(fresh->log_level);
	telegram_change_settings(serve->telegram, fresh);
	perform_health_settings(serve->health, fresh);
	tls_watch_settings(serve->tls, fresh);
	metric_set_settings(serve->metrics, fresh);
	forget_health(serve);
	CRASH_POINT(reload_adopted);
	tell_store(serve, true, restart[0] != '\0', names);
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
	tell_store(serve, false, false, err.text);
	return false;
}

/* All valid, or the old ones stay and every wrong line is named. */
static void
reload(struct serve *serve)
{
	struct settings_report report = { 0 };
	struct settings *fresh = NULL;
	struct buf names, restart;

	buf_init(&names, LIMIT_LINE * 4);
	buf_init(&restart, LIMIT_LINE * 4);
	if (!settings_reload(serve->settings, serve->options.env_file, environ, &fresh, &report,
		&names, &restart)) {
		refuse(serve, &report);
	} else if (!can_be_redacted(serve, fresh)) {
		settings_unref(fresh);
	} else if (names.size > 0) {
		adopt(serve, fresh, buf_text(&names), buf_text(&restart));
	} else {
		log_info("settings reloaded: no changes");
		settings_unref(fresh);
	}
	buf_done(&names);
	buf_done(&restart);
}

static void
on_sighup(UNUSED struct loop_signal *sig, void *ctx)
{
	reload(ctx);
}

static void
on_look(UNUSED struct loop_timer *timer, void *ctx)
{
	struct serve *serve = ctx;
	uint64_t now = mark_of_files(serve);

	if (now == serve->files_mark ||
	    (serve->options.env_file != NULL && file_time(serve->options.env_file) == 0))
		return; /* the same, or an editor is just about to put it back */
	serve->files_mark = now;
	reload(serve);
}

void
serve_reload_start(struct serve *serve)
{
	loop_signal_init(&serve->sighup, on_sighup, serve);
	loop_signal_start(serve->loop, &serve->sighup, SIGHUP);
	loop_timer_init(&serve->files_timer, on_look, serve);
	serve->files_mark = mark_of_files(serve);
	if (serve->files_mark != 0)
		loop_timer_start(serve->loop, &serve->files_timer, LOOK_EVERY_MS, LOOK_EVERY_MS);
}

void
serve_reload_stop(struct serve *serve)
{
	loop_signal_stop(&serve->sighup);
	loop_timer_stop(&serve->files_timer);
}
