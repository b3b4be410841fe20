/* doctor_prometheus.c - Prometheus, where a bake asks it: each query once, and what it says.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "cli/doctor/doctor_prometheus.h"

#include <stdlib.h>

#include "cli/doctor/doctor.h"
#include "clients/prometheus.h"
#include "lib/buf.h"
#include "lib/clock.h"
#include "lib/mem.h"
#include "types/settings.h"

/* One is asked behind the other: what they ask is dear there. */
struct asking {
	struct doctor *doctor;
	struct http_client *client;
	struct prometheus_call *call; /* NULL: it has answered */
	size_t environment;	      /* whose is asked */
	size_t query;		      /* LIMIT_BAKE_QUERIES: what says that there is data */
	size_t n;		      /* that had an answer */
	bool is_flawed;
};

static void ask_next(struct asking *a);

static void
end(void *ctx)
{
	struct asking *a = ctx;

	prometheus_cancel(a->call);
	http_client_free(a->client);
	free(a);
}

static const struct environment_settings *
environment_of(const struct asking *a)
{
	return &a->doctor->settings->environments[a->environment];
}

/* What is wrong with the answer to one. */
static void
tell(struct asking *a, const struct prometheus_answer *answer, const char *name, const char *why)
{
	const char *environment = environment_of(a)->name;

	a->is_flawed = true;
	if (answer->status == 400 || answer->status == 422)
		TELL(a->doctor, PROMETHEUS, ERROR,
		    "Prometheus: it does not take %s of %s (%.150s): try that query on its own page",
		    name, environment, why);
	else
		TELL(a->doctor, PROMETHEUS, WARNING,
		    "Prometheus: %s of %s has no answer that counts now (%.150s): what bakes there would not be known to be healthy",
		    name, environment, why);
}

static void
judge(struct asking *a, const struct prometheus_answer *answer)
{
	const struct environment_settings *of = environment_of(a);
	struct bake_finding finding;
	char why[LIMIT_LINE];
	struct promql query;

	if (a->query == LIMIT_BAKE_QUERIES) {
		if (!prometheus_is_present(answer, why))
			tell(a, answer, "_BAKE_PRESENT", why);
		return;
	}
	if (!promql_read(of->bake_queries[a->query], &query, NULL))
		return; /* settings have none that is wrong */
	prometheus_judge(answer, &query, &finding, why);
	if (why[0] != '\0') {
		tell(a, answer, query.name, why);
	} else if (finding.verdict == BAKE_FIRES) {
		a->is_flawed = true;
		TELL(a->doctor, PROMETHEUS, WARNING,
		    "Prometheus: %s of %s is %s now, so it is wrong (%s): what is so before a release does not count while that bakes",
		    query.name, of->name, finding.value, finding.limit);
	}
}

static void
finish(struct asking *a)
{
	if (!a->is_flawed && a->n > 0)
		TELL(a->doctor, PROMETHEUS, OK, "Prometheus: %.150s answers %zu %s",
		    a->doctor->settings->prometheus.url, a->n, a->n == 1 ? "query" : "queries");
	doctor_answered(a->doctor);
}

static void
give_up(struct asking *a, const char *why)
{
	a->is_flawed = true;
	TELL(a->doctor, PROMETHEUS, ERROR,
	    "Prometheus: %.150s does not answer (%.120s): is PROMETHEUS_URL right, and does it take PROMETHEUS_TOKEN?",
	    a->doctor->settings->prometheus.url, why);
	finish(a);
}

static void
on_answer(void *ctx, const struct prometheus_answer *answer)
{
	struct asking *a = ctx;
	char why[LIMIT_LINE];

	a->call = NULL;
	if (answer->status != 200 && answer->status != 400 && answer->status != 422) {
		(void)prometheus_is_present(answer, why); /* says which status it has */
		give_up(a, why);
		return;
	}
	judge(a, answer);
	a->n++;
	a->query++;
	ask_next(a);
}

/* NULL: all were asked. */
static const char *
next_text(struct asking *a, struct promql *query)
{
	for (; a->environment < a->doctor->settings->environment_count; a->environment++) {
		const struct environment_settings *of = environment_of(a);

		for (; bake_asks(of) && a->query < LIMIT_BAKE_QUERIES; a->query++)
			if (of->bake_queries[a->query] != NULL &&
			    promql_read(of->bake_queries[a->query], query, NULL))
				return query->text;
		if (bake_asks(of) && a->query == LIMIT_BAKE_QUERIES)
			return of->bake_present;
		a->query = 0;
	}
	return NULL;
}

static void
ask_next(struct asking *a)
{
	CLEANUP(buf_done) struct buf filled = buf_make(PROMQL_FILLED_MAX);
	struct promql query;
	const char *text = next_text(a, &query);
	struct promql_facts facts;
	struct err err;

	if (text == NULL) {
		finish(a);
		return;
	}
	facts = bake_facts(environment_of(a), BAKE_NO_RELEASE);
	promql_fill(text, &facts, &filled);
	a->call = prometheus_start(a->client,
	    &(struct prometheus_request){ .at = &a->doctor->settings->prometheus,
		.query = buf_text(&filled),
		.time = clock_wall_ms(),
		.on_done = on_answer,
		.ctx = a },
	    &err);
	if (a->call == NULL)
		give_up(a, err.text);
}

void
doctor_prometheus(struct doctor *doctor)
{
	const struct settings *s = doctor->settings;
	struct asking *a;
	struct err err;

	if (s->prometheus.url == NULL)
		return;
	a = mem_new(1, sizeof(*a));
	doctor_at_end(doctor, end, a);
	a->doctor = doctor;
	a->client = prometheus_client(doctor->loop, &s->prometheus, &err);
	doctor_asked(doctor);
	if (a->client != NULL)
		ask_next(a);
	else
		give_up(a, err.text);
}
