/* decide_lacks.c - is a code of the second factor needed for this, and not given yet?  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/factor/decide_lacks.h"

#include "decide/factor/decide_factor_state_inside.h"
#include "lib/text.h"
#include "policy/policy.h"
#include "store/row_audit.h"
#include "store/row_environment.h"
#include "store/row_queue.h"

bool
decide_asks_before(struct tx *tx, const struct action *action, const char *environment)
{
	int64_t ids[ROW_QUEUE_LIST];

	/* Something may still be at work there: as before a deployment, a person looks first. */
	if (row_environment_get(tx, environment, &(struct environment){ 0 })->unknown_since != 0)
		return true;
	if (action->asks != ACTION_ASKS_BUSY)
		return action->asks == ACTION_ASKS_ALWAYS;
	return row_deployment_active(tx, environment, &(struct deployment){ 0 })->id != 0 ||
	    row_queue_list(tx, environment, ids) > 0;
}

/* The lock and queue of "client/acme" may be those of an environment. */
static const char *
place_of(const struct tx *tx, const char *target)
{
	const char *id = environment_client(target);
	const struct client_settings *client =
	    id == NULL ? NULL : settings_client(tx->settings, id);

	return client != NULL ? client->target : target;
}

/* A rollback of what bakes there is done at once; that of another release asks. */
static bool
ends_bake(struct tx *tx, const char *environment)
{
	struct deployment active;

	return request_text(tx->request, "release")[0] == '\0' &&
	    deployment_is_baking(row_deployment_active(tx, environment, &active));
}

/* What carries it out comes later: the answer to its question.  A no carries out nothing. */
static bool
is_only_asked(struct tx *tx, const struct update *update, enum policy_action action,
    const char *name, const char *environment)
{
	const struct environment_settings *settings =
	    settings_environment(tx->settings, environment);
	const struct action *what = action_find(name);
	const char *word = tx->request == NULL ? "" : tx->request->action;
	char answer[LIMIT_REF];

	/* Whoever asked for it with their code gives no second one; anybody else gives theirs. */
	if (strcmp(word, "confirm") == 0 && action == POLICY_EMERGENCY &&
	    row_audit_has_code(tx, request_number(tx->request, "work"), update->person))
		return true;
	if (strcmp(word, "confirm") == 0)
		return strcmp(request_get(tx->request, "answer", answer), "yes") != 0;
	return strcmp(word, "reject") == 0 || strcmp(word, "cancel") == 0 ||
	    (strcmp(word, "deploy") == 0 && action == POLICY_DEPLOY && settings != NULL &&
		settings->confirm) ||
	    (strcmp(word, "rollback") == 0 && action == POLICY_ROLLBACK &&
		!ends_bake(tx, environment)) ||
	    (strcmp(word, "do") == 0 && what != NULL &&
		decide_asks_before(tx, what, place_of(tx, environment)));
}

/* Of a yes for a loan the pad says what is given to whom: "shop/production, lending stripe to
 * @mona". */
static bool
names_loan(struct tx *tx, struct tx_factor *factor)
{
	struct deployment work;

	if (factor->work == 0)
		return false;
	row_deployment_get(tx, factor->work, &work);
	if (!deployment_is_loan(&work))
		return false;
	text_setf(factor->what, "%s, lending %s to %.80s", work.environment, work.argument,
	    FORGE_PERSON(work.requester)); /* cut is fine */
	return true;
}

bool
decide_lacks_factor_for(struct tx *tx, const struct update *update, const char *what)
{
	struct tx_factor *factor;

	if (tx->factor_of != 0 && tx->factor_of == update->person)
		return false;
	factor = decide_factor_state(tx);
	factor->is_wanted = true;
	if (!names_loan(tx, factor))
		text_setf(factor->what, "%s", what); /* cut is fine */
	return true;
}

static bool
lacks(struct tx *tx, const struct update *update, enum policy_action action, const char *name,
    const char *environment, const char *called)
{
	bool is_review = tx->request != NULL && strcmp(tx->request->action, "review") == 0;
	struct tx_factor *factor;
	char what[LIMIT_LINE];

	if (environment[0] == '\0' || strcmp(environment, POLICY_ALL) == 0 ||
	    !policy_needs_factor(tx->settings, action, name, environment))
		return false;
	factor = decide_factor_state(tx);
	factor->only_asks = is_only_asked(tx, update, action, name, environment);
	if (factor->only_asks)
		return false;
	text_setf(what, "%s %s", environment, is_review ? "review" : called);
	return decide_lacks_factor_for(tx, update, what);
}

bool
decide_lacks_factor(
    struct tx *tx, const struct update *update, enum policy_action action, const char *environment)
{
	return lacks(tx, update, action, "", environment, policy_action_word(action));
}

bool
decide_lacks_factor_called(struct tx *tx, const struct update *update, enum policy_action action,
    const char *environment, const char *what)
{
	return lacks(tx, update, action, "", environment, what);
}

bool
decide_lacks_factor_do(
    struct tx *tx, const struct update *update, const char *name, const char *target)
{
	return lacks(tx, update, POLICY_DO, name, target, name);
}

bool
decide_lacks_factor_secret(
    struct tx *tx, const struct update *update, const char *name, const char *target)
{
	char what[LIMIT_LINE];

	text_setf(what, "secret %s", name); /* it fits */
	return lacks(tx, update, POLICY_SECRET, name, target, what);
}

bool
decide_lacks_factor_of_work(
    struct tx *tx, const struct update *update, const struct deployment *work)
{
	enum policy_action grant = deployment_grant(work);
	bool is_action = grant == POLICY_DO;
	char target[LIMIT_ENVIRONMENT];

	if (deployment_is_loan(work))
		return decide_lacks_factor_secret(
		    tx, update, work->argument, deployment_target(work, target));
	return lacks(tx, update, grant, is_action ? work->action : "",
	    deployment_target(work, target), is_action ? work->action : policy_action_word(grant));
}
