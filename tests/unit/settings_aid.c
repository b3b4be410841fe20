/* settings_aid.c - settings that are loaded, and what is said of them, for tests.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "settings_aid.h"

#include <unistd.h>

#include "lib/file.h"

struct settings_report settings_said;

struct settings *
settings_aid_load(const char *env_text, const char *const environment[])
{
	char path[] = "/tmp/test_settings.XXXXXX";
	char *list[32];
	struct settings *s = NULL;
	size_t n = 0;
	int fd;

	for (; environment[n] != NULL; n++)
		list[n] = strdup(environment[n]);
	list[n] = NULL;
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_true(file_write_all(
	    fd, env_text == NULL ? "" : env_text, env_text == NULL ? 0 : strlen(env_text), NULL));
	(void)close(fd);
	if (!settings_load(env_text == NULL ? NULL : path, list, &s, &settings_said))
		assert_null(s);
	(void)unlink(path);
	while (n > 0)
		free(list[--n]);
	return s;
}

bool
settings_aid_says(enum settings_severity severity, const char *part)
{
	for (size_t i = 0; i < settings_said.count; i++)
		if (settings_said.lines[i].severity == severity &&
		    strstr(settings_said.lines[i].text, part) != NULL)
			return true;
	return false;
}
