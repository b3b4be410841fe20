/* command_show.c - /show <number>: the whole story of one deployment, rollback or action.  Side: store. */
/* SPDX-License-Identifier: ISC */

#include "chat/chat_deployment_show.h"
#include "commands/commands.h"
#include "decide/who/decide_allowed.h"
#include "decide/queue/decide_barrier.h"
#include "decide/queue/decide_ci.h"
#include "decide/decide_chat.h"
#include "decide/git/decide_history.h"
#include "decide/decide_page.h"
#include "decide/decide_reply.h"
#include "decide/question/decide_where.h"
#include "decide/work/decide_action.h"
#include "decide/work/decide_promotion.h"
#include "lib/mem.h"
#include "store/row_approval.h"
#include "store/row_audit.h"
#include "store/row_block.h"
#include "store/row_environment.h"
#include "store/row_run.h"
#include "store/row_runner.h"

#define LOOK_MS	   (24 * 3600 * INT64_C(1000))
#define LOGS_SHOWN 4

/* Rows that its text is made of. */
struct shown {
	struct deployment work; /* as whoever asked may see it */
	struct environment environment;
	struct block block;
	struct promotion promotion;
	struct barrier barriers[BARRIERS_SHOWN];
	struct approval approvals[NEEDS_APPROVALS_MAX];
	struct run_row rows[CHAT_SHOW_RUNS + 1];
	struct chat_show_run runs[CHAT_SHOW_RUNS + 1];
	struct step steps[CHAT_SHOW_RUNS][LIMIT_STEPS];
	struct run_warnings warnings;
	int64_t audit[CHAT_SHOW_AUDIT + 1];
	char audit_head[LIMIT_AUDIT_HEAD];
	char ci[LIMIT_LINE];
	char touches[DECIDE_TOUCHES];
};

/* Where it was asked for; "": that is not known.  What was pressed in the team's chat goes on
 * there, as does what no chat was asked for: of before it had a trigger of its own, its requester's
 * number says so. */
static const char *
where(struct tx *tx, const struct deployment *work)
{
	bool is_team = work->address.chat == decide_chat_of(tx, work->environment);
	int64_t by = work->requested_by;

	if (work->trigger == TRIGGER_API || principal_token(by) != 0)
		return "over the API";
	if (work->trigger == TRIGGER_LOCAL || (by < 0 && !principal_is_program(by)))
		return "on the machine";
	if (!deployment_is_by_request(work) || (is_team && work->request == 0))
		return "";
	if (work->address.chat > 0)
		return "in private";
	return is_team ? "in the team's chat" : "in another group";
}

static size_t
list_runs(struct tx *tx, const struct deployment *work, struct shown *shown)
{
	size_t n = row_run_list_all(tx, work->id, shown->rows, CHAT_SHOW_RUNS + 1);

	for (size_t i = 0; i < n && i < CHAT_SHOW_RUNS; i++) {
		shown->runs[i] = (struct chat_show_run){
			.id = shown->rows[i].id,
			.program = shown->rows[i].program,
			.times = row_run_times(tx, shown->rows[i].id),
			.gone = row_runner_gone(tx, shown->rows[i].id),
			.steps = shown->steps[i],
			.n_steps =
			    row_step_list(tx, shown->rows[i].id, shown->steps[i], LIMIT_STEPS),
		};
		memcpy(shown->runs[i].runner, shown->rows[i].runner, LIMIT_RUNNER);
	}
	return n;
}

/* The steps of its newest run, which its first line is made of. */
static void
find_newest(const struct shown *shown, size_t n, struct chat_deployment *about)
{
	for (size_t i = 0; i < n && i < CHAT_SHOW_RUNS; i++)
		if (shown->runs[i].id == shown->work.run) {
			about->steps = shown->runs[i].steps;
			about->n_steps = shown->runs[i].n_steps;
		}
}

/* NULL: it is none; from "": they may not see where it comes from. */
static const struct promotion *
find_promotion(struct tx *tx, int64_t person, struct shown *shown)
{
	struct promotion *promotion = decide_promotion_of(tx, &shown->work, &shown->promotion);

	if (promotion->from[0] == '\0')
		return NULL;
	if (!decide_promotion_is_seen(tx, person, promotion))
		promotion->from[0] = '\0';
	return promotion;
}

static void
tell(struct tx *tx, const struct deployment *work, int64_t person, struct shown *shown,
    struct chat_text *text)
{
	static const struct chat_approvals none = { 0 };
	bool is_elsewhere = deployment_is_gate(work) || deployment_is_pipeline(work);
	size_t n_runs = list_runs(tx, work, shown);
	size_t n_audit = row_audit_list(tx, work->id, shown->audit, CHAT_SHOW_AUDIT + 1);
	bool is_blocked = work->commit[0] != '\0' &&
	    row_block_find(tx, work->environment, work->commit, &shown->block);
	struct chat_deployment about = {
		.deployment = &shown->work,
		.environment = &shown->environment,
		.block = is_blocked ? &shown->block : NULL,
		.promotion = find_promotion(tx, person, shown),
		.warnings = row_deployment_warnings(tx, work->id, &shown->warnings),
		.run_end = row_run_end(tx, work->run),
		.barriers = shown->barriers,
		.approvals = work->why == DEPLOY_WHY_UNAPPROVED ? &none : NULL,
		.touches = is_elsewhere ? decide_action_touches(tx, work, shown->touches) :
					  decide_ci_line(tx, work, shown->ci),
		.rollback_not_started =
		    work->state == DEPLOY_ROLLBACK_FAILED && row_run_changed_nothing(tx, work->run),
		.clock = decide_clock(tx, work->environment),
		.at = tx->at,
	};
	struct chat_show is = {
		.about = &about,
		.is = decide_history(tx, work),
		.where = where(tx, work),
		.approvals = shown->approvals,
		.n_approvals = row_approval_list(tx, work->id, shown->approvals),
		.runs = shown->runs,
		.n_runs = n_runs < CHAT_SHOW_RUNS ? n_runs : CHAT_SHOW_RUNS,
		.has_more_runs = n_runs > CHAT_SHOW_RUNS,
		.audit = shown->audit,
		.n_audit = n_audit < CHAT_SHOW_AUDIT ? n_audit : CHAT_SHOW_AUDIT,
		.has_more_audit = n_audit > CHAT_SHOW_AUDIT,
		.audit_head = shown->audit_head,
	};

	if (is.n_audit > 0)
		row_audit_head_of(tx, is.audit[is.n_audit - 1], shown->audit_head);
	row_environment_get(tx, work->environment, &shown->environment);
	if (deployment_is_left_unhealthy(work) && shown->environment.unknown_since == 0)
		about.n_barriers = decide_list_barriers(tx, work, shown->barriers);
	find_newest(shown, n_runs, &about);
	chat_show(text, &is);
}

/* For who may read them; and back to where it was pressed. */
static void
add_buttons(struct tx *tx, const struct update *update, const struct request *request,
    const struct deployment *work, const char *target, const struct shown *shown,
    struct buttons *buttons)
{
	struct request back = request_of("history", target);

	if (decide_is_answered(update))
		return;
	for (size_t i = 0; i < COUNT(shown->rows) && shown->rows[i].id != 0 &&
	     decide_is_allowed(tx, update->person, POLICY_LOG, target) && buttons->n < LOGS_SHOWN;
	     i++) {
		const struct run_row *run = &shown->rows[i];
		struct request log = request_about("log", "run", run->id);

		if (!run->is_purged && run->program != PROGRAM_DRAIN)
			decide_own_button(tx, update, &log, LOOK_MS,
			    run->program != work->program ? "📄 Rollback log" : "📄 Log", buttons);
	}
	buttons_add_copy(buttons, /* the text has 7 digits */
	    work->source == SOURCE_UPLOAD ? "📋 Copy the digest" : "📋 Copy the commit",
	    work->commit);
	if (request->message != 0)
		decide_own_button(tx, update, &back, LOOK_MS, "◀ history", buttons);
}

static void
show(struct tx *tx, const struct update *update, const struct request *request,
    const struct deployment *work, const char *target)
{
	struct message message = { 0 };
	CLEANUP(freep) struct shown *shown = mem_new(1, sizeof(*shown));
	struct chat_text text = CHAT_TEXT_EMPTY;

	shown->work = *work;
	decide_hide(tx, update->person, &shown->work);
	tell(tx, work, update->person, shown, &text);
	add_buttons(tx, update, request, work, target, shown, &message.buttons);
	(void)decide_send_keyboard(tx, update, request, &message, &text);
}

void
command_show(struct tx *tx, const struct update *update, const struct request *request)
{
	char rest[LIMIT_REF];
	int64_t number;
	struct deployment work;
	const char *target;

	number = decide_work(tx, update, request, rest, &work);
	target = work.id != 0 ? deployment_target_here(&work) : "";
	if (!deployment_is_of(&work, update->person) &&
	    !decide_may_begin(tx, update, POLICY_HISTORY, target))
		return;
	if (work.id != 0) {
		show(tx, update, request, &work, target);
		return;
	}
	decide_answer_no(tx, update);
	if (number == 0)
		(void)decide_sendf(tx, &update->address,
		    "Which one? /show needs a number: " MARK_CODE "/history" MARK_CODE
		    " lists the latest.");
	else
		(void)decide_sendf(tx, &update->address,
		    "There is no deployment of that number: " MARK_CODE "/history" MARK_CODE
		    " lists the latest.");
}
