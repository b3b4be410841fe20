/* chat_deployment_waves.c - on how many hosts a deployment in waves is, and which of them failed.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "chat/chat_deployment_bake.h"
#include "chat/chat_deployment_inside.h"
#include "lib/text.h"

bool
chat_deployment_is_to_hosts(const struct chat_deployment *about)
{
	return about->waves != NULL && about->promotion != NULL &&
	    promotion_is_own(about->promotion, about->deployment->environment);
}

struct host_share
chat_deployment_share(const struct chat_deployment *about, const char *commit)
{
	return about->waves != NULL ? chat_host_share(&about->waves->runs, commit) :
				      (struct host_share){ 0 };
}

static void
add_live(struct chat_text *text, const struct chat_deployment *about)
{
	const struct host_counts *hosts = &about->waves->hosts;
	struct host_share now = chat_deployment_share(about, about->deployment->commit);

	if (!chat_deployment_is_to_hosts(about))
		chat_text_add(text, "\nlive on %lld of %lld hosts", (long long)hosts->current,
		    (long long)hosts->all);
	else
		chat_text_add(
		    text, "\n%lld of all %lld hosts run it", (long long)now.n, (long long)now.all);
}

static void
add_bad(struct chat_text *text, const struct chat_waves *waves)
{
	const struct host_counts *hosts = &waves->hosts;
	int64_t n = hosts->failed + hosts->unknown + hosts->left + hosts->ended;

	for (size_t i = 0; i < waves->n_bad; i++) {
		chat_host(text, "\n", &waves->bad[i]);
		if (waves->bad[i].state == HOST_IS_TOUCHED) /* no run is there that could end it */
			chat_text_add(text, "; cut in the middle of its switch");
	}
	if (n > (int64_t)waves->n_bad && waves->n_bad == HOSTS_BAD_SHOWN)
		chat_text_add(text, "\nand %lld more", (long long)(n - (int64_t)waves->n_bad));
}

void
chat_deployment_wave(
    struct chat_text *text, const struct deployment *work, const struct host_counts *hosts)
{
	if (work->waves == 1)
		chat_text_add(
		    text, "\n%lld of %lld hosts", (long long)hosts->current, (long long)hosts->all);
	else if (work->waves > 1)
		chat_text_add(text, "\nwave %d of %d: %lld of its %lld hosts, %lld of all %lld",
		    work->wave, work->waves, (long long)hosts->current_of_wave,
		    (long long)hosts->of_wave, (long long)hosts->current, (long long)hosts->all);
}

void
chat_deployment_waves(struct chat_text *text, const struct chat_deployment *about)
{
	const struct deployment *deployment = about->deployment;
	const struct host_counts *hosts;

	if (about->waves == NULL)
		return;
	hosts = &about->waves->hosts;
	switch (deployment->state) {
	case DEPLOY_ROLLING_BACK:
	case DEPLOY_VERIFYING_ROLLBACK:
	case DEPLOY_ROLLED_BACK:
	case DEPLOY_ROLLBACK_FAILED:
		chat_text_add(text, "\n%lld of %lld touched hosts are rolled back",
		    (long long)hosts->current, (long long)hosts->touched);
		break;
	case DEPLOY_LIVE:
		add_live(text, about);
		break;
	default:
		chat_deployment_wave(text, deployment, hosts);
		break;
	}
	if (deployment->state == DEPLOY_BAKING && strcmp(deployment->waits_for, "slot") == 0)
		chat_text_add(text, "; the next one waits for a slot (RUNS_MAX)");
	if (hosts->failed > 0)
		chat_text_add(text, ", %lld failed", (long long)hosts->failed);
	add_bad(text, about->waves);
	if (deployment->state == DEPLOY_LIVE && hosts->failed + hosts->unknown > 0)
		chat_text_add(text, "\n" MARK_CODE "/deploy %s failed" MARK_CODE " brings it there",
		    deployment->environment);
}
