/* sim_settings.c - the settings that a history changes between.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "settings/settings_load.h"
#include "tests/sim/sim_inside.h"

#include "types/settings.h"

#define LINES_MAX 16

static const char *const common[] = {
	"TELEGRAM_BOT_TOKEN=123456:ABCDEFGHIJKLMNOPQRSTUVWXYZ123456789",
	"GITHUB_REPOSITORY=acme/shop",
	"TELEGRAM_CHAT_ID=-1001",
	"DEPLOY_TIMEOUT_SECONDS=120",
	"RUN_LOGS_KEEP=2",
};

/* Who may what differs, and is said twice: in the words of the settings, and for the oracle. */
static const struct {
	const char *lines[8];
	int64_t admins[3];
	int64_t staging[3];
} variants[SIM_VARIANTS] = {
	{ { "ADMIN_TELEGRAM_IDS=11,22", "STAGING_TELEGRAM_IDS=33", "POLL_REPOSITORY_SECONDS=60",
	      "STAGING_HEALTH_URL=http://127.0.0.1:1/",
	      "PRODUCTION_HEALTH_URL=http://127.0.0.1:2/" },
	    { 11, 22 }, { 33 } },
	{ { "ADMIN_TELEGRAM_IDS=11,22", "STAGING_TELEGRAM_IDS=33", "POLL_REPOSITORY_SECONDS=0",
	      "STAGING_HEALTH_URL=http://127.0.0.1:1/,http://127.0.0.1:3/" },
	    { 11, 22 }, { 33 } },
	{ { "ADMIN_TELEGRAM_IDS=11", "STAGING_TELEGRAM_IDS=22,33", "POLL_REPOSITORY_SECONDS=0",
	      "PRODUCTION_HEALTH_URL=http://127.0.0.1:2/" },
	    { 11 }, { 22, 33 } },
	{ { "ADMIN_TELEGRAM_IDS=11", "POLL_REPOSITORY_SECONDS=300",
	      "STAGING_HEALTH_URL=http://127.0.0.1:1/", "PRODUCTION_CONFIRM=false" },
	    { 11 }, { 0 } },
	{ { "ADMIN_TELEGRAM_IDS=11,22", "STAGING_TELEGRAM_IDS=33", "STAGING_CONFIRM=true",
	      "POLL_REPOSITORY_SECONDS=60", "STAGING_HEALTH_URL=http://127.0.0.1:1/",
	      "HEALTH_CHECK_SUCCESSES=1" },
	    { 11, 22 }, { 33 } },
	{ { "ADMIN_TELEGRAM_IDS=11,22", "STAGING_TELEGRAM_IDS=33", "ENVIRONMENTS=staging",
	      "POLL_REPOSITORY_SECONDS=0", "STAGING_HEALTH_URL=http://127.0.0.1:1/" },
	    { 11, 22 }, { 33 } },
};

static struct settings *loaded[SIM_VARIANTS];

static struct settings *
load(int variant, const char *folder)
{
	char room[LINES_MAX][160], *list[LINES_MAX + 1];
	struct settings_report report = { 0 };
	struct settings *settings;
	size_t n = 0;

	for (size_t i = 0; i < COUNT(common); i++)
		(void)snprintf(room[n++], sizeof(room[0]), "%s", common[i]);
	(void)snprintf(room[n++], sizeof(room[0]), "STATE_DIRECTORY=%s", folder);
	for (size_t i = 0; variants[variant].lines[i] != NULL; i++)
		(void)snprintf(room[n++], sizeof(room[0]), "%s", variants[variant].lines[i]);
	for (size_t i = 0; i < n; i++)
		list[i] = room[i];
	list[n] = NULL;
	if (!settings_load(NULL, list, &settings, &report)) {
		(void)fprintf(stderr, "settings %d: %s\n", variant, report.lines[0].text);
		abort();
	}
	return settings;
}

void
sim_settings_begin(const char *folder)
{
	for (int i = 0; i < SIM_VARIANTS; i++)
		loaded[i] = load(i, folder);
}

void
sim_settings_end(void)
{
	for (int i = 0; i < SIM_VARIANTS; i++)
		settings_unref(loaded[i]);
}

struct settings *
sim_settings_get(int variant)
{
	return loaded[variant];
}

enum sim_role
sim_settings_role(const struct settings *settings, int64_t person)
{
	int variant = 0;

	while (loaded[variant] != settings)
		variant++;
	for (int i = 0; i < 3; i++) {
		if (variants[variant].admins[i] == person)
			return SIM_MAY_ALL;
		if (variants[variant].staging[i] == person)
			return SIM_MAY_STAGING;
	}
	return SIM_NOBODY;
}
