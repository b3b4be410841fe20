/* pipeline_aid.h - runs that we begin at a forge, for tests of decisions.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "decide_aid.h"
#include "lib/text.h"

#define MINUTE	 INT64_C(60000)
#define RUN	 4711
#define PAGE	 "https://github.com/octo/shop/actions/runs/4711"

#define GITHUB "GITHUB_REPOSITORY=octo/shop", "GITHUB_API_TOKEN=ghp_0123456789abcdef0123"
#define SETTINGS \
	GITHUB, "PIPELINE_RELEASE=release.yml ref=main channel=stable version=?", \
	    "PIPELINE_NIGHTLY=nightly.yml ref=main deploybot=?"

#define GITLAB \
	"GITHUB_REPOSITORY=", "REPOSITORY_URL=https://gitlab.com/group/shop.git", \
	    "GITLAB_API_TOKEN=glpat-0123456789", \
	    "PIPELINE_RELEASE=.gitlab-ci.yml ref=main version=?"

#define PIPELINE_TEST(name) WORLD_TEST_OF(name, SETTINGS)
#define PIPELINE_TEST_OF(name, ...) WORLD_TEST_OF(name, SETTINGS, __VA_ARGS__)

static inline struct forge_said
done(int64_t run)
{
	return (
	    struct forge_said){ .verdict = FORGE_SAYS_DONE, .run.run = run, .retry_after_s = 60 };
}

static inline struct forge_said
says(enum forge_verdict verdict, const char *why)
{
	struct forge_said said = { .verdict = verdict, .retry_after_s = 60 };

	(void)text_copy(said.why, sizeof(said.why), why);
	return said;
}

static inline struct pipeline_run
run_of(int64_t attempt, enum pipeline_rank rank, const char *conclusion)
{
	struct pipeline_run run = { .repository = "Octo/shop",
		.repository_id = "456789",
		.file = "release.yml",
		.branch = "main",
		.commit = COMMIT_A,
		.run = RUN,
		.number = 10,
		.attempt = attempt,
		.rank = rank };

	(void)text_copy(run.conclusion, sizeof(run.conclusion), conclusion);
	return run;
}

static inline struct forge_said
looks(int64_t attempt, enum pipeline_rank rank, const char *conclusion)
{
	struct forge_said said = done(0);

	said.run = run_of(attempt, rank, conclusion);
	return said;
}

static inline struct forge_said
at_gitlab(struct forge_said said)
{
	(void)text_copy(said.run.repository, sizeof(said.run.repository), "group/shop");
	(void)text_copy(said.run.repository_id, sizeof(said.run.repository_id), "gitlab:22");
	return said;
}

static inline void
github(struct world *w, enum effect_kind kind, struct forge_said said)
{
	world_forge(w, kind, &said);
}

static inline int
delivered(struct world *w, struct pipeline_run run)
{
	return world_workflow_says(w, &run);
}

static inline struct deployment
work(struct world *w)
{
	return world_newest(w, "production");
}

/* Asked for and confirmed. */
static inline void
ask(struct world *w, const char *text)
{
	(void)world_text(w, WORLD_ADMIN, text);
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP, world_button(world_last(w), "🔧 Run "));
}

static inline void
begins(struct world *w)
{
	ask(w, "/do run-pipeline production release 1.4.2-RC1");
	github(w, EFFECT_FORGE_START, done(RUN));
	assert_int_equal(work(w).state, DEPLOY_RUNNING);
}
