/* doctor_hosts.c - a health URL of each host asked once.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "cli/doctor/doctor_hosts.h"

#include <inttypes.h>
#include <stdlib.h>

#include "cli/doctor/doctor.h"
#include "lib/buf.h"
#include "lib/err.h"
#include "lib/http_client.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "store/row_host_list.h"
#include "types/probe_hosts.h"
#include "types/settings.h"

#define ANSWER_MAX (1u << 20)

struct one {
	struct hosts *hosts;
	struct probe_finding *finding;
};

struct hosts {
	struct doctor_hosts is;
	struct doctor *doctor;
	struct probe_target target;
	struct effect_probe probe;
	struct probed probed;
	size_t pending;
	struct one all[];
};

static void
say(struct hosts *hosts)
{
	CLEANUP(freep)
	struct probe_finding *all = probe_hosts_collapse(&hosts->probe, &hosts->probed);
	const char *name = hosts->is.of->name;

	if (all->is_healthy)
		TELL(hosts->doctor, HEALTH, OK, "%s: %s is %s", name, hosts->target.url,
		    all->detail);
	else if (hosts->is.live != 0)
		TELL(hosts->doctor, HEALTH, ERROR,
		    "%s: release %" PRId64 " is live and %s: deploybot status %s", name,
		    hosts->is.live, all->detail, name);
	else
		TELL(hosts->doctor, HEALTH, WARNING, "%s: %s", name, all->detail);
}

static void
on_answer(void *ctx, const struct http_client_result *result)
{
	struct one *one = ctx;
	struct hosts *hosts = one->hosts;

	one->finding->is_healthy =
	    result->code == ERR_NONE && result->status >= 200 && result->status <= 299;
	one->finding->failures = one->finding->is_healthy ? 0 : 1;
	one->finding->http_status = result->code == ERR_NONE ? (int)result->status : 0;
	if (result->code != ERR_NONE)
		text_setf(one->finding->detail, "%.100s", result->text);
	if (--hosts->pending > 0)
		return;
	say(hosts);
	doctor_answered(hosts->doctor);
}

/* One that cannot be asked answers at once. */
static void
ask(struct one *one, const char *host)
{
	struct hosts *hosts = one->hosts;
	char url[LIMIT_URL + LIMIT_HOST];
	const struct http_client_request request = {
		.label = hosts->is.of->name,
		.url = probe_hosts_url(hosts->target.url, host, url),
		.timeout_ms = DOCTOR_HOSTS_MS,
		.answer_max = ANSWER_MAX,
		.on_done = on_answer,
		.ctx = one,
	};
	struct err err = { .code = ERR_NONE };

	if (http_client_start(hosts->is.client, &request, &err) == NULL)
		on_answer(one, &(struct http_client_result){ .code = err.code, .text = err.text });
}

struct doctor_hosts *
doctor_hosts_ask(struct doctor *doctor, const struct doctor_hosts *asking)
{
	CLEANUP(buf_done) struct buf names = buf_make(LIMIT_RUN_HOSTS);
	struct hosts *hosts;
	struct probe_target target;
	const char *at;
	size_t n;

	if (!row_host_look(doctor->db, asking->of->name, &names) || buf_failed(&names))
		return NULL;
	text_set(target.url, asking->of->health_template);
	n = probe_hosts_findings(
	    &(struct effect_probe){ .n = 1, .targets = &target }, buf_text(&names));
	hosts = mem_new(1, sizeof(*hosts) + n * sizeof(hosts->all[0]));
	hosts->is = *asking;
	hosts->doctor = doctor;
	hosts->target = target;
	hosts->probe = (struct effect_probe){ .n = 1, .targets = &hosts->target };
	hosts->probed.hosts = buf_take(&names);
	hosts->probed.n = hosts->pending = n;
	hosts->probed.findings = mem_new(n, sizeof(*hosts->probed.findings));
	doctor_asked(doctor);
	at = hosts->probed.hosts;
	for (size_t i = 0; i < n; i++, at = strchr(at, ' ') + 1) {
		hosts->all[i] = (struct one){ hosts, &hosts->probed.findings[i] };
		ask(&hosts->all[i], at);
	}
	return &hosts->is;
}

void
doctor_hosts_free(struct doctor_hosts *is)
{
	while (is != NULL) {
		struct hosts *hosts = (struct hosts *)is;

		is = is->next;
		free(hosts->probed.findings);
		free(hosts->probed.hosts);
		free(hosts);
	}
}
