// SPDX-License-Identifier: MIT
#include "plugin/elf_check.h"

#include <elf.h>
#include <link.h>

#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

#include "swapmq/backend.h"

// The linker puts this at the start of the module that this code is in: what we are ourselves.
extern "C" {
extern const ElfW(Ehdr) __ehdr_start __attribute__((visibility("hidden")));
}

namespace swapmq::plugin {
namespace {

using Header = ElfW(Ehdr);
using ProgramHeader = ElfW(Phdr);

std::string machine_name(unsigned machine) {
  struct Known {
    unsigned machine;
    const char* name;
  };
  static constexpr Known kKnown[] = {
      {EM_386, "i386"},        {EM_X86_64, "x86-64"},  {EM_ARM, "ARM (32 bit)"},
      {EM_AARCH64, "AArch64"}, {EM_RISCV, "RISC-V"},   {EM_PPC, "PowerPC (32 bit)"},
      {EM_PPC64, "PowerPC64"}, {EM_S390, "S/390"},     {EM_MIPS, "MIPS"},
      {EM_SPARCV9, "SPARC64"}, {EM_IA_64, "IA-64"},    {EM_68K, "m68k"},
      {EM_ALPHA, "Alpha"},     {EM_PARISC, "PA-RISC"}, {258, "LoongArch"},
  };
  for (const Known& known : kKnown) {
    if (known.machine == machine) return known.name;
  }
  return "machine " + std::to_string(machine);
}

std::string class_name(unsigned char elf_class) {
  if (elf_class == ELFCLASS32) return "32-bit";
  if (elf_class == ELFCLASS64) return "64-bit";
  return "of class " + std::to_string(elf_class);
}

std::string type_name(unsigned type) {
  switch (type) {
    case ET_REL:
      return "an object file (.o)";
    case ET_EXEC:
      return "a program";
    case ET_CORE:
      return "a core dump";
    default:
      return "of ELF type " + std::to_string(type);
  }
}

/// Whether [offset, offset + size) lies within a file of `file_size` bytes.
bool within(std::uint64_t offset, std::uint64_t size, std::size_t file_size) {
  return offset <= file_size && size <= file_size - offset;
}

std::string truncated(std::size_t size) {
  return "it is truncated: its headers point beyond its " + std::to_string(size) +
         " bytes; copy or build it again";
}

std::optional<std::string> wrong_kind(const Header& header) {
  const Header& own = __ehdr_start;
  if (header.e_ident[EI_CLASS] != own.e_ident[EI_CLASS]) {
    return "it is " + class_name(header.e_ident[EI_CLASS]) + ", this program is " +
           class_name(own.e_ident[EI_CLASS]) + "; build it for this machine";
  }
  if (header.e_ident[EI_DATA] != own.e_ident[EI_DATA]) {
    return "its byte order is not this machine's; build it for this machine";
  }
  if (header.e_machine != own.e_machine) {
    return "it is built for " + machine_name(header.e_machine) + ", this program for " +
           machine_name(own.e_machine) + "; build it for this machine";
  }
  if (header.e_type != ET_DYN) {
    return "it is " + type_name(header.e_type) + ", not a shared object; link it with -shared";
  }
  return std::nullopt;
}

std::string segments(std::span<const std::byte> bytes, const Header& header) {
  const std::uint64_t table = std::uint64_t{header.e_phnum} * header.e_phentsize;
  if (header.e_phnum == 0 || header.e_phentsize != sizeof(ProgramHeader)) {
    return "it has no program headers, so it is not a shared object; link it with -shared";
  }
  if (!within(header.e_phoff, table, bytes.size())) return truncated(bytes.size());
  bool dynamic = false;
  for (std::size_t i = 0; i < header.e_phnum; ++i) {
    ProgramHeader segment;
    std::memcpy(&segment, bytes.data() + header.e_phoff + i * sizeof segment, sizeof segment);
    const bool mapped = segment.p_type == PT_LOAD || segment.p_type == PT_DYNAMIC;
    if (mapped && !within(segment.p_offset, segment.p_filesz, bytes.size())) {
      return truncated(bytes.size());
    }
    dynamic = dynamic || segment.p_type == PT_DYNAMIC;
  }
  if (!dynamic) return "it has no dynamic section, so it is not a shared object";
  // Not mapped, but the last thing in a file: what an interrupted copy lacks.
  const std::uint64_t sections = std::uint64_t{header.e_shnum} * header.e_shentsize;
  if (header.e_shoff != 0 && !within(header.e_shoff, sections, bytes.size())) {
    return truncated(bytes.size());
  }
  return {};
}

} // namespace

std::string why_not_loadable(std::span<const std::byte> bytes) {
  if (bytes.empty()) return "it is empty";
  if (bytes.size() < SELFMAG || std::memcmp(bytes.data(), ELFMAG, SELFMAG) != 0) {
    return "it is not an ELF file; a plugin is a shared object";
  }
  if (bytes.size() <= EI_CLASS) return truncated(bytes.size());
  const auto elf_class = std::to_integer<unsigned char>(bytes[EI_CLASS]);
  const std::size_t header_size = elf_class == ELFCLASS32 ? sizeof(Elf32_Ehdr) : sizeof(Elf64_Ehdr);
  if (bytes.size() < header_size) return truncated(bytes.size());

  // A header of the other class is only read as far as both agree: its e_machine.
  Header header{};
  std::memcpy(&header, bytes.data(), std::min(header_size, sizeof header));
  if (auto why = wrong_kind(header)) return *why;
  if (auto why = segments(bytes, header); !why.empty()) return why;

  // Asked before it is mapped, so that a search does not run the constructors of whatever shared
  // object happens to lie in its folders.
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (text.find(SWAPMQ_BACKEND_ENTRY_NAME) == std::string_view::npos) {
    return "it does not export " SWAPMQ_BACKEND_ENTRY_NAME ", so it is not a swapmq plugin";
  }
  return {};
}

} // namespace swapmq::plugin
