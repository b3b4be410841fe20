/* github_need.c - which permissions at GitHub are in use, and what for.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "clients/github_need.h"

#include "lib/json.h"
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
		if (application->environments[i].require_ci != NULL)
			return true;
	return false;
}

const struct github_need github_needs[GITHUB_NEEDS] = {
	{ "metadata", "read", "Metadata: read", "every call", "", always },
	{ "actions", "read", "Actions: read", "<ENV>_REQUIRE_CI", "/actions/runs?per_page=1",
	    requires_ci },
};

uint32_t
github_needs_of(const struct settings *application)
{
	uint32_t needs = 0;

	for (size_t i = 0; i < GITHUB_NEEDS; i++)
		needs |= (uint32_t)github_needs[i].is_wanted(application) << i;
	return needs;
}

/* What may be written may be read. */
uint32_t
github_needs_granted(const struct json *permissions)
{
	uint32_t needs = 0;

	for (size_t i = 0; i < GITHUB_NEEDS; i++) {
		const char *level = json_get_str(permissions, github_needs[i].permission);

		if (level != NULL &&
		    (strcmp(level, github_needs[i].level) == 0 || strcmp(level, "write") == 0))
			needs |= UINT32_C(1) << i;
	}
	return needs;
}
