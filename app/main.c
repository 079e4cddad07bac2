/* main.c - the program `leat`: the runtime with the example service. A service of its own has a file like this one. */
#include "handlers/table.h"

int main(int argc, char **argv)
{
	return leat_main(argc, argv, &service);
}
