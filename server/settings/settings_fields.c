/* settings_fields.c - the typed fields of a snapshot, from texts that have passed their checks.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "settings/settings_inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/err.h"
#include "lib/text.h"
#include "lib/window.h"
#include "types/probe.h"

static const char *
text_of(const struct settings *s, enum setting setting)
{
	return s->inside->values[setting].text;
}

/* 0 when it is not there: then there is an error, or the caller has a default. */
static int64_t
number_in(const char *text)
{
	int64_t value = 0;

	if (text != NULL && !text_to_i64(text, INT64_MIN, INT64_MAX, &value, NULL))
		return 0;
	return value;
}

static int
number_of(const struct settings *s, enum setting setting)
{
	return (int)number_in(text_of(s, setting));
}

/* A wrong one was said, and has no text: as large as can be. */
static int64_t
size_of(const struct settings *s, enum setting setting)
{
	const char *text = text_of(s, setting);
	int64_t size;

	return text != NULL && text_to_size(text, INT64_MAX, &size, NULL) ? size : INT64_MAX;
}

/* In an array that is kept in *kept.  False: no memory. */
static bool
fill_ids(const char *list, int64_t **kept, struct settings_ids *ids)
{
	size_t most = 1;
	char part[32];

	for (const char *c = list; c != NULL && *c != '\0'; c++)
		most += *c == ',';
	free(*kept);
	ids->id = *kept = calloc(most, sizeof(**kept));
	while (*kept != NULL && list != NULL && setting_next(&list, part, sizeof(part)))
		(*kept)[ids->count++] = number_in(part);
	return *kept != NULL;
}

/* A base URL without the slashes at its end. */
static void
trim_slashes(char *url)
{
	for (size_t size = url == NULL ? 0 : strlen(url); size > 0 && url[size - 1] == '/'; size--)
		url[size - 1] = '\0';
}

static void
fill_telegram(struct settings *s)
{
	const char *mode = text_of(s, SETTING_TELEGRAM_MODE);

	trim_slashes(s->inside->values[SETTING_TELEGRAM_API_BASE].text);
	s->telegram_bot_token = text_of(s, SETTING_TELEGRAM_BOT_TOKEN);
	s->telegram_webhook_url = text_of(s, SETTING_TELEGRAM_WEBHOOK_URL);
	s->telegram_webhook_secret = text_of(s, SETTING_TELEGRAM_WEBHOOK_SECRET);
	s->telegram_api_base = text_of(s, SETTING_TELEGRAM_API_BASE);
	s->telegram_proxy = text_of(s, SETTING_TELEGRAM_PROXY);
	s->telegram_mode =
	    (mode != NULL ? text_same_ci(mode, "webhook") :
			    s->inside->values[SETTING_TELEGRAM_WEBHOOK_URL].is_given) ?
	    TELEGRAM_WEBHOOK :
	    TELEGRAM_POLLING;
	s->telegram_chat_id = number_in(text_of(s, SETTING_TELEGRAM_CHAT_ID));
	if (s->telegram_chat_id == 0 && s->admins.count > 0)
		s->telegram_chat_id = s->admins.id[0];
}

static void
fill_repository(struct settings *s)
{
	const char *polls = text_of(s, SETTING_POLL_REPOSITORY_SECONDS);

	s->github_webhook_secret = text_of(s, SETTING_GITHUB_WEBHOOK_SECRET);
	s->github_repository = text_of(s, SETTING_GITHUB_REPOSITORY);
	s->repository_url = text_of(s, SETTING_REPOSITORY_URL);
	s->paths = text_of(s, SETTING_PATHS);
	if (s->repository_url == NULL && s->github_repository != NULL) {
		(void)snprintf(s->inside->repository_url, sizeof(s->inside->repository_url),
		    "https://github.com/%s.git", s->github_repository); /* fits: 200 at most */
		s->repository_url = s->inside->repository_url;
	}
	if (polls != NULL)
		s->poll_repository_seconds = (int)number_in(polls);
	else if (s->repository_url != NULL)
		s->poll_repository_seconds = s->telegram_mode == TELEGRAM_POLLING ? 60 : 300;
}

static void
fill_server(struct settings *s)
{
	const char *level = text_of(s, SETTING_LOG_LEVEL), *format = text_of(s, SETTING_LOG_FORMAT);

	s->health_check_timeout_seconds = number_of(s, SETTING_HEALTH_CHECK_TIMEOUT);
	s->health_check_retries = number_of(s, SETTING_HEALTH_CHECK_RETRIES);
	s->health_check_interval_seconds = number_of(s, SETTING_HEALTH_CHECK_INTERVAL);
	s->health_check_successes = number_of(s, SETTING_HEALTH_CHECK_SUCCESSES);
	s->health_check_deadline_seconds = number_of(s, SETTING_HEALTH_CHECK_DEADLINE);
	if (s->health_check_deadline_seconds == 0)
		s->health_check_deadline_seconds =
		    probe_deadline_s(s->health_check_retries > s->health_check_successes ?
			    s->health_check_retries :
			    s->health_check_successes, /* who needs as many passes may pass */
			s->health_check_interval_seconds, s->health_check_timeout_seconds);
	s->deploy_timeout_seconds = number_of(s, SETTING_DEPLOY_TIMEOUT_SECONDS);
	s->shutdown_timeout_seconds = number_of(s, SETTING_SHUTDOWN_TIMEOUT_SECONDS);
	s->rate_limit_requests = number_of(s, SETTING_RATE_LIMIT_REQUESTS);
	s->rate_limit_window_s = number_of(s, SETTING_RATE_LIMIT_WINDOW);
	s->rate_limit_burst = number_of(s, SETTING_RATE_LIMIT_BURST);
	s->cost_limit_per_user = number_of(s, SETTING_COST_LIMIT_PER_USER);
	s->role_rate_limit = number_of(s, SETTING_ROLE_RATE_LIMIT);
	s->runs_max = number_of(s, SETTING_RUNS_MAX);
	s->application_runs_max = number_of(s, SETTING_APPLICATION_RUNS_MAX);
	s->run_logs_keep = number_of(s, SETTING_RUN_LOGS_KEEP);
	s->run_logs_total = size_of(s, SETTING_RUN_LOGS_TOTAL);
	s->runner_socket = text_of(s, SETTING_RUNNER_SOCKET);
	s->local_socket = text_of(s, SETTING_LOCAL_SOCKET);
	s->listen_address = text_of(s, SETTING_LISTEN_ADDRESS);
	s->api_server_port = number_of(s, SETTING_API_SERVER_PORT);
	s->enable_telemetry = settings_truth(text_of(s, SETTING_ENABLE_TELEMETRY));
	s->state_directory = text_of(s, SETTING_STATE_DIRECTORY);
	s->audit_log_path = text_of(s, SETTING_AUDIT_LOG_PATH);
	s->is_production = settings_says_production(text_of(s, SETTING_ENVIRONMENT));
	s->log_level = LOG_LEVEL_INFO;
	if (level != NULL && !log_level_from(level, &s->log_level))
		s->log_level = LOG_LEVEL_INFO;
	s->log_format = format != NULL && text_same_ci(format, "logfmt") ? LOG_LOGFMT : LOG_HUMAN;
}

static bool
text_is(const char *text, const char *word)
{
	return text != NULL && text_same_ci(text, word);
}

/* False: no memory, or its zone went away since it was checked. */
static bool
fill_windows(struct settings_member *in)
{
	const char *text = in->values[ENVIRONMENT_SETTING_FREEZE].text;
	struct err err;

	windows_free(in->freeze);
	in->freeze = text == NULL ? NULL : windows_parse(text, &err);
	return text == NULL || in->freeze != NULL;
}

/* False: no memory. */
static bool
fill_environment(
    const struct settings *s, struct settings_member *in, struct environment_settings *e)
{
	const char *urls = in->values[ENVIRONMENT_SETTING_HEALTH_URL].text;
	char url[SETTING_PART_MAX + 1];

	e->name = in->id;
	e->of = s;
	e->refusal = in->refusal;
	e->fingerprint = in->fingerprint;
	e->branch = in->values[ENVIRONMENT_SETTING_BRANCH].text;
	e->confirm = settings_truth(in->values[ENVIRONMENT_SETTING_CONFIRM].text);
	e->notify_after_seconds = (int)number_in(in->values[ENVIRONMENT_SETTING_NOTIFY_AFTER].text);
	e->drops_pushes = text_is(in->values[ENVIRONMENT_SETTING_FREEZE_PUSHES].text, "drop");
	if (!fill_windows(in))
		return false;
	e->freeze = in->freeze;
	while (urls != NULL && e->health_url_count < SETTINGS_HEALTH_URLS_MAX &&
	    setting_next(&urls, url, sizeof(url))) {
		char **kept = &in->urls[e->health_url_count];

		free(*kept);
		*kept = strdup(url);
		if (*kept == NULL)
			return false;
		e->health_urls[e->health_url_count++] = *kept;
	}
	return true;
}

/* Room for all, own and applications'.  False: no memory. */
static bool
make_environments(struct settings_inside *in)
{
	size_t n = in->member_count;

	for (size_t i = 0; i < in->application_count; i++)
		n += in->applications[i]->environment_count;
	free(in->environments);
	free(in->firsts);
	in->environments = calloc(n + 1, sizeof(*in->environments));
	in->firsts = calloc(in->application_count + 1, sizeof(*in->firsts));
	return in->environments != NULL && in->firsts != NULL;
}

/* The own ones, then those of the applications, as these have them. */
static bool
fill_environments(struct settings *s)
{
	struct settings_inside *in = s->inside;

	if (!make_environments(in))
		return false;
	s->environments = in->environments;
	for (size_t i = 0; i < in->member_count; i++)
		if (in->members[i]->family == FAMILY_ENVIRONMENT &&
		    !fill_environment(s, in->members[i], &in->environments[s->environment_count++]))
			return false;
	for (size_t i = 0; i < in->application_count; i++) {
		in->firsts[i] = s->environment_count;
		for (size_t j = 0; j < in->applications[i]->environment_count; j++)
			in->environments[s->environment_count++] =
			    in->applications[i]->environments[j];
	}
	return true;
}

bool
settings_fill(struct settings *s)
{
	struct settings_inside *in = s->inside;

	*s = (struct settings){ .inside = in };
	(void)gethostname(s->host, sizeof(s->host)); /* Linux has none that does not fit */
	if (!fill_ids(text_of(s, SETTING_ADMIN_TELEGRAM_IDS), &in->admins, &s->admins) ||
	    !fill_ids(text_of(s, SETTING_ALLOWED_CHATS), &in->allowed_chats, &s->allowed_chats))
		return false;
	fill_telegram(s);
	fill_repository(s);
	fill_server(s);
	s->application = in->application;
	s->application_count = in->application_count;
	s->applications = in->applications;
	s->refused_count = in->refused_count;
	s->refused = in->refused;
	s->warned_count = in->warned_count;
	s->warned = in->warned;
	return fill_environments(s) && settings_find_overlaps(s) && settings_fill_roles(s);
}
