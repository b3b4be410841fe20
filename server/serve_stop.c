/* serve_stop.c - graceful shutdown: no new work, what is in progress is answered and committed.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <unistd.h>

#include "clients/aws_credentials.h"
#include "clients/forge_api.h"
#include "clients/jwks.h"
#include "clients/notify_client.h"
#include "lib/crash_point.h"
#include "lib/log.h"
#include "serve_inside.h"
#include "serve_runner.h"
#include "serve_standby.h"

#define LOOK_EVERY_MS 20
/* From when on a standby keeps whoever asks it waiting: until then this server answers. */
#define LEAVE_MS (2 * LEASE_ASK_MS)
/* How long whoever was accepted before may take to be answered: else they would read of a broken
 * connection, and GitHub says nothing twice. */
#define CALLERS_MS 3000
/* More messages than that without an answer, and each in hand is marked at the next start. */
#define UNANSWERED_MAX 256

/* Runs of a runner of ours are waited for, though they would stay running too; a runner that is
 * a service does not notice that we go. */
static bool
waits_for_runs(const struct serve *serve)
{
	return serve->settings->runner_socket == NULL && runs_open(serve->runs) > 0 &&
	    loop_now_ms() < serve->stop_deadline;
}

static bool
is_at_rest(const struct serve *serve)
{
	bool is_answered =
	    http_server_unanswered(serve->http) == 0 || loop_now_ms() >= serve->callers_deadline;

	if (!is_answered || http_server_open_requests(serve->http) != 0 ||
	    (serve->local_http != NULL && http_server_open_requests(serve->local_http) != 0) ||
	    waits_for_runs(serve))
		return false;
	/* Whether Telegram has what is out: its answer is not far. */
	return !telegram_send_end(telegram_sender(serve->telegram)) ||
	    loop_now_ms() >= serve->callers_deadline;
}

static void
on_look(UNUSED struct loop_timer *timer, void *ctx)
{
	struct serve *serve = ctx;

	if (is_at_rest(serve))
		CRASH_POINT(stop_at_rest);
	else if (loop_now_ms() < serve->stop_deadline ||
	    (serve->lead.lease != NULL && loop_now_ms() < serve->callers_deadline))
		return;
	if (loop_now_ms() >= serve->stop_deadline && runs_open(serve->runs) > 0)
		log_warning("%zu runs are left running; they will be re-attached %s",
		    runs_open(serve->runs),
		    serve->lead.lease == NULL ? "at the next start" :
						"when this server leads again");
	loop_stop(serve->loop);
}

static void
look_for_rest(struct serve *serve)
{
	serve->callers_deadline = loop_now_ms() + CALLERS_MS;
	telegram_quiesce(serve->telegram);
	http_server_quiesce(serve->http);
	if (serve->local_http != NULL)
		http_server_quiesce(serve->local_http);
	loop_timer_init(&serve->stop_timer, on_look, serve);
	loop_timer_start(serve->loop, &serve->stop_timer, 0, LOOK_EVERY_MS);
}

/* Of a server that leads: it answers until its runs have ended and a standby knows that it goes. */
static void
on_leave(UNUSED struct loop_timer *timer, void *ctx)
{
	struct serve *serve = ctx;

	if (serve->lead.leaves_at == 0) {
		if (waits_for_runs(serve))
			return;
		lease_leave(serve->lead.lease);
		serve->lead.leaves_at = loop_now_ms() + LEAVE_MS;
	} else if (loop_now_ms() >= serve->lead.leaves_at) {
		loop_timer_stop(&serve->stop_timer);
		look_for_rest(serve);
	}
}

void
serve_stop_start(struct serve *serve)
{
	if (serve_is_stopping(serve)) {
		log_info("second signal: exiting at once");
		loop_stop(serve->loop);
		return;
	}
	CRASH_POINT(stop_begun);
	route_watch_stop(serve->runner.waiting);
	if (serve->settings->runner_socket == NULL)
		log_info("stopping: no new work is %s; waiting for %zu runs, at most %d s",
		    serve->lead.lease == NULL ? "accepted" : "begun here", runs_open(serve->runs),
		    serve->settings->shutdown_timeout_seconds);
	else
		log_info("stopping: no new work is %s; %zu runs keep running under their runner",
		    serve->lead.lease == NULL ? "accepted" : "begun here", runs_open(serve->runs));
	serve_manager_stopping();
	serve->stop_deadline =
	    loop_now_ms() + serve->settings->shutdown_timeout_seconds * INT64_C(1000);
	if (serve->lead.lease == NULL) {
		look_for_rest(serve);
		return;
	}
	loop_timer_init(&serve->stop_timer, on_leave, serve);
	loop_timer_start(serve->loop, &serve->stop_timer, 0, LOOK_EVERY_MS);
}

/* What Telegram may have without our knowing is marked before the store is closed. */
static void
join_store(struct serve *serve)
{
	int64_t unanswered[UNANSWERED_MAX];
	size_t n = serve->telegram == NULL ?
	    UNANSWERED_MAX + 1 :
	    telegram_send_unanswered(telegram_sender(serve->telegram), unanswered, UNANSWERED_MAX);

	store_thread_join(serve->store_thread, n <= UNANSWERED_MAX ? unanswered : NULL, n);
}

/* The store is closed. */
static void
tell_lost_refusals(const struct serve *serve)
{
	int64_t lost = refusals_left(serve->refusals);

	if (lost > 0)
		log_warning(
		    "%" PRId64
		    " requests that were refused are in no audit entry: the store could not record them",
		    lost);
}

/* Answers that were decided while the store came to its end still go out; effects are rows. */
static void
drain(struct serve *serve)
{
	struct queue_list *list = &serve->lead.held;
	struct queue_link *link;

	if (serve->store_thread == NULL)
		return;
	refusals_hand_over(serve->refusals);
	crossing_close(serve->crossing);
	join_store(serve);
	CRASH_POINT(stop_drained);
	do
		while ((link = queue_list_take(list)) != NULL) {
			struct outcome *outcome = QUEUE_ITEM(link, struct outcome, link);

			if (outcome->kind == OUTCOME_ANSWER)
				outcome->done(outcome->done_ctx, &outcome->answer);
			outcome_free(outcome);
		}
	while (crossing_take_outcomes(serve->crossing, list));
	tell_lost_refusals(serve);
}

/* A start that came to nothing: nothing went out. */
static void
close_store(struct serve *serve)
{
	struct err err;

	if (serve->store != NULL && !store_end(serve->store, NULL, 0, &err))
		log_warning("%s", err.text);
	store_close(serve->store);
}

/* Those that connect elsewhere, but for Telegram's. */
static void
free_clients(struct serve *serve)
{
	http_client_free(serve->probes.gates);
	http_client_free(serve->probes.looks);
	http_client_free(serve->cloudflare);
	http_client_free(serve->opa);
	http_client_free(serve->prometheus);
	notify_clients_free(serve->notify);
	forge_api_free(serve->github);
	vault_free(serve->vault.client);
	loan_shelf_free(serve->vault.loans);
	for (size_t i = 0; i < JOB_FORGES; i++)
		http_client_free(serve->jobs.issuer[i]);
	http_client_free(serve->witness.s3);
	aws_credentials_free(serve->witness.aws);
}

void
serve_teardown(struct serve *serve)
{
	if (serve->loop != NULL) {
		serve_reload_stop(serve);
		serve_users_stop(serve);
		serve_heads_stop(serve);
		serve_secrets_stop(serve);
		loop_timer_stop(&serve->stop_timer);
		loop_timer_stop(&serve->alive_timer);
		loop_signal_stop(&serve->sigterm);
		loop_signal_stop(&serve->sigint);
	}
	route_watch_stop(serve->runner.waiting);
	drain(serve);
	serve_heads_stop(serve); /* the start may have been decided only now */
	perform_health_free(serve->health);
	health_looks_free(serve->looks);
	serve_local_stop(serve);
	tls_watch_free(serve->tls);
	state_watch_free(serve->state);
	if (serve->perform.loop != NULL)
		perform_done(&serve->perform);
	http_server_free(serve->http);
	http_server_free(serve->local_http);
	for (size_t i = 0; i < JOB_FORGES; i++)
		jwks_free(serve->jobs.keys[i]);
	route_api_free(serve->api);
	route_api_free(serve->network_api);
	route_watch_free(serve->runner.waiting);
	forge_webhook_free(serve->forges);
	route_hooks_free(serve->hooks);
	telegram_free(serve->telegram);
	free_clients(serve);
	refusals_free(serve->refusals);
	health_watch_free(serve->watch);
	metric_set_free(serve->metrics);
	if (serve->loop != NULL)
		loop_async_stop(&serve->wake);
	crossing_free(serve->crossing);
	outcome_free_all(&serve->lead.held);
	uploads_free(serve->uploads);
	close_store(serve);
	serve_standby_stop(serve);
	serve_runner_stop(serve);
	serve_sandbox_stop(serve);
	loop_free(serve->loop);
	settings_unref(serve->settings);
	log_init(LOG_LEVEL_INFO, LOG_HUMAN, NULL);
	redact_free(serve->redact);
	if (serve->lock_fd >= 0)
		(void)close(serve->lock_fd); /* only read from */
}
