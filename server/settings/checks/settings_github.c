/* settings_github.c - what GitHub's API is asked with: the App's key, and whose address gets what.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "lib/crypto_rsa.h"
#include "lib/err.h"
#include "lib/list.h"
#include "settings/settings_inside.h"
#include "types/pipeline.h"

static void
check_key(struct settings_loader *l, const char *pem)
{
	CLEANUP(crypto_rsa_freep) struct crypto_rsa *key = NULL;
	struct err err;

	key = crypto_rsa_new_private(pem, strlen(pem), &err);
	if (key == NULL)
		settings_say(l->report, SETTINGS_ERROR, "GITHUB_APP_KEY: %s", err.text);
}

/* At GitLab one pipeline has all jobs of a commit. */
static const char *
missing_at_gitlab(const struct settings *s, const char *files)
{
	char project[LIMIT_REF];

	if (strchr(files, ',') != NULL)
		return "to name " PIPELINE_OF_GITLAB " alone, and no file of GitHub's";
	if (s->github.gitlab_token == NULL)
		return "GITLAB_API_TOKEN, to ask GitLab how its pipelines stand";
	if (!pipeline_project(s, project))
		return "a GITLAB_URL whose host is REPOSITORY_URL's; of a URL without one REPOSITORY_PATH";
	return NULL;
}

const char *
settings_forge_missing(const struct settings *s, const char *files)
{
	if (list_has(files, PIPELINE_OF_GITLAB))
		return missing_at_gitlab(s, files);
	if (s->github.app_id == NULL && s->github.token == NULL)
		return "GITHUB_APP_ID or GITHUB_API_TOKEN, to ask GitHub how its runs stand; GitLab's pipeline is called .gitlab-ci.yml";
	return s->github_repository == NULL ? "GITHUB_REPOSITORY, which is not set" : NULL;
}

void
settings_check_github(struct settings_loader *l)
{
	const struct settings *s = l->s;
	char project[LIMIT_REF];

	if (s->github_repository != NULL && pipeline_project(s, project))
		settings_say(l->report, SETTINGS_WARNING,
		    "GITHUB_REPOSITORY: is set, and REPOSITORY_URL is at GITLAB_URL: deployments are shown at GitHub, and a webhook of GitLab's needs REPOSITORY_PATH");
	if (l->main == NULL && s->github.app_key != NULL)
		check_key(l, s->github.app_key);
	if (s->github.token == NULL && settings_is_given(s, SETTING_GITHUB_API_TOKEN))
		settings_say(l->report, SETTINGS_ERROR,
		    "GITHUB_API_URL: an address of this application's own, which does not get the main file's GITHUB_API_TOKEN: set one here too");
}
