/* leat/result.h - what a call can answer.
 *
 * Use:
 *     LEAT_TRY(leat_db_one(req, &user_by_id, &user, LEAT_ARG(id)));   -- hands every failure on
 *     return LEAT_NOT_FOUND;                                          -- becomes 404 with a problem document
 *
 * Ownership:      nothing to own.
 * Thread-safety:  any thread.
 * Errors:         this is the list of them. Each has one HTTP status and one title; app/http/problem.c makes
 *                 the reply (RFC 9457). NOT_MODIFIED alone is no failure: a 304 with the headers that were added (leat/version.h).
 */
#ifndef LEAT_RESULT_H
#define LEAT_RESULT_H

/*      name             status  title in the problem document */
#define LEAT_RESULT_TABLE(X) \
	X(OK,                 200, "OK") \
	X(NOT_MODIFIED,       304, "Not modified") \
	X(BAD_REQUEST,        400, "Bad request") \
	X(UNAUTHORIZED,       401, "Authentication needed") \
	X(FORBIDDEN,          403, "Forbidden") \
	X(NOT_FOUND,          404, "Not found") \
	X(METHOD_NOT_ALLOWED, 405, "Method not allowed") \
	X(NOT_ACCEPTABLE,     406, "Not acceptable") \
	X(CONFLICT,           409, "Conflict") \
	X(PRECONDITION_FAILED, 412, "Precondition failed") \
	X(TOO_LARGE,          413, "Content too large") \
	X(UNSUPPORTED_TYPE,   415, "Unsupported media type") \
	X(INVALID,            422, "Invalid input") \
	X(PRECONDITION_REQUIRED, 428, "Precondition required") \
	X(RATE_LIMITED,       429, "Too many requests") \
	X(CANCELLED,          499, "Client closed request") \
	X(INTERNAL,           500, "Internal error") \
	X(BAD_GATEWAY,        502, "Bad gateway") \
	X(UNAVAILABLE,        503, "Service unavailable") \
	X(TIMED_OUT,          504, "Deadline exceeded")

#define LEAT_RESULT_ENUM(name, status, title) LEAT_##name,
enum leat_result {
	LEAT_RESULT_TABLE(LEAT_RESULT_ENUM)
	LEAT_RESULT_COUNT
};
#undef LEAT_RESULT_ENUM

#define LEAT_MUST_USE __attribute__((warn_unused_result))
#define LEAT_PRINTF(format_at, first_at) __attribute__((format(printf, format_at, first_at)))
#define LEAT_API __attribute__((visibility("default")))

/* Leaves the function with any result but LEAT_OK. */
#define LEAT_TRY(call) \
	do { \
		enum leat_result leat_try_result_ = (call); \
		if (leat_try_result_ != LEAT_OK) \
			return leat_try_result_; \
	} while (0)

/* "NOT_FOUND" for LEAT_NOT_FOUND; never NULL. */
LEAT_API const char *leat_result_name(enum leat_result result);

/* The HTTP status of a result, 200 to 504. */
LEAT_API int leat_result_status(enum leat_result result);

#endif
