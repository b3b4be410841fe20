/* doctor_link.c - does deploybot-link show what a host expects, and is its socket open to us?  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/doctor/doctor.h"
#include "cli/doctor/doctor_agents.h"
#include "lib/clock.h"
#include "lib/crypto_certificate.h"
#include "lib/err.h"
#include "lib/file.h"
#include "lib/http_client.h"
#include "lib/mem.h"
#include "lib/zone.h"
#include "settings/settings_table.h"
#include "types/outbound.h"
#include "types/settings.h"

#define URL_MAX	   320
#define ANSWER_MAX 4096 /* link answers nothing to HTTP */
#define STATUS	   "systemctl status deploybot-link"

struct asking {
	struct doctor *doctor;
	struct http_client *client;
	char *certificate; /* LINK_CERTIFICATE_FILE */
};

/* --- certificates --- */

static char *
read_certificate(const struct settings *s)
{
	const char *path = settings_text(s, SETTING_LINK_CERTIFICATE_FILE);
	struct err err;

	return path == NULL ? NULL : file_read(path, CRYPTO_CA_FILE, NULL, &err);
}

/* What a host would refuse; name: who shows it.  False: nothing of that, and nothing is said. */
static bool
is_refused(struct doctor *doctor, const char *name, const struct crypto_certificate *shown)
{
	if (strcmp(shown->identity, "server") != 0)
		TELL(doctor, LINK, ERROR,
		    "%s: a certificate for %s%s, so no host connects: its name has to be URI:deploybot:server",
		    name, shown->identity[0] == '\0' ? "nobody of deploybot's" : "URI:deploybot:",
		    shown->identity);
	else if (!shown->is_signed)
		TELL(doctor, LINK, ERROR,
		    "%s: a certificate that LINK_CA_FILE has not signed for a server, so no host connects: deploybot ca init makes both",
		    name);
	else
		return false;
	return true;
}

/* Hosts do not look at the dates of link's certificate; link looks at the authority's. */
static void
judge_dates(struct doctor *doctor, const char *name, const struct crypto_certificate *shown,
    enum doctor_level ended)
{
	int64_t now = clock_wall_ms();
	char date[ZONE_DATE];

	(void)zone_date_text(doctor->settings->zone, shown->until, date);
	if (now >= shown->until)
		doctor_say(doctor, DOCTOR_LINK, ended,
		    "%s: its certificate ended on %s: deploybot ca rotate", name, date);
	else if (now - shown->from > shown->until - now)
		TELL(doctor, LINK, WARNING,
		    "%s: more than half of its time is over, it ends on %s: deploybot ca rotate",
		    name, date);
	else
		TELL(doctor, LINK, OK, "%s: until %s", name, date);
}

static void
examine_certificates(struct doctor *doctor)
{
	const char *ca = doctor->settings->link.ca;
	CLEANUP(freep) char *text = read_certificate(doctor->settings);
	struct crypto_certificate shown;

	if (ca != NULL && crypto_certificate_read(ca, ca, &shown, NULL))
		judge_dates(doctor, "LINK_CA_FILE", &shown, DOCTOR_ERROR);
	if (ca != NULL && text != NULL && crypto_certificate_read(text, ca, &shown, NULL) &&
	    !is_refused(doctor, "LINK_CERTIFICATE_FILE", &shown))
		judge_dates(doctor, "LINK_CERTIFICATE_FILE", &shown, DOCTOR_WARNING);
}

/* --- its socket --- */

/* Nothing connects to it: link takes a new connection for the server's, and ends the one it has. */
static void
examine_socket(struct doctor *doctor)
{
	const char *path = settings_text(doctor->settings, SETTING_LINK_SOCKET);
	struct stat st;

	if (stat(path, &st) != 0)
		TELL(doctor, LINK, WARNING, "LINK_SOCKET: %.200s: %s: " STATUS, path,
		    strerrordesc_np(errno));
	else if (!S_ISSOCK(st.st_mode))
		TELL(doctor, LINK, ERROR, "LINK_SOCKET: %.200s is no socket", path);
	else if (eaccess(path, W_OK) != 0)
		TELL(doctor, LINK, WARNING,
		    "LINK_SOCKET: this user may not connect to %.200s: the server's has to be in its group, deploybot-link",
		    path);
	else
		TELL(doctor, LINK, OK, "LINK_SOCKET: %.200s is there", path);
}

void
doctor_link(struct doctor *doctor)
{
	if (doctor->settings->link.address == NULL)
		return;
	examine_certificates(doctor);
	examine_socket(doctor);
}

/* --- as a host connects --- */

/* What was shown, and behind it the file, for what may stand between it and the authority. */
static bool
read_shown(const struct asking *asked, const char *certificate, struct crypto_certificate *ret)
{
	char both[CRYPTO_CA_FILE];

	return (size_t)snprintf(both, sizeof(both), "%s\n%s", certificate, asked->certificate) <
	    sizeof(both) &&
	    crypto_certificate_read(both, asked->doctor->settings->link.ca, ret, NULL);
}

/* Without a certificate of ours link ends the connection: what counts is the handshake. */
static void
on_shown(void *ctx, const struct http_client_result *result)
{
	struct asking *asked = ctx;
	struct doctor *doctor = asked->doctor;
	const struct settings_link *link = &doctor->settings->link;
	struct crypto_certificate shown;
	char date[ZONE_DATE];

	if (result->certificate[0] == '\0')
		TELL(doctor, LINK, ERROR,
		    "LINK_ADDRESS: nothing with TLS 1.3 answers at %.200s (%.80s): " STATUS
		    ", and is its port open?",
		    link->address, result->why);
	else if (!read_shown(asked, result->certificate, &shown))
		TELL(doctor, LINK, ERROR,
		    "LINK_ADDRESS: %.200s shows a certificate that cannot be read", link->address);
	else if (is_refused(doctor, "LINK_ADDRESS", &shown))
		;
	else if (strcmp(shown.key, link->fingerprint) != 0)
		TELL(doctor, LINK, ERROR,
		    "LINK_ADDRESS: %.200s shows another key than that of LINK_CERTIFICATE_FILE, so who enrols refuses it: systemctl restart deploybot-link",
		    link->address);
	else
		TELL(doctor, LINK, OK,
		    "LINK_ADDRESS: deploybot-link answers at %.200s with TLS 1.3 and its certificate until %s",
		    link->address, zone_date_text(doctor->settings->zone, shown.until, date));
	doctor_answered(doctor);
}

static void
end(void *ctx)
{
	struct asking *asked = ctx;

	http_client_free(asked->client);
	free(asked->certificate);
	free(asked);
}

static bool
ask(struct asking *asked, struct err *err)
{
	const struct http_client_config config = {
		.protocols = "https",
		.address_is_allowed = outbound_allows,
		.address_ctx = outbound_of(OUTBOUND_CERTIFICATE, NULL),
		.reads_certificates = true,
		.tls13 = true,
	};
	char url[URL_MAX];
	const struct http_client_request request = {
		.label = "link",
		.method = "HEAD",
		.url = url,
		.timeout_ms = DOCTOR_PATIENCE_MS,
		.answer_max = ANSWER_MAX,
		.on_done = on_shown,
		.ctx = asked,
	};

	(void)snprintf(url, sizeof(url), "https://%s/", asked->doctor->settings->link.address);
	asked->client = http_client_new(asked->doctor->loop, &config, err);
	return asked->client != NULL && http_client_start(asked->client, &request, err) != NULL;
}

void
doctor_link_asked(struct doctor *doctor)
{
	const struct settings *s = doctor->settings;
	struct asking *asked;
	struct err err;

	if (s->link.address == NULL || s->link.ca == NULL)
		return;
	asked = mem_new(1, sizeof(*asked));
	doctor_at_end(doctor, end, asked);
	asked->doctor = doctor;
	asked->certificate = read_certificate(s);
	if (asked->certificate == NULL)
		return;
	if (ask(asked, &err))
		doctor_asked(doctor);
	else
		TELL(doctor, LINK, ERROR, "LINK_ADDRESS: %s", err.text);
}
