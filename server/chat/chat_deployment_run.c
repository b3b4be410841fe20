/* chat_deployment_run.c - what its run said: steps, warnings, last lines.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "chat/chat_deployment_inside.h"

#include <stdio.h>

#include "chat/chat_runner.h"
#include "lib/text.h"

#define LEAST_STEP_MS 100 /* what takes less is not worth a line behind its end */

const char *
chat_deployment_last_step(const struct chat_deployment *about)
{
	size_t last = deployment_last_step(about->steps, about->n_steps);

	return last < about->n_steps ? about->steps[last].name : "";
}

/* Where the last n lines begin. */
static const char *
last_lines(const char *text, size_t n)
{
	const char *from = text + strlen(text);

	while (from > text && n > 0) {
		from = memrchr(text, '\n', (size_t)(from - text));
		if (from == NULL)
			return text;
		n--;
	}
	return *from == '\n' ? from + 1 : from;
}

#define SAME_LEAST 16 /* bytes: fewer are alike by chance */

const char *
chat_deployment_without_script(const char *line)
{
	static const char script[] = ".sh: ", ended[] = "exit ";
	const char *name, *behind = text_starts(line, ended) ? line + strlen(ended) : line;

	behind += behind != line ? strspn(behind, "0123456789") : 0;
	if (behind != line && text_starts(behind, ": "))
		line = behind + strlen(": ");
	name = strstr(line, script);
	return name != NULL && strcspn(line, " ") >= (size_t)(name - line) ? name + strlen(script) :
									     line;
}

/* Its bytes without the mark of what was cut. */
static size_t
whole_size(const char *text, size_t size)
{
	static const char cut[] = "…";
	size_t mark = strlen(cut);

	return size >= mark && memcmp(text + size - mark, cut, mark) == 0 ? size - mark : size;
}

/* Does that line of a script say why it failed, as `reason` has it?  Either may be cut. */
static bool
says_reason(const char *line, size_t size, const char *reason)
{
	const char *said = chat_deployment_without_script(line);
	size_t same = 0, room = whole_size(said, size - (size_t)(said - line)), most;

	reason = chat_deployment_without_script(reason);
	most = whole_size(reason, strcspn(reason, "\n"));
	while (same < room && same < most && reason[same] == said[same])
		same++;
	return same >= SAME_LEAST && (same == room || same == most);
}

/* What was said of a failure besides its reason, which stands above. */
static const char *
without_reason(const char *tail, const struct deployment *deployment, char ret[LIMIT_TAIL])
{
	size_t used = 0;

	for (size_t size; *tail != '\0'; tail += size + (tail[size] == '\n')) {
		size = strcspn(tail, "\n");
		if (says_reason(tail, size, deployment->detail))
			continue;
		used += (size_t)snprintf(
		    ret + used, LIMIT_TAIL - used, "%s%.*s", used > 0 ? "\n" : "", (int)size, tail);
	}
	ret[used] = '\0';
	return ret;
}

void
chat_deployment_tail(struct chat_text *text, const struct chat_deployment *about, size_t lines)
{
	const char *tail = about->tail == NULL ? "" : about->tail;
	char rest[LIMIT_TAIL];

	if (lines != TAIL_WHOLE && strlen(tail) < sizeof(rest))
		tail = without_reason(tail, about->deployment, rest);
	tail = last_lines(tail, lines);
	/* One line of a run is the reason already. */
	if (tail[0] == '\0' ||
	    (strchr(tail, '\n') == NULL && about->deployment->why != DEPLOY_WHY_UNHEALTHY))
		return;
	chat_text_lines(text, tail);
}

void
chat_deployment_application_log(struct chat_text *text, const struct chat_deployment *about)
{
	if (about->application_log == NULL || about->application_log[0] == '\0' ||
	    about->application_log_lines == 0)
		return;
	chat_text_add(text, CHAT_SAID_LOGGED);
	chat_text_lines(text, last_lines(about->application_log, about->application_log_lines));
}

char *
chat_deployment_without_log(const char *head, bool is_tail_private)
{
	static const char begins[] = "\n" MARK_PRE, logged[] = CHAT_SAID_LOGGED;
	struct chat_text text = CHAT_TEXT_EMPTY;
	const char *at;

	while ((at = strstr(head, begins)) != NULL) {
		size_t before = (size_t)(at - head), size = strlen(logged);
		const char *end = strchrnul(at + strlen(begins), MARK_PRE[0]);
		bool is_log = before >= size && strncmp(at - size, logged, size) == 0;

		end += *end != '\0';
		buf_add(&text.buf, head, is_log || is_tail_private ? before : (size_t)(end - head));
		if (is_log)
			chat_text_add(&text, " only the grant log shows it");
		else if (is_tail_private)
			chat_text_add(&text,
			    "\nIts last lines may have customers' data: only the grant log shows them.");
		head = end;
	}
	buf_adds(&text.buf, head);
	return chat_text_take(&text);
}

/* One begins no line of ours: it stands behind whose word it is, more behind a mark each. */
static void
add_warnings(struct chat_text *text, const struct run_warnings *warnings, size_t max)
{
	const char *line = warnings->lines;
	char one[LIMIT_LINE];
	int64_t shown = 0;

	for (; *line != '\0' && shown < (int64_t)max; shown++) {
		size_t size = strcspn(line, "\n");

		(void)text_copy(one, size + 1 < sizeof(one) ? size + 1 : sizeof(one), line);
		chat_text_code(text, warnings->said == 1 ? " " : "\n• ", one);
		line += size + (line[size] == '\n');
	}
	if (warnings->said > shown)
		chat_text_add(
		    text, "\n… and %lld more: 📄 Log", (long long)(warnings->said - shown));
}

int64_t
chat_deployment_count_warnings(const struct chat_deployment *about)
{
	return about->warnings == NULL || about->warnings->lines[0] == '\0' ? 0 :
									      about->warnings->said;
}

void
chat_deployment_warnings(struct chat_text *text, const struct chat_deployment *about, size_t max)
{
	const struct deployment *deployment = about->deployment;

	if (chat_deployment_count_warnings(about) == 0)
		return;
	/* Two scripts ran then, and nothing of this one is live. */
	if (deployment->state == DEPLOY_ROLLED_BACK || deployment->state == DEPLOY_ROLLBACK_FAILED)
		chat_text_add(text, "\n⚠️ %s warned:", commit_name_here(COMMIT_OF(deployment)));
	else
		chat_text_add(text, "\n⚠️ the script warned:");
	add_warnings(text, about->warnings, max);
}

void
chat_deployment_warned_live(struct chat_text *text, const struct chat_deployment *about)
{
	if (chat_deployment_count_warnings(about) == 0)
		return;
	chat_text_named(text, "\n⚠️ warned when ", COMMIT_OF(&about->environment->current));
	chat_text_add(text, " went live:");
	add_warnings(text, about->warnings, WARNINGS_SHOWN);
}

void
chat_deployment_failed_step(struct chat_text *text, const struct chat_deployment *about)
{
	chat_text_some(text, "\n✗ ", about->failed_step);
}

#define STEPS_SHOWN 8

/* The one that the last few begin with: of what is about as long all are shown.  Behind a failure
 * what went well is a number. */
static size_t
first_shown(const struct chat_deployment *about, size_t *ret_before)
{
	size_t first = about->n_steps;

	*ret_before = 0;
	for (size_t i = about->n_steps, n = 0; i-- > 0;) {
		if (deployment_is_note(about->steps[i].name))
			continue;
		if (n++ < STEPS_SHOWN)
			first = i;
		else
			++*ret_before;
	}
	if (*ret_before >= STEPS_SHOWN / 2 && about->run_end == RUN_FAILED) {
		*ret_before += STEPS_SHOWN - 1;
		return deployment_last_step(about->steps, about->n_steps);
	}
	if (*ret_before >= STEPS_SHOWN / 2)
		return first;
	*ret_before = 0;
	return 0;
}

/* "0.0 s" says nothing. */
static void
add_took(struct chat_text *text, int64_t ms)
{
	if (ms >= 100)
		chat_text_duration(text, " ", ms);
}

void
chat_deployment_steps(struct chat_text *text, const struct chat_deployment *about)
{
	static const char *const last[] = {
		[RUN_OPEN] = "\n▸ ",
		[RUN_SUCCEEDED] = "\n✓ ",
		[RUN_FAILED] = "\n✗ ",
	};
	size_t before, first = first_shown(about, &before);
	char gone[LIMIT_LINE];

	if (before > 0) {
		chat_text_add(
		    text, "\n✓ %zu steps%s", before, about->run_end == RUN_FAILED ? "" : " before");
		chat_text_duration(text, ", ", about->steps[first].at - about->steps[0].at);
	}
	for (size_t i = first; i < about->n_steps; i++) {
		bool is_last = i == deployment_last_step(about->steps, about->n_steps);

		if (deployment_is_note(about->steps[i].name))
			continue;
		chat_text_outside(
		    text, is_last ? last[about->run_end] : "\n✓ ", about->steps[i].name);
		if (!is_last)
			add_took(text, about->steps[i + 1].at - about->steps[i].at);
	}
	if (about->newest.gone.at != 0)
		chat_text_since(text,
		    chat_runner_gone(about->newest.gone.name, "\n⚠️ its runner", gone),
		    &about->clock, about->newest.gone.at, about->at);
	chat_runner_add_way(text, &about->newest.gone, about->deployment->id);
}

/* What deploy.sh does for itself, however long a busy machine takes: no news of a release. */
static bool
is_housekeeping(const char *step)
{
	return strcmp(step, "clean") == 0 || text_starts(step, "preflight");
}

/* A line of one that is over; false: it says nothing, as it took no time.  A migration is named
 * however quick it was. */
static bool
add_past_step(
    struct chat_text *text, const char *before, const struct chat_deployment *about, size_t i)
{
	const struct step *step = &about->steps[i];
	int64_t end = i + 1 < about->n_steps ? about->steps[i + 1].at : about->deployment->ended_at;

	if (deployment_is_note(step->name) || is_housekeeping(step->name) ||
	    (end - step->at < LEAST_STEP_MS && !text_starts(step->name, "migrate")))
		return false;
	chat_text_add(text, "%s✓ ", before);
	chat_text_outside(text, "", step->name);
	add_took(text, end - step->at);
	return true;
}

void
chat_deployment_folded(struct chat_text *text, const struct chat_deployment *about)
{
	const char *before = "\n" MARK_QUOTE;

	for (size_t i = 0; i < about->n_steps; i++)
		if (add_past_step(text, before, about, i))
			before = "\n";
	if (before[1] == '\0')
		chat_text_add(text, MARK_QUOTE);
}
