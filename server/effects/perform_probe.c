/* perform_probe.c - health URLs, all at once, by a plan: one result.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "clients/outbound_client.h"
#include "effects/perform_inside.h"
#include "effects/probe_check.h"
#include "lib/buf.h"
#include "lib/clean.h"
#include "lib/clock.h"
#include "lib/crash_point.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/mem.h"
#include "lib/redact.h"
#include "lib/text.h"
#include "types/probe_hosts.h"

#define CROWDED_MS 10 /* the client's queue is full: our own congestion is no failure */
/* A thousand that begin in one turn would hold the loop for 50 ms; and whoever is asked at once
 * answers at once, which does it again. */
#define BEGIN_PER_MS 16

/* One URL until it is decided: a call is in progress, or the timer for the next one runs. */
struct target {
	struct probe_job *probe;
	const struct probe_target *what;
	const char *host;    /* whom its template is for, up to the blank; NULL: it is none */
	struct target *next; /* that waits until fewer hosts are asked */
	struct probe_finding *finding; /* in the result */
	struct http_client_call *call;
	struct loop_timer timer;
	int passes_in_a_row;
	int tries;
	bool is_decided;
};

/* Its timer reports: not under the feet of whoever decided the last target. */
struct probe_job {
	struct perform_job job;
	size_t undecided;
	size_t n;	      /* targets */
	size_t n_hosts_asked; /* at this moment */
	struct target *waiting, **last_waiting;
	struct loop_timer deadline;
	struct target targets[];
};

static void on_try(struct loop_timer *timer, void *ctx);
static void on_answer(void *ctx, const struct http_client_result *result);
static void on_deadline(struct loop_timer *timer, void *ctx);
static void on_decided(struct perform_job *job);

static const struct probe_plan *
plan_of(const struct probe_job *probe)
{
	return &probe->job.effect->u.probe.plan;
}

/* --- beginning and end -------------------------------------------------------------------- */

bool
perform_probe_clients(struct probe_clients *ret, struct loop *loop, struct err *err)
{
	const void *health = outbound_of(OUTBOUND_HEALTH, NULL);

	/* With LIMIT_CONNECTIONS below 1,024 descriptors: what a process is given.  Whoever waits
	 * there holds a handle of 7 KB: the others wait in on_try(). */
	ret->gates = outbound_client(loop, health, 320, 16, err);
	ret->looks = outbound_client(loop, health, 184, 16, err);
	return ret->gates != NULL && ret->looks != NULL;
}

/* Somebody waits for it; no release does. */
static bool
is_look(const struct probe_job *probe)
{
	return probe->job.effect->subject == 0;
}

static void
target_stop(struct target *target)
{
	loop_timer_stop(&target->timer);
	http_client_cancel(target->call);
	target->call = NULL;
}

/* Unlinks and frees; the effect is the caller's. */
static struct effect *
probe_take(struct probe_job *probe)
{
	for (size_t i = 0; i < probe->n; i++)
		target_stop(&probe->targets[i]);
	loop_timer_stop(&probe->deadline);
	probe->job.perform->n_looks -= is_look(probe);
	return perform_job_free(&probe->job);
}

/* When the next one may begin: so many in each millisecond. */
static int64_t
begin_in_ms(struct perform *perform)
{
	int64_t now = loop_now_ms();

	if (perform->probe_begin_ms < now) {
		perform->probe_begin_ms = now;
		perform->n_probe_begin = 0;
	}
	if (++perform->n_probe_begin > BEGIN_PER_MS) {
		perform->probe_begin_ms++;
		perform->n_probe_begin = 1;
	}
	return perform->probe_begin_ms - now;
}

static void
target_init(struct target *target, struct probe_job *probe, size_t i, const char *host)
{
	target->probe = probe;
	target->what = &probe->job.effect->u.probe.targets[i];
	target->host = host;
	target->finding = &probe->job.effect->result->u.probed.findings[target - probe->targets];
	loop_timer_init(&target->timer, on_try, target);
	loop_timer_start(
	    probe->job.perform->loop, &target->timer, begin_in_ms(probe->job.perform), 0);
}

static void
end(struct perform_job *job)
{
	effect_free(probe_take((struct probe_job *)job));
}

/* Those of one template; returns those of the next one. */
static const char *
init_hosts(struct target **target, struct probe_job *probe, size_t i, const char *hosts)
{
	for (; hosts != NULL && *hosts != '\0' && *hosts != '\n'; hosts = strchr(hosts, ' ') + 1)
		target_init((*target)++, probe, i, hosts);
	return hosts != NULL && *hosts == '\n' ? hosts + 1 : hosts;
}

static void
init_targets(struct probe_job *probe, const char *hosts)
{
	const struct effect_probe *all = &probe->job.effect->u.probe;
	struct target *target = probe->targets;

	for (size_t i = 0; i < all->n; i++) {
		if (!probe_is_template(all->targets[i].url))
			target_init(target++, probe, i, NULL);
		else
			hosts = init_hosts(&target, probe, i, hosts);
	}
}

static struct probe_job *
probe_new(struct perform *perform, struct effect *effect)
{
	struct probed *probed = &effect->result->u.probed;
	size_t n = probe_hosts_findings(&effect->u.probe, effect->u.probe.hosts);
	struct probe_job *probe;

	probed->findings = mem_new(n > 0 ? n : 1, sizeof(*probed->findings));
	probe = perform_job_new(
	    sizeof(*probe) + n * sizeof(struct target), perform, effect, on_decided, end);
	probed->n = probe->n = probe->undecided = n;
	probed->hosts = effect->u.probe.hosts;
	effect->u.probe.hosts = NULL;
	probe->last_waiting = &probe->waiting;
	perform->n_looks += is_look(probe);
	init_targets(probe, probed->hosts);
	loop_timer_init(&probe->deadline, on_deadline, probe);
	return probe;
}

/* Milliseconds that are left of the deadline; never more than all of it: the clock may have been
 * set back since. */
static int64_t
left_ms(const struct probe_plan *plan)
{
	int64_t all = (int64_t)plan->deadline_s * 1000, left = plan->until - clock_wall_ms();

	return left < 0 ? 0 : left < all ? left : all;
}

/* As long as it takes to pass. */
static int64_t
passing_ms(const struct probe_plan *plan)
{
	return (int64_t)plan->successes * (plan->interval_s + plan->timeout_s) * 1000;
}

/* Without memory the result has no findings: nothing was found well. */
void
perform_probe(struct perform *perform, struct effect *effect)
{
	struct probe_job *probe = probe_new(perform, effect);

	if (probe->undecided == 0)
		perform_job_wait(&probe->job, 0);
	else if (effect->u.probe.plan.deadline_s > 0)
		loop_timer_start(
		    perform->loop, &probe->deadline, left_ms(&effect->u.probe.plan), 0);
}

/*
 * What was counted before the restart is not known any more, the deadline is.  What ran out while
 * nobody looked condemns nobody: who is healthy has the time to say so.
 */
void
recover_probe(struct perform *perform, struct effect *effect)
{
	struct probe_plan *plan = &effect->u.probe.plan;
	int64_t now = clock_wall_ms();

	if (plan->deadline_s == 0 && effect->u.probe.message == 0) { /* an earlier version's */
		plan->deadline_s =
		    probe_deadline_s(plan->failures, plan->interval_s, plan->timeout_s);
		plan->until = now + (int64_t)plan->deadline_s * 1000;
	}
	if (plan->until < now + passing_ms(plan))
		plan->until = now + passing_ms(plan);
	perform_probe(perform, effect);
}

static void
on_decided(struct perform_job *job)
{
	perform_report(probe_take((struct probe_job *)job));
}

/* --- deciding ----------------------------------------------------------------------------- */

/* Says how often it passed, and what the last try was. */
static void
note_undecided(struct target *target)
{
	struct probe_finding *finding = target->finding;
	char last[LIMIT_LINE];

	text_set(last,
	    target->tries == 0		   ? "no answer yet" :
		finding->detail[0] == '\0' ? "ok" :
					     finding->detail);
	text_setf(finding->detail, "%s: %d of %d tries passed within %d s; the last: %.150s",
	    finding->passes > 0 && finding->passes < target->tries ? "answers come and go" :
								     "undecided",
	    finding->passes, target->tries, plan_of(target->probe)->deadline_s, last);
	finding->is_healthy = false;
}

/* What is left is decided by that one's failure, since the gate needs all of them; NULL: by the
 * deadline.  /status shows each. */
static void
end_others(struct probe_job *probe, const struct target *failed)
{
	for (size_t i = 0; i < probe->n; i++) {
		struct target *other = &probe->targets[i];

		if (other->is_decided)
			continue;
		target_stop(other);
		other->is_decided = true;
		if (failed == NULL)
			note_undecided(other);
		else if (other->finding->detail[0] == '\0') /* else it says what decided */
			text_setf(other->finding->detail, "not decided, another URL failed: %.200s",
			    failed->finding->detail);
	}
	probe->undecided = 0;
}

static void
decide(struct target *target, bool is_healthy)
{
	struct probe_job *probe = target->probe;

	target->is_decided = true;
	target->finding->is_healthy = is_healthy;
	probe->undecided--;
	/* How many hosts fail is counted. */
	if (!is_healthy && probe->job.effect->u.probe.message == 0 && target->host == NULL)
		end_others(probe, target);
	if (probe->undecided == 0)
		perform_job_wait(&probe->job, 0);
}

/* It goes to a chat. */
static void
redact_answer(struct target *target)
{
	CLEANUP(buf_done) struct buf safe = buf_make(4 * (size_t)LIMIT_LINE);
	char *answer = target->finding->answer;

	if (answer[0] == '\0')
		return;
	redact_text(target->probe->job.perform->redact, answer, strlen(answer), &safe);
	(void)clean_line(answer, LIMIT_LINE, buf_text(&safe), buf_failed(&safe) ? 0 : safe.size);
}

static void
note_failure(struct target *target)
{
	struct probe_job *probe = target->probe;

	target->passes_in_a_row = 0;
	target->tries++;
	target->finding->failures++;
	log_line(LOG_LEVEL_DEBUG,
	    LOG_FIELDS(LOG_I64("deployment", probe->job.effect->subject),
		LOG_TEXT("environment", target->what->environment)),
	    "a probe failed: %s", target->finding->detail);
	if (target->finding->failures >= plan_of(probe)->failures)
		decide(target, false);
}

static void
note_pass(struct target *target)
{
	target->passes_in_a_row++;
	target->tries++;
	target->finding->passes++;
	target->finding->failures = 0;
	if (target->passes_in_a_row >= plan_of(target->probe)->successes)
		decide(target, true);
}

static void
on_deadline(UNUSED struct loop_timer *timer, void *ctx)
{
	struct probe_job *probe = ctx;

	OBJ_CHECK(&probe->job, PERFORM_JOB_MAGIC);
	end_others(probe, NULL);
	perform_job_wait(&probe->job, 0);
}

static void
try_later(struct target *target)
{
	if (!target->is_decided)
		loop_timer_start(target->probe->job.perform->loop, &target->timer,
		    (int64_t)plan_of(target->probe)->interval_s * 1000, 0);
}

/* --- one try ------------------------------------------------------------------------------ */

/* However many people look at fleets that hang, nobody waits for another's. */
static size_t
hosts_at_once(const struct probe_job *probe)
{
	return is_look(probe) ? 1 + (PROBE_HOSTS_AT_ONCE - 1) / probe->job.perform->n_looks :
				PROBE_HOSTS_AT_ONCE;
}

/* False: so many hosts are asked that it waits for the end of one. */
static bool
may_ask(struct target *target)
{
	struct probe_job *probe = target->probe;

	if (target->host == NULL || probe->n_hosts_asked < hosts_at_once(probe))
		return true;
	target->next = NULL;
	*probe->last_waiting = target;
	probe->last_waiting = &target->next;
	return false;
}

static void
ask_next(struct probe_job *probe)
{
	struct target *target = probe->waiting;

	if (target == NULL)
		return;
	probe->waiting = target->next;
	if (probe->waiting == NULL)
		probe->last_waiting = &probe->waiting;
	if (!target->is_decided)
		loop_timer_start(probe->job.perform->loop, &target->timer, 0, 0);
}

static void
on_try(UNUSED struct loop_timer *timer, void *ctx)
{
	struct target *target = ctx;
	struct perform *perform = target->probe->job.perform;
	char url[LIMIT_URL + LIMIT_HOST];
	struct err err = { .code = ERR_NONE };

	OBJ_CHECK(&target->probe->job, PERFORM_JOB_MAGIC);
	if (!may_ask(target))
		return;
	target->call = probe_check_start(
	    is_look(target->probe) ? perform->probes.looks : perform->probes.gates,
	    probe_hosts_url(target->what->url, target->host, url),
	    plan_of(target->probe)->timeout_s, on_answer, target, &err);
	CRASH_POINT(probe_sent);
	if (target->call != NULL) {
		target->probe->n_hosts_asked += target->host != NULL ? 1 : 0;
		return;
	}
	if (err.code == ERR_BUSY) {
		loop_timer_start(perform->loop, &target->timer, CROWDED_MS, 0);
		return;
	}
	if (target->host != NULL)
		ask_next(target->probe);
	text_set(target->finding->detail, err.text);
	note_failure(target);
	try_later(target);
}

static void
on_answer(void *ctx, const struct http_client_result *result)
{
	struct target *target = ctx;

	OBJ_CHECK(&target->probe->job, PERFORM_JOB_MAGIC);
	target->call = NULL;
	CRASH_POINT(probe_answered);
	if (target->host != NULL) {
		target->probe->n_hosts_asked--;
		ask_next(target->probe);
	}
	if (probe_check_judge(
		result, target->what->commit, plan_of(target->probe)->timeout_s, target->finding))
		note_pass(target);
	else {
		redact_answer(target);
		note_failure(target);
	}
	try_later(target);
}

/* --- for who waits ------------------------------------------------------------------------ */

/* Of several the one that keeps it from passing: that failed most often. */
static const struct target *
worst_of(const struct probe_job *probe)
{
	const struct target *bad = &probe->targets[0];

	for (size_t i = 1; i < probe->n; i++)
		if (probe->targets[i].tries - probe->targets[i].finding->passes >
		    bad->tries - bad->finding->passes)
			bad = &probe->targets[i];
	return bad;
}

void
perform_gate_text(const struct perform *perform, int64_t run, struct buf *out)
{
	const struct perform_job *job = perform_job_find(perform, EFFECT_PROBE, NULL);
	const struct target *bad;

	while (job != NULL && (run == 0 || job->effect->u.probe.run != run))
		job = perform_job_find(perform, EFFECT_PROBE, job);
	if (job == NULL || ((const struct probe_job *)job)->n == 0)
		return;
	bad = worst_of((const struct probe_job *)job);
	if (bad->tries == 0)
		return;
	buf_addf(out, "%d of %d passed, last: %s", bad->finding->passes, bad->tries,
	    bad->finding->detail[0] == '\0' ? "ok" : bad->finding->detail);
}
