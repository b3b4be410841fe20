/* settings_pipelines.c - PIPELINE_<NAME>: what is wrong with each, and what it needs to be begun.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "lib/err.h"
#include "settings/settings_inside.h"
#include "types/pipeline.h"

void
settings_check_pipelines(struct settings_loader *l)
{
	const struct settings_inside *in = l->s->inside;
	const char *missing;
	struct pipeline pipeline;
	struct err err;

	for (size_t i = 0; i < in->member_count; i++) {
		const char *line = settings_own(in->members[i], PIPELINE_SETTING_IS)->text;

		if (in->members[i]->family != FAMILY_PIPELINE || line == NULL)
			continue;
		missing = settings_forge_missing(l->s, line[0] == '.' ? PIPELINE_OF_GITLAB : NULL);
		if (missing == NULL && pipeline_read(line, NULL, "", &pipeline, &err))
			continue;
		/* In an application's file it keeps nobody else from starting. */
		settings_say_of(l, l->s->application[0] == '\0' ? SETTINGS_ERROR : SETTINGS_WARNING,
		    in->members[i], PIPELINE_SETTING_IS, "%s%s", missing != NULL ? "needs " : "",
		    missing != NULL ? missing : err.text);
	}
}
