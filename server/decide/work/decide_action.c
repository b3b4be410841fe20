/* decide_action.c - what an action is bound to: settings that have it, what it touches, a release.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/work/decide_action.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "decide/queue/decide_binding.h"
#include "lib/buf.h"
#include "lib/fingerprint.h"
#include "lib/text.h"
#include "store/row_environment.h"
#include "store/row_job.h"
#include "store/row_work_pipeline.h"
#include "store/row_question.h"

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

/* With the words that it was given, which what runs again has already.  False: the settings have no
 * such line, or other words belong to it. */
static bool
read_pipeline(struct tx *tx, const struct deployment *work, struct pipeline *ret)
{
	const struct work_pipeline_row row = row_work_pipeline_get(tx, work->id);
	const char *line =
	    settings_member_line(tx->settings, work->environment, FAMILY_PIPELINE, work->argument);

	return line != NULL &&
	    pipeline_read(line, row.again != 0 ? NULL : row.words, row.nonce, ret, NULL);
}

bool
decide_action_exists(struct tx *tx, const struct deployment *work)
{
	const struct action *action = action_row_of(work->action);
	const struct client_settings *client;

	if (!deployment_is_action(work))
		return true;
	if (action == NULL)
		return false; /* of a later version */
	if (deployment_is_gate(work))
		return settings_environment(tx->settings, work->environment) != NULL;
	if (deployment_is_pipeline(work))
		return read_pipeline(tx, work, &(struct pipeline){ .n = 0 });
	if (work->client[0] == '\0')
		return settings_member_line(
			   tx->settings, work->environment, FAMILY_JOB, work->argument) != NULL;
	client = settings_client(tx->settings, work->client);
	return decide_action_refusal(tx, client, action) == NULL &&
	    strcmp(client->target, work->environment) == 0;
}

/* Where it is, as far as its page needs that; returns its repository. */
static const char *
name_run(const struct settings *of, bool at_gitlab, struct pipeline_run *run)
{
	if (at_gitlab) {
		(void)pipeline_project(of, run->repository);
		(void)text_copy(run->repository_id, sizeof(run->repository_id),
		    job_forges[DELIVERY_GITLAB].mark);
	} else if (of->github_repository != NULL) {
		(void)text_copy(run->repository, sizeof(run->repository), of->github_repository);
	}
	return run->repository[0] != '\0' ? run->repository : "?";
}

/* All that it is begun with; of a run that is known its page. */
static void
say_pipeline(struct tx *tx, const struct deployment *work, char out[DECIDE_TOUCHES])
{
	const struct work_pipeline_row row = row_work_pipeline_get(tx, work->id);
	const struct settings *of = settings_of(tx->settings, work->environment);
	struct pipeline_run run = { .run = row.run != 0 ? row.run : row.again };
	bool at_gitlab =
	    pipeline_at_gitlab(tx->settings, work->environment, work->argument, row.repository_id);
	const char *repository = name_run(of, at_gitlab, &run);
	struct buf text = { .cap = DECIDE_TOUCHES - 1 };
	struct pipeline pipeline;
	char page[PIPELINE_URL];

	if (row.again != 0) /* with whatever it was begun with */
		buf_addf(&text, "failed jobs of %s %" PRId64 " of %s again",
		    job_forges[at_gitlab ? DELIVERY_GITLAB : DELIVERY_GITHUB].word, row.again,
		    repository);
	else if (read_pipeline(tx, work, &pipeline))
		buf_addf(&text, "%s at %s of %s", pipeline.file, pipeline.ref, repository);
	for (size_t i = 0; row.again == 0 && text.size > 0 && i < pipeline.n; i++)
		if (strcmp(pipeline.inputs[i].name, PIPELINE_OURS) != 0)
			buf_addf(&text, "%s%s=%s", i == 0 ? ": " : " ", pipeline.inputs[i].name,
			    pipeline.inputs[i].value);
	if (run.run != 0)
		buf_addf(&text, " · %s", pipeline_run_page(of, &run, page));
	(void)text_copy(out, DECIDE_TOUCHES, buf_text(&text)); /* it fits */
	buf_done(&text);
}

/* Values, and not files alone: a setting of the process counts as well. */
static void
binding_of(struct tx *tx, const struct deployment *work, char out[LIMIT_BINDING])
{
	const char *id = work->client[0] != '\0' ? work->client : work->argument;
	struct buf all = { .cap = BINDING_MOST };
	char touches[DECIDE_TOUCHES];

	settings_list_member(
	    work->client[0] != '\0' ? tx->settings : settings_of(tx->settings, work->environment),
	    work->client[0] != '\0' ? FAMILY_CLIENT : FAMILY_JOB, id, &all);
	if (deployment_is_pipeline(work)) {
		say_pipeline(tx, work, touches);
		buf_adds(&all, touches);
	}
	(void)fingerprint_digest(buf_text(&all), out);
	buf_done(&all);
}

/* What the runner makes of the files, too; false: no file was read, or it does not fit. */
static bool
list_of(const struct tx *tx, const struct deployment *work, char ret[FINGERPRINT_LIST_MAX])
{
	const struct client_settings *client = settings_client(tx->settings, work->client);
	const struct environment_settings *environment =
	    settings_environment(tx->settings, work->environment);
	const char *words =
	    settings_member_line(tx->settings, work->environment, FAMILY_JOB, work->argument);

	if (client != NULL)
		return client->as.fingerprint != NULL &&
		    text_copy(ret, FINGERPRINT_LIST_MAX, client->as.fingerprint);
	if (environment == NULL || environment->fingerprint == NULL || words == NULL ||
	    deployment_is_pipeline(work))
		return false;
	return text_copy(ret, FINGERPRINT_LIST_MAX, environment->fingerprint) &&
	    fingerprint_add_job(ret, work->argument, words, NULL);
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
say_on_client(const struct tx *tx, const struct client_settings *client,
    const struct action *action, const char *argument, char out[DECIDE_TOUCHES])
{
	bool has_name = strcmp(client->name, client->id) != 0;
	const char *host = text_or(client->host, "?"); /* none is needed for what is left there */
	char what[LIMIT_LINE];

	if (action->executor == ACTION_BY_CLOUDFLARE)
		(void)snprintf(what, sizeof(what), "Cloudflare's zone %.32s (%.100s)%s%.16s%s",
		    text_or(client->cloudflare_zone, "?"),
		    text_or(client->cloudflare_domain, "its domain is not set"),
		    argument[0] == '\0'				 ? "" :
			action->argument == ACTION_TAKES_MINUTES ? ", for " :
								   ", to ",
		    argument, action->argument == ACTION_TAKES_MINUTES ? " minutes" : "");
	else
		say_on_host(tx, client, action, what);
	(void)snprintf(out, DECIDE_TOUCHES, "%.60s%s%.250s%s%.120s", has_name ? client->name : "",
	    has_name ? ": " : "", what,
	    action->executor == ACTION_BY_CLOUDFLARE ? "" :
		strcmp(host, "local") == 0	     ? " on deploybot's server" :
						       " on ",
	    action->executor == ACTION_BY_CLOUDFLARE || strcmp(host, "local") == 0 ? "" : host);
}

#define PAGE 600 /* bytes of an address, which other words stand before */

/* Where people see it. */
static const char *
page_of(struct tx *tx, const struct deployment *gate, const struct job *job, char ret[PAGE])
{
	if (job_forge_of(job->repository_id) == DELIVERY_GITLAB)
		(void)snprintf(ret, PAGE, "%.290s/%s/-/jobs/%s",
		    settings_text(tx->settings, SETTING_GITLAB_URL), job->repository,
		    job->check_run);
	else
		(void)pipeline_run_url(settings_of(tx->settings, gate->environment)->github.url,
		    job->repository, strtoll(job->run, NULL, 10), ret);
	return ret;
}

/* Whose job waits for it. */
static void
say_gate(struct tx *tx, const struct deployment *gate, char out[DECIDE_TOUCHES])
{
	char page[PAGE];
	struct row_job of;
	char again[32] = "";
	char actor[2 * LIMIT_PERSON];
	bool is_known; /* who has begun it asks for the gate */

	row_job_get(tx, gate->id, &of);
	(void)snprintf(actor, sizeof(actor), "%s:%.80s(",
	    delivery_forge_word(job_forge_of(of.job.repository_id)), of.job.actor);
	is_known = of.job.actor[0] == '\0' || strncmp(actor, gate->requester, strlen(actor)) == 0;
	if (of.job.attempt > 1)
		(void)snprintf(again, sizeof(again), ", attempt %lld", (long long)of.job.attempt);
	(void)snprintf(out, DECIDE_TOUCHES, "for %s %s of %.200s%s%s%.80s · %s",
	    job_word(of.job.repository_id), of.job.run, of.job.repository, again,
	    is_known ? "" : ", begun by ", is_known ? "" : FORGE_PERSON(of.job.actor),
	    page_of(tx, gate, &of.job, page));
}

const char *
decide_action_touches(struct tx *tx, const struct deployment *work, char out[DECIDE_TOUCHES])
{
	const struct action *action =
	    deployment_is_action(work) ? action_row_of(work->action) : NULL;
	const struct client_settings *client = settings_client(tx->settings, work->client);
	const char *words;

	out[0] = '\0';
	if (action == NULL)
		return out;
	words = settings_member_line(tx->settings, work->environment, FAMILY_JOB, work->argument);
	if (deployment_is_gate(work))
		say_gate(tx, work, out);
	else if (deployment_is_pipeline(work))
		say_pipeline(tx, work, out);
	else if (client != NULL)
		say_on_client(tx, client, action, work->argument, out);
	else if (work->client[0] == '\0' && words != NULL)
		(void)snprintf(out, DECIDE_TOUCHES, "run: %.400s", words);
	return out;
}

void
decide_action_bind(struct tx *tx, struct deployment *work, const struct action_row *begun)
{
	struct action_row action = begun != NULL ? *begun : row_action_get(tx, work->id);
	char touches[DECIDE_TOUCHES];

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
	(void)text_copy(job->commit, sizeof(job->commit), environment.current.commit);
	(void)text_copy(job->image, sizeof(job->image), environment.current.image);
	return environment.current.id != 0;
}

struct settings_claims *
decide_claims(struct tx *tx, const struct deployment *work)
{
	const struct client_settings *client =
	    work->client[0] != '\0' ? settings_client(tx->settings, work->client) : NULL;

	if (deployment_is_pipeline(work))
		return settings_claims_pipeline(work->environment, work->argument);
	return client != NULL ? settings_claims_client(tx->settings, client) :
				settings_claims(tx->settings, work->environment);
}
