/* decide_shown.c - what a question showed, and what is: asked, compared at the press and at the turn.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/question/decide_shown.h"

#include <stdarg.h>
#include <stdio.h>

#include "decide/who/decide_agent.h"
#include "decide/work/decide_action.h"
#include "decide/queue/decide_barrier.h"
#include "decide/queue/decide_binding.h"
#include "decide/queue/decide_ci.h"
#include "decide/work/decide_deployment.h"
#include "decide/queue/decide_opa.h"
#include "decide/queue/decide_previous.h"
#include "decide/decide_reply.h"
#include "decide/work/decide_promotion.h"
#include "decide/work/decide_zone.h"
#include "lib/text.h"
#include "store/row_block.h"
#include "store/row_environment.h"
#include "store/row_question.h"

/* Nobody is asked about what cannot start.  What is known may be old: GitHub is asked, for who
 * tries again. */
static bool
is_refused_by_ci(struct tx *tx, struct deployment *deployment)
{
	char said[LIMIT_LINE];

	if (decide_ci(tx, deployment, said) != DECIDE_CI_FAILED)
		return false;
	deployment->why = DEPLOY_WHY_CI;
	text_set(deployment->detail, said);
	(void)decide_step(tx, deployment, DEPLOY_ON_REFUSE, NULL);
	decide_ci_ask(tx, deployment, tx->at);
	return true;
}

void
decide_ask(struct tx *tx, struct deployment *deployment, const struct git_answer *answer)
{
	struct environment environment;

	if (is_refused_by_ci(tx, deployment) || decide_opa_first(tx, deployment, answer, true))
		return;
	row_environment_get(tx, deployment->environment, &environment);
	decide_bind_question(tx, deployment, &environment, answer);
	deployment->is_again = deployment->program == PROGRAM_DEPLOY &&
	    deployment_runs_already(deployment, &environment);
	if (decide_is_past_unshown(tx, deployment))
		deployment->is_past_barrier = true; /* this one says so */
	(void)decide_step(tx, deployment, DEPLOY_ON_ASK, answer);
}

/* --- what it showed, and what is --- */

static void add_difference(char line[LIMIT_LINE], const char *fmt, ...) PRINTF(2, 3);

/* Cut between characters. */
static void
add_difference(char line[LIMIT_LINE], const char *fmt, ...)
{
	size_t used = strlen(line);
	char more[2 * LIMIT_LINE];
	va_list args;

	if (used > 0 && used + 2 < LIMIT_LINE) {
		memcpy(line + used, "; ", 3);
		used += 2;
	}
	va_start(args, fmt);
	(void)vsnprintf(more, sizeof(more), fmt, args);
	va_end(args);
	(void)text_copy(line + used, LIMIT_LINE - used, more);
}

void
decide_compare_blocks(struct tx *tx, const struct deployment *deployment, char line[LIMIT_LINE])
{
	struct block block;

	if (!row_block_find_unshown(tx, deployment, &block))
		return;
	if (strcmp(block.commit, deployment->commit) == 0) {
		add_difference(line, "it was blocked meanwhile");
		return;
	}
	add_difference(line, "%s %s, %s meanwhile%s%.100s%s",
	    block.is_unsure ? "may contain" : "contains", commit_name_here(COMMIT_OF(&block)),
	    block.by[0] != '\0' ? "rolled back" : "failed", block.why[0] != '\0' ? " (" : "",
	    block.why, block.why[0] != '\0' ? ")" : "");
}

/* What it is to flee was fled meanwhile, by a rollback that it has waited for: the same is live as
 * was shown.  One that failed is no difference. */
static void
compare_rollbacks(struct tx *tx, const struct deployment *rollback, int64_t shown_at,
    const struct environment *environment, char line[LIMIT_LINE])
{
	struct deployment ended;

	row_deployment_last_rollback(tx, rollback->environment, shown_at + 1, &ended);
	if (shown_at != 0 && !environment_is_in_doubt(environment) &&
	    ended.state == DEPLOY_ROLLED_BACK && line[0] == '\0')
		add_difference(line, "%s runs %s again: #%lld was rolled back meanwhile",
		    rollback->environment, commit_name_here(COMMIT_OF(&environment->current)),
		    (long long)ended.id);
}

/* Over what it was shown. */
static void
compare_live(struct tx *tx, const struct deployment *deployment, const struct question *shown,
    const char *live, char line[LIMIT_LINE])
{
	const char *where = deployment->environment, *was = shown->shown_live;
	enum commit_source now;

	if (strcmp(live, was) == 0)
		return;
	now = row_release_source(tx, where, live);
	if (deployment_is_gate(deployment))
		add_difference(
		    line, "%s has gone to %s meanwhile", commit_name_here(now, live), where);
	else if (was[0] == '\0')
		add_difference(line, "%s runs %s now", where, commit_name_here(now, live));
	else
		add_difference(line, "%s runs %s now, not %s", where, commit_name_here(now, live),
		    commit_name_here(row_release_source(tx, where, was), was));
}

static void
compare_releases(struct tx *tx, const struct deployment *deployment, const struct question *shown,
    const struct environment *environment, char line[LIMIT_LINE])
{
	const char *live = environment->current.commit;
	struct release now;

	compare_live(tx, deployment, shown, live, line);
	if (deployment_is_rollback(deployment)) {
		compare_rollbacks(tx, deployment, shown->shown_at, environment, line);
		return;
	}
	now = decide_previous(tx, deployment);
	if (strcmp(now.commit, deployment->previous) != 0 && strcmp(now.commit, live) != 0)
		add_difference(line, "the release to roll back to is %s now",
		    now.commit[0] != '\0' ? commit_name_here(COMMIT_OF(&now)) : "none");
	decide_compare_blocks(tx, deployment, line);
}

#define WORDS_SHOWN 60 /* bytes of each */

/* "web.service on h → api.service on h": from the first word that is another. */
static void
add_words_changed(char line[LIMIT_LINE], const char *before, const char *now)
{
	size_t same = 0, old, new;

	for (size_t i = 0; before[i] == now[i] && now[i] != '\0'; i++)
		same = now[i] == ' ' ? i + 1 : same;
	old = text_cut(before + same, strlen(before + same), WORDS_SHOWN);
	new = text_cut(now + same, strlen(now + same), WORDS_SHOWN);
	add_difference(line, "%.*s%s → %.*s%s", (int)old, before + same,
	    before[same + old] != '\0' ? "…" : "", (int)new, now + same,
	    now[same + new] != '\0' ? "…" : "");
}

static void
add_what_it_touches(
    struct tx *tx, const struct deployment *job, const char *shown, char line[LIMIT_LINE])
{
	char touches[DECIDE_TOUCHES], now[LIMIT_LINE];

	text_set(now, decide_action_touches(tx, job, touches));
	if (shown[0] != '\0' && now[0] != '\0' && strcmp(shown, now) != 0)
		add_words_changed(line, shown, now);
}

/* What differs of such an action are units that its host has. */
static bool
is_of_agent(const struct tx *tx, const struct deployment *work)
{
	return peer_of_host(decide_agent_runner(tx, work)) != NULL;
}

/* What a job runs in is what was shown; of other actions nothing that is live is. */
static void
compare_action(struct tx *tx, const struct deployment *job, const struct question *shown,
    const struct environment *environment, char line[LIMIT_LINE])
{
	const struct action_row action = row_action_get(tx, job->id);
	const char *live = environment->current.commit;
	char names[LIMIT_LINE / 2];

	if (decide_action_differs(tx, job, &action, shown, names)) {
		add_difference(line, "the %s of %s changed%s%s",
		    is_of_agent(tx, job) ? "units" : "settings", deployment_target_here(job),
		    names[0] != '\0' ? ": " : "", names);
		add_what_it_touches(tx, job, action.shown_touches, line);
	}
	if (job->commit[0] != '\0' && !deployment_is_gate(job) &&
	    (strcmp(live, job->commit) != 0 || strcmp(environment->current.image, job->image) != 0))
		add_difference(line, "%s runs %s now, not %s", job->environment,
		    commit_name_here(COMMIT_OF(&environment->current)),
		    commit_name_here(COMMIT_OF(job)));
}

static void
compare_branch(
    const struct deployment *deployment, const struct git_answer *answer, char line[LIMIT_LINE])
{
	if (answer->error[0] != '\0')
		add_difference(line, "git no longer has it (%.100s)", answer->error);
	else if (answer->branch[0] != '\0' && !answer->in_branch && !deployment->is_off_branch)
		add_difference(line, "%.60s was force-pushed and no longer has it", answer->branch);
}

bool
decide_has_left(const struct deployment *work, const struct git_answer *answer)
{
	return answer != NULL && answer->error[0] == '\0' && answer->branch[0] != '\0' &&
	    !answer->in_branch && !work->is_off_branch && !deployment_is_rollback(work);
}

void
decide_note_left(struct deployment *work, const struct git_answer *answer, char line[LIMIT_LINE])
{
	if (!decide_has_left(work, answer))
		return;
	compare_branch(work, answer, line);
	work->is_off_branch = true;
	work->is_force_push = answer->forced;
}

/* CI may be done meanwhile: that is no difference.  Nor is what the registry calls by the commit of
 * what was live elsewhere. */
static void
compare_image(const char *shown, const struct git_answer *answer, char line[LIMIT_LINE])
{
	if (!git_image_is_digest(shown) || answer->image[0] == '\0' ||
	    strcmp(answer->image, shown) == 0)
		return;
	if (git_image_is_digest(answer->image))
		add_difference(line, "the registry has %.19s of this commit now, not %.19s",
		    answer->image, shown);
	else if (strcmp(answer->image, GIT_IMAGE_NONE) == 0)
		add_difference(line, "the registry no longer has %.19s", shown);
}

/* answer: NULL where git was not asked. */
static void
compare_what_ships(struct tx *tx, const struct deployment *work, const char *shown,
    const struct git_answer *answer, char line[LIMIT_LINE])
{
	char now[LIMIT_LINE];
	const char *changed = decide_promotion_changed(tx, work, now);

	if (changed != NULL && changed[0] != '\0')
		add_difference(line, "%s", changed);
	else if (changed == NULL && answer != NULL)
		compare_image(shown, answer, line);
}

void
decide_compare(struct tx *tx, const struct deployment *deployment, const struct git_answer *answer,
    char ret[LIMIT_LINE])
{
	struct environment environment;
	struct question shown;
	char names[LIMIT_LINE / 2], warning[LIMIT_LINE], base[LIMIT_COMMIT];

	row_environment_get(tx, deployment->environment, &environment);
	row_question_get(tx, deployment->id, &shown);
	ret[0] = '\0';
	if (deployment_is_action(deployment))
		compare_action(tx, deployment, &shown, &environment, ret);
	if (deployment_is_gate(deployment)) {
		compare_live(
		    tx, deployment, &shown, decide_live(tx, deployment, &environment, base), ret);
		decide_compare_blocks(tx, deployment, ret);
	} else if (!deployment_is_action(deployment) &&
	    settings_environment(tx->settings, deployment->environment) != NULL) {
		compare_releases(tx, deployment, &shown, &environment, ret);
	}
	if (answer != NULL)
		compare_branch(deployment, answer, ret);
	compare_what_ships(tx, deployment, shown.shown_image, answer, ret);
	if ((ret[0] == '\0' || !is_of_agent(tx, deployment)) && /* it is said already */
	    decide_binding_differs(
		tx, deployment, &shown, answer != NULL ? answer->binding : NULL, names))
		add_difference(ret, "the settings changed since it was approved: %s", names);
	if (decide_zone_is_news(tx, deployment, warning))
		add_difference(ret, "%s", warning);
}

bool
decide_is_overtaken(
    struct tx *tx, const struct deployment *work, const struct environment *environment)
{
	struct question shown;

	return deployment_is_rollback(work) && deployment_runs_already(work, environment) &&
	    strcmp(row_question_get(tx, work->id, &shown)->shown_live, work->commit) != 0;
}

void
decide_note_newer(struct deployment *deployment, const struct git_answer *answer)
{
	if (answer->branch_commit[0] != '\0' && strcmp(deployment->ref, answer->branch) == 0 &&
	    strcmp(answer->branch_commit, deployment->commit) != 0)
		text_setf(deployment->note, "%.100s has moved on to %.7s", deployment->ref,
		    answer->branch_commit);
}

/* --- asked anew --- */

void
decide_ask_anew(struct tx *tx, struct deployment *deployment, const char *changed,
    const struct git_answer *answer)
{
	decide_audit_request(tx, deployment, deployment->confirmed_by,
	    deployment_is_action(deployment) ? AUDIT_CODE_ACTION_REQUESTED :
					       AUDIT_CODE_DEPLOY_REQUESTED,
	    "asked anew", (const char *const[]){ "reason", changed, NULL });
	text_set(deployment->changed, changed);
	deployment->confirmed_by = 0;
	deployment->confirmer[0] = '\0';
	decide_set_previous(tx, deployment);
	if (deployment_is_rollback(deployment))
		decide_set_direction(tx, deployment);
	if (deployment_is_action(deployment))
		decide_action_bind(tx, deployment, NULL);
	if (deployment_is_action(deployment) && deployment->commit[0] != '\0')
		(void)decide_bind_job(tx, deployment); /* what is not live is refused at its turn */
	if (answer != NULL && deployment->source == SOURCE_GIT) {
		deployment->is_force_push = answer->forced;
		deployment->is_off_branch = answer->branch[0] != '\0' && !answer->in_branch;
	}
	decide_ask(tx, deployment, answer);
}
