/* command_rollback.c - /rollback <environment> [release]: shows from → to, asks with one button.  Side: store. */
/* SPDX-License-Identifier: ISC */

#include "commands/commands.h"
#include "decide/decide_deployment.h"
#include "decide/decide_reply.h"
#include "lib/text.h"
#include "store/row_deployment.h"
#include "store/row_environment.h"

#define RELEASES_SHOWN 8

static void
say_possible(
    struct tx *tx, const struct update *update, const char *environment, const char *wanted)
{
	struct release releases[RELEASES_SHOWN];
	size_t n = row_release_list(tx, environment, releases, RELEASES_SHOWN);
	struct chat_text text;

	chat_text_init(&text);
	if (wanted[0] != '\0') {
		chat_text_add(&text, "%s has no release ", environment);
		chat_text_code(&text, "", wanted);
		chat_text_add(&text, ".");
	} else {
		chat_text_add(&text, "%s has no earlier release to roll back to.", environment);
	}
	if (n > 0)
		chat_text_add(&text, " There are:");
	for (size_t i = 0; i < n; i++) {
		chat_text_add(
		    &text, "\n• " MARK_CODE "%lld" MARK_CODE " ", (long long)releases[i].id);
		chat_text_commit(&text, "", releases[i].commit);
		chat_text_outside(&text, " ", releases[i].subject);
		chat_text_ago(&text, ", ", releases[i].at, tx->at);
	}
	(void)decide_send(tx, &update->address, &text);
}

/* The newest release of another commit: the same one may have been released twice. */
static struct release
earlier(struct tx *tx, const struct environment *environment)
{
	struct release releases[RELEASES_SHOWN];
	size_t n = row_release_list(tx, environment->name, releases, RELEASES_SHOWN);

	for (size_t i = 0; i < n; i++)
		if (strcmp(releases[i].commit, environment->current.commit) != 0)
			return releases[i];
	return (struct release){ 0 };
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
	return is_in_doubt(environment) ? environment->current : earlier(tx, environment);
}

static void
ask(struct tx *tx, const struct update *update, const struct release *to)
{
	struct deployment deployment = {
		.program = PROGRAM_ROLLBACK,
		.trigger = TRIGGER_CHAT,
		.state = DEPLOY_REQUESTED,
		.requested_by = update->person,
		.address = update->address,
		.requested_at = tx->at,
	};
	char user[32];

	(void)text_copy(deployment.environment, sizeof(deployment.environment), to->environment);
	(void)text_copy(deployment.commit, sizeof(deployment.commit), to->commit);
	(void)text_copy(deployment.image, sizeof(deployment.image), to->image);
	(void)text_copy(deployment.ref, sizeof(deployment.ref), to->commit);
	(void)text_copy(deployment.subject, sizeof(deployment.subject), to->subject);
	(void)text_copy(deployment.requester, sizeof(deployment.requester), update->name);
	deployment.message =
	    decide_sendf(tx, &update->address, "↩️ " MARK_BOLD "%s" MARK_BOLD, to->environment);
	row_deployment_add(tx, &deployment);
	decide_audit_request(tx, &deployment, decide_user(user, update->person), "deploy_requested",
	    "requested",
	    (const char *const[]){
		"trigger", "chat", "program", "rollback", "name", update->name, NULL });
	(void)decide_step(tx, &deployment, DEPLOY_ON_ASK, NULL);
}

void
command_rollback(struct tx *tx, const struct update *update, const struct chat_command *command)
{
	const char *name = command->argument[0];
	struct environment environment;
	struct release to;

	if (decide_where(tx, update, POLICY_ROLLBACK, name) == NULL)
		return;
	if (decide_is_refused(tx, update, name) || decide_is_busy(tx, update, name))
		return;
	environment = row_environment_get(tx, name);
	to = choose(tx, &environment, command->argument[1]);
	if (to.id == 0)
		say_possible(tx, update, name, command->argument[1]);
	else if (strcmp(to.commit, environment.current.commit) == 0 && !is_in_doubt(&environment))
		(void)decide_sendf(tx, &update->address,
		    "%s runs " MARK_CODE "%.7s" MARK_CODE " already.", name, to.commit);
	else
		ask(tx, update, &to);
}
