/* modules.c - see modules.h. Used by task/crash_report.c. */
#include "base/modules.h"

#include <elf.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MODULES_MAX = 64 };

struct symbols {
	const ElfW(Sym) * first;
	size_t count;
	const char *names;
	size_t names_size;
};

struct module {
	char *file;
	uintptr_t base, low, high;
	const uint8_t *build_id;
	size_t build_id_size;
	struct symbols symbols;
};

static struct module modules[MODULES_MAX];
static unsigned module_count;

/* Learning ------------------------------------------------------------------------------------------------------------ */

static size_t padded(size_t size)
{
	return (size + 3) & ~(size_t)3;
}

static void find_build_id(struct module *module, const uint8_t *notes, size_t size)
{
	while (size >= sizeof(ElfW(Nhdr))) {
		ElfW(Nhdr) note;
		size_t whole;

		memcpy(&note, notes, sizeof(note));
		whole = sizeof(note) + padded(note.n_namesz) + padded(note.n_descsz);
		if (whole > size)
			return;
		if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 &&
		    memcmp(notes + sizeof(note), "GNU", 4) == 0) {
			module->build_id = notes + sizeof(note) + 4;
			module->build_id_size = note.n_descsz;
			return;
		}
		notes += whole;
		size -= whole;
	}
}

static bool lies_within(uint64_t offset, uint64_t size, uint64_t whole)
{
	return offset <= whole && size <= whole - offset;
}

static bool take_symbols(struct symbols *symbols, const uint8_t *file, uint64_t size, const ElfW(Shdr) * table,
			 const ElfW(Shdr) * names)
{
	if (!lies_within(table->sh_offset, table->sh_size, size) ||
	    !lies_within(names->sh_offset, names->sh_size, size) || table->sh_entsize != sizeof(ElfW(Sym)) ||
	    names->sh_size == 0 || file[names->sh_offset + names->sh_size - 1] != '\0')
		return false;
	*symbols = (struct symbols){ .first = (const ElfW(Sym) *)(file + table->sh_offset),
				     .count = table->sh_size / sizeof(ElfW(Sym)),
				     .names = (const char *)file + names->sh_offset,
				     .names_size = names->sh_size };
	return true;
}

/* False when there is nothing of use in the file. */
static bool read_symbols(struct symbols *symbols, const uint8_t *file, uint64_t size)
{
	const ElfW(Ehdr) *header = (const ElfW(Ehdr) *)file;
	const ElfW(Shdr) * sections;
	bool has_any = false;

	if (size < sizeof(*header) || memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 ||
	    header->e_shentsize != sizeof(*sections) ||
	    !lies_within(header->e_shoff, (uint64_t)header->e_shnum * sizeof(*sections), size))
		return false;
	sections = (const ElfW(Shdr) *)(file + header->e_shoff);
	for (unsigned i = 0; i < header->e_shnum; i++) {
		bool is_whole = sections[i].sh_type == SHT_SYMTAB;

		if ((is_whole || (sections[i].sh_type == SHT_DYNSYM && !has_any)) &&
		    sections[i].sh_link < header->e_shnum &&
		    take_symbols(symbols, file, size, &sections[i], &sections[sections[i].sh_link]))
			has_any = true;
		if (is_whole && has_any)
			break;
	}
	return has_any;
}

static void map_symbols(struct module *module, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat status;
	void *file;

	if (fd < 0)
		return;
	if (fstat(fd, &status) == 0 && status.st_size > 0) {
		file = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
		if (file != MAP_FAILED && !read_symbols(&module->symbols, file, (uint64_t)status.st_size))
			munmap(file, (size_t)status.st_size);
	}
	close(fd);
}

static void find_segments(struct module *module, const struct dl_phdr_info *info)
{
	module->low = UINTPTR_MAX;
	for (unsigned i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
		uintptr_t start = info->dlpi_addr + segment->p_vaddr;

		if (segment->p_type == PT_LOAD && start < module->low)
			module->low = start;
		if (segment->p_type == PT_LOAD && start + segment->p_memsz > module->high)
			module->high = start + segment->p_memsz;
		if (segment->p_type == PT_NOTE && !module->build_id)
			find_build_id(module, (const uint8_t *)start, segment->p_memsz);
	}
}

static int learn_one(struct dl_phdr_info *info, size_t size, void *nothing)
{
	struct module *module = &modules[module_count];
	bool is_program = info->dlpi_name[0] == '\0';
	char own[PATH_MAX];
	ssize_t own_len = is_program ? readlink("/proc/self/exe", own, sizeof(own) - 1) : 0;

	(void)size, (void)nothing;
	if (module_count == MODULES_MAX)
		return 1;
	own[own_len > 0 ? own_len : 0] = '\0';
	*module = (struct module){ .file = strdup(is_program ? own : info->dlpi_name), .base = info->dlpi_addr };
	if (!module->file)
		return 1;
	find_segments(module, info);
	map_symbols(module, is_program ? "/proc/self/exe" : info->dlpi_name);
	module_count++;
	return 0;
}

void modules_learn(void)
{
	if (module_count == 0)
		dl_iterate_phdr(learn_one, NULL);
}

/* Finding ------------------------------------------------------------------------------------------------------------- */

static bool is_function(const ElfW(Sym) * symbol)
{
	unsigned type = symbol->st_info & 15;

	return (type == STT_FUNC || type == STT_GNU_IFUNC) && symbol->st_shndx != SHN_UNDEF;
}

/* Tables are not sorted. One look through all of a table takes a millisecond at most; that is for crashes only. */
static void find_symbol(const struct symbols *symbols, struct module_place *place)
{
	for (size_t i = 0; i < symbols->count; i++) {
		const ElfW(Sym) *symbol = &symbols->first[i];

		if (is_function(symbol) && symbol->st_name < symbols->names_size && place->offset >= symbol->st_value &&
		    place->offset < symbol->st_value + symbol->st_size) {
			place->symbol = symbols->names + symbol->st_name;
			place->into = place->offset - symbol->st_value;
			return;
		}
	}
}

bool modules_find(uintptr_t address, struct module_place *ret_place)
{
	for (unsigned i = 0; i < module_count; i++) {
		const struct module *module = &modules[i];

		if (address < module->low || address >= module->high)
			continue;
		*ret_place = (struct module_place){ .module = i,
						    .file = module->file,
						    .build_id = module->build_id,
						    .build_id_size = module->build_id_size,
						    .offset = address - module->base };
		find_symbol(&module->symbols, ret_place);
		return true;
	}
	return false;
}
