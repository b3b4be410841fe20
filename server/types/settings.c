/* settings.c - reads all settings, says all that is wrong at once, keeps a snapshot.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "types/settings.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/buf.h"
#include "lib/env_file.h"
#include "lib/err.h"
#include "lib/file.h"
#include "lib/redact.h"
#include "lib/text.h"
#include "types/settings_check.h"
#include "types/settings_table.h"

#define SECRET_FILE_CAP 16384
#define KNOWN_NAMES_MAX (2 * SETTING_COUNT + ENVIRONMENT_SETTING_COUNT * SETTINGS_ENVIRONMENTS_MAX)

/* One value: its text is owned. */
struct value {
	char *text;
	bool is_given;
};

struct environment_inside {
	char name[SETTINGS_ENVIRONMENT_NAME];
	struct value values[ENVIRONMENT_SETTING_COUNT];
	char urls[SETTINGS_HEALTH_URLS_MAX][SETTINGS_CHECK_TEXT_MAX];
};

struct settings_inside {
	atomic_int count;
	struct value values[SETTING_COUNT];
	char repository_url[SETTINGS_CHECK_TEXT_MAX];
	struct environment_inside *environments[SETTINGS_ENVIRONMENTS_MAX];
};

/* What one settings_load works with. */
struct loader {
	struct settings *s;
	struct settings_inside *in;
	struct env_file file;
	const char *file_name;
	char *const *environ_list;
	struct settings_report *report;
};

/* Where a text was found, for the report. */
struct found {
	const char *text; /* NULL: nowhere, or empty */
	unsigned line;	  /* in the file; 0: the environment */
};

/* --- the report --- */

static void PRINTF(3, 4)
    say(struct settings_report *report, enum settings_severity severity, const char *fmt, ...)
{
	struct settings_line *line;
	va_list args;

	if (severity == SETTINGS_ERROR)
		report->errors++;
	if (report->count == SETTINGS_REPORT_MAX)
		return;
	line = &report->lines[report->count++];
	line->severity = severity;
	va_start(args, fmt);
	(void)vsnprintf(line->text, sizeof(line->text), fmt, args); /* cut is fine */
	va_end(args);
	for (char *c = line->text; *c != '\0'; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7F) /* a value may hold anything */
			*c = '?';
}

static void
say_found(struct loader *l, enum settings_severity severity, const char *name, struct found found,
    const char *what)
{
	if (found.line > 0)
		say(l->report, severity, "%s: %s (%.60s line %u)", name, what, l->file_name,
		    found.line);
	else
		say(l->report, severity, "%s: %s", name, what);
}

/* --- finding a text --- */

static struct found
look_up(const struct loader *l, const char *name)
{
	size_t size = strlen(name);
	const struct env_entry *entry;

	for (char *const *e = l->environ_list; e != NULL && *e != NULL; e++)
		if (strncmp(*e, name, size) == 0 && (*e)[size] == '=' && (*e)[size + 1] != '\0')
			return (struct found){ *e + size + 1, 0 };
	entry = env_file_find(&l->file, name);
	if (entry == NULL || entry->value[0] == '\0') /* NAME= is as good as not there */
		return (struct found){ NULL, 0 };
	return (struct found){ entry->value, entry->line };
}

/* The first line of the file that NAME_FILE names; NULL when there is no NAME_FILE, or after an
 * error. */
static char *
read_secret_file(struct loader *l, const char *name, struct found *found)
{
	char file_setting[SETTINGS_TABLE_NAME + 8];
	struct found path;
	struct err err;
	size_t size;
	char *text;

	(void)snprintf(file_setting, sizeof(file_setting), "%s_FILE", name);
	path = look_up(l, file_setting);
	if (path.text == NULL)
		return NULL;
	if (found->text != NULL) {
		say_found(
		    l, SETTINGS_ERROR, file_setting, path, "set together with the secret itself");
		return NULL;
	}
	text = file_read(path.text, SECRET_FILE_CAP, &size, &err);
	if (text == NULL) {
		say_found(l, SETTINGS_ERROR, file_setting, path, err.text);
		return NULL;
	}
	if (strlen(text) != size) {
		say_found(l, SETTINGS_ERROR, file_setting, path, "the file has a NUL byte");
		explicit_bzero(text, size);
		text[0] = '\0';
	}
	while (size > 0 && (text[size - 1] == '\n' || text[size - 1] == '\r'))
		text[--size] = '\0';
	*found = (struct found){ text, path.line };
	return text;
}

static void
wipe_text(char **text)
{
	if (*text != NULL)
		explicit_bzero(*text, strlen(*text));
	free(*text);
	*text = NULL;
}

static void
keep(struct loader *l, struct value *value, const char *text)
{
	value->text = strdup(text);
	if (value->text == NULL)
		say(l->report, SETTINGS_ERROR, "no memory for settings");
}

/* Checks one value and keeps it. */
static void
take_value(struct loader *l, const struct settings_spec *spec, const char *name,
    const char *fallback, struct value *value)
{
	struct found found = look_up(l, name);
	CLEANUP(wipe_text)
	char *secret = spec->is_secret ? read_secret_file(l, name, &found) : NULL;
	struct err err;

	(void)secret; /* only owns what found.text points at */
	value->is_given = found.text != NULL;
	if (found.text == NULL) {
		if (fallback != NULL)
			keep(l, value, fallback);
		return;
	}
	if (!spec->check(found.text, &err)) {
		say_found(l, SETTINGS_ERROR, name, found, err.text);
		return;
	}
	if (strlen(found.text) < SETTINGS_CHECK_SECRET_OK &&
	    (spec->check == settings_check_TOKEN || spec->check == settings_check_WEBHOOK_SECRET))
		say_found(l, SETTINGS_WARNING, name, found,
		    "a secret shorter than 32 bytes; make one with: openssl rand -hex 32");
	if (!spec->is_secret || spec->whose != WHOSE_RUNNER) /* those are the runner's alone */
		keep(l, value, found.text);
}

static void
take_all(struct loader *l)
{
	for (size_t i = 0; i < SETTING_COUNT; i++)
		take_value(l, &settings_table[i], settings_table[i].name,
		    settings_table[i].fallback, &l->in->values[i]);
}

/* --- environments --- */

static bool
is_taken_name(const struct loader *l, const char *name)
{
	for (size_t i = 0; i < l->s->environment_count; i++)
		if (strcmp(l->in->environments[i]->name, name) == 0)
			return true;
	return false;
}

/* The fixed setting that "<NAME>_…" would be mixed up with, or NULL. */
static const char *
clashing_setting(const char *environment)
{
	static const struct settings_spec prefix = { .name = "", .suffix = "_" };
	char start[SETTINGS_TABLE_NAME];

	(void)settings_table_name(&prefix, environment, start);
	for (size_t i = 0; i < SETTING_COUNT; i++)
		if (i != SETTING_STAGING_TELEGRAM_IDS && text_starts(settings_table[i].name, start))
			return settings_table[i].name;
	return NULL;
}

/* Two environments whose settings would have one name, as a-b and a with a suffix "_B…". */
static bool
names_clash(const char *a, const char *b)
{
	char name_a[SETTINGS_TABLE_NAME], name_b[SETTINGS_TABLE_NAME];

	for (size_t i = 0; i < ENVIRONMENT_SETTING_COUNT; i++)
		for (size_t j = 0; j < ENVIRONMENT_SETTING_COUNT; j++)
			if (strcmp(settings_table_name(&settings_table_environment[i], a, name_a),
				settings_table_name(&settings_table_environment[j], b, name_b)) ==
			    0)
				return true;
	return false;
}

static bool
name_is_free(struct loader *l, const char *name)
{
	const char *clash = clashing_setting(name);

	if (is_taken_name(l, name)) {
		say(l->report, SETTINGS_ERROR, "ENVIRONMENTS: %s is there twice", name);
		return false;
	}
	if (clash != NULL) {
		say(l->report, SETTINGS_ERROR,
		    "ENVIRONMENTS: %s cannot be used: its settings would be "
		    "mixed up with %s",
		    name, clash);
		return false;
	}
	for (size_t i = 0; i < l->s->environment_count; i++)
		if (names_clash(l->in->environments[i]->name, name)) {
			say(l->report, SETTINGS_ERROR,
			    "ENVIRONMENTS: the settings of %s and %s would "
			    "have the same names",
			    l->in->environments[i]->name, name);
			return false;
		}
	return true;
}

static void
add_environment(struct loader *l, const char *name)
{
	struct environment_inside *e = calloc(1, sizeof(*e));
	char setting[SETTINGS_TABLE_NAME];

	if (e == NULL) {
		say(l->report, SETTINGS_ERROR, "no memory for settings");
		return;
	}
	(void)text_copy(e->name, sizeof(e->name), name); /* was checked: fits */
	l->in->environments[l->s->environment_count++] = e;
	for (size_t i = 0; i < ENVIRONMENT_SETTING_COUNT; i++)
		take_value(l, &settings_table_environment[i],
		    settings_table_name(&settings_table_environment[i], name, setting),
		    settings_table_fallback((enum environment_setting)i, name), &e->values[i]);
}

static void
take_environments(struct loader *l)
{
	const char *list = l->in->values[SETTING_ENVIRONMENTS].text;
	char name[SETTINGS_ENVIRONMENT_NAME];

	if (list == NULL) /* a wrong one, and said so */
		return;
	while (settings_check_next(&list, name, sizeof(name)))
		if (name_is_free(l, name))
			add_environment(l, name);
}

/* --- typed fields: every text has passed its check --- */

static const char *
text_of(const struct loader *l, enum setting setting)
{
	return l->in->values[setting].text;
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
number_of(const struct loader *l, enum setting setting)
{
	return (int)number_in(text_of(l, setting));
}

static bool
truth_in(const char *text)
{
	bool value = false;

	return text != NULL && text_to_bool(text, &value, NULL) && value;
}

static void
fill_ids(const char *list, struct settings_ids *ids)
{
	char part[32];

	while (list != NULL && ids->count < SETTINGS_IDS_MAX &&
	       settings_check_next(&list, part, sizeof(part)))
		ids->id[ids->count++] = number_in(part);
}

/* A base URL without the slashes at its end. */
static void
trim_slashes(char *url)
{
	for (size_t size = url == NULL ? 0 : strlen(url); size > 0 && url[size - 1] == '/'; size--)
		url[size - 1] = '\0';
}

static void
fill_telegram(struct loader *l)
{
	struct settings *s = l->s;
	const char *mode = text_of(l, SETTING_TELEGRAM_MODE);

	trim_slashes(l->in->values[SETTING_TELEGRAM_API_BASE].text);
	s->telegram_bot_token = text_of(l, SETTING_TELEGRAM_BOT_TOKEN);
	s->telegram_webhook_url = text_of(l, SETTING_TELEGRAM_WEBHOOK_URL);
	s->telegram_webhook_secret = text_of(l, SETTING_TELEGRAM_WEBHOOK_SECRET);
	s->telegram_api_base = text_of(l, SETTING_TELEGRAM_API_BASE);
	s->telegram_proxy = text_of(l, SETTING_TELEGRAM_PROXY);
	s->telegram_mode = (mode != NULL ? text_same_ci(mode, "webhook")
					 : l->in->values[SETTING_TELEGRAM_WEBHOOK_URL].is_given)
			       ? TELEGRAM_WEBHOOK
			       : TELEGRAM_POLLING;
	fill_ids(text_of(l, SETTING_ADMIN_TELEGRAM_IDS), &s->admins);
	fill_ids(text_of(l, SETTING_STAGING_TELEGRAM_IDS), &s->staging_users);
	s->telegram_chat_id = number_in(text_of(l, SETTING_TELEGRAM_CHAT_ID));
	if (s->telegram_chat_id == 0 && s->admins.count > 0)
		s->telegram_chat_id = s->admins.id[0];
}

static void
fill_repository(struct loader *l)
{
	struct settings *s = l->s;
	const char *polls = text_of(l, SETTING_POLL_REPOSITORY_SECONDS);

	s->github_webhook_secret = text_of(l, SETTING_GITHUB_WEBHOOK_SECRET);
	s->github_repository = text_of(l, SETTING_GITHUB_REPOSITORY);
	s->repository_url = text_of(l, SETTING_REPOSITORY_URL);
	if (s->repository_url == NULL && s->github_repository != NULL) {
		(void)snprintf(l->in->repository_url, sizeof(l->in->repository_url),
		    "https://github.com/%s.git", s->github_repository); /* fits: 200 at most */
		s->repository_url = l->in->repository_url;
	}
	if (polls != NULL)
		s->poll_repository_seconds = (int)number_in(polls);
	else if (s->telegram_mode == TELEGRAM_POLLING && s->repository_url != NULL)
		s->poll_repository_seconds = 60;
}

static void
fill_server(struct loader *l)
{
	const char *level = text_of(l, SETTING_LOG_LEVEL), *format = text_of(l, SETTING_LOG_FORMAT);
	struct settings *s = l->s;

	s->health_check_timeout_seconds = number_of(l, SETTING_HEALTH_CHECK_TIMEOUT);
	s->health_check_retries = number_of(l, SETTING_HEALTH_CHECK_RETRIES);
	s->health_check_interval_seconds = number_of(l, SETTING_HEALTH_CHECK_INTERVAL);
	s->health_check_successes = number_of(l, SETTING_HEALTH_CHECK_SUCCESSES);
	s->deploy_timeout_seconds = number_of(l, SETTING_DEPLOY_TIMEOUT_SECONDS);
	s->shutdown_timeout_seconds = number_of(l, SETTING_SHUTDOWN_TIMEOUT_SECONDS);
	s->run_logs_keep = number_of(l, SETTING_RUN_LOGS_KEEP);
	s->listen_address = text_of(l, SETTING_LISTEN_ADDRESS);
	s->api_server_port = number_of(l, SETTING_API_SERVER_PORT);
	s->enable_telemetry = truth_in(text_of(l, SETTING_ENABLE_TELEMETRY));
	s->state_directory = text_of(l, SETTING_STATE_DIRECTORY);
	s->audit_log_path = text_of(l, SETTING_AUDIT_LOG_PATH);
	s->log_level = LOG_LEVEL_INFO;
	if (level != NULL && !log_level_from(level, &s->log_level))
		s->log_level = LOG_LEVEL_INFO;
	s->log_format = format != NULL && text_same_ci(format, "logfmt") ? LOG_LOGFMT : LOG_HUMAN;
}

static void
fill_environment(struct environment_inside *in, struct environment_settings *e)
{
	const char *urls = in->values[ENVIRONMENT_SETTING_HEALTH_URL].text;

	e->name = in->name;
	e->branch = in->values[ENVIRONMENT_SETTING_BRANCH].text;
	e->host = in->values[ENVIRONMENT_SETTING_HOST].text;
	e->port = (int)number_in(in->values[ENVIRONMENT_SETTING_PORT].text);
	e->confirm = truth_in(in->values[ENVIRONMENT_SETTING_CONFIRM].text);
	while (urls != NULL && e->health_url_count < SETTINGS_HEALTH_URLS_MAX &&
	       settings_check_next(&urls, in->urls[e->health_url_count], SETTINGS_CHECK_TEXT_MAX)) {
		e->health_urls[e->health_url_count] = in->urls[e->health_url_count];
		e->health_url_count++;
	}
}

static void
fill(struct loader *l)
{
	fill_telegram(l);
	fill_repository(l);
	fill_server(l);
	for (size_t i = 0; i < l->s->environment_count; i++)
		fill_environment(l->in->environments[i], &l->s->environments[i]);
}

/* --- what one setting asks of another --- */

static bool
is_given(const struct loader *l, enum setting setting)
{
	return l->in->values[setting].is_given;
}

static void
check_required(struct loader *l)
{
	if (!is_given(l, SETTING_TELEGRAM_BOT_TOKEN))
		say(l->report, SETTINGS_ERROR,
		    "TELEGRAM_BOT_TOKEN: is not set; @BotFather gives you one");
	if (!is_given(l, SETTING_ADMIN_TELEGRAM_IDS))
		say(l->report, SETTINGS_ERROR,
		    "ADMIN_TELEGRAM_IDS: is not set; put your own Telegram "
		    "id there (any id for now: /whoami then tells yours)");
}

static void
check_webhook(struct loader *l)
{
	bool has_url = is_given(l, SETTING_TELEGRAM_WEBHOOK_URL);

	if (l->s->telegram_mode == TELEGRAM_POLLING) {
		if (has_url)
			say(l->report, SETTINGS_WARNING,
			    "TELEGRAM_WEBHOOK_URL: is not used: TELEGRAM_MODE is polling");
		return;
	}
	if (!has_url)
		say(l->report, SETTINGS_ERROR,
		    "TELEGRAM_WEBHOOK_URL: is not set, and TELEGRAM_MODE is webhook");
	if (!is_given(l, SETTING_TELEGRAM_WEBHOOK_SECRET))
		say(l->report, SETTINGS_ERROR,
		    "TELEGRAM_WEBHOOK_SECRET: is not set, and webhook mode "
		    "needs one; make one with: openssl rand -hex 32");
}

static void
check_repository(struct loader *l)
{
	bool has_key = is_given(l, SETTING_REPOSITORY_KEY_PATH);

	if (l->s->repository_url == NULL && !is_given(l, SETTING_REPOSITORY_URL) &&
	    !is_given(l, SETTING_GITHUB_REPOSITORY))
		say(l->report, SETTINGS_ERROR,
		    "REPOSITORY_URL: is not set, and neither is GITHUB_REPOSITORY");
	if (has_key && !is_given(l, SETTING_REPOSITORY_KNOWN_HOSTS))
		say(l->report, SETTINGS_ERROR,
		    "REPOSITORY_KNOWN_HOSTS: is not set, and "
		    "REPOSITORY_KEY_PATH needs it: ssh-keyscan makes one; compare it with what the "
		    "host publishes");
	if (has_key && is_given(l, SETTING_REPOSITORY_TOKEN))
		say(l->report, SETTINGS_ERROR,
		    "REPOSITORY_TOKEN: set together with REPOSITORY_KEY_PATH; keep one of them");
}

static void
note_needless(struct loader *l)
{
	if (is_given(l, SETTING_TELEGRAM_API_ID) || is_given(l, SETTING_TELEGRAM_API_HASH))
		say(l->report, SETTINGS_NOTE,
		    "TELEGRAM_API_ID, TELEGRAM_API_HASH: not needed, the Bot "
		    "API asks for neither");
}

/* --- unknown names --- */

struct known_names {
	size_t count;
	const char *names[KNOWN_NAMES_MAX];
	char texts[KNOWN_NAMES_MAX][SETTINGS_TABLE_NAME + 8];
};

static void
list_known(const struct settings *s, struct known_names *known)
{
	known->count = 0;
	for (size_t i = 0; i < SETTING_COUNT; i++) {
		known->names[known->count++] = settings_table[i].name;
		if (!settings_table[i].is_secret)
			continue;
		(void)snprintf(known->texts[known->count], sizeof(known->texts[0]), "%s_FILE",
		    settings_table[i].name);
		known->names[known->count] = known->texts[known->count];
		known->count++;
	}
	for (size_t e = 0; e < s->environment_count; e++)
		for (size_t i = 0; i < ENVIRONMENT_SETTING_COUNT; i++) {
			known->names[known->count] =
			    settings_table_name(&settings_table_environment[i],
				s->environments[e].name, known->texts[known->count]);
			known->count++;
		}
}

static bool
is_known(const struct known_names *known, const char *name)
{
	for (size_t i = 0; i < known->count; i++)
		if (strcmp(known->names[i], name) == 0)
			return true;
	return false;
}

static void
warn_unknown(struct loader *l)
{
	struct known_names *known = malloc(sizeof(*known));
	const char *nearest;

	if (known == NULL)
		return; /* only a warning is lost */
	list_known(l->s, known);
	for (size_t i = 0; i < l->file.count; i++) {
		const struct env_entry *entry = &l->file.entries[i];

		if (is_known(known, entry->name))
			continue;
		nearest = text_nearest(entry->name, known->names, known->count);
		say(l->report, SETTINGS_WARNING, "%.60s: is no setting%s%s%s (%.60s line %u)",
		    entry->name, nearest == NULL ? "" : "; did you mean ",
		    nearest == NULL ? "" : nearest, nearest == NULL ? "" : "?", l->file_name,
		    entry->line);
	}
	free(known);
}

/* --- load --- */

static struct settings *
make_empty(void)
{
	CLEANUP(settings_unrefp) struct settings *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->inside = calloc(1, sizeof(*s->inside));
	if (s->inside == NULL)
		return NULL;
	atomic_init(&s->inside->count, 1);
	return TAKE(s);
}

static void
load_all(struct loader *l)
{
	take_all(l);
	take_environments(l);
	fill(l);
	check_required(l);
	check_webhook(l);
	check_repository(l);
	note_needless(l);
	warn_unknown(l);
}

bool
settings_load(const char *env_file, char *const environ_list[], struct settings **ret,
    struct settings_report *report)
{
	struct loader l = { .file_name = env_file, .environ_list = environ_list, .report = report };
	CLEANUP(settings_unrefp) struct settings *s = make_empty();
	struct err err;

	report->errors = 0;
	report->count = 0;
	if (s == NULL) {
		say(report, SETTINGS_ERROR, "no memory for settings");
		return false;
	}
	if (env_file != NULL && !env_file_read(&l.file, env_file, &err)) {
		say(report, SETTINGS_ERROR, "%s", err.text);
		return false;
	}
	l.s = s;
	l.in = s->inside;
	load_all(&l);
	env_file_done(&l.file);
	if (report->errors > 0)
		return false;
	*ret = TAKE(s);
	return true;
}

/* --- the snapshot --- */

struct settings *
settings_ref(struct settings *s)
{
	atomic_fetch_add_explicit(&s->inside->count, 1, memory_order_relaxed);
	return s;
}

static void
free_inside(struct settings_inside *in)
{
	for (size_t i = 0; i < SETTING_COUNT; i++)
		wipe_text(&in->values[i].text);
	for (size_t e = 0; e < SETTINGS_ENVIRONMENTS_MAX && in->environments[e] != NULL; e++) {
		for (size_t i = 0; i < ENVIRONMENT_SETTING_COUNT; i++)
			wipe_text(&in->environments[e]->values[i].text);
		free(in->environments[e]);
	}
	free(in);
}

void
settings_unref(struct settings *s)
{
	if (s == NULL)
		return;
	if (s->inside != NULL) {
		/* Release: what others did with it is done; acquire: and we see that. */
		if (atomic_fetch_sub_explicit(&s->inside->count, 1, memory_order_acq_rel) != 1)
			return;
		free_inside(s->inside);
	}
	free(s);
}

const struct environment_settings *
settings_environment(const struct settings *s, const char *name)
{
	for (size_t i = 0; i < s->environment_count; i++)
		if (strcmp(s->environments[i].name, name) == 0)
			return &s->environments[i];
	return NULL;
}

static bool
has_id(const struct settings_ids *ids, int64_t id)
{
	for (size_t i = 0; i < ids->count; i++)
		if (ids->id[i] == id)
			return true;
	return false;
}

bool
settings_is_admin(const struct settings *s, int64_t telegram_id)
{
	return has_id(&s->admins, telegram_id);
}

bool
settings_is_staging_user(const struct settings *s, int64_t telegram_id)
{
	return has_id(&s->staging_users, telegram_id);
}

const char *
settings_text(const struct settings *s, enum setting setting)
{
	return s->inside->values[setting].text;
}

bool
settings_is_given(const struct settings *s, enum setting setting)
{
	return s->inside->values[setting].is_given;
}

bool
settings_redact(const struct settings *s, struct redact *redact, struct err *err)
{
	for (size_t i = 0; i < SETTING_COUNT; i++) {
		const char *text = s->inside->values[i].text;

		if (settings_table[i].is_secret && text != NULL && !redact_add(redact, text, err))
			return err_wrap(err, "%s", settings_table[i].name);
	}
	return true;
}

/* --- what has changed --- */

static void
compare(const char *name, const char *old, const char *fresh, struct buf *names,
    struct buf *restart_names)
{
	bool same = old == NULL || fresh == NULL ? old == fresh : strcmp(old, fresh) == 0;

	if (same)
		return;
	buf_addf(names, "%s%s", names->size > 0 ? ", " : "", name);
	if (settings_table_needs_restart(name))
		buf_addf(restart_names, "%s%s", restart_names->size > 0 ? ", " : "", name);
}

static const struct environment_inside *
inside_of(const struct settings *s, const char *name)
{
	for (size_t i = 0; i < s->environment_count; i++)
		if (strcmp(s->inside->environments[i]->name, name) == 0)
			return s->inside->environments[i];
	return NULL;
}

static void
compare_environment(const char *environment, const struct settings *old,
    const struct settings *fresh, struct buf *names, struct buf *restart_names)
{
	const struct environment_inside *a = inside_of(old, environment);
	const struct environment_inside *b = inside_of(fresh, environment);
	char name[SETTINGS_TABLE_NAME];

	for (size_t i = 0; i < ENVIRONMENT_SETTING_COUNT; i++)
		compare(settings_table_name(&settings_table_environment[i], environment, name),
		    a == NULL ? NULL : a->values[i].text, b == NULL ? NULL : b->values[i].text,
		    names, restart_names);
}

bool
settings_diff(const struct settings *old, const struct settings *fresh, struct buf *names,
    struct buf *restart_names)
{
	size_t before = names->size;

	for (size_t i = 0; i < SETTING_COUNT; i++)
		compare(settings_table[i].name, old->inside->values[i].text,
		    fresh->inside->values[i].text, names, restart_names);
	for (size_t i = 0; i < fresh->environment_count; i++)
		compare_environment(fresh->environments[i].name, old, fresh, names, restart_names);
	for (size_t i = 0; i < old->environment_count; i++)
		if (settings_environment(fresh, old->environments[i].name) == NULL)
			compare_environment(
			    old->environments[i].name, old, fresh, names, restart_names);
	return names->size > before;
}

/* --- whose --- */

static bool
is_row_of(const struct settings_spec *spec, const char *name)
{
	size_t size = strlen(spec->name);

	if (!text_starts(name, spec->name))
		return false;
	return name[size] == '\0' || (spec->is_secret && strcmp(name + size, "_FILE") == 0);
}

bool
settings_is_runners(const struct settings *s, const char *name)
{
	char expected[SETTINGS_TABLE_NAME];

	for (size_t i = 0; i < SETTING_COUNT; i++)
		if (is_row_of(&settings_table[i], name))
			return settings_table[i].whose != WHOSE_SERVER;
	for (size_t e = 0; s != NULL && e < s->environment_count; e++)
		for (size_t i = 0; i < ENVIRONMENT_SETTING_COUNT; i++)
			if (strcmp(settings_table_name(&settings_table_environment[i],
				       s->environments[e].name, expected),
				name) == 0)
				return settings_table_environment[i].whose != WHOSE_SERVER;
	return false;
}
