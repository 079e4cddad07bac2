/* handlers/table.h - the example service: its name and its tables of routes.
 *
 * Use:
 *     return leat_main(argc, argv, &service);
 *
 * Ownership:      static; lives as long as the program.
 * Thread-safety:  any thread; read only.
 * Errors:         none.
 */
#ifndef HANDLERS_TABLE_H
#define HANDLERS_TABLE_H

#include <leat.h>

extern const struct leat_service service;

#endif
