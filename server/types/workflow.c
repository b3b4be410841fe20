/* workflow.c - workflows of the settings, and which of them a token's claims are of.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "types/workflow.h"

#include "lib/clean.h"
#include "lib/err.h"
#include "lib/json.h"
#include "lib/list.h"
#include "lib/text.h"
#include "types/job.h"
#include "types/repository.h"
#include "types/settings_member.h"

bool
workflow_next(const struct settings *s, size_t *at, struct workflow *ret)
{
	const struct settings_member *member;
	const struct settings *of;

	while ((member = settings_member_next(s, FAMILY_WORKFLOW, at, &of)) != NULL) {
		*ret = (struct workflow){
			.id = member->id,
			.is = settings_own(member, WORKFLOW_SETTING_IS)->text,
			.key = { .values = { settings_own(member, WORKFLOW_SETTING_KEY)->text,
				     settings_own(member, WORKFLOW_SETTING_KEY_PREVIOUS)->text },
			    .application = of->application },
			.may = settings_own(member, WORKFLOW_SETTING_MAY)->text,
			.application = of->application,
		};
		(void)setting_name("WORKFLOW_<NAME>_KEY", member->name, ret->key.name);
		if ((ret->is != NULL || ret->key.values[0] != NULL) && ret->may != NULL)
			return true;
	}
	return false;
}

/* --- lines --- */

static bool
take_word(const char *word, size_t size, char *out, size_t room, struct err *err)
{
	if (out[0] != '\0')
		return err_set(err, ERR_INVALID, "%.*s: is there twice", (int)size, word);
	if (size >= room)
		return err_set(err, ERR_LIMIT, "%.60s…: longer than %zu bytes", word, room - 1);
	memcpy(out, word, size);
	out[size] = '\0';
	return true;
}

/* One of those behind the file: "environment=production". */
static bool
take_option(const char *word, size_t size, struct workflow_line *ret, struct err *err)
{
	const struct {
		const char *name;
		char *out;
	} options[] = { { "environment=", ret->environment }, { "reusable=", ret->reusable },
		{ "events=", ret->events } };

	for (size_t i = 0; i < COUNT(options); i++) {
		size_t name = strlen(options[i].name);

		if (size > name && strncmp(word, options[i].name, name) == 0)
			return take_word(
			    word + name, size - name, options[i].out, WORKFLOW_WORD, err);
	}
	return err_set(
	    err, ERR_INVALID, "%.*s: expected environment=, reusable= or events=", (int)size, word);
}

/* "merge_request_event", "external_pull_request_event": what is not merged yet, and whose project_*
 * are a fork's (gitlab#563038). */
static bool
is_never(const struct workflow_line *line, const char *event, size_t size)
{
	static const char end[] = "_request_event";

	return line->forge == DELIVERY_GITLAB && size >= strlen(end) &&
	    strncmp(event + size - strlen(end), end, strlen(end)) == 0;
}

bool
workflow_line_read(const char *is, struct workflow_line *ret, struct err *err)
{
	struct workflow_line line = { .forge = text_starts(is, "gitlab ") ? DELIVERY_GITLAB :
									    DELIVERY_GITHUB };
	size_t n = 0;

	for (const char *word = is; *word != '\0'; n++) {
		size_t size = strcspn(word, " ");

		if ((n == 1 &&
			!take_word(word, size, line.repository, sizeof(line.repository), err)) ||
		    (n == 2 && !take_word(word, size, line.file, sizeof(line.file), err)) ||
		    (n > 2 && !take_option(word, size, &line, err)))
			return false;
		word += size;
		word += strspn(word, " ");
	}
	for (const char *event = line.events; *event != '\0'; event += *event == ',') {
		size_t size = strcspn(event, ",");

		if (is_never(&line, event, size))
			return err_set(err, ERR_INVALID, "events=%.*s: no merge request is let in",
			    (int)size, event);
		event += size;
	}
	*ret = line;
	return true;
}

/* Behind that in a text; NULL: it does not begin so, or is none. */
static const char *
behind(const char *text, const char *start)
{
	return text != NULL && start != NULL && text_starts(text, start) ? text + strlen(start) :
									   NULL;
}

static const char *
behind_slash(const char *text)
{
	const char *slash = text == NULL ? NULL : strchr(text, '/');

	return slash == NULL ? NULL : slash + 1;
}

/* Of "octo/shop/.github/workflows/deploy.yml@refs/heads/main" "deploy.yml@refs/heads/main",
 * whatever owner and name are; of "gitlab.com/group/shop//.gitlab-ci.yml@refs/heads/main", of that
 * very project, what is behind //.  NULL: it is of no file there. */
static const char *
file_of(enum delivery_forge forge, const struct json *claims)
{
	const char *value = behind_slash(json_get_str(claims, job_forges[forge].file));

	if (forge == DELIVERY_GITHUB)
		return behind(behind_slash(value), ".github/workflows/");
	return behind(behind(value, json_get_str(claims, job_forges[forge].repository)), "//");
}

static bool
is_protected(const struct json *claims)
{
	return json_has(claims, "ref_protected", "true");
}

const char *
workflow_of(enum delivery_forge forge, const struct json *claims, char ret[LIMIT_LINE])
{
	const struct job_forge *of = &job_forges[forge];
	const char *repository = json_get_str(claims, of->repository_id);
	const char *file = file_of(forge, claims), *event = json_get_str(claims, of->event);
	char text[LIMIT_LINE];

	text_setf(text, "%s %.20s %.150s, by %.40s%s", delivery_forge_word(forge),
	    repository != NULL ? repository : "?", file != NULL ? file : "?",
	    event != NULL ? event : "?",
	    forge == DELIVERY_GITLAB && !is_protected(claims) ? ", of a ref that is not protected" :
								"");
	/* Of a letter that was cut nothing. */
	return clean_line(ret, LIMIT_LINE, text, strlen(text));
}

const char *
workflow_issuer(const struct settings *s, enum delivery_forge forge)
{
	return settings_text(
	    s, forge == DELIVERY_GITLAB ? SETTING_GITLAB_URL : SETTING_GITHUB_TOKEN_ISSUER);
}

bool
workflow_is_any(const struct settings *s, enum delivery_forge forge)
{
	struct workflow workflow;
	struct workflow_line line;

	for (size_t at = 0; workflow_next(s, &at, &workflow);)
		if (workflow.is != NULL && workflow_line_read(workflow.is, &line, NULL) &&
		    line.forge == forge)
			return true;
	return false;
}

bool
workflow_is_of(const struct settings *s, const char *id, const char *repository_id)
{
	char number[JOB_MARK + JOB_NUMBER];
	struct workflow workflow;
	struct workflow_line line;

	for (size_t at = 0; workflow_next(s, &at, &workflow);) {
		number[0] = '\0';
		if ((id != NULL && strcmp(workflow.id, id) != 0) ||
		    (workflow.is != NULL && !workflow_line_read(workflow.is, &line, NULL)))
			continue;
		if (workflow.is != NULL)
			text_setf(number, "%s%s", job_forges[line.forge].mark,
			    line.repository); /* it fits */
		if (strcmp(number, repository_id) == 0)
			return true;
	}
	return false;
}

/* What outsiders can cause only a line that names it lets in. */
static bool
lets_event(const struct workflow_line *line, const char *event)
{
	return event != NULL && !is_never(line, event, strlen(event)) &&
	    (job_actor_of(line->forge, event) != JOB_ACTOR_OUTSIDE ||
		list_has(line->events, event));
}

/* What GitLab says besides: whoever may push to the project may push to a ref that is not
 * protected, and a fork's job may run in another project. */
static bool
is_of_its_own(const struct json *claims, const char *file)
{
	const char *project = json_get_str(claims, "project_id"), *at = strchr(file, '@');

	return is_protected(claims) && at != NULL && json_has(claims, "ref_path", at + 1) &&
	    (json_get(claims, "job_project_id") == NULL ||
		json_has(claims, "job_project_id", project));
}

bool
workflow_line_matches(const struct workflow_line *line, const struct json *claims)
{
	const struct job_forge *of = &job_forges[line->forge];
	const char *file = file_of(line->forge, claims);

	return json_has(claims, of->repository_id, line->repository) && file != NULL &&
	    strcmp(file, line->file) == 0 &&
	    (line->forge == DELIVERY_GITHUB || is_of_its_own(claims, file)) &&
	    (line->environment[0] == '\0' || json_has(claims, "environment", line->environment)) &&
	    (line->reusable[0] == '\0' || json_has(claims, "job_workflow_ref", line->reusable)) &&
	    lets_event(line, json_get_str(claims, of->event));
}

/* Where one says nothing any will do. */
static bool
can_be_same(const char *a, const char *b)
{
	return a[0] == '\0' || b[0] == '\0' || strcmp(a, b) == 0;
}

bool
workflow_lines_meet(const struct workflow_line *a, const struct workflow_line *b)
{
	return a->forge == b->forge && strcmp(a->repository, b->repository) == 0 &&
	    strcmp(a->file, b->file) == 0 && can_be_same(a->environment, b->environment) &&
	    can_be_same(a->reusable, b->reusable);
}

/* Of several lines that of the main file counts, else that of the application whose repository it
 * is: whoever has another file keeps no job out. */
static bool
is_nearer(const struct settings *s, enum delivery_forge forge, const struct json *claims,
    const struct workflow *workflow)
{
	const char *repository = json_get_str(claims, job_forges[forge].repository);
	const struct settings *of = settings_application(s, workflow->application);

	return workflow->application[0] == '\0' ||
	    (of != NULL && repository != NULL && repository_is_called(of, forge, repository));
}

size_t
workflow_find(const struct settings *s, enum delivery_forge forge, const struct json *claims,
    struct workflow *ret)
{
	struct workflow workflow, near = { .id = NULL };
	size_t n = 0, n_near = 0, n_main = 0;
	struct workflow_line line;

	for (size_t at = 0; workflow_next(s, &at, &workflow);) {
		if (workflow.is == NULL || !workflow_line_read(workflow.is, &line, NULL) ||
		    line.forge != forge || !workflow_line_matches(&line, claims))
			continue;
		if (n++ == 0)
			*ret = workflow;
		n_main += workflow.application[0] == '\0';
		if (is_nearer(s, forge, claims, &workflow) && n_near++ == 0)
			near = workflow;
	}
	if (n > 1 && (n_near == 1 || n_main == 1)) { /* the main file's are the first */
		*ret = near;
		return 1;
	}
	return n;
}
