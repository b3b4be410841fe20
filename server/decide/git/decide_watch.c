/* decide_watch.c - a workflow that fails on an environment's branch is said, and its green again.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/git/decide_watch.h"

#include "chat/chat_pipeline.h"
#include "decide/decide_chat.h"
#include "decide/decide_reply.h"
#include "lib/list.h"
#include "lib/text.h"
#include "store/row_effect.h"
#include "store/row_message.h"
#include "store/row_pipeline_many.h"
#include "store/row_work_pipeline.h"

#define SAID_MAX 3 /* of one commit and branch: the last of them counts the others */

static const struct environment_settings *
find(const struct settings *of, const struct pipeline_run *run)
{
	for (size_t i = 0; i < settings_own_count(of); i++)
		if (of->environments[i].branch != NULL &&
		    strcmp(of->environments[i].branch, run->branch) == 0)
			return &of->environments[i];
	return NULL;
}

bool
decide_watch_wants(const struct settings *application, const struct pipeline_run *run)
{
	const char *list = application->github.watch;

	return (list_has(list, "*") || list_has(list, run->file)) && find(application, run) != NULL;
}

/* Of a run that decide_watch_wants(). */
static const char *
name_of(const struct settings *of, const struct pipeline_run *run)
{
	const struct environment_settings *environment = find(of, run);

	assert(environment != NULL);
	return environment->name;
}

/* How it stands now: in a message that rings, or as an edit of the one that is there. */
static void
say(struct tx *tx, const struct settings *of, struct pipeline_red *red,
    const struct pipeline_run *run)
{
	CLEANUP(message_done)
	struct message message = {
		.address.chat = red->chat, .is_alarm = true, .is_closing = true
	};
	struct chat_text text = CHAT_TEXT_EMPTY;
	char url[PIPELINE_URL];
	struct pipeline_run first;
	struct pipeline_many many;
	const struct chat_pipeline is = { .run = run,
		.first = row_pipeline_first_red(tx, of->application, run, red->since, &first),
		.url = pipeline_run_page(of, run, url),
		.details = red->details,
		.since = red->since,
		.failures = red->failures,
		.others = row_pipeline_many(tx, red->chat, run, &many)->last == red->id ?
		    many.unsaid - (red->message == 0) :
		    0,
		.now = tx->at,
		.clock = decide_clock(tx, name_of(of, run)) };

	if (pipeline_run_is_green(run))
		chat_pipeline_green(&text, &is);
	else
		chat_pipeline_red(&text, &is);
	message.head = chat_text_take(&text);
	if (red->message == 0)
		red->message = row_message_add(tx, &message);
	else
		row_message_change(tx, red->message, &message);
}

/* Without a credential its page says it; GitLab's webhook has said it already. */
static void
ask_what_failed(struct tx *tx, const struct settings *of, const struct pipeline_red *red,
    const struct pipeline_run *run)
{
	struct effect effect = { .kind = EFFECT_GITHUB_FAILURE, .subject = red->id };

	row_effect_withdraw(tx, row_effect_find(tx, EFFECT_GITHUB_FAILURE, red->id));
	if (of->github.app_id == NULL && of->github.token == NULL)
		return;
	if (job_forge_of(run->repository_id) != DELIVERY_GITHUB)
		return;
	effect.u.github_failure.run = run->run;
	effect.u.github_failure.attempt = run->attempt;
	(void)text_copy(effect.u.github_failure.environment, LIMIT_ENVIRONMENT, name_of(of, run));
	(void)row_effect_order(tx, &effect);
}

/* Those of that commit which have no message are counted by the last that has one, unless its run
 * is of another branch by now: its forge may say so when that is begun again. */
static void
count_others(struct tx *tx, const struct settings *of, int64_t chat, const struct pipeline_run *run)
{
	struct pipeline_many many;
	struct pipeline_red last;
	struct pipeline_run newest;

	(void)row_pipeline_many(tx, chat, run, &many);
	(void)row_pipeline_red_by_id(tx, many.last, &last, &newest);
	if (last.id == 0 || find(of, &newest) == NULL)
		return;
	say(tx, of, &last, &newest);
	row_pipeline_set_red(tx, of->application, &newest, &last);
}

static void
go_red(struct tx *tx, const struct settings *of, struct pipeline_red *red,
    const struct pipeline_run *run)
{
	struct pipeline_many many;

	if (red->run == run->run && red->attempt == run->attempt)
		return; /* it is said */
	red->run = run->run;
	red->attempt = run->attempt;
	red->since = red->id == 0 ? tx->at : red->since;
	red->failures++;
	text_set(red->details, run->failed);
	if (red->message == 0 && row_pipeline_many(tx, red->chat, run, &many)->said >= SAID_MAX) {
		row_pipeline_set_red(tx, of->application, run, red);
		count_others(tx, of, red->chat, run);
		return;
	}
	say(tx, of, red, run);
	row_pipeline_set_red(tx, of->application, run, red);
	ask_what_failed(tx, of, red, run);
}

static void
go_green(struct tx *tx, const struct settings *of, struct pipeline_red *red,
    const struct pipeline_run *run)
{
	struct pipeline_run was;

	(void)row_pipeline_red_by_id(tx, red->id, &(struct pipeline_red){ 0 }, &was);
	if (red->message != 0)
		say(tx, of, red, run);
	row_effect_withdraw(tx, row_effect_find(tx, EFFECT_GITHUB_FAILURE, red->id));
	row_pipeline_drop_red(tx, red->id);
	count_others(tx, of, red->chat, &was);
}

void
decide_watch(struct tx *tx, const struct settings *application, const struct pipeline_run *run)
{
	int64_t chat = decide_chat_of(tx, name_of(application, run));
	struct pipeline_red red;
	int64_t begun;

	if ((!pipeline_run_is_red(run) && !pipeline_run_is_green(run)) ||
	    row_pipeline_is_old(tx, application->application, run))
		return;
	(void)row_pipeline_red(tx, chat, run, &red);
	begun = row_work_pipeline_begun(tx, run->repository_id, run->run, 0);
	if (pipeline_run_is_red(run) && begun != 0 &&
	    row_work_pipeline_get(tx, begun).attempt == run->attempt)
		return; /* the end of that work says it */
	if (pipeline_run_is_red(run))
		go_red(tx, application, &red, run);
	else if (red.id != 0)
		go_green(tx, application, &red, run);
}

void
decide_watch_read(struct tx *tx, int64_t id, const struct github_failure_read *read)
{
	const struct settings *of =
	    settings_of(tx->settings, tx->effect->u.github_failure.environment);
	struct pipeline_red red;
	struct pipeline_run run;

	(void)row_pipeline_red_by_id(tx, id, &red, &run);
	if (find(of, &run) == NULL || read->details[0] == '\0')
		return;
	text_set(red.details, read->details);
	row_pipeline_set_red(tx, of->application, &run, &red);
	say(tx, of, &red, &run);
}
