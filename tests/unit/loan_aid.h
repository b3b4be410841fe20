/* loan_aid.h - a job that asks for a secret, and what Vault answers, for tests of decisions.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "job_aid.h"

#define ACCESSOR "8609694a-cab0-4b4f-9c4d-0123456789ab"

/* What a test that includes this plays in. */
struct scene {
	struct world w;
	struct job job;
	int64_t loan; /* that was asked for last */
};

static inline int
wants(struct scene *s, const char *path)
{
	struct answer answer = job_asks(&s->w, &s->job, API_SECRET, path, "{}");

	s->loan = answer.work;
	return answer.status;
}

static inline struct answer
looks(struct scene *s)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/v1/loan/%lld", (long long)s->loan);
	return job_asks(&s->w, &s->job, API_LOAN, path, NULL);
}

static inline int
gives_back(struct scene *s)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/v1/loan-end/%lld", (long long)s->loan);
	return job_asks(&s->w, &s->job, API_LOAN_END, path, "{}").status;
}

static inline enum deploy_state
is(struct scene *s)
{
	return world_deployment(&s->w, s->loan).state;
}

static inline void
vault_says(struct scene *s, enum effect_kind kind, const struct vault_said *said)
{
	world_vault(&s->w, kind, said);
}

#define MADE  ((struct vault_said){ .is_done = true, .accessor = ACCESSOR })
#define ENDED ((struct vault_said){ .is_done = true })
