/* decide_action.c - what an action is bound to: settings that have it, what it touches, a release.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/work/decide_action.h"

#include <stdio.h>

#include "decide/queue/decide_binding.h"
#include "decide/who/decide_agent.h"
#include "decide/work/decide_executor.h"
#include "decide/work/decide_playbook.h"
#include "lib/buf.h"
#include "lib/fingerprint.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "store/row_environment.h"
#include "store/row_question.h"
#include "types/peers.h"

#define BINDING_MOST 16384 /* bytes: more than a member's settings may have */

const char *
decide_action_refusal(
    const struct tx *tx, const struct client_settings *client, const struct action *action)
{
	if (client == NULL)
		return "there is no such client";
	if ((client->actions & action_bit(action)) == 0)
		return "it is none of CLIENT_<ID>_ACTIONS there";
	return settings_environment(tx->settings, client->target) == NULL ?
	    "its environment is not in the settings" :
	    NULL;
}

bool
decide_action_exists(struct tx *tx, const struct deployment *work)
{
	const struct decide_executor *executor = decide_executor_of(work->action);
	const struct action *action = action_row_of(work->action);
	const struct client_settings *client;

	if (!deployment_is_action(work))
		return true;
	if (action == NULL)
		return false; /* of a later version */
	if (executor != NULL && executor->exists != NULL)
		return executor->exists(tx, work);
	if (work->client[0] == '\0')
		return settings_member_line(
			   tx->settings, work->environment, FAMILY_JOB, work->argument) != NULL;
	client = settings_client(tx->settings, work->client);
	return decide_action_refusal(tx, client, action) == NULL &&
	    (action->argument != ACTION_TAKES_PLAYBOOK ||
		decide_playbook_line(tx, work->argument) != NULL) &&
	    strcmp(client->target, work->environment) == 0;
}

/* The name of the agent that has it; NULL: none has. */
static const char *
agent_of(const struct tx *tx, const struct deployment *work)
{
	return peer_of_host(decide_agent_runner(tx, work));
}

/* Values, and not files alone: a setting of the process counts as well. */
static void
binding_of(struct tx *tx, const struct deployment *work, char out[LIMIT_BINDING])
{
	const struct decide_executor *executor = decide_executor_of(work->action);
	const char *id = work->client[0] != '\0' ? work->client : work->argument;
	const char *agent = agent_of(tx, work);
	char list[LIMIT_MANIFEST];
	CLEANUP(buf_done) struct buf all = buf_make(BINDING_MOST);

	settings_list_member(
	    work->client[0] != '\0' ? tx->settings : settings_of(tx->settings, work->environment),
	    work->client[0] != '\0' ? FAMILY_CLIENT : FAMILY_JOB, id, &all);
	if (executor != NULL && executor->bind != NULL)
		executor->bind(tx, work, &all);
	if (decide_is_playbook(work))
		decide_playbook_bind(tx, work, &all);
	if (agent != NULL)
		buf_adds(&all, decide_agent_list(tx, agent, list));
	(void)fingerprint_digest(buf_text(&all), out);
}

/* What the runner makes of the files, too, or an agent says; false: no file was read, it said
 * nothing, or it does not fit. */
static bool
list_of(struct tx *tx, const struct deployment *work, char ret[FINGERPRINT_LIST_MAX])
{
	const struct client_settings *client = settings_client(tx->settings, work->client);
	const struct environment_settings *environment =
	    settings_environment(tx->settings, work->environment);
	const char *words =
	    settings_member_line(tx->settings, work->environment, FAMILY_JOB, work->argument);

	if (client != NULL && decide_is_playbook(work))
		return decide_playbook_list(tx, work, client, ret);
	if (agent_of(tx, work) != NULL)
		return decide_agent_list(tx, agent_of(tx, work), ret)[0] != '\0';
	if (client != NULL)
		return client->as.fingerprint != NULL &&
		    text_copy(ret, FINGERPRINT_LIST_MAX, client->as.fingerprint);
	if (environment == NULL || environment->fingerprint == NULL || words == NULL ||
	    decide_executor_of(work->action) != NULL)
		return false;
	return text_copy(ret, FINGERPRINT_LIST_MAX, environment->fingerprint) &&
	    fingerprint_add_line(ret, "JOB_<NAME>", work->argument, words, NULL);
}

/* Where the runner has found another one, that is what is shown. */
static void
bind_list(struct tx *tx, struct deployment *work)
{
	struct question question;
	char list[FINGERPRINT_LIST_MAX];

	row_question_get(tx, work->id, &question);
	if (question.differing[0] != '\0' || !list_of(tx, work, list))
		return;
	decide_bind(tx, work, &question, list);
	row_question_set(tx, work->id, &question);
}

bool
decide_action_differs(struct tx *tx, const struct deployment *work, const struct action_row *action,
    const struct question *shown, char ret_names[LIMIT_LINE / 2])
{
	char now[LIMIT_BINDING], list[FINGERPRINT_LIST_MAX];

	ret_names[0] = '\0';
	binding_of(tx, work, now);
	if (strcmp(action->shown_settings, now) == 0)
		return false;
	if (list_of(tx, work, list))
		(void)decide_binding_differs(tx, work, shown, list, ret_names);
	return true;
}

/* --- shown --- */

static const char *
text_or(const char *text, const char *other)
{
	return text != NULL ? text : other;
}

/* Of a command its program without the folder that it stands in: whoever reads the question may be
 * nobody who knows the server. */
static const char *
command_or(const char *command, const char *other)
{
	size_t size = command != NULL ? strcspn(command, " ") : 0;

	while (size > 0 && command[size - 1] != '/')
		size--;
	return text_or(command != NULL ? command + size : NULL, other);
}

/* On a host: what is done to what. */
static void
say_on_host(const struct tx *tx, const struct client_settings *client, const struct action *action,
    char out[LIMIT_LINE])
{
	const char *unit = text_or(client->web_unit, "?");
	const char *dir = client->compose_dir;

	switch ((enum action_what)(action - action_table)) {
	case ACTION_SERVICE_STATUS:
	case ACTION_RESTART_WEB:
		(void)snprintf(out, LIMIT_LINE, "%s %.80s%s%.80s",
		    action->risk == ACTION_RISK_READ ? "look at" : "restart", unit,
		    dir != NULL ? " of " : "", text_or(dir, ""));
		break;
	case ACTION_RELOAD_NGINX:
		(void)snprintf(out, LIMIT_LINE, "run %.160s",
		    command_or(settings_text(tx->settings, SETTING_NGINX_RELOAD_COMMAND), "?"));
		break;
	case ACTION_CLEAR_CACHE:
		(void)snprintf(
		    out, LIMIT_LINE, "run %.160s", command_or(client->cache_command, "?"));
		break;
	default:
		(void)snprintf(out, LIMIT_LINE, "look at the disks");
		break;
	}
}

static void
say_on_client(struct tx *tx, const struct client_settings *client, const struct action *action,
    const char *argument, char out[DECIDE_TOUCHES])
{
	bool has_name = strcmp(client->name, client->id) != 0;
	const char *agent = decide_agent_of(client, action);
	const char *host = agent != NULL ? agent : text_or(client->host, "?"); /* none is needed */
	char what[LIMIT_LINE];

	if (action->executor == ACTION_BY_CLOUDFLARE)
		text_setf(what, "Cloudflare's zone %.32s (%.100s)%s%.16s%s",
		    text_or(client->cloudflare_zone, "?"),
		    text_or(client->cloudflare_domain, "its domain is not set"),
		    argument[0] == '\0'				 ? "" :
			action->argument == ACTION_TAKES_MINUTES ? ", for " :
								   ", to ",
		    argument, action->argument == ACTION_TAKES_MINUTES ? " minutes" : "");
	else if (agent != NULL)
		(void)decide_agent_touches(tx, agent, action, what);
	else
		say_on_host(tx, client, action, what);
	(void)snprintf(out, DECIDE_TOUCHES, "%.60s%s%.250s%s%.120s", has_name ? client->name : "",
	    has_name ? ": " : "", what,
	    action->executor == ACTION_BY_CLOUDFLARE ? "" :
		strcmp(host, "local") == 0	     ? " on deploybot's server" :
						       " on ",
	    action->executor == ACTION_BY_CLOUDFLARE || strcmp(host, "local") == 0 ? "" : host);
}

const char *
decide_action_touches(struct tx *tx, const struct deployment *work, char out[DECIDE_TOUCHES])
{
	const struct action *action =
	    deployment_is_action(work) ? action_row_of(work->action) : NULL;
	const struct decide_executor *executor = decide_executor_of(work->action);
	const struct client_settings *client = settings_client(tx->settings, work->client);
	const char *words;

	out[0] = '\0';
	if (action == NULL)
		return out;
	words = settings_member_line(tx->settings, work->environment, FAMILY_JOB, work->argument);
	if (executor != NULL && executor->touches != NULL)
		executor->touches(tx, work, out);
	else if (client != NULL && decide_is_playbook(work))
		decide_playbook_touches(tx, work, client, out);
	else if (client != NULL)
		say_on_client(tx, client, action, work->argument, out);
	else if (work->client[0] == '\0' && words != NULL)
		(void)snprintf(out, DECIDE_TOUCHES, "run: %.400s", words);
	return out;
}

const char *
decide_action_host_executor(const struct client_settings *client)
{
	if (peer_of_host(client->host) != NULL)
		return "agent";
	return strcmp(client->host, "local") == 0 ? "local" : "ssh";
}

/* CLIENT_<ID>_HOST may be of another kind than when it was asked for. */
static void
set_executor(const struct tx *tx, const struct deployment *work, struct action_row *action)
{
	const struct client_settings *client = settings_client(tx->settings, work->client);
	const struct action *of = action_row_of(work->action);

	if (client != NULL && client->host != NULL && of != NULL && of->executor == ACTION_BY_HOST)
		text_set(action->executor, decide_action_host_executor(client));
}

void
decide_action_bind(struct tx *tx, struct deployment *work, const struct action_row *begun)
{
	struct action_row action = begun != NULL ? *begun : row_action_get(tx, work->id);
	char touches[DECIDE_TOUCHES];

	set_executor(tx, work, &action);
	binding_of(tx, work, action.shown_settings);
	bind_list(tx, work);
	(void)text_copy(action.shown_touches, LIMIT_LINE, decide_action_touches(tx, work, touches));
	row_action_set(tx, work->id, &action);
}

bool
decide_bind_job(struct tx *tx, struct deployment *job)
{
	struct environment environment;

	if (deployment_is_gate(job))
		return true; /* that of whoever asks */
	row_environment_get(tx, job->environment, &environment);
	job->source = environment.current.source;
	text_set(job->commit, environment.current.commit);
	text_set(job->image, environment.current.image);
	return environment.current.id != 0;
}

struct settings_claims *
decide_claims(struct tx *tx, const struct deployment *work)
{
	const struct client_settings *client =
	    work->client[0] != '\0' ? settings_client(tx->settings, work->client) : NULL;

	if (deployment_is_loan(work)) /* it touches nothing */
		return mem_new(1, sizeof(struct settings_claims));
	if (deployment_is_pipeline(work))
		return settings_claims_pipeline(work->environment, work->argument);
	return client != NULL ? settings_claims_client(tx->settings, client) :
				settings_claims(tx->settings, work->environment);
}

const char *
decide_claims_rows(struct tx *tx, const struct deployment *work)
{
	const struct client_settings *client =
	    work->client[0] != '\0' ? settings_client(tx->settings, work->client) : NULL;
	const char *target = client != NULL ? client->target : work->environment;

	if (deployment_is_loan(work) || deployment_is_pipeline(work) ||
	    !settings_claims_are_rows(tx->settings, target))
		return NULL;
	return target;
}
