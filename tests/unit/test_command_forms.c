/* Goal: every command answers what is typed wrongly with a sentence that says what is right.  Side: start. */
/* SPDX-License-Identifier: ISC */
/*
 * A new command fails here until it has rows: at least one too many words, and, where it takes an
 * environment, one of each kind of name that is none.
 */
#include "decide_aid.h"

#include "commands/commands.h"
#include "lib/text.h"

#define W40	   "wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww"
#define W260	   W40 W40 W40 W40 W40 W40 "wwwwwwwwwwwwwwwwwwww"
#define THERE	   "blog/staging blog/production shop/staging shop/production"
#define NO(x)	   "No \"" x "\". There are: " THERE
#define NEAR(x, y) "No \"" x "\". Did you mean " y "?"
#define NO_ACTIONS \
	"No actions are set up: CLIENTS, JOB_<NAME> and PIPELINE_<NAME> in the settings do that. " \
	"/help lists what you may do."
#define NO_EARLIER "Nothing to roll back: no environment of yours has an earlier release."

#define BEGINS(word, x, y)    "❓ /" word " " y "?\n" x " is taken as " y "."
#define TOO_MUCH(word, usage) "Too much after /" word ". Usage: " usage
#define DEPLOY_FORM	      "/deploy <environment> [commit or branch] [emergency <reason>]"
#define DEPLOY		      TOO_MUCH("deploy", DEPLOY_FORM)
#define NO_EMERGENCY(why) \
	"🚨 Not deployed: shop/staging: " why ". /deploy shop/staging emergency the shop is down"
#define AWAITS_REVIEW "Which one? /review needs a number: /status lists what awaits a review."
#define ROLLBACK      TOO_MUCH("rollback", "/rollback <environment> [release]")
#define PROMOTE	      TOO_MUCH("promote", "/promote <from> <to>")
#define PROMOTE_WHAT \
	"What is live where goes where? /promote <from> <to>\nas /promote staging production"
#define CANCEL	     TOO_MUCH("cancel", "/cancel <environment>")
#define STATUS	     TOO_MUCH("status", "/status [application or environment]")
#define LOCK	     TOO_MUCH("lock", "/lock <environment> [30m, 2h, 3d] [reason]")
#define UNLOCK	     TOO_MUCH("unlock", "/unlock <environment>")
#define COVERED	     "environment, application or all"
#define FREEZE	     TOO_MUCH("freeze", "/freeze <" COVERED "> until <time> [reason]")
#define UNFREEZE     TOO_MUCH("unfreeze", "/unfreeze <" COVERED ">")
#define TIMES	     "16:00, Mon 16:00, 2027-01-06 or 2027-01-06 16:00."
#define NO_LOCK(x)   "⛔ Not locked: shop/staging: " x
#define NO_FREEZE(x) "⛔ Not frozen: shop/staging: " x
#define LASTS	     " is not a duration: write 30m, 2h or 3d; or until Mon 16:00."
#define HISTORY	     TOO_MUCH("history", "/history [environment]")

#define REQUEST_USAGE "Usage: /request <action> <client or environment> [argument]. " NO_ACTIONS

#define LOGIN \
	"🔐 Not logged in: write /login <token> in our private chat. A token that others have seen is no token any more: have it revoked."

#define ENVIRONMENTS  "Environments: blog/staging blog/production shop/staging shop/production"
#define WHICH_ABANDON "Which one? /abandon needs the number of what runs: /queue has it."
#define WHICH_SHOW    "Which one? /show needs a number: /history lists the latest."

static const struct {
	const char *typed, *answer;
} rows[] = {
	{ "/start " W260, TOO_MUCH("start", "/start") },
	{ "/help deploy now", TOO_MUCH("help", "/help [command or all]") },
	{ "/help whoami", "/whoami — your Telegram id and your role\n\n" ENVIRONMENTS },
	{ "/help /who", "/whoami — your Telegram id and your role\n\n" ENVIRONMENTS },
	{ "/help status",
	    "/status [application or environment] — what runs where, and its health\n"
	    "🟢 healthy\n🔴 does not answer as it should\n🩺 is being asked\n"
	    "⚪ no health check, or nothing deployed yet\n⏳ is being replaced\n"
	    "⚠️ not known what runs, or another commit answers\n🔥 DOWN, or may be: the last change failed half-way\n"
	    "⏸ a push waits; 💧 the old release finishes its requests; "
	    "👀 nobody has seen how it failed\n\n" ENVIRONMENTS },
	{ "/2fa " W260, TOO_MUCH("2fa", "/2fa [confirm <code>, recover <code> or reset <id>]") },
	{ "/do restart-web acme now please",
	    "Too much after /do. Usage: /do [action] [client or environment] [job]" },
	{ "/do restart-web acme", "There is no client acme. " NO_ACTIONS },
	{ "/do bounce acme", "There is no action bounce. " NO_ACTIONS },
	{ "/do", NO_ACTIONS },
	{ "/request restart-web acme now please", REQUEST_USAGE },
	{ "/request", REQUEST_USAGE },
	{ "/request run-job acme", REQUEST_USAGE },
	{ "/request restart-web acme",
	    "There is no client acme. /do shows those that you may do something to." },
	{ "/login", LOGIN },
	{ "/login " W260, LOGIN },
	{ "/console now", TOO_MUCH("console", "/console") },
	{ "/logout now", TOO_MUCH("logout", "/logout") },
	{ "/sessions all", TOO_MUCH("sessions", "/sessions") },
	{ "/whoami really", TOO_MUCH("whoami", "/whoami") },

	{ "/deploy", "❓ /deploy: which environment?" },
	{ "/deploy \n\t ", "❓ /deploy: which environment?" },
	{ "/deploy shop/stagign", NEAR("shop/stagign", "shop/staging") },
	{ "/deploy shop.staging", NEAR("shop.staging", "shop/staging") },
	{ "/deploy shop/", NEAR("shop/", "shop/staging shop/production") },
	{ "/deploy shpp", NEAR("shpp", "shop/staging shop/production") },
	{ "/deploy /staging", NEAR("/staging", "blog/staging shop/staging") },
	{ "/deploy shop//staging", NEAR("shop//staging", "shop/staging") },
	{ "/deploy shop/staging/v1", NEAR("shop/staging/v1", "shop/staging") },
	{ "/deploy ../shop/staging", NEAR("../shop/staging", "shop/staging") },
	{ "/deploy sho", "❓ /deploy shop: which environment?\nsho is taken as shop." },
	{ "/deploy shop/stag", BEGINS("deploy", "shop/stag", "shop/staging") },
	{ "/deploy nothing v1", NO("nothing") },
	{ "/deploy work/1", NO("work/1") },
	{ "/deploy staging", "❓ /deploy staging: of which application?" },
	{ "/deploy shop", "❓ /deploy shop: which environment?" },
	{ "/deploy shop v1", "❓ /deploy shop: which environment?\nv1 is taken as the ref." },
	{ "/deploy shop stagin",
	    "❓ /deploy shop: which environment?\nstagin is taken as the ref." },
	{ "/deploy shop/staging -x",
	    "⛔ Not deployed: shop/staging: a ref cannot begin with \"-\". It is a branch, a tag or a commit." },
	{ "/deploy shop staging -x",
	    "⛔ Not deployed: shop/staging: a ref cannot begin with \"-\". It is a branch, a tag or a commit." },
	{ "/deploy shop/staging v1 v2", DEPLOY },
	{ "/deploy shop staging v1 v2", DEPLOY },
	{ "/deploy shop/staging " W260, DEPLOY },
	{ "/deploy shop/staging v1 v2 emergency down", DEPLOY },
	{ "/deploy shop/staging " W260 " emergency down", DEPLOY },
	{ "/deploy shop/staging emergency", NO_EMERGENCY("say why, behind the word emergency") },
	{ "/deploy shop staging v1 —emergency ...",
	    NO_EMERGENCY("say why, behind the word emergency") },
	{ "/deploy shop/staging emergency " W260, DEPLOY },
	{ "/deploy shop/staging emergency it is down since then " W260,
	    NO_EMERGENCY("the reason is longer than 199 bytes") },
	{ "/deploy " W260, DEPLOY },

	{ "/promote", PROMOTE_WHAT },
	{ "/promote shop/staging", PROMOTE_WHAT },
	{ "/promote shop/staging shop/production",
	    "⛔ Not deployed: shop/production: nothing is live in its source" },
	{ "/promote nothing shop/production",
	    "⛔ Not deployed: shop/production: you see no environment of the name behind \"from\". /status lists those that you see." },
	{ "/promote " W260 " shop/production", PROMOTE },
	{ "/promote shop/staging nothing", NO("nothing") },
	{ "/promote shop/staging shop/stagign", NEAR("shop/stagign", "shop/staging") },
	{ "/promote staging production",
	    "❓ /deploy production: of which application?\nstaging is taken as the source." },
	{ "/promote staging shop",
	    "❓ /deploy shop: which environment?\nstaging is taken as the source." },
	{ "/promote shop/staging shop/production now", PROMOTE },
	{ "/promote shop staging shop production now", PROMOTE },
	{ "/rollback", NO_EARLIER },
	{ "/rollback shop/stagign", NEAR("shop/stagign", "shop/staging") },
	{ "/rollback shop/stag",
	    "⛔ Not rolled back: shop/staging has no earlier release to roll back to." },
	{ "/rollback nothing", NO("nothing") },
	{ "/rollback staging", "❓ /rollback staging: of which application?" },
	{ "/rollback shop 3", "❓ /rollback shop: which environment?\n3 is taken as the release." },
	{ "/rollback 1", NO_EARLIER },
	{ "/rollback 3 shop/staging", "⛔ Not rolled back: shop/staging has no release 3." },
	{ "/rollback shop staging 3", "⛔ Not rolled back: shop/staging has no release 3." },
	{ "/rollback shop/staging",
	    "⛔ Not rolled back: shop/staging has no earlier release to roll back to." },
	{ "/rollback shop/staging -1", "⛔ Not rolled back: shop/staging has no release -1." },
	{ "/rollback shop staging 3 4", ROLLBACK },
	{ "/rollback shop/staging 3 emergency it is down",
	    ROLLBACK
	    "\n"
	    "Past approvals, in an emergency: /deploy <environment> <commit> emergency <reason>" },
	{ "/rollback shop/staging " W260, ROLLBACK },

	{ "/logs", "❓ /logs: which environment?" },
	{ "/logs nothing", NO("nothing") },
	{ "/logs staging", "❓ /logs staging: of which application?" },
	{ "/logs shop/stagign", NEAR("shop/stagign", "shop/staging") },
	{ "/logs 50", "❓ /logs: which environment?\n50 is taken as the number of lines." },
	{ "/logs shop/staging 101",
	    "⛔ No log here: shop/staging: how many lines? A number from 1 to 100." },
	{ "/logs shop/staging " W260, TOO_MUCH("logs", "/logs <environment> [lines]") },
	{ "/logs shop/staging 5 now", TOO_MUCH("logs", "/logs <environment> [lines]") },

	{ "/agents now", TOO_MUCH("agents", "/agents") },

	{ "/audit shop/stagign", NEAR("shop/stagign", "shop/staging") },
	{ "/audit shop/staging 31", "⛔ /audit: how many entries? A number from 1 to 30." },
	{ "/audit 0", "⛔ /audit: how many entries? A number from 1 to 30." },
	{ "/audit shop/staging x", "⛔ /audit: how many entries? A number from 1 to 30." },
	{ "/audit shop/staging",
	    "⛔ /audit: the audit log is shown in private: write /audit to me there." },
	{ "/audit shop/staging 5 now", TOO_MUCH("audit", "/audit [environment] [n]") },

	{ "/cancel", "Nothing to cancel." },
	{ "/cancel shop/stagign", NEAR("shop/stagign", "shop/staging") },
	{ "/cancel shop/prod", BEGINS("cancel", "shop/prod", "shop/production") },
	{ "/cancel work/1", NO("work/1") },
	{ "/cancel staging", "❓ /cancel staging: of which application?" },
	{ "/cancel shop", "❓ /cancel shop: which environment?" },
	{ "/cancel all", "Nothing to cancel." },
	{ "/cancel shop staging",
	    "Nothing to stop: shop/staging: no deployment is in progress or queued." },
	{ "/cancel shop/staging now", CANCEL },
	{ "/cancel shop now", CANCEL },

	{ "/status nothing", NO("nothing") },
	{ "/status shop/stagign", NEAR("shop/stagign", "shop/staging") },
	{ "/status shop/staging now", STATUS },
	{ "/status shop staging now", STATUS },
	{ "/status shop now", STATUS },

	{ "/history shop/stag", "shop/staging\nno deployments yet\n" },
	{ "/history nothing", NO("nothing") },
	{ "/history shop/stagign", NEAR("shop/stagign", "shop/staging") },
	{ "/history shop staging now", HISTORY },
	{ "/pipelines",
	    "Nothing was said of any yet: the webhook has to send \"Workflow runs\" (GitHub) or \"Pipeline events\" (GitLab), too." },
	{ "/pipelines nothing", NO("nothing") },
	{ "/pipelines shop staging now", TOO_MUCH("pipelines", "/pipelines [application]") },
	{ "/abandon", WHICH_ABANDON },
	{ "/abandon shop/staging", WHICH_ABANDON },
	{ "/abandon 12", "There is no deployment of that number: /history lists the latest." },
	{ "/abandon 12 please", TOO_MUCH("abandon", "/abandon <number>") },
	{ "/show", WHICH_SHOW },
	{ "/show shop/staging", WHICH_SHOW },
	{ "/show #99999999999999999999", WHICH_SHOW },
	{ "/show 12", "There is no deployment of that number: /history lists the latest." },
	{ "/show 1 please", TOO_MUCH("show", "/show <number>") },
	{ "/history shop/staging", "shop/staging\nno deployments yet\n" },

	{ "/queue nothing", NO("nothing") },
	{ "/queue shop/stagign", NEAR("shop/stagign", "shop/staging") },
	{ "/queue shop", "Nothing is in progress, and nothing is queued." },
	{ "/queue shop staging", "Nothing is in progress, and nothing is queued." },
	{ "/queue shop staging now", TOO_MUCH("queue", "/queue [environment]") },

	{ "/lock", "❓ /lock: which environment?" },
	{ "/lock shop/stagign 2h", NEAR("shop/stagign", "shop/staging") },
	{ "/lock shop/prod", BEGINS("lock", "shop/prod", "shop/production") },
	{ "/lock nothing", NO("nothing") },
	{ "/lock all", NO("all") },
	{ "/lock staging 2h", "❓ /lock staging: of which application?" },
	{ "/lock shop 2h", "❓ /lock shop: which environment?" },
	{ "/lock shop/staging 2 hours", NO_LOCK("\"2 hours\" is not a duration: write 2h.") },
	{ "/lock shop staging 2 hours db", NO_LOCK("\"2 hours\" is not a duration: write 2h.") },
	{ "/lock shop/staging tomorrow", NO_LOCK("write until tomorrow.") },
	{ "/lock shop/staging half an hour", NO_LOCK("\"half an\"" LASTS) },
	{ "/lock shop/staging till 18:00", NO_LOCK("write until 18:00.") },
	{ "/lock shop/staging -5m", NO_LOCK("\"-5m\"" LASTS) },
	{ "/lock shop/staging 0h", NO_LOCK("\"0h\" is too short.") },
	{ "/lock shop/staging 99999m", NO_LOCK("a lock lasts 30 days at most.") },
	{ "/lock shop/staging 99999999999999999999999d", NO_LOCK("a lock lasts 30 days at most.") },
	{ "/lock shop/staging 2", NO_LOCK("\"2\"" LASTS) },
	{ "/lock shop/staging 503s on checkout", NO_LOCK("\"503s on\"" LASTS) },
	{ "/lock shop/staging 31d", NO_LOCK("a lock lasts 30 days at most.") },
	{ "/lock shop/staging until monday 8", NO_LOCK("\"monday 8\" is not a time: " TIMES) },
	{ "/lock shop/staging " W260, LOCK },
	{ "/lock shop/staging " W40 " " W40 " " W40 " " W40 " " W40, LOCK },

	{ "/hosts", "❓ /hosts: which environment?" },
	{ "/hosts shop/stagign", NEAR("shop/stagign", "shop/staging") },
	{ "/hosts nothing", NO("nothing") },
	{ "/hosts staging", "❓ /hosts staging: of which application?" },
	{ "/hosts shop/staging old now",
	    TOO_MUCH("hosts", "/hosts [environment] [failed or old]") },
	{ "/hosts shop/staging new",
	    "Hosts: shop/staging: /hosts shop/staging shows all, behind it failed or old" },
	{ "/hosts shop/staging",
	    "Hosts: shop/staging: 0 hosts; they are noted from the first deployment in waves on (<ENV>_WAVES)" },
	{ "/pause", "❓ /pause: which environment?" },
	{ "/pause shop/stagign", NEAR("shop/stagign", "shop/staging") },
	{ "/pause nothing", NO("nothing") },
	{ "/pause staging", "❓ /pause staging: of which application?" },
	{ "/pause shop/staging now", TOO_MUCH("pause", "/pause <environment>") },
	{ "/pause shop/staging", "⛔ Not paused: shop/staging: nothing is in progress there." },
	{ "/live", "❓ /live: which environment?" },
	{ "/live shop/stagign", NEAR("shop/stagign", "shop/staging") },
	{ "/live staging", "❓ /live staging: of which application?" },
	{ "/live nothing", NO("nothing") },
	{ "/live shop/staging now", TOO_MUCH("live", "/live <environment>") },
	{ "/live shop/staging",
	    "⛔ Not baking: shop/staging: nothing is watched there before it is live." },
	{ "/resume", "❓ /resume: which environment?" },
	{ "/resume shop/stagign", NEAR("shop/stagign", "shop/staging") },
	{ "/resume staging", "❓ /resume staging: of which application?" },
	{ "/resume nothing", NO("nothing") },
	{ "/resume shop/staging now", TOO_MUCH("resume", "/resume <environment>") },
	{ "/resume shop/staging", "Not paused: shop/staging: there is nothing to go on with." },
	{ "/unlock", "❓ /unlock: which environment?" },
	{ "/unlock shop/stagign", NEAR("shop/stagign", "shop/staging") },
	{ "/unlock shop/prod", BEGINS("unlock", "shop/prod", "shop/production") },
	{ "/unlock nothing", NO("nothing") },
	{ "/unlock staging", "❓ /unlock staging: of which application?" },
	{ "/unlock shop/staging now", UNLOCK },
	{ "/unlock shop/staging", "Not locked: shop/staging." },

	{ "/freeze", "❓ /freeze: which environment?" },
	{ "/freeze shop/stagign until 16:00", NEAR("shop/stagign", "shop/staging") },
	{ "/freeze shop/prod until 16:00", BEGINS("freeze", "shop/prod", "shop/production") },
	{ "/freeze nothing until 16:00", NO("nothing") },
	{ "/freeze staging until 16:00", "❓ /freeze staging: of which application?" },
	{ "/freeze shop/staging", NO_FREEZE("until when? until " TIMES) },
	{ "/freeze shop", "⛔ Not frozen: all of shop: until when? until " TIMES },
	{ "/freeze sho until 16:00", "❓ /freeze shop: which environment?\nsho is taken as shop." },
	{ "/freeze all Christmas", "⛔ Not frozen: all environments: until when? until " TIMES },
	{ "/freeze shop/staging 16:00", NO_FREEZE("write until 16:00.") },
	{ "/freeze shop/staging until",
	    NO_FREEZE("\"until\" is not a time by itself: until " TIMES) },
	{ "/freeze shop/staging until monday 8", NO_FREEZE("\"monday 8\" is not a time: " TIMES) },
	{ "/freeze shop/staging until Mon", NO_FREEZE("\"Mon\" is not a time: " TIMES) },
	{ "/freeze shop/staging until 24:00", NO_FREEZE("\"24:00\" is not a time: " TIMES) },
	{ "/freeze shop/staging until 16:00h", NO_FREEZE("\"16:00h\" is not a time: " TIMES) },
	{ "/freeze shop/staging until 2027-02-29",
	    NO_FREEZE("\"2027-02-29\" is not a time: " TIMES) },
	{ "/freeze shop/staging until 2001-01-06", NO_FREEZE("\"2001-01-06\" is past.") },
	{ "/freeze shop/staging until 2001-01-06 16:00",
	    NO_FREEZE("\"2001-01-06 16:00\" is past.") },
	{ "/freeze shop/staging until 2099-01-06", NO_FREEZE("a freeze lasts a year at most.") },
	{ "/freeze shop/staging until 16:00 " W260, FREEZE },

	{ "/unfreeze", "❓ /unfreeze: which environment?" },
	{ "/unfreeze shop/stagign", NEAR("shop/stagign", "shop/staging") },
	{ "/unfreeze shop/prod", BEGINS("unfreeze", "shop/prod", "shop/production") },
	{ "/unfreeze nothing", NO("nothing") },
	{ "/unfreeze staging", "❓ /unfreeze staging: of which application?" },
	{ "/unfreeze all", "Not frozen: all environments." },
	{ "/unfreeze shop/staging", "Not frozen: shop/staging." },
	{ "/unfreeze shop/staging now", UNFREEZE },
	{ "/ask hold/1", "I don't know /ask. /help lists what you may do." },
	{ "/keep hold/1", "I don't know /keep. /help lists what you may do." },
	{ "/approve", "Which one? /approve needs a number: /pending lists what awaits approval." },
	{ "/approve shop/staging",
	    "Which one? /approve needs a number: /pending lists what awaits approval." },
	{ "/approve #99999999999999999999",
	    "Which one? /approve needs a number: /pending lists what awaits approval." },
	{ "/approve 12",
	    "#12: no work of that number awaits an approval. /pending lists what does." },
	{ "/approve 1 please", TOO_MUCH("approve", "/approve <number>") },
	{ "/reject not now",
	    "Which one? /reject needs a number: /pending lists what awaits approval." },
	{ "/reject 12 not now",
	    "#12: no work of that number awaits an approval. /pending lists what does." },
	{ "/reject 1 " W260, TOO_MUCH("reject", "/reject <number> [reason]") },
	{ "/review", AWAITS_REVIEW },
	{ "/review shop/staging", AWAITS_REVIEW },
	{ "/review 12", "#12: no work of that number awaits a review. /status lists what does." },
	{ "/review 1 please", TOO_MUCH("review", "/review <number>") },
	{ "/revoke",
	    "There is no secret lent now that you may revoke: /secrets lists what is lent and asked for." },
	{ "/revoke 12", "#12 is no secret that was lent: /show 12 says what it is." },
	{ "/revoke db-migrate",
	    "There is no secret lent now by the name db-migrate that you may revoke: /secrets lists what is lent and asked for." },
	{ "/revoke 1 please", TOO_MUCH("revoke", "/revoke <number or name>") },
	{ "/get_secret",
	    "🔐 /get_secret works in our private chat only; on the server it is deploybot secret get <name>." },
	{ "/get_secret " W260, TOO_MUCH("get_secret", "/get_secret <name> [what for]") },
	{ "/secrets", "🔐 /secrets works in our private chat only." },
	{ "/secrets now", TOO_MUCH("secrets", "/secrets") },
	{ "/pending", "Nothing awaits an approval." },
	{ "/pending shop/staging", "Nothing awaits an approval." },
	{ "/pending nothing", NO("nothing") },
	{ "/pending shop/staging now", TOO_MUCH("pending", "/pending [environment]") },
	{ "/unapprove 1", "I don't know /unapprove. Did you mean /approve?" },
	{ "/override shop/staging", "I don't know /override. /help lists what you may do." },

	{ "/dep shop", "I don't know /dep. Did you mean /deploy?" },
	{ "/un shop", "I don't know /un. /help lists what you may do." },
	{ "/undo shop", "I don't know /undo. Did you mean /rollback?" },
	{ "/restart", "I don't know /restart. " NO_ACTIONS },
	{ "/restart shop/production", "I don't know /restart. " NO_ACTIONS },
	{ "/deplyo shop", "I don't know /deplyo. Did you mean /deploy?" },
	{ "/confirm", "I don't know /confirm. /help lists what you may do." }, /* a button's */
	{ "/looked shop/staging", "I don't know /looked. /help lists what you may do." },
	{ "/give work/1", "I don't know /give. Did you mean /live?" },
	{ "/leave work/1", "I don't know /leave. /help lists what you may do." },
	{ "/log run/1", NO("run/1") },
	{ "/log shop/staging", "❓ Which log?" },
	{ "/log", "❓ Which log?" },
};

TEST(what_is_typed_wrongly_is_answered_with_what_is_right)
{
	size_t n_wrong = 0;
	struct world w;

	world_open(&w, NULL);
	world_application(&w, "shop", "");
	world_application(&w, "blog", "");
	for (size_t i = 0; i < COUNT(rows); i++) {
		w.aid.at += 60000; /* hands type no faster */
		(void)world_text(&w, WORLD_ADMIN, rows[i].typed);
		if (strcmp(world_plain(world_last(&w)), rows[i].answer) != 0) {
			print_error("%s\nis answered: %s\ninstead of: %s\n", rows[i].typed,
			    world_plain(world_last(&w)), rows[i].answer);
			n_wrong++;
		}
		assert_null(world_peek(&w, EFFECT_GIT_QUERY));
		assert_null(world_peek(&w, EFFECT_RUN));
	}
	assert_int_equal(world_audited(&w, "\"denied\"", NULL), 0);
	world_close(&w);
	assert_int_equal(n_wrong, 0);
}

/* Goal: nobody is left with what they did wrong alone: below it is a button, or in it a command. */
WORLD_TEST(each_answer_has_what_comes_next)
{
	world_application(w, "shop", "");
	world_application(w, "blog", "");
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct world_message *said;

		w->aid.at += 60000;
		(void)world_text(w, WORLD_ADMIN, rows[i].typed);
		said = world_last(w);
		if (said->buttons.n == 0 && strstr(world_plain(said), "/") == NULL &&
		    strstr(world_plain(said), "You may: ") == NULL &&
		    !text_starts(world_plain(said), "Nothing ") &&
		    !text_starts(world_plain(said), "⛔ Not ") &&
		    !text_starts(world_plain(said), "Not "))
			fail_msg("%s leads nowhere: %s", rows[i].typed, world_plain(said));
		if (text_starts(world_plain(said), "Too much") && said->buttons.n == 0 &&
		    strstr(rows[i].typed, "emergency") == NULL)
			fail_msg("%s has nothing to press", rows[i].typed);
	}
}

/* What is offered is what was typed, as far as it goes; and it is done when it is pressed. */
WORLD_TEST(what_was_typed_too_long_is_offered_as_far_as_it_goes)
{
	world_deploy_goes_live(w, COMMIT_A);
	(void)world_text(w, WORLD_ADMIN, "/deploy staging v1 please");
	assert_string_equal(world_last(w)->buttons.at[0].label, "/deploy staging v1");
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP, world_button(world_last(w), "/deploy"));
	assert_string_equal(world_peek(w, EFFECT_GIT_QUERY)->u.git_query.ref, "v1");
	world_answers(w, WORLD_ADMIN, "/cancel all",
	    "❓ /cancel: which? One at a time.\nstaging requested: v1");
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP, world_button(world_last(w), "staging"));
	assert_int_equal(world_state(w), DEPLOY_CANCELLED);
	(void)world_text(w, WORLD_ADMIN, "/help roll");
	assert_string_equal(world_last(w)->buttons.at[0].label, "/rollback");
}

static bool
has_row(const char *word, const char *part)
{
	char begin[48];
	size_t n = (size_t)snprintf(begin, sizeof(begin), "/%s", word);

	for (size_t i = 0; i < COUNT(rows); i++)
		if (strncmp(rows[i].typed, begin, n) == 0 &&
		    strchr(" ", rows[i].typed[n]) != NULL && strstr(rows[i].answer, part) != NULL)
			return true;
	return false;
}

TEST(every_command_has_its_rows)
{
	static const char *const of_one[] = { ": which environment?", "No \"", "Did you mean",
		"of which application?" };

	for (size_t i = 0; i < commands_count(); i++) {
		const struct command *command = commands_get(i);

		if (!has_row(command->word, command->usage))
			fail_msg("/%s: no row with too many words", command->word);
		for (size_t k = 0; k < COUNT(of_one) && command->target == COMMAND_ONE; k++)
			if (!has_row(command->word, of_one[k]) &&
			    (k != 0 || !has_row(command->word, NO_EARLIER)))
				fail_msg(
				    "/%s: no row that is answered: %s", command->word, of_one[k]);
		if (command->target == COMMAND_ANY && !has_row(command->word, of_one[1]))
			fail_msg("/%s: no row with a name that is none", command->word);
	}
}
