/* serve_runner.c - the runner and the agents: started, and what they say of themselves submitted.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "serve_runner.h"

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/text.h"
#include "runs/link_client.h"
#include "serve_inside.h"
#include "settings/checks/settings_claims.h"
#include "settings/checks/settings_runners.h"

#define RUNNER_GONE_MS 10000 /* shorter is a restart of it, of which no message says anything */

/* Refused only when there is no randomness, and then nothing can go on. */
static void
submit(struct serve *serve, struct event *event)
{
	bool taken = serve_submit(serve, event);

	assert(taken);
}

static void
submit_runner(struct serve *serve, const char *name, bool is_connected, uint64_t highest)
{
	struct event *event = event_new(is_connected ? EVENT_RUNNER_HELLO : EVENT_RUNNER_GONE);

	(void)text_copy(event->u.runner.name, sizeof(event->u.runner.name), name); /* fits */
	event->u.runner.highest_run = (int64_t)(highest > INT64_MAX ? INT64_MAX : highest);
	submit(serve, event);
}

static void
on_runner_ready(void *ctx)
{
	struct serve *serve = ctx;

	serve->runner.away_ms = 0;
	serve->runner.is_gone = false;
	submit_runner(serve, RUNNER_LOCAL, true, 0);
	metric_set_value(serve->metrics, METRIC_RUNNER_UP, 1);
	health_watch_runner(serve->watch, "");
}

static void
on_runner_away(void *ctx, const char *why)
{
	struct serve *serve = ctx;

	if (serve->runner.away_ms == 0)
		serve->runner.away_ms = loop_now_ms();
	if (!serve->runner.is_gone && loop_now_ms() - serve->runner.away_ms >= RUNNER_GONE_MS) {
		serve->runner.is_gone = true;
		submit_runner(serve, RUNNER_LOCAL, false, 0);
	}
	metric_set_value(serve->metrics, METRIC_RUNNER_UP, 0);
	health_watch_runner(serve->watch, why);
}

static void
on_runner_fatal(void *ctx, const struct err *why)
{
	struct serve *serve = ctx;

	log_error("the runner cannot work: %s", why->text);
	serve->status = err_exit_status(why->code);
	loop_stop(serve->loop);
}

/* --- agents --- */

static void
on_said(void *ctx, enum event_kind kind, const char *identity, const char *text)
{
	struct event *event = event_new(kind);

	(void)text_copy(event->u.peer.identity, sizeof(event->u.peer.identity), identity);
	(void)text_copy(event->u.peer.text, sizeof(event->u.peer.text), text); /* fit */
	submit(ctx, event);
}

static void
on_agent(void *ctx, const char *runner, bool is_connected, uint64_t highest)
{
	log_info("the runner %s is %s", runner, is_connected ? "connected" : "disconnected");
	submit_runner(ctx, runner, is_connected, highest);
}

static const char *
runner_of(void *ctx, const char *environment)
{
	return settings_runner(((const struct serve *)ctx)->settings, environment);
}

static bool
is_others(void *ctx, const char *runner)
{
	return settings_is_servers_runner(((const struct serve *)ctx)->settings, runner);
}

static const char *
agents_of(void *ctx, const char *environment, int64_t *ret_more_s)
{
	return settings_release_agents(
	    ((const struct serve *)ctx)->settings, environment, ret_more_s);
}

static int64_t
epoch_of(const struct serve *serve)
{
	return serve->lead.lease != NULL ?
	    lease_fence(serve->lead.lease)->epoch :
	    leader_epoch_brought(serve->settings->database,
		serve->perform.is_restored || serve->options.is_moved_back);
}

bool
serve_runner_start(struct serve *serve, struct err *err)
{
	const struct settings_link *link = &serve->settings->link;
	struct runs_config config = {
		.child = serve->runner.child,
		.env_file = serve->options.env_file,
		.settings = serve->settings,
		.redact = serve->redact,
		.runner_of = runner_of,
		.is_others = is_others,
		.agents_of = link->address != NULL ? agents_of : NULL,
		.on_ready = on_runner_ready,
		.on_away = on_runner_away,
		.on_fatal = on_runner_fatal,
		.epoch = (uint64_t)epoch_of(serve),
		.installation = serve->runner.installation,
		.ctx = serve,
	};
	char name[LIMIT_RUNNER];

	/* Of several servers each follows, as runs of runners that are disconnected, those of the
	 * others' own. */
	if (link->address != NULL || settings_server_name(serve->settings) != NULL) {
		serve->runner.agents =
		    agents_new(&(struct agents_config){ serve->loop,
				   link->address != NULL ? link->socket : NULL, link->order_key,
				   on_said, on_agent, serve, 0, config.epoch },
			err);
		if (serve->runner.agents == NULL)
			return err_wrap(err, "LINK_ORDER_KEY");
		link_client_on_enrol(agents_link(serve->runner.agents), serve_submit, serve);
	}
	config.agents = serve->runner.agents;
	serve->runner.source = run_source_new(
	    serve->loop, config.agents, serve->settings->state_directory, serve->redact);
	serve->runs = runs_start(serve->loop, &config, err);
	for (size_t at = 0;
	     serve->runs != NULL && settings_next_runner(serve->settings, &at, name);)
		agent_link_follow(agents_find(serve->runner.agents, name), 0, true);
	return serve->runs != NULL;
}

void
serve_runner_count(void *ctx)
{
	struct serve *serve = ctx;
	const struct agents_seen *seen =
	    serve->runner.agents == NULL ? NULL : agents_seen(serve->runner.agents);
	struct agents_count n = { .connected = 0 };

	if (seen != NULL)
		n = agents_seen_count(seen, serve->settings, clock_wall_ms());
	metric_set_value(serve->metrics, METRIC_AGENTS_CONNECTED, (double)n.connected);
	metric_set_value(serve->metrics, METRIC_AGENTS_DISCONNECTED, (double)n.disconnected);
	metric_set_value(serve->metrics, METRIC_AGENTS_EXPIRING, (double)n.expiring);
	metric_set_value(serve->metrics, METRIC_AGENTS_GONE, (double)n.gone);
	metric_set_value(serve->metrics, METRIC_AGENTS_GONE_PRODUCTION, (double)n.gone_production);
}

void
serve_runner_stop(struct serve *serve)
{
	runs_free(serve->runs);
	agents_free(serve->runner.agents);
}
