/* folder_aid.c - a main file and a folder of applications' files, and their settings.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "folder_aid.h"

#include <ftw.h>
#include <sys/stat.h>

#include "lib/file.h"

struct folder_aid folder_aid;

int
folder_aid_make(void **state)
{
	char path[128];

	(void)state;
	(void)snprintf(folder_aid.path, sizeof(folder_aid.path), "/tmp/test_applications.XXXXXX");
	assert_non_null(mkdtemp(folder_aid.path));
	(void)snprintf(path, sizeof(path), "%s/apps", folder_aid.path);
	assert_int_equal(mkdir(path, 0755), 0);
	return 0;
}

static int
remove_one(
    const char *path, UNUSED const struct stat *status, UNUSED int kind, UNUSED struct FTW *where)
{
	return remove(path);
}

int
folder_aid_remove(UNUSED void **state)
{
	for (size_t i = 0; folder_aid.environment[i] != NULL; i++)
		folder_aid.environment[i] = NULL;
	return nftw(folder_aid.path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

void
folder_aid_put(const char *name, const char *text)
{
	char path[256];

	(void)snprintf(path, sizeof(path), "%s/%s", folder_aid.path, name);
	assert_true(file_write(path, text, strlen(text), 0600, NULL));
}

struct settings *
folder_aid_load(void)
{
	struct settings *s = NULL;
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/main", folder_aid.path);
	if (!settings_load(path, folder_aid.environment, &s, &settings_said))
		fail_msg("refused: %s", settings_said.lines[0].text);
	assert_non_null(s);
	return s;
}

const char *
folder_aid_text(const struct settings *s, const char *application, enum setting setting)
{
	const struct settings *its = settings_application(s, application);

	assert_non_null(its);
	return settings_text(its, setting);
}
