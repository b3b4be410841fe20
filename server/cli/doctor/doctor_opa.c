/* doctor_opa.c - OPA, where it is asked: does it say no to what every policy says no to?  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "clients/opa.h"

#include <stdlib.h>

#include "cli/doctor/doctor.h"
#include "lib/mem.h"
#include "policy/opa_input.h"
#include "types/settings.h"

struct asking {
	struct doctor *doctor;
	struct http_client *client;
	struct opa_call *call; /* NULL: it has answered */
};

static void
end(void *ctx)
{
	struct asking *a = ctx;

	opa_cancel(a->call);
	http_client_free(a->client);
	free(a);
}

static void
tell(const struct asking *a, const struct opa_answer *answer)
{
	const char *url = a->doctor->settings->opa.url;

	if (answer->verdict == OPA_SILENT)
		TELL(a->doctor, OPA, ERROR,
		    "OPA: %.150s does not answer (%.120s): is OPA_URL right, does opa run there, and does OPA_TOKEN fit its --authentication=token?",
		    url, answer->reason);
	else if (answer->verdict == OPA_YES)
		TELL(a->doctor, OPA, ERROR,
		    "OPA: this policy allows everything: it says yes to an action that there is not; give %.150s a default of false, and name what it allows",
		    url);
	else if (answer->is_undefined)
		TELL(a->doctor, OPA, ERROR,
		    "OPA: no rule at that path, or it has no default: each answer of %.150s is no; opa eval data shows the rules, and docs/opa has a policy",
		    url);
	else if (strcmp(answer->decision, "none") == 0)
		TELL(a->doctor, OPA, WARNING,
		    "OPA: %.150s answers without a decision_id, so the audit names no decision: turn its decision logs on (decision_logs.console=true)",
		    url);
	else
		TELL(a->doctor, OPA, OK, "OPA: %.150s says no to what nobody allows", url);
}

static void
on_answer(void *ctx, const struct opa_answer *answer)
{
	struct asking *a = ctx;

	a->call = NULL;
	tell(a, answer);
	doctor_answered(a->doctor);
}

void
doctor_opa(struct doctor *doctor)
{
	const struct settings *s = doctor->settings;
	struct asking *a;
	struct err err;

	if (s->opa.url == NULL)
		return;
	a = mem_new(1, sizeof(*a));
	doctor_at_end(doctor, end, a);
	a->doctor = doctor;
	a->client = opa_client(doctor->loop, &s->opa, &err);
	if (a->client != NULL)
		a->call = opa_start(a->client,
		    &(struct opa_request){ .url = s->opa.url,
			.token = s->opa.token,
			.input = OPA_INPUT_DOCTOR,
			.on_done = on_answer,
			.ctx = a },
		    &err);
	if (a->call != NULL)
		doctor_asked(doctor);
	else
		TELL(doctor, OPA, ERROR, "OPA: %s", err.text);
}
