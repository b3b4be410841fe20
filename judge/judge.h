/* judge.h - may a compose file that came from the repository be used on a host?  Knows no host.  Side: pure. */
/* SPDX-License-Identifier: ISC */
/*
 * Who can push writes that file.  It is judged twice: its text, by what compose would read besides,
 * and what compose makes of it, anchors and variables resolved, by what reaches beyond its
 * containers.  Both are bounded.  What paths of a host lead to is for that host to see.
 */
#pragma once

#include "lib/base.h"
#include "lib/buf.h"

#define JUDGE_FILE_MAX	 65536	/* bytes of a file; compose.sh has it too */
#define JUDGE_CONFIG_MAX 262144 /* of what compose makes of it; ssh-host/paths.sh has it too */
#define JUDGE_PATHS_MAX	 262144 /* of the list of paths */

struct judge {
	const char *allow; /* COMPOSE_ALLOW, with commas between its words */
	/* Filled with a line WHERE, a tab, PATH for each file and folder of the host that is named:
	 * as it stands there, plain; relative to the folder of the release in a text; behind a tab
	 * `ro` where nothing writes there.  And of a text with a line WHERE, a tab, $NAME for each
	 * variable that it takes, but for those that deploybot itself gives it. */
	struct buf paths;
};

void judge_init(struct judge *judge, const char *allow);
void judge_done(struct judge *judge);

/* Behind the text stands a NUL.  False: it is refused, and err says what to do. */
MUST_USE bool judge_text(struct judge *judge, const char *text, size_t size, struct err *err);
MUST_USE bool judge_config(struct judge *judge, const char *text, size_t size, struct err *err);
