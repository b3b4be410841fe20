/* serve_standby.c - while another server leads: what is answered, until this one does.  Side: start. */
/* SPDX-License-Identifier: ISC */
/*
 * A standby has no store, no runner and no Telegram: it is what is there before the start, and when
 * nobody leads it goes on as every start does.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>

#include "lib/buf.h"
#include "lib/clock.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/text.h"
#include "lib/when.h"
#include "routes/route_health.h"
#include "serve_inside.h"
#include "serve_listen.h"
#include "serve_standby.h"
#include "settings/checks/settings_runners.h"

#define WATCH_EACH_MS 250
#define HOLD_MS	      7000 /* GitHub waits for 10 s */

/* --- what it answers --- */

#define STANDING 480

/* "standby of server-a, which leads since 2026-11-30T03:12:04Z", and what keeps it from more. */
static void
say_standing(struct serve *serve, char out[STANDING])
{
	struct lease_seen seen;
	char since[WHEN_STAMP];
	bool can_lead;

	lease_look(serve->lead.lease, &seen);
	can_lead = seen.problem[0] == '\0';
	if (seen.holder[0] != '\0')
		(void)snprintf(out, STANDING, "standby%s%s%s of %s, which leads since %s%s",
		    can_lead ? "" : "; it cannot lead: ", seen.problem, can_lead ? "" : "; standby",
		    seen.holder, when_stamp(serve->settings->zone, seen.since, since),
		    seen.leaves	    ? "; it hands over" :
			seen.is_led ? "" :
				      "; it has not renewed its lease in time");
	else
		(void)snprintf(out, STANDING, "standby; %s%s",
		    can_lead ? "nobody is known to lead" : "it cannot lead: ", seen.problem);
}

static void
on_ready(struct http_request *request, void *ctx)
{
	char standing[STANDING], text[sizeof(standing) + 1];

	say_standing(ctx, standing);
	(void)snprintf(text, sizeof(text), "%s\n", standing);
	http_request_answer_text(request, 503, "text/plain; charset=utf-8", NULL, text);
}

/* Nobody leads: in a moment this server may, if it reaches the database and nothing there keeps it
 * from that, and who waits for it loses nothing. */
static bool
holds(void *ctx)
{
	struct lease_seen seen;

	lease_look(((struct serve *)ctx)->lead.lease, &seen);
	return !seen.is_led && !(seen.is_read && seen.problem[0] != '\0') &&
	    clock_monotonic_ms() - seen.read_ms < HOLD_MS;
}

/* Before a byte of its body is read: a proxy gives it to the server that leads. */
static void
on_other(struct http_request *request, UNUSED void *ctx)
{
	static const struct http_header later[] = { { "Retry-After", "5" }, { NULL, NULL } };

	http_request_answer(request, 503, later, NULL, 0);
}

static void
on_local(struct http_request *request, void *ctx)
{
	CLEANUP(buf_done) struct buf text = buf_make(LIMIT_LINE + STANDING);
	struct json_out out = json_out_begin(&text, '{');
	char said[STANDING + 100];
	struct lease_seen seen;

	lease_look(((struct serve *)ctx)->lead.lease, &seen);
	if (seen.holder[0] != '\0')
		(void)snprintf(said, sizeof(said),
		    "%s leads; this server is a standby: run it there", seen.holder);
	else
		(void)snprintf(said, sizeof(said),
		    "nobody is known to lead; this server is a standby%s%s",
		    seen.problem[0] != '\0' ? ": " : "", seen.problem);
	json_put_str(&out, "said", said);
	json_out_end(&out);
	http_request_answer_text(request, 503, "application/json", NULL, buf_text(&text));
}

static void
count_nothing(UNUSED void *ctx)
{
}

static struct settings *
current_settings(void *ctx)
{
	return ((struct serve *)ctx)->settings;
}

/* Whatever is asked for, with and without a body. */
static void
add_any(struct http_route route[2], http_server_request_fn *answer, struct serve *serve)
{
	route[0] = (struct http_route){
		.methods = "GET, HEAD", .path = "/", .on_request = answer, .ctx = serve
	};
	route[1] = (struct http_route){ .methods = "POST, PUT, PATCH, DELETE",
		.path = "/",
		.body_max = SIZE_MAX,
		.on_begin = answer,
		.on_request = answer,
		.ctx = serve };
}

static void
make_routes(struct serve *serve)
{
	struct serve_lead *lead = &serve->lead;

	lead->metrics =
	    (struct route_metrics){ serve->metrics, current_settings, count_nothing, serve };
	lead->routes[0] = route_health_live();
	lead->routes[1] = (struct http_route){
		.methods = "GET, HEAD", .path = "/readyz", .on_request = on_ready, .ctx = serve
	};
	lead->routes[2] = route_metrics(&lead->metrics);
	add_any(&lead->routes[3], on_other, serve);
	for (size_t i = 3; i < COUNT(lead->routes); i++) {
		lead->routes[i].holds = holds;
		lead->routes[i].answer_timeout_ms = HOLD_MS;
	}
	lead->local[0] = serve_sandbox_route(serve);
	add_any(&lead->local[1], on_local, serve);
}

/* What the service manager has given is listened on again by whoever leads. */
static int
copy_of(int fd)
{
	return fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 3);
}

static bool
serve_at_network(struct serve *serve, struct err *err)
{
	return serve_listen(serve,
	    &(struct http_server_config){ .routes = serve->lead.routes,
		.route_count = COUNT(serve->lead.routes),
		.connections_max = LIMIT_CONNECTIONS },
	    err);
}

static bool
listen_now(struct serve *serve, struct err *err)
{
	const struct http_server_config local = { .routes = serve->lead.local,
		.route_count = COUNT(serve->lead.local),
		.connections_max = SERVE_LOCAL_CONNECTIONS,
		.connections_per_user = SERVE_LOCAL_OF_USER,
		.idle_timeout_ms = SERVE_LOCAL_IDLE_MS };
	struct err why = { 0 };

	make_routes(serve);
	if (!serve_at_network(serve, err))
		return false;
	serve_listen_local(serve, &local, copy_of(serve->given.local_fd), &why);
	if (why.text[0] != '\0')
		log_warning("LOCAL_SOCKET: the command line cannot reach us: %s", why.text);
	return true;
}

/* --- until it leads --- */

static void
say_seen(struct serve *serve, const struct lease_seen *seen)
{
	char standing[STANDING];

	say_standing(serve, standing);
	if (seen->problem[0] != '\0')
		log_warning("%s", standing);
	else
		log_info("%s", standing);
}

static void
on_change(UNUSED struct loop_async *async, void *ctx)
{
	struct serve *serve = ctx;
	struct lease_seen seen;

	lease_look(serve->lead.lease, &seen);
	if (seen.leads) {
		loop_stop(serve->loop);
		return;
	}
	if (seen.is_led)
		(void)!serve_at_network(serve, NULL); /* who has waited is to ask that one */
	say_seen(serve, &seen);
}

static void
wake(void *ctx)
{
	loop_async_wake(&((struct serve *)ctx)->lead.changed);
}

static void
on_end(UNUSED struct loop_signal *signal, void *ctx)
{
	struct serve *serve = ctx;

	serve->lead.is_over = true;
	loop_stop(serve->loop);
}

/* Nothing is in progress here: the next start reads the settings. */
static void
on_reload(struct loop_signal *signal, void *ctx)
{
	log_info("a standby ends to read its settings anew");
	((struct serve *)ctx)->status = err_exit_status(ERR_CHANGED);
	on_end(signal, ctx);
}

static bool
stand_by(struct serve *serve, const struct lease_seen *seen, struct err *err)
{
	if (!listen_now(serve, err))
		return false;
	loop_signal_init(&serve->sigterm, on_end, serve);
	loop_signal_init(&serve->sigint, on_end, serve);
	loop_signal_init(&serve->sighup, on_reload, serve);
	loop_signal_start(serve->loop, &serve->sigterm, SIGTERM);
	loop_signal_start(serve->loop, &serve->sigint, SIGINT);
	loop_signal_start(serve->loop, &serve->sighup, SIGHUP);
	say_seen(serve, seen);
	serve_manager_ready(serve);
	loop_run(serve->loop);
	loop_timer_stop(&serve->alive_timer);
	/* A signal that comes during the start waits for whoever watches next. */
	http_server_free(TAKE(serve->local_http));
	return true;
}

/* --- while it leads --- */

static void
set_metrics(struct serve *serve)
{
	struct lease_seen seen;

	lease_look(serve->lead.lease, &seen);
	if (seen.n_replicas >= 0) {
		metric_set_value(serve->metrics, METRIC_STANDBY_CONNECTED, seen.has_standby);
		metric_set_value(serve->metrics, METRIC_DATABASE_REPLICAS, (double)seen.n_replicas);
	}
	metric_set_value(serve->metrics, METRIC_COMMITS_UNANSWERED,
	    (double)atomic_load(&lease_fence(serve->lead.lease)->n_unknown));
}

/* The lease's own thread may wait for the database for longer than the lease lasts, and the store's
 * session alone may get no answer: another server has one of its own. */
static void
on_watch(UNUSED struct loop_timer *timer, void *ctx)
{
	struct serve *serve = ctx;

	lease_check(serve->lead.lease, health_watch_illness(serve->watch) != health_watch_hangs);
	set_metrics(serve);
	serve_take_outcomes(serve, &(struct queue_list){ 0 });
}

static void
lead(struct serve *serve)
{
	const struct leader_fence *fence = lease_fence(serve->lead.lease);

	log_info("this server leads, epoch %" PRId64, fence->epoch);
	metric_set_value(serve->metrics, METRIC_IS_LEADER, 1);
	metric_set_value(serve->metrics, METRIC_LEADER_EPOCH, (double)fence->epoch);
	loop_timer_init(&serve->lead.watch, on_watch, serve);
	loop_timer_start(serve->loop, &serve->lead.watch, 0, WATCH_EACH_MS);
}

bool
serve_standby(struct serve *serve, struct err *err)
{
	const struct lease_config config = { .database = serve->settings->database,
		.name = settings_server_name(serve->settings),
		.folder = serve->settings->state_directory,
		.on_change = wake,
		.ctx = serve,
		.settings = serve->settings,
		.is_moved_back = serve->options.is_moved_back,
		.is_restored = serve->options.is_restored };
	struct lease_seen seen;
	bool ok = true;

	if (config.name == NULL)
		return true;
	metric_set_value(serve->metrics, METRIC_IS_LEADER, 0);
	loop_async_init(&serve->lead.changed, on_change, serve);
	loop_async_start(serve->loop, &serve->lead.changed);
	serve->lead.lease = lease_start(&config, err);
	if (serve->lead.lease != NULL) {
		lease_look(serve->lead.lease, &seen);
		ok = seen.leads || stand_by(serve, &seen, err);
	}
	loop_async_stop(&serve->lead.changed);
	if (serve->lead.lease == NULL || !ok)
		return false;
	if (!serve->lead.is_over)
		lead(serve);
	return true;
}

void
serve_standby_stop(struct serve *serve)
{
	loop_timer_stop(&serve->lead.watch);
	lease_stop(serve->lead.lease, true);
}
