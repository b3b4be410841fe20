/* local_user.c - as whom a user of this machine acts, and who is never let in.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "routes/local_user.h"

#include "lib/text.h"
#include "policy/policy.h"
#include "types/roles.h"

#define UNKNOWN "your user is not known here: see LOCAL_<USER>_IS"

/* 20 MB are taken of nobody who may deploy no archive anywhere.  Where a token may lend people a
 * role the store alone knows. */
static bool
may_send(const struct settings *settings, const struct local_peer *peer, struct principal who)
{
	return peer->upload_at == 0 || (who.lent == 0 && settings->auth_token_secret != NULL) ||
	    policy_decide_somewhere(settings, who, POLICY_UPLOAD, peer->upload_at).verdict !=
	    POLICY_DENY;
}

static const char *
let_in(const struct settings *settings, const struct local_peer *peer, struct principal who,
    struct update *ret)
{
	if (!may_send(settings, peer, who))
		return "an archive needs the grant upload, which an admin can give your role";
	text_setf(ret->name, "%.50s (from the machine)", ret->local);
	return NULL;
}

static const char *
judge_root(const struct settings *settings, const struct local_peer *peer, struct update *ret)
{
	const struct role *role;
	char text[ROLE_TEXT];
	size_t found = 0;

	if (peer->as == NULL)
		return "root says as which role it acts: --as ROLE, as --as admin";
	switch (roles_named(settings->roles, peer->as, &found)) {
	case ROLES_NONE:
		return "there is no such role: see ROLE_<NAME>_MAY, or say --as admin";
	case ROLES_SEVERAL:
		return "several applications have a role of that name: say --as APPLICATION:ROLE";
	case ROLES_ONE:
	case ROLES_ONE_ELSEWHERE:
		break;
	}
	role = &settings->roles->role[found - 1];
	text_set(ret->as.application, role->application);
	text_set(ret->as.name, role->name); /* both of the same size */
	text_setf(ret->local, "root as %s", role_id_text(role->application, role->name, text));
	return let_in(
	    settings, peer, (struct principal){ .kind = PRINCIPAL_USER, .lent = found }, ret);
}

const char *
local_user_judge(const struct settings *settings, const struct local_peer *peer, struct update *ret)
{
	const char *name = "";

	*ret = (struct update){ .kind = UPDATE_TEXT, .is_private = true };
	if (peer->uid == SETTINGS_NOBODY)
		return "your user cannot be distinguished here: it is of another user namespace";
	if (peer->uid == peer->server_uid || peer->uid == peer->runner_uid)
		return "the server's user and the runner's are not let in: scripts run as them; ask as your own user";
	if (peer->uid == 0)
		return judge_root(settings, peer, ret);
	if (peer->as != NULL)
		return "only root says --as";
	ret->person = settings_user(settings, peer->uid, &name);
	if (ret->person == 0)
		return UNKNOWN;
	text_set(ret->local, name); /* fits */
	return let_in(settings, peer, principal_of_person(ret->person), ret);
}
