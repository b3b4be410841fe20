/* doctor_http.c - each health URL asked once, and the clock compared with Telegram's.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#include "cli/doctor.h"
#include "lib/http_client.h"
#include "types/outbound.h"
#include "types/settings.h"

#define SKEW_WARNING_S 5
#define SKEW_ERROR_S   60 /* one-time codes and signed requests fail */
#define ANSWER_MAX     (1u << 20)

struct http_check {
	struct doctor *doctor;
	const char *environment;
	const char *url;
};

struct doctor_http {
	struct http_client *probes;
	struct http_client *telegram; /* another trust zone, and TELEGRAM_PROXY */
	size_t count;
	struct http_check *checks; /* one for each address of the settings, and the clock */
};

int64_t
doctor_http_date(const char *text)
{
	struct tm tm = { 0 };
	const char *end = strptime(text, "%a, %d %b %Y %H:%M:%S GMT", &tm);

	return end == NULL || *end != '\0' ? -1 : (int64_t)timegm(&tm);
}

/* Health URLs of an application that was never deployed fail, and may: warnings. */
static void
on_probed(void *ctx, const struct http_client_result *result)
{
	struct http_check *q = ctx;

	if (result->code != ERR_NONE)
		TELL(q->doctor, HEALTH, WARNING,
		    "%s, at %s (fine when nothing is deployed there yet)", result->text, q->url);
	else if (result->status < 200 || result->status > 299)
		TELL(q->doctor, HEALTH, WARNING,
		    "%s: %s answered %d: a deployment there would be rolled back", q->environment,
		    q->url, result->status);
	else
		TELL(q->doctor, HEALTH, OK, "%s: %s is healthy (%" PRId64 " ms)", q->environment,
		    q->url, result->total_ms);
	doctor_answered(q->doctor);
}

static void
on_clock(void *ctx, const struct http_client_result *result)
{
	struct http_check *q = ctx;
	const char *date = result->code == ERR_NONE ? http_client_header(result, "Date") : NULL;
	int64_t there = date == NULL ? -1 : doctor_http_date(date);
	int64_t skew = (int64_t)time(NULL) - there;

	if (there < 0) /* that Telegram is not available is reported elsewhere */
		TELL(q->doctor, CLOCK, WARNING, "clock: no time source to compare it with");
	else if (skew > -SKEW_WARNING_S && skew < SKEW_WARNING_S)
		TELL(q->doctor, CLOCK, OK, "clock: ok");
	else
		doctor_say(q->doctor, DOCTOR_CLOCK,
		    skew > -SKEW_ERROR_S && skew < SKEW_ERROR_S ? DOCTOR_WARNING : DOCTOR_ERROR,
		    "clock: it is %" PRId64
		    " s %s Telegram's: set up time synchronisation (chrony, systemd-timesyncd)",
		    skew < 0 ? -skew : skew, skew < 0 ? "behind" : "ahead of");
	doctor_answered(q->doctor);
}

static void
ask(struct doctor_http *http, struct http_client *client, struct http_check check,
    enum doctor_subject subject,
    void (*on_done)(void *ctx, const struct http_client_result *result))
{
	struct http_check *q = &http->checks[http->count++];
	const struct http_client_request request = {
		.label = subject == DOCTOR_CLOCK ? "clock" : check.environment,
		.url = check.url,
		.timeout_ms = DOCTOR_PATIENCE_MS,
		.answer_max = ANSWER_MAX,
		.on_done = on_done,
		.ctx = q,
	};
	struct err err;

	*q = check;
	if (http_client_start(client, &request, &err) == NULL)
		doctor_say(q->doctor, subject, DOCTOR_ERROR, "%s", err.text);
	else
		doctor_asked(q->doctor);
}

static void
ask_all(struct doctor *doctor, struct doctor_http *http)
{
	const struct settings *s = doctor->settings;

	ask(http, http->telegram, (struct http_check){ doctor, NULL, s->telegram_api_base },
	    DOCTOR_CLOCK, on_clock);
	for (size_t i = 0; i < s->environment_count; i++) {
		const struct environment_settings *e = &s->environments[i];

		if (e->health_url_count == 0)
			TELL(doctor, HEALTH, WARNING,
			    "%s: no health check configured: success means the script exited with 0",
			    e->name);
		for (size_t n = 0; n < e->health_url_count; n++)
			ask(http, http->probes,
			    (struct http_check){ doctor, e->name, e->health_urls[n] },
			    DOCTOR_HEALTH, on_probed);
	}
}

static size_t
count_checks(const struct settings *s)
{
	size_t n = 1;

	for (size_t i = 0; i < s->environment_count; i++)
		n += s->environments[i].health_url_count;
	return n;
}

struct doctor_http *
doctor_http_start(struct doctor *doctor)
{
	struct doctor_http *http = calloc(1, sizeof(*http));
	const struct settings *s = doctor->settings;
	const size_t n = count_checks(s);
	const struct http_client_config probes = {
		.connections_max = 16,
		.in_flight_max = 16,
		.queue_max = (unsigned)n,
		.address_is_allowed = outbound_allows,
		.address_ctx = outbound_of(OUTBOUND_HEALTH, NULL),
	};
	const struct http_client_config telegram = {
		.proxy = s->telegram_proxy,
		.address_is_allowed = outbound_allows,
		.address_ctx = outbound_of(
		    OUTBOUND_TELEGRAM, s->telegram_proxy == NULL ? s->telegram_api_base : NULL),
	};
	struct err err = { .text = "no memory" };

	if (http != NULL) {
		http->checks = calloc(n, sizeof(*http->checks));
		http->probes = http_client_new(doctor->loop, &probes, &err);
		http->telegram = http_client_new(doctor->loop, &telegram, &err);
	}
	if (http == NULL || http->checks == NULL || http->probes == NULL ||
	    http->telegram == NULL) {
		TELL(doctor, HEALTH, ERROR, "HTTP: %s", err.text);
		doctor_http_free(http);
		return NULL;
	}
	ask_all(doctor, http);
	return http;
}

void
doctor_http_free(struct doctor_http *http)
{
	if (http == NULL)
		return;
	http_client_free(http->probes);
	http_client_free(http->telegram);
	free(http->checks);
	free(http);
}
