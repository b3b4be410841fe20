/* bake_aid.h - releases that bake, and what Prometheus says of them.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "decide_aid.h"
#include "decide_aid_inside.h"
#include "lib/text.h"

#define BAKES "STAGING_BAKE=2m"
#define ASKS \
	"PROMETHEUS_URL=http://127.0.0.1:9090", \
	    "STAGING_BAKE_QUERY=errors: sum(rate(e[5m])) > 1%", "STAGING_BAKE_PRESENT=up"

enum said { HEALTHY, WRONG, UNKNOWN, ABSENT, NO_SECOND };

static inline void
fill_finding(struct bake_finding *finding, const char *name, enum said said)
{
	(void)text_copy(finding->name, PROMQL_NAME, name);
	(void)text_copy(finding->limit, sizeof(finding->limit), "> 1 %");
	(void)text_copy(finding->value, PROMQL_VALUE,
	    said == UNKNOWN   ? "" :
		said == WRONG ? "4.1 %" :
				"0.2 %");
	finding->verdict = said == UNKNOWN ? BAKE_UNKNOWN :
	    said == WRONG		   ? BAKE_FIRES :
					     BAKE_HEALTHY;
}

/* What Prometheus says to the oldest look; sold: of a second query. */
static inline void
says_both(struct world *w, enum said said, enum said sold)
{
	struct effect *effect = world_must_take(w, EFFECT_PROM_QUERY);
	struct bake_look *look = &effect->result->u.prom_said;

	*look = (struct bake_look){ .n = sold == NO_SECOND ? 1 : 2,
		.is_present = said != ABSENT && said != UNKNOWN };
	fill_finding(&look->findings[0], "errors", said);
	fill_finding(&look->findings[1], "sold", sold);
	if (said == UNKNOWN)
		text_set(look->why, "timed out");
	if (said == ABSENT)
		text_set(look->why, "<ENV>_BAKE_PRESENT has no value");
	world_report(w, effect);
}

static inline void
says(struct world *w, enum said said)
{
	says_both(w, said, NO_SECOND);
}

/* The next look is due, and that is said. */
static inline void
looks(struct world *w, enum said said)
{
	world_due(w, TIMER_BAKE);
	says(w, said);
}

/* A release of B over A that bakes. */
static inline void
bakes(struct world *w, enum said before)
{
	world_released(w, "staging");
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_B);
	assert_int_equal(world_state(w), DEPLOY_QUEUED);
	assert_int_equal(world_count(w, EFFECT_RUN), 0);
	says(w, before);
	assert_int_equal(world_state(w), DEPLOY_RUNNING);
	world_run_releases(w, GOOD);
	assert_int_equal(world_state(w), DEPLOY_BAKING);
}
