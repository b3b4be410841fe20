/* pipeline.h - PIPELINE_<NAME>: which workflow is begun at its forge, and with which inputs.  Side: any. */
/* SPDX-License-Identifier: ISC */
/*
 * "release.yml ref=main channel=stable version=?": a file below .github/workflows/, or
 * PIPELINE_OF_GITLAB, the branch or tag that it is begun on, and its inputs.  "?" marks what a
 * person gives: a word of [A-Za-z0-9._/-]{1,64} each, in the order written.  The input `deploybot`
 * is ours alone: a word by which its run can be found, where the workflow has that in its run-name.
 */
#pragma once

#include "types/pipeline_run.h"

#define PIPELINE_INPUTS 10 /* this and the sizes here: as the setting's type lets them pass */
#define PIPELINE_WORD	65
#define PIPELINE_NONCE	33
#define PIPELINE_OURS	"deploybot"

struct pipeline {
	char file[PIPELINE_FILE], ref[PIPELINE_WORD];
	size_t n;
	struct {
		char name[PIPELINE_WORD], value[PIPELINE_WORD];
	} inputs[PIPELINE_INPUTS];
};

/* Is a run of that pipeline at GitLab?  As its repository's id says ("gitlab:22"); where that is ""
 * as its line in the settings does; without one: has the application no other forge? */
MUST_USE bool pipeline_at_gitlab(const struct settings *settings, const char *environment,
    const char *name, const char *repository_id);

/* Does a line of the application's begin runs at that forge? */
bool pipeline_begins(const struct settings *application, enum delivery_forge forge);

/* The project at GitLab that this application's token is for; false, and "": there is no token, or
 * its repository is elsewhere. */
bool pipeline_project(const struct settings *application, char ret[LIMIT_REF]);

/* The application's repository at that forge, where a credential lets it be asked about; false, and
 * "": it is elsewhere, or there is none. */
bool pipeline_repository(
    const struct settings *application, enum delivery_forge forge, char ret[LIMIT_REF]);

/* A line, with words in the places of "?" (NULL: these stay) and the nonce in its own.  False: an
 * input is there twice; or the words are too few, too many, or none that a person may give. */
MUST_USE bool pipeline_read(
    const char *line, const char *words, const char *nonce, struct pipeline *ret, struct err *err);
