/* opa_answer.h - what an answer of OPA's means.  Side: pure. */
/* SPDX-License-Identifier: ISC */
/*
 * https://www.openpolicyagent.org/docs/latest/rest-api/#get-a-document-with-input: {"result": …} and
 * 200, or {} and 200 where the rule is undefined, or is not there.  A decision_id comes where
 * decision logs are on.
 */
#pragma once

#include "lib/base.h"
#include "types/opa_verdict.h"

#define OPA_ANSWER_MAX 65536

/* status 0: none came, and `body` is why.  JSON true alone is yes, as `result` or as `allow` in it;
 * any other answer of a rule is no.  What no rule says (an error, a page) is SILENT. */
struct opa_answer opa_judge(int status, const char *body, size_t size);
