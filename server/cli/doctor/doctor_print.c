/* doctor_print.c - findings as lines for people, errors last, or as JSON for programs.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/doctor/doctor.h"
#include "lib/buf.h"
#include "lib/json.h"

#define JSON_MAX (1u << 20)

static const struct {
	const char *word;
	const char *colour; /* SGR; NULL: none */
} levels[] = {
	[DOCTOR_OK] = { "ok", "32" },
	[DOCTOR_NOTE] = { "note", NULL },
	[DOCTOR_WARNING] = { "warning", "33" },
	[DOCTOR_ERROR] = { "error", "1;31" },
};

static const char *const subjects[] = {
	[DOCTOR_SETTINGS] = "settings",
	[DOCTOR_FILES] = "files",
	[DOCTOR_STORE] = "store",
	[DOCTOR_CLOCK] = "clock",
	[DOCTOR_TELEGRAM] = "telegram",
	[DOCTOR_WEBHOOKS] = "webhooks",
	[DOCTOR_RUNNER] = "runner",
	[DOCTOR_GIT] = "git",
	[DOCTOR_GITHUB] = "github",
	[DOCTOR_VAULT] = "vault",
	[DOCTOR_OPA] = "opa",
	[DOCTOR_PROMETHEUS] = "prometheus",
	[DOCTOR_TARGETS] = "targets",
	[DOCTOR_HEALTH] = "health",
	[DOCTOR_OUTBOUND] = "outbound",
	[DOCTOR_CLIENTS] = "clients",
	[DOCTOR_LINK] = "link",
	[DOCTOR_ANSIBLE] = "ansible",
	[DOCTOR_PRODUCTION] = "production",
};
static_assert(COUNT(subjects) == DOCTOR_SUBJECT_COUNT, "each has a name");

/* https://no-color.org, and a terminal that has none. */
static bool
has_colours(FILE *out)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	return isatty(fileno(out)) && (no == NULL || no[0] == '\0') && term != NULL &&
	    strcmp(term, "dumb") != 0;
}

static void
print_line(const struct doctor_finding *finding, bool in_colour, FILE *out)
{
	const char *colour = in_colour ? levels[finding->level].colour : NULL;

	if (colour != NULL)
		(void)fprintf(out, "\033[%sm%-8s\033[0m %s\n", colour, levels[finding->level].word,
		    finding->text);
	else
		(void)fprintf(out, "%-8s %s\n", levels[finding->level].word, finding->text);
}

size_t
doctor_count(const struct doctor *doctor, enum doctor_level level)
{
	size_t n = 0;

	for (size_t i = 0; i < doctor->count; i++)
		n += doctor->findings[i].level == level;
	return n;
}

void
doctor_print(const struct doctor *doctor, enum doctor_level least, FILE *out)
{
	bool in_colour = has_colours(out);

	for (unsigned level = least; level <= DOCTOR_ERROR; level++)
		for (unsigned subject = 0; subject < DOCTOR_SUBJECT_COUNT; subject++)
			for (size_t i = 0; i < doctor->count; i++)
				if (doctor->findings[i].level == level &&
				    doctor->findings[i].subject == subject)
					print_line(&doctor->findings[i], in_colour, out);
	(void)fflush(out);
}

bool
doctor_print_json(const struct doctor *doctor, FILE *out)
{
	CLEANUP(buf_done) struct buf text = buf_make(JSON_MAX);
	struct json_out json = json_out_begin(&text, '{');

	json_put_bool(&json, "ok", doctor_count(doctor, DOCTOR_ERROR) == 0);
	json_put_str(&json, "file", doctor->cli->env_file);
	for (unsigned level = 0; level <= DOCTOR_ERROR; level++) {
		char key[16];

		(void)snprintf(key, sizeof(key), "%s_count", levels[level].word);
		json_put_i64(&json, key, (int64_t)doctor_count(doctor, level));
	}
	json_put_open(&json, "findings", '[');
	for (size_t i = 0; i < doctor->count; i++) {
		json_out_object(&json);
		json_put_str(&json, "level", levels[doctor->findings[i].level].word);
		json_put_str(&json, "subject", subjects[doctor->findings[i].subject]);
		json_put_str(&json, "text", doctor->findings[i].text);
		json_out_end(&json);
	}
	json_out_end(&json);
	json_out_end(&json);
	return !buf_failed(&text) && fprintf(out, "%s\n", buf_text(&text)) > 0 && fflush(out) == 0;
}
