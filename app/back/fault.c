/* fault.c - see fault.h. SQLSTATEs: PostgreSQL manual, appendix A. */
#include "back/fault.h"

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/log.h"

/* The first row whose state begins the error's counts; all others are LEAT_INTERNAL. */
static const struct {
	const char *sqlstate;
	enum leat_result result;
} meanings[] = {
	{ "22021", LEAT_INVALID },     /* character_not_in_repertoire: NUL, or not UTF-8 */
	{ "22P05", LEAT_INVALID },     /* untranslatable_character */
	{ "22003", LEAT_INVALID },     /* numeric_value_out_of_range */
	{ "23", LEAT_CONFLICT },       /* integrity constraint violation */
	{ "40001", LEAT_UNAVAILABLE }, /* serialization_failure */
	{ "40P01", LEAT_UNAVAILABLE }, /* deadlock_detected */
	{ "57014", LEAT_TIMED_OUT },   /* query_canceled: statement_timeout, or an administrator */
	{ "08P01", LEAT_INTERNAL },    /* protocol_violation: the number of arguments is wrong */
	{ "08", LEAT_UNAVAILABLE },    /* connection exception */
	{ "53", LEAT_UNAVAILABLE },    /* insufficient resources */
	{ "57P01", LEAT_UNAVAILABLE }, /* admin_shutdown */
	{ "57P02", LEAT_UNAVAILABLE }, /* crash_shutdown */
	{ "57P03", LEAT_UNAVAILABLE }, /* cannot_connect_now */
};

/* The prepared form's: unknown name (another session, DEALLOCATE), result type changed (ALTER TABLE), name taken. */
static const char *const stale[] = { "26000", "0A000", "42P05" };

static const char *sqlstate_of(const PGresult *result)
{
	const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);

	return sqlstate ? sqlstate : "";
}

/* The transaction was given up for the sake of others; run again, it may pass. */
static bool is_transient(const char *sqlstate)
{
	return strcmp(sqlstate, "40001") == 0 || strcmp(sqlstate, "40P01") == 0;
}

enum fault fault_of(const PGresult *result)
{
	const char *severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);

	/* Without a severity it is libpq's own: the connection is lost. */
	if (!severity || strcmp(severity, "FATAL") == 0 || strcmp(severity, "PANIC") == 0)
		return FAULT_CONNECTION;
	for (size_t i = 0; i < sizeof(stale) / sizeof(stale[0]); i++)
		if (strcmp(sqlstate_of(result), stale[i]) == 0)
			return FAULT_STALE;
	if (is_transient(sqlstate_of(result)))
		return FAULT_TRANSIENT;
	return FAULT_STATEMENT;
}

static enum leat_result meaning_of(const char *sqlstate)
{
	for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++)
		if (strncmp(sqlstate, meanings[i].sqlstate, strlen(meanings[i].sqlstate)) == 0)
			return meanings[i].result;
	return LEAT_INTERNAL;
}

enum leat_result fault_report(const PGresult *result, const char *sql)
{
	const char *sqlstate = sqlstate_of(result);
	const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	enum leat_result meaning = meaning_of(sqlstate);

	if (!message)
		message = PQresultErrorMessage(result);
	if (meaning == LEAT_INTERNAL)
		log_limited(LOG_LEVEL_ERROR, "database: %s %s in: %s", sqlstate, message, sql);
	else if (meaning == LEAT_UNAVAILABLE && !is_transient(sqlstate))
		log_limited(LOG_LEVEL_WARN, "database: %s %s in: %s", sqlstate, message, sql);
	return meaning;
}
