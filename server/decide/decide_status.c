/* decide_status.c - joins rows and findings for /status.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/decide_status.h"

#include <stdlib.h>

#include "chat/chat_status.h"
#include "decide/decide_unknown.h"
#include "lib/text.h"
#include "policy/policy.h"
#include "store/row_block.h"
#include "store/row_deployment.h"
#include "store/row_environment.h"

/* /status is for somebody who waits. */
#define STATUS_TIMEOUT_S 5

static bool
is_requested(const char *asked, const char *name)
{
	return asked[0] == '\0' || strcmp(asked, name) == 0;
}

/* The findings of one environment's URLs, which stand side by side; NULL: not known yet. */
static const struct probe_finding *
findings_of(const char *name, const struct effect_probe *probe,
    const struct probe_finding *findings, size_t *ret_n)
{
	const struct probe_finding *first = NULL;

	*ret_n = 0;
	for (size_t i = 0; i < probe->n; i++) {
		if (strcmp(probe->targets[i].environment, name) != 0)
			continue;
		if (*ret_n == 0 && findings != NULL)
			first = &findings[i];
		(*ret_n)++;
	}
	return first;
}

/* Where it is in trouble, or where it is not. */
static void
add_environment(struct tx *tx, struct chat_text *text, const char *name,
    const struct effect_probe *probe, const struct probe_finding *findings, bool trouble)
{
	struct environment environment = row_environment_get(tx, name);
	struct deployment released = row_deployment_get(tx, environment.current.deployment);
	struct deployment active = row_deployment_active(tx, name);
	struct deployment queued = row_deployment_queued(tx, name);
	struct chat_status status = {
		.environment = &environment,
		.released = &released,
		.active = active.id != 0 ? &active : NULL,
		.queued = queued.id != 0 ? &queued : NULL,
		.step = "",
		.host = tx->settings->host,
		.at = tx->at,
	};
	struct block blocks[CHAT_STATUS_BLOCKS];
	struct step steps[LIMIT_STEPS];
	size_t n_steps;

	status.blocks = blocks;
	status.n_blocks =
	    row_block_list(tx, name, blocks, CHAT_STATUS_BLOCKS, &status.n_all_blocks);
	if (active.run != 0) {
		n_steps = row_step_list(tx, active.run, steps, LIMIT_STEPS);
		if (n_steps > 0)
			status.step = steps[n_steps - 1].name;
	}
	status.findings = findings_of(name, probe, findings, &status.n_urls);
	if (chat_status_is_trouble(&status) == trouble)
		chat_status(text, &status);
}

char *
decide_status_text(struct tx *tx, const char *asked, const struct effect_probe *probe,
    const struct probe_finding *findings)
{
	static const struct effect_probe nothing;
	size_t n = tx->settings->environment_count;
	struct chat_text text;
	char *taken;

	chat_text_init(&text);
	for (size_t i = 0; i < 2 * n; i++) {
		const char *name = tx->settings->environments[i % n].name;

		if (is_requested(asked, name))
			add_environment(
			    tx, &text, name, probe != NULL ? probe : &nothing, findings, i < n);
	}
	taken = chat_text_take(&text);
	if (taken == NULL)
		tx_fail(tx, ERR_NOMEM, "no memory for /status");
	return taken;
}

/* A chat with one person has that person's number; in a group whoever may reads it too. */
static bool
may_somebody_look(const struct tx *tx, int64_t chat, const char *name)
{
	return chat <= 0 ||
	    policy_decide(policy_role(tx->settings, chat), POLICY_LOOKED, name).is_allowed;
}

void
decide_status_buttons(struct tx *tx, const char *asked, int64_t chat, struct buttons *ret)
{
	for (size_t i = 0; i < tx->settings->environment_count; i++) {
		const char *name = tx->settings->environments[i].name;

		if (is_requested(asked, name) && may_somebody_look(tx, chat, name) &&
		    row_environment_get(tx, name).unknown_since != 0)
			decide_add_looked(tx, name, name, chat, ret);
	}
}

struct effect *
decide_status_probe(struct tx *tx, const char *asked)
{
	struct effect *effect = effect_new(EFFECT_PROBE);
	struct effect_probe *probe;

	if (effect == NULL ||
	    (effect->u.probe.targets = calloc(PROBE_TARGETS_MAX, sizeof(struct probe_target))) ==
		NULL) {
		effect_free(effect);
		tx_fail(tx, ERR_NOMEM, "no memory for a probe");
		return NULL;
	}
	probe = &effect->u.probe;
	probe->plan = (struct probe_plan){
		.successes = 1, .failures = 1, .interval_s = 1, .timeout_s = STATUS_TIMEOUT_S
	};
	(void)text_copy(probe->asked, sizeof(probe->asked), asked);
	for (size_t i = 0; i < tx->settings->environment_count; i++) {
		const struct environment_settings *settings = &tx->settings->environments[i];

		for (size_t u = 0;
		     u < settings->health_url_count && is_requested(asked, settings->name); u++) {
			struct probe_target *target = &probe->targets[probe->n++];

			(void)text_copy(
			    target->environment, sizeof(target->environment), settings->name);
			(void)text_copy(target->url, sizeof(target->url), settings->health_urls[u]);
		}
	}
	if (probe->n > 0)
		return effect;
	effect_free(effect);
	return NULL;
}
