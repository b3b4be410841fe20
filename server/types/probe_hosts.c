/* probe_hosts.c - what hosts answered at their own health URLs, as one finding.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "types/probe_hosts.h"

#include <stdio.h>
#include <string.h>

#include "lib/mem.h"
#include "lib/text.h"

#define NAMED 5

size_t
probe_hosts_findings(const struct effect_probe *probe, const char *hosts)
{
	size_t n = 0;

	for (size_t i = 0; i < probe->n; i++)
		n += probe_is_template(probe->targets[i].url) ? 0 : 1;
	for (; hosts != NULL && *hosts != '\0'; hosts++)
		n += *hosts == ' ';
	return n;
}

const char *
probe_hosts_url(const char *url, const char *host, char out[LIMIT_URL + LIMIT_HOST])
{
	const char *at = strstr(url, PROBE_HOST);
	size_t size;

	if (host == NULL)
		return url;
	size = strcspn(host, " ");
	for (size_t i = 0, end = size; i < end; i++)
		size = host[i] == ':' ? i : size;
	(void)snprintf(out, LIMIT_URL + LIMIT_HOST, "%.*s%.*s%s", (int)(at - url), url, (int)size,
	    host, at + strlen(PROBE_HOST));
	return out;
}

/* "web7: 503" */
static void
name_bad(const struct probe_finding *finding, const char *host, size_t n_bad, char out[LIMIT_LINE])
{
	size_t used = strlen(out), size = strcspn(host, " ");

	if (size > 3 && memcmp(host + size - 3, ":22", 3) == 0)
		size -= 3;
	if (n_bad == NAMED)
		(void)snprintf(out + used, LIMIT_LINE - used, "; …");
	else if (n_bad < NAMED && finding->http_status != 0)
		(void)snprintf(out + used, LIMIT_LINE - used, "%s%.*s: %d", n_bad > 0 ? "; " : "",
		    (int)(size < 40 ? size : 40), host, finding->http_status);
	else if (n_bad < NAMED)
		(void)snprintf(out + used, LIMIT_LINE - used, "%s%.*s: %.*s", n_bad > 0 ? "; " : "",
		    (int)(size < 40 ? size : 40), host,
		    (int)text_cut(finding->detail, strlen(finding->detail), 40), finding->detail);
}

/* Takes its hosts and their findings; that one of them was never asked in the time for all is no
 * fault of it. */
static struct probe_finding
collapse(const struct probe_finding **findings, const char **hosts)
{
	struct probe_finding ret = { .is_healthy = true };
	size_t n = 0, n_good = 0, n_bad = 0;
	char bad[LIMIT_LINE] = "", silent[52] = "";

	for (; **hosts != '\0' && **hosts != '\n'; *hosts = strchr(*hosts, ' ') + 1) {
		const struct probe_finding *finding = (*findings)++;

		n++;
		if (finding->is_healthy)
			n_good++;
		else if (finding->failures > 0 || finding->passes > 0)
			name_bad(finding, *hosts, n_bad++, bad);
	}
	*hosts += **hosts == '\n';
	ret.is_healthy = n_bad == 0;
	ret.passes = (int)n_good;
	ret.failures = (int)n_bad;
	if (n_good + n_bad < n)
		(void)snprintf(
		    silent, sizeof(silent), "; %zu did not answer in time", n - n_good - n_bad);
	text_setf(ret.detail, "healthy on %zu of %zu%s%.130s%s%s", n_good, n, n_bad > 0 ? " (" : "",
	    bad, n_bad > 0 ? ")" : "", silent);
	return ret;
}

struct probe_finding *
probe_hosts_collapse(const struct effect_probe *probe, const struct probed *probed)
{
	const struct probe_finding *finding = probed->findings;
	const char *hosts = probed->hosts != NULL ? probed->hosts : "";
	struct probe_finding *ret;

	if (probed->n != probe_hosts_findings(probe, hosts))
		return NULL;
	ret = mem_new(probe->n + 1, sizeof(*ret));
	for (size_t i = 0; i < probe->n; i++)
		ret[i] = probe_is_template(probe->targets[i].url) ? collapse(&finding, &hosts) :
								    *finding++;
	return ret;
}
