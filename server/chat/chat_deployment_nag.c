/* chat_deployment_nag.c - what is said until somebody has seen a rollback, or a pause; hosts that lag.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "chat/chat_deployment_inside.h"
#include "chat/chat_hosts.h"

#define UNSEEN ", nobody has seen it"

static void
nag_paused(struct chat_text *text, const struct chat_nag *nag)
{
	chat_first(text, FIRST_NAG_PAUSED, nag->work->environment);
	chat_text_duration(text, ", for ", nag->at - nag->bake->counted_at);
	chat_text_add(text, UNSEEN "\n");
	chat_deployment_commit(text, "", nag->work);
	chat_text_some(text, ", paused: ", nag->bake->why);
	chat_text_add(text, "\nIt serves, and is not live");
	chat_text_add(text, nag->is_last ? "\nThis is the last reminder." : "");
}

static void
nag_hosts(struct chat_text *text, const struct chat_nag *nag)
{
	const struct chat_waves *waves = nag->waves;
	int64_t more = waves->hosts.failed - (int64_t)waves->n_bad;

	chat_first(text, FIRST_NAG_HOSTS, nag->work->environment);
	chat_text_duration(text, ", for ", nag->at - nag->work->ended_at);
	chat_text_add(text, "\n");
	chat_deployment_commit(text, "", nag->work);
	chat_text_add(text, " is live, but these hosts failed:");
	for (size_t i = 0; i < waves->n_bad; i++)
		chat_host(text, "\n", &waves->bad[i]);
	if (more > 0)
		chat_text_add(text, "\nand %lld more", (long long)more);
	chat_text_add(text,
	    "\n" MARK_CODE "/deploy %s failed" MARK_CODE
	    " brings it there; the next deployment takes them along in its first wave",
	    nag->work->environment);
	chat_text_add(text, nag->is_last ? "\nThis is the last reminder." : "");
}

void
chat_deployment_nag(struct chat_text *text, const struct chat_nag *nag)
{
	const struct deployment *work = nag->work;
	const struct environment *environment = nag->environment;
	bool is_back = work->state == DEPLOY_ROLLED_BACK;
	bool is_sure = deployment_is_looked_down(work), is_well = deployment_is_looked_well(work);

	if (work->state == DEPLOY_PAUSED || work->state == DEPLOY_LIVE) {
		(work->state == DEPLOY_PAUSED ? nag_paused : nag_hosts)(text, nag);
		return;
	}
	chat_first(text,
	    deployment_is_back_to_itself(work) ? FIRST_NAG_AGAIN :
		!environment->is_down	       ? (is_back ? FIRST_NAG_BACK : FIRST_NAG_MIGRATION) :
		is_well			       ? FIRST_NAG_HEALTHY :
		is_sure			       ? FIRST_NAG_SURE :
						 FIRST_NAG_DOWN,
	    work->environment);
	if (environment->is_down && is_sure)
		chat_text_some(text, " on ", work->look.down_on);
	if (environment->is_down && is_well)
		chat_text_since(text, ", failed at ", nag->clock, work->ended_at, nag->at);
	else if (environment->is_down)
		chat_text_duration(text, ", for ", nag->at - work->ended_at);
	else
		chat_text_ago(text, " ", work->ended_at, nag->at);
	chat_text_add(text, UNSEEN);
	if (environment->is_down && work->look.at != 0)
		chat_text_since(text, ", last checked ", nag->clock, work->look.at, nag->at);
	chat_text_add(text, "\n");
	chat_deployment_commit(text, "", work);
	chat_deployment_why(text, ": ", work, "", WHY_BRIEF);
	chat_migration_stays(text, work);
	if (environment->is_down)
		chat_deployment_next_step(text, environment, nag->back, nag->runbook);
	else if (!environment_is_in_doubt(environment) && environment->current.id != 0)
		chat_text_named(text, "\nruns ", COMMIT_OF(&environment->current));
	chat_text_add(text, nag->is_last ? "\nThis is the last reminder." : "");
}

void
chat_deployment_nag_over(struct chat_text *text, const char *head)
{
	const char *unseen = strstr(head, UNSEEN);
	size_t size = unseen == NULL ? strlen(head) : (size_t)(unseen - head);

	chat_text_add(
	    text, "%.*s%s", (int)size, head, unseen == NULL ? "" : &unseen[sizeof(UNSEEN) - 1]);
}

void
chat_deployment_unseen(struct chat_text *text, const struct deployment *work, int64_t at)
{
	chat_text_add(text, "\n👀 nobody has seen yet that it ");
	if (deployment_is_back_to_itself(work))
		chat_text_named(text, "failed again with ", COMMIT_OF(work));
	else if (work->state == DEPLOY_ROLLED_BACK || work->state == DEPLOY_PAUSED)
		chat_text_named(text,
		    work->state == DEPLOY_PAUSED ? "is paused with " : "was rolled back from ",
		    COMMIT_OF(work));
	else
		chat_text_named(text,
		    work->target_changed ? "failed half-way with " : "failed in the migration of ",
		    COMMIT_OF(work));
	if (at != 0 && work->ended_at != 0)
		chat_text_ago(text, ", ", work->ended_at, at);
}
