/* command_pipelines.c - /pipelines [application]: the latest runs of workflows.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "chat/chat_pipeline.h"
#include "commands/commands.h"
#include "decide/decide_page.h"
#include "decide/decide_reply.h"
#include "decide/question/decide_where.h"
#include "store/row_pipeline.h"

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

static size_t
list_runs(struct tx *tx, const struct decide_scope *scope, struct listed list[SHOWN])
{
	struct pipeline_row own[SHOWN];
	struct listed one = { .of = NULL };
	size_t n = 0;

	for (size_t i = 0; i < scope->n; i++) {
		size_t n_own;

		if (scope->at[i]->of == one.of)
			continue;
		one.of = scope->at[i]->of;
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
		add(tx, &list[i], scope.at[0]->of != scope.at[scope.n - 1]->of, &text);
	if (n == 0)
		chat_text_add(&text,
		    "Nothing was said of any yet: the webhook has to send \"Workflow runs\" (GitHub) or \"Pipeline events\" (GitLab), too.");
	(void)decide_send_keyboard(tx, update, request, &message, &text);
}
