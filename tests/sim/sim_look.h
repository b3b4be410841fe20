/* sim_look.h - what is committed, as the invariants see it.  Side: start. */
/* SPDX-License-Identifier: ISC */
#ifndef SIM_LOOK_H
#define SIM_LOOK_H

#include "deployment/deployment.h"
#include "tests/sim/sim_inside.h"

#define SIM_ROWS	256

struct sim_seen_deployment {
	int64_t id;
	int environment;
	enum deploy_state state;
	enum deploy_class class;
	int64_t run;
	int64_t message;
	int64_t also_message;
	bool is_touched;
	bool has_urls;
	bool is_rollback;
	int64_t started_at;
	int64_t ended_at;
	char commit[LIMIT_COMMIT];
	char previous[LIMIT_COMMIT];
};

struct sim_seen_environment {
	int64_t release;
	int64_t deployment;	/* that released it */
	char commit[LIMIT_COMMIT];
	char seen[LIMIT_COMMIT];
	bool is_down;
	bool has_urls;		/* so did the deployment */
};

struct sim_seen_effect {
	int64_t id;
	enum effect_kind kind;
	int64_t subject;
};

/* Deployments from one on, and everything else. */
struct sim_seen {
	size_t n;
	struct sim_seen_deployment deployments[SIM_ROWS];
	size_t n_effects;
	struct sim_seen_effect effects[SIM_ROWS];
	struct sim_seen_environment environments[SIM_ENVIRONMENTS];
};

void sim_look(struct sim *sim, int64_t from, struct sim_seen *ret);

/* The number in the first row's first column. */
#define sim_look_number(sim, ...) sim_look_number_values(sim, DB_SQL(__VA_ARGS__))
int64_t sim_look_number_values(struct sim *sim, const char *sql, const struct db_value values[],
    size_t count);

/* An oracle that cannot look is none. */
void sim_look_must(struct sim *sim, bool ok, const struct err *err);
/* A text column, cut to fit; NULL is "". */
void sim_look_text(const struct db_rows *rows, int column, char *out, size_t room);

#endif
