/* decide_do.c - somebody wants an action done: to a client, or to an environment.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/work/decide_do.h"

#include <inttypes.h>
#include <stdio.h>

#include "decide/work/decide_action.h"
#include "decide/who/decide_agent.h"
#include "decide/who/decide_allowed.h"
#include "decide/question/decide_standing.h"
#include "decide/work/decide_deployment.h"
#include "decide/work/decide_pipeline.h"
#include "decide/work/decide_playbook.h"
#include "decide/factor/decide_lacks.h"
#include "decide/decide_limit.h"
#include "decide/decide_page.h"
#include "decide/queue/decide_full.h"
#include "decide/queue/decide_queue.h"
#include "decide/hold/decide_refusal.h"
#include "decide/decide_reply.h"
#include "decide/question/decide_shown.h"
#include "decide/question/decide_where.h"
#include "lib/err.h"
#include "lib/setting.h"
#include "lib/text.h"
#include "store/row_cloudflare.h"
#include "store/row_deployment.h"
#include "store/row_work_pipeline.h"
#include "store/row_witness.h"
#include "types/cloudflare_level.h"

#define CHOICES		 10
#define SUBJECT_WORDS	 160 /* of a run that is run again: behind them stands that it is */
#define OPEN_ACTIONS_MAX 10  /* one person's that have not ended */

/* What is asked for, and what the settings have of it. */
struct wanted {
	const struct action *action;
	const struct client_settings *client; /* NULL: it is an environment */
	const char *environment;
	const char *argument;
	const struct work_pipeline_row *again; /* its failed jobs run once more; NULL: it is new */
	const char *offers; /* refused: the pipeline that is offered then, "" each; NULL: none */
	bool is_requested;  /* by /request, which is what is offered instead, too */
};

/* What an action is done to as grants have it: client/acme, or the environment. */
static const char *
do_target(const struct action *action, const char *target, char out[LIMIT_ENVIRONMENT])
{
	if (action->target == ACTION_ON_CLIENT)
		return environment_id_text(ENVIRONMENT_CLIENT, target, out);
	(void)text_copy(out, LIMIT_ENVIRONMENT, target); /* fits */
	return out;
}

const char *
decide_do_id(const char *typed)
{
	const char *id = environment_client(typed);

	return id != NULL ? id : typed;
}

const struct client_settings *
decide_do_client(struct tx *tx, int64_t person, const char *id)
{
	const struct client_settings *client = settings_client(tx->settings, id);

	return client != NULL && decide_sees(tx, person, client->as.name) ? client : NULL;
}

bool
decide_do_allows(struct tx *tx, int64_t person, const struct action *action,
    const struct client_settings *client)
{
	return (client->actions & action_bit(action)) != 0 &&
	    decide_is_allowed_do(tx, person, action->name, client->as.name);
}

/* What that action is called with there: pipelines of its application, or jobs. */
static enum family
family_of(const struct action *action)
{
	return action->argument == ACTION_TAKES_PIPELINE ? FAMILY_PIPELINE :
	    action->argument == ACTION_TAKES_PLAYBOOK	 ? FAMILY_PLAYBOOK :
							   FAMILY_JOB;
}

bool
decide_do_allows_there(
    struct tx *tx, int64_t person, const struct action *action, const char *environment)
{
	return action->target == ACTION_ON_ENVIRONMENT &&
	    settings_member_line(tx->settings, environment, family_of(action), NULL) != NULL &&
	    decide_is_allowed_do(tx, person, action->name, environment);
}

static bool
may_somewhere(struct tx *tx, int64_t person, const struct action *action,
    const struct client_settings *client)
{
	const struct settings *s = tx->settings;

	if (action->target == ACTION_ON_CLIENT) {
		for (size_t i = 0; i < s->client_count; i++)
			if ((client == NULL || client == &s->clients[i]) &&
			    decide_do_allows(tx, person, action, &s->clients[i]))
				return true;
		return false;
	}
	for (size_t i = 0; i < s->environment_count && client == NULL; i++)
		if (decide_do_allows_there(tx, person, action, s->environments[i].name))
			return true;
	return false;
}

bool
decide_do_is_there(struct tx *tx, int64_t person, const char *begin)
{
	for (size_t i = 0; i < ACTION_COUNT; i++)
		if (text_starts(action_table[i].name, begin) &&
		    may_somewhere(tx, person, &action_table[i], NULL))
			return true;
	return false;
}

bool
decide_do_none(struct tx *tx, int64_t person, struct chat_text *text)
{
	const struct settings *s = tx->settings;
	bool is_set_up = false;

	for (size_t i = 0; i < s->client_count; i++)
		is_set_up |= s->clients[i].actions != 0;
	for (size_t i = 0; i < s->environment_count && !is_set_up; i++)
		is_set_up =
		    settings_member_line(s, s->environments[i].name, FAMILY_JOB, NULL) != NULL ||
		    settings_member_line(s, s->environments[i].name, FAMILY_PIPELINE, NULL) != NULL;
	if (is_set_up)
		return false;
	chat_text_add(text, "No actions are set up%s. /help lists what you may do.",
	    decide_is_allowed(tx, person, POLICY_ADMIN, POLICY_ALL) ?
		": CLIENTS, JOB_<NAME> and PIPELINE_<NAME> in the settings do that" :
		"");
	return true;
}

void
decide_do_list(struct tx *tx, int64_t person, const char *name,
    const struct client_settings *client, bool of_request, struct chat_text *text)
{
	const char *names[ACTION_COUNT], *near;
	size_t n = 0;

	for (size_t i = 0; i < ACTION_COUNT; i++)
		if ((!of_request || action_fits_line(&action_table[i]) ||
			action_table[i].argument == ACTION_TAKES_PIPELINE) &&
		    may_somewhere(tx, person, &action_table[i], client))
			names[n++] = action_table[i].name;
	if (name[0] != '\0' && action_find(name) == NULL) {
		near = text_nearest(name, names, n);
		chat_text_code(text, "There is no action ", name);
		if (near != NULL)
			chat_text_code(text, ". Did you mean ", near);
		chat_text_add(text, near != NULL ? "? " : ". ");
	}
	if (n == 0 && decide_do_none(tx, person, text))
		return;
	if (n == 0 && client == NULL && of_request && decide_do_is_there(tx, person, "")) {
		chat_text_add(text,
		    "None that you may run is asked for so: " MARK_CODE "/do" MARK_CODE
		    " shows what you may.");
		return;
	}
	chat_text_add(text, "You may%s%s%s%s", n == 0 ? " not run actions" : "",
	    client != NULL ? " on " :
		n == 0	   ? " here" :
			     "",
	    client != NULL ? client->id : "",
	    n == 0 ? ": ask an admin. /whoami says what you may." : ":");
	for (size_t i = 0; i < n; i++)
		chat_text_code(text, " ", names[i]);
}

void
decide_do_no_client(struct tx *tx, int64_t person, const char *id, struct chat_text *text)
{
	const char *near = NULL;

	for (size_t i = 0; i < tx->settings->client_count; i++) {
		const char *name = tx->settings->clients[i].id;

		if (decide_do_client(tx, person, name) != NULL &&
		    text_nearest(id, &name, 1) != NULL &&
		    (near == NULL || text_distance(id, name) < text_distance(id, near)))
			near = name;
	}
	chat_text_code(text, "There is no client ", id);
	if (near != NULL)
		chat_text_code(text, ". Did you mean ", near);
	chat_text_add(text, near != NULL ? "? " : ". ");
}

static void
add_choice(struct tx *tx, const struct update *update, struct request request, const char *label,
    struct message *message)
{
	if (message->buttons.n < CHOICES)
		decide_once_button(tx, update, &request, label, &message->buttons);
}

static struct request
typed_as(const char *command, const char *words)
{
	struct request request = request_of(command, "");

	request_add(&request, REQUEST_TEXT, words);
	return request;
}

void
decide_do_choice(struct tx *tx, const struct update *update, const char *words, const char *label,
    struct message *message)
{
	add_choice(tx, update, typed_as("do", words), label, message);
}

static const char *
command_of(const struct wanted *w)
{
	return w->is_requested ? "request" : "do";
}

static const char *
target_of(const struct wanted *w)
{
	return w->client != NULL ? w->client->as.name : w->environment;
}

/* Each that takes the words that were typed is a button; of the others, what is to be typed. */
static void
add_pipelines(struct tx *tx, const struct update *update, const struct wanted *w,
    struct chat_text *text, struct message *instead)
{
	const char *typed = w->argument + strcspn(w->argument, " ");
	char names[LIMIT_LINE], name[ACTION_WORD], words[LIMIT_REF], label[LIMIT_BUTTON];
	const char *list = names, *line;
	struct pipeline is;
	int size;

	(void)settings_names(tx->settings, w->environment, FAMILY_PIPELINE, names);
	while (setting_next(&list, name, sizeof(name))) {
		line = settings_member_line(tx->settings, w->environment, FAMILY_PIPELINE, name);
		if (line == NULL || (w->offers[0] != '\0' && strcmp(w->offers, name) != 0))
			continue;
		size = snprintf(words, sizeof(words), "%s %s %s%s", w->action->name, w->environment,
		    name, typed); /* cut words are no button: they would be others */
		if (size < (int)sizeof(words) && pipeline_read(line, typed, "", &is, NULL)) {
			text_setf(label, "%s%.24s", name, typed);
			add_choice(tx, update, typed_as(command_of(w), words), label, instead);
			continue;
		}
		chat_text_add(text, "\n" MARK_CODE "/%s %s %s %s", command_of(w), w->action->name,
		    w->environment, name);
		for (size_t i = 0; pipeline_read(line, NULL, "", &is, NULL) && i < is.n; i++)
			if (strcmp(is.inputs[i].value, "?") == 0)
				chat_text_add(text, " <%s>", is.inputs[i].name);
		chat_text_add(text, MARK_CODE);
	}
}

/* With what may be done instead, where there is something. */
static void
refuse_with(struct tx *tx, const struct update *update, const struct wanted *w, const char *reason,
    struct message *instead)
{
	struct chat_text text = CHAT_TEXT_EMPTY;

	decide_answer_no(tx, update);
	if (update->kind == UPDATE_PRESS && !decide_is_answered(update))
		decide_toast_firstf(tx, update, w->offers == NULL, FIRST_NOT_DONE, target_of(w),
		    " %s: %s.", w->action->name, reason);
	chat_first(&text, FIRST_NOT_DONE, target_of(w));
	chat_text_code(&text, " ", w->action->name);
	chat_text_outside(&text, "\n", reason);
	if (w->offers != NULL)
		add_pipelines(tx, update, w, &text, instead);
	(void)decide_send_keyboard(tx, update, NULL, instead, &text);
}

static void
refuse(struct tx *tx, const struct update *update, const struct wanted *w, const char *reason)
{
	refuse_with(tx, update, w, reason, &(struct message){ 0 });
}

/* What is normal is only known of what we have set ourselves. */
static bool
knows_level(struct tx *tx, const struct update *update, const struct wanted *w)
{
	static const char *const levels[] = { "low", "medium", "high", "essentially_off" };
	struct message message = { 0 };
	char words[LIMIT_REF];

	if (w->action->argument != ACTION_TAKES_LEVEL || w->argument[0] != '\0')
		return true;
	assert(w->client != NULL); /* of whom alone an action takes a level */
	if (w->client->cloudflare_zone == NULL ||
	    row_cloudflare_get(tx, w->client->cloudflare_zone).zone[0] != '\0')
		return true;
	for (size_t i = 0; i < COUNT(levels); i++) {
		text_setf(words, "%s %s %s", w->action->name, w->client->id, levels[i]);
		add_choice(tx, update, typed_as(command_of(w), words),
		    cloudflare_level_text(levels[i]), &message);
	}
	text_setf(words, "deploybot has set nothing there: name the level, as /%s %s %s medium",
	    command_of(w), w->action->name, w->client->id);
	refuse_with(tx, update, w, words, &message);
	return false;
}

/* The one whose name is the nearest to what was typed; "": none is near. */
static void
find_near(const char *names, const char *typed, char ret[ACTION_WORD])
{
	char name[ACTION_WORD];
	const char *one = name;

	ret[0] = '\0';
	while (setting_next(&names, name, sizeof(name)))
		if (text_nearest(typed, &one, 1) != NULL &&
		    (ret[0] == '\0' || text_distance(typed, name) < text_distance(typed, ret)))
			(void)text_copy(ret, ACTION_WORD, name);
}

/* Its name is the first word, and what its line asks for stands behind. */
static bool
is_pipeline(struct tx *tx, const struct update *update, const struct wanted *w)
{
	size_t size = strcspn(w->argument, " ");
	char name[ACTION_WORD], near[ACTION_WORD] = "", names[LIMIT_LINE], words[LIMIT_LINE];
	struct wanted offers = *w;
	struct pipeline pipeline;
	const char *line;
	struct err err;

	text_setf(name, "%.*s", (int)size, w->argument);
	line = settings_member_line(tx->settings, w->environment, FAMILY_PIPELINE, name);
	if (line != NULL &&
	    pipeline_read(line, w->again != NULL ? NULL : w->argument + size, "", &pipeline, &err))
		return true;
	if (settings_names(tx->settings, w->environment, FAMILY_PIPELINE, names) == 0) {
		refuse(tx, update, w,
		    "there are no pipelines: PIPELINE_<NAME> in its application's settings");
		return false;
	}
	if (line == NULL)
		find_near(names, name, near);
	if (line != NULL)
		text_setf(words, "%s: %.120s", name, err.text);
	else if (near[0] != '\0')
		text_setf(words, "there is no %s, did you mean %s?", name, near);
	else
		text_setf(words, "which pipeline: %.200s?", names);
	offers.offers = line != NULL ? name : near;
	refuse(tx, update, &offers, words);
	return false;
}

/* Playbooks are the main file's, whatever environment their client is. */
static const char *
where_of(const struct wanted *w)
{
	return w->action->argument == ACTION_TAKES_PLAYBOOK ? "" : w->environment;
}

/* Why it is none that the action takes; NULL: it is one, "": no job is called so. */
static const char *
argument_fault(struct tx *tx, const struct wanted *w)
{
	bool is_there = w->argument[0] != '\0';
	int64_t minutes;

	switch (w->action->argument) {
	case ACTION_TAKES_NONE:
		return is_there ? "it takes no argument" : NULL;
	case ACTION_TAKES_MINUTES:
		return is_there &&
			!text_to_i64(w->argument, ACTION_MINUTES_LEAST, ACTION_MINUTES_MOST,
			    &minutes, NULL) ?
		    "it takes minutes, 5 to 1440" :
		    NULL;
	case ACTION_TAKES_LEVEL:
		return is_there &&
			(cloudflare_level_text(w->argument) == NULL ||
			    strcmp(w->argument, CLOUDFLARE_ATTACK) == 0) ?
		    "it takes a level: essentially_off, low, medium or high" :
		    NULL;
	case ACTION_TAKES_PIPELINE: /* is_pipeline() */
	case ACTION_TAKES_SECRET:   /* nobody asks for one so */
	case ACTION_TAKES_WORD:
	case ACTION_TAKES_PLAYBOOK:
		break;
	}
	return is_there &&
		settings_member_line(
		    tx->settings, where_of(w), family_of(w->action), w->argument) != NULL ?
	    NULL :
	    "";
}

static void
add_playbooks(struct tx *tx, const struct update *update, const struct wanted *w, const char *names,
    struct message *message)
{
	char name[ACTION_WORD], words[LIMIT_REF];

	assert(w->client != NULL); /* whose actions alone take a playbook */
	while (setting_next(&names, name, sizeof(name))) {
		text_setf(words, "%s %s %s", w->action->name, w->client->id, name);
		add_choice(tx, update, typed_as(command_of(w), words), name, message);
	}
}

/* Where it is no job, those that there are are named. */
static bool
has_argument(struct tx *tx, const struct update *update, const struct wanted *w)
{
	char words[LIMIT_LINE], names[LIMIT_LINE];
	struct message message = { 0 };
	const char *fault;

	if (w->action->argument == ACTION_TAKES_PIPELINE)
		return is_pipeline(tx, update, w);
	fault = argument_fault(tx, w);
	if (fault == NULL)
		return knows_level(tx, update, w);
	if (fault[0] == '\0') {
		bool is_playbook = w->action->argument == ACTION_TAKES_PLAYBOOK;
		bool is_any =
		    settings_names(tx->settings, where_of(w), family_of(w->action), names) > 0;

		text_setf(words, "%s%.180s",
		    is_any && is_playbook ? "which playbook? There are " :
			is_any		  ? "which job? There are " :
			is_playbook ? "there are no playbooks: PLAYBOOK_<NAME> in the settings" :
				      "there are no jobs: JOB_<NAME> in its application's settings",
		    names);
		fault = words;
		if (is_playbook)
			add_playbooks(tx, update, w, names, &message);
	}
	refuse_with(tx, update, w, fault, &message);
	return false;
}

/* What is only looked at, or restores what was there, needs no witness. */
static bool
is_witnessed(struct tx *tx, const struct update *update, const struct wanted *w)
{
	char age[TEXT_DURATION_SIZE], reason[LIMIT_LINE];

	if (w->action->risk == ACTION_RISK_READ || action_restores(w->action) ||
	    !row_witness_is_late(tx))
		return true;
	text_setf(
	    reason, "the audit log's copy is late by %s", text_duration(age, row_witness_lag(tx)));
	/* Without the age, by which each would be of another kind, and an entry of its own. */
	decide_audit_denied(tx, update, AUDIT_CODE_DENIED_HELD, w->action->name, w->environment,
	    "the audit log's copy is late");
	refuse(tx, update, w, reason);
	return false;
}

static bool
can_be_done(struct tx *tx, const struct update *update, const struct wanted *w)
{
	const char *reason = w->client != NULL ? decide_action_refusal(tx, w->client, w->action) :
	    settings_environment(tx->settings, w->environment) == NULL ?
						 "it is not in the settings" :
						 NULL;
	char former[ENVIRONMENT_ID_MAX], of_agent[LIMIT_LINE];

	if (reason == NULL)
		reason = decide_agent_refusal(tx, w->client, w->action, of_agent);
	if (reason == NULL && decide_is_to_be_renamed(tx, w->environment, former))
		reason = DECIDE_IS_RENAMED;
	if (reason == NULL && row_deployment_count_open(tx, update->person) >= OPEN_ACTIONS_MAX)
		reason = "you have ten open requests: confirm or cancel some of them first";
	if (reason != NULL)
		refuse(tx, update, w, reason);
	return reason == NULL && has_argument(tx, update, w) && is_witnessed(tx, update, w) &&
	    !decide_is_full(tx, update, w->environment, target_of(w), false);
}

static const char *
forge_of(const struct tx *tx, const struct wanted *w)
{
	char name[ACTION_WORD];

	text_setf(name, "%.*s", (int)strcspn(w->argument, " "), w->argument);
	return pipeline_at_gitlab(tx->settings, w->environment, name,
		   w->again != NULL ? w->again->repository_id : "") ?
	    "gitlab" :
	    "github";
}

static const char *
executor_of(const struct tx *tx, const struct wanted *w)
{
	switch (w->action->executor) {
	case ACTION_BY_RELEASE:
		return "run";
	case ACTION_BY_ANSIBLE:
		return "ansible";
	case ACTION_BY_CLOUDFLARE:
		return "cloudflare";
	case ACTION_BY_PIPELINE:
		return forge_of(tx, w);
	case ACTION_BY_FORGE: /* nobody asks for these so */
	case ACTION_BY_VAULT:
	case ACTION_BY_HOST:
	case ACTION_EXECUTORS:
		break;
	}
	assert(w->client != NULL);
	return decide_action_host_executor(w->client);
}

static struct deployment *
make(struct tx *tx, const struct update *update, const struct wanted *w, struct deployment *ret)
{
	const char *words = request_behind(w->argument, 1);

	decide_requested(tx, update, PROGRAM_ACTION, w->environment, ret);
	text_set(ret->action, w->action->name);
	text_setf(ret->argument, "%.*s", (int)strcspn(w->argument, " "), w->argument);
	if (w->action->argument ==
	    ACTION_TAKES_PIPELINE) /* as shown; add_pipeline() has them whole */
		text_setf(ret->subject, "%.*s%s%s", SUBJECT_WORDS, words,
		    w->again != NULL && words[0] != '\0' ? " " : "",
		    w->again != NULL ? "(failed jobs)" : "");
	if (w->client != NULL && w->action->argument == ACTION_TAKES_MINUTES &&
	    w->argument[0] == '\0')
		text_setf(ret->argument, "%d", w->client->cloudflare_minutes);
	if (w->client != NULL)
		text_set(ret->client, w->client->id);
	return ret;
}

static void
audit(struct tx *tx, const struct update *update, const struct deployment *work,
    const char *executor, bool is_confirmed)
{
	decide_audit_request(tx, work, update->person,
	    is_confirmed ? AUDIT_CODE_ACTION_CONFIRMED : AUDIT_CODE_ACTION_REQUESTED,
	    is_confirmed ? "confirmed" : "requested",
	    (const char *const[]){ "action", work->action, "name", update->name, "executor",
		executor, work->client[0] != '\0' ? "client" : "argument",
		work->client[0] != '\0' ? work->client : work->argument, NULL });
}

/* No denial, and what is asked of others stands there.  A toast's links cannot be pressed. */
static void
say_asked_already(struct tx *tx, const struct update *update, const struct wanted *w,
    const struct deployment *asked)
{
	struct message message = { .reply_row = decide_standing_in(tx, asked, &update->address) };
	char link[DECIDE_STANDING_LINK];
	struct chat_text text = CHAT_TEXT_EMPTY;

	decide_answer_no(tx, update);
	if (update->kind == UPDATE_PRESS && !decide_is_answered(update))
		decide_toast_firstf(tx, update, true, FIRST_CLOSED, target_of(w),
		    " %s, #%" PRId64 " awaits approval.", w->action->name, asked->id);
	chat_first(&text, FIRST_CLOSED, target_of(w));
	chat_text_code(&text, " ", w->action->name);
	chat_text_add(&text,
	    ", #%" PRId64 " awaits approval\nIt was asked for before. See where it stands: ",
	    asked->id);
	if (decide_standing_link(tx, asked, &update->address, link)[0] != '\0')
		chat_text_add(&text, "%s", link);
	else
		chat_text_add(&text, MARK_CODE "/pending" MARK_CODE);
	(void)decide_send_keyboard(tx, update, NULL, &message, &text);
}

/* Each would be asked of all who approve. */
static bool
is_asked_already(struct tx *tx, const struct update *update, const struct wanted *w,
    const struct deployment *work)
{
	struct deployment asked;

	row_deployment_get(tx, row_deployment_same_action(tx, work), &asked);
	if (asked.id == 0)
		return false;
	say_asked_already(tx, update, w, &asked);
	return true;
}

/* What a person gave, one blank between. */
static void
add_pipeline(struct tx *tx, const struct wanted *w, int64_t work)
{
	const char *words = w->argument + strcspn(w->argument, " ");
	struct work_pipeline_row row = { .work = work };

	text_set(row.words, words + strspn(words, " "));
	tx_draw_id(tx, row.nonce);
	if (w->again != NULL) {
		row.again = w->again->run;
		text_set(row.repository_id, w->again->repository_id);
		row.attempt = w->again->attempt + 1;
	}
	row_work_pipeline_set(tx, &row);
}

static int64_t
begin(struct tx *tx, const struct update *update, const struct wanted *w, enum decide_do_how how)
{
	struct action_row of = { .is_requested = how == DO_IS_REQUESTED };
	struct deployment work;
	bool is_confirmed = how != DO_ASKS;
	const char *reason = NULL;

	make(tx, update, w, &work);
	if (w->action->executor == ACTION_BY_RELEASE && !decide_bind_job(tx, &work))
		reason = "nothing is released there yet: deploy first";
	else if (how == DO_IS_REQUESTED && w->action->executor != ACTION_BY_PIPELINE &&
	    is_asked_already(tx, update, w, &work))
		return 0;
	else if (how == DO_IS_REQUESTED && !decide_may_request(tx, update->person))
		reason = "too many requests in a row: try again in a minute";
	if (reason != NULL) {
		refuse(tx, update, w, reason);
		return 0;
	}
	text_set(of.executor, executor_of(tx, w));
	row_deployment_add(tx, &work);
	if (is_confirmed)
		decide_confirmed(tx, &work, update);
	if (w->action->executor == ACTION_BY_PIPELINE)
		add_pipeline(tx, w, work.id);
	decide_action_bind(tx, &work, &of);
	row_deployment_save(tx, &work);
	tx->answer.work = work.id;
	audit(tx, update, &work, of.executor, is_confirmed);
	if (w->action->executor == ACTION_BY_ANSIBLE)
		decide_playbook_look(tx, &work);
	else if (!is_confirmed && decide_asks_before(tx, w->action, w->environment))
		decide_ask(tx, &work, NULL);
	else
		decide_enqueue(tx, &work, DEPLOY_ON_CLEAR, NULL);
	return work.id;
}

int64_t
decide_do(struct tx *tx, const struct update *update, const struct action *action,
    const char *target, const char *argument, enum decide_do_how how)
{
	struct wanted w = { .action = action,
		.environment = target,
		.argument = argument,
		.is_requested = how == DO_IS_REQUESTED };
	char name[LIMIT_ENVIRONMENT];

	if (!decide_may_do(tx, update, action->name, do_target(action, target, name)))
		return 0;
	if (action->target == ACTION_ON_CLIENT) {
		w.client = decide_do_client(tx, update->person, target);
		w.environment = w.client != NULL ? w.client->target : name;
	}
	return can_be_done(tx, update, &w) ? begin(tx, update, &w, how) : 0;
}

void
decide_do_rerun(struct tx *tx, const struct update *update, int64_t id)
{
	const struct work_pipeline_row again = row_work_pipeline_get(tx, id);
	struct deployment of;
	char argument[LIMIT_REF + ACTION_WORD], since[LIMIT_LINE];
	const struct wanted w = { .action = &action_table[ACTION_RUN_PIPELINE],
		.environment = row_deployment_get(tx, id, &of)->environment,
		.argument = argument,
		.again = &again };

	text_setf(argument, "%s%s%s", of.argument, again.words[0] != '\0' ? " " : "", again.words);
	if (!decide_may_do(tx, update, w.action->name, of.environment))
		return;
	if (decide_pipeline_since(tx, id, since)[0] != '\0')
		decide_toast_firstf(
		    tx, update, true, FIRST_NOT_DONE, of.environment, " %s, %s", argument, since);
	else if (can_be_done(tx, update, &w))
		(void)begin(tx, update, &w, DO_ASKS);
}
