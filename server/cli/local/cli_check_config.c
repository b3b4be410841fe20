/* cli_check_config.c - `check-config`: are the settings right?  `config-example`: which are there?  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli/cli_usage.h"
#include "cli/doctor/doctor.h"
#include "lib/buf.h"
#include "lib/clock.h"
#include "lib/mem.h"
#include "lib/when.h"
#include "lib/window.h"
#include "lib/zone.h"
#include "policy/policy.h"
#include "settings/checks/settings_runners.h"
#include "settings/sources/settings_load.h"
#include "settings/settings_table.h"
#include "types/action.h"
#include "types/pipeline.h"
#include "types/roles.h"
#include "types/settings.h"
#include "types/loan.h"
#include "types/notify.h"
#include "types/workflow.h"

/* When its windows begin or end next, in the zone that the chat uses. */
static void
print_freeze(const struct settings *s, const struct windows *windows, int64_t now)
{
	const char *zone = settings_text(s, SETTING_TIMEZONE);
	char begin[WHEN_TEXT], end[WHEN_TEXT];
	int64_t change, over = 0;
	bool is_frozen = windows_have(windows, s->zone, now, &change);

	if (change == 0) {
		(void)printf("    freeze: %s\n",
		    is_frozen ? "now, and no end of it in sight" : "past: none comes any more");
		return;
	}
	if (is_frozen) {
		(void)printf(
		    "    freeze: now, until %s (%s)\n", when_text(s->zone, change, end), zone);
		return;
	}
	(void)windows_have(windows, s->zone, change, &over);
	(void)printf("    freeze: next begins %s, ends %s (%s)\n",
	    when_text(s->zone, change, begin),
	    over != 0 ? when_text(s->zone, over, end) : "never in sight", zone);
}

/* What is said for it alone. */
static void
print_specials(const struct settings_member *member)
{
	for (size_t i = 0; i < member->special_count; i++)
		(void)printf("%s%s%s", i == 0 ? "      of its own: " : ", ",
		    settings_table[member->specials[i].setting].name,
		    i + 1 == member->special_count ? "\n" : "");
}

static void
print_environment(const struct environment_settings *environment)
{
	(void)printf("  %s: ", environment->name);
	if (environment->refusal[0] != '\0')
		(void)printf("not deployed, ");
	if (environment->branch == NULL)
		(void)printf("no branch, deployed by name only");
	else
		(void)printf("branch %s", environment->branch);
	(void)printf(", %s, ", environment->confirm ? "asks first" : "by itself");
	if (environment->require_ci != NULL)
		(void)printf("after CI %s, ", environment->require_ci);
	if (environment->takes_uploads)
		(void)printf("takes archives, ");
	if (environment->health_url_count == 0 && environment->health_template == NULL)
		(void)printf(
		    "no health check configured: success means the script exited with 0\n");
	else
		(void)printf("%zu health URL%s%s\n", environment->health_url_count,
		    environment->health_url_count == 1 ? "" : "s",
		    environment->health_template != NULL ? ", one of each host" : "");
	if (environment->freeze != NULL)
		print_freeze(environment->of, environment->freeze, clock_wall_ms());
	print_specials(environment->member);
}

/* Of each role whose access is over: their lines can go. */
static void
print_ended(const struct settings *s)
{
	const struct roles *roles = s->roles;
	char date[ZONE_DATE], number[24];

	for (size_t i = 0; i < roles->member_count; i++) {
		int64_t person = roles->member[i].person;
		const char *user = person < 0 ? settings_user_name(s, person) : NULL;

		if (policy_is_in_force(&roles->member[i], clock_wall_ms()))
			continue;
		(void)snprintf(number, sizeof(number), "%" PRId64, person);
		(void)printf("note: the role %s of %s ended with %s\n",
		    roles->role[roles->member[i].role].name, user != NULL ? user : number,
		    zone_date_text(s->zone, roles->member[i].until - 1, date));
	}
}

/* --- what protects --- */

#define INDENT	    10
#define PROTECT_MAX (1u << 16)

/* Behind its word; empties the text. */
static void
print_wrapped(const char *key, struct buf *text)
{
	(void)printf("%-*s", INDENT, key);
	cli_usage_wrap(stdout, INDENT, buf_text(text));
	buf_clear(text);
}

static const char *
between(const struct buf *text)
{
	return text->size == 0 ? "" : "; ";
}

static void
add_approvals(struct buf *text, int n)
{
	if (n == 0)
		buf_adds(text, "none");
	else
		buf_addf(text, "%d approval%s", n, n == 1 ? "" : "s");
}

static void
print_approvals(const struct settings *s, struct buf *text)
{
	for (size_t i = 0; i < s->environment_count; i++) {
		const struct environment_settings *e = &s->environments[i];

		buf_addf(text, "%s%s ", between(text), e->name);
		add_approvals(text, e->approvals);
		if (e->approvals_if != NULL)
			buf_adds(text, ", or more by its APPROVALS_IF");
		if (e->rollback_approvals != e->approvals)
			buf_addf(text, " (%d for a rollback)", e->rollback_approvals);
		if (e->approvers != NULL)
			buf_addf(text, " by %s", e->approvers);
	}
	print_wrapped("approve:", text);
}

/* Nothing where none is said to be promoted from somewhere. */
static void
print_promotions(const struct settings *s, struct buf *text)
{
	for (size_t i = 0; i < s->environment_count; i++) {
		const struct environment_settings *e = &s->environments[i];

		if (e->promote_from != NULL)
			buf_addf(text, "%s%s from %s%s", between(text), e->name, e->promote_from,
			    e->promote_only ? " alone" : "");
	}
	if (text->size > 0)
		print_wrapped("promote:", text);
}

static void
print_codes(const struct settings *s, struct buf *text)
{
	for (size_t i = 0; i < s->require_otp_count; i++)
		buf_addf(text, "%s%s", between(text), s->require_otp[i].text);
	if (text->size == 0)
		buf_adds(text, "nothing needs one (REQUIRE_OTP)");
	print_wrapped("codes:", text);
}

static void
print_roles(const struct settings *s, struct buf *text)
{
	for (size_t i = 0; i < s->roles->count; i++) {
		const struct role *role = &s->roles->role[i];
		size_t n = 0;

		if (role->of != PRINCIPAL_SYSTEM) /* a hook's, a workflow's: nobody is in it */
			continue;
		for (size_t m = 0; m < s->roles->member_count; m++)
			n += s->roles->member[m].role == i && s->roles->member[m].person > 0 &&
			    policy_is_in_force(&s->roles->member[m], clock_wall_ms());
		buf_addf(text, "%s%s%s%s %zu", between(text), role->application,
		    role->application[0] == '\0' ? "" : "/", role->name, n);
	}
	print_wrapped("roles:", text);
}

static void
print_clients(const struct settings *s, struct buf *text)
{
	for (size_t i = 0; i < s->client_count; i++) {
		const struct client_settings *client = &s->clients[i];
		const char *comma = ":";

		buf_addf(text, "%s%s at %s", between(text), client->id,
		    client->host == NULL ? "no host" : client->host);
		if (client->approvals > 0) {
			buf_adds(text, ", ");
			add_approvals(text, client->approvals);
		}
		for (size_t a = 0; a < ACTION_COUNT; a++)
			if ((client->actions & ACTION_BIT(a)) != 0) {
				buf_addf(text, "%s %s", comma, action_table[a].name);
				comma = ",";
			}
	}
	if (text->size > 0)
		print_wrapped("clients:", text);
}

/* The jobs or pipelines of an application, by its first environment. */
static void
add_names(const struct settings *s, const struct environment_settings *of, enum family family,
    struct buf *text)
{
	const char *environment = of->name, *application = of->of->application;
	char jobs[LIMIT_LINE];

	if (settings_names(s, environment, family, jobs) > 0)
		buf_addf(text, "%s%s%s%s", between(text), application,
		    application[0] == '\0' ? "" : ": ", jobs);
}

static void
print_names(const struct settings *s, enum family family, const char *title, struct buf *text)
{
	const struct settings *of = NULL;

	for (size_t i = 0; i < s->environment_count; i++) {
		const struct environment_settings *e = &s->environments[i];

		if (e->of != of) /* they stand together */
			add_names(s, e, family, text);
		of = e->of;
	}
	if (text->size > 0)
		print_wrapped(title, text);
}

static void
print_workflows(const struct settings *s, struct buf *text)
{
	struct workflow workflow;

	for (size_t at = 0; workflow_next(s, &at, &workflow);)
		buf_addf(text, "%sworkflow:%s is %s, may %s", between(text), workflow.id,
		    workflow.is != NULL ? workflow.is : "whoever has its key", workflow.may);
	if (text->size > 0)
		print_wrapped("pipeline:", text);
}

static void
print_loans(const struct settings *s, struct buf *text)
{
	struct loan loan;

	for (size_t at = 0; loan_next(s, &at, &loan);)
		buf_addf(text, "%s%s (%s) for %s, %d approvals, for %d minutes%s%s", between(text),
		    loan.id, loan.path, loan.target, loan.approvals, (int)(loan.ttl_ms / 60000),
		    loan.is_value ? ", as its value" : "",
		    loan.approvals == 0 &&
			    policy_needs_factor(s, POLICY_SECRET, loan.name, loan.target) ?
			", to no job: it has no code, and nobody approves" :
			"");
	if (text->size > 0)
		print_wrapped("lends:", text);
}

static void
print_notify(const struct settings *s, struct buf *text)
{
	struct notify to;
	char place[URL_PLACE];

	for (size_t at = 0; notify_next(s, &at, &to);)
		buf_addf(text, "%s%s: %s, %s, %s", between(text), to.id, notify_kind_text(to.kind),
		    to.kind == NOTIFY_TO_MAIL ? to.address : notify_place(&to, place), to.what);
	if (text->size > 0)
		print_wrapped("notify:", text);
}

/* Whoever wrote it sees whether it has arrived. */
static void
print_protection(const struct settings *s)
{
	CLEANUP(buf_done) struct buf text = buf_make(PROTECT_MAX);

	print_approvals(s, &text);
	print_promotions(s, &text);
	print_codes(s, &text);
	print_roles(s, &text);
	print_clients(s, &text);
	print_names(s, FAMILY_JOB, "jobs:", &text);
	print_names(s, FAMILY_PIPELINE, "begins:", &text);
	print_workflows(s, &text);
	print_loans(s, &text);
	print_notify(s, &text);
	if (s->console)
		(void)printf("console:  %s/console/\n", settings_text(s, SETTING_PUBLIC_URL));
}

/* What was understood, for people to read once. */
static void
print_summary(const struct settings *s, const char *env_file)
{
	char project[LIMIT_REF];

	(void)printf("file:     %s\n", env_file != NULL ? env_file : "none: the environment alone");
	(void)printf("telegram: %s, %zu admin%s, chat %lld\n",
	    s->telegram_mode == TELEGRAM_WEBHOOK ? "webhook" : "polling", s->admins.count,
	    s->admins.count == 1 ? "" : "s", (long long)s->telegram_chat_id);
	(void)printf("github:   %s, /github/webhook %s\n",
	    s->github_repository != NULL ? s->github_repository :
		s->application_count > 0 ? "the repositories of the applications" :
					   "any signed repository",
	    s->github_webhook_secret == NULL ? "off: no GITHUB_WEBHOOK_SECRET" : "on");
	if (s->github.app_id != NULL)
		(void)printf("app:      %s, /github/app %s\n", s->github.app_id,
		    s->github.app_webhook_secret == NULL ? "off: no GITHUB_APP_WEBHOOK_SECRET" :
							   "on");
	if (pipeline_project(s, project))
		(void)printf("gitlab:   %s, /forge/webhook/gitlab %s\n", project,
		    s->forge_webhook_secret == NULL ? "off: no FORGE_WEBHOOK_SECRET" : "on");
	(void)printf("listens:  %s port %d\n", s->listen_address, s->api_server_port);
	(void)printf("state:    %s\n", s->state_directory);
	if (settings_server_name(s) != NULL)
		(void)printf("database: PostgreSQL, by DATABASE_URL; this server is %s\n",
		    settings_server_name(s));
	if (s->runner_socket == NULL)
		(void)printf("runner:   started by the server\n");
	else
		(void)printf("runner:   a service at %s; its own secrets are not checked\n",
		    s->runner_socket);
	(void)printf(
	    "health:   %d passes in a row: healthy, %d failures in a row: unhealthy\n"
	    "          a check each %d s, of at most %d s; undecided after %d s: unhealthy\n",
	    s->times.health_check_successes, s->times.health_check_retries,
	    s->times.health_check_interval_seconds, s->times.health_check_timeout_seconds,
	    s->times.health_check_deadline_seconds);
	(void)printf("environments:\n");
	for (size_t i = 0; i < s->environment_count; i++)
		print_environment(&s->environments[i]);
	print_protection(s);
	if (s->application_count > 0)
		(void)printf(
		    "applications: %zu (deploybot application list)\n", s->application_count);
	print_ended(s);
}

/*
 * What is wrong on this machine, beside the settings themselves; false: the server does not start
 * here.  An address or port that cannot be served on keeps it from that; a transport that is not
 * there, the one of subject FILES, does not.
 */
static bool
examine_machine(struct doctor *doctor)
{
	size_t before = doctor->count;
	bool starts = true;

	doctor_machine(doctor);
	for (size_t i = before; i < doctor->count; i++)
		if (doctor->findings[i].level == DOCTOR_ERROR &&
		    doctor->findings[i].subject == DOCTOR_SETTINGS)
			starts = false;
	return starts;
}

/* Of what its package brings: by hand it is a long way. */
static void
name_setup(const struct doctor *doctor)
{
	const char *file = doctor->cli->env_file;

	if (doctor->settings == NULL && file != NULL && strcmp(file, CLI_SETTINGS_FILE) == 0)
		(void)fputs(
		    "deploybot-setup asks for the bot's token, the first admin, the repository, the registry and the hosts, and writes them.\n",
		    stderr);
}

/* The last line; ret of the program. */
static int
conclude(const struct doctor *doctor, bool for_production, bool starts)
{
	const char *file = doctor->cli->env_file;
	size_t warnings = doctor_count(doctor, DOCTOR_WARNING);
	char more[48] = "";

	if (warnings > 0)
		(void)snprintf(more, sizeof(more), ", with %zu warning%s above", warnings,
		    warnings == 1 ? "" : "s");
	if (doctor->settings == NULL)
		(void)fprintf(stderr,
		    "%s (file: %s): no server starts with them, and one that runs takes no change until they are right.\n",
		    for_production ? "ENVIRONMENT=production refuses these settings" :
				     "The settings are wrong",
		    file != NULL ? file : "none");
	else if (doctor_count(doctor, DOCTOR_ERROR) > 0)
		(void)fprintf(stderr,
		    "%s; what has an error above does not work until it is right, and of an application nothing is deployed.\n",
		    starts ? "The server starts with these settings" :
			     "The server does not start here now");
	else
		(void)printf(
		    "ok: the settings are valid%s; the network was not asked (deploybot doctor does)\n",
		    more);
	return doctor_count(doctor, DOCTOR_ERROR) > 0 ? EX_CONFIG : EX_OK;
}

static int
check_config(struct doctor *doctor, bool for_production, bool as_json)
{
	CLEANUP(settings_unrefp) struct settings *settings = NULL;
	struct settings_report report;
	bool starts = false;

	if (settings_load(doctor->cli->env_file, environ, &settings, &report))
		doctor->settings = settings;
	doctor_say_settings(doctor, &report, DOCTOR_WARNING);
	if (settings != NULL)
		starts = examine_machine(doctor);
	if (as_json)
		return !doctor_print_json(doctor, stdout)  ? EX_IOERR :
		    doctor_count(doctor, DOCTOR_ERROR) > 0 ? EX_CONFIG :
							     EX_OK;
	if (settings != NULL)
		print_summary(settings, doctor->cli->env_file);
	(void)fflush(stdout);
	if (settings == NULL)
		cli_usage_no_file(doctor->cli);
	doctor_print(doctor, DOCTOR_NOTE, stderr);
	name_setup(doctor);
	return conclude(doctor, for_production, starts);
}

/* With --production: what the server would say with that setting, in the same words. */
int
cli_check_config(const struct cli *cli)
{
	bool for_production = cli->value[OPTION_PRODUCTION] != NULL;
	CLEANUP(freep) struct doctor *doctor = NULL;

	if (for_production && setenv("ENVIRONMENT", "production", 1) != 0)
		return EX_OSERR;
	doctor = mem_new(1, sizeof(*doctor));
	doctor->cli = cli;
	return check_config(doctor, for_production, cli->value[OPTION_JSON] != NULL);
}

#define EXAMPLE_MAX (1u << 20)

int
cli_config_example(UNUSED const struct cli *cli)
{
	CLEANUP(buf_done) struct buf example = buf_make(EXAMPLE_MAX);

	settings_example(&example);
	return !buf_failed(&example) && fputs(buf_text(&example), stdout) != EOF &&
		fflush(stdout) == 0 ?
	    EX_OK :
	    EX_IOERR;
}
