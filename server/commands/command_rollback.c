/* command_rollback.c - /rollback <environment> [release]: shows from → to, asks with one button.  Side: store. */
/* SPDX-License-Identifier: ISC */

#include <stdio.h>

#include "commands/commands.h"
#include "decide/decide_deployment.h"
#include "decide/decide_queue.h"
#include "decide/decide_reply.h"
#include "decide/decide_shown.h"
#include "decide/decide_where.h"
#include "lib/text.h"
#include "store/row_deployment.h"
#include "store/row_environment.h"

#define RELEASES_SHOWN 8

/* For so long a number may be meant as it was before releases were counted for each environment. */
#define RENUMBERED_MS (90 * 24 * 3600 * INT64_C(1000))

static void
add_release(struct chat_text *text, const struct release *release, int64_t at)
{
	chat_text_add(text, "\n• " MARK_CODE "%lld" MARK_CODE " ", (long long)release->number);
	chat_text_commit(text, "", release->commit);
	chat_text_outside(text, " ", release->subject);
	chat_text_ago(text, ", ", release->at, at);
	if (release->left_by != 0)
		chat_text_add(text, ", rolled back");
}

static void
say_possible(struct tx *tx, const struct update *update, const struct environment *environment,
    const char *wanted)
{
	struct release releases[RELEASES_SHOWN];
	size_t n = row_release_list(tx, environment->name, releases, RELEASES_SHOWN);
	struct chat_text text;

	chat_text_init(&text);
	if (wanted[0] != '\0') {
		chat_text_add(&text, "%s has no release ", environment->name);
		chat_text_code(&text, "", wanted);
		chat_text_add(&text, ".");
	} else {
		chat_text_add(
		    &text, "%s has no earlier release to roll back to.", environment->name);
		if (environment->current.id != 0)
			chat_text_add(&text,
			    " It runs release %lld, the oldest that was not rolled back.",
			    (long long)environment->current.number);
	}
	if (n > 0)
		chat_text_add(&text, " There are:");
	for (size_t i = 0; i < n; i++)
		add_release(&text, &releases[i], tx->at);
	(void)decide_send(tx, &update->address, &text);
}

/* False: the number meant another release until lately, and both were named. */
static bool
is_one_release(
    struct tx *tx, const struct update *update, const char *environment, const char *wanted)
{
	struct release before =
	    row_release_renumbered(tx, environment, wanted, tx->at - RENUMBERED_MS);
	struct release now = row_release_find(tx, environment, wanted);
	struct chat_text text;

	if (before.id == 0)
		return true;
	chat_text_init(&text);
	chat_text_add(&text, "🚫 Which release of %s is ", environment);
	chat_text_code(&text, "", wanted);
	chat_text_add(&text, "?");
	chat_text_ago(&text, " Since an upgrade ", before.renumbered_at, tx->at);
	chat_text_add(&text, " each environment counts its own.");
	if (now.id != 0) {
		chat_text_add(&text, "\nNow it is");
		add_release(&text, &now, tx->at);
	}
	chat_text_add(&text, "\nBefore it was what is now");
	add_release(&text, &before, tx->at);
	chat_text_add(
	    &text, "\nName its commit: " MARK_CODE "/rollback %s <commit>" MARK_CODE, environment);
	(void)decide_send(tx, &update->address, &text);
	return false;
}

static bool
is_in_doubt(const struct environment *environment)
{
	return environment->is_down || environment->unknown_since != 0;
}

/* Without a wish: the one before, or, when nobody knows what runs, the last that was healthy. */
static struct release
choose(struct tx *tx, const struct environment *environment, const char *wanted)
{
	if (wanted[0] != '\0')
		return row_release_find(tx, environment->name, wanted);
	return is_in_doubt(environment) ?
	    environment->current :
	    row_release_earlier(tx, environment->name, environment->current.commit);
}

static void
ask(struct tx *tx, const struct update *update, const struct environment *environment,
    const struct release *to)
{
	struct deployment deployment =
	    decide_requested(tx, update, PROGRAM_ROLLBACK, to->environment);
	char user[PRINCIPAL_TEXT], number[24];

	deployment.to_release = to->id;
	deployment.is_forward = to->origin > environment->current.origin;
	(void)text_copy(deployment.commit, sizeof(deployment.commit), to->commit);
	(void)text_copy(deployment.image, sizeof(deployment.image), to->image);
	(void)text_copy(deployment.ref, sizeof(deployment.ref), to->commit);
	(void)text_copy(deployment.subject, sizeof(deployment.subject), to->subject);
	row_deployment_add(tx, &deployment);
	tx->answer.work = deployment.id;
	(void)snprintf(number, sizeof(number), "%lld", (long long)to->number);
	decide_audit_request(tx, &deployment, decide_user(tx, update->person, user),
	    "deploy_requested", "requested",
	    (const char *const[]){ "trigger", "chat", "program", "rollback", "release", number,
		"name", update->name, NULL });
	decide_ask(tx, &deployment, NULL);
}

void
command_rollback(struct tx *tx, const struct update *update, const struct request *request)
{
	const struct environment_settings *settings =
	    decide_where(tx, update, POLICY_ROLLBACK, request);
	const char *name = settings != NULL ? settings->name : "";
	char value[LIMIT_REF];
	const char *wanted = request_get(request, "release", value);
	struct environment environment;
	struct release to;

	if (settings == NULL || decide_is_refused(tx, update, name) ||
	    decide_is_full(tx, update, name, PROGRAM_ROLLBACK) ||
	    !is_one_release(tx, update, name, wanted))
		return;
	environment = row_environment_get(tx, name);
	to = choose(tx, &environment, wanted);
	if (to.id == 0)
		say_possible(tx, update, &environment, wanted);
	else if (strcmp(to.commit, environment.current.commit) == 0 && !is_in_doubt(&environment))
		(void)decide_sendf(tx, &update->address,
		    "%s runs " MARK_CODE "%.7s" MARK_CODE " already.", name, to.commit);
	else
		ask(tx, update, &environment, &to);
}
