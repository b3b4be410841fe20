/* serve_local.c - /v1: the socket for the machine's own users, which may be missing, and for tokens.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clients/jwks.h"
#include "clients/outbound_client.h"
#include "lib/err.h"
#include "lib/log.h"
#include "lib/text.h"
#include "serve_inside.h"
#include "serve_listen.h"
#include "types/workflow.h"

/* Of all whom no setting names: they read why they are not let in, and fill no more places. */
#define CONNECTIONS_OF_OTHERS 8

static struct settings *
current_settings(void *ctx)
{
	return ((struct serve *)ctx)->settings;
}

/* Whose folder runs/ is; until there is one nothing runs. */
static uint32_t
runner_uid(void *ctx)
{
	const struct serve *serve = ctx;
	char folder[4096];
	struct stat st;

	if (serve->settings->runner_socket == NULL ||
	    snprintf(folder, sizeof(folder), "%s/runs", serve->settings->state_directory) >=
		(int)sizeof(folder) ||
	    stat(folder, &st) != 0)
		return geteuid();
	return st.st_uid;
}

static void
look(void *ctx, uint64_t user, const struct probe_target *targets, size_t n,
    health_look_fn *on_done, void *done)
{
	health_look_start(((struct serve *)ctx)->looks, user, targets, n, on_done, done);
}

static void
on_log_read(void *ctx, bool is_read, const char *text)
{
	struct serve_log *log = ctx;

	log->look = NULL;
	log->on_done(log->ctx, is_read, text);
}

/* Each look is a script on the runner and a call to a host. */
static bool
read_log(void *ctx, const char *environment, int lines, log_look_fn *on_done, void *done,
    struct err *err)
{
	struct serve *serve = ctx;

	for (size_t i = 0; i < COUNT(serve->logs); i++) {
		struct serve_log *log = &serve->logs[i];

		if (log->look != NULL)
			continue;
		*log = (struct serve_log){ .on_done = on_done, .ctx = done };
		log->look = log_look_start(
		    &(struct log_look_config){
			.loop = serve->loop,
			.runs = serve->runs,
			.environment = environment,
			.lines = lines,
			.patience_ms = ROUTE_API_LOG_MS,
			.on_done = on_log_read,
			.ctx = log,
		    },
		    err);
		return log->look != NULL;
	}
	return err_set(err, ERR_BUSY, "too many read logs at once: ask again in a moment");
}

void
serve_local_stop(struct serve *serve)
{
	for (size_t i = 0; i < COUNT(serve->logs); i++) {
		struct serve_log *log = &serve->logs[i];

		if (log->look == NULL)
			continue;
		log_look_cancel(log->look);
		on_log_read(log, false, "the server stops: ask again in a moment");
	}
	run_source_free(serve->runner.source);
}

static bool
is_other(void *ctx, uid_t uid)
{
	const char *name;

	return uid != 0 && settings_user(current_settings(ctx), uid, &name) == 0;
}

static void
on_unknown(void *ctx)
{
	serve_users_ask(ctx, true);
}

static const char *
crowded(void *ctx, uid_t uid, enum http_server_crowd why, const char *users)
{
	return route_api_crowded(((struct serve *)ctx)->api, uid, why, users);
}

static void
count_refused_job(void *ctx, const char *why)
{
	struct metric_increment one = { .kind = INCREMENT_JOB_REFUSED, .value = 1 };

	(void)text_copy(one.label[0], sizeof(one.label[0]), why); /* a word of ours */
	metric_set_count(((struct serve *)ctx)->metrics, &one);
}

/* Made when the first job of that forge asks. */
static struct jwks *
keys(void *ctx, enum delivery_forge forge)
{
	static const enum outbound_place places[JOB_FORGES] = {
		[DELIVERY_GITHUB] = OUTBOUND_ISSUER, [DELIVERY_GITLAB] = OUTBOUND_GITLAB
	};
	struct serve *serve = ctx;
	const char *issuer = workflow_issuer(serve->settings, forge);
	struct http_client **client = &serve->jobs.issuer[forge];
	struct jwks **ret = &serve->jobs.keys[forge];
	struct err err;

	if (*ret != NULL || !workflow_is_any(serve->settings, forge))
		return *ret;
	*client = outbound_client(serve->loop, outbound_of(places[forge], issuer), 1, 0, &err);
	if (*client == NULL) {
		log_error("tokens of jobs cannot be checked: %s", err.text);
		return NULL;
	}
	*ret = jwks_new(*client, issuer);
	return *ret;
}

void
serve_network_api(struct serve *serve)
{
	if (!serve->settings->enable_api_server)
		return;
	serve->jobs.config = (struct route_job_config){ .settings = current_settings,
		.keys = keys,
		.count_refused = count_refused_job,
		.ctx = serve };
	serve->network_api = route_api_new(&(struct route_api_config){
	    .settings = current_settings,
	    .submit = serve_submit,
	    .refusals = serve->refusals,
	    .source = serve->runner.source,
	    .waiting = serve->runner.waiting,
	    .instance = serve->instance.id,
	    .is_network = true,
	    .look = look,
	    .read_log = read_log,
	    .loans = serve->vault.loans,
	    .jobs = &serve->jobs.config,
	    .ctx = serve,
	});
}

/* Who may stop this server may, and nobody else: whether another can lead is asked before. */
static void
on_hand_over(struct http_request *request, void *ctx)
{
	struct serve *serve = ctx;
	uid_t uid;

	if (!http_request_user_id(request, &uid) || (uid != 0 && uid != geteuid())) {
		http_request_answer_text(request, 403, "application/json", NULL,
		    "{\"said\":\"only root and the server's user may: sudo deploybot hand-over\"}");
		return;
	}
	http_request_answer_text(request, 202, "application/json", NULL, "{}");
	serve->status = err_exit_status(ERR_CHANGED); /* its next start is a standby */
	if (!serve_is_stopping(serve))
		(void)raise(SIGTERM); /* the loop reads it */
}

/* A command line that cannot be reached is no reason to keep a team's deployments waiting. */
void
serve_local_start(struct serve *serve)
{
	const struct http_server_config config = {
		.routes = serve->api_routes,
		.route_count = ROUTE_API_ROUTES + (serve->lead.lease != NULL ? 2 : 1),
		.connections_max = SERVE_LOCAL_CONNECTIONS,
		.connections_per_user = SERVE_LOCAL_OF_USER,
		.is_guest = is_other,
		.guests_max = CONNECTIONS_OF_OTHERS,
		.on_crowded = crowded,
		.on_few = serve_listen_room,
		.ctx = serve,
		.idle_timeout_ms = SERVE_LOCAL_IDLE_MS,
	};
	struct err why = { 0 };

	serve->api = route_api_new(&(struct route_api_config){
	    .settings = current_settings,
	    .submit = serve_submit,
	    .refusals = serve->refusals,
	    .source = serve->runner.source,
	    .waiting = serve->runner.waiting,
	    .instance = serve->instance.id,
	    .runner_uid = runner_uid,
	    .look = look,
	    .read_log = read_log,
	    .uploads = serve->uploads,
	    .loans = serve->vault.loans,
	    .on_unknown = on_unknown,
	    .ctx = serve,
	});
	serve->looks = health_looks_new(serve->loop, serve->probes.looks);
	(void)route_api_routes(serve->api, serve->api_routes); /* all of them */
	serve->api_routes[ROUTE_API_ROUTES] = serve_sandbox_route(serve);
	serve->api_routes[ROUTE_API_ROUTES + 1] = (struct http_route){ .methods = "POST",
		.path = "/hand-over",
		.body_max = 2,
		.on_request = on_hand_over,
		.ctx = serve };
	serve_listen_local(serve, &config, serve->given.local_fd, &why);
	if (serve->local_http == NULL && why.text[0] != '\0')
		log_warning("LOCAL_SOCKET: the command line cannot reach us: %s", why.text);
}
