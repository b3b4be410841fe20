/* sim_probe.c - who asks targets how they are.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "tests/sim/sim_inside.h"

static sim_fn probe_looks;

static bool
is_healthy(struct sim *sim, const struct probe_target *url, struct probe_finding *finding)
{
	const struct sim_target *target = &sim->targets[sim_environment(url->environment)];
	const char *answers = sim_waves_answer(sim, sim_environment(url->environment));

	if (answers == NULL)
		answers = sim->now < target->answers_at ? target->before : target->runs;
	(void)text_copy(finding->commit, sizeof(finding->commit), answers);
	if (!sim->is_resting && sim_one_in(sim, 8)) {
		sim_note(sim, SIM_PROBE_FLAPPED);
		(void)text_copy(finding->detail, sizeof(finding->detail), "HTTP 502");
		return false;
	}
	if (answers[0] == '\0' || sim_forge_is_bad(sim, answers)) {
		(void)text_copy(finding->detail, sizeof(finding->detail), "HTTP 500");
		return false;
	}
	if (url->commit[0] == '\0' || strcmp(url->commit, answers) == 0)
		return true;
	(void)text_copy(finding->detail, sizeof(finding->detail), "the old version answers");
	return false;
}

static void
report_probe(struct sim *sim, struct sim_open *open, bool is_healthy)
{
	const struct effect *effect = open->effect;

	if (effect->u.probe.run != 0 && is_healthy) {
		const struct sim_target *target =
		    &sim->targets[sim_environment(effect->u.probe.targets[0].environment)];

		assert(effect->subject < SIM_DEPLOYMENTS);
		sim->has_passed[effect->subject] = sim->waves_of[effect->subject] > 0 ?
		    sim->has_word[effect->subject] || sim->has_word_of_wave[effect->subject] :
		    strcmp(target->runs, effect->u.probe.targets[0].commit) == 0;
	}
	sim_server_report(sim, open);
}

/* Answers that come and go, each in its turn: neither so many passes in a row, nor failures. */
static bool
is_pass_of_the_restless(struct sim_open *open, size_t i, struct probe_finding *finding)
{
	(void)text_copy(finding->detail, sizeof(finding->detail), "answers come and go");
	return open->passes[i] == 0;
}

/* One round: each URL once. */
static void
probe_looks(struct sim *sim, int64_t id, int64_t b)
{
	struct sim_open *open = sim_server_find(sim, id);
	const struct effect_probe *probe;
	struct probed *probed;
	bool all = true, lost = false;

	(void)b;
	if (open == NULL)
		return;
	probe = &open->effect->u.probe;
	probed = &open->effect->result->u.probed;
	if (probe->plan.deadline_s > 0 && sim->now >= open->until) {
		if (open->is_restless)
			sim_note(sim, SIM_PROBE_RESTLESS);
		report_probe(sim, open, false);
		return;
	}
	for (size_t i = 0; i < probe->n; i++) {
		struct probe_finding *finding = &probed->findings[i];

		if (finding->is_healthy)
			continue;
		if (open->is_restless ? is_pass_of_the_restless(open, i, finding) :
					is_healthy(sim, &probe->targets[i], finding)) {
			open->failures[i] = 0;
			finding->is_healthy = ++open->passes[i] >= probe->plan.successes;
		} else {
			open->passes[i] = 0;
			finding->failures = ++open->failures[i];
			lost |= finding->failures >= probe->plan.failures;
		}
		all &= finding->is_healthy;
	}
	if (all || lost)
		report_probe(sim, open, all);
	else
		sim_later(sim, sim->life, probe->plan.interval_s * 1000, probe_looks, id, 0);
}

void
sim_run_probe(struct sim *sim, struct sim_open *open)
{
	struct effect *effect = open->effect;
	struct probed *probed = &effect->result->u.probed;

	probed->n = effect->u.probe.n;
	probed->findings = calloc(probed->n + 1, sizeof(*probed->findings));
	assert(probed->findings != NULL);
	open->is_restless = effect->u.probe.run != 0 && !sim->is_resting && sim_one_in(sim, 8);
	open->until = effect->u.probe.plan.until;
	sim_later(sim, sim->life, sim_delay(sim, 5, 2000), probe_looks, effect->id, 0);
}
