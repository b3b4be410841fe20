/* doctor_outbound.c - where the server connects to by itself, and which addresses that may have.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "cli/doctor/doctor.h"

#include <stdio.h>

#include "lib/url.h"
#include "types/outbound.h"
#include "types/settings.h"
#include "types/workflow.h"

/* A proxy is not shown: its text may hold a password. */
static void
tell(struct doctor *doctor, enum outbound_place place, const char *url, bool by_proxy)
{
	const void *outbound = outbound_of(place, by_proxy ? NULL : url);
	char host[URL_PLACE];

	TELL(doctor, OUTBOUND, OK, "outbound: %s: %s%s, %s", outbound_word(place),
	    url_place(url, host), by_proxy ? " through TELEGRAM_PROXY" : "",
	    outbound_is_public(outbound) ? "public addresses alone" : "no address of a link");
}

/* One line, however many they are: each URL is looked at, and named, where it does not answer. */
static void
tell_health(struct doctor *doctor)
{
	const struct settings *s = doctor->settings;
	size_t n = 0;

	for (size_t i = 0; i < s->environment_count; i++)
		n += s->environments[i].health_url_count;
	if (n > 0)
		TELL(doctor, OUTBOUND, OK, "outbound: %s: %zu URL%s, no address of a link",
		    outbound_word(OUTBOUND_HEALTH), n, n == 1 ? "" : "s");
}

static void
tell_witness(struct doctor *doctor)
{
	const struct settings *s = doctor->settings;
	char url[256];

	if (s->audit_s3_bucket == NULL)
		return;
	(void)snprintf(url, sizeof(url), "https://%s.s3.%s.amazonaws.com", s->audit_s3_bucket,
	    s->audit_s3_region);
	tell(doctor, OUTBOUND_S3, s->audit_s3_endpoint != NULL ? s->audit_s3_endpoint : url, false);
	if (s->audit_s3_access_key_id == NULL)
		TELL(doctor, OUTBOUND, OK, "outbound: %s: the metadata addresses alone",
		    outbound_word(OUTBOUND_AWS_CREDENTIALS));
}

void
doctor_outbound(struct doctor *doctor)
{
	const struct settings *s = doctor->settings;

	tell(doctor, OUTBOUND_TELEGRAM, s->telegram_api_base, s->telegram_proxy != NULL);
	if (s->cloudflare_api_token != NULL)
		tell(doctor, OUTBOUND_CLOUDFLARE, s->cloudflare_api_base, false);
	if (s->github.app_id != NULL || s->github.token != NULL)
		tell(doctor, OUTBOUND_GITHUB, s->github.url, false);
	if (workflow_is_any(s, DELIVERY_GITHUB))
		tell(doctor, OUTBOUND_ISSUER, workflow_issuer(s, DELIVERY_GITHUB), false);
	if (s->github.gitlab_token != NULL || workflow_is_any(s, DELIVERY_GITLAB))
		tell(doctor, OUTBOUND_GITLAB, settings_text(s, SETTING_GITLAB_URL), false);
	if (s->vault.address != NULL)
		tell(doctor, OUTBOUND_VAULT, s->vault.address, false);
	if (s->opa.url != NULL)
		tell(doctor, OUTBOUND_OPA, s->opa.url, false);
	if (s->prometheus.url != NULL)
		tell(doctor, OUTBOUND_PROMETHEUS, s->prometheus.url, false);
	if (s->telegram_mode == TELEGRAM_WEBHOOK && s->telegram_webhook_url != NULL)
		tell(doctor, OUTBOUND_CERTIFICATE, s->telegram_webhook_url, false);
	tell_witness(doctor);
	tell_health(doctor);
}
