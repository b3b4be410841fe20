/* judge.c - begin and end of a judgement, and its list of paths.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "judge/judge.h"

#include "judge/judge_inside.h"
#include "lib/clean.h"
#include "lib/err.h"

void
judge_init(struct judge *judge, const char *allow)
{
	*judge = (struct judge){ .allow = allow, .paths = buf_make(JUDGE_PATHS_MAX) };
}

void
judge_done(struct judge *judge)
{
	buf_done(&judge->paths);
}

bool
judge_is_plain(const char *text, const char *more)
{
	for (; *text != '\0'; text++)
		if (!(*text >= 'a' && *text <= 'z') && !(*text >= 'A' && *text <= 'Z') &&
		    !(*text >= '0' && *text <= '9') && strchr(more, *text) == NULL)
			return false;
	return true;
}

bool
judge_add_path(
    struct judge *judge, const char *where, const char *path, bool is_read_only, struct err *err)
{
	char shown[100];

	clean_line(shown, sizeof(shown), where, strlen(where));
	if (path[0] == '\0' || !judge_is_plain(path, "._/@:+-"))
		return err_set(err, ERR_DENIED,
		    "%s: a path of the host that is not plain (A-Z a-z 0-9 . _ / @ : + -): write it so",
		    shown);
	buf_addf(&judge->paths, "%s\t%s%s\n", shown, path, is_read_only ? "\tro" : "");
	return buf_check(&judge->paths, err);
}
