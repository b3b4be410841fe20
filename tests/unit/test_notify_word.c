/* Goal: each state that others are notified of has one word, by each rule that leads to it.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "deployment/notify_word.h"

#include "unit.h"

static bool
has_down(const struct deploy_rule *rule)
{
	for (size_t i = 0; i < rule->acts.n; i++)
		if (rule->acts.todo[i] == DEPLOY_DO_DOWN)
			return true;
	return false;
}

/* As the description has it, without the table. */
static enum notify_word
wanted(const struct deploy_rule *rule, enum program program, bool is_troubled)
{
	if (program == PROGRAM_ACTION || rule->from == rule->to)
		return NOTIFY_WORD_COUNT;
	switch (rule->to) {
	case DEPLOY_AWAITING_CONFIRMATION:
	case DEPLOY_AWAITING_APPROVAL:
		return NOTIFY_QUESTION;
	case DEPLOY_LIVE:
		return is_troubled		? NOTIFY_RESTORED :
		    program == PROGRAM_ROLLBACK ? NOTIFY_ROLLED_BACK :
						  NOTIFY_LIVE;
	case DEPLOY_FAILED:
		return has_down(rule) ? NOTIFY_DOWN : NOTIFY_FAILED;
	case DEPLOY_ROLLED_BACK:
		return NOTIFY_ROLLED_BACK;
	case DEPLOY_PAUSED:
		return NOTIFY_PAUSED;
	case DEPLOY_ROLLBACK_FAILED:
		return NOTIFY_DOWN;
	default:
		return NOTIFY_WORD_COUNT;
	}
}

TEST(each_rule_tells_its_word)
{
	unsigned seen = 0;

	for (size_t i = 0; i < deploy_rule_count; i++)
		for (enum program program = 0; program < PROGRAM_COUNT; program++)
			for (int is_troubled = 0; is_troubled < 2; is_troubled++) {
				const struct deploy_rule *rule = &deploy_rules[i];
				enum notify_word word;

				if ((rule->programs & DEPLOY_OF(program)) == 0)
					continue;
				word = notify_word_of(&(struct notify_step){ program, rule->from,
				    rule->to, has_down(rule), is_troubled != 0 });
				assert_int_equal(word, wanted(rule, program, is_troubled != 0));
				seen |= 1u << (unsigned)word;
			}
	for (enum notify_word word = 0; word < NOTIFY_WORD_COUNT; word++)
		assert_true((seen & (1u << (unsigned)word)) != 0);
}

TEST(what_is_to_be_told_names_target_and_word)
{
	static const struct {
		const char *what, *environment;
		enum notify_word word;
		bool is;
	} cases[] = {
		{ "shop/production: live failed", "shop/production", NOTIFY_LIVE, true },
		{ "shop/production: live failed", "shop/production", NOTIFY_FAILED, true },
		{ "shop/production: live failed", "shop/production", NOTIFY_DOWN, false },
		{ "shop/production: live", "shop/staging", NOTIFY_LIVE, false },
		{ "shop/production: live", "blog/production", NOTIFY_LIVE, false },
		{ "shop/production: live", "production", NOTIFY_LIVE, false },
		{ "shop/production: live; */*: down", "blog/staging", NOTIFY_DOWN, true },
		{ "shop/production: live; */*: down", "blog/staging", NOTIFY_LIVE, false },
		{ "shop/production: live ;*/*:down;", "staging", NOTIFY_DOWN, true },
		{ "*/production: rolled-back", "shop/production", NOTIFY_ROLLED_BACK, true },
		{ "*/production: rolled-back", "production", NOTIFY_ROLLED_BACK, true },
		{ "shop/*: question", "shop/a", NOTIFY_QUESTION, true },
		{ "shop/*: question", "shopping/a", NOTIFY_QUESTION, false },
		{ "production: restored", "production", NOTIFY_RESTORED, true },
		{ "production: restored", "shop/production", NOTIFY_RESTORED, false },
		{ "*: live", "shop/production", NOTIFY_LIVE, true },
		{ "a: live; b: failed", "a", NOTIFY_FAILED, false },
		{ "a: failed; b: live", "b", NOTIFY_FAILED, false },
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		if (notify_covers(cases[i].what, cases[i].environment, cases[i].word) !=
		    cases[i].is)
			fail_msg("%s for %s", cases[i].what, cases[i].environment);
}
