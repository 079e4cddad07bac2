/* service.c - the program's commands: leat_main of leat/service.h. It collects the settings from all their sources and
 * hands over to process.c (serve), back/migrate.c (migrate) and back/verify.c (check); the other commands only print. */
#include <leat/service.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "back/db.h"
#include "back/migrate.h"
#include "back/statement.h"
#include "back/verify.h"
#include "base/check.h"
#include "base/log.h"
#include "base/settings.h"
#include "command_line.h"
#include "fetch/guard.h"
#include "front/listen.h"
#include "guard/breaker.h"
#include "guard/breaker_print.h"
#include "guard/semaphores.h"
#include "http/auth.h"
#include "http/client.h"
#include "http/idempotency_table.h"
#include "http/keyfile.h"
#include "http/middleware.h"
#include "http/openapi.h"
#include "http/router.h"
#include "http/routes.h"
#include "process.h"
#include "route_print.h"

#define DEFAULT_FILE "/etc/leat/leat.ini"

enum { STATUS_OK = 0, STATUS_FAILED = 1, STATUS_USAGE = 2 };

/* A command's run gets its argument, one of its 'arguments', and the settings in force. */
typedef int (*run_fn)(const struct leat_service *service, const struct settings *settings, const char *argument);

static int run_serve(const struct leat_service *service, const struct settings *settings, const char *argument);
static int run_check(const struct leat_service *service, const struct settings *settings, const char *argument);
static int run_config(const struct leat_service *service, const struct settings *settings, const char *argument);
static int run_routes(const struct leat_service *service, const struct settings *settings, const char *argument);
static int run_breakers(const struct leat_service *service, const struct settings *settings, const char *argument);
static int run_openapi(const struct leat_service *service, const struct settings *settings, const char *argument);
static int run_migrate(const struct leat_service *service, const struct settings *settings, const char *argument);

static const struct command {
	const char *name;
	const char *synopsis;
	const char *arguments[5]; /* what it may be given, the default first; ends with NULL */
	run_fn run;
	const char *help;
} commands[] = {
	{ "serve", "serve", { NULL }, run_serve, "Serve requests; also when no command is given." },
	{ "check",
	  "check [database]",
	  { "", "database", NULL },
	  run_check,
	  "Check settings, routes, statements; print ok." },
	{ "config", "config", { NULL }, run_config, "Print the settings in force and their sources." },
	{ "routes", "routes [--json]", { "", NULL }, run_routes, "List the routes." },
	{ "breakers", "breakers", { NULL }, run_breakers, "List the circuit breakers." },
	{ "openapi", "openapi", { NULL }, run_openapi, "Print the OpenAPI document." },
	{ "migrate",
	  "migrate [up|status|redo|down]",
	  { "up", "status", "redo", "down", NULL },
	  run_migrate,
	  "Apply SQL files; list them; redo or undo one." },
};
enum { COMMAND_COUNT = sizeof(commands) / sizeof(commands[0]) };

static const struct command *find_command(const char *const *words, const char **ret_argument,
					  struct settings_error *error);
static bool load_settings(struct settings *settings, const struct command_line *line, struct settings_error *error);
static void print_help(const struct leat_service *service);

static int complain(const struct leat_service *service, const char *sentence)
{
	fprintf(stderr, "%s: %s\n", service->name, sentence);
	return STATUS_USAGE;
}

static int run_command(const struct leat_service *service, const struct command_line *line)
{
	struct settings settings;
	struct settings_error error;
	const char *argument;
	const struct command *command = find_command(line->words, &argument, &error);
	char fault[CLIENT_FAULT_SIZE];
	int status;

	if (!command)
		return complain(service, error.text);
	if (line->wants_defaults) {
		if (command->run != run_config)
			return complain(service, "--defaults belongs to the command config");
		settings_print_defaults(stdout);
		return STATUS_OK;
	}
	if (line->wants_json && command->run != run_routes)
		return complain(service, "--json belongs to the command routes");
	if (line->wants_json)
		argument = "json";
	settings_init(&settings);
	if (load_settings(&settings, line, &error)) {
		auth_setup(settings.auth_folder, (size_t)settings.auth_file_max, (size_t)settings.auth_token_max);
		idempotency_setup(settings.idempotency_keep, settings.idempotency_lease,
				  (size_t)settings.idempotency_reply_max);
		if (client_setup(settings.trusted_proxies, (enum forwarded_form)settings.forwarded_header,
				 (unsigned)settings.forwarded_max, fault) &&
		    guard_setup(settings.fetch_allow, fault))
			status = command->run(service, &settings, argument);
		else
			status = complain(service, fault);
	} else {
		status = complain(service, error.text);
	}
	settings_fini(&settings);
	return status;
}

int leat_main_(int argc, char **argv, const struct leat_service *service, const struct leat_statement *const *first,
	       const struct leat_statement *const *end)
{
	struct command_line line;
	struct settings_error error;
	int status = STATUS_OK;

	LEAT_CHECK(service->name && service->version && service->routes);
	LEAT_CHECK(middleware_count(service->middleware) <= LEAT_MIDDLEWARE_MAX);
	statements_list(first, end);
	if (!command_line_parse(&line, argc, (const char *const *)argv, &error))
		status = complain(service, error.text);
	else if (line.wants_help)
		print_help(service);
	else if (line.wants_version)
		printf("%s %s\n", service->name, service->version);
	else
		status = run_command(service, &line);
	command_line_fini(&line);
	if (fflush(stdout) != 0 && status == STATUS_OK) {
		complain(service, "standard output cannot be written");
		status = STATUS_FAILED;
	}
	return status;
}

/* Understanding --------------------------------------------------------------------------------------------------- */

static const struct command *find_command(const char *const *words, const char **ret_argument,
					  struct settings_error *error)
{
	const struct command *command = words[0] ? NULL : &commands[0];

	for (unsigned i = 0; i < COMMAND_COUNT && !command; i++)
		if (strcmp(words[0], commands[i].name) == 0)
			command = &commands[i];
	if (!command) {
		snprintf(error->text, sizeof(error->text), "there is no command '%.60s'; --help lists them", words[0]);
		return NULL;
	}
	*ret_argument = command->arguments[0];
	if (!words[1])
		return command;
	for (const char *const *argument = command->arguments; *argument; argument++)
		if (strcmp(words[1], *argument) == 0) {
			*ret_argument = *argument;
			return command;
		}
	snprintf(error->text, sizeof(error->text), "'%.60s' means nothing here; the command is: %s", words[1],
		 command->synopsis);
	return NULL;
}

/* The file that the command line or LEAT_CONFIG names, or else the default one if there is such a file; NULL: none. */
static const char *settings_file(const struct command_line *line)
{
	const char *named = getenv("LEAT_CONFIG");

	if (line->file)
		return line->file;
	if (named && *named)
		return named;
	return access(DEFAULT_FILE, F_OK) == 0 ? DEFAULT_FILE : NULL;
}

/* It is not shown: it may hold a password. */
static bool check_url(const char *name, const char *url, struct settings_error *error)
{
	if (!*url || db_can_read_url(url))
		return true;
	snprintf(error->text, sizeof(error->text),
		 "%s cannot be read; write postgresql://user@host/name or key=value words, with special characters of "
		 "a password as %%XX",
		 name);
	return false;
}

/* What only the modules that use a setting can tell. */
static bool check_meanings(const struct settings *settings, struct settings_error *error)
{
	return listen_check(settings->listen, error->text, sizeof(error->text)) &&
	       listen_check(settings->admin_listen, error->text, sizeof(error->text)) &&
	       check_url("database_url", settings->database_url, error) &&
	       check_url("database_read_url", settings->database_read_url, error);
}

static bool load_settings(struct settings *settings, const struct command_line *line, struct settings_error *error)
{
	const char *file = settings_file(line);

	return (!file || settings_read_file(settings, file, error)) && settings_read_environment(settings, error) &&
	       command_line_settings(line, settings, error) && settings_check(settings, error) &&
	       check_meanings(settings, error);
}

/* Commands -------------------------------------------------------------------------------------------------------- */

static int run_serve(const struct leat_service *service, const struct settings *settings, const char *argument)
{
	(void)argument;
	log_init((enum log_level)settings->log_level, settings->log_json);
	return process_serve(service, settings);
}

static int run_migrate(const struct leat_service *service, const struct settings *settings, const char *argument)
{
	(void)service;
	log_init((enum log_level)settings->log_level, settings->log_json);
	return migrate_main(settings, argument);
}

static int run_config(const struct leat_service *service, const struct settings *settings, const char *argument)
{
	(void)service, (void)argument;
	settings_print(settings, stdout);
	return STATUS_OK;
}

/* The service's routes; NULL after a complaint. */
static struct router *make_router(const struct leat_service *service)
{
	char error[8192];
	struct router *router = router_new(service->routes, error, sizeof(error));

	if (!router)
		for (char *line = strtok(error, "\n"); line; line = strtok(NULL, "\n"))
			complain(service, line);
	return router;
}

/* A database that cannot be asked is no fault of the statements: settings are often checked where there is none. */
static int check_statements(const struct settings *settings, bool must_be_asked)
{
	unsigned count;
	const struct leat_statement *const *statements = statements_listed(&count);
	enum verify_verdict verdict = VERIFY_FINE;

	if (count > 0 || must_be_asked)
		verdict = verify_statements(settings, statements, count, stderr);
	if (verdict == VERIFY_FAULTY || (verdict == VERIFY_NOT_DONE && must_be_asked))
		return STATUS_FAILED;
	return STATUS_OK;
}

static bool check_middleware(const struct leat_service *service, const struct router *router)
{
	char error[8192];
	struct routes_faults faults = { .text = error, .size = sizeof(error) };
	bool is_fine = middleware_check(service->middleware, router_routes(router), &faults);

	keyfile_close();
	for (char *line = is_fine ? NULL : strtok(error, "\n"); line; line = strtok(NULL, "\n"))
		complain(service, line);
	return is_fine;
}

static int run_check(const struct leat_service *service, const struct settings *settings, const char *argument)
{
	struct router *router = make_router(service);
	int status;

	if (!router)
		return STATUS_USAGE;
	if (!check_middleware(service, router)) {
		router_free(router);
		return STATUS_USAGE;
	}
	router_free(router);
	if (breakers_fault())
		return complain(service, breakers_fault());
	if (semaphores_fault())
		return complain(service, semaphores_fault());
	status = check_statements(settings, strcmp(argument, "database") == 0);
	if (status == STATUS_OK)
		puts("ok");
	return status;
}

static int run_routes(const struct leat_service *service, const struct settings *settings, const char *argument)
{
	struct router *router = make_router(service);

	(void)settings;
	if (!router)
		return STATUS_USAGE;
	route_print(router_routes(router), strcmp(argument, "json") == 0, stdout);
	router_free(router);
	return STATUS_OK;
}

static int run_breakers(const struct leat_service *service, const struct settings *settings, const char *argument)
{
	(void)settings, (void)argument;
	if (breakers_fault())
		return complain(service, breakers_fault());
	breakers_print(stdout);
	return STATUS_OK;
}

static int run_openapi(const struct leat_service *service, const struct settings *settings, const char *argument)
{
	struct router *router = make_router(service);
	struct arena_pool *pool;
	struct arena arena;
	struct buffer document;

	(void)settings, (void)argument;
	if (!router)
		return STATUS_USAGE;
	pool = arena_pool_new(0);
	arena_init(&arena, pool);
	buffer_init(&document, &arena, 65536);
	openapi_write(&document, service, router_routes(router), true);
	buffer_byte(&document, '\n');
	fwrite(document.data, 1, document.len, stdout);
	arena_reset(&arena);
	arena_pool_free(pool);
	router_free(router);
	return STATUS_OK;
}

static void print_help(const struct leat_service *service)
{
	printf("Usage: %s [COMMAND] [OPTION]...\n"
	       "A FastCGI service: a web server such as nginx or lighttpd passes requests to it.\n"
	       "\n"
	       "Commands:\n",
	       service->name);
	for (unsigned i = 0; i < COMMAND_COUNT; i++)
		printf("  %-30s%s\n", commands[i].synopsis, commands[i].help);
	puts("\nOptions:");
	command_line_print_help(stdout);
	puts("\n"
	     "Settings come from the file, then from the environment, then from options; the\n"
	     "last one wins. The file is the one that --config or LEAT_CONFIG names, or else\n" DEFAULT_FILE
	     " if it is there. Its keys are the names below with _ for -.\n"
	     "Times are 250ms, 2s, 5m, 1h; sizes are 4096, 64k, 1m, 1g.\n"
	     "\n"
	     "Settings:");
	settings_print_help(stdout);
	puts("\n"
	     "Exit status: 0 after success and a clean stop, 1 after a failure, 2 for a wrong\n"
	     "command line or wrong settings.");
}
