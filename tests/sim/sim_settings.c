/* sim_settings.c - the settings that a history changes between.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "settings/sources/settings_load.h"
#include "tests/sim/sim_agent.h"
#include "tests/sim/sim_two.h"

#include <sys/stat.h>

#include "tests/unit/jwt_aid.h"
#include "types/principal.h"
#include "types/settings.h"

#define LINES_MAX 112
#define OF_ONE	  SIM_OF_ONE
#define OF_FEW	  18			 /* ... and of eight; the others are of fifty */
#define MAY_UNTIL INT64_C(1767312000000) /* the end of 2026-01-01 */

static const char *const common[] = {
	"TELEGRAM_BOT_TOKEN=123456:ABCDEFGHIJKLMNOPQRSTUVWXYZ123456789",
	"DEPLOY_TIMEOUT_SECONDS=120",
	"RUN_LOGS_KEEP=2",
	"LOCAL_GAMES_IS=11",
	"PERSON_22_GITHUB=" SIM_MONA,
	"PERSON_22_GITLAB=" SIM_MONA,
};

/* Two are an environment, one is a target of its own. */
static const char *const clients[] = {
	"CLIENTS=acme,beta,solo",
	"CLIENT_ACME_ENVIRONMENT=staging",
	"CLIENT_ACME_ACTIONS=service-status,disk-free,reload-nginx,restart-web",
	"CLIENT_ACME_WEB_UNIT=web.service",
	"CLIENT_BETA_HOST=h9",
	"CLIENT_BETA_ACTIONS=reload-nginx",
	"CLIENT_BETA_ENVIRONMENT=staging",
	"CLIENT_SOLO_ACTIONS=service-status,reload-nginx,restart-web,cf-under-attack,cf-normal",
	"CLIENT_SOLO_CLOUDFLARE_ZONE=0123456789abcdef0123456789abcdef",
	"CLOUDFLARE_API_TOKEN=cf-token-0123456789abcdefghijklmnopqrstuv",
	"JOB_MIGRATE=bin/migrate --all",
	"CLIENT_SOLO_WEB_UNIT=web.service",
};

/* Of acme and of solo: by ssh, or by an agent. */
static const char *const hosts[OF_ONE][2] = {
	[0] = { "CLIENT_ACME_HOST=agent:acme", "CLIENT_SOLO_HOST=agent:solo" },
	[1] = { "CLIENT_ACME_HOST=h9", "CLIENT_SOLO_HOST=agent:solo" },
	[3] = { "CLIENT_ACME_HOST=agent:acme", "CLIENT_SOLO_HOST=web@h8" },
	[4] = { "CLIENT_ACME_HOST=h9", "CLIENT_SOLO_HOST=agent:solo" },
	[6] = { "CLIENT_ACME_HOST=agent:acme", "CLIENT_SOLO_HOST=agent:solo" },
	[7] = { "CLIENT_ACME_HOST=agent:acme", "CLIENT_SOLO_HOST=agent:solo" },
};

#define MINUTE_MS     INT64_C(60000)
#define WEEK_MINUTES  (7 * 24 * 60)
#define THURSDAY_MS   INT64_C(1767225600000) /* 00:00 UTC: when all histories begin */
#define MAN_IS	      "LOCAL_MAN_IS=role admin"
#define FREEZE_OFTEN  "STAGING_FREEZE=Thu 00:01-Thu 00:03, Thu 00:05-Thu 00:09, Thu 00:20-Thu 00:35"
#define FREEZE_SELDOM "STAGING_FREEZE=Thu 00:02-Thu 00:06, Thu 00:30-Thu 00:40"

/* What these lines say, in minutes of the week. */
struct minutes {
	int from, to;
};
static const struct minutes often[] = { { 1, 3 }, { 5, 9 }, { 20, 35 }, { 0, 0 } };
static const struct minutes seldom[] = { { 2, 6 }, { 30, 40 }, { 0, 0 } };

#define LEADS \
	"ROLE_LEAD_IDS=55,66", \
	    "ROLE_LEAD_MAY=approve:staging, approve:production, approve:client/*, status"
#define LEAD "ROLE_LEAD_IDS=55", "ROLE_LEAD_MAY=approve:staging, approve:production, status"
#define LEADS_OF_MANY \
	"ROLE_LEAD_IDS=55,66", "ROLE_LEAD_MAY=approve:*/staging, approve:*/production, status"
#define LEAD_OF_MANY \
	"ROLE_LEAD_IDS=66", "ROLE_LEAD_MAY=approve:*/staging, approve:*/production, status"

/* How many approve what, of staging and of production. */
struct approvals {
	int of[2];
	int of_rollback[2];
	bool is_leads_alone; /* in production */
	int64_t leads[2];    /* may approve, beside admins */
	int of_solo;	     /* an action there */
};
static const struct approvals approvals_of[SIM_VARIANTS] = {
	[6] = { { 1, 1 }, { 0, 0 }, false, { 55, 66 }, 1 },
	[7] = { { 2, 2 }, { 0, 1 }, true, { 55, 66 }, 2 },
	[8] = { { 2, 0 }, { 1, 0 }, false, { 55 }, 0 },
	[14] = { { 1, 2 }, { 0, 0 }, false, { 55, 66 }, 0 },
	[15] = { { 2, 0 }, { 1, 0 }, false, { 66 }, 0 },
	[16] = { { 1, 1 }, { 0, 0 }, true, { 55, 66 }, 0 },
};

/* Who gets the audit, and after how many minutes without it nothing new starts; 0: it does. */
const char *const sim_buckets[SIM_BUCKETS] = { "acme-audit", "acme-archive" };
static const struct {
	const char *bucket;
	int64_t minutes;
} witnesses[SIM_VARIANTS] = {
	[1] = { "acme-audit", 2 },
	[3] = { "acme-audit", 0 },
	[4] = { "acme-audit", 3 },
	[6] = { "acme-archive", 2 },
	[10] = { "acme-audit", 2 },
	[13] = { "acme-archive", 0 },
	[15] = { "acme-audit", 3 },
	[18] = { "acme-audit", 3 },
};

/* What jobs of the workflow may, in staging and in production. */
static const struct {
	const char *may;
	bool deploys[2], gates[2];
} workflows[SIM_VARIANTS] = {
	[0] = { "deploy:staging, gate:production", { true, false }, { false, true } },
	[1] = { "gate:*", { false, false }, { true, true } },
	[2] = { "deploy:*, gate:staging", { true, true }, { true, false } },
	[3] = { "deploy:*, gate:*", { true, true }, { true, true } },
	[4] = { "deploy:production, gate:*", { false, true }, { true, true } },
	[6] = { "deploy:staging, gate:*", { true, false }, { true, true } },
	[7] = { "deploy:*, gate:production", { true, true }, { false, true } },
	[10] = { "deploy:*/staging, gate:*/*", { true, false }, { true, true } },
	[12] = { "deploy:*/*, gate:*/*", { true, true }, { true, true } },
	[14] = { "deploy:*/*, gate:*/production", { true, true }, { false, true } },
	[16] = { "gate:*/*", { false, false }, { true, true } },
	[18] = { "deploy:*/staging, gate:*/production", { true, false }, { false, true } },
};

/* Whose CI has to pass. */
static const char *const required[SIM_VARIANTS] = {
	[0] = "PRODUCTION",
	[3] = "STAGING",
	[4] = "STAGING",
	[6] = "PRODUCTION",
	[8] = "STAGING",
};

/* Without TELEGRAM_CHAT_ID. */
static const bool has_no_group[SIM_VARIANTS] = {
	[1] = true, [7] = true, [8] = true, [11] = true, [16] = true, [19] = true
};

#define NAG    "STAGING_ROLLBACK_NAG_MINUTES=1"
#define SHARED "deploy@h1:22/srv/shared"
#define CONTRACTOR \
	"ROLE_CONTRACTOR_IDS=44", "ROLE_CONTRACTOR_MAY=deploy:shop/staging, status", \
	    "ROLE_CONTRACTOR_UNTIL=2026-01-01"

/* Who may what differs, and is said twice: in the words of the settings, and for the oracle. */
static const struct {
	const char *lines[14];
	int64_t admins[3];
	int64_t staging[3];
	const char *gone;	      /* this application's file is not there */
	const char *holder;	      /* releases its staging to SHARED */
	bool is_contractor;	      /* is there, until MAY_UNTIL */
	bool is_man;		      /* MAN_IS */
	const struct minutes *freeze; /* of staging; NULL: none */
} variants[SIM_VARIANTS] = {
	{ { "ADMIN_TELEGRAM_IDS=11,22", "STAGING_TELEGRAM_IDS=33", "POLL_REPOSITORY_SECONDS=60",
	      "STAGING_HEALTH_URL=http://127.0.0.1:1/", "PRODUCTION_HEALTH_URL=http://127.0.0.1:2/",
	      "PIN_STATUS=true", MAN_IS, "PRODUCTION_RUNNER=build-1" },
	    { 11, 22 }, { 33 }, NULL, NULL, false, true, NULL },
	{ { "ADMIN_TELEGRAM_IDS=11,22", "STAGING_TELEGRAM_IDS=33", "POLL_REPOSITORY_SECONDS=0",
	      "STAGING_HEALTH_URL=http://127.0.0.1:1/,http://127.0.0.1:3/", "COST_LIMIT_PER_USER=3",
	      "ROLE_RATE_LIMIT=6" },
	    { 11, 22 }, { 33 }, NULL, NULL, false, false, NULL },
	{ { "ADMIN_TELEGRAM_IDS=11", "STAGING_TELEGRAM_IDS=22,33", "POLL_REPOSITORY_SECONDS=0",
	      "PRODUCTION_HEALTH_URL=http://127.0.0.1:2/", FREEZE_OFTEN, "STAGING_RUNNER=build-1" },
	    { 11 }, { 22, 33 }, NULL, NULL, false, false, often },
	{ { "ADMIN_TELEGRAM_IDS=11", "POLL_REPOSITORY_SECONDS=300",
	      "STAGING_HEALTH_URL=http://127.0.0.1:1/", "PRODUCTION_CONFIRM=false",
	      "ROLE_RATE_LIMIT=6", "STAGING_RUNNER=build-1" },
	    { 11 }, { 0 }, NULL, NULL, false, false, NULL },
	{ { "ADMIN_TELEGRAM_IDS=11,22", "STAGING_TELEGRAM_IDS=33", "STAGING_CONFIRM=true",
	      "POLL_REPOSITORY_SECONDS=60", "STAGING_HEALTH_URL=http://127.0.0.1:1/",
	      "HEALTH_CHECK_SUCCESSES=1", "PIN_STATUS=true", FREEZE_SELDOM, MAN_IS, NAG },
	    { 11, 22 }, { 33 }, NULL, NULL, false, true, seldom },
	{ { "ADMIN_TELEGRAM_IDS=11,22", "STAGING_TELEGRAM_IDS=33", "ENVIRONMENTS=staging",
	      "POLL_REPOSITORY_SECONDS=0", "STAGING_HEALTH_URL=http://127.0.0.1:1/",
	      "ROLE_RATE_LIMIT=12" },
	    { 11, 22 }, { 33 }, NULL, NULL, false, false, NULL },
	{ { "ADMIN_TELEGRAM_IDS=11,22", "STAGING_TELEGRAM_IDS=33", "POLL_REPOSITORY_SECONDS=60",
	      "STAGING_HEALTH_URL=http://127.0.0.1:1/", "STAGING_APPROVALS=1",
	      "PRODUCTION_APPROVALS=1", "APPROVAL_TIMEOUT=10m", LEADS, MAN_IS,
	      "CLIENT_SOLO_APPROVALS=1", "STAGING_RUNNER=build-1", "PRODUCTION_RUNNER=build-1" },
	    { 11, 22 }, { 33 }, NULL, NULL, false, true, NULL },
	{ { "ADMIN_TELEGRAM_IDS=11", "STAGING_TELEGRAM_IDS=22,33", "POLL_REPOSITORY_SECONDS=0",
	      "PRODUCTION_HEALTH_URL=http://127.0.0.1:2/", "STAGING_APPROVALS=2",
	      "PRODUCTION_APPROVALS=2", "PRODUCTION_ROLLBACK_APPROVALS=1",
	      "PRODUCTION_APPROVERS=lead", LEADS, "CLIENT_SOLO_APPROVALS=2",
	      "STAGING_RUNNER=build-1" },
	    { 11 }, { 22, 33 }, NULL, NULL, false, false, NULL },
	{ { "ADMIN_TELEGRAM_IDS=11,22", "STAGING_TELEGRAM_IDS=33", "POLL_REPOSITORY_SECONDS=60",
	      "STAGING_CONFIRM=true", "STAGING_APPROVALS=2", "STAGING_ROLLBACK_APPROVALS=1",
	      "APPROVAL_TIMEOUT=1h", LEAD },
	    { 11, 22 }, { 33 }, NULL, NULL, false, false, NULL },
	{ { "ADMIN_TELEGRAM_IDS=11,22", "STAGING_TELEGRAM_IDS=33", "POLL_REPOSITORY_SECONDS=60",
	      "RUNS_MAX=2", CONTRACTOR, FREEZE_OFTEN, MAN_IS },
	    { 11, 22 }, { 33 }, NULL, "web", true, true, often },
	{ { "ADMIN_TELEGRAM_IDS=11,22", "STAGING_TELEGRAM_IDS=33", "POLL_REPOSITORY_SECONDS=60",
	      "PIN_STATUS=true", MAN_IS },
	    { 11, 22 }, { 33 }, "mail", "api", false, true, NULL },
	{ { "ADMIN_TELEGRAM_IDS=11", "STAGING_TELEGRAM_IDS=22,33", "POLL_REPOSITORY_SECONDS=0",
	      CONTRACTOR, "COST_LIMIT_PER_USER=2" },
	    { 11 }, { 22, 33 }, NULL, "shop", true, false, NULL },
	{ { "ADMIN_TELEGRAM_IDS=11", "POLL_REPOSITORY_SECONDS=300", "RUNS_MAX=3",
	      "APPLICATION_RUNS_MAX=1", MAN_IS, "ROLE_RATE_LIMIT=6" },
	    { 11 }, { 0 }, "shop", "api", false, true, NULL },
	{ { "ADMIN_TELEGRAM_IDS=11,22", "STAGING_TELEGRAM_IDS=33", "POLL_REPOSITORY_SECONDS=0",
	      CONTRACTOR, FREEZE_SELDOM },
	    { 11, 22 }, { 33 }, "web", "shop", true, false, seldom },
	{ { "ADMIN_TELEGRAM_IDS=11,22", "STAGING_TELEGRAM_IDS=33", "POLL_REPOSITORY_SECONDS=60",
	      "STAGING_APPROVALS=1", "PRODUCTION_APPROVALS=2", "APPROVAL_TIMEOUT=10m",
	      LEADS_OF_MANY, CONTRACTOR, MAN_IS },
	    { 11, 22 }, { 33 }, NULL, "web", true, true, NULL },
	{ { "ADMIN_TELEGRAM_IDS=11,22", "STAGING_TELEGRAM_IDS=33", "POLL_REPOSITORY_SECONDS=0",
	      "RUNS_MAX=2", "STAGING_APPROVALS=2", "STAGING_ROLLBACK_APPROVALS=1", FREEZE_SELDOM,
	      LEAD_OF_MANY },
	    { 11, 22 }, { 33 }, "mail", "shop", false, false, seldom },
	{ { "ADMIN_TELEGRAM_IDS=11", "STAGING_TELEGRAM_IDS=22,33", "POLL_REPOSITORY_SECONDS=60",
	      "STAGING_APPROVALS=1", "PRODUCTION_APPROVALS=1", "PRODUCTION_APPROVERS=lead",
	      LEADS_OF_MANY },
	    { 11 }, { 22, 33 }, NULL, "api", false, false, NULL },
	{ { "ADMIN_TELEGRAM_IDS=11", "POLL_REPOSITORY_SECONDS=60", MAN_IS }, { 11 }, { 0 }, NULL,
	    "docs", false, true, NULL },
	{ { "ADMIN_TELEGRAM_IDS=11,22", "STAGING_TELEGRAM_IDS=33", "POLL_REPOSITORY_SECONDS=60",
	      "RUNS_MAX=3", CONTRACTOR, FREEZE_OFTEN, MAN_IS },
	    { 11, 22 }, { 33 }, "app20", "shop", true, true, often },
	{ { "ADMIN_TELEGRAM_IDS=11", "STAGING_TELEGRAM_IDS=22,33", "POLL_REPOSITORY_SECONDS=300",
	      "COST_LIMIT_PER_USER=4" },
	    { 11 }, { 22, 33 }, "shop", "api", false, false, NULL },
};

/* Of whose machine, at which forge; those of two servers are read when they are asked for. */
static struct settings *all[SIM_PLACES][2][SIM_VARIANTS];
static int loads_for = SIM_ALONE; /* who leads, in this history */
static bool loads_at_gitlab;

/* One application's file.  What is released to SHARED changes: two may want it at a time. */
static void
write_application(int variant, int application, const char *directory)
{
	const char *name = sim_applications[application];
	bool is_holder = strcmp(name, variants[variant].holder) == 0;
	char path[SIM_LINE];
	FILE *file;

	if (variants[variant].gone != NULL && strcmp(name, variants[variant].gone) == 0)
		return;
	(void)snprintf(path, sizeof(path), "%s/%s.env", directory, name);
	file = fopen(path, "we");
	sim_must(file != NULL, path);
	(void)fprintf(file,
	    "GITHUB_REPOSITORY=acme/%s\nSTAGING_HOST=%s\nSTAGING_COMPOSE_DIR=/srv/%s\n"
	    "PRODUCTION_HOST=h3\nSTAGING_UPLOADS=unproven\nPRODUCTION_UPLOADS=unproven\n",
	    sim_applications[sim_branch(2 * application) / 2], is_holder ? "h1" : "h2",
	    is_holder ? "shared" : name);
	(void)fprintf(file, "ROLE_BEARER_IDS=%d\nROLE_BEARER_MAY=\"%s\"\n", SIM_BEARER,
	    strcmp(name, "shop") == 0 ? "deploy:staging, status" : "*:*");
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

/* Of the one repository: at each forge, and what its workflow, its CI and its runs are there. */
static const struct forge_lines {
	const char *repository[4], *workflow[4], *pipelines[3], *ci[3];
} forges[] = {
	{ { "GITHUB_REPOSITORY=acme/shop" },
	    { "WORKFLOW_SHIP_IS=github 100 ship.yml@refs/heads/main", "GITHUB_APP_ID=1",
		"GITHUB_APP_WEBHOOK_SECRET=0123456789abcdef0123456789abcdef" },
	    { "PIPELINE_RELEASE=release.yml ref=main channel=stable version=?",
		"PIPELINE_NIGHTLY=nightly.yml ref=main deploybot=?" },
	    { "CI_WAIT_MINUTES=10", "GITHUB_API_TOKEN=ghp_0123456789abcdef" } },
	{ { "REPOSITORY_URL=https://gitlab.com/acme/shop.git",
	      "FORGE_WEBHOOK_SECRET=0123456789abcdef0123456789abcdef",
	      "GITLAB_API_TOKEN=glpat-0123456789abcdef" },
	    { "WORKFLOW_SHIP_IS=gitlab 100 .gitlab-ci.yml@refs/heads/main" },
	    { "PIPELINE_RELEASE=.gitlab-ci.yml ref=main channel=stable version=?",
		"PIPELINE_NIGHTLY=.gitlab-ci.yml ref=main" },
	    { "CI_WAIT_MINUTES=10" } },
};

static void
add_lines(char room[LINES_MAX][SIM_LINE], size_t *n, const char *const *lines)
{
	for (; *lines != NULL; lines++)
		(void)snprintf(room[(*n)++], sizeof(room[0]), "%s", *lines);
}

static struct settings *
load(int variant, bool at_gitlab, int whose)
{
	const char *folder = sim_files_folder(whose);
	const struct forge_lines *forge = &forges[at_gitlab ? 1 : 0];
	char room[LINES_MAX][SIM_LINE], *list[LINES_MAX + 2], apps[96], key[4096], *may, *words;
	struct settings_report report = { 0 };
	bool is_local = variant < OF_ONE && sim_fleet_of(variant) == NULL;
	struct settings *settings;
	size_t n = 0;

	for (size_t i = 0; i < COUNT(common); i++)
		(void)snprintf(room[n++], sizeof(room[0]), "%s", common[i]);
	if (!has_no_group[variant])
		(void)snprintf(room[n++], sizeof(room[0]), "TELEGRAM_CHAT_ID=-1001");
	(void)snprintf(room[n++], sizeof(room[0]), "STATE_DIRECTORY=%s", folder);
	(void)snprintf(room[n++], sizeof(room[0]), "TOTP_KEY_FILE=%s/totp.key", folder);
	if (variants[variant].staging[0] != 0) /* else there is no such role */
		(void)snprintf(room[n++], sizeof(room[0]), "LOCAL_WWW_DATA_IS=role staging");
	for (size_t i = 0; sim_agents_line(i) != NULL; i++)
		(void)snprintf(room[n++], sizeof(room[0]), "%s", sim_agents_line(i));
	for (size_t i = 0; sim_two_line(whose, is_local, i) != NULL; i++)
		(void)snprintf(room[n++], sizeof(room[0]), "%s", sim_two_line(whose, is_local, i));
	for (size_t i = 0; variant < OF_ONE && variant % 3 != 2 && i < COUNT(clients); i++)
		(void)snprintf(room[n++], sizeof(room[0]), "%s", clients[i]);
	for (size_t i = 0; variant < OF_ONE && variant % 3 != 2 && i < 2; i++)
		(void)snprintf(room[n++], sizeof(room[0]), "%s", hosts[variant][i]);
	if (variant < OF_ONE && whose == SIM_ALONE) /* else nobody knows what builds one */
		(void)snprintf(room[n++], sizeof(room[0]), "STAGING_UPLOADS=unproven");
	if (variant < OF_ONE) {
		add_lines(room, &n, forge->repository);
	} else {
		write_applications(variant, folder, apps);
		(void)snprintf(room[n++], sizeof(room[0]), "APPS_DIRECTORY=%s", apps);
		(void)snprintf(room[n++], sizeof(room[0]), "REGISTRY_URL=registry.example.com");
		(void)snprintf(room[n++], sizeof(room[0]), "LOCAL_PROXY_IS=role shop:bearer");
		(void)snprintf(room[n++], sizeof(room[0]), "ENABLE_TOKEN_AUTH=true");
		(void)snprintf(room[n++], sizeof(room[0]), "AUTH_TOKEN_SECRET=" SIM_TOKEN_KEY);
	}
	if (witnesses[variant].bucket != NULL) {
		(void)snprintf(
		    room[n++], sizeof(room[0]), "AUDIT_S3_BUCKET=%s", witnesses[variant].bucket);
		(void)snprintf(room[n++], sizeof(room[0]), "AUDIT_S3_REGION=eu-central-1");
		(void)snprintf(room[n++], sizeof(room[0]), "AUDIT_WITNESS_MAX_MINUTES=%" PRId64,
		    witnesses[variant].minutes);
	}
	if (sim_settings_codes(variant) != NULL)
		(void)snprintf(
		    room[n++], sizeof(room[0]), "REQUIRE_OTP=%s", sim_settings_codes(variant));
	if (workflows[variant].may != NULL) {
		(void)snprintf(room[n++], sizeof(room[0]), "ENABLE_API_SERVER=true");
		(void)snprintf(room[n++], sizeof(room[0]), "PUBLIC_URL=https://bot.example.org");
		words = room[n];
		add_lines(room, &n, forge->workflow);
		if (sim_settings_is_narrow(variant))
			(void)snprintf(words + strlen(words), sizeof(room[0]) - strlen(words), "%s",
			    " environment=live");
		may = room[n++];
		(void)snprintf(
		    may, sizeof(room[0]), "WORKFLOW_SHIP_MAY=%s", workflows[variant].may);
		n += sim_settings_add_loans(variant, &room[n], may);
		if (variant < OF_ONE)
			add_lines(room, &n, forge->pipelines);
	}
	for (int name = 0; name < SIM_NOTIFIED_NAMES; name++)
		add_lines(room, &n, sim_notify_lines(variant, name));
	if (sim_fleet_of(variant) != NULL)
		n += sim_fleet_add_lines(variant, &room[n]);
	if (variant % 3 == 0)
		(void)snprintf(room[n++], sizeof(room[0]),
		    "OPA_URL=http://127.0.0.1:8181/v1/data/deploybot/allow");
	if (variant % 4 == 1)
		add_lines(room, &n,
		    (const char *const[]){ "PROMETHEUS_URL=http://127.0.0.1:9090",
			"STAGING_BAKE=3m", "STAGING_BAKE_QUERY=errors: e > 1%",
			"STAGING_BAKE_PRESENT=up", NAG, NULL });
	if (required[variant] != NULL) {
		(void)snprintf(room[n++], sizeof(room[0]), "%s_REQUIRE_CI=%s", required[variant],
		    at_gitlab ? PIPELINE_OF_GITLAB : "ci.yml");
		add_lines(room, &n, forge->ci);
	}
	for (size_t i = 0; variants[variant].lines[i] != NULL; i++)
		(void)snprintf(room[n++], sizeof(room[0]), "%s", variants[variant].lines[i]);
	for (size_t i = 0; i < n; i++)
		list[i] = room[i];
	list[n] = workflows[variant].may != NULL && !at_gitlab ? key : NULL;
	list[n + 1] = NULL;
	(void)snprintf(
	    key, sizeof(key), "GITHUB_APP_KEY=%.*s", (int)strlen(jwt_aid_key) - 1, jwt_aid_key);
	if (!settings_load(NULL, list, &settings, &report) ||
	    (variant >= OF_ONE && report.flaws > 0)) {
		for (size_t i = 0; i < report.count; i++)
			(void)fprintf(stderr, "settings %d: %s\n", variant, report.lines[i].text);
		abort();
	}
	return settings;
}

static void
write_key(const char *folder)
{
	char path[SIM_LINE];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/totp.key", folder);
	file = fopen(path, "we");
	sim_must(file != NULL, path);
	(void)fprintf(file, "%064d\n", 7);
	sim_must(fclose(file) == 0, path);
}

static struct settings *
get(int whose, bool at_gitlab, int variant)
{
	struct settings **of = &all[whose][at_gitlab][variant];

	if (*of == NULL)
		*of = at_gitlab && variant >= OF_ONE ? settings_ref(get(whose, false, variant)) :
						       load(variant, at_gitlab, whose);
	return *of;
}

void
sim_settings_begin(const char *folder)
{
	sim_files_place(folder);
	for (int whose = 0; whose < SIM_PLACES; whose++)
		write_key(sim_files_folder(whose));
	for (int i = 0; i < SIM_VARIANTS; i++) {
		(void)get(SIM_ALONE, false, i);
		(void)get(SIM_ALONE, true, i);
	}
	loads_for = SIM_ALONE;
	loads_at_gitlab = false;
}

void
sim_settings_end(void)
{
	struct settings **each = all[0][0];

	for (size_t i = 0; i < sizeof(all) / sizeof(*each); i++) {
		settings_unref(each[i]);
		each[i] = NULL;
	}
}

void
sim_settings_play(const struct sim *sim)
{
	loads_for = sim_two_leads();
	loads_at_gitlab = sim->at_gitlab;
}

struct settings *
sim_settings_get(int variant)
{
	return get(loads_for, loads_at_gitlab, variant);
}

int
sim_settings_draw(struct sim *sim)
{
	int from = sim->n_applications > SIM_FEW ? OF_FEW : sim->is_many ? OF_ONE : 0;
	int end = sim->n_applications > SIM_FEW ? SIM_VARIANTS : sim->is_many ? OF_FEW : OF_ONE;

	int variant = from + (int)sim_draw(sim, (uint32_t)(end - from));

	while (sim->day == SIM_DAY_CALM &&
	    (approvals_of[variant].leads[0] != 0 || sim_settings_codes(variant) != NULL))
		variant = from + (int)sim_draw(sim, (uint32_t)(end - from));
	return variant;
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

int
sim_settings_variant(const struct settings *settings)
{
	int variant = 0;

	while (all[loads_for][loads_at_gitlab][variant] != settings)
		variant++;
	return variant;
}

bool
sim_settings_has_group(const struct settings *settings)
{
	return !has_no_group[sim_settings_variant(settings)];
}

/* By the role of that name in the file of shop, and by no other. */
static bool
is_bearer(int variant, int64_t person)
{
	const char *gone = variants[variant].gone;

	return variant >= OF_ONE && (gone == NULL || strcmp(gone, "shop") != 0) &&
	    (person == principal_of_user(SIM_UID_PROXY) || person == SIM_ROOT_AS_BEARER ||
		person == SIM_TOKEN);
}

/* Users of the machine, and root. */
static enum sim_role
role_of_local(int variant, int64_t person, int environment)
{
	bool is_staging =
	    person == principal_of_user(SIM_UID_WWW_DATA) || person == SIM_ROOT_AS_STAGING;

	if (person == SIM_ROOT_AS_ADMIN ||
	    (variants[variant].is_man && person == principal_of_user(SIM_UID_MAN)))
		return SIM_MAY_ALL;
	if (person == SIM_WORKFLOW)
		return environment != SIM_CLIENT && workflows[variant].deploys[environment % 2] ?
		    SIM_MAY_DEPLOY :
		    SIM_NOBODY;
	if (is_bearer(variant, person))
		return strcmp(sim_environments[environment], "shop/staging") == 0 ? SIM_MAY_DEPLOY :
										    SIM_NOBODY;
	return is_staging && variants[variant].staging[0] != 0 && environment % 2 == 0 ?
	    SIM_MAY_DEPLOY :
	    SIM_NOBODY;
}

/* In the file of shop it is one grant, in the others' all of their own. */
static enum sim_role
role_of_bearer(int variant, int environment)
{
	const char *application = sim_applications[environment == SIM_CLIENT ? 0 : environment / 2];
	const char *gone = variants[variant].gone;

	if (variant < OF_ONE || environment < 2 || environment == SIM_CLIENT ||
	    (gone != NULL && strcmp(gone, application) == 0))
		return SIM_NOBODY;
	if (strcmp(application, "shop") != 0)
		return SIM_MAY_ALL;
	return environment % 2 == 0 ? SIM_MAY_DEPLOY : SIM_NOBODY;
}

enum sim_role
sim_settings_role(const struct settings *settings, int64_t person, int environment, int64_t at)
{
	int variant = sim_settings_variant(settings);

	if (person < 0)
		return role_of_local(variant, person, environment);
	if (person == SIM_BEARER)
		return role_of_bearer(variant, environment);
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
sim_settings_has_workflow(const struct settings *settings)
{
	return workflows[sim_settings_variant(settings)].may != NULL;
}

bool
sim_settings_may_gate(const struct settings *settings, int environment)
{
	return environment != SIM_CLIENT &&
	    workflows[sim_settings_variant(settings)].gates[environment % 2];
}

static bool
is_lead(int variant, int64_t person)
{
	const int64_t *leads = approvals_of[variant].leads;

	return person > 0 && (leads[0] == person || leads[1] == person);
}

bool
sim_settings_may_look(const struct settings *settings, int64_t person, int environment, int64_t at)
{
	bool is_of_staging =
	    role_of_local(sim_settings_variant(settings), person, 0) != SIM_NOBODY ||
	    is_lead(sim_settings_variant(settings), person);

	for (int i = 0; i < 3; i++)
		is_of_staging |= variants[sim_settings_variant(settings)].staging[i] == person;
	return is_of_staging || sim_settings_role(settings, person, environment, at) != SIM_NOBODY;
}

bool
sim_settings_may_approve(
    const struct settings *settings, int64_t person, int environment, int64_t at)
{
	int variant = sim_settings_variant(settings);
	bool is_leads_alone = approvals_of[variant].is_leads_alone && environment % 2 == 1;

	return is_lead(variant, person) ||
	    (person > 0 && !is_leads_alone &&
		sim_settings_role(settings, person, environment, at) == SIM_MAY_ALL);
}

int
sim_settings_approvals(const struct settings *settings, int environment, bool is_rollback)
{
	const struct approvals *approvals = &approvals_of[sim_settings_variant(settings)];

	return is_rollback ? approvals->of_rollback[environment % 2] :
			     approvals->of[environment % 2];
}

int
sim_settings_approvals_of_solo(const struct settings *settings)
{
	return approvals_of[sim_settings_variant(settings)].of_solo;
}

const char *
sim_settings_witness(const struct settings *settings, int64_t *ret_minutes)
{
	int variant = sim_settings_variant(settings);

	if (ret_minutes != NULL)
		*ret_minutes = witnesses[variant].minutes;
	return witnesses[variant].bucket;
}

const char *
sim_settings_folder(const struct settings *settings, int environment)
{
	const char *holder = variants[sim_settings_variant(settings)].holder;
	bool is_holder = holder != NULL && environment % 2 == 0 &&
	    strcmp(sim_applications[environment / 2], holder) == 0;

	return is_holder ? SHARED : NULL;
}

int64_t
sim_settings_frozen_until(const struct settings *settings, int environment, int64_t at)
{
	const struct minutes *freeze = variants[sim_settings_variant(settings)].freeze;
	int64_t minute = (at - THURSDAY_MS) / MINUTE_MS, of_week = minute % WEEK_MINUTES;

	for (; freeze != NULL && environment % 2 == 0 && freeze->to != 0; freeze++)
		if (of_week >= freeze->from && of_week < freeze->to)
			return THURSDAY_MS + (minute - of_week + freeze->to) * MINUTE_MS;
	return 0;
}

int64_t
sim_settings_windows_end(int64_t at)
{
	int64_t minute = (at - THURSDAY_MS) / MINUTE_MS, of_week = minute % WEEK_MINUTES;

	return of_week < seldom[1].to ?
	    THURSDAY_MS + (minute - of_week + seldom[1].to) * MINUTE_MS :
	    at;
}
