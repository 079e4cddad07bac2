/* regex.h - regular expressions (PCRE2), with a bound on what a match may cost.
 *
 * Use:
 *     struct regex *regex = regex_new(LEAT_TEXT_OF("[a-z0-9-]+"), error, sizeof(error));
 *     if (regex_match(regex, text, 20000) == REGEX_FITS) ...
 *     regex_free(regex);
 *
 * Texts are UTF-8, and an expression fits a text only as a whole. A match takes no memory but what each thread keeps from
 * its first one on. PCRE2's compiler for machine code is not used: it needs memory that can be both written and run, and
 * 32 KiB of the stack of a task or one of its own a thread.
 *
 * Ownership:      regex_free frees it, NULL too. The text of the expression is not needed any more.
 * Thread-safety:  any thread, once made.
 * Errors:         regex_new is NULL with PCRE2's words and the place of the fault. REGEX_LIMIT: the match took more than
 *                 'steps' (PCRE2's match limit, about one for each choice tried) or more than 256 KiB, and was given up.
 */
#ifndef APP_BASE_REGEX_H
#define APP_BASE_REGEX_H

#include <leat/text.h>
#include <stdint.h>

struct regex;

enum regex_verdict { REGEX_FITS_NOT, REGEX_FITS, REGEX_LIMIT };

struct regex *regex_new(leat_text expression, char *error, size_t error_size);
void regex_free(struct regex *regex);

enum regex_verdict regex_match(const struct regex *regex, leat_text text, uint32_t steps);

#endif
