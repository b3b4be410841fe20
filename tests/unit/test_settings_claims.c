/* Goal: whatever two spellings of one target are called, they are one resource; two targets are two.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "settings/settings_claims.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "settings/settings_load.h"

#define MINIMUM \
	"TELEGRAM_BOT_TOKEN=123456:ABCDEFGHIJKLMNOPQRSTUVWXYZ123456789", "ADMIN_TELEGRAM_IDS=11", \
	    "GITHUB_REPOSITORY=acme/shop", "REGISTRY_URL=registry.example.org"

/* What staging claims with these settings, a blank between; valid until the next call. */
static const char *
claims(const char *const more[])
{
	static char line[4096];
	struct settings_claims *all;
	struct settings_report report = { 0 };
	const char *const minimum[] = { MINIMUM };
	char *list[16] = { 0 };
	struct settings *s = NULL;
	size_t n = 0, used = 0;

	for (size_t i = 0; i < COUNT(minimum); i++)
		list[n++] = strdup(minimum[i]);
	for (size_t i = 0; more[i] != NULL; i++)
		list[n++] = strdup(more[i]);
	if (!settings_load(NULL, list, &s, &report))
		fail_msg("settings: %s", report.lines[0].text);
	while (n > 0)
		free(list[--n]);
	all = settings_claims(s, "staging");
	assert_non_null(all);
	settings_unref(s);
	line[0] = '\0';
	for (size_t i = 0; i < all->n; i++)
		used += (size_t)snprintf(
		    line + used, sizeof(line) - used, "%s%s", i > 0 ? " " : "", all->at[i]);
	assert_true(used < sizeof(line));
	free(all);
	return line;
}

#define CLAIMS(...) claims((const char *const[]){ __VA_ARGS__, NULL })

static void
each_spelling_of_a_host_and_a_folder_is_one_resource(void **state)
{
	static const char *const spellings[][2] = {
		{ "STAGING_HOST=app.example.org", "STAGING_COMPOSE_DIR=/srv/shop" },
		{ "STAGING_HOST=App.Example.ORG:22", "STAGING_COMPOSE_DIR=/srv/shop/" },
		{ "STAGING_HOST=app.example.org:22", "STAGING_COMPOSE_DIR=//srv/./shop//" },
		{ "STAGING_HOST=app.example.org,APP.example.org:22",
		    "STAGING_COMPOSE_DIR=/srv/shop" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(spellings); i++)
		assert_string_equal(CLAIMS(spellings[i][0], spellings[i][1]),
		    "env:staging host:app.example.org:22/srv/shop");
	assert_string_equal(
	    CLAIMS("STAGING_HOST=[0:0:0:0:0:0:0:1]"), "env:staging host:[::1]:22/srv/app");
	assert_string_equal(CLAIMS("STAGING_HOST=[::1]:22"), "env:staging host:[::1]:22/srv/app");
}

static void
another_host_port_or_folder_is_another_resource(void **state)
{
	(void)state;
	assert_string_equal(
	    CLAIMS("STAGING_HOST=a,b:2222"), "env:staging host:a:22/srv/app host:b:2222/srv/app");
	assert_string_equal(CLAIMS("STAGING_HOST=a", "STAGING_COMPOSE_DIR=/srv/app.b"),
	    "env:staging host:a:22/srv/app.b");
}

static void
blue_green_has_one_file_of_the_proxy_on_each_host(void **state)
{
	(void)state;
	assert_string_equal(CLAIMS("STAGING_HOST=a", "DEPLOY_STRATEGY=bluegreen",
				"NGINX_UPSTREAM_FILE=/etc/nginx/conf.d//up.conf"),
	    "env:staging host:a:22/srv/app host:a:22/etc/nginx/conf.d/up.conf");
}

static void
other_transports_claim_what_they_touch(void **state)
{
	(void)state;
	assert_string_equal(
	    CLAIMS("DEPLOY_TRANSPORT=local", "STAGING_PORT=8080"), "env:staging port:8080");
	assert_string_equal(
	    CLAIMS("USE_KUBERNETES=true", "KUBECONFIG=/etc//kube/config", "KUBE_DEPLOYMENT=web"),
	    "env:staging kube:/etc/kube/config/default/web");
	assert_string_equal(CLAIMS("DEPLOY_TRANSPORT=kubernetes", "KUBECONFIG=/etc/kube/config",
				"KUBE_DEPLOYMENT=web", "STAGING_KUBE_NAMESPACE=blue"),
	    "env:staging kube:/etc/kube/config/blue/web");
	assert_string_equal(CLAIMS("DEPLOY_TRANSPORT=carrier", "STAGING_HOST=a"), "env:staging");
	assert_string_equal(CLAIMS("DEPLOY_SCRIPT=/opt/ours.sh", "STAGING_HOST=a"), "env:staging");
}

static void
an_environment_that_has_left_the_settings_claims_itself(void **state)
{
	struct settings_claims *all;
	struct settings_report report = { 0 };
	char *list[] = { MINIMUM, NULL };
	struct settings *s = NULL;

	(void)state;
	assert_true(settings_load(NULL, list, &s, &report));
	all = settings_claims(s, "shop/gone");
	assert_non_null(all);
	assert_int_equal(all->n, 1);
	assert_true(settings_claims_has(all, "env:shop/gone"));
	assert_false(settings_claims_has(all, "env:shop/gon"));
	free(all);
	settings_unref(s);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_spelling_of_a_host_and_a_folder_is_one_resource),
		cmocka_unit_test(another_host_port_or_folder_is_another_resource),
		cmocka_unit_test(blue_green_has_one_file_of_the_proxy_on_each_host),
		cmocka_unit_test(other_transports_claim_what_they_touch),
		cmocka_unit_test(an_environment_that_has_left_the_settings_claims_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
