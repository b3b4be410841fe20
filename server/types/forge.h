/* forge.h - what a repository is called at its host, and where that shows its commits.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "types/limits.h"

/* An https address below the repository's page at GitHub, GitLab, Gitea, Forgejo or Bitbucket,
 * which is known by its host's name (github.com, gitlab.example.org, codeberg.org), without the
 * user and password that its URL may have.  base "", and at Bitbucket: of the commit alone.  False,
 * and "": the host is none of those, or its URL is neither of https nor of ssh. */
bool forge_link(
    const char *repository_url, const char *base, const char *commit, char ret[LIMIT_URL]);

/* The path of a repository at the forge whose page is `base`, "group/sub/name": the given one, or
 * as its URL has it (either may be NULL), whose host is that of the page, or below it
 * (ssh.example.org).  A URL without a host says nothing of where it is.  False, and "": it is at
 * another forge, or nothing says its path. */
bool forge_path(
    const char *base, const char *given, const char *repository_url, char ret[LIMIT_REF]);

/* "2026-11-20T07:10:48Z", also with a fraction of a second or an offset (+02:00), in wall ms.
 * False, *ret as it was: it is none, or NULL. */
bool forge_time_read(const char *text, int64_t *ret);
