/* perform_prom_query.c - Prometheus: the queries of an environment, each asked once.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "clients/prometheus.h"
#include "effects/perform_inside.h"
#include "lib/buf.h"
#include "lib/clock.h"
#include "lib/text.h"
#include "types/settings.h"

struct prom_query_job {
	struct perform_job job;
	struct prometheus_call *call;
	const struct environment_settings *of;
	size_t next; /* of its queries; behind them <ENV>_BAKE_PRESENT */
};

static void ask_next(struct prom_query_job *job);

static void
end(struct perform_job *job)
{
	prometheus_cancel(((struct prom_query_job *)job)->call);
	perform_job_drop(job);
}

static struct bake_look *
look_of(struct prom_query_job *job)
{
	return &job->job.effect->result->u.prom_said;
}

static void
note_why(struct prom_query_job *job, const char *name, const char *why)
{
	struct bake_look *look = look_of(job);

	if (why[0] != '\0' && look->why[0] == '\0')
		text_setf(look->why, "%s%s%.200s", name, name[0] != '\0' ? ": " : "", why);
}

static void
take_answer(struct prom_query_job *job, const struct prometheus_answer *answer)
{
	struct bake_look *look = look_of(job);
	struct promql query;
	char why[LIMIT_LINE];

	if (job->next == LIMIT_BAKE_QUERIES) {
		look->is_present = prometheus_is_present(answer, why);
		note_why(job, "", why);
		return;
	}
	if (!promql_read(job->of->bake_queries[job->next], &query, NULL))
		return; /* settings have none that is wrong */
	prometheus_judge(answer, &query, &look->findings[look->n], why);
	note_why(job, query.name, why);
	look->n++;
}

static void
on_answer(void *ctx, const struct prometheus_answer *answer)
{
	struct prom_query_job *job = ctx;

	OBJ_CHECK(&job->job, PERFORM_JOB_MAGIC);
	job->call = NULL;
	take_answer(job, answer);
	job->next++;
	ask_next(job);
}

/* The text of the next that is set; NULL: there is none. */
static const char *
next_text(struct prom_query_job *job, struct promql *query)
{
	for (; job->next < LIMIT_BAKE_QUERIES; job->next++)
		if (job->of->bake_queries[job->next] != NULL &&
		    promql_read(job->of->bake_queries[job->next], query, NULL))
			return query->text;
	return job->next == LIMIT_BAKE_QUERIES ? job->of->bake_present : NULL;
}

static void
ask_next(struct prom_query_job *job)
{
	CLEANUP(buf_done) struct buf filled = buf_make(PROMQL_FILLED_MAX);
	const struct effect *effect = job->job.effect;
	struct promql_facts facts;
	struct promql query;
	const char *text = job->of != NULL ? next_text(job, &query) : NULL;
	struct err err;

	if (text == NULL) {
		perform_report(perform_job_free(&job->job));
		return;
	}
	facts = bake_facts(job->of, effect->u.prom_query.release);
	if (effect->u.prom_query.hosts != NULL && effect->u.prom_query.hosts[0] != '\0')
		facts.hosts = effect->u.prom_query.hosts;
	promql_fill(text, &facts, &filled);
	if (buf_check(&filled, &err))
		job->call = prometheus_start(job->job.perform->prometheus,
		    &(struct prometheus_request){ .at = &effect->settings->prometheus,
			.query = buf_text(&filled),
			.time = clock_wall_ms(),
			.on_done = on_answer,
			.ctx = job },
		    &err);
	if (job->call == NULL) { /* nothing was sent */
		note_why(job, "", err.text);
		perform_report(perform_job_free(&job->job));
	}
}

/* AGAIN: a query changes nothing there. */
void
perform_prom_query(struct perform *perform, struct effect *effect)
{
	struct prom_query_job *job = perform_job_new(sizeof(*job), perform, effect, NULL, end);

	job->of = settings_environment(effect->settings, effect->u.prom_query.environment);
	if (job->of == NULL)
		note_why(job, "", "its environment is no longer in the settings");
	ask_next(job);
}
