/* pipeline.c - lines of workflows that are begun from here, and the words that people give.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "types/pipeline.h"

#include <stdio.h>

#include "lib/err.h"
#include "lib/text.h"
#include "types/forge.h"
#include "types/settings.h"

#define PLAIN "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._/-"

/* The size of the next word behind blanks, to which *at goes; 0: there is none. */
static size_t
next_word(const char **at)
{
	*at += strspn(*at, " ");
	return strcspn(*at, " ");
}

static bool
give(const char *name, const char **words, char out[PIPELINE_WORD], struct err *err)
{
	size_t size = next_word(words);

	if (size == 0)
		return err_set(err, ERR_INVALID, "%s is missing", name);
	if (size >= PIPELINE_WORD || strspn(*words, PLAIN) < size)
		return err_set(err, ERR_INVALID, "%s is a word of 1 to %d of A-Z a-z 0-9 . _ / -",
		    name, PIPELINE_WORD - 1);
	(void)snprintf(out, PIPELINE_WORD, "%.*s", (int)size, *words);
	*words += size;
	return true;
}

/* "NAME=VALUE" */
static bool
add_input(struct pipeline *line, const char *word, size_t size, const char *nonce, struct err *err)
{
	char *name = line->inputs[line->n].name, *value = line->inputs[line->n].value;
	size_t before = strcspn(word, "=");

	(void)snprintf(name, PIPELINE_WORD, "%.*s", (int)before, word); /* each fits */
	(void)snprintf(value, PIPELINE_WORD, "%.*s", (int)(size - before - 1), word + before + 1);
	if (strcmp(name, PIPELINE_OURS) == 0)
		(void)text_copy(value, PIPELINE_WORD, nonce);
	for (size_t i = 0; i < line->n; i++)
		if (text_same_ci(line->inputs[i].name, name))
			return err_set(err, ERR_INVALID, "%s is there twice", name);
	line->n++;
	return true;
}

bool
pipeline_at_gitlab(const struct settings *settings, const char *environment, const char *name,
    const char *repository_id)
{
	const char *line = settings_member_line(settings, environment, FAMILY_PIPELINE, name);

	if (repository_id[0] != '\0')
		return job_forge_of(repository_id) == DELIVERY_GITLAB;
	return line != NULL ? line[0] == '.' :
			      settings_of(settings, environment)->github_repository == NULL;
}

bool
pipeline_begins(const struct settings *application, enum delivery_forge forge)
{
	char names[LIMIT_LINE], name[ENVIRONMENT_ID_MAX];
	const char *at = names;

	(void)settings_names(application, "", FAMILY_PIPELINE, names);
	while (setting_next(&at, name, sizeof(name)))
		if (pipeline_at_gitlab(application, "", name, "") == (forge == DELIVERY_GITLAB))
			return true;
	return false;
}

bool
pipeline_project(const struct settings *application, char ret[LIMIT_REF])
{
	ret[0] = '\0';
	return application->github.gitlab_token != NULL &&
	    forge_path(settings_text(application, SETTING_GITLAB_URL), application->repository_path,
		application->repository_url, ret);
}

bool
pipeline_repository(
    const struct settings *application, enum delivery_forge forge, char ret[LIMIT_REF])
{
	const struct settings_github *github = &application->github;

	if (forge == DELIVERY_GITLAB)
		return pipeline_project(application, ret);
	ret[0] = '\0';
	return forge == DELIVERY_GITHUB && application->github_repository != NULL &&
	    (github->token != NULL || github->app_id != NULL) &&
	    text_copy(ret, LIMIT_REF, application->github_repository);
}

bool
pipeline_read(
    const char *line, const char *words, const char *nonce, struct pipeline *ret, struct err *err)
{
	size_t size = next_word(&line);

	*ret = (struct pipeline){ .n = 0 };
	text_setf(ret->file, "%.*s", (int)size, line);
	line += size;
	size = next_word(&line);
	text_setf(ret->ref, "%.*s", (int)size - 4, line + 4); /* ref= */
	for (line += size; (size = next_word(&line)) > 0; line += size)
		if (!add_input(ret, line, size, nonce, err))
			return false;
	for (size_t i = 0; words != NULL && i < ret->n; i++)
		if (strcmp(ret->inputs[i].value, "?") == 0 &&
		    !give(ret->inputs[i].name, &words, ret->inputs[i].value, err))
			return false;
	return words == NULL || next_word(&words) == 0 ||
	    err_set(err, ERR_INVALID, "%.40s is one word too many", words);
}
