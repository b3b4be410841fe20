/* Goal: a playbook is asked about behind the runner's look at it, bound to what that saw.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide_aid.h"
#include "lib/fingerprint.h"

#define SEEN "PLAYBOOK_RESTART=1111111111111111 ANSIBLE_FOLDER/files=2222222222222222"

static void
begin(struct world *w, const char *list)
{
	world_open(w, "CLIENTS=acme", "CLIENT_ACME_HOST=web.acme.example",
	    "CLIENT_ACME_ACTIONS=run-playbook", "ANSIBLE_FOLDER=/srv/ansible",
	    "PLAYBOOK_RESTART=site.yml tags=restart", NULL);
	w->settings = list;
}

WORLD_TEST_BARE(its_order_has_the_digest_of_what_the_runner_saw)
{
	char digest[FINGERPRINT_DIGEST];
	struct world_message *said;

	begin(w, SEEN);
	(void)world_text(w, WORLD_ADMIN, "/do run-playbook acme restart");
	said = world_last(w);
	assert_non_null(strstr(world_plain(said), "play site.yml tags=restart on acme of"));
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP, world_button(said, "run-playbook"));
	assert_string_equal(
	    world_peek(w, EFFECT_RUN)->u.run.binding, fingerprint_digest(SEEN, digest));
}

WORLD_TEST_BARE(what_the_runner_says_nothing_of_is_refused)
{
	begin(w, NULL);
	(void)world_text(w, WORLD_ADMIN, "/do run-playbook acme restart");
	assert_null(world_peek(w, EFFECT_RUN));
	assert_int_equal(world_deployment(w, 1).state, DEPLOY_REFUSED);
}
