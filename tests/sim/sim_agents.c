/* sim_agents.c - who orders runs of agents and learns of them.  Side: start. */
/* SPDX-License-Identifier: ISC */
/* In the place of perform_run.c and serve_runner.c. */
#include "lib/fingerprint.h"
#include "lib/mem.h"
#include "lib/redact.h"
#include "runs/agents.h"
#include "runs/runs.h"
#include "types/state_file.h"
#include "tests/sim/sim_agent.h"
#include "tests/sim/sim_two.h"
#include "tests/unit/link_aid.h"

#define BEGINS_AT INT64_C(1767225600000)
#define STATUS_GO 200
#define TRIES_MAX 3
#define JOBS	  64
#define OTHERS	  SIM_PEERS /* the other server's own runner, which is never connected */

static sim_fn order_is_tried;

/* An effect in the hands of runs/. */
struct order_job {
	int64_t effect; /* 0: a free place, unless it is recording */
	struct sim *sim;
	int64_t run;
	int agent;
	int tries;
	bool is_recovered;
	bool is_put_off;
	bool is_recording; /* the store has the hello, its answer is to come */
	bool is_ending;
	struct runs_stop_request no_go;
};

struct stop {
	struct runs_stop_request request;
	struct sim *sim;
	int64_t effect;
};

static struct link_aid authority;
static struct redact *redact;
static struct agents *agents;
static struct runs *runs;
static struct order_job jobs[JOBS];
static bool lacks_states;

/* --- looking --- */

static int
agent_of(const char *runner)
{
	const char *name = peer_of_host(runner);

	for (int i = 0; name != NULL && i < SIM_AGENTS; i++)
		if (strcmp(sim_agent_names[i], name) == 0)
			return i;
	if (sim_two_is_others(NULL, runner))
		return OTHERS;
	return strcmp(runner, sim_agent_names[SIM_BUILDER]) == 0 ? SIM_BUILDER : -1;
}

static const char *
name_of(const struct order_job *job)
{
	return job->agent == OTHERS ? "the other server" : sim_agent_names[job->agent];
}

const char *
sim_agents_runner(int agent, char ret[LIMIT_RUNNER])
{
	(void)snprintf(ret, LIMIT_RUNNER, "%s%s",
	    agent == SIM_BUILDER ? "" : "agent:", sim_agent_names[agent]);
	return ret;
}

int64_t
sim_agents_number(struct sim *sim, const char *sql, struct db_value a, struct db_value b)
{
	int64_t n = 0;
	struct err err;

	sim_check_must(sim, db_one_i64(&n, sim->eyes, &err, sql, a, b), &err);
	return n;
}

/* --- what runs/ reports --- */

static struct sim_open *
open_of(const struct order_job *job)
{
	return job->effect == 0 ? NULL : sim_server_find(job->sim, job->effect);
}

static void
on_no_go_sent(struct runs_stop_request *request)
{
	((struct order_job *)request->ctx)->is_ending = false;
}

static void
keep_shut(struct order_job *job)
{
	if (job->is_ending)
		return;
	job->no_go = (struct runs_stop_request){
		.run = job->run, .on_sent = on_no_go_sent, .on_dropped = on_no_go_sent, .ctx = job
	};
	job->is_ending = runs_stop_run(runs, &job->no_go);
}

static void
on_recorded(void *ctx, const struct answer *answer)
{
	struct order_job *job = ctx;

	job->is_recording = false;
	if (job->effect == 0)
		return; /* it ended meanwhile */
	if (answer->status == STATUS_GO)
		runs_go(runs, job->run);
	else
		keep_shut(job);
}

static void
on_hello(void *ctx, const struct run_started *hello)
{
	struct order_job *job = ctx;
	struct event *event = sim_server_event(job->sim, EVENT_RUN_STARTED);

	event->u.run_started = *hello;
	event->done = on_recorded;
	event->done_ctx = job;
	job->is_recording = true;
	sim_server_submit(job->sim, event);
}

static void
on_step(void *ctx, const struct run_step *step)
{
	const struct order_job *job = ctx;
	struct event *event;

	if (job->agent < SIM_BUILDER)
		sim_fail(job->sim, "an_agent_says_no_steps", "run %" PRId64 ": %s", job->run,
		    step->name);
	event = sim_server_event(job->sim, EVENT_RUN_STEP);
	event->u.run_step = *step;
	sim_server_submit(job->sim, event);
}

static void
on_hosts(void *ctx, const struct hosts_said *said)
{
	const struct order_job *job = ctx;
	struct event *event = sim_server_event(job->sim, EVENT_HOSTS_SAID);

	event->u.hosts_said = *said;
	event->u.hosts_said.list =
	    said->n == 0 ? NULL : mem_copy(said->list, said->n * sizeof(*said->list));
	sim_server_submit(job->sim, event);
}

static void
on_lost(void *ctx, const char *stuck)
{
	const struct order_job *job = ctx;
	struct event *event = sim_server_event(job->sim, EVENT_RUN_LOST);

	event->u.run_lost.run = job->run;
	(void)text_copy(event->u.run_lost.stuck, sizeof(event->u.run_lost.stuck), stuck);
	sim_server_submit(job->sim, event);
}

static void
on_incompatible(void *ctx)
{
	const struct order_job *job = ctx;

	sim_fail(job->sim, "an_agent_is_understood", "run %" PRId64, job->run);
}

static void
report(struct order_job *job, const struct run_ended *ended)
{
	struct sim_open *open = open_of(job);

	job->effect = 0;
	if (open == NULL)
		return; /* withdrawn */
	if (job->agent == OTHERS)
		sim_two_check_end(job->sim, job->run, ended);
	else if (job->agent == SIM_BUILDER)
		sim_remote_check_end(job->sim, job->run, ended);
	else
		sim_agents_check_end(job->sim, job->agent, job->run, ended);
	open->effect->result->u.run_ended = *ended;
	open->effect->result->u.run_ended.binding = mem_text(ended->binding);
	sim_server_report(job->sim, open);
}

static void
refuse(struct order_job *job, bool is_cancelled, const char *why)
{
	struct sim_open *open = open_of(job);
	bool may_have_begun = open != NULL && open->effect->u.run.started_at != 0;
	struct run_ended ended = { .run = job->run,
		.refused = !may_have_begun,
		.folder_gone = may_have_begun,
		.ended_on_request = is_cancelled };

	(void)text_copy(ended.detail, sizeof(ended.detail), why);
	report(job, &ended);
}

static void
on_ended(void *ctx, const struct run_ended *ended)
{
	struct order_job *job = ctx;

	sim_trace(job->sim, "run %" PRId64 " of %s ends: %s%s%sexit %d: %s", job->run, name_of(job),
	    ended->refused ? "refused, " : "", ended->lost ? "lost, " : "",
	    ended->gate_opened ? "" : "never opened, ", ended->exit_status, ended->detail);
	if (ended->refused && strstr(ended->detail, "; nothing was started") != NULL)
		sim_note(job->sim, SIM_AGENT_LATE);
	report(job, ended);
}

static void
on_put_off(void *ctx, const char *why)
{
	struct order_job *job = ctx;

	job->is_put_off = true;
	if (++job->tries >= TRIES_MAX)
		refuse(job, false, why);
	else
		sim_later(job->sim, job->sim->life, sim_delay(job->sim, 800, 8000), order_is_tried,
		    job - jobs, job->effect);
}

static void
on_dropped(void *ctx)
{
	struct order_job *job = ctx;

	job->effect = 0;
	job->is_recording = false;
}

/* --- orders --- */

static void
order_is_tried(struct sim *sim, int64_t i, int64_t effect)
{
	struct order_job *job = &jobs[i];
	const struct runs_watch watch = { on_hello, on_step, on_hosts, on_lost, on_incompatible,
		on_ended, on_put_off, on_dropped, job };
	const struct sim_open *open = sim_server_find(sim, effect);
	struct err err;

	if (open == NULL || job->effect != effect)
		return;
	job->is_put_off = false;
	if (!(job->is_recovered ? runs_resume : runs_order)(
		runs, &open->effect->u.run, &watch, &err))
		sim_fail(sim, "an_order_of_an_agent_is_taken", "%s", err.text);
}

bool
sim_agents_order(struct sim *sim, struct sim_open *open)
{
	const struct effect_run *order = &open->effect->u.run;
	int agent = agent_of(order->runner);
	struct order_job *job = jobs;

	if (agent < 0)
		return false;
	if (agent != OTHERS)
		sim_agents_remember(sim, order, agent);
	if (open->effect->is_recovered && sim->is_copy) {
		sim_agents_leave(order->run);
		sim_remote_leave(sim, order->run);
		return false; /* nobody is asked */
	}
	if (agent == SIM_BUILDER)
		sim_remote_remember(order);
	while (job < jobs + JOBS && (job->effect != 0 || job->is_recording))
		job++;
	assert(job < jobs + JOBS);
	*job = (struct order_job){ .effect = open->effect->id,
		.sim = sim,
		.run = order->run,
		.agent = agent,
		.is_recovered = open->effect->is_recovered };
	order_is_tried(sim, job - jobs, job->effect);
	return true;
}

static void
on_stop_sent(struct runs_stop_request *request)
{
	struct stop *stop = request->ctx;
	struct sim_open *open = sim_server_find(stop->sim, stop->effect);

	if (open != NULL)
		sim_server_report(stop->sim, open);
	free(stop);
}

static void
on_stop_dropped(struct runs_stop_request *request)
{
	free(request->ctx);
}

bool
sim_agents_stop(struct sim *sim, struct sim_open *open)
{
	int64_t run = open->effect->u.stop_run.run;
	struct stop *stop;
	const struct sim_open *of = sim_server_find_run(sim, run);

	if (!sim_agents_know(run) && (of == NULL || agent_of(of->effect->u.run.runner) != OTHERS))
		return false;
	stop = mem_new(1, sizeof(*stop));
	*stop = (struct stop){
		{ .run = run, .on_sent = on_stop_sent, .on_dropped = on_stop_dropped, .ctx = stop },
		sim, open->effect->id
	};
	if (runs_stop_run(runs, &stop->request))
		return true;
	free(stop);
	for (struct order_job *job = jobs; job < jobs + JOBS; job++)
		if (job->effect != 0 && job->run == run && job->is_put_off)
			refuse(job, true, "cancelled before it began");
	sim_server_report(sim, open);
	return true;
}

/* --- the server --- */

static void
on_said(void *ctx, enum event_kind kind, const char *identity, const char *text)
{
	struct event *event = sim_server_event(ctx, kind);

	(void)text_copy(event->u.peer.identity, sizeof(event->u.peer.identity), identity);
	(void)text_copy(event->u.peer.text, sizeof(event->u.peer.text), text);
	sim_server_submit(ctx, event);
}

static void
on_runner(void *ctx, const char *runner, bool is_connected, uint64_t highest)
{
	struct event *event =
	    sim_server_event(ctx, is_connected ? EVENT_RUNNER_HELLO : EVENT_RUNNER_GONE);

	(void)text_copy(event->u.runner.name, sizeof(event->u.runner.name), runner);
	event->u.runner.highest_run = (int64_t)highest;
	sim_server_submit(ctx, event);
}

void
sim_agents_server_starts(struct sim *sim)
{
	static char no_loop;
	struct loop *loop = (struct loop *)&no_loop;
	struct runs_config config = { .settings = sim_settings_get(sim->loaded),
		.redact = redact,
		.is_others = sim_two_is_others,
		.epoch = sim_two_epoch() };
	struct err err;

	agents = agents_new(&(struct agents_config){ loop, "link.sock", authority.order, on_said,
				on_runner, sim, 0, sim_two_epoch() },
	    &err);
	sim_must(agents != NULL, err.text);
	config.agents = agents;
	runs = runs_start(loop, &config, &err);
	sim_must(runs != NULL, err.text);
	lacks_states = true;
	agent_link_follow(agents_find(agents, sim_agent_names[SIM_BUILDER]), 0, true);
}

void
sim_agents_take_peers(struct known_peers *peers)
{
	agents_take_peers(agents, peers);
}

void
sim_agents_take_state(struct state_file *state)
{
	lacks_states &= state->environment[0] != '\0';
	agents_take_state(agents, state);
}

bool
sim_agents_lack_states(void)
{
	return lacks_states;
}

void
sim_agents_cut(struct sim *sim)
{
	sim_link_cut(sim);
	runs_free(runs);
	agents_free(agents);
	runs = NULL;
	agents = NULL;
	sim_loop_cut();
	memset(jobs, 0, sizeof(jobs)); /* what was to be recorded is not */
}

/* --- beginning and end --- */

const char *
sim_agents_line(size_t i)
{
	const char *const lines[] = { LINK_AID_ADDRESS, authority.ca_line, authority.cert_line,
		authority.order_line, "RUNNERS=build-1" };

	if (authority.order[0] == '\0')
		link_aid_make(&authority, BEGINS_AT);
	return i < COUNT(lines) ? lines[i] : NULL;
}

const char *
sim_agents_order_key(void)
{
	return authority.order;
}

static void
enrol(struct db *db, int agent, const char *identity, const char *list, const char *digest)
{
	char key[LIMIT_DIGEST];
	struct err err;

	sim_link_key(agent, 1, key);
	sim_must(db_run(db, &err,
		     "INSERT INTO peer (identity, digest, made_at, made_by, by_name, revoked_at,"
		     " manifest, manifest_digest) VALUES ($1, $2, 1, 1, 'root', 0, $3, $4)",
		     DB_TEXT(identity), DB_TEXT(key), DB_TEXT(list), DB_TEXT(digest)),
	    err.text);
}

static void
enrol_host(void *ctx, const char *name, const char *key)
{
	char identity[CRYPTO_CA_IDENTITY];
	struct err err;

	sim_must(db_run(ctx, &err,
		     "INSERT INTO peer (identity, digest, made_at, made_by, by_name, revoked_at)"
		     " VALUES ($1, $2, 1, 1, 'root', 0)",
		     DB_TEXT(peer_identity(name, identity)), DB_TEXT(key)),
	    err.text);
}

static void
enrol_all(const char *template_path)
{
	char identity[CRYPTO_CA_IDENTITY], list[LIMIT_MANIFEST], digest[FINGERPRINT_DIGEST];
	struct err err;
	struct db *db = db_open(template_path, 0, &err);

	sim_must(db != NULL, "the template");
	for (int i = 0; i < SIM_AGENTS; i++) {
		(void)fingerprint_digest(sim_agent_list(i, list), digest);
		enrol(db, i, peer_identity(sim_agent_names[i], identity), list, digest);
	}
	enrol(db, SIM_BUILDER, PEER_RUNNER "build-1", "", "");
	sim_fleet_enrol(enrol_host, db);
	db_close(db);
}

void
sim_agents_begin(const char *template_path, const char *folder)
{
	redact = redact_new();
	sim_agent_begin(folder);
	sim_remote_begin();
	enrol_all(template_path);
}

void
sim_agents_end(void)
{
	redact_free(redact);
	link_aid_remove(&authority);
	authority.order[0] = '\0';
}

void
sim_agents_new(struct sim *sim)
{
	sim_loop_begin(sim);
	sim_link_begin(sim);
	sim_agents_check_new();
	sim_agents_trouble_new();
	memset(jobs, 0, sizeof(jobs));
	sim_remote_new();
	for (int i = 0; i < SIM_AGENTS; i++)
		sim_agent_new(sim, i);
}

void
sim_agents_free(struct sim *sim)
{
	sim_agents_cut(sim);
	for (int i = 0; i < SIM_AGENTS; i++)
		sim_agent_done(i);
	sim_loop_begin(NULL);
}
