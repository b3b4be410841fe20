/* rule_aid.h - GitHub's App asks whether a job may go on, for tests of decisions.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "decide_aid.h"
#include "jwt_aid.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "store/store_inside.h"

#define SECOND INT64_C(1000)
#define DAY    (86400 * SECOND)

struct scene {
	struct world w;
	int64_t gate;
};

static char key[4096];

#define APP_SETTINGS \
	"PRODUCTION_CONFIRM=false", "GITHUB_REPOSITORY=octo/shop", "PERSON_22_GITHUB=mona", \
	    "GITHUB_APP_ID=1", key, "GITHUB_APP_WEBHOOK_SECRET=0123456789abcdef0123456789abcdef"

static inline void
open_scene(struct scene *s, const char *more, const char *again)
{
	(void)snprintf(key, sizeof(key), "GITHUB_APP_KEY=%s", jwt_aid_key);
	key[strcspn(key, "=") + strlen(jwt_aid_key)] = '\0'; /* the last end of a line */
	*s = (struct scene){ .gate = 0 };
	world_open(&s->w, APP_SETTINGS, more, again, NULL);
}

/* GitHub's App asks for a job of a run of main. */
static inline struct event *
asking(struct scene *s, const char *run, int64_t deployment)
{
	struct event *event = world_push(&s->w, "");
	struct delivery *delivery = &event->u.delivery;
	struct delivery_job *job = delivery->job = mem_new(1, sizeof(*job));

	delivery->kind = DELIVERY_GATE_RULE;
	delivery->by_app = true;
	delivery->repository_id = 456789;
	(void)text_copy(delivery->repository, LIMIT_REF, "Octo/Shop");
	job->deployment = deployment;
	job->of.actor_id = 7;
	(void)text_copy(job->environment, LIMIT_REF, "production");
	(void)text_copy(job->branch, LIMIT_REF, "main");
	(void)text_copy(job->of.repository, LIMIT_REF, "Octo/Shop");
	(void)text_copy(job->of.repository_id, JOB_NUMBER, "456789");
	(void)text_copy(job->of.run, JOB_NUMBER, run);
	(void)text_copy(job->of.sha, LIMIT_COMMIT, COMMIT_A);
	(void)text_copy(job->of.event, JOB_EVENT, "push");
	(void)text_copy(job->of.actor, LIMIT_PERSON, "mona");
	return event;
}

static inline enum deploy_state
is(struct scene *s)
{
	return world_deployment(&s->w, s->gate).state;
}

static inline void
git(struct scene *s)
{
	world_git(&s->w, (struct world_git){ .commit = COMMIT_A });
}

static inline void
take(struct scene *s, struct event *event)
{
	assert_int_equal(world_decide(&s->w, event).status, 200);
	s->gate = world_newest(&s->w, "production").id;
}

static inline void
waits(struct scene *s, struct event *event)
{
	take(s, event);
	git(s);
}

static inline void
approve(struct scene *s, int64_t who)
{
	char text[64];

	(void)snprintf(text, sizeof(text), "/approve %lld", (long long)s->gate);
	(void)world_text(&s->w, who, text);
	if (is(s) == DEPLOY_QUEUED && world_peek(&s->w, EFFECT_GIT_QUERY) != NULL)
		git(s);
}

/* The yes or no that is on its way; NULL: none is, but perhaps a report that it waits. */
static inline const struct effect_forge_answer *
answer(struct scene *s)
{
	struct effect *effect = world_peek(&s->w, EFFECT_FORGE_ANSWER);

	assert_int_equal(world_count(&s->w, EFFECT_FORGE_ANSWER), effect != NULL);
	return effect == NULL || effect->u.forge_answer.is_report ? NULL : &effect->u.forge_answer;
}

static inline void
answered(struct scene *s, struct forge_said said)
{
	world_forge(&s->w, EFFECT_FORGE_ANSWER, &said);
}

static inline int64_t
rows(struct scene *s, const char *sql)
{
	int64_t n = -1;

	assert_true(db_one_i64(&n, s->w.aid.store->db, &s->w.aid.err, sql));
	return n;
}

#define DONE	 ((struct forge_said){ .verdict = FORGE_SAYS_DONE })
#define NO(why_) ((struct forge_said){ .verdict = FORGE_SAYS_NOTHING, .why = why_ })
