/* settings_vault.c - where Vault, OPA and Prometheus are: by TLS or here, and with which certificates.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "lib/err.h"
#include "lib/file.h"
#include "settings/checks/settings_production.h"
#include "settings/settings_inside.h"

#define CERTIFICATES_MAX (1u << 20)
#define OPA_DATA	 "/v1/data/"
#define PEM_END		 "CERTIFICATE-----" /* of one, in both of its lines */

static void
check_certificates(struct settings_loader *l, const char *name, const char *path)
{
	CLEANUP(freep) char *text = NULL;
	struct err err;
	size_t size;

	if (path == NULL)
		return;
	text = file_read(path, CERTIFICATES_MAX, &size, &err);
	if (text == NULL)
		settings_say(l->report, SETTINGS_ERROR, "%s: %s", name, err.text);
	else if (strstr(text, PEM_END) == NULL)
		settings_say(l->report, SETTINGS_ERROR,
		    "%s: %s has no certificate in PEM (-----BEGIN CERTIFICATE-----)", name, path);
}

void
settings_check_vault(struct settings_loader *l)
{
	const struct settings_vault *vault = &l->s->vault;

	if (l->main != NULL || vault->address == NULL)
		return;
	if (settings_leaves_machine(vault->address))
		settings_say(l->report, SETTINGS_ERROR,
		    "VAULT_ADDR: http:// would carry tokens and secrets over the network in the clear: https, or http:// to this machine itself");
	check_certificates(l, "VAULT_CA_FILE", vault->ca_file);
}

/* /v0/data gives a bare value, and a package has rules: only a rule's address answers as is
 * expected.  What stands before it is the path of who stands before OPA. */
static bool
is_rule(const char *url)
{
	const char *path = strchr(strstr(url, "://") + strlen("://"), '/');
	const char *rule = path != NULL ? strstr(path, OPA_DATA) : NULL;
	const char *end = url + strcspn(url, "?#");

	return rule != NULL && rule + strlen(OPA_DATA) < end && end[-1] != '/' && *end != '#' &&
	    strstr(path, "/.") == NULL;
}

/* What it answers is no secret, and in most houses goes over the network in the clear: with what
 * proves us there it does not. */
void
settings_check_prometheus(struct settings_loader *l)
{
	const struct settings_prometheus *is = &l->s->prometheus;

	if (l->main != NULL || is->url == NULL)
		return;
	if (settings_is_on_link(is->url))
		settings_say(l->report, SETTINGS_ERROR,
		    "PROMETHEUS_URL: is an address of the link (169.254.0.0/16, fe80::/10), which is never connected to: give Prometheus's own");
	if (strpbrk(is->url, "?#") != NULL)
		settings_say(l->report, SETTINGS_ERROR,
		    "PROMETHEUS_URL: has a ? or #: it is the address before /api/v1/query, as http://127.0.0.1:9090");
	if (is->token != NULL && settings_leaves_machine(is->url))
		settings_say(l->report, SETTINGS_ERROR,
		    "PROMETHEUS_URL: http:// would carry PROMETHEUS_TOKEN over the network in the clear: https, or http:// to this machine itself");
	check_certificates(l, "PROMETHEUS_CA_FILE", is->ca_file);
}

void
settings_check_opa(struct settings_loader *l)
{
	const char *url = l->s->opa.url;

	if (l->main != NULL || url == NULL)
		return;
	if (settings_leaves_machine(url))
		settings_say(l->report, SETTINGS_ERROR,
		    "OPA_URL: http:// would carry its answers over the network in the clear, where they can be changed: https, or http:// to this machine itself");
	if (!is_rule(url))
		settings_say(l->report, SETTINGS_ERROR,
		    "OPA_URL: is no rule's address: http://127.0.0.1:8181" OPA_DATA
		    "deploybot/allow asks the rule allow of package deploybot");
	check_certificates(l, "OPA_CA_FILE", l->s->opa.ca_file);
}
