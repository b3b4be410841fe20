/* decide_pipeline.c - a run at a forge that we begin: it is work, and its end is the work's.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/work/decide_pipeline.h"

#include <inttypes.h>
#include <stdio.h>

#include "decide/tell/decide_tell.h"
#include "decide/work/decide_deployment.h"
#include "decide/work/decide_end.h"
#include "decide/work/decide_executor.h"
#include "lib/buf.h"
#include "lib/clean.h"
#include "lib/text.h"
#include "store/row_deployment.h"
#include "store/row_effect.h"
#include "store/row_work_pipeline.h"
#include "types/repository.h"
#include "types/settings.h"

#define SECOND_MS INT64_C(1000)
#define FIND_MS	  (10 * SECOND_MS)
#define LOST_MS	  (120 * SECOND_MS) /* a run that was begun is listed by then */

/* One decision about one of them. */
struct run {
	struct tx *tx;
	struct deployment work;
	struct work_pipeline_row row;
	bool at_gitlab;
	const char *forge; /* "GitHub" */
	const char *its;   /* "its run": as people call it there */
};

static bool
open_run(struct tx *tx, int64_t work, struct run *ret)
{
	ret->tx = tx;
	ret->row = row_work_pipeline_get(tx, work);
	row_deployment_get(tx, work, &ret->work);
	ret->at_gitlab = pipeline_at_gitlab(
	    tx->settings, ret->work.environment, ret->work.argument, ret->row.repository_id);
	ret->forge = ret->at_gitlab ? "GitLab" : "GitHub";
	ret->its = ret->at_gitlab ? "its pipeline" : "its run";
	return ret->row.work != 0 && deploy_flow_class(ret->work.state) == DEPLOY_CLASS_ACTIVE;
}

/* --- its forge is asked --- */

static void
order(const struct run *run, enum effect_kind kind, bool is_plain, int64_t in_ms)
{
	const struct deployment *work = &run->work;
	struct effect effect = { .kind = kind, .subject = work->id };
	struct effect_forge *forge = &effect.u.forge;

	row_effect_withdraw(run->tx, row_effect_find(run->tx, EFFECT_FORGE_LOOK, work->id));
	forge->run = run->row.run != 0 ? run->row.run : run->row.again;
	forge->at_gitlab = run->at_gitlab;
	forge->is_plain = is_plain;
	forge->not_before = run->tx->at + in_ms;
	text_set(forge->environment, work->environment);
	text_set(forge->pipeline, work->argument);
	text_set(forge->words, run->row.words);
	text_set(forge->nonce, run->row.nonce);
	(void)row_effect_order(run->tx, &effect);
}

/* --- its end --- */

static void
end(struct run *run, enum deploy_event event, enum deploy_why why, const char *before,
    const char *detail)
{
	row_effect_withdraw(run->tx, row_effect_find(run->tx, EFFECT_FORGE_LOOK, run->work.id));
	run->work.why = why;
	if (detail != NULL) /* else as it is */
		text_setf(run->work.detail, "%s%.200s", before, detail);
	(void)decide_step(run->tx, &run->work, event, NULL);
}

static void
end_unknown(struct run *run, const char *detail)
{
	end(run, DEPLOY_ON_SCRIPT_FAILED, DEPLOY_WHY_INTERRUPTED, "", detail);
}

/* The message of what is watched asks that, and there is none of a run that is work. */
static void
ask_what_failed(const struct run *run)
{
	struct effect effect = { .kind = EFFECT_GITHUB_FAILURE, .subject = -run->work.id };
	struct effect_github_failure *what = &effect.u.github_failure;

	what->run = run->row.run;
	what->attempt = run->row.attempt;
	text_set(what->environment, run->work.environment);
	(void)row_effect_order(run->tx, &effect);
}

void
decide_pipeline_failed(struct tx *tx, int64_t id, const char *details)
{
	struct deployment work;
	char *behind = strchr(row_deployment_get(tx, id, &work)->detail, '\0');
	char line[LIMIT_LINE], parts[LIMIT_LINE / 2] = "";
	size_t n = 0;

	if (work.id == 0 || details[0] == '\0')
		return;
	for (const char *at = details; *at != '\0' && n + 3 < sizeof(parts); at++) {
		if (*at == '\n' && at[1] != '\0')
			parts[n++] = ';'; /* what annotates a step stands behind it */
		parts[n++] = *at;
	}
	(void)snprintf(behind, (size_t)(&work.detail[LIMIT_LINE] - behind), ": %s",
	    clean_line(line, sizeof(parts), parts, n));
	decide_tell(tx, &work, NULL);
	row_deployment_save(tx, &work);
}

/* " failed: test › unit", of GitLab with the jobs that failed. */
static void
say_end(const struct pipeline_run *seen, char ret[LIMIT_LINE])
{
	static const struct {
		const char *conclusion, *said;
	} rows[] = { { "failure", " failed" }, { "skipped", " was skipped" },
		{ "startup_failure", " could not start" },
		{ "action_required", " was not let in: action_required" } };
	const char *said = " ended: ", *how = seen->conclusion;
	char line[LIMIT_LINE / 2];

	for (size_t i = 0; i < COUNT(rows); i++)
		if (strcmp(seen->conclusion, rows[i].conclusion) == 0) {
			said = rows[i].said;
			how = "";
		}
	(void)snprintf(ret, LIMIT_LINE, "%s%s%s%s", said, how, seen->failed[0] != '\0' ? ": " : "",
	    clean_line(line, sizeof(line), seen->failed, strlen(seen->failed)));
}

/* As its forge says that it has ended. */
static void
end_by(struct run *run, const struct pipeline_run *seen)
{
	bool is_ours = run->work.state == DEPLOY_STOPPING;
	bool is_late = strcmp(seen->conclusion, "timed_out") == 0;
	char stopped[LIMIT_LINE] = "", said[LIMIT_LINE];

	say_end(seen, said);
	if (is_ours && run->work.note[0] != '\0') /* it was refused, or not answered */
		text_setf(
		    stopped, "in spite of Stop %.80s: %.110s", run->work.detail, run->work.note);
	else if (is_ours)
		text_setf(stopped, DECIDE_STOPPED_TOO_LATE, run->work.detail, run->forge);
	if (pipeline_run_is_green(seen)) {
		run->work.note[0] = '\0';
		end(run, DEPLOY_ON_SCRIPT_OK, DEPLOY_WHY_NONE, "", stopped);
	} else if (strcmp(seen->conclusion, "cancelled") == 0)
		end(run, DEPLOY_ON_SCRIPT_FAILED, DEPLOY_WHY_CANCELLED, "at ",
		    is_ours ? NULL : run->forge);
	else {
		end(run, DEPLOY_ON_SCRIPT_FAILED,
		    is_late ? DEPLOY_WHY_TIMED_OUT : DEPLOY_WHY_SCRIPT, is_late ? "at " : run->its,
		    is_late ? run->forge : said);
		if (!run->at_gitlab)
			ask_what_failed(run);
	}
}

/* --- what is said of it --- */

/* Nothing of an earlier attempt, or of another repository.  What GitLab has begun again makes no
 * new job where another pipeline had failed: what it says when it is looked at counts. */
static void
take(struct run *run, const struct pipeline_run *seen, bool is_looked_at)
{
	struct work_pipeline_row *row = &run->row;
	bool counts = run->at_gitlab && is_looked_at && row->run != 0 &&
	    run->tx->at - run->work.started_at >= FIND_MS;

	if ((seen->attempt < row->attempt && !counts) ||
	    (row->repository_id[0] != '\0' && strcmp(seen->repository_id, row->repository_id) != 0))
		return;
	row->run = seen->run;
	row->attempt = seen->attempt;
	text_set(row->repository_id, seen->repository_id);
	row_work_pipeline_set(run->tx, row);
	if (seen->rank == PIPELINE_IS_OVER)
		end_by(run, seen);
}

/* Of one whose number never came. */
static const char *
say_lost(const struct run *run)
{
	return run->row.attempt == 0 || run->row.again != 0 ?
	    "whether it was started is not known" :
	    run->at_gitlab ? "started; which pipeline it is is not known" :
			     "started; which run it is is not known";
}

/* It goes on; who wants it ended has asked GitHub, or asks now. */
static void
go_on(struct run *run, enum effect_kind asked, const struct forge_said *said)
{
	int64_t began_ms = run->tx->at - run->work.started_at;

	/* Nothing at GitLab shows which of its pipelines is ours, but of what is begun again.  Who
	 * could not look does not know that it is lost. */
	bool is_seen = asked == EFFECT_FORGE_LOOK &&
	    (said->verdict != FORGE_SAYS_NOTHING || run->work.state == DEPLOY_STOPPING);
	bool is_late = began_ms >= action_row_of(run->work.action)->deadline_s * SECOND_MS;
	bool is_lost = (run->at_gitlab && run->row.again == 0) || (is_seen && began_ms >= LOST_MS);

	if (run->row.run == 0 && (is_lost || is_late))
		end_unknown(run, say_lost(run));
	else if (said->verdict == FORGE_SAYS_GONE && run->row.run != 0)
		end_unknown(run, "how it ended is not known: it is not shown there any more");
	else if (is_late)
		end_unknown(run, "not over after 6 hours: it may go on there");
	else if (run->work.state == DEPLOY_STOPPING && run->row.run != 0 &&
	    asked != EFFECT_FORGE_STOP)
		order(run, EFFECT_FORGE_STOP, false, 0);
	else
		order(run, EFFECT_FORGE_LOOK, false,
		    run->row.run == 0 && began_ms < LOST_MS ? FIND_MS :
							      said->retry_after_s * SECOND_MS);
}

/* True: it is begun, or may be. */
static bool
has_begun(struct run *run, const struct effect *effect, const struct forge_said *said)
{
	if (said->verdict == FORGE_SAYS_UNFIT && !effect->u.forge.is_plain) {
		order(run, EFFECT_FORGE_START, true, 0);
		return false;
	}
	if (said->verdict == FORGE_SAYS_NOTHING)
		return true;
	if (said->verdict != FORGE_SAYS_DONE) {
		end(run, DEPLOY_ON_FAILED_BEFORE_RELEASE, DEPLOY_WHY_NOT_STARTED,
		    run->at_gitlab ? "GitLab: " : "GitHub: ", said->why);
		return false;
	}
	run->row.run = run->row.again != 0 ? run->row.again : said->run.run;
	run->row.attempt = run->row.attempt != 0 ? run->row.attempt : 1;
	row_work_pipeline_set(run->tx, &run->row);
	return true;
}

void
decide_pipeline_said(struct tx *tx, const struct forge_said *said)
{
	const struct effect *effect = tx->effect;
	bool is_done = said->verdict == FORGE_SAYS_DONE;
	struct run run;

	if (!open_run(tx, effect->subject, &run) ||
	    (effect->kind == EFFECT_FORGE_START && !has_begun(&run, effect, said)))
		return;
	if (effect->kind == EFFECT_FORGE_LOOK && is_done)
		take(&run, &said->run, true);
	if (run.work.ended_at != 0)
		return;
	text_setf(run.work.note, "%s%s%.200s", is_done ? "" : run.forge, is_done ? "" : ": ",
	    is_done ? "" : said->why);
	decide_tell(tx, &run.work, NULL);
	row_deployment_save(tx, &run.work);
	go_on(&run, effect->kind, said);
}

/* An application's own webhook speaks for its repository alone, whatever number it says. */
void
decide_pipeline_seen(
    struct tx *tx, const struct settings *application, const struct pipeline_run *seen)
{
	enum delivery_forge forge = job_forge_of(seen->repository_id);
	struct run run;

	if (!open_run(tx, row_work_pipeline_of_run(tx, seen->run), &run) ||
	    settings_of(tx->settings, run.work.environment) != application)
		return;
	if (run.at_gitlab == (forge == DELIVERY_GITLAB) &&
	    repository_is_called(application, forge, seen->repository))
		take(&run, seen, false);
}

const char *
decide_pipeline_since(struct tx *tx, int64_t work, char ret[LIMIT_LINE])
{
	const struct work_pipeline_row row = row_work_pipeline_get(tx, work);
	int64_t run = row.again != 0 ? row.again : row.run;
	struct deployment last;

	row_deployment_get(tx, row_work_pipeline_begun(tx, row.repository_id, run, 0), &last);
	ret[0] = '\0';
	if (last.state == DEPLOY_DONE || deploy_flow_class(last.state) == DEPLOY_CLASS_ACTIVE)
		(void)snprintf(ret, LIMIT_LINE, "%s: #%" PRId64,
		    last.state == DEPLOY_DONE ? "passed since" : "runs again already", last.id);
	return ret;
}

/* --- as an executor --- */

/* Whoever waited for its turn may have seen another attempt begin, whose end is not its own. */
static void
begin(struct tx *tx, int64_t work)
{
	struct run run;
	int64_t last;
	char since[LIMIT_LINE];

	if (!open_run(tx, work, &run))
		return;
	if (decide_pipeline_since(tx, work, since)[0] != '\0') { /* while it waited */
		end(&run, DEPLOY_ON_FAILED_BEFORE_RELEASE, DEPLOY_WHY_NOT_STARTED, "", since);
		return;
	}
	last = row_work_pipeline_attempt(tx, run.work.environment, run.row.again);
	if (last >= run.row.attempt && last != 0) {
		run.row.attempt = last + 1;
		row_work_pipeline_set(tx, &run.row);
	}
	order(&run, EFFECT_FORGE_START, false, 0);
}

static bool
will_end(struct tx *tx, int64_t work)
{
	return row_effect_find(tx, EFFECT_FORGE_START, work) != 0 ||
	    row_effect_find(tx, EFFECT_FORGE_STOP, work) != 0 ||
	    row_effect_find(tx, EFFECT_FORGE_LOOK, work) != 0;
}

/* A run that is not known yet is stopped when it is. */
static void
stop(struct tx *tx, int64_t work)
{
	struct run run;

	if (open_run(tx, work, &run) && run.row.run != 0)
		order(&run, EFFECT_FORGE_STOP, false, 0);
}

/* --- what is shown of it, and approved --- */

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

static bool
exists(struct tx *tx, const struct deployment *work)
{
	return read_pipeline(tx, work, &(struct pipeline){ .n = 0 });
}

/* Where it is, as far as its page needs that; returns its repository. */
static const char *
name_run(const struct settings *of, bool at_gitlab, struct pipeline_run *run)
{
	if (at_gitlab) {
		(void)pipeline_project(of, run->repository);
		text_set(run->repository_id, job_forges[DELIVERY_GITLAB].mark);
	} else if (of->github_repository != NULL) {
		text_set(run->repository, of->github_repository);
	}
	return run->repository[0] != '\0' ? run->repository : "?";
}

/* All that it is begun with; of a run that is known its page. */
static void
touches(struct tx *tx, const struct deployment *work, char out[DECIDE_TOUCHES])
{
	const struct work_pipeline_row row = row_work_pipeline_get(tx, work->id);
	const struct settings *of = settings_of(tx->settings, work->environment);
	struct pipeline_run run = { .run = row.run != 0 ? row.run : row.again };
	bool at_gitlab =
	    pipeline_at_gitlab(tx->settings, work->environment, work->argument, row.repository_id);
	const char *repository = name_run(of, at_gitlab, &run);
	CLEANUP(buf_done) struct buf text = buf_make(DECIDE_TOUCHES - 1);
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
}

/* All that it is begun with, as it is shown. */
static void
bind_what_is_shown(struct tx *tx, const struct deployment *work, struct buf *all)
{
	char shown[DECIDE_TOUCHES];

	touches(tx, work, shown);
	buf_adds(all, shown);
}

__attribute__((constructor)) static void
register_executor(void)
{
	static const struct decide_executor executor = { .begin = begin,
		.will_end = will_end,
		.stop = stop,
		.exists = exists,
		.touches = touches,
		.bind = bind_what_is_shown };

	decide_executor_add(ACTION_BY_PIPELINE, &executor);
}

void
decide_pipelines_look(struct tx *tx)
{
	int64_t id = 0;
	struct run run;

	while ((id = row_work_pipeline_next(tx, "", id)) != 0 && !tx->failed)
		if (open_run(tx, id, &run) && !will_end(tx, id) && run.row.run != 0)
			order(&run, EFFECT_FORGE_LOOK, false, 0);
		else if (!will_end(tx, id))
			decide_give_up(tx, &run.work, "it was not running when deploybot started");
}
