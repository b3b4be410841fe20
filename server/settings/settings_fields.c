/* settings_fields.c - the typed fields of a snapshot, from texts that have passed their checks.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "settings/settings_inside.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/address.h"
#include "lib/condition.h"
#include "lib/environment_id.h"
#include "lib/host_lines.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "lib/window.h"
#include "settings/checks/settings_claims.h"
#include "types/action.h"
#include "types/probe.h"
#include "types/waves.h"

#define DEFAULT_NAG_MINUTES 15 /* where it is asked first, and in production anyway */

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

/* In an array that is kept in *kept. */
static void
fill_ids(const char *list, int64_t **kept, struct settings_ids *ids)
{
	size_t most = 1;
	char part[32];

	for (const char *c = list; c != NULL && *c != '\0'; c++)
		most += *c == ',';
	free(*kept);
	ids->id = *kept = mem_new(most, sizeof(**kept));
	while (list != NULL && setting_next(&list, part, sizeof(part)))
		(*kept)[ids->count++] = number_in(part);
}

/* A base URL without the slashes at its end. */
static void
trim_slashes(char *url)
{
	for (size_t size = url == NULL ? 0 : strlen(url); size > 0 && url[size - 1] == '/'; size--)
		url[size - 1] = '\0';
}

static void
fill_proxies(struct settings *s)
{
	const char *list = text_of(s, SETTING_TRUSTED_PROXY);
	char part[SETTING_PART_MAX];

	s->proxies = (struct settings_proxies){ .is_set = list != NULL };
	while (list != NULL && setting_next(&list, part, sizeof(part)))
		if (strcmp(part, "unix") == 0)
			s->proxies.has_unix = true;
		else if (!address_networks_add(&s->proxies.networks, part))
			break; /* refused before, and nothing is done with these settings */
}

static void
fill_witness(struct settings *s)
{
	trim_slashes(s->inside->values[SETTING_AUDIT_S3_ENDPOINT].text);
	s->audit_keep_days = number_of(s, SETTING_AUDIT_KEEP_DAYS);
	s->audit_s3_bucket = text_of(s, SETTING_AUDIT_S3_BUCKET);
	s->audit_s3_region = text_of(s, SETTING_AUDIT_S3_REGION);
	s->audit_s3_endpoint = text_of(s, SETTING_AUDIT_S3_ENDPOINT);
	s->audit_s3_access_key_id = text_of(s, SETTING_AUDIT_S3_ACCESS_KEY_ID);
	s->audit_witness_max_ms = number_of(s, SETTING_AUDIT_WITNESS_MAX_MINUTES) * INT64_C(60000);
}

static void
fill_vault(struct settings *s)
{
	trim_slashes(s->inside->values[SETTING_VAULT_ADDR].text);
	s->vault = (struct settings_vault){ .address = text_of(s, SETTING_VAULT_ADDR),
		.token_role = text_of(s, SETTING_VAULT_TOKEN_ROLE),
		.wait_ms = setting_duration_ms(text_of(s, SETTING_SECRET_WAIT)),
		.ca_file = text_of(s, SETTING_VAULT_CA_FILE),
		.name_space = text_of(s, SETTING_VAULT_NAMESPACE),
		.token = text_of(s, SETTING_VAULT_TOKEN),
		.role_id = text_of(s, SETTING_VAULT_ROLE_ID),
		.secret_id = text_of(s, SETTING_VAULT_SECRET_ID) };
}

static void
fill_link(struct settings *s)
{
	s->link = (struct settings_link){ .address = text_of(s, SETTING_LINK_ADDRESS),
		.socket = text_of(s, SETTING_LINK_SOCKET),
		.runners = text_of(s, SETTING_RUNNERS),
		.ca_key = text_of(s, SETTING_LINK_CA_KEY),
		.order_key = text_of(s, SETTING_LINK_ORDER_KEY) };
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
	trim_slashes(s->inside->values[SETTING_CLOUDFLARE_API_BASE].text);
	s->cloudflare_api_token = text_of(s, SETTING_CLOUDFLARE_API_TOKEN);
	s->cloudflare_api_base = text_of(s, SETTING_CLOUDFLARE_API_BASE);
	s->opa.url = text_of(s, SETTING_OPA_URL);
	s->opa.token = text_of(s, SETTING_OPA_TOKEN);
	s->opa.ca_file = text_of(s, SETTING_OPA_CA_FILE);
	trim_slashes(s->inside->values[SETTING_PROMETHEUS_URL].text);
	s->prometheus = (struct settings_prometheus){ .url = text_of(s, SETTING_PROMETHEUS_URL),
		.user = text_of(s, SETTING_PROMETHEUS_USER),
		.token = text_of(s, SETTING_PROMETHEUS_TOKEN),
		.ca_file = text_of(s, SETTING_PROMETHEUS_CA_FILE) };
	s->telegram_mode =
	    (mode != NULL ? text_same_ci(mode, "webhook") :
			    s->inside->values[SETTING_TELEGRAM_WEBHOOK_URL].is_given) ?
	    TELEGRAM_WEBHOOK :
	    TELEGRAM_POLLING;
	s->telegram_chat_id = number_in(text_of(s, SETTING_TELEGRAM_CHAT_ID));
	if (s->telegram_chat_id == 0 && s->admins.count > 0)
		s->telegram_chat_id = s->admins.id[0];
	s->pin_status = settings_truth(text_of(s, SETTING_PIN_STATUS));
}

/* Is it said in the application's own file? */
static bool
is_own(const struct settings *s, enum setting setting)
{
	const struct settings_value *value = &s->inside->values[setting];

	return value->is_given && !value->is_inherited;
}

static void
fill_github(struct settings *s)
{
	bool is_elsewhere = s->inside->application[0] != '\0' && is_own(s, SETTING_GITHUB_API_URL);

	trim_slashes(s->inside->values[SETTING_GITHUB_API_URL].text);
	trim_slashes(s->inside->values[SETTING_GITLAB_URL].text);
	s->github = (struct settings_github){ .url = text_of(s, SETTING_GITHUB_API_URL),
		.gitlab_token = text_of(s, SETTING_GITLAB_API_TOKEN),
		.watch = text_of(s, SETTING_WATCH_PIPELINES),
		.app_pushes = settings_truth(text_of(s, SETTING_GITHUB_APP_PUSHES)),
		.reports = settings_truth(text_of(s, SETTING_REPORT_DEPLOYMENTS)),
		.repository_id = number_in(text_of(s, SETTING_GITHUB_REPOSITORY_ID)),
		.ci_wait_minutes = number_in(text_of(s, SETTING_CI_WAIT_MINUTES)) };
	if (!is_elsewhere) {
		s->github.app_webhook_secret = text_of(s, SETTING_GITHUB_APP_WEBHOOK_SECRET);
		s->github.app_id = text_of(s, SETTING_GITHUB_APP_ID);
		s->github.app_key = text_of(s, SETTING_GITHUB_APP_KEY);
	}
	if (!is_elsewhere || is_own(s, SETTING_GITHUB_API_TOKEN))
		s->github.token = text_of(s, SETTING_GITHUB_API_TOKEN);
}

static void
fill_repository(struct settings *s)
{
	const char *polls = text_of(s, SETTING_POLL_REPOSITORY_SECONDS);

	fill_github(s);
	s->github_webhook_secret = text_of(s, SETTING_GITHUB_WEBHOOK_SECRET);
	s->github_repository = text_of(s, SETTING_GITHUB_REPOSITORY);
	s->forge_webhook_secret = text_of(s, SETTING_FORGE_WEBHOOK_SECRET);
	s->repository_path = text_of(s, SETTING_REPOSITORY_PATH);
	s->repository_url = text_of(s, SETTING_REPOSITORY_URL);
	s->paths = text_of(s, SETTING_PATHS);
	if (s->repository_url == NULL && s->github_repository != NULL) {
		text_setf(s->inside->repository_url, "https://github.com/%s.git",
		    s->github_repository); /* fits: 200 at most */
		s->repository_url = s->inside->repository_url;
	}
	if (polls != NULL)
		s->poll_repository_seconds = (int)number_in(polls);
	else if (s->repository_url != NULL)
		s->poll_repository_seconds = s->telegram_mode == TELEGRAM_POLLING ? 60 : 300;
}

/* What it is for that member; NULL: for all. */
static int
number_for(const struct settings *s, const struct settings_member *member, enum setting setting)
{
	return (int)number_in(settings_value_of(s, member, setting)->text);
}

static void
fill_times(const struct settings *s, const struct settings_member *member, struct settings_times *t)
{
	t->health_check_timeout_seconds = number_for(s, member, SETTING_HEALTH_CHECK_TIMEOUT);
	t->health_check_retries = number_for(s, member, SETTING_HEALTH_CHECK_RETRIES);
	t->health_check_interval_seconds = number_for(s, member, SETTING_HEALTH_CHECK_INTERVAL);
	t->health_check_successes = number_for(s, member, SETTING_HEALTH_CHECK_SUCCESSES);
	t->health_check_deadline_seconds = number_for(s, member, SETTING_HEALTH_CHECK_DEADLINE);
	t->deploy_timeout_seconds = number_for(s, member, SETTING_DEPLOY_TIMEOUT_SECONDS);
	t->gate_hours = number_for(s, member, SETTING_GATE_HOURS);
	if (t->health_check_deadline_seconds == 0)
		t->health_check_deadline_seconds =
		    probe_deadline_s(t->health_check_retries > t->health_check_successes ?
			    t->health_check_retries :
			    t->health_check_successes, /* who needs as many passes may pass */
			t->health_check_interval_seconds, t->health_check_timeout_seconds);
}

static void
fill_database(struct settings *s)
{
	const char *url = text_of(s, SETTING_DATABASE_URL);

	if (s->state_directory != NULL)
		text_setf(s->inside->database, "%s/" STORE_FILE, s->state_directory); /* fits */
	s->database = url != NULL ? url : s->inside->database;
}

static void
fill_server(struct settings *s)
{
	const char *level = text_of(s, SETTING_LOG_LEVEL), *format = text_of(s, SETTING_LOG_FORMAT);

	fill_times(s, NULL, &s->times);
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
	s->upload_keep_days = number_of(s, SETTING_UPLOAD_KEEP_DAYS);
	s->uploads_total = size_of(s, SETTING_UPLOADS_TOTAL);
	s->runner_socket = text_of(s, SETTING_RUNNER_SOCKET);
	s->local_socket = text_of(s, SETTING_LOCAL_SOCKET);
	s->listen_address = text_of(s, SETTING_LISTEN_ADDRESS);
	fill_proxies(s);
	s->api_server_port = number_of(s, SETTING_API_SERVER_PORT);
	if (settings_truth(text_of(s, SETTING_ENABLE_TOKEN_AUTH)))
		s->auth_token_secret = text_of(s, SETTING_AUTH_TOKEN_SECRET);
	s->rotate_days = number_of(s, SETTING_ROTATE_DAYS);
	s->session_timeout_ms = number_of(s, SETTING_SESSION_TIMEOUT_SECONDS) * INT64_C(1000);
	s->enable_api_server = settings_truth(text_of(s, SETTING_ENABLE_API_SERVER));
	s->console = settings_truth(text_of(s, SETTING_CONSOLE));
	s->enable_telemetry = settings_truth(text_of(s, SETTING_ENABLE_TELEMETRY));
	s->sandbox = settings_truth(text_of(s, SETTING_SANDBOX));
	s->state_directory = text_of(s, SETTING_STATE_DIRECTORY);
	fill_database(s);
	s->audit_log_path = text_of(s, SETTING_AUDIT_LOG_PATH);
	fill_witness(s);
	fill_vault(s);
	fill_link(s);
	s->approve_self = settings_truth(text_of(s, SETTING_APPROVE_SELF));
	s->approve_unknown_pusher = settings_truth(text_of(s, SETTING_APPROVE_UNKNOWN_PUSHER));
	s->approval_timeout_ms = setting_duration_ms(text_of(s, SETTING_APPROVAL_TIMEOUT));
	s->is_production = settings_says_production(text_of(s, SETTING_ENVIRONMENT));
	s->emergency_without_factor =
	    !s->is_production && settings_truth(text_of(s, SETTING_EMERGENCY_WITHOUT_OTP));
	s->log_level = LOG_LEVEL_INFO;
	if (level != NULL && !log_level_from(level, &s->log_level))
		s->log_level = LOG_LEVEL_INFO;
	s->log_format = format != NULL && text_same_ci(format, "logfmt") ? LOG_LOGFMT : LOG_HUMAN;
}

/* False: its zone went away since it was checked.  What else is false here was said before. */
static bool
fill_windows(struct settings_member *in)
{
	const char *text = settings_own(in, ENVIRONMENT_SETTING_FREEZE)->text;

	windows_free(in->freeze);
	in->freeze = text == NULL ? NULL : windows_parse(text, NULL);
	return text == NULL || in->freeze != NULL;
}

static bool
fill_conditions(struct settings_member *in)
{
	const char *text = settings_own(in, ENVIRONMENT_SETTING_APPROVALS_IF)->text;

	free(in->approvals_if);
	in->approvals_if = text == NULL ? NULL : mem_new(1, sizeof(*in->approvals_if));
	return text == NULL || conditions_parse(text, in->approvals_if, NULL);
}

/* What its forge sends, asks and says of it. */
static void
fill_forge(const struct settings_member *in, struct environment_settings *e)
{
	const char *pushes = settings_own(in, ENVIRONMENT_SETTING_FREEZE_PUSHES)->text;
	const char *uploads = settings_own(in, ENVIRONMENT_SETTING_UPLOADS)->text;
	const char *slash = strrchr(e->name, '/');

	if (settings_truth(settings_own(in, ENVIRONMENT_SETTING_DEPLOY_PUSHES)->text))
		e->push_branch = e->branch;
	e->takes_unproven = uploads != NULL && text_same_ci(uploads, "unproven");
	e->takes_uploads = e->takes_unproven || (uploads != NULL && text_same_ci(uploads, "true"));
	e->drops_pushes = pushes != NULL && text_same_ci(pushes, "drop");
	e->github_environment = settings_own(in, ENVIRONMENT_SETTING_GITHUB_ENVIRONMENT)->text;
	if (e->github_environment == NULL)
		e->github_environment = slash != NULL ? slash + 1 : e->name;
	e->gate_reviewer =
	    settings_truth(settings_own(in, ENVIRONMENT_SETTING_GATE_REVIEWER)->text);
	e->require_ci = settings_own(in, ENVIRONMENT_SETTING_REQUIRE_CI)->text;
}

static void
fill_bake(const struct settings_member *in, struct environment_settings *e)
{
	static const enum family_setting queries[LIMIT_BAKE_QUERIES] = {
		ENVIRONMENT_SETTING_BAKE_QUERY, ENVIRONMENT_SETTING_BAKE_QUERY_2,
		ENVIRONMENT_SETTING_BAKE_QUERY_3, ENVIRONMENT_SETTING_BAKE_QUERY_4
	};
	const char *pause = settings_own(in, ENVIRONMENT_SETTING_WAVE_PAUSE)->text;

	e->hosts = settings_hosts(in);
	e->bake_ms = setting_duration_ms(settings_own(in, ENVIRONMENT_SETTING_BAKE)->text);
	for (size_t i = 0; i < COUNT(queries); i++)
		e->bake_queries[i] = settings_own(in, queries[i])->text;
	e->bake_present = settings_own(in, ENVIRONMENT_SETTING_BAKE_PRESENT)->text;
	e->waves = settings_own(in, ENVIRONMENT_SETTING_WAVES)->text;
	e->in_waves.is_pattern = e->hosts != NULL && host_is_pattern(e->hosts);
	e->in_waves.is_set = waves_are_set(e->waves) || e->in_waves.is_pattern;
	e->in_waves.failures_max = settings_own(in, ENVIRONMENT_SETTING_FAILURES_MAX)->text;
	e->in_waves.asks_between = pause != NULL && text_same_ci(pause, "ask");
	e->in_waves.canary = settings_own(in, ENVIRONMENT_SETTING_CANARY)->text;
}

static void
fill_promotion(const struct settings_member *in, struct environment_settings *e)
{
	e->promote_from = settings_own(in, ENVIRONMENT_SETTING_PROMOTE_FROM)->text;
	e->promote_after_ms =
	    setting_duration_ms(settings_own(in, ENVIRONMENT_SETTING_PROMOTE_AFTER)->text);
	e->promote_only = settings_truth(settings_own(in, ENVIRONMENT_SETTING_PROMOTE_ONLY)->text);
}

/* False: as fill_windows(). */
static bool
fill_environment(
    const struct settings *s, struct settings_member *in, struct environment_settings *e)
{
	const char *urls = settings_own(in, ENVIRONMENT_SETTING_HEALTH_URL)->text;
	const char *nag = settings_own(in, ENVIRONMENT_SETTING_ROLLBACK_NAG)->text;
	char url[SETTING_PART_MAX + 1];
	bool ok;

	fill_times(s, in, &in->times);
	e->times = &in->times;
	e->member = in;
	e->name = in->id;
	e->of = s;
	e->refusal = in->refusal;
	e->runner = settings_own(in, ENVIRONMENT_SETTING_RUNNER)->text;
	e->fingerprint = in->fingerprint;
	e->branch = settings_own(in, ENVIRONMENT_SETTING_BRANCH)->text;
	e->confirm = settings_truth(settings_own(in, ENVIRONMENT_SETTING_CONFIRM)->text);
	e->notify_after_seconds =
	    (int)number_in(settings_own(in, ENVIRONMENT_SETTING_NOTIFY_AFTER)->text);
	e->failure_log_lines = number_for(s, in, SETTING_FAILURE_LOG_LINES);
	e->failure_log_in_chat =
	    settings_truth(settings_value_of(s, in, SETTING_FAILURE_LOG_IN_CHAT)->text);
	e->rollback_nag_minutes = nag != NULL		     ? (int)number_in(nag) :
	    e->confirm || environment_is_production(e->name) ? DEFAULT_NAG_MINUTES :
							       0;
	fill_forge(in, e);
	fill_bake(in, e);
	fill_promotion(in, e);
	e->approvals = (int)number_in(settings_own(in, ENVIRONMENT_SETTING_APPROVALS)->text);
	e->rollback_approvals =
	    (int)number_in(settings_own(in, ENVIRONMENT_SETTING_ROLLBACK_APPROVALS)->text);
	ok = fill_conditions(in);
	e->approvals_if = in->approvals_if;
	e->site_url = settings_own(in, ENVIRONMENT_SETTING_SITE_URL)->text;
	e->after = settings_own(in, ENVIRONMENT_SETTING_AFTER)->text;
	e->approvers = settings_own(in, ENVIRONMENT_SETTING_APPROVERS)->text;
	e->approval_chat = number_in(settings_own(in, ENVIRONMENT_SETTING_APPROVAL_CHAT_ID)->text);
	ok &= fill_windows(in);
	e->freeze = in->freeze;
	for (size_t i = 0;
	     urls != NULL && i < SETTINGS_HEALTH_URLS_MAX && setting_next(&urls, url, sizeof(url));
	     i++) {
		free(in->urls[i]);
		in->urls[i] = mem_text(url);
		if (probe_is_template(url) && e->health_template == NULL)
			e->health_template = in->urls[i];
		else
			e->health_urls[e->health_url_count++] = in->urls[i];
	}
	return ok;
}

/* Room for all, own and applications'. */
static void
make_environments(struct settings_inside *in)
{
	size_t n = in->member_count;

	for (size_t i = 0; i < in->application_count; i++)
		n += in->applications[i]->environment_count;
	free(in->environments);
	free(in->firsts);
	in->environments = mem_new(n + 1, sizeof(*in->environments));
	in->firsts = mem_new(in->application_count + 1, sizeof(*in->firsts));
}

/* The own ones, then those of the applications, as these have them. */
static bool
fill_environments(struct settings *s)
{
	struct settings_inside *in = s->inside;
	bool ok = true;

	make_environments(in);
	s->environments = in->environments;
	for (size_t i = 0; i < in->member_count; i++)
		if (in->members[i]->family == FAMILY_ENVIRONMENT)
			ok &= fill_environment(
			    s, in->members[i], &in->environments[s->environment_count++]);
	for (size_t i = 0; i < in->application_count; i++) {
		in->firsts[i] = s->environment_count;
		for (size_t j = 0; j < in->applications[i]->environment_count; j++)
			in->environments[s->environment_count++] =
			    in->applications[i]->environments[j];
	}
	return ok;
}

static void
fill_client(const struct settings *s, const struct settings_member *in, struct client_settings *c)
{
	const char *approvals = settings_own(in, CLIENT_SETTING_APPROVALS)->text;

	c->id = in->name;
	c->name = settings_own(in, CLIENT_SETTING_NAME)->text;
	if (c->name == NULL)
		c->name = in->name;
	c->host = settings_own(in, CLIENT_SETTING_HOST)->text;
	c->actions = action_set(settings_own(in, CLIENT_SETTING_ACTIONS)->text);
	c->approvals = approvals != NULL ? (int)number_in(approvals) : -1;
	c->cloudflare_zone = settings_own(in, CLIENT_SETTING_CLOUDFLARE_ZONE)->text;
	c->web_unit = settings_own(in, CLIENT_SETTING_WEB_UNIT)->text;
	c->compose_dir = settings_own(in, CLIENT_SETTING_COMPOSE_DIR)->text;
	c->cache_command = settings_own(in, CLIENT_SETTING_CACHE_COMMAND)->text;
	c->limit = settings_own(in, CLIENT_SETTING_LIMIT)->text;
	if (c->limit == NULL)
		c->limit = in->name;
	c->cloudflare_domain = settings_own(in, CLIENT_SETTING_CLOUDFLARE_DOMAIN)->text;
	c->cloudflare_minutes =
	    (int)number_in(settings_own(in, CLIENT_SETTING_CLOUDFLARE_MINUTES)->text);
	c->as = (struct environment_settings){
		.name = in->id,
		.of = s,
		.refusal = "",
		.confirm = true,
		.fingerprint = in->fingerprint,
	};
	c->target = settings_own(in, CLIENT_SETTING_ENVIRONMENT)->text;
	if (c->target == NULL)
		c->target = c->as.name;
}

static void
fill_clients(struct settings *s)
{
	struct settings_inside *in = s->inside;

	free(in->clients);
	in->clients = mem_new(in->member_count + 1, sizeof(*in->clients));
	for (size_t i = 0; i < in->member_count; i++)
		if (in->members[i]->family == FAMILY_CLIENT)
			fill_client(s, in->members[i], &in->clients[s->client_count++]);
	s->clients = in->clients;
}

bool
settings_fill(struct settings *s)
{
	struct settings_inside *in = s->inside;
	bool ok;

	*s = (struct settings){ .inside = in };
	(void)gethostname(s->host, sizeof(s->host)); /* Linux has none that does not fit */
	fill_ids(text_of(s, SETTING_ADMIN_TELEGRAM_IDS), &in->admins, &s->admins);
	fill_ids(text_of(s, SETTING_ALLOWED_CHATS), &in->allowed_chats, &s->allowed_chats);
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
	ok = fill_environments(s);
	fill_clients(s);
	settings_find_overlaps(s);
	settings_fill_roles(s);
	settings_fill_otp(s);
	return ok;
}
