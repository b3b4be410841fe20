/* serve.c - makes the parts and joins them; decides nothing.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "serve.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "clients/aws_credentials.h"
#include "clients/forge_api.h"
#include "clients/jwks.h"
#include "clients/notify_client.h"
#include "clients/opa.h"
#include "clients/prometheus.h"
#include "clients/outbound_client.h"
#include "commands/commands.h"
#include "forges/forge_row.h"
#include "handlers/handlers.h"
#include "lib/buf.h"
#include "lib/clock.h"
#include "lib/crash_point.h"
#include "lib/crypto.h"
#include "lib/file.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/mem_trim.h"
#include "lib/text.h"
#include "routes/route_console.h"
#include "routes/route_health.h"
#include "runs/run_files.h"
#include "runs/run_tail.h"
#include "serve_inside.h"
#include "serve_listen.h"
#include "serve_runner.h"
#include "serve_standby.h"
#include "settings/settings_table.h"
#include "store/fs_check.h"
#include "store/row_run.h"
#include "store/store_beside.h"
#include "store/store_restore.h"
#include "telegram/telegram_update.h"
#include "telegram/telegram_webhook.h"

#define SOURCE_PATH    4096
#define UPLOADS_LISTED 1024 /* a start looks at: those without a row go */

/* Whose bytes are read by whom: the one place where the platforms meet the store. */
static store_decode *const decoders[EVENT_SOURCE_COUNT] = {
	[SOURCE_TELEGRAM_WEBHOOK] = telegram_update_decode_webhook,
	[SOURCE_TELEGRAM_POLL] = telegram_update_decode_poll,
	[SOURCE_DELIVERY] = forge_decode,
	[SOURCE_DELIVERY_FORM] = forge_decode_form,
};

/* --- the crossing --- */

/* One of our own: refused only when there is no randomness, and then nothing can go on. */
static void
submit_own(void *ctx, struct event *event)
{
	bool taken = serve_submit(ctx, event);

	assert(taken);
}

static void
on_outcomes(UNUSED struct loop_async *async, void *ctx)
{
	struct serve *serve = ctx;
	struct queue_list list = { 0 };

	if (crossing_take_outcomes(serve->crossing, &list))
		serve_take_outcomes(serve, &list);
}

/* Called on the store's thread. */
static void
wake_loop(void *ctx)
{
	struct serve *serve = ctx;

	loop_async_wake(&serve->wake);
}

/* --- what the parts ask of each other --- */

static bool
may_act(void *ctx)
{
	return lease_may_act(((struct serve *)ctx)->lead.lease);
}

static void
show_tail(void *ctx, int64_t run, struct buf *out)
{
	const struct run_tail_shape as = { 8, 1200, .without_steps = true };
	struct serve *serve = ctx;
	struct err err;

	if (!runs_tail(serve->runs, run, &as, out, &err))
		log_debug("the output of run %" PRId64 " cannot be shown: %s", run, err.text);
}

static void
show_gate(void *ctx, int64_t run, struct buf *out)
{
	perform_gate_text(&((struct serve *)ctx)->perform, run, out);
}

static void
count_telegram_call(void *ctx, const char *method, int code)
{
	metric_set_telegram(((struct serve *)ctx)->metrics, method, code);
}

static void
count_telegram_request(void *ctx, int status)
{
	metric_set_webhook(((struct serve *)ctx)->metrics, "", "telegram", status);
}

static void
count_forge_request(void *ctx, enum delivery_forge forge, const char *application, int status)
{
	metric_set_webhook(
	    ((struct serve *)ctx)->metrics, application, delivery_forge_word(forge), status);
}

static void
count_hook_request(void *ctx, const char *application, int status)
{
	metric_set_webhook(((struct serve *)ctx)->metrics, application, "hook", status);
}

/* What a webhook's route never saw counts as its requests all the same; other paths do not. */
static void
count_refused(void *ctx, const char *path, int status)
{
	const struct settings *settings = ((struct serve *)ctx)->settings;
	enum delivery_forge forge;
	const char *application = forge_webhook_application(settings, path, &forge);

	if (strcmp(path, TELEGRAM_WEBHOOK_PATH) == 0)
		count_telegram_request(ctx, status);
	else if (application != NULL)
		count_forge_request(ctx, forge, application, status);
	else if (settings->enable_api_server && text_starts(path, ROUTE_HOOKS_PATH))
		count_hook_request(ctx, "", status);
}

static void
note_pending(void *ctx, int64_t updates)
{
	metric_set_value(((struct serve *)ctx)->metrics, METRIC_TELEGRAM_PENDING, (double)updates);
}

static void
note_receiving(void *ctx, bool is_receiving)
{
	struct serve *serve = ctx;

	metric_set_value(serve->metrics, METRIC_TELEGRAM_RECEIVING, is_receiving);
	health_watch_telegram(serve->watch, is_receiving);
}

static void
note_health(void *ctx, const char *environment, size_t i, const char *url, bool is_up)
{
	struct metric_set *metrics = ((struct serve *)ctx)->metrics;

	if (url == NULL)
		metric_set_health(metrics, environment, is_up);
	else
		metric_set_health_url(metrics, environment, i, url, is_up);
}

static void
note_state(void *ctx, const struct state_facts *facts)
{
	metric_set_state(((struct serve *)ctx)->metrics, facts);
}

static void
note_health_round(void *ctx, double seconds)
{
	metric_set_value(((struct serve *)ctx)->metrics, METRIC_HEALTH_INTERVAL, seconds);
}

static void
note_certificate(void *ctx, bool is_read, int64_t expires_at_s)
{
	metric_set_tls(((struct serve *)ctx)->metrics, is_read, expires_at_s);
}

static void
note_mirror(void *ctx, int64_t bytes)
{
	metric_set_value(((struct serve *)ctx)->metrics, METRIC_MIRROR_SIZE, (double)bytes);
}

static void
note_keys(struct serve *serve)
{
	bool is_unreachable = false;

	for (size_t i = 0; i < JOB_FORGES; i++)
		is_unreachable |=
		    serve->jobs.keys[i] != NULL && jwks_failure(serve->jobs.keys[i])[0] != '\0';
	metric_set_value(serve->metrics, METRIC_JOB_KEYS_UNREACHABLE, is_unreachable);
}

/* Without one there is no series; nor of when a token ends that never does. */
static void
note_vault(struct serve *serve)
{
	const struct vault_state state = vault_look(serve->vault.client);

	if (state.is_set)
		metric_set_value(serve->metrics, METRIC_VAULT_UP, state.is_up);
	else
		metric_set_forget(serve->metrics, METRIC_VAULT_UP);
	if (state.is_set && state.ends)
		metric_set_value(serve->metrics, METRIC_VAULT_TOKEN_TTL, (double)state.ends_in_s);
	else
		metric_set_forget(serve->metrics, METRIC_VAULT_TOKEN_TTL);
}

/* Once a second. */
static void
note_lag(void *ctx, double seconds)
{
	struct serve *serve = ctx;
	int64_t ahead_s = 0;
	bool is_known = telegram_clock(serve->telegram, &ahead_s);

	metric_set_clock(serve->metrics, is_known, ahead_s);
	metric_set_value(serve->metrics, METRIC_LOOP_LAG, seconds);
	metric_set_value(serve->metrics, METRIC_GITHUB_INTERVAL, forge_api_factor(serve->github));
	note_keys(serve);
	note_vault(serve);
	metric_set_value(serve->metrics, METRIC_MESSAGES_WAITING_SINCE,
	    (double)telegram_send_waiting_since(telegram_sender(serve->telegram)) / 1000);
}

/* What is counted is there before it happens. */
static void
expect_counts(struct serve *serve)
{
	metric_set_settings(serve->metrics, serve->settings);
	for (size_t i = 0; i < commands_count(); i++)
		metric_set_expect_command(serve->metrics, commands_get(i)->word);
}

static struct settings *
current_settings(void *ctx)
{
	return ((struct serve *)ctx)->settings;
}

/* --- the parts, in order --- */

static bool
check_file_system(const char *folder, struct err *err)
{
	enum fs_check fs;
	const char *name;

	if (!fs_check_look(folder, &fs, &name, err))
		return false;
	if (fs == FS_REMOTE)
		return err_set(err, ERR_CONFIG,
		    "STATE_DIRECTORY %s is on %s, where neither locks nor flushes can be trusted: use a local disk",
		    folder, name);
	if (fs == FS_VOLATILE)
		log_warning(
		    "STATE_DIRECTORY %s is on %s: this directory is not persistent: it is lost with its container or at the next boot",
		    folder, name);
	return true;
}

/* What only we can open: whoever can read a folder can lock it, and the runner's user reads this
 * one.  The file is the store's (store_poison.c), and never removed. */
static int
open_lock(const char *folder, bool is_shared, struct err *err)
{
	CLEANUP(file_closep) int fd = -1;
	char file[SOURCE_PATH];
	struct stat st;

	if (!is_shared) {
		fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		return fd >= 0 ?
		    TAKE_FD(fd) :
		    ERR_FD(err_errno(err, ERR_IO, errno, "STATE_DIRECTORY %s", folder));
	}
	if (snprintf(file, sizeof(file), "%s/" POISON_FILE, folder) >= SOURCE_PATH)
		return ERR_FD(err_set(err, ERR_CONFIG, "STATE_DIRECTORY is too long"));
	fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	if (fd < 0)
		return ERR_FD(file_creation_failed(errno, file, err));
	if (fstat(fd, &st) != 0)
		return ERR_FD(err_errno(err, ERR_IO, errno, "opening %s", file));
	return file_owner_is_ours(st.st_uid, file, err) ? TAKE_FD(fd) : -1;
}

static bool
lock_state(struct serve *serve, struct err *err)
{
	const char *folder = serve->settings->state_directory;
	bool is_shared = serve->settings->runner_socket != NULL; /* with the runner's user */

	if (is_shared)
		(void)umask(027); /* or the scripts could not read environments/ */
	if (!file_mkdirs(folder, is_shared ? 0750 : 0700, err))
		return err_wrap(err, "STATE_DIRECTORY");
	if (!check_file_system(folder, err))
		return false;
	serve->lock_fd = open_lock(folder, is_shared, err);
	if (serve->lock_fd < 0)
		return false;
	if (flock(serve->lock_fd, LOCK_EX | LOCK_NB) != 0)
		return err_set(err, ERR_BUSY,
		    "another deploybot uses %s: stop it first, or set another STATE_DIRECTORY",
		    folder);
	CRASH_POINT(start_locked);
	return true;
}

/* What `deploybot restore` was killed at, or has left to us. */
static bool
finish_restore(struct serve *serve, struct err *err)
{
	const struct store_restore where = { serve->settings->state_directory,
		serve->settings->audit_log_path };

	if (!store_restore_finish(&where, &serve->has_restore_mark, err))
		return false;
	if (serve->has_restore_mark) {
		log_info("the database was restored: what runs where is not known");
		serve->perform.is_restored = true;
	}
	return true;
}

static bool
open_store(struct serve *serve, struct err *err)
{
	const char *folder = serve->settings->state_directory;
	char environments[SOURCE_PATH], poison[SOURCE_PATH], beside[STORE_BESIDE];
	const struct store_config config = {
		.path = serve->settings->database,
		.audit_path = serve->settings->audit_log_path,
		.environments_path = environments,
		.handlers = handlers,
		.decoders = decoders,
		.poison_path = poison,
		.installation = serve->runner.installation,
		.last_run = &serve->runner.last_run,
		.no_copy = serve->options.no_copy,
		.is_restored = serve->perform.is_restored,
		.is_moved_back = serve->options.is_moved_back,
		.fence = serve->lead.lease == NULL ? NULL : lease_fence(serve->lead.lease),
	};

	if (snprintf(environments, sizeof(environments), "%s/environments", folder) >=
		SOURCE_PATH ||
	    snprintf(poison, sizeof(poison), "%s/" POISON_FILE, folder) >= SOURCE_PATH)
		return err_set(err, ERR_CONFIG, "STATE_DIRECTORY is too long");
	serve->store = store_open(&config, err);
	CRASH_POINT(start_opened);
	if (serve->store == NULL ||
	    !store_recover(serve->store, serve->settings, clock_wall_ms(), &serve->lead.held, err))
		return false;
	CRASH_POINT(start_recovered);
	if (store_beside(config.path, folder, beside))
		log_warning("%s", beside);
	return true;
}

static bool
make_telegram(struct serve *serve, struct err *err)
{
	static struct telegram_menu_command menu[48];
	size_t n = commands_count();

	assert(n <= COUNT(menu));
	for (size_t i = 0; i < n; i++) {
		const struct command *command = commands_get(i);

		menu[i] = (struct telegram_menu_command){ command->word, command->help,
			command->action, commands_is_there };
	}
	serve->telegram = telegram_new(
	    &(struct telegram_config){
		.loop = serve->loop,
		.settings = serve->settings,
		.submit = serve_submit,
		.may_act = may_act,
		.refusals = serve->refusals,
		.tail = show_tail,
		.gate = show_gate,
		.count_call = count_telegram_call,
		.count_request = count_telegram_request,
		.pending = note_pending,
		.receiving = note_receiving,
		.ctx = serve,
		.commands = menu,
		.command_count = n,
	    },
	    err);
	return serve->telegram != NULL;
}

static void
add_route(struct serve *serve, struct http_route route)
{
	assert(serve->n_routes < SERVE_ROUTES_MAX);
	serve->routes[serve->n_routes++] = route;
}

static void
make_webhooks(struct serve *serve)
{
	serve->forges = forge_webhook_new(&(struct forge_webhook_config){
	    .settings = current_settings,
	    .submit = serve_submit,
	    .refusals = serve->refusals,
	    .count_request = count_forge_request,
	    .ctx = serve,
	});
	serve->hooks = route_hooks_new(&(struct route_hooks_config){
	    .loop = serve->loop,
	    .settings = current_settings,
	    .submit = serve_submit,
	    .refusals = serve->refusals,
	    .count_request = count_hook_request,
	    .ctx = serve,
	});
}

/* THE place that says what the network is served: webhooks, metrics and health; whatever else
 * starts or shows something, only with ENABLE_API_SERVER. */
static void
add_routes(struct serve *serve)
{
	struct http_route forges[FORGE_WEBHOOK_ROUTES], api[ROUTE_API_ROUTES], route;
	size_t n;

	forge_webhook_routes(serve->forges, forges);
	for (size_t i = 0; i < COUNT(forges); i++)
		add_route(serve, forges[i]);
	if (telegram_route(serve->telegram, &route))
		add_route(serve, route);
	add_route(serve, route_metrics(&serve->metrics_route));
	add_route(serve, route_instance(&serve->instance));
	add_route(serve, route_health_live());
	add_route(serve, route_health_ready(serve->watch));
	if (!serve->settings->enable_api_server)
		return;
	add_route(serve, route_hooks(serve->hooks));
	n = route_api_routes(serve->network_api, api);
	for (size_t i = 0; i < n; i++)
		add_route(serve, api[i]);
	if (serve->settings->console)
		add_route(serve, route_console(&serve->console));
}

static bool
is_proxy(void *ctx, const char *peer, bool is_local)
{
	return settings_trusts_proxy(((struct serve *)ctx)->settings, peer, is_local);
}

static bool
make_http(struct serve *serve, struct err *err)
{
	struct http_server_config config;

	make_webhooks(serve);
	serve->runner.waiting = route_watch_new(serve->loop, serve->runner.source);
	serve_network_api(serve);
	if (!route_instance_draw(&serve->instance, err) ||
	    !route_console_init(&serve->console, err))
		return false;
	serve->metrics_route =
	    (struct route_metrics){ serve->metrics, current_settings, serve_runner_count, serve };
	add_routes(serve);
	config = (struct http_server_config){ .routes = serve->routes,
		.route_count = serve->n_routes,
		.connections_max = LIMIT_CONNECTIONS,
		.on_refused = count_refused,
		.on_few = serve_listen_room,
		.is_proxy = is_proxy,
		.ctx = serve };
	if (!serve_listen(serve, &config, err))
		return false;
	serve_local_start(serve);
	return true;
}

/* The names are AWS's: they are the container's, and no settings. */
static bool
make_witness(struct serve *serve, struct err *err)
{
	/* NOLINTBEGIN(concurrency-mt-unsafe): one thread */
	const struct aws_source source = {
		.relative_uri = getenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"),
		.full_uri = getenv("AWS_CONTAINER_CREDENTIALS_FULL_URI"),
		.token = getenv("AWS_CONTAINER_AUTHORIZATION_TOKEN"),
		.token_file = getenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"),
	};
	/* NOLINTEND(concurrency-mt-unsafe): one thread */

	serve->witness.s3 = outbound_client(serve->loop, outbound_of(OUTBOUND_S3, NULL), 1, 0, err);
	if (serve->witness.s3 != NULL)
		serve->witness.aws = aws_credentials_new(serve->loop, &source, err);
	return serve->witness.aws != NULL;
}

/* Those that connect elsewhere, but for Telegram's. */
static bool
make_clients(struct serve *serve, struct err *err)
{
	serve->cloudflare = outbound_client(serve->loop,
	    outbound_of(OUTBOUND_CLOUDFLARE, serve->settings->cloudflare_api_base), 2, 0, err);
	serve->github = forge_api_new(serve->loop, err);
	serve->opa = opa_client(serve->loop, &serve->settings->opa, err);
	serve->prometheus = prometheus_client(serve->loop, &serve->settings->prometheus, err);
	serve->notify = notify_clients_new(serve->loop, err);
	serve->vault.client = vault_new(serve->loop, serve->settings);
	serve->vault.loans = loan_shelf_new(serve->loop, serve->redact);
	return perform_probe_clients(&serve->probes, serve->loop, err) &&
	    serve->cloudflare != NULL && serve->opa != NULL && serve->prometheus != NULL &&
	    serve->notify != NULL && serve->github != NULL && make_witness(serve, err);
}

static void
make_perform(struct serve *serve)
{
	serve->perform = (struct perform){ .loop = serve->loop,
		.runs = serve->runs,
		.source = serve->runner.source,
		.redact = serve->redact,
		.telegram = serve->telegram,
		.probes = serve->probes,
		.cloudflare = serve->cloudflare,
		.opa = serve->opa,
		.prometheus = serve->prometheus,
		.notify = serve->notify,
		.settings = &serve->settings,
		.github = serve->github,
		.s3 = serve->witness.s3,
		.aws = serve->witness.aws,
		.vault = serve->vault.client,
		.loans = serve->vault.loans,
		.uploads = serve->uploads,
		.link = serve->runner.agents == NULL ? NULL : agents_link(serve->runner.agents),
		.submit = submit_own,
		.submit_ctx = serve,
		.may_act = serve->lead.lease == NULL ? NULL : may_act,
		.note_mirror = note_mirror,
		.is_restored = serve->perform.is_restored };
}

static bool
make_parts(struct serve *serve, struct err *err)
{
	/* The runner first: it must inherit neither threads nor sockets. */
	if (!serve_runner_start(serve, err) || !open_store(serve, err))
		return false;
	loop_async_init(&serve->wake, on_outcomes, serve);
	loop_async_start(serve->loop, &serve->wake);
	serve->crossing = crossing_new(wake_loop, serve);
	serve->watch = health_watch_new(serve->loop, note_lag, serve);
	serve->refusals = refusals_new(
	    &(struct refusals_config){ .loop = serve->loop, .submit = serve_submit, .ctx = serve });
	expect_counts(serve);
	serve->uploads = uploads_new(serve->settings->state_directory, err);
	if (serve->uploads == NULL || !make_clients(serve, err) || !make_telegram(serve, err) ||
	    !make_http(serve, err))
		return false;
	make_perform(serve);
	serve->health = perform_health_start(&(struct perform_health_config){ serve->loop,
	    serve->probes.gates, PERFORM_HEALTH_PERIOD_MS, note_health, note_health_round, serve });
	serve->tls = tls_watch_start(
	    &(struct tls_watch_config){
		.loop = serve->loop, .on_read = note_certificate, .ctx = serve },
	    err);
	serve->state =
	    state_watch_start(serve->loop, serve->settings->state_directory, note_state, serve);
	if (serve->tls == NULL)
		return false;
	perform_health_settings(serve->health, serve->settings);
	tls_watch_settings(serve->tls, serve->settings);
	serve->store_thread = store_thread_start(serve->store, serve->crossing, err);
	if (serve->store_thread == NULL)
		return false;
	serve->store = NULL;
	return true;
}

/* --- running --- */

/* What was in progress goes on, and what is overdue is done, before anything new is accepted. */
static bool
resume(struct serve *serve, struct err *err)
{
	/* A restore goes on at the clock's seconds. */
	const int64_t now_s = clock_wall_ms() / 1000, last = serve->runner.last_run;
	struct event *started = event_new(EVENT_STARTED);

	started->done = serve_heads_start;
	started->done_ctx = serve;
	started->u.started.is_restored = serve->perform.is_restored;
	started->u.started.is_moved_back = serve->options.is_moved_back;
	started->u.started.uploads = mem_new(UPLOADS_LISTED, LIMIT_DIGEST);
	started->u.started.n_uploads =
	    uploads_list(serve->uploads, started->u.started.uploads, UPLOADS_LISTED);
	if (!run_files_highest(serve->settings->state_directory,
		(last > now_s ? last : now_s) + ROW_RUN_FAR, &started->u.started.highest_run,
		err)) {
		event_free(started);
		return false;
	}
	CRASH_POINT(start_resuming);
	/* First: with --restored nothing is trusted any more when a result comes. */
	submit_own(serve, started);
	serve_take_outcomes(serve, &(struct queue_list){ 0 }); /* what was open */
	CRASH_POINT(start_resumed);
	telegram_start(serve->telegram);
	return true;
}

static void
on_stop_signal(UNUSED struct loop_signal *signal, void *ctx)
{
	serve_stop_start(ctx);
}

static void
watch_signals(struct serve *serve)
{
	loop_signal_stop(&serve->sigterm);
	loop_signal_stop(&serve->sigint);
	loop_signal_init(&serve->sigterm, on_stop_signal, serve);
	loop_signal_init(&serve->sigint, on_stop_signal, serve);
	loop_signal_start(serve->loop, &serve->sigterm, SIGTERM);
	loop_signal_start(serve->loop, &serve->sigint, SIGINT);
	serve_reload_start(serve);
}

int
serve_run(struct settings *settings, const struct serve_options *options)
{
	struct serve serve = { .settings = settings,
		.options = *options,
		.lock_fd = -1,
		.given.fd = -1,
		.given.local_fd = -1,
		.perform.is_restored = options->is_restored };
	struct err err = { 0 };
	bool ok;

	(void)signal(SIGPIPE, SIG_IGN);
	serve_listen_allow();
	ok = serve_sandbox_fork(&serve, &err);
	serve.redact = redact_new();
	ok = ok && settings_redact(settings, serve.redact, &err) && crypto_start(&err);
	log_init(settings->log_level, settings->log_format, serve.redact);
	if (settings->is_production)
		log_info(
		    "ENVIRONMENT=production: start and reload refuse short, known or placeholder secrets, files of theirs that others may read, http:// beyond this machine, DEBUG, limits of 0, and to be without RUNNER_SOCKET, TELEGRAM_CHAT_ID or ALLOWED_CHATS");
	ok = ok && serve_manager_sockets(&serve.given.fd, &serve.given.local_fd, &err) &&
	    lock_state(&serve, &err) && finish_restore(&serve, &err) &&
	    (serve.loop = loop_new(&err)) != NULL && serve_sandbox_enter(&serve, &err);
	serve.metrics = metric_set_new();
	ok = ok && serve_standby(&serve, &err);
	if (serve.lead.is_over) {
		log_info("this server ends as a standby");
	} else if (ok && make_parts(&serve, &err) && resume(&serve, &err)) {
		watch_signals(&serve);
		serve_secrets_start(&serve);
		CRASH_POINT(start_ready);
		serve_listen_say(&serve);
		serve_manager_ready(&serve);
		mem_trim();
		loop_run(serve.loop);
	} else {
		log_error("cannot start: %s", err.text);
		serve_manager_refused(err.text);
		serve.status = err_exit_status(err.code);
	}
	serve_teardown(&serve);
	return serve.status;
}
