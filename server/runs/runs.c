/* runs.c - runs and git queries, joined with the runner.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "runs/runs.h"

#include <inttypes.h>

#include "lib/buf.h"
#include "lib/clock.h"
#include "lib/err.h"
#include "lib/host_lines.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "runs/agents.h"
#include "runs/git_queries.h"
#include "runs/run_follow.h"
#include "runs/run_translate.h"
#include "runs/runner_link.h"
#include "types/settings.h"

#define MAGIC	 0x52756e73u
#define GRACE_S	 10
#define ANSWER_S 60

struct runs {
	unsigned magic;
	struct runner_link *runner;
	char *state_directory;
	struct run_follow_world world;
	struct run_follow *open[PROTOCOL_RUNS_MAX];
	size_t n_open;
	struct git_queries queries;
	int64_t purge;		   /* the run whose folder is to go; 0: none */
	struct agent_link *purger; /* who has it; NULL: the local runner */
	bool is_purge_sent;
	runs_purged_fn *on_purged;
	void *purge_ctx;
	struct runs_config config; /* callbacks and agents are looked at behind the start */
};

static void on_runner_ready(void *ctx);
static void on_runner_message(void *ctx, const struct protocol_message *message);
static void on_runner_down(void *ctx);
static void on_runner_away(void *ctx, const char *why);
static void on_runner_fatal(void *ctx, const struct err *why);
static void
on_agent_message(void *ctx, const struct agent_link *agent, const struct protocol_message *message);
static void on_agent_down(void *ctx, const struct agent_link *agent);
static void flush(void *ctx);
static void on_over(void *ctx, struct run_follow *run);
static bool
make_order(void *ctx, const struct run_follow *run, struct protocol_message *ret, struct err *err);

static bool
is_others(void *ctx, const char *runner)
{
	const struct runs_config *config = &((struct runs *)ctx)->config;

	return config->is_others != NULL && config->is_others(config->ctx, runner);
}

/* --- beginning and end -------------------------------------------------------------------- */

static bool
start_runner(struct runs *runs, const struct runs_config *config, struct err *err)
{
	const struct runner_link_config link = {
		.socket = config->settings->runner_socket,
		.child = config->child,
		.path = config->runner,
		.state_directory = runs->state_directory,
		.env_file = config->env_file,
		.settings = config->settings,
		.epoch = config->epoch,
		.answer_ms = (config->answer_s > 0 ? config->answer_s : ANSWER_S) * INT64_C(1000),
		.is_quiet = config->is_quiet,
		.on_ready = on_runner_ready,
		.on_message = on_runner_message,
		.on_writable = flush,
		.on_down = on_runner_down,
		.on_away = on_runner_away,
		.on_fatal = on_runner_fatal,
		.ctx = runs,
	};

	runs->runner = runner_link_start(runs->world.loop, &link, err);
	return runs->runner != NULL;
}

struct runs *
runs_start(struct loop *loop, const struct runs_config *config, struct err *err)
{
	struct runs *runs = mem_new(1, sizeof(*runs));

	runs->state_directory = mem_text(config->settings->state_directory);
	runs->magic = MAGIC;
	runs->config = *config;
	runs->world = (struct run_follow_world){ .loop = loop,
		.is_others = is_others,
		.state_directory = runs->state_directory,
		.redact = config->redact,
		.epoch = config->epoch,
		.grace_s = config->grace_s > 0 ? config->grace_s : GRACE_S,
		.on_unsent = flush,
		.on_over = on_over,
		.make_order = make_order,
		.ctx = runs };
	if (!start_runner(runs, config, err)) {
		runs_free(runs);
		return NULL;
	}
	if (config->agents != NULL)
		agents_join(config->agents,
		    &(struct agent_link_runs){ on_agent_message, flush, on_agent_down, runs });
	return runs;
}

void
runs_free(struct runs *runs)
{
	if (runs == NULL)
		return;
	OBJ_CHECK(runs, MAGIC);
	runner_link_free(runs->runner);
	while (runs->n_open > 0)
		run_follow_drop(runs->open[--runs->n_open]);
	git_queries_done(&runs->queries);
	free(runs->state_directory);
	runs->magic = 0;
	free(runs);
}

size_t
runs_open(const struct runs *runs)
{
	size_t n = 0;

	OBJ_CHECK(runs, MAGIC);
	for (size_t i = 0; i < runs->n_open; i++)
		n += run_follow_order(runs->open[i])->program != PROGRAM_DRAIN &&
		    run_follow_agent(runs->open[i]) == NULL;
	return n;
}

struct redact *
runs_redact(const struct runs *runs)
{
	OBJ_CHECK(runs, MAGIC);
	return runs->world.redact;
}

/* --- between the runner and those who wait for it -------------------------------------------- */

static struct run_follow *
find(const struct runs *runs, int64_t id)
{
	OBJ_CHECK(runs, MAGIC);
	for (size_t i = 0; i < runs->n_open; i++) {
		if (run_follow_order(runs->open[i])->run == id)
			return runs->open[i];
	}
	return NULL;
}

bool
runs_tail(struct runs *runs, int64_t run, const struct run_tail_shape *shape, struct buf *out,
    struct err *err)
{
	struct run_follow *open = find(runs, run);
	const struct run_tail_log log = { .state_directory = runs->state_directory,
		.run = run,
		.redact = runs->world.redact,
		.said = open == NULL ? NULL : run_follow_output(open) };

	return run_tail_read(&log, shape, out, err);
}

/* False: the local runner takes no more. */
static bool
send_purge(struct runs *runs, bool of_remote)
{
	struct protocol_message message = { .kind = PROTOCOL_PURGE, .id = (uint64_t)runs->purge };

	if (runs->purge == 0 || runs->is_purge_sent || (runs->purger != NULL) != of_remote)
		return true;
	runs->is_purge_sent =
	    (of_remote ? agent_link_send(runs->purger, &message, NULL) :
			 runner_link_send(runs->runner, &message, NULL)) == PACKET_SENT;
	return runs->is_purge_sent;
}

/* Nothing is queued: what is to be said is read off the runs, the questions and the rest. */
static void
flush(void *ctx)
{
	struct runs *runs = OBJ_OF(struct runs, ctx, MAGIC);

	for (size_t i = 0; i < runs->n_open; i++) {
		if (run_follow_agent(runs->open[i]) != NULL && !run_follow_say(runs->open[i], NULL))
			continue; /* another agent may take more */
	}
	(void)send_purge(runs, true);
	git_queries_say(&runs->queries, runs->runner, true);
	if (!runner_link_is_ready(runs->runner))
		return;
	for (size_t i = 0; i < runs->n_open; i++) {
		if (run_follow_agent(runs->open[i]) == NULL &&
		    !run_follow_say(runs->open[i], runs->runner))
			return;
	}
	if (send_purge(runs, false))
		git_queries_say(&runs->queries, runs->runner, false);
}

static void
/* cppcheck-suppress constParameter ; a callback */
on_over(void *ctx, struct run_follow *run)
{
	struct runs *runs = OBJ_OF(struct runs, ctx, MAGIC);
	size_t i = 0;

	while (runs->open[i] != run)
		i++;
	runs->open[i] = runs->open[--runs->n_open];
}

static void
on_runner_ready(void *ctx)
{
	struct runs *runs = OBJ_OF(struct runs, ctx, MAGIC);

	flush(runs);
	if (runs->config.on_ready != NULL)
		runs->config.on_ready(runs->config.ctx);
}

static void
take_purged(
    struct runs *runs, const struct agent_link *agent, const struct protocol_message *message)
{
	const char *why = message->text[0] != '\0' ? message->text : "the runner gave no reason";

	if (runs->purge == 0 || message->id != (uint64_t)runs->purge || runs->purger != agent)
		return; /* of one that was cancelled */
	runs->is_purge_sent = false;
	if (message->removal == PROTOCOL_REMOVAL_MORE) {
		flush(runs);
		return;
	}
	runs->purge = 0;
	runs->on_purged(runs->purge_ctx, message->removal == PROTOCOL_REMOVAL_GONE ? NULL : why);
}

/* Of whose runs it is: another's word about a run counts for nothing. */
static void
take_of_run(
    struct runs *runs, const struct agent_link *agent, const struct protocol_message *message)
{
	struct run_follow *run = find(runs, (int64_t)message->id);

	if (run != NULL && run_follow_agent(run) == agent)
		run_follow_take(run, message);
}

static void
on_agent_message(void *ctx, const struct agent_link *agent, const struct protocol_message *message)
{
	struct runs *runs = OBJ_OF(struct runs, ctx, MAGIC);

	switch (message->kind) {
	case PROTOCOL_STARTED:
	case PROTOCOL_REFUSED:
	case PROTOCOL_RECONCILED:
	case PROTOCOL_STUCK:
		take_of_run(runs, agent, message);
		break;
	case PROTOCOL_ANSWER:
		git_queries_take(&runs->queries, agent, message);
		flush(runs);
		break;
	case PROTOCOL_PROGRESS:
		git_queries_progress(&runs->queries, agent, message);
		break;
	case PROTOCOL_PURGED:
		take_purged(runs, agent, message);
		break;
	default:
		log_warning("deploybot-runner said %s, which it should not",
		    protocol_kind_name(message->kind));
	}
}

static void
on_runner_message(void *ctx, const struct protocol_message *message)
{
	on_agent_message(ctx, NULL, message);
}

static void
down(struct runs *runs, const struct agent_link *agent)
{
	for (size_t i = 0; i < runs->n_open; i++)
		if (run_follow_agent(runs->open[i]) == agent)
			run_follow_runner_down(runs->open[i]);
	if (runs->purger == agent)
		runs->is_purge_sent = false;
	if (runs->purge != 0 && runs->purger == agent &&
	    agent != NULL) { /* others wait behind it */
		runs->purge = 0;
		runs->on_purged(runs->purge_ctx, "its runner is disconnected");
	}
	git_queries_runner_down(&runs->queries, agent);
}

static void
on_agent_down(void *ctx, const struct agent_link *agent)
{
	down(OBJ_OF(struct runs, ctx, MAGIC), agent);
}

static void
on_runner_down(void *ctx)
{
	down(OBJ_OF(struct runs, ctx, MAGIC), NULL);
}

static void
on_runner_away(void *ctx, const char *why)
{
	struct runs *runs = OBJ_OF(struct runs, ctx, MAGIC);

	if (runs->config.on_away != NULL)
		runs->config.on_away(runs->config.ctx, why);
}

static void
on_runner_fatal(void *ctx, const struct err *why)
{
	struct runs *runs = OBJ_OF(struct runs, ctx, MAGIC);

	if (runs->config.on_fatal != NULL)
		runs->config.on_fatal(runs->config.ctx, why);
	else
		log_error("%s", why->text);
}

/* --- for performers ----------------------------------------------------------------------- */

/* NULL: it is none that deploybot-link connects. */
static struct agent_link *
agent_of(const struct runs *runs, const char *runner)
{
	return runs->config.agents == NULL ? NULL : agents_find(runs->config.agents, runner);
}

/* Of an order to some of its environment's hosts: these, a comma between. */
static char *
list_of(const struct protocol_message *order)
{
	CLEANUP(buf_done) struct buf list = buf_make(order->body_len);
	const char *at = order->body, *end = at + order->body_len;
	char line[HOST_TEXT];

	while (host_lines_next(&at, end, line))
		if (!text_starts(line, PROTOCOL_GROUP))
			buf_addf(&list, "%s%.*s", list.size > 0 ? "," : "", (int)strcspn(line, ":"),
			    line);
	return mem_text(buf_text(&list));
}

static bool
add_ticket(const struct runs_config *config, struct protocol_message *order, struct err *err)
{
	struct release_ticket ticket = { .run = order->id };
	CLEANUP(freep) char *hosts = NULL;
	const char *names;
	int64_t more_s = 0;

	static_assert(sizeof(order->settings) >= RELEASE_TICKET_MAX, "a ticket fits");
	(void)environment_id_text(order->application, order->environment, ticket.environment);
	(void)text_copy(
	    ticket.program, sizeof(ticket.program), protocol_program_name(order->program));
	names = config->agents_of(config->ctx, ticket.environment, &more_s);
	ticket.until_s = clock_wall_ms() / 1000 + more_s + order->deadline_s + order->grace_s;
	if (names != NULL && order->body_len > 0)
		names = hosts = list_of(order);
	return names == NULL || agents_ticket(config->agents, &ticket, names, order->settings, err);
}

/* What agents are called for is the local runner's, and concerns no client. */
static bool
make_order(void *ctx, const struct run_follow *run, struct protocol_message *ret, struct err *err)
{
	const struct runs *runs = ctx;

	run_translate_order(run_follow_order(run), runs->world.grace_s, ret);
	ret->proof.epoch = runs->world.epoch;
	if (runs->config.installation != NULL)
		(void)text_copy(ret->proof.installation, sizeof(ret->proof.installation),
		    runs->config.installation); /* fits */
	return runs->config.agents == NULL || runs->config.agents_of == NULL ||
	    run_follow_agent(run) != NULL || ret->client[0] != '\0' ||
	    add_ticket(&runs->config, ret, err);
}

static bool
is_away(const struct agent_link *agent, struct err *err)
{
	char why[LIMIT_LINE];

	if (agent == NULL || agent_link_seen(agent).state == AGENT_CONNECTED)
		return false;
	agent_link_why(agent, why);
	return !err_set(err, ERR_BUSY, "%s", why);
}

static bool
follow(struct runs *runs, const struct effect_run *order, const struct runs_watch *watch,
    bool is_resumed, struct err *err)
{
	struct agent_link *agent = agent_of(runs, order->runner);
	struct run_follow *run;

	if (agent == NULL && strcmp(order->runner, RUNNER_LOCAL) != 0)
		return err_set(
		    err, ERR_CONFIG, "%s has it, and LINK_ADDRESS is not set", order->runner);
	if (find(runs, order->run) != NULL)
		return err_set(err, ERR_BUSY, "run %" PRId64 " is followed already", order->run);
	if (runs->n_open == PROTOCOL_RUNS_MAX)
		return err_set(err, ERR_LIMIT, "%d runs are open already", PROTOCOL_RUNS_MAX);
	run = run_follow_new(&runs->world, agent, order, watch, is_resumed);
	runs->open[runs->n_open++] = run;
	flush(runs);
	return true;
}

bool
runs_order(struct runs *runs, const struct effect_run *order, const struct runs_watch *watch,
    struct err *err)
{
	return follow(runs, order, watch, false, err);
}

bool
runs_resume(struct runs *runs, const struct effect_run *order, const struct runs_watch *watch,
    struct err *err)
{
	return follow(runs, order, watch, true, err);
}

void
runs_go(struct runs *runs, int64_t id)
{
	struct run_follow *run = find(runs, id);

	if (run != NULL)
		run_follow_go(run);
}

bool
runs_stop_run(struct runs *runs, struct runs_stop_request *request)
{
	struct run_follow *run = find(runs, request->run);

	if (run != NULL)
		run_follow_stop(run, request);
	return run != NULL;
}

bool
runs_purge(struct runs *runs, const struct effect_purge_run *order, runs_purged_fn *on_purged,
    void *ctx, struct err *err)
{
	OBJ_CHECK(runs, MAGIC);
	assert(runs->purge == 0 && order->run > 0);
	runs->purger = agent_of(runs, order->runner);
	if (is_away(runs->purger, err))
		return false;
	runs->purge = order->run;
	runs->is_purge_sent = false;
	runs->on_purged = on_purged;
	runs->purge_ctx = ctx;
	flush(runs);
	return true;
}

void
runs_purge_cancel(struct runs *runs)
{
	OBJ_CHECK(runs, MAGIC);
	runs->purge = 0;
}

struct runs_git_query *
runs_git_query_start(struct runs *runs, const struct runs_git_query_config *config, struct err *err)
{
	struct runs_git_query *query;
	struct agent_link *agent = NULL; /* heads of branches each runner knows */

	OBJ_CHECK(runs, MAGIC);
	if (runs->config.runner_of != NULL && config->order->kind != GIT_QUERY_HEADS)
		agent = agent_of(
		    runs, runs->config.runner_of(runs->config.ctx, config->order->environment));
	if (is_away(agent, err))
		return NULL;
	query = git_queries_add(&runs->queries, config, agent, err);
	if (query != NULL)
		flush(runs);
	return query;
}

void
runs_git_query_cancel(struct runs *runs, struct runs_git_query *query)
{
	OBJ_CHECK(runs, MAGIC);
	if (query != NULL)
		git_queries_cancel(&runs->queries, query);
}
