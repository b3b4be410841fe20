/* decide_probe.c - the health URLs of work are asked: for its gate, and behind its end.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/work/decide_probe.h"

#include <string.h>

#include "lib/mem.h"
#include "lib/text.h"
#include "store/row_effect.h"
#include "store/row_host_list.h"

/* One target for each URL of the comma list that the deployment started with. */
static size_t
split_targets(const struct deployment *deployment, const char *commit, struct probe_target *targets,
    size_t max)
{
	const char *at = deployment->urls;
	size_t n = 0;

	while (*at != '\0' && n < max) {
		size_t length = strcspn(at, ",");
		struct probe_target *target = &targets[n];

		if (length > 0 && length < sizeof(target->url)) {
			memcpy(target->url, at, length);
			(void)text_copy(
			    target->environment, LIMIT_ENVIRONMENT, deployment->environment);
			/* Those of its wave alone are asked. */
			(void)text_copy(target->commit, LIMIT_COMMIT,
			    deployment->state == DEPLOY_VERIFYING && deployment->waves > 0 &&
				    probe_is_template(target->url) ?
				deployment->commit :
				commit);
			n++;
		}
		at += length + (at[length] == ',' ? 1 : 0);
	}
	return n;
}

static void
probe(struct tx *tx, const struct deployment *deployment, const char *expected,
    const struct probe_plan *plan)
{
	struct effect *effect = effect_new(EFFECT_PROBE);

	effect->u.probe.targets = mem_new(LIMIT_URLS, sizeof(*effect->u.probe.targets));
	effect->subject = deployment->id;
	effect->u.probe.plan = *plan;
	effect->u.probe.plan.until = tx->at + (int64_t)plan->deadline_s * 1000;
	effect->u.probe.run =
	    deploy_flow_class(deployment->state) == DEPLOY_CLASS_FINAL ? 0 : deployment->run;
	effect->u.probe.n =
	    split_targets(deployment, expected, effect->u.probe.targets, LIMIT_URLS);
	(void)row_effect_add(tx, effect);
}

void
decide_probe_gate(struct tx *tx, const struct deployment *deployment)
{
	const struct settings_times *times = settings_times(tx->settings, deployment->environment);
	bool is_back = deployment->state == DEPLOY_VERIFYING_ROLLBACK;
	/* Of what ran before deploybot nobody knows the commit. */
	const char *expected = !is_back		     ? deployment->commit :
	    deployment_is_back_to_target(deployment) ? "" :
						       deployment->previous;

	/* Hosts that it has not reached answer too. */
	if (deployment->waves > 0 &&
	    (is_back || deployment->wave < deployment->waves ||
		row_host_count(tx, deployment).failed > 0))
		expected = "";

	probe(tx, deployment, expected,
	    &(struct probe_plan){
		.successes = times->health_check_successes,
		.failures = times->health_check_retries,
		.interval_s = times->health_check_interval_seconds,
		.timeout_s = times->health_check_timeout_seconds,
		.deadline_s = times->health_check_deadline_seconds,
	    });
}

#define LOOK_TRIES	3 /* one failure alone may be a restart, or the network; one pass is true */
#define LOOK_DEADLINE_S 8 /* somebody was woken, and reads */

bool
decide_probe_look(struct tx *tx, const struct deployment *deployment)
{
	const struct settings_times *times = settings_times(tx->settings, deployment->environment);
	int timeout_s = times->health_check_timeout_seconds, tries = times->health_check_retries;

	if (deployment->urls[0] == '\0')
		return false;
	if (row_effect_find(tx, EFFECT_PROBE, deployment->id) == 0)
		probe(tx, deployment, "",
		    &(struct probe_plan){
			.successes = 1,
			.failures = tries < LOOK_TRIES ? tries : LOOK_TRIES,
			.interval_s = 1,
			.timeout_s =
			    timeout_s < PROBE_LOOK_TIMEOUT_S ? timeout_s : PROBE_LOOK_TIMEOUT_S,
			.deadline_s = LOOK_DEADLINE_S,
		    });
	return true;
}
