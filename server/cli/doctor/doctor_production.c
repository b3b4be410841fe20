/* doctor_production.c - is this installation fit to be relied on?  Judges facts, looks at nothing.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "cli/doctor/doctor_production.h"

#include <inttypes.h>

#include "cli/doctor/doctor.h"
#include "lib/text.h"
#include "settings/checks/settings_claims.h"
#include "types/limits.h"
#include "settings/settings_table.h"

#define DAY_S		    86400
#define CERTIFICATE_DAYS    21 /* certbot renews 30 days before the end: it has failed for 9 */
#define KEEP_RELEASES_LEAST 2

const char doctor_production_unseen[] =
    "the firewall, the certificate as seen from the internet, GitHub's and BotFather's settings, the hosts' own hardening, whether backups are made and kept elsewhere, who reads the alerts";

/* What is good; or how bad it is that it is not, and what to do. */
#define SAY_WHETHER(doctor, is_good, good, level, ...) \
	((is_good) ? SAY(doctor, OK, good) : SAY(doctor, level, __VA_ARGS__))

/* --- what the server itself refuses ------------------------------------------------------- */

static bool
is_said(const struct doctor *doctor, const char *text)
{
	for (size_t i = 0; i < doctor->count; i++)
		if (doctor->findings[i].level == DOCTOR_ERROR &&
		    strcmp(doctor->findings[i].text, text) == 0)
			return true;
	return false;
}

static void
judge_refused(struct doctor *doctor, const struct production *facts)
{
	size_t before = doctor->count;

	for (size_t i = 0; i < facts->refused.count; i++) {
		const struct settings_line *line = &facts->refused.lines[i];

		if (line->severity <= SETTINGS_FLAW && !is_said(doctor, line->text))
			SAY(doctor, ERROR, "%s", line->text);
	}
	if (doctor->count > before)
		return;
	SAY_WHETHER(doctor, facts->settings->is_production,
	    "ENVIRONMENT=production: the server refuses what is unsafe", WARNING,
	    "ENVIRONMENT is not production: nothing that is unsafe would be refused; set it");
}

/* --- how updates arrive ----------------------------------------------------------------------- */

static void
judge_webhook(struct doctor *doctor, const struct production *facts)
{
	const struct settings *s = facts->settings;

	if (s->telegram_mode == TELEGRAM_POLLING)
		SAY(doctor, WARNING,
		    "Telegram is polled: set TELEGRAM_WEBHOOK_URL, so that updates arrive at once");
	else if (text_starts_ci(s->telegram_webhook_url, "https://"))
		SAY(doctor, OK, "Telegram calls a webhook over https");
}

static void
judge_certificate(struct doctor *doctor, const struct production *facts)
{
	const struct settings *s = facts->settings;
	int64_t days = (facts->certificate_expires_s - facts->now_s) / DAY_S;

	if (s->telegram_mode == TELEGRAM_POLLING ||
	    !text_starts_ci(s->telegram_webhook_url, "https://"))
		return;
	if (facts->certificate_expires_s == 0)
		SAY(doctor, ERROR,
		    "certificate: none could be read: %s: is nginx running, and does its name lead to it from here?",
		    facts->certificate_text);
	else if (facts->certificate_expires_s <= facts->now_s)
		SAY(doctor, ERROR,
		    "certificate: it has expired: renew it (certbot renew) and reload nginx");
	else if (!facts->is_certificate_trusted)
		SAY(doctor, ERROR,
		    "certificate: it is not trusted: %s: Telegram and GitHub deliver nothing; get one that names this host and send the whole chain (fullchain.pem)",
		    facts->certificate_text);
	else if (days < CERTIFICATE_DAYS)
		SAY(doctor, ERROR,
		    "certificate: it ends in %" PRId64
		    " days, and nothing has renewed it: look at certbot's timer (systemctl list-timers)",
		    days);
	else
		SAY(doctor, OK, "certificate: it is trusted, and good for %" PRId64 " days", days);
}

static void
judge_github(struct doctor *doctor, const struct production *facts)
{
	const struct settings *s = facts->settings;

	if (s->forge_webhook_secret != NULL && s->github_webhook_secret == NULL)
		return;
	if (s->github_webhook_secret != NULL && s->poll_repository_seconds == 0)
		SAY(doctor, WARNING,
		    "GITHUB_WEBHOOK_SECRET is set, and POLL_REPOSITORY_SECONDS=0: a push that GitHub cannot deliver is not found");
	else if (s->github_webhook_secret != NULL)
		SAY(doctor, OK,
		    "GITHUB_WEBHOOK_SECRET is set; git is polled too, every %d s, for a push that GitHub cannot deliver",
		    s->poll_repository_seconds);
	else if (s->poll_repository_seconds > 0)
		SAY(doctor, WARNING,
		    "GITHUB_WEBHOOK_SECRET is not set: pushes are found by asking git every %d s; add a webhook at GitHub, and its secret here",
		    s->poll_repository_seconds);
	else
		SAY(doctor, ERROR,
		    "GITHUB_WEBHOOK_SECRET is not set: no push is received; add a webhook at GitHub, and its secret here");
}

static void
judge_forge(struct doctor *doctor, const struct production *facts)
{
	const struct settings *s = facts->settings;

	if (s->forge_webhook_secret == NULL)
		return;
	if (s->poll_repository_seconds == 0)
		SAY(doctor, WARNING,
		    "FORGE_WEBHOOK_SECRET is set, and POLL_REPOSITORY_SECONDS=0: a push that the forge cannot deliver is not found, and GitLab switches a webhook off that failed four times in a row");
	else
		SAY(doctor, OK,
		    "FORGE_WEBHOOK_SECRET is set; git is polled too, every %d s, for a push that the forge cannot deliver: GitLab switches a webhook off that failed four times in a row",
		    s->poll_repository_seconds);
}

static void
judge_listen(struct doctor *doctor, const struct production *facts)
{
	const char *address = facts->settings->listen_address;
	bool is_here =
	    address[0] == '/' || strncmp(address, "127.", 4) == 0 || strcmp(address, "::1") == 0;

	if (!is_here && !facts->settings->proxies.is_set)
		SAY(doctor, WARNING,
		    "TRUSTED_PROXY is not set: to limits and audit all who come by a proxy on another machine are one; set it to its address");
	if (is_here)
		SAY(doctor, OK, "LISTEN_ADDRESS: only this machine reaches it");
	else if (facts->is_container)
		SAY(doctor, WARNING,
		    "LISTEN_ADDRESS %s: publish no port of this container; nginx reaches it on a network that nobody else is in",
		    address);
	else
		SAY(doctor, WARNING,
		    "LISTEN_ADDRESS %s: others may reach HTTP without TLS: set it to 127.0.0.1 or to a unix socket, with nginx in front",
		    address);
}

/* --- who may, who is notified ----------------------------------------------------------------- */

static void
judge_people(struct doctor *doctor, const struct production *facts)
{
	const struct settings *s = facts->settings;

	if (s->admins.count < 2)
		SAY(doctor, WARNING,
		    "ADMIN_TELEGRAM_IDS: one admin: add a second one for when the first is absent");
	else
		SAY(doctor, OK, "ADMIN_TELEGRAM_IDS: %zu admins", s->admins.count);
	SAY_WHETHER(doctor, s->sandbox, "SANDBOX is on", ERROR,
	    "SANDBOX=off: whoever runs code in the server can start programs; take it out");
	SAY_WHETHER(doctor, s->enable_telemetry, "ENABLE_TELEMETRY is on", WARNING,
	    "ENABLE_TELEMETRY is off: no alert can ever fire; turn it on");
}

static void
judge_environment(struct doctor *doctor, const struct environment_settings *environment)
{
	const struct settings_spec *table = settings_table_families;
	const char *name = environment->name;
	char setting[SETTING_NAME_MAX];

	if (environment->health_url_count == 0 && environment->health_template == NULL)
		SAY(doctor, ERROR,
		    "%s has no health URL: a broken release would be called live; set %s", name,
		    setting_name(table[ENVIRONMENT_SETTING_HEALTH_URL].name, name, setting));
	else
		SAY(doctor, OK, "%s has a health URL", name);
	if (!environment_is_production(name))
		return;
	if (!environment->confirm)
		SAY(doctor, ERROR, "%s is deployed without a question: leave out %s=false", name,
		    setting_name(table[ENVIRONMENT_SETTING_CONFIRM].name, name, setting));
	else
		SAY(doctor, OK, "%s asks before it deploys", name);
}

/* --- what runs, and where --------------------------------------------------------------------- */

static void
judge_runner(struct doctor *doctor, const struct production *facts)
{
	if (!facts->is_runner_seen)
		return; /* there is none, or it cannot be reached: that is reported already */
	else if (facts->runner_user == facts->server_user)
		SAY(doctor, WARNING,
		    "the runner is a service of the server's own user: give it another, so that the keys are out of the network's reach");
	else if (facts->runner_user == 0)
		SAY(doctor, ERROR,
		    "the runner runs as root, and so does whatever the repository has built: give it a user of its own");
	else
		SAY(doctor, OK, "the runner is a service of another user");
}

static void
judge_users(struct doctor *doctor, const struct production *facts)
{
	SAY_WHETHER(doctor, facts->server_user != 0, "the server does not run as root", ERROR,
	    "the server runs as root: give it a user of its own, and STATE_DIRECTORY to that user");
	judge_runner(doctor, facts);
}

/* What the repository builds runs here, where no engine keeps it apart. */
static void
judge_builds(struct doctor *doctor, const struct settings *s)
{
	for (size_t i = 0; i < s->environment_count; i++) {
		const struct environment_settings *e = &s->environments[i];
		const char *transport = settings_transport_of(e);

		if (settings_is_given_for(e, SETTING_DEPLOY_SCRIPT) ||
		    (strcmp(transport, "local") != 0 && strcmp(transport, "systemd") != 0))
			continue;
		SAY(doctor, WARNING,
		    "%s: DEPLOY_TRANSPORT=%s: .deploybot/build of each commit runs as the runner's user, who reads the keys of every environment: who may push has them too; where that is not meant, give it a deploybot of its own",
		    e->name, transport);
	}
}

static void
judge_images(struct doctor *doctor, const struct production *facts)
{
	int64_t keep = 0;
	const char *transport = doctor_production_text(facts, SETTING_DEPLOY_TRANSPORT);

	if (strcmp(transport, "local") == 0 || strcmp(transport, "systemd") == 0)
		return; /* no images */
	SAY_WHETHER(doctor,
	    settings_is_given(facts->settings, SETTING_REGISTRY_URL) ||
		!doctor_production_is_for_all(facts, SETTING_REGISTRY_URL),
	    "REGISTRY_URL is set", ERROR,
	    "REGISTRY_URL is not set: there is no registry that images go to");
	SAY_WHETHER(doctor,
	    strcmp(doctor_production_text(facts, SETTING_IMAGE_SOURCE), "registry") == 0,
	    "IMAGE_SOURCE: images are built by CI, and come by digest", NOTE,
	    "IMAGE_SOURCE=registry is recommended: CI builds and scans, and this machine needs no container engine");
	SAY_WHETHER(doctor,
	    !text_to_i64(
		doctor_production_text(facts, SETTING_KEEP_RELEASES), 0, INT64_MAX, &keep, NULL) ||
		keep >= KEEP_RELEASES_LEAST,
	    "KEEP_RELEASES leaves releases to roll back to", WARNING,
	    "KEEP_RELEASES=%" PRId64 ": keep %d or more, so that there is one to roll back to",
	    keep, KEEP_RELEASES_LEAST);
}

static void
judge_machine(struct doctor *doctor, const struct production *facts)
{
	SAY_WHETHER(doctor, facts->volatile_folder == NULL,
	    "STATE_DIRECTORY is on a disk that stays", ERROR,
	    "STATE_DIRECTORY is on %s and does not stay: use a disk, or a volume",
	    facts->volatile_folder);
	SAY_WHETHER(doctor, facts->is_clock_set, "the clock is synchronised", WARNING,
	    "the clock is not synchronised: timedatectl set-ntp true, or chrony");
	if (facts->descriptors < LIMIT_DESCRIPTORS)
		SAY(doctor, WARNING,
		    "at most %" PRIu64 " descriptors: LimitNOFILE=%d in the unit, or ulimit -Hn",
		    facts->descriptors, LIMIT_DESCRIPTORS);
	else
		SAY(doctor, OK, "descriptors: %" PRIu64, facts->descriptors);
}

static void
judge_audit(struct doctor *doctor, const struct production *facts)
{
	if (facts->chain == PRODUCTION_CHAIN_BAD)
		SAY(doctor, ERROR, "audit log: %s: keep both as they are, and find out who did it",
		    facts->chain_text);
	else if (facts->chain == PRODUCTION_CHAIN_NONE)
		SAY(doctor, NOTE, "audit log: nothing is recorded yet");
	else
		SAY(doctor, OK, "audit log: %s", facts->chain_text);
	if (facts->settings->audit_s3_bucket == NULL)
		SAY(doctor, NOTE,
		    "audit log: no witness outside: who owns this machine could write it anew; set AUDIT_S3_BUCKET (docs/audit.md)");
	else
		SAY(doctor, OK, "audit log: witness outside: AUDIT_S3_BUCKET=%s",
		    facts->settings->audit_s3_bucket);
}

void
doctor_production_judge(struct doctor *doctor, const struct production *facts)
{
	const struct settings *s = facts->settings;

	judge_refused(doctor, facts);
	judge_webhook(doctor, facts);
	judge_certificate(doctor, facts);
	judge_github(doctor, facts);
	judge_forge(doctor, facts);
	judge_listen(doctor, facts);
	doctor_production_secrets(doctor, facts);
	judge_people(doctor, facts);
	for (size_t i = 0; i < s->environment_count; i++)
		judge_environment(doctor, &s->environments[i]);
	judge_users(doctor, facts);
	judge_builds(doctor, s);
	judge_images(doctor, facts);
	judge_machine(doctor, facts);
	judge_audit(doctor, facts);
}
