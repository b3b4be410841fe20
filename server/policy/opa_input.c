/* opa_input.c - what OPA is asked about.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "policy/opa_input.h"

#include "lib/buf.h"
#include "lib/json.h"

static void
put_approvals(struct json_out *json, const struct opa_input *input)
{
	char who[PRINCIPAL_TEXT];

	json_put_open(json, "approvals", '[');
	for (size_t i = 0; i < input->n_approvals; i++) {
		const struct approval *one = &input->approvals[i];
		const struct principal person = principal_of_person(one->person);

		json_out_object(json);
		json_put_str(json, "person", principal_text(&person, who));
		json_put_str(json, "role", one->role);
		json_put_bool(json, "factor", one->has_factor);
		json_put_time(json, "at", one->at);
		json_out_end(json);
	}
	json_out_end(json);
}

void
opa_input_write(const struct opa_input *input, struct buf *out)
{
	struct json_out json = json_out_begin(out, '{');
	size_t kind = strcspn(input->who, ":");

	json_put_i64(&json, "version", 1);
	json_put_str(&json, "stage", input->is_start ? "start" : "request");
	json_put_str(&json, "action", input->action);
	json_put_str(&json, "target", input->target);
	json_put_open(&json, "principal", '{');
	json_out_key(&json, "kind");
	json_out_strn(&json, input->who, kind);
	json_put_str(&json, "id", input->who + kind + (input->who[kind] == ':'));
	json_put_str(&json, "name", input->name);
	json_out_end(&json);
	json_put_str(&json, "grant", input->grant);
	json_put_str(&json, "source", input->source);
	json_put_str(&json, "commit", input->commit);
	json_put_str(&json, "ref", input->ref);
	json_put_bool(&json, "in_branch", input->in_branch);
	json_put_str(&json, "image", input->image);
	json_put_str(&json, "promoted_from", input->promoted_from);
	json_put_str(&json, "live", input->live);
	put_approvals(&json, input);
	json_put_bool(&json, "emergency", input->is_emergency);
	json_put_bool(&json, "freeze", input->is_frozen);
	json_put_time(&json, "requested_at", input->requested_at);
	json_put_time(&json, "at", input->at);
	json_out_end(&json);
}
