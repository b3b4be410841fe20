/* opa_verdict.h - what OPA is asked, and has said of it.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "types/limits.h"

#define OPA_INPUT    8192 /* bytes with the NUL: of NEEDS_APPROVALS_MAX approvals, and more */
#define OPA_REASON   200  /* characters */
#define OPA_DECISION 64	  /* bytes with the NUL: a UUID has 36 */

enum opa_verdict {
	OPA_UNASKED, /* in rows: it is being asked */
	OPA_YES,
	OPA_NO,
	OPA_SILENT, /* no answer came, or none of OPA's */
};

struct opa_answer {
	enum opa_verdict verdict;
	bool is_undefined;	     /* NO: there is no such rule, or it does not say */
	char reason[LIMIT_LINE];     /* of NO the policy's, of SILENT why; a line; YES: "" */
	char decision[OPA_DECISION]; /* OPA's decision_id, or "none" */
};
