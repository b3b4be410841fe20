/* decide_status_urls.c - which health URLs a look asks: of environments, and of each host.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/view/decide_status_urls.h"

#include "lib/mem.h"
#include "lib/text.h"
#include "store/row_host_list.h"
#include "types/effect.h"
#include "types/settings.h"

#define TRIES		 3  /* one answer alone may be a restart, or the network */
#define HOSTS_DEADLINE_S 10 /* somebody waits */

static void
add_target(struct effect_probe *probe, const char *environment, const char *url)
{
	struct probe_target *target = &probe->targets[probe->n++];

	text_set(target->environment, environment);
	text_set(target->url, url);
}

void
decide_status_add_urls(struct effect_probe *probe, const struct environment_settings *settings)
{
	if (probe->n + settings->health_url_count > PROBE_TARGETS_MAX)
		return;
	for (size_t u = 0; u < settings->health_url_count; u++)
		add_target(probe, settings->name, settings->health_urls[u]);
}

void
decide_status_add_hosts(
    struct tx *tx, struct effect_probe *probe, const struct environment_settings *settings)
{
	const struct host_filter all = { settings->name, false, "" };

	if (settings->health_template == NULL || probe->n == PROBE_TARGETS_MAX ||
	    row_host_count_list(tx, &all) == 0)
		return;
	add_target(probe, settings->name, settings->health_template);
	probe->plan.deadline_s = HOSTS_DEADLINE_S;
	probe->plan.until = tx->at + HOSTS_DEADLINE_S * 1000;
}

struct effect *
decide_status_new_probe(void)
{
	struct effect *effect = effect_new(EFFECT_PROBE);

	effect->u.probe.targets = mem_new(PROBE_TARGETS_MAX, sizeof(struct probe_target));
	effect->u.probe.plan = (struct probe_plan){ .successes = 1,
		.failures = TRIES,
		.interval_s = 1,
		.timeout_s = PROBE_LOOK_TIMEOUT_S };
	return effect;
}

struct effect *
decide_status_take_probe(struct effect *effect)
{
	if (effect->u.probe.n > 0)
		return effect;
	effect_free(effect);
	return NULL;
}
