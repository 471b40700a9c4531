// SPDX-License-Identifier: Apache-2.0
// The structures are those of <elf.h>, copied out of the mapping at checked offsets: a core may be
// a hundred gigabytes, cut anywhere and hostile, and only a few of its pages matter here.
#include "evidence/file/elf_file.h"
#include "base/limits.h"
#include "evidence/file/mapping.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct {
	uint16_t machine;
	const char *name;
} other_machines[] = {
	{EM_386, "32-bit x86"}, {EM_ARM, "32-bit ARM"},   {EM_PPC64, "ppc64"},
	{EM_S390, "s390x"},     {EM_RISCV, "RISC-V"},     {EM_LOONGARCH, "LoongArch"},
	{EM_MIPS, "MIPS"},      {EM_SPARCV9, "SPARC V9"},
};

struct error *elf_file_open_path(const char *path, int *ret_file)
{
	int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); // a FIFO must not block us
	struct stat status;

	if (file < 0 && errno == ENOENT)
		return error_new(ERROR_NOT_FOUND, place_whole(path), "no such file");
	if (file < 0)
		return error_system(errno, place_whole(path), "cannot open");
	if (fstat(file, &status) == 0 && S_ISREG(status.st_mode)) {
		*ret_file = file;
		return NULL;
	}
	close(file);
	if (S_ISDIR(status.st_mode))
		return error_with_hint(error_system(EISDIR, place_whole(path), "cannot read"),
				       "name the file inside the directory");
	return error_with_hint(
		error_new(ERROR_UNRECOGNISED, place_whole(path), "not a regular file"),
		"copy it to a file first");
}

struct error *elf_file_map(int file, const char *path, struct elf_file *ret)
{
	struct elf_file elf = {0};
	struct stat status;

	if (fstat(file, &status))
		return error_system(errno, place_whole(path), "cannot read");
	if (status.st_size == 0)
		return error_new(ERROR_TRUNCATED, place_whole(path), "the file is empty");
	TRY(mapping_open(file, path, (uint64_t)status.st_size, &elf.bytes));
	elf.size = (uint64_t)status.st_size;
	elf.path = g_strdup(path);
	*ret = elf;
	return NULL;
}

void elf_file_rest(const struct elf_file *elf)
{
	madvise(elf->bytes, elf->size,
		MADV_DONTNEED); // when it can't, memory stays in use: no harm
}

void elf_file_done(struct elf_file *elf)
{
	mapping_close(elf->bytes, elf->size);
	g_free(elf->path);
	g_free(elf->segments);
	*elf = (struct elf_file){0};
}

struct text elf_file_part(const struct elf_file *elf, uint64_t offset, uint64_t size)
{
	if (offset >= elf->size)
		return (struct text){"", 0};
	return (struct text){(const char *)elf->bytes + offset, MIN(size, elf->size - offset)};
}

struct error *elf_file_bytes(const struct elf_file *elf, const char *what, uint64_t offset,
			     uint64_t size, struct bytes *ret)
{
	struct text part = elf_file_part(elf, offset, size);

	if (part.n < size)
		return error_new(ERROR_TRUNCATED, (struct place){elf->path, offset},
				 "%s cut off: %llu bytes wanted, %zu there", what,
				 (unsigned long long)size, part.n);
	*ret = bytes_over(part.p, part.n, (struct place){elf->path, offset});
	return NULL;
}

bool elf_file_section(const struct elf_file *elf, size_t index, Elf64_Shdr *ret)
{
	uint64_t offset;
	struct text part;

	if (elf->header.e_shoff == 0 || elf->header.e_shentsize != sizeof(*ret))
		return false;
	if (__builtin_add_overflow(elf->header.e_shoff, index * sizeof(*ret), &offset))
		return false;
	part = elf_file_part(elf, offset, sizeof(*ret));
	if (part.n < sizeof(*ret))
		return false;
	memcpy(ret, part.p, sizeof(*ret));
	return true;
}

size_t elf_file_section_count(const struct elf_file *elf)
{
	Elf64_Shdr first;
	uint64_t count = elf->header.e_shnum, room;

	if (!elf_file_section(elf, 0, &first))
		return 0;
	if (count == 0)
		count = first.sh_size; // gABI: more than 65,279 sections
	room = (elf->size - elf->header.e_shoff) / sizeof(first);
	return MIN(count, room);
}

static struct error *refuse_machine(const struct elf_file *elf, uint16_t machine)
{
	for (size_t i = 0; i < G_N_ELEMENTS(other_machines); i++)
		if (other_machines[i].machine == machine)
			return error_new(ERROR_UNSUPPORTED, place_whole(elf->path),
					 "this is a file of %s", other_machines[i].name);
	return error_new(ERROR_UNSUPPORTED, place_whole(elf->path),
			 "this is a file of an unknown processor (e_machine %u)", machine);
}

static struct error *check_identity(const struct elf_file *elf, const char *kind)
{
	const uint8_t *ident = elf->header.e_ident;

	if (memcmp(ident, ELFMAG, SELFMAG) != 0)
		return error_new(ERROR_UNRECOGNISED, place_whole(elf->path),
				 "this is not %s: it does not begin as an ELF file", kind);
	if (ident[EI_DATA] == ELFDATA2MSB)
		return error_new(ERROR_UNSUPPORTED, place_whole(elf->path),
				 "this is a big-endian ELF file");
	if (ident[EI_CLASS] == ELFCLASS32)
		return error_new(ERROR_UNSUPPORTED, place_whole(elf->path),
				 "this is a 32-bit ELF file");
	if (ident[EI_CLASS] != ELFCLASS64 || ident[EI_DATA] != ELFDATA2LSB)
		return error_new(ERROR_MALFORMED, (struct place){elf->path, EI_CLASS},
				 "the ELF header states neither 32 nor 64 bits or no byte order");
	return NULL;
}

/** The machine and byte order are told even when the file ends right after them. */
static struct error *read_header(struct elf_file *elf, const char *kind)
{
	struct text head = elf_file_part(elf, 0, sizeof(elf->header));

	memcpy(&elf->header, head.p, head.n);
	TRY(check_identity(elf, kind));
	if (head.n < sizeof(elf->header))
		return error_new(ERROR_TRUNCATED, (struct place){elf->path, head.n},
				 "the ELF header is cut off");
	if (elf->header.e_machine != EM_X86_64 && elf->header.e_machine != EM_AARCH64)
		return refuse_machine(elf, elf->header.e_machine);
	elf->arch = elf->header.e_machine == EM_X86_64 ? GO_ARCH_AMD64 : GO_ARCH_ARM64;
	return NULL;
}

static struct error *segment_count_read(struct elf_file *elf)
{
	Elf64_Shdr first;

	elf->segment_count = elf->header.e_phnum;
	if (elf->header.e_phnum != PN_XNUM)
		return NULL;
	if (!elf_file_section(elf, 0, &first))
		return error_new(ERROR_TRUNCATED, (struct place){elf->path, elf->header.e_shoff},
				 "section header 0, which counts the program headers, is missing");
	elf->segment_count = first.sh_info;
	if (elf->segment_count > LIMIT_PROGRAM_HEADERS)
		return error_new(ERROR_LIMIT, (struct place){elf->path, elf->header.e_shoff},
				 "%zu program headers", elf->segment_count);
	return NULL;
}

struct error *elf_file_read(struct elf_file *elf, const char *kind)
{
	struct bytes table = {0};

	TRY(read_header(elf, kind));
	TRY(segment_count_read(elf));
	if (elf->segment_count == 0)
		return NULL;
	if (elf->header.e_phentsize != sizeof(Elf64_Phdr))
		return error_new(ERROR_MALFORMED,
				 (struct place){elf->path, offsetof(Elf64_Ehdr, e_phentsize)},
				 "program headers of %u bytes, not %zu", elf->header.e_phentsize,
				 sizeof(Elf64_Phdr));
	TRY(elf_file_bytes(elf, "program headers", elf->header.e_phoff,
			   elf->segment_count * sizeof(Elf64_Phdr), &table));
	elf->segments = g_memdup2(table.start, bytes_left(&table));
	return NULL;
}
