/* decide_ci_news.c - a forge has said how workflows stand: what waits for that goes on, or ends.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/queue/decide_ci_news.h"

#include "decide/git/decide_watch.h"
#include "decide/queue/decide_ci.h"
#include "decide/tell/decide_tell.h"
#include "decide/work/decide_deployment.h"
#include "lib/list.h"
#include "lib/text.h"
#include "store/row_deployment.h"
#include "store/row_pipeline.h"
#include "store/row_queue.h"
#include "types/settings.h"

#define ASK_MS	      (30 * INT64_C(1000))     /* of what waits in its place for that alone */
#define ASK_RARELY_MS (5 * 60 * INT64_C(1000)) /* of what somebody is asked about */

/* Nobody is asked about what cannot start: it ends, or shows how it stands. */
static void
look(struct tx *tx, struct deployment *work)
{
	char said[LIMIT_LINE];
	enum decide_ci ci = decide_ci(tx, work, said);
	bool is_push = !deployment_is_by_request(work);

	if (ci == DECIDE_CI_CANCELLED && is_push) {
		text_set(work->detail, "its CI was cancelled");
		(void)decide_step(tx, work, DEPLOY_ON_SUPERSEDE, NULL);
	} else if (ci == DECIDE_CI_FAILED || ci == DECIDE_CI_CANCELLED) {
		work->why = DEPLOY_WHY_CI;
		text_set(work->detail, said);
		(void)decide_step(tx, work, DEPLOY_ON_REFUSE, NULL);
	} else {
		decide_tell(tx, work, NULL);
		row_deployment_save(tx, work);
	}
}

static void
look_at_asked(struct tx *tx, const char *environment, const char *commit)
{
	int64_t id = 0;
	struct deployment work;

	while ((id = row_deployment_next_asked(tx, environment, id)) != 0 && !tx->failed)
		if (strcmp(row_deployment_get(tx, id, &work)->commit, commit) == 0 &&
		    work.state != DEPLOY_QUEUED)
			look(tx, &work);
}

/* --- a webhook says it --- */

/* Where somebody asks for it, or watches it; what is not news changes nothing. */
static void
note_run(struct tx *tx, const struct settings *of, const struct pipeline_run *run)
{
	bool is_watched = decide_watch_wants(of, run), is_asked = is_watched;

	for (size_t i = 0; run->counts && i < settings_own_count(of); i++)
		is_asked |= list_has(of->environments[i].require_ci, run->file);
	if (is_asked && row_pipeline_note(tx, of->application, run) && is_watched)
		decide_watch(tx, of, run);
}

void
decide_ci_note(struct tx *tx, const struct settings *of, const struct pipeline_run *run)
{
	note_run(tx, of, run);
	for (size_t i = 0; run->counts && i < settings_own_count(of); i++) {
		if (!list_has(of->environments[i].require_ci, run->file))
			continue;
		look_at_asked(tx, of->environments[i].name, run->commit);
		row_queue_look(tx, of->environments[i].name);
	}
}

/* --- the forge answers --- */

void
decide_ci_read(struct tx *tx, int64_t work, const struct github_runs_read *read)
{
	const struct environment_settings *environment;
	struct deployment of;
	int64_t pause_ms;
	bool is_asked;

	row_deployment_get(tx, work, &of);
	environment = settings_environment(tx->settings, of.environment);
	for (size_t i = 0; environment != NULL && i < read->n; i++)
		note_run(tx, environment->of, &read->runs[i]);
	is_asked = of.state == DEPLOY_AWAITING_CONFIRMATION || of.state == DEPLOY_AWAITING_APPROVAL;
	if (!is_asked && (of.state != DEPLOY_QUEUED || strcmp(of.waits_for, ROW_QUEUE_CI) != 0))
		return;
	text_setf(of.note, "%.220s", read->why);
	row_deployment_save(tx, &of);
	pause_ms = is_asked ? ASK_RARELY_MS : ASK_MS;
	if (read->retry_after_s * 1000 > pause_ms)
		pause_ms = read->retry_after_s * 1000;
	decide_ci_ask(tx, &of, tx->at + pause_ms);
	if (is_asked)
		look(tx, &of);
	else
		row_queue_look(tx, of.environment);
}
