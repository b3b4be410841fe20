/* sim_settings.c - the settings that a history changes between.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "settings/settings_load.h"
#include "tests/sim/sim_inside.h"

#include <sys/stat.h>

#include "types/settings.h"

#define LINES_MAX 16
#define OF_ONE	  6			 /* variants of the application without a name */
#define OF_FEW	  12			 /* ... and of eight; the others are of fifty */
#define MAY_UNTIL INT64_C(1767312000000) /* the end of 2026-01-01 */

static const char *const common[] = {
	"TELEGRAM_BOT_TOKEN=123456:ABCDEFGHIJKLMNOPQRSTUVWXYZ123456789",
	"TELEGRAM_CHAT_ID=-1001",
	"DEPLOY_TIMEOUT_SECONDS=120",
	"RUN_LOGS_KEEP=2",
};

#define SHARED "deploy@h1:22/srv/shared"
#define CONTRACTOR \
	"ROLE_CONTRACTOR_IDS=44", "ROLE_CONTRACTOR_MAY=deploy:shop/staging, status", \
	    "ROLE_CONTRACTOR_UNTIL=2026-01-01"

/* Who may what differs, and is said twice: in the words of the settings, and for the oracle. */
static const struct {
	const char *lines[8];
	int64_t admins[3];
	int64_t staging[3];
	const char *gone;   /* this application's file is not there */
	const char *holder; /* releases its staging to SHARED */
	bool is_contractor; /* is there, until MAY_UNTIL */
} variants[SIM_VARIANTS] = {
	{ { "ADMIN_TELEGRAM_IDS=11,22", "STAGING_TELEGRAM_IDS=33", "POLL_REPOSITORY_SECONDS=60",
	      "STAGING_HEALTH_URL=http://127.0.0.1:1/",
	      "PRODUCTION_HEALTH_URL=http://127.0.0.1:2/" },
	    { 11, 22 }, { 33 }, NULL, NULL, false },
	{ { "ADMIN_TELEGRAM_IDS=11,22", "STAGING_TELEGRAM_IDS=33", "POLL_REPOSITORY_SECONDS=0",
	      "STAGING_HEALTH_URL=http://127.0.0.1:1/,http://127.0.0.1:3/" },
	    { 11, 22 }, { 33 }, NULL, NULL, false },
	{ { "ADMIN_TELEGRAM_IDS=11", "STAGING_TELEGRAM_IDS=22,33", "POLL_REPOSITORY_SECONDS=0",
	      "PRODUCTION_HEALTH_URL=http://127.0.0.1:2/" },
	    { 11 }, { 22, 33 }, NULL, NULL, false },
	{ { "ADMIN_TELEGRAM_IDS=11", "POLL_REPOSITORY_SECONDS=300",
	      "STAGING_HEALTH_URL=http://127.0.0.1:1/", "PRODUCTION_CONFIRM=false" },
	    { 11 }, { 0 }, NULL, NULL, false },
	{ { "ADMIN_TELEGRAM_IDS=11,22", "STAGING_TELEGRAM_IDS=33", "STAGING_CONFIRM=true",
	      "POLL_REPOSITORY_SECONDS=60", "STAGING_HEALTH_URL=http://127.0.0.1:1/",
	      "HEALTH_CHECK_SUCCESSES=1" },
	    { 11, 22 }, { 33 }, NULL, NULL, false },
	{ { "ADMIN_TELEGRAM_IDS=11,22", "STAGING_TELEGRAM_IDS=33", "ENVIRONMENTS=staging",
	      "POLL_REPOSITORY_SECONDS=0", "STAGING_HEALTH_URL=http://127.0.0.1:1/" },
	    { 11, 22 }, { 33 }, NULL, NULL, false },
	{ { "ADMIN_TELEGRAM_IDS=11,22", "STAGING_TELEGRAM_IDS=33", "POLL_REPOSITORY_SECONDS=60",
	      "RUNS_MAX=2", CONTRACTOR },
	    { 11, 22 }, { 33 }, NULL, "web", true },
	{ { "ADMIN_TELEGRAM_IDS=11,22", "STAGING_TELEGRAM_IDS=33", "POLL_REPOSITORY_SECONDS=60" },
	    { 11, 22 }, { 33 }, "mail", "api", false },
	{ { "ADMIN_TELEGRAM_IDS=11", "STAGING_TELEGRAM_IDS=22,33", "POLL_REPOSITORY_SECONDS=0",
	      CONTRACTOR },
	    { 11 }, { 22, 33 }, NULL, "shop", true },
	{ { "ADMIN_TELEGRAM_IDS=11", "POLL_REPOSITORY_SECONDS=300", "RUNS_MAX=3",
	      "APPLICATION_RUNS_MAX=1" },
	    { 11 }, { 0 }, "shop", "api", false },
	{ { "ADMIN_TELEGRAM_IDS=11,22", "STAGING_TELEGRAM_IDS=33", "POLL_REPOSITORY_SECONDS=0",
	      CONTRACTOR },
	    { 11, 22 }, { 33 }, "web", "shop", true },
	{ { "ADMIN_TELEGRAM_IDS=11", "POLL_REPOSITORY_SECONDS=60" }, { 11 }, { 0 }, NULL, "docs",
	    false },
	{ { "ADMIN_TELEGRAM_IDS=11,22", "STAGING_TELEGRAM_IDS=33", "POLL_REPOSITORY_SECONDS=60",
	      "RUNS_MAX=3", CONTRACTOR },
	    { 11, 22 }, { 33 }, "app20", "shop", true },
	{ { "ADMIN_TELEGRAM_IDS=11", "STAGING_TELEGRAM_IDS=22,33", "POLL_REPOSITORY_SECONDS=300" },
	    { 11 }, { 22, 33 }, "shop", "api", false },
};

static struct settings *loaded[SIM_VARIANTS];

/* One application's file.  What is released to SHARED changes: two may want it at a time. */
static void
write_application(int variant, int application, const char *directory)
{
	const char *name = sim_applications[application];
	bool is_holder = strcmp(name, variants[variant].holder) == 0;
	char path[160];
	FILE *file;

	if (variants[variant].gone != NULL && strcmp(name, variants[variant].gone) == 0)
		return;
	(void)snprintf(path, sizeof(path), "%s/%s.env", directory, name);
	file = fopen(path, "we");
	sim_must(file != NULL, path);
	(void)fprintf(file,
	    "GITHUB_REPOSITORY=acme/%s\nSTAGING_HOST=%s\nSTAGING_COMPOSE_DIR=/srv/%s\n"
	    "PRODUCTION_HOST=h3\n",
	    sim_applications[sim_branch(2 * application) / 2], is_holder ? "h1" : "h2",
	    is_holder ? "shared" : name);
	if (application % 3 != 0)
		(void)fprintf(file, "STAGING_HEALTH_URL=http://127.0.0.1:%d/\n", 10 + application);
	if (application % 4 == 1)
		(void)fprintf(file,
		    "PRODUCTION_HEALTH_URL=http://127.0.0.1:%d/\n"
		    "STAGING_CONFIRM=%s\n",
		    30 + application, variant % 2 == 0 ? "true" : "false");
	sim_must(fclose(file) == 0, path);
}

static void
write_applications(int variant, const char *folder, char ret[96])
{
	(void)snprintf(ret, 96, "%s/apps-%d", folder, variant);
	sim_must(mkdir(ret, 0700) == 0, ret);
	for (int a = 1; a <= (variant < OF_FEW ? SIM_FEW : SIM_APPLICATIONS - 1); a++)
		write_application(variant, a, ret);
}

static struct settings *
load(int variant, const char *folder)
{
	char room[LINES_MAX][160], *list[LINES_MAX + 1], apps[96];
	struct settings_report report = { 0 };
	struct settings *settings;
	size_t n = 0;

	for (size_t i = 0; i < COUNT(common); i++)
		(void)snprintf(room[n++], sizeof(room[0]), "%s", common[i]);
	(void)snprintf(room[n++], sizeof(room[0]), "STATE_DIRECTORY=%s", folder);
	if (variant < OF_ONE) {
		(void)snprintf(room[n++], sizeof(room[0]), "GITHUB_REPOSITORY=acme/shop");
	} else {
		write_applications(variant, folder, apps);
		(void)snprintf(room[n++], sizeof(room[0]), "APPS_DIRECTORY=%s", apps);
		(void)snprintf(room[n++], sizeof(room[0]), "REGISTRY_URL=registry.example.com");
	}
	for (size_t i = 0; variants[variant].lines[i] != NULL; i++)
		(void)snprintf(room[n++], sizeof(room[0]), "%s", variants[variant].lines[i]);
	for (size_t i = 0; i < n; i++)
		list[i] = room[i];
	list[n] = NULL;
	if (!settings_load(NULL, list, &settings, &report) ||
	    (variant >= OF_ONE && report.flaws > 0)) {
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

int
sim_settings_draw(struct sim *sim)
{
	int from = sim->n_applications > SIM_FEW ? OF_FEW : sim->is_many ? OF_ONE : 0;
	int end = sim->n_applications > SIM_FEW ? SIM_VARIANTS : sim->is_many ? OF_FEW : OF_ONE;

	return from + (int)sim_draw(sim, (uint32_t)(end - from));
}

int
sim_settings_draw_poor(struct sim *sim)
{
	int variant = sim_settings_draw(sim);

	return sim_one_in(sim, 2) || sim->n_applications > SIM_FEW ? variant : OF_FEW - 1;
}

int
sim_settings_holder(int variant)
{
	int application = 0;

	while (strcmp(sim_applications[application], variants[variant].holder) != 0)
		application++;
	return application;
}

bool
sim_settings_may_lack(int application)
{
	for (int v = OF_ONE; v < SIM_VARIANTS; v++)
		if (variants[v].gone != NULL &&
		    strcmp(variants[v].gone, sim_applications[application]) == 0)
			return true;
	return false;
}

static int
variant_of(const struct settings *settings)
{
	int variant = 0;

	while (loaded[variant] != settings)
		variant++;
	return variant;
}

enum sim_role
sim_settings_role(const struct settings *settings, int64_t person, int environment, int64_t at)
{
	int variant = variant_of(settings);

	for (int i = 0; i < 3; i++) {
		if (variants[variant].admins[i] == person)
			return SIM_MAY_ALL;
		if (variants[variant].staging[i] == person && environment % 2 == 0)
			return SIM_MAY_DEPLOY;
	}
	if (person == SIM_CONTRACTOR && variants[variant].is_contractor && at < MAY_UNTIL &&
	    strcmp(sim_environments[environment], "shop/staging") == 0)
		return SIM_MAY_DEPLOY;
	return SIM_NOBODY;
}

bool
sim_settings_may_look(const struct settings *settings, int64_t person, int environment, int64_t at)
{
	bool is_of_staging = false;

	for (int i = 0; i < 3; i++)
		is_of_staging |= variants[variant_of(settings)].staging[i] == person;
	return is_of_staging || sim_settings_role(settings, person, environment, at) != SIM_NOBODY;
}

const char *
sim_settings_folder(const struct settings *settings, int environment)
{
	const char *holder = variants[variant_of(settings)].holder;
	bool is_holder = holder != NULL && environment % 2 == 0 &&
	    strcmp(sim_applications[environment / 2], holder) == 0;

	return is_holder ? SHARED : NULL;
}
