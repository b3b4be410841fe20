/* github_need.c - which permissions at GitHub are in use, and what for.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "clients/github_need.h"

#include "lib/json.h"
#include "lib/list.h"
#include "types/pipeline.h"
#include "types/settings.h"

/* What every call needs, whatever it asks. */
static bool
always(UNUSED const struct settings *application)
{
	return true;
}

static bool
requires_ci(const struct settings *application)
{
	for (size_t i = 0; i < settings_own_count(application); i++)
		if (application->environments[i].require_ci != NULL &&
		    !list_has(application->environments[i].require_ci, PIPELINE_OF_GITLAB))
			return true;
	return false;
}

static bool
watches(const struct settings *application)
{
	return strcmp(application->github.watch, "none") != 0;
}

static bool
watches_alone(const struct settings *application)
{
	return watches(application) && !requires_ci(application);
}

/* Its own, or the main file's, of which its own settings say nothing. */
static bool
has_webhook(const struct settings *application)
{
	return application->github_webhook_secret != NULL || application->application[0] != '\0';
}

static bool
keeps_gates(const struct settings *application)
{
	return application->github.app_webhook_secret != NULL;
}

static bool
reviews(const struct settings *application)
{
	for (size_t i = 0; i < settings_own_count(application); i++)
		if (application->environments[i].gate_reviewer)
			return true;
	return false;
}

static bool
runs_pipelines(const struct settings *application)
{
	return pipeline_begins(application, DELIVERY_GITHUB);
}

/* Whoever stops one cancels its run.  The workflow that asks may be the main file's. */
static bool
opens_gates(const struct settings *application)
{
	return keeps_gates(application) || reviews(application) ||
	    (application->enable_api_server &&
		settings_text(application, SETTING_PUBLIC_URL) != NULL);
}

static bool
reports(const struct settings *application)
{
	return application->github.reports;
}

const struct github_need github_needs[GITHUB_NEEDS] = {
	{ "metadata", "read", "Metadata: read", "every call", "", false, false, always },
	{ "actions", "read", "Actions: read", "<ENV>_REQUIRE_CI", "/actions/runs?per_page=1", false,
	    false, requires_ci },
	{ "actions", "read", "Actions: read", "WATCH_PIPELINES", "/actions/runs?per_page=1", true,
	    false, watches_alone },
	{ "checks", "read", "Checks: read", "WATCH_PIPELINES",
	    "/commits/HEAD/check-runs?per_page=1", true, false, watches },
	{ "repository_hooks", "write", "Webhooks: write", "redelivery", "/hooks?per_page=1", true,
	    false, has_webhook },
	{ "actions", "read", "Actions: read", "doctor's look at the App's protection rules",
	    "/environments?per_page=100", true, false, keeps_gates },
	{ "deployments", "write", "Deployments: write", "the App's protection rule",
	    "/deployments?per_page=1", false, false, keeps_gates },
	{ "actions", "write", "Actions: write", "PIPELINE_<NAME>", "/actions/runs?per_page=1",
	    false, false, runs_pipelines },
	{ "actions", "write", "Actions: write", "Stop of a gate", "/actions/runs?per_page=1", true,
	    false, opens_gates },
	{ "deployments", "write", "Deployments: write", "REPORT_DEPLOYMENTS",
	    "/deployments?per_page=1", true, false, reports },
	{ "actions", "read", "Actions: read", "<ENV>_GATE_REVIEWER", "/actions/runs?per_page=1",
	    false, true, reviews },
	{ "deployments", "write", "Deployments: write", "<ENV>_GATE_REVIEWER",
	    "/deployments?per_page=1", false, true, reviews },
};

uint32_t
github_needs_of(const struct settings *application)
{
	uint32_t needs = 0;

	for (size_t i = 0; i < GITHUB_NEEDS; i++)
		if (!github_needs[i].is_persons && github_needs[i].is_wanted(application))
			needs |= UINT32_C(1) << i;
	return needs;
}

/* What may be written may be read. */
uint32_t
github_needs_granted(const struct json *permissions)
{
	uint32_t needs = 0;

	for (size_t i = 0; i < GITHUB_NEEDS; i++) {
		const char *level = json_get_str(permissions, github_needs[i].permission);

		if (level != NULL && !github_needs[i].is_persons &&
		    (strcmp(level, github_needs[i].level) == 0 || strcmp(level, "write") == 0))
			needs |= UINT32_C(1) << i;
	}
	return needs;
}

const char *
github_needs_level(uint32_t needs, size_t row)
{
	for (size_t i = row + 1; i < GITHUB_NEEDS; i++)
		if ((needs >> i & 1) != 0 &&
		    strcmp(github_needs[i].permission, github_needs[row].permission) == 0)
			return NULL;
	return (needs >> row & 1) != 0 ? github_needs[row].level : NULL;
}
