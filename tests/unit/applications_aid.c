/* applications_aid.c - settings with several applications, for tests.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "applications_aid.h"

#include "lib/text.h"
#include "settings/settings_inside.h"
#include "unit.h"

#define LIST_MAX 32

static struct settings *
load(const char *name, va_list more)
{
	char token[] = "TELEGRAM_BOT_TOKEN=123456:ABCDEFGHIJKLMNOPQRSTUVWXYZ123456789";
	char admins[] = "ADMIN_TELEGRAM_IDS=11,22", team[] = "TELEGRAM_CHAT_ID=-1001";
	char *list[LIST_MAX] = { token, admins, team };
	struct settings_report report = { 0 };
	struct settings *s;
	size_t n = 3;

	for (char *line; (line = va_arg(more, char *)) != NULL;) {
		assert_true(n < LIST_MAX - 1);
		if (text_starts(line, "TELEGRAM_CHAT_ID="))
			list[2] = line;
		else
			list[n++] = line;
	}
	if (!settings_load(NULL, list, &s, &report))
		fail_msg("%s: %s", name, report.lines[0].text);
	(void)text_copy(s->inside->application, sizeof(s->inside->application), name);
	for (size_t i = 0; i < s->inside->member_count; i++)
		(void)environment_id_text(
		    name, s->inside->members[i]->name, s->inside->members[i]->id);
	assert_true(settings_fill(s));
	return s;
}

void
applications_aid_add(struct settings *main_settings, const char *name, ...)
{
	struct settings_inside *in = main_settings->inside;
	va_list more;

	in->applications =
	    realloc(in->applications, (in->application_count + 1) * sizeof(struct settings *));
	assert_non_null(in->applications);
	va_start(more, name);
	in->applications[in->application_count++] = load(name, more);
	va_end(more);
	assert_true(settings_fill(main_settings));
}
