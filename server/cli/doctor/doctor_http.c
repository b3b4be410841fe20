/* doctor_http.c - each health URL asked once, and the clock compared with Telegram's.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "cli/doctor/doctor.h"
#include "cli/doctor/doctor_hosts.h"
#include "lib/http_client.h"
#include "lib/mem.h"
#include "store/row_environment.h"
#include "store/row_host_list.h"
#include "types/outbound.h"
#include "types/probe.h"
#include "types/settings.h"

#define SKEW_WARNING_S 5
#define SKEW_ERROR_S   60 /* one-time codes and signed requests fail */
#define ANSWER_MAX     (1u << 20)

struct http_check {
	struct doctor *doctor;
	const char *environment;
	const char *url;
	int64_t live; /* the number of the release that serves there; 0: none, as far as is known */
};

struct asking {
	struct http_client *probes;
	struct http_client *telegram; /* another trust zone, and TELEGRAM_PROXY */
	size_t count;
	struct http_check *checks; /* one for each address of the settings, and the clock */
	struct doctor_hosts *hosts;
};

int64_t
doctor_http_date(const char *text)
{
	struct tm tm = { 0 };
	const char *rest = strptime(text, "%a, %d %b %Y %H:%M:%S GMT", &tm);

	return rest == NULL || *rest != '\0' ? -1 : (int64_t)timegm(&tm);
}

/* Health URLs of an application that was never deployed fail, and may. */
static void
say_unhealthy(const struct http_check *q, const char *why)
{
	if (q->live != 0)
		TELL(q->doctor, HEALTH, ERROR,
		    "%s: release %" PRId64 " is live and unhealthy: %s: deploybot status %s",
		    q->environment, q->live, why, q->environment);
	else
		TELL(q->doctor, HEALTH, WARNING,
		    "%s: %s (nothing is live there yet: fine until the first release)",
		    q->environment, why);
}

static void
on_probed(void *ctx, const struct http_client_result *result)
{
	struct http_check *q = ctx;
	char why[LIMIT_LINE];

	if (result->code != ERR_NONE)
		(void)snprintf(why, sizeof(why), "%s answers nothing: %s", q->url, result->text);
	else
		(void)snprintf(why, sizeof(why), "%s answers %d", q->url, result->status);
	if (result->code != ERR_NONE || result->status < 200 || result->status > 299)
		say_unhealthy(q, why);
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
ask(struct asking *http, struct http_client *client, struct http_check check,
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
ask_hosts(
    struct doctor *doctor, struct asking *http, const struct environment_settings *e, int64_t live)
{
	struct doctor_hosts *asked = doctor_hosts_ask(
	    doctor, &(struct doctor_hosts){ .next = http->hosts, http->probes, e, live });

	if (asked != NULL)
		http->hosts = asked;
	else
		TELL(doctor, HEALTH, NOTE,
		    "%s: no host is known yet whose health could be looked at", e->name);
}

static void
ask_all(struct doctor *doctor, struct asking *http)
{
	const struct settings *s = doctor->settings;

	ask(http, http->telegram, (struct http_check){ doctor, NULL, s->telegram_api_base, 0 },
	    DOCTOR_CLOCK, on_clock);
	for (size_t i = 0; i < s->environment_count; i++) {
		const struct environment_settings *e = &s->environments[i];
		int64_t live = row_environment_live(doctor->db, e->name);

		if (e->health_url_count == 0 && e->health_template == NULL)
			TELL(doctor, HEALTH, WARNING,
			    "%s: no health check configured: success means the script exited with 0",
			    e->name);
		if (e->health_template != NULL)
			ask_hosts(doctor, http, e, live);
		for (size_t n = 0; n < e->health_url_count; n++)
			ask(http, http->probes,
			    (struct http_check){ doctor, e->name, e->health_urls[n], live },
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

/* At most. */
static size_t
count_hosts(const struct settings *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->environment_count; i++)
		n += s->environments[i].health_template != NULL ? ROW_HOSTS_MAX : 0;
	return n;
}

static void
end(void *ctx)
{
	struct asking *http = ctx;

	http_client_free(http->probes);
	http_client_free(http->telegram);
	doctor_hosts_free(http->hosts);
	free(http->checks);
	free(http);
}

void
doctor_http(struct doctor *doctor)
{
	struct asking *http = mem_new(1, sizeof(*http));
	const struct settings *s = doctor->settings;
	const size_t n = count_checks(s);
	const struct http_client_config probes = {
		.connections_max = PROBE_HOSTS_AT_ONCE,
		.in_flight_max = PROBE_HOSTS_AT_ONCE,
		.queue_max = (unsigned)(n + count_hosts(s)),
		.address_is_allowed = outbound_allows,
		.address_ctx = outbound_of(OUTBOUND_HEALTH, NULL),
	};
	const struct http_client_config telegram = {
		.proxy = s->telegram_proxy,
		.address_is_allowed = outbound_allows,
		.address_ctx = outbound_of(
		    OUTBOUND_TELEGRAM, s->telegram_proxy == NULL ? s->telegram_api_base : NULL),
	};
	struct err err;

	doctor_at_end(doctor, end, http);
	http->checks = mem_new(n, sizeof(*http->checks));
	http->probes = http_client_new(doctor->loop, &probes, &err);
	http->telegram = http_client_new(doctor->loop, &telegram, &err);
	if (http->probes != NULL && http->telegram != NULL)
		ask_all(doctor, http);
	else
		TELL(doctor, HEALTH, ERROR, "HTTP: %s", err.text);
}
