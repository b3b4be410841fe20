/* cli_completion_text.h - what `completion SHELL` prints.  Side: start. */
/* SPDX-License-Identifier: ISC */
#pragma once

extern const char cli_completion_bash[], cli_completion_zsh[], cli_completion_fish[];
