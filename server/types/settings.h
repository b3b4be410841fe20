/* settings.h - what the operator decided, as an immutable, counted snapshot.  Side: any. */
/* SPDX-License-Identifier: ISC */
#ifndef SETTINGS_H
#define SETTINGS_H

#include <stdint.h>

#include "lib/base.h"
#include "lib/log.h"
#include "types/limits.h"

struct buf;
struct err;
struct redact;

enum setting {
#define SETTING(name, ...) SETTING_##name,
#define ENVIRONMENT_SETTING(...)
#include "types/settings.def"
#undef SETTING
#undef ENVIRONMENT_SETTING
	SETTING_COUNT
};

#define SETTINGS_ENVIRONMENTS_MAX 16
#define SETTINGS_ENVIRONMENT_NAME 21 /* bytes with the NUL: [a-z][a-z0-9-]{0,19} */
#define SETTINGS_IDS_MAX 64
#define SETTINGS_HEALTH_URLS_MAX LIMIT_URLS

enum telegram_mode { TELEGRAM_POLLING, TELEGRAM_WEBHOOK };

struct settings_ids {
	size_t count;
	int64_t id[SETTINGS_IDS_MAX];
};

struct environment_settings {
	const char *name;   /* "staging" */
	const char *branch; /* NULL: only /deploy with a ref */
	const char *host;   /* HOST[:PORT],…; NULL: not set */
	int port;	    /* 0: not set */
	bool confirm;
	size_t health_url_count;
	const char *health_urls[SETTINGS_HEALTH_URLS_MAX];
};

/* Never changed after settings_load: read the fields directly.  Text that is not set is NULL. */
struct settings {
	const char *telegram_bot_token;
	enum telegram_mode telegram_mode;
	const char *telegram_webhook_url;
	const char *telegram_webhook_secret;
	const char *telegram_api_base; /* without a slash at its end, as all base URLs */
	const char *telegram_proxy;
	int64_t telegram_chat_id; /* resolved: TELEGRAM_CHAT_ID or the first admin */
	struct settings_ids admins;
	struct settings_ids staging_users;

	const char *github_webhook_secret; /* NULL: no /github/webhook */
	const char *github_repository;	   /* "owner/name" or NULL: any signed one */
	const char *repository_url;	   /* resolved; valid settings have one */
	int poll_repository_seconds;	   /* resolved; 0: never */

	int health_check_timeout_seconds;
	int health_check_retries;
	int health_check_interval_seconds;
	int health_check_successes;

	int deploy_timeout_seconds;
	int shutdown_timeout_seconds;
	int run_logs_keep;

	const char *runner_socket; /* NULL: the runner is our child */
	const char *listen_address;
	int api_server_port;
	bool enable_telemetry;
	const char *state_directory;
	const char *audit_log_path;
	enum log_level log_level;
	enum log_format log_format;

	char host[65]; /* this machine's name: no setting, but of their moment */

	size_t environment_count;
	struct environment_settings environments[SETTINGS_ENVIRONMENTS_MAX];

	struct settings_inside *inside; /* the texts, the count */
};

enum settings_severity { SETTINGS_ERROR, SETTINGS_WARNING, SETTINGS_NOTE };

#define SETTINGS_REPORT_MAX 64

/* All that is to say about the settings, in their order; never a secret's value. */
struct settings_report {
	size_t errors;
	size_t count;
	struct settings_line {
		enum settings_severity severity;
		char text[240]; /* "HEALTH_CHECK_RETRIES: \"x\" is not a number (.env line 7)" */
	} lines[SETTINGS_REPORT_MAX];
};

/* Reads env_file (NULL: none; one that is named must be there), then environ ("NAME=value", ends
 * with NULL; wins; may be NULL).  False when there is any error: then *ret is untouched and report
 * holds a line for each.  Warnings and notes are reported in both cases.  The caller owns one
 * count of *ret. */
MUST_USE bool settings_load(const char *env_file, char *const environ_list[], struct settings **ret,
    struct settings_report *report);

/* Counts are atomic: both threads may hold one.  The last put wipes and frees. */
struct settings *settings_ref(struct settings *s);
void settings_unref(struct settings *s); /* takes NULL */
DEFINE_FREEP(struct settings, settings_unref)

/* NULL when there is none of that name. */
const struct environment_settings *settings_environment(const struct settings *s, const char *name);

bool settings_is_admin(const struct settings *s, int64_t telegram_id);
bool settings_is_staging_user(const struct settings *s, int64_t telegram_id);

/* The text a setting has, its default included, NULL when it is not set or is a secret of the
 * runner's (which no snapshot keeps). */
const char *settings_text(const struct settings *s, enum setting setting);

/* Set by the operator (environment, file or NAME_FILE), not by its default. */
bool settings_is_given(const struct settings *s, enum setting setting);

/* The file that NAME_FILE named and the secret was read from, the runner's too; NULL: it came from
 * elsewhere. */
const char *settings_secret_file(const struct settings *s, enum setting setting);

/* Teaches redact every secret value in the snapshot. */
MUST_USE bool settings_redact(const struct settings *s, struct redact *redact, struct err *err);

/* Appends what differs as "NAME, NAME" (never values), and those that need a restart to
 * restart_names.  False when nothing differs. */
bool settings_diff(const struct settings *running, const struct settings *fresh, struct buf *names,
    struct buf *restart_names);

/* settings_load() beside a running snapshot: what is found is checked and compared (as by
 * settings_diff; names stays empty when nothing differs), and in *ret whatever needs a restart has
 * the value that is running, so that the whole program goes on seeing one truth.  It is named again
 * each time until the restart. */
MUST_USE bool settings_reload(const struct settings *running, const char *env_file,
    char *const environ_list[], struct settings **ret, struct settings_report *report,
    struct buf *names, struct buf *restart_names);

/* May the runner see this variable?  True for names of the runner's and both's rows, their _FILE
 * forms, and environments' settings; false for the server's own and for what is unknown. */
bool settings_is_runners(const struct settings *s, const char *name);

/* --- the table itself: for docs, doctor and .env.example --- */

struct setting_row {
	const char *name; /* "<ENV>_HOST" where there is one for each environment */
	const char *type;
	const char *fallback; /* NULL: none */
	bool is_secret;
	bool is_servers;
	bool is_runners;
	bool needs_restart;
	const char *help;
};
size_t settings_row_count(void);
struct setting_row settings_row(size_t i);

/* Appends the text of .env.example. */
void settings_example(struct buf *out);

#endif
