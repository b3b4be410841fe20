/* command_pipelines.c - /pipelines [application]: the latest runs of workflows.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "chat/chat_pipeline.h"
#include "commands/commands.h"
#include "decide/decide_page.h"
#include "decide/decide_reply.h"
#include "decide/question/decide_where.h"
#include "lib/text.h"
#include "store/row_deployment.h"
#include "store/row_pipeline.h"
#include "store/row_work_pipeline.h"
#include "types/pipeline.h"

#define SHOWN 10

struct listed {
	struct pipeline_row row;
	const struct settings *of;
};

/* Those of several applications by when they began; of a repository that they share each once. */
static size_t
merge(struct listed *list, size_t n, const struct listed *new)
{
	size_t at = 0;

	for (size_t i = 0; i < n; i++)
		if (list[i].row.run.run == new->row.run.run &&
		    strcmp(list[i].row.run.repository_id, new->row.run.repository_id) == 0)
			return n;
	while (at < n && list[at].row.at >= new->row.at)
		at++;
	if (at == SHOWN)
		return n;
	n = n < SHOWN ? n + 1 : n;
	memmove(&list[at + 1], &list[at], (n - at - 1) * sizeof(*list));
	list[at] = *new;
	return n;
}

/* As the work says it: GitLab's own word of what its API has begun is none of a branch. */
static bool
read_begun(struct tx *tx, const struct deployment *work, struct listed *ret)
{
	const struct work_pipeline_row begun = row_work_pipeline_get(tx, work->id);
	struct pipeline_run *run = &ret->row.run;

	*run = (struct pipeline_run){ .run = begun.run,
		.rank = work->ended_at != 0 ? PIPELINE_IS_OVER : PIPELINE_RUNS };
	text_set(run->repository_id, begun.repository_id);
	text_setf(run->file, "%.31s%s%.30s", work->argument, work->subject[0] != '\0' ? " " : "",
	    work->subject);
	text_set(run->branch, work->environment);
	text_set(run->actor,
	    FORGE_PERSON(work->requester + (work->requester[0] == '@'))); /* as a login */
	if (run->rank == PIPELINE_IS_OVER)
		text_set(run->conclusion,
		    work->state == DEPLOY_DONE		  ? "success" :
			work->why == DEPLOY_WHY_CANCELLED ? "cancelled" :
			work->why == DEPLOY_WHY_TIMED_OUT ? "timed_out" :
			work->why == DEPLOY_WHY_SCRIPT	  ? "failure" :
							    "not known");
	ret->row.at = work->started_at;
	ret->row.seen_at = work->ended_at != 0 ? work->ended_at : work->started_at;
	return run->run != 0 && job_forge_of(run->repository_id) == DELIVERY_GITLAB &&
	    pipeline_project(ret->of, run->repository);
}

static size_t
add_begun(struct tx *tx, const struct environment_settings *e, struct listed list[SHOWN], size_t n)
{
	struct listed one = { .of = e->of };
	struct deployment works[SHOWN];
	size_t n_works = row_deployment_list_actions(
	    tx, e->name, action_table[ACTION_RUN_PIPELINE].name, works, SHOWN);

	for (size_t i = 0; i < n_works; i++)
		if (read_begun(tx, &works[i], &one))
			n = merge(list, n, &one);
	return n;
}

static size_t
list_runs(struct tx *tx, const struct decide_scope *scope, struct listed list[SHOWN])
{
	struct pipeline_row own[SHOWN];
	struct listed one = { .of = NULL };
	size_t n = 0;

	for (size_t i = 0; i < scope->n; i++) {
		bool is_next = scope->at[i]->of != one.of;
		size_t n_own;

		one.of = scope->at[i]->of;
		n = add_begun(tx, scope->at[i], list, n);
		if (!is_next)
			continue;
		n_own = row_pipeline_list(tx, one.of->application, own, SHOWN);
		for (size_t k = 0; k < n_own; k++) {
			one.row = own[k];
			n = merge(list, n, &one);
		}
	}
	return n;
}

/* Of what has failed its page is shown too. */
static void
add(struct tx *tx, const struct listed *listed, bool is_of_several, struct chat_text *text)
{
	const struct pipeline_run *run = &listed->row.run;
	char url[PIPELINE_URL];
	const struct chat_pipeline is = { .run = run,
		.url = !pipeline_run_is_red(run) ? NULL : pipeline_run_page(listed->of, run, url),
		.at = listed->row.seen_at,
		.now = tx->at,
		.is_of_several = is_of_several,
		.clock = decide_clock(tx, "") };

	chat_pipeline_line(text, &is);
	chat_text_add(text, "\n");
}

void
command_pipelines(struct tx *tx, const struct update *update, const struct request *request)
{
	CLEANUP(decide_scope_done) struct decide_scope scope = { 0 };
	struct listed list[SHOWN];
	struct message message = { 0 };
	struct chat_text text = CHAT_TEXT_EMPTY;
	size_t n;

	if (!decide_scope(tx, update, POLICY_HISTORY, request, &scope))
		return;
	n = list_runs(tx, &scope, list);
	for (size_t i = 0; i < n; i++)
		add(tx, &list[i], scope.is_wide, &text);
	if (n == 0)
		chat_text_add(&text,
		    "Nothing was said of any yet: the webhook has to send \"Workflow runs\" (GitHub) or \"Pipeline events\" (GitLab), too.");
	(void)decide_send_keyboard(tx, update, request, &message, &text);
}
