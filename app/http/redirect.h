/* redirect.h - where a redirect may lead.
 *
 * Use:
 *     if (!redirect_stays(url)) ...          -- it leads to another host, or is no URL
 *     if (!redirect_may_leave(url)) ...      -- http:// and https:// are fine, too
 *
 * Ownership:      nothing is kept.
 * Thread-safety:  any thread.
 * Errors:         none; an answer is yes or no.
 */
#ifndef APP_HTTP_REDIRECT_H
#define APP_HTTP_REDIRECT_H

#include <leat/text.h>
#include <stdbool.h>

bool redirect_stays(leat_text url);
bool redirect_may_leave(leat_text url);

#endif
