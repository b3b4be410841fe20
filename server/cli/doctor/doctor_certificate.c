/* doctor_certificate.c - asks our public address for its certificate, as it is and as who checks it.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "cli/doctor/doctor.h"
#include "cli/doctor/doctor_production.h"
#include "effects/tls_watch.h"
#include "lib/http_client.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "types/outbound.h"

#define ANSWER_MAX (1u << 20)

struct asking {
	struct doctor *doctor;
	struct production *facts;
	struct http_client *reader;   /* takes any */
	struct http_client *stranger; /* checks it */
	char url[TLS_WATCH_URL_SIZE];
};

static void
on_read(void *ctx, const struct http_client_result *result)
{
	struct asking *asked = ctx;

	asked->facts->certificate_expires_s = result->certificate_expires_at;
	if (result->certificate_expires_at == 0)
		(void)text_copy(asked->facts->certificate_text,
		    sizeof(asked->facts->certificate_text), result->text);
	doctor_answered(asked->doctor);
}

/* Whatever it answers: whoever was answered has taken the certificate for good. */
static void
on_checked(void *ctx, const struct http_client_result *result)
{
	struct asking *asked = ctx;

	asked->facts->is_certificate_trusted = result->code == ERR_NONE;
	if (result->code != ERR_NONE && asked->facts->certificate_text[0] == '\0')
		(void)text_copy(asked->facts->certificate_text,
		    sizeof(asked->facts->certificate_text), result->text);
	doctor_answered(asked->doctor);
}

static void
ask(struct asking *asked, struct http_client *client,
    void (*on_done)(void *ctx, const struct http_client_result *result))
{
	const struct http_client_request request = {
		.label = "certificate",
		.method = "HEAD",
		.url = asked->url,
		.timeout_ms = DOCTOR_PATIENCE_MS,
		.answer_max = ANSWER_MAX,
		.on_done = on_done,
		.ctx = asked,
	};

	if (http_client_start(client, &request, NULL) != NULL)
		doctor_asked(asked->doctor);
}

static void
end(void *ctx)
{
	struct asking *asked = ctx;

	http_client_free(asked->reader);
	http_client_free(asked->stranger);
	free(asked);
}

void
doctor_certificate(struct doctor *doctor, struct production *facts)
{
	const struct http_client_config checked = {
		.protocols = "https",
		.address_is_allowed = outbound_allows,
		.address_ctx = outbound_of(OUTBOUND_CERTIFICATE, NULL),
	};
	struct http_client_config any = checked;
	struct asking *asked;
	char url[TLS_WATCH_URL_SIZE];

	if (facts->settings->telegram_mode != TELEGRAM_WEBHOOK ||
	    !tls_watch_host(facts->settings->telegram_webhook_url, url))
		return;
	asked = mem_new(1, sizeof(*asked));
	doctor_at_end(doctor, end, asked);
	asked->doctor = doctor;
	asked->facts = facts;
	(void)text_copy(asked->url, sizeof(asked->url), url);
	any.reads_certificates = true;
	asked->reader = http_client_new(doctor->loop, &any, NULL);
	asked->stranger = http_client_new(doctor->loop, &checked, NULL);
	if (asked->reader != NULL && asked->stranger != NULL) {
		ask(asked, asked->reader, on_read);
		ask(asked, asked->stranger, on_checked);
	}
}
