/* bake.c - what Prometheus is asked about: the names of its placeholders.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "types/bake.h"

#include <string.h>

#include "types/settings.h"

struct promql_facts
bake_facts(const struct environment_settings *of, const char *release)
{
	const char *slash = strrchr(of->name, '/');

	return (struct promql_facts){
		.application = of->of->application,
		.environment = slash != NULL ? slash + 1 : of->name,
		.hosts = of->hosts != NULL ? of->hosts : "",
		.release = release,
	};
}

bool
bake_asks(const struct environment_settings *of)
{
	for (size_t i = 0; i < LIMIT_BAKE_QUERIES; i++)
		if (of->bake_queries[i] != NULL)
			return true;
	return false;
}
