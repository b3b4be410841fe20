/* look.h - what is committed, as the invariants see it.  Side: start. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "deployment/deployment.h"
#include "lib/db.h"

#define LOOK_ENVIRONMENTS 128

struct look_deployment {
	int64_t id;
	char environment[LIMIT_ENVIRONMENT];
	enum deploy_state state;
	enum deploy_class class;
	int64_t run;
	int64_t message;
	int64_t also_message;
	bool target_changed;
	bool has_migrated;	/* or has begun to */
	bool has_urls;
	bool is_rollback;
	bool is_action;
	bool is_beside;		/* a pipeline or a loan: goes on beside others of its environment */
	bool is_push;		/* or found by polling: nobody asked for it */
	bool is_again;
	bool shown_blocked;	/* its question said that it was rolled back */
	bool is_asked_anew;	/* in its place in the queue */
	int64_t started_at;
	int64_t ended_at;
	char commit[LIMIT_COMMIT];
	enum commit_source previous_source;
	char previous[LIMIT_COMMIT];
};

struct look_environment {
	char name[LIMIT_ENVIRONMENT];
	int64_t release;
	int64_t number;		/* of the release */
	int64_t deployment;	/* that released it */
	char commit[LIMIT_COMMIT];
	char seen[LIMIT_COMMIT];
	char polled[LIMIT_COMMIT];
	bool is_down;
	bool is_unknown;	/* what runs there is not known */
	bool has_urls;		/* so did the deployment */
};

struct look_effect {
	int64_t id;
	enum effect_kind kind;
	int64_t subject;
};

/* All zero is empty. */
struct look {
	size_t n;
	size_t room;
	struct look_deployment *deployments;	/* by id */
	size_t n_effects;
	size_t effects_room;
	struct look_effect *effects;
	size_t n_environments;
	struct look_environment environments[LOOK_ENVIRONMENTS];
};

/* Deployments from one on, and everything else.  Looked at again, its memory is used again. */
MUST_USE bool look_at(struct look *look, struct db *db, int64_t from, struct err *err);
void look_done(struct look *look);

/* Borrowed; never NULL: one that has no row yet is empty. */
const struct look_environment *look_environment(const struct look *look, const char *name);
/* The deployment that keeps an environment busy, as no pipeline and no loan does, or NULL. */
const struct look_deployment *look_active(const struct look *look, const char *environment);
int64_t look_effects(const struct look *look, enum effect_kind kind, int64_t subject);
