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

/* All others are FAULT_STATEMENT. */
static const struct {
	const char *sqlstate;
	enum fault fault;
} faults[] = {
	{ "26000", FAULT_GONE },      /* invalid_sql_statement_name: another session, DEALLOCATE */
	{ "42P05", FAULT_GONE },      /* duplicate_prepared_statement */
	{ "0A000", FAULT_STALE },     /* feature_not_supported: "cached plan must not change result type" */
	{ "25006", FAULT_READ_ONLY }, /* read_only_sql_transaction */
	{ "40001", FAULT_TRANSIENT }, /* serialization_failure */
	{ "40P01", FAULT_TRANSIENT }, /* deadlock_detected */
};

static const char *sqlstate_of(const PGresult *result)
{
	const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);

	return sqlstate ? sqlstate : "";
}

enum fault fault_of(const PGresult *result)
{
	const char *severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);

	/* Without a severity it is libpq's own: the connection is lost. */
	if (!severity || strcmp(severity, "FATAL") == 0 || strcmp(severity, "PANIC") == 0)
		return FAULT_CONNECTION;
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		if (strcmp(sqlstate_of(result), faults[i].sqlstate) == 0)
			return faults[i].fault;
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
	else if (meaning == LEAT_UNAVAILABLE && fault_of(result) != FAULT_TRANSIENT)
		log_limited(LOG_LEVEL_WARN, "database: %s %s in: %s", sqlstate, message, sql);
	return meaning;
}
