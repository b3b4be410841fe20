/* opa_answer.c - only true is yes.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "clients/opa_answer.h"

#include <stdio.h>

#include "lib/clean.h"
#include "lib/json.h"
#include "lib/text.h"

#define UNDEFINED "no decision at that path: check OPA_URL and the package"
#define FORBIDDEN "its policy does not allow it"

/* Cleaned, and cut at so many characters. */
static void
set_reason(struct opa_answer *answer, const char *text)
{
	(void)clean_line(answer->reason, LIMIT_LINE, text, strlen(text));
	answer->reason[text_utf16_cut(answer->reason, strlen(answer->reason), OPA_REASON)] = '\0';
}

static struct opa_answer
silent(const char *why)
{
	struct opa_answer answer = { .verdict = OPA_SILENT, .decision = "none" };

	set_reason(&answer, why);
	return answer;
}

struct opa_answer
opa_judge(int status, const char *body, size_t size)
{
	CLEANUP(json_freep) struct json *root = NULL;
	struct opa_answer answer = { .verdict = OPA_NO };
	const struct json *result;
	const char *text;
	char line[32];

	if (status == 0)
		return silent(body);
	text_setf(line, "HTTP %d", status);
	if (status != 200)
		return silent(line);
	root = json_decode(body, size, NULL);
	if (!json_holds_object(root))
		return silent("its answer is no JSON of OPA's");
	text = json_text(root, "decision_id");
	text = text[0] != '\0' ? text : "none";
	(void)clean_line(answer.decision, OPA_DECISION, text, strlen(text));
	result = json_get(root, "result");
	if (json_get_bool(root, "result", false) || json_get_bool(result, "allow", false)) {
		answer.verdict = OPA_YES;
		return answer;
	}
	answer.is_undefined = result == NULL;
	text = json_text(result, "reason");
	set_reason(&answer, text[0] != '\0' ? text : answer.is_undefined ? UNDEFINED : FORBIDDEN);
	return answer;
}
