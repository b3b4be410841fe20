/* decide_shown.c - what a question showed, and what is: asked, compared at the press and at the turn.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/decide_shown.h"

#include <stdarg.h>
#include <stdio.h>

#include "decide/decide_deployment.h"
#include "decide/decide_reply.h"
#include "lib/text.h"
#include "store/row_block.h"
#include "store/row_environment.h"

static bool
is_blocked_now(struct tx *tx, const struct deployment *deployment)
{
	return row_block_find(tx, deployment->environment, deployment->commit, NULL);
}

void
decide_ask(struct tx *tx, struct deployment *deployment, const struct git_answer *answer)
{
	struct environment environment = row_environment_get(tx, deployment->environment);

	(void)text_copy(deployment->shown_live, LIMIT_COMMIT, environment.current.commit);
	deployment->shown_blocked = is_blocked_now(tx, deployment);
	deployment->is_again = decide_is_live(tx, deployment);
	(void)decide_step(tx, deployment, DEPLOY_ON_ASK, answer);
}

/* --- what it showed, and what is --- */

static void add_difference(char line[LIMIT_LINE], const char *fmt, ...) PRINTF(2, 3);

/* Cut is fine. */
static void
add_difference(char line[LIMIT_LINE], const char *fmt, ...)
{
	size_t used = strlen(line);
	va_list args;

	if (used > 0 && used + 2 < LIMIT_LINE) {
		memcpy(line + used, "; ", 3);
		used += 2;
	}
	va_start(args, fmt);
	(void)vsnprintf(line + used, LIMIT_LINE - used, fmt, args);
	va_end(args);
}

static void
compare_releases(struct tx *tx, const struct deployment *deployment,
    const struct environment *environment, char line[LIMIT_LINE])
{
	const char *live = environment->current.commit;
	struct deployment now = *deployment;

	if (strcmp(live, deployment->shown_live) != 0 && deployment->shown_live[0] == '\0')
		add_difference(line, "%s runs %.7s now", deployment->environment, live);
	else if (strcmp(live, deployment->shown_live) != 0)
		add_difference(line, "%s runs %.7s now, not %.7s", deployment->environment, live,
		    deployment->shown_live);
	if (deployment_is_rollback(deployment))
		return;
	decide_set_previous(tx, &now);
	if (strcmp(now.previous, deployment->previous) != 0 && strcmp(now.previous, live) != 0)
		add_difference(line, "the release to roll back to is %s%.7s now",
		    now.previous[0] != '\0' ? "" : "none", now.previous);
	if (is_blocked_now(tx, deployment) && !deployment->shown_blocked)
		add_difference(line, "it was rolled back meanwhile");
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

void
decide_compare(struct tx *tx, const struct deployment *deployment, const struct git_answer *answer,
    char ret[LIMIT_LINE])
{
	struct environment environment = row_environment_get(tx, deployment->environment);

	ret[0] = '\0';
	if (settings_environment(tx->settings, deployment->environment) != NULL)
		compare_releases(tx, deployment, &environment, ret);
	if (answer != NULL)
		compare_branch(deployment, answer, ret);
}

void
decide_note_newer(struct deployment *deployment, const struct git_answer *answer)
{
	if (answer->branch_commit[0] != '\0' && strcmp(deployment->ref, answer->branch) == 0 &&
	    strcmp(answer->branch_commit, deployment->commit) != 0)
		(void)snprintf(deployment->note, sizeof(deployment->note),
		    "%.100s has moved on to %.7s", deployment->ref, answer->branch_commit);
}

/* --- asked anew --- */

void
decide_ask_anew(struct tx *tx, struct deployment *deployment, const char *changed,
    const struct git_answer *answer)
{
	int64_t person =
	    deployment->confirmed_by != 0 ? deployment->confirmed_by : deployment->requested_by;
	char user[PRINCIPAL_TEXT];

	decide_audit_request(tx, deployment,
	    person != 0 ? decide_user(tx, person, user) : deployment->requester, "deploy_requested",
	    "asked anew", (const char *const[]){ "reason", changed, NULL });
	(void)text_copy(deployment->changed, sizeof(deployment->changed), changed);
	deployment->confirmed_by = 0;
	deployment->confirmer[0] = '\0';
	decide_set_previous(tx, deployment);
	if (answer != NULL) {
		deployment->is_force_push = answer->forced;
		deployment->is_off_branch = answer->branch[0] != '\0' && !answer->in_branch;
	}
	decide_ask(tx, deployment, answer);
}
