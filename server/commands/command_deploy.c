/* command_deploy.c - /deploy <environment> [ref]: role, room in the queue, then git is asked.  Side: store. */
/* SPDX-License-Identifier: ISC */

#include "commands/commands.h"
#include "decide/decide_deployment.h"
#include "decide/decide_hold.h"
#include "decide/decide_queue.h"
#include "decide/decide_reply.h"
#include "decide/decide_tell.h"
#include "decide/decide_where.h"
#include "lib/text.h"
#include "store/row_deployment.h"

/* One person's deployments that have not ended: more is a mistake or a game. */
#define OPEN_REQUESTS_MAX 10
#define GIT_QUERIES_MAX	  3 /* of one person: pushes and others are looked up beside these */

/* What can be said without asking git; false: it was said. */
static bool
can_ask_git(struct tx *tx, const struct update *update, const struct environment_settings *settings,
    const char *ref)
{
	if (ref[0] == '\0' && settings->branch == NULL) {
		(void)decide_sendf(tx, &update->address,
		    "%s has no branch configured. Say what to deploy: " MARK_CODE
		    "/deploy %s <branch, tag or commit>" MARK_CODE,
		    settings->name, settings->name);
		return false;
	}
	if (ref[0] == '-') {
		(void)decide_sendf(tx, &update->address,
		    "A ref cannot begin with \"-\". It is a branch, a tag or a commit.");
		return false;
	}
	if (row_deployment_count_open(tx, update->person) >= OPEN_REQUESTS_MAX) {
		(void)decide_sendf(tx, &update->address,
		    "You have %d open requests: confirm or cancel some of them first.",
		    OPEN_REQUESTS_MAX);
		return false;
	}
	if (row_deployment_count_requested(tx, update->person) >= GIT_QUERIES_MAX) {
		(void)decide_sendf(tx, &update->address,
		    "⏳ Not asked: git has not answered your last %d requests yet. Try again then.",
		    GIT_QUERIES_MAX);
		return false;
	}
	return true;
}

static void
open_request(struct tx *tx, const struct update *update, const char *environment, const char *ref,
    const char *exception)
{
	struct deployment deployment = decide_requested(tx, update, PROGRAM_DEPLOY, environment);
	char user[PRINCIPAL_TEXT];

	(void)text_copy(deployment.ref, sizeof(deployment.ref), ref);
	(void)text_copy(deployment.exception, sizeof(deployment.exception), exception);
	row_deployment_add(tx, &deployment);
	tx->answer.work = deployment.id;
	decide_tell(tx, &deployment, NULL);
	row_deployment_save(tx, &deployment);
	decide_audit_request(tx, &deployment, decide_user(tx, update->person, user),
	    "deploy_requested", "requested",
	    (const char *const[]){ "trigger", "chat", "ref", ref, "name", update->name,
		exception[0] != '\0' ? "exception" : NULL, exception, NULL });
	decide_query_commit(tx, &deployment, deployment.ref, deployment.requester);
}

/* Where nothing is frozen there is nothing to except from. */
static bool
may_except(struct tx *tx, const struct update *update, const char *environment, char *exception)
{
	struct holds holds;

	decide_holds(tx, environment, &holds);
	if (!hold_has(&holds, HOLD_FREEZE))
		exception[0] = '\0';
	return exception[0] == '\0' || decide_may(tx, update, POLICY_FREEZE, environment);
}

void
command_deploy(struct tx *tx, const struct update *update, const struct request *request)
{
	const struct environment_settings *settings =
	    decide_where(tx, update, POLICY_DEPLOY, request);
	char value[LIMIT_REF], reason[LIMIT_REF];
	const char *ref = request_get(request, "ref", value);

	/* A reply to "frozen until …", or --reason on the machine; nothing typed in a chat. */
	(void)request_get(request, "exception", reason);
	if (settings == NULL || !may_except(tx, update, settings->name, reason) ||
	    !decide_may_now(tx, update, request, settings->name, reason[0] != '\0') ||
	    decide_is_refused(tx, update, settings->name) ||
	    decide_is_full(tx, update, settings->name, PROGRAM_DEPLOY) ||
	    !can_ask_git(tx, update, settings, ref))
		return;
	open_request(tx, update, settings->name, ref[0] != '\0' ? ref : settings->branch, reason);
}
