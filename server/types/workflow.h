/* workflow.h - WORKFLOW_<NAME>_IS: which workflow acts here, and by which claims or key it is known.  Side: any. */
/* SPDX-License-Identifier: ISC */
/*
 * "github 456789 deploy.yml@refs/heads/main environment=production": the number of the repository,
 * for names change hands; the file and the ref that the run is of; and what narrows it.  At GitLab
 * "gitlab 22 .gitlab-ci.yml@refs/heads/main", and the ref has to be protected.  A workflow is a
 * principal (principal_of_row()) with grants of its own.  Which claims there are: types/job.h.
 * Where no forge gives tokens WORKFLOW_<NAME>_KEY stands in the place of the line.
 */
#pragma once

#include "lib/base.h"
#include "lib/environment_id.h"
#include "types/delivery_forge.h"
#include "types/limits.h"
#include "types/secret.h"

struct json;
struct settings;

#define WORKFLOW_WORD 256 /* bytes of a word of the line, and of a claim compared with it */

struct workflow {
	const char *id; /* "deploy"; of an application's file "shop/deploy" */
	const char *is; /* NULL: it has a key */
	struct secret key; /* that its requests are signed with; values[0] NULL: it has a line */
	const char *may;
	const char *application; /* in whose file it stands; "": the main one */
};

/* Those of the main file, then those of applications, one after the other from *at = 0 on; those
 * that have a line or a key, and what they may. */
bool workflow_next(const struct settings *s, size_t *at, struct workflow *ret);

/* A line as it is read; "": it says nothing of that. */
struct workflow_line {
	enum delivery_forge forge;
	char repository[24];	  /* its number */
	char file[WORKFLOW_WORD]; /* "deploy.yml@refs/heads/main" */
	char environment[WORKFLOW_WORD];
	char reusable[WORKFLOW_WORD]; /* "octo/ci/.github/workflows/deploy.yml@refs/heads/main" */
	char events[WORKFLOW_WORD];   /* "workflow_run,issue_comment": let in besides */
};

/* Of a text that its type has let pass.  False: a word is longer than WORKFLOW_WORD, is there
 * twice, or lets merge requests in; *err says which. */
MUST_USE bool workflow_line_read(const char *is, struct workflow_line *ret, struct err *err);

/* Whose tokens have that `iss` (GITHUB_TOKEN_ISSUER, GITLAB_URL)? */
const char *workflow_issuer(const struct settings *s, enum delivery_forge forge);

/* Has that forge a workflow here? */
bool workflow_is_any(const struct settings *s, enum delivery_forge forge);

/* Is the workflow of that id (NULL: any) of the repository with that number, as jobs have it
 * ("456789", "gitlab:22")?  "": it has a key. */
bool workflow_is_of(const struct settings *s, const char *id, const char *repository_id);

/* Is a job with these claims of that workflow?  They are its forge's, and checked (lib/jwt.h). */
bool workflow_line_matches(const struct workflow_line *line, const struct json *claims);

/* What its line would have, and the event behind it: "github 456789 deploy.yml@refs/heads/main, by
 * push", cleaned; ? for what is none.  Returns ret. */
const char *
workflow_of(enum delivery_forge forge, const struct json *claims, char ret[LIMIT_LINE]);

/* Could both match one token? */
bool workflow_lines_meet(const struct workflow_line *a, const struct workflow_line *b);

/* The workflow that a job with these claims is of: how many there are, and the first of them; of
 * several the one in the main file, or in that of the application whose repository it is. */
size_t workflow_find(const struct settings *s, enum delivery_forge forge, const struct json *claims,
    struct workflow *ret);
